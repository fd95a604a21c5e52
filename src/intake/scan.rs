//! What an intake would bring, without writing anything: for `run --dry-run`.

use super::identify::{Known, ListError, open_list};
use super::lines::Line;
use super::load::is_quiet;
use super::source::{ListSource, Stat};
use super::{IntakeError, IntakeSettings, Seen, each_list};
use crate::ledger::{Ledger, ListKey, ListPlace, TaskKey};
use crate::model::ObjectName;

/// What an intake would bring.
#[derive(Debug, Default)]
pub struct Scan {
    /// What there was.
    pub seen: Seen,
    /// Requests that would be entered.
    pub requests: u64,
    /// Lines that cannot be requests.
    pub rejected: u64,
}

/// Calls `name` for each name of the lists of `sources` that is not loaded yet,
/// in the order in which [`take_in`](super::take_in) would load them. `ledger`
/// may be open for reading only; without one all lines are new.
///
/// # Errors
/// If the ledger cannot be read.
pub fn scan(
    ledger: Option<(&Ledger, TaskKey)>,
    sources: &[&dyn ListSource],
    settings: &IntakeSettings<'_>,
    mut name: impl FnMut(ObjectName),
) -> Result<Scan, IntakeError> {
    let mut scan = Scan::default();
    let mut renamed = Vec::new();
    let seen = each_list(sources, |source, path, stat| {
        let known = Known {
            ledger,
            renamed: &renamed,
            sources,
        };
        let found = scan_list(
            &known,
            source,
            path,
            stat,
            settings,
            &mut |line| match line {
                Line::Blank => {}
                Line::Rejected { .. } => scan.rejected += 1,
                Line::Name(object) => {
                    scan.requests += 1;
                    name(object);
                }
            },
        )?;
        renamed.extend(found);
        Ok(())
    })?;
    Ok(Scan { seen, ..scan })
}

/// Answers which list of the ledger this one is, if it was renamed.
fn scan_list(
    known: &Known<'_>,
    source: &dyn ListSource,
    path: &str,
    stat: &Stat,
    settings: &IntakeSettings<'_>,
    take: &mut dyn FnMut(Line),
) -> Result<Option<ListKey>, ListError> {
    let current = match known.ledger {
        Some((ledger, task)) => ledger.current_list(task, path)?,
        None => None,
    };
    let fingerprint = current.as_ref().and_then(|list| list.fingerprint.as_ref());
    if fingerprint == Some(&stat.fingerprint) {
        return Ok(None);
    }
    let form = settings.form.clone().at(path);
    let open = || source.open(path);
    let mut list = open_list(&open, path, current, known, &form, settings.clock)?;
    while let Some(line) = list.lines.next_line()? {
        take(line);
    }
    if list.lines.has_unended()
        && is_quiet(source, path, &list, settings)?
        && let Some(line) = list.lines.take_unended()
    {
        take(line);
    }
    Ok(match list.place {
        ListPlace::Renamed(key) => Some(key),
        ListPlace::Known(_) | ListPlace::New => None,
    })
}
