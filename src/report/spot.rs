//! What a spot check came to, in words.

use super::text::{counted, thousands, visible};
use crate::ledger::{SpotCheck, SpotFinding};
use crate::model::{Comparison, Sampled};

/// What it came to, in a line.
#[must_use]
pub fn spot_sentence(check: &SpotCheck) -> String {
    if let (0, Some(why)) = (check.compared() + check.undecided, check.skipped) {
        return format!("spot check: skipped ({why})");
    }
    let mut parts = vec![
        of_kind(check.copies, "copy", "copies", check.copies_drifted),
        of_kind(
            check.ignored,
            "ignored object",
            "ignored objects",
            check.ignored_drifted,
        ),
    ];
    if check.undecided > 0 {
        let undecided = thousands(check.undecided.cast_signed());
        parts.push(format!("{undecided} could not be compared"));
    }
    if let Some(why) = check.skipped {
        parts.push(format!("cut short ({why})"));
    }
    format!("spot check: {}", parts.join("; "))
}

/// `20 copies compared, 1 drifted (5.0 %)`.
fn of_kind(compared: u64, one: &str, many: &str, drifted: u64) -> String {
    let kind = if compared == 1 { one } else { many };
    let compared_words = format!("{} {kind} compared", thousands(compared.cast_signed()));
    match (compared, drifted) {
        (0, _) => format!("no {many} compared"),
        (_, 0) => format!("{compared_words}, none drifted"),
        (_, drifted) => format!(
            "{compared_words}, {} drifted ({})",
            thousands(drifted.cast_signed()),
            rate(drifted, compared)
        ),
    }
}

/// `2.5 %`: one place, rounded down, but never to nothing.
fn rate(part: u64, whole: u64) -> String {
    let per_mille = (part.saturating_mul(1000) / whole.max(1)).max(1);
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

/// What to do about what has drifted.
#[must_use]
pub fn spot_hint(check: &SpotCheck) -> Option<String> {
    (check.drifted() > 0).then(|| {
        let are = if check.drifted() == 1 { "is" } else { "are" };
        format!(
            "{} {are} not as the source's: the view spot_findings names what. Find out who or \
             what changes objects at the destination, and ask for them again. What is still \
             there is copied again only with `overwrite` set to \"always\", or to \"checksum\" \
             where its tag shows that it differs.",
            counted(check.drifted(), "object")
        )
    })
}

/// What was found of one object.
#[must_use]
pub fn spot_finding(found: &SpotFinding) -> String {
    let kind = match found.kind {
        Sampled::Copy => "the copy",
        Sampled::Ignored => "the ignored object",
    };
    let name = visible(&found.destination_name);
    let what = match found.finding {
        Comparison::Same => "is the same as the source's".to_owned(),
        Comparison::Differs => "differs from the source's".to_owned(),
        Comparison::Gone => "is not at the destination any more".to_owned(),
        Comparison::SourceChanged => {
            "could not be compared, as the source has changed since".to_owned()
        }
        Comparison::SourceGone => {
            "could not be compared, as the source has none any more".to_owned()
        }
        Comparison::Unreadable => {
            let why = found.unreadable.as_ref();
            let why = why.map_or_else(String::new, |(cause, message)| {
                format!(" ({cause}): {}", visible(message))
            });
            format!("could not be compared{why}")
        }
    };
    format!("{kind} `{name}` {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Deferral;

    #[test]
    fn a_spot_check_is_said_in_a_line() {
        let none = SpotCheck {
            wanted: 20,
            ..SpotCheck::default()
        };
        let whole = SpotCheck {
            copies: 20,
            ignored: 1,
            ..none
        };
        let window = Some(Deferral::WindowEnded);
        for (check, said) in [
            (
                SpotCheck {
                    skipped: window,
                    ..none
                },
                "skipped (window_ended)",
            ),
            (none, "no copies compared; no ignored objects compared"),
            (
                whole,
                "20 copies compared, none drifted; 1 ignored object compared, none drifted",
            ),
            (
                SpotCheck {
                    copies_drifted: 1,
                    undecided: 3,
                    skipped: window,
                    ..whole
                },
                "20 copies compared, 1 drifted (5.0 %); 1 ignored object compared, none drifted; \
                 3 could not be compared; cut short (window_ended)",
            ),
            (
                SpotCheck {
                    copies: 10_000,
                    copies_drifted: 1,
                    ignored: 0,
                    ..whole
                },
                "10,000 copies compared, 1 drifted (0.1 %); no ignored objects compared",
            ),
        ] {
            assert_eq!(spot_sentence(&check), format!("spot check: {said}"));
        }
        assert_eq!(spot_hint(&whole), None);
    }
}
