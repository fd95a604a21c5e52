//! Lists of runs read back: the other way round than they are written.

use percent_encoding::percent_decode_str;

use crate::ledger::{Listed, ListedOutcome};
use crate::model::{LocalTime, ObjectName};

/// The kinds of lists that a manifest vouches for, in the order in which a
/// ledger is made from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListKind {
    /// What the other lists leave unsaid.
    Journal,
    /// Synced requests.
    Success,
    /// Failed requests.
    Failed,
    /// Ignored requests.
    Skip,
    /// What a run that could not begin would have taken.
    CreationFailure,
}

impl ListKind {
    /// The kind of the list at `path` under the task's prefix.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let (folder, rest) = path.split_once('/')?;
        match folder {
            "journals" => Some(Self::Journal),
            "success_object_lists" => Some(Self::Success),
            "failed_object_lists" if rest.starts_with("creation_failures/") => {
                Some(Self::CreationFailure)
            }
            "failed_object_lists" => Some(Self::Failed),
            "skip_object_lists" => Some(Self::Skip),
            _ => None,
        }
    }
}

/// The run that an object's name (under the task's prefix) makes it the manifest
/// of: its name and its number. `None` if it is no manifest.
#[must_use]
pub fn manifest_of(path: &str) -> Option<(&str, u64)> {
    let run_name = path
        .strip_prefix("manifests/")?
        .strip_suffix(".manifest.json")?;
    let (rest, number) = run_name.rsplit_once('_')?;
    let (_, stamp) = rest.rsplit_once('-')?;
    let is_stamp = stamp.len() == 17 && stamp.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|_| is_stamp)?;
    Some((run_name, number))
}

/// What a line of a list says; `None` if it is no such line.
#[must_use]
pub fn read_listed(kind: ListKind, line: &str) -> Option<Listed> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    let listed = match kind {
        ListKind::Journal => return None,
        ListKind::Success | ListKind::Skip => {
            let at: LocalTime = next()?.parse().ok()?;
            let name = ObjectName::from_escaped(next()?)?;
            let size = match next()? {
                "" => None,
                size => Some(size.parse().ok()?),
            };
            let outcome = if kind == ListKind::Success {
                ListedOutcome::Synced(size)
            } else {
                ListedOutcome::Ignored(size)
            };
            Listed { at, name, outcome }
        }
        ListKind::Failed | ListKind::CreationFailure => {
            let cause = next()?.parse().ok()?;
            let at = next()?.parse().ok()?;
            let name = percent_decode_str(next()?).decode_utf8().ok()?;
            let name = ObjectName::new(&name).ok()?;
            if ObjectName::from_escaped(next()?)? != name {
                return None;
            }
            let code = Some(next()?).filter(|code| !code.is_empty());
            let outcome = ListedOutcome::Failed(cause, code.map(str::to_owned));
            Listed { at, name, outcome }
        }
    };
    next().is_none().then_some(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FailureCause;

    #[test]
    fn manifests_are_known_by_their_names() {
        let name = "manifests/a-b-c-20261122105500123_7.manifest.json";
        assert_eq!(manifest_of(name), Some(("a-b-c-20261122105500123_7", 7)));
        for other in [
            "manifests/a-b-20261122105500123_7.manifest.json.tmp",
            "manifests/a-b-2026112210550012_7.manifest.json",
            "manifests/a-b-20261122105500123_x.manifest.json",
            "journals/a-b-20261122105500123_7.manifest.json",
        ] {
            assert_eq!(manifest_of(other), None, "{other}");
        }
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        let line = "2026-11-22T10:55:00.123+08:00\ta\\tb\\n\\\\\t12";
        let listed = read_listed(ListKind::Success, line).unwrap();
        assert_eq!(listed.name.as_str(), "a\tb\n\\");
        assert_eq!(listed.at.rfc3339(), "2026-11-22T10:55:00.123+08:00");
        assert_eq!(listed.outcome, ListedOutcome::Synced(Some(12)));
        let line = "throttled\t2026-11-22T10:55:00.123-03:30\ta%09b\ta\\tb\tSlowDown";
        let listed = read_listed(ListKind::Failed, line).unwrap();
        assert_eq!(listed.name.as_str(), "a\tb");
        assert_eq!(listed.at.offset_minutes, -210);
        let code = Some("SlowDown".to_owned());
        assert_eq!(
            listed.outcome,
            ListedOutcome::Failed(FailureCause::Throttled, code)
        );
    }

    #[test]
    fn what_is_no_line_is_told() {
        let at = "2026-11-22T10:55:00.123+08:00";
        for (kind, line) in [
            (ListKind::Success, String::new()),
            (ListKind::Success, format!("{at}\ta")),
            (ListKind::Success, format!("{at}\ta\tx")),
            (ListKind::Success, format!("{at}\ta\t1\t2")),
            (ListKind::Skip, "yesterday\ta\t1".to_owned()),
            (ListKind::Failed, format!("bad_luck\t{at}\ta\ta\t")),
            (ListKind::Failed, format!("timeout\t{at}\ta\tb\t")),
        ] {
            assert_eq!(read_listed(kind, &line), None, "{line}");
        }
    }
}
