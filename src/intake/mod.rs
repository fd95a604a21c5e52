//! Takes the names in a task's lists into the ledger, each line once.
//!
//! [`take_in`] walks the sources of lists in order, finds out for each list what
//! of it the ledger has already ([`identify`]), and loads the rest ([`load`]).
//! Whatever happens in between, the lines and how far their list is loaded are
//! committed together, so the next intake goes on where this one ended.

mod decode;
mod enqueue;
mod growing;
mod identify;
mod lines;
mod load;
mod scan;
mod source;
#[cfg(test)]
mod tests;
mod walk;

use std::time::Duration;

pub use decode::{NameForm, excerpt, name_of};
pub use enqueue::{
    EnqueueError, EnqueueTarget, Enqueued, InvalidName, NewList, enqueue, names_in_arguments,
    names_in_lines, new_list,
};
pub use growing::GrowingList;
pub use lines::{Line, Lines};
pub use load::RejectedExample;
pub use scan::{Scan, scan};
pub use source::{Found, ListSource, OBJECT_LISTS, PassedOver, PassedOverCounts, Problem, Stat};
pub use walk::LocalLists;

use crate::clock::Clock;
use crate::ledger::{Ledger, LedgerError, TaskKey};
use crate::model::{TaskId, Zone};
use identify::{ListError, is_gone, says_gone};
use load::Loading;

/// How many rejected lines an [`Intake`] names.
const REJECTED_EXAMPLES: usize = 10;

/// How a task's lists are read.
#[derive(Clone)]
pub struct IntakeSettings<'a> {
    /// How names stand in lists that do not say it by their file name, and what is
    /// put before them.
    pub form: NameForm,
    /// The task's zone.
    pub zone: Zone,
    /// Tells the time.
    pub clock: &'a Clock,
    /// Waits; [`std::thread::sleep`], but for tests.
    pub wait: &'a dyn Fn(Duration),
}

/// What there was under `object_lists/`.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many lists.
    pub lists: u64,
    /// How much beside them, by kind.
    pub passed_over: PassedOverCounts,
    /// Lists and folders that could not be read.
    pub problems: Vec<Problem>,
}

/// What an intake brought.
#[derive(Debug, Default)]
pub struct Intake {
    /// What there was.
    pub seen: Seen,
    /// Lists in which something was new.
    pub loaded: u64,
    /// New lines, blank ones included.
    pub lines: u64,
    /// Requests entered.
    pub requests: u64,
    /// Lines that cannot be requests.
    pub rejected: u64,
    /// The first of these.
    pub rejected_examples: Vec<RejectedExample>,
}

/// Why an intake ended early. What was committed by then stays; the next intake goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The ledger could not be read or written on a list's behalf.
    #[error("{path} was not loaded to its end: {source}")]
    List {
        /// The list.
        path: String,
        /// What the ledger said.
        source: LedgerError,
    },
    /// The ledger could not be read or written before or after the lists.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Loads what is new in the lists of `sources` into the ledger, for `task`.
///
/// A path names one list: what an earlier source has at a path hides what a
/// later one has there. A list that cannot be read is among the
/// [problems](Seen::problems) and does not stop the others.
///
/// # Errors
/// If the ledger cannot be read or written. Nothing is lost or doubled by
/// taking in again.
pub fn take_in(
    ledger: &mut Ledger,
    task: TaskKey,
    sources: &[&dyn ListSource],
    settings: &IntakeSettings<'_>,
) -> Result<Intake, IntakeError> {
    let began_at = settings.clock.now();
    let loading = Loading {
        task,
        sources,
        settings,
        previous: ledger.last_intake_at(task)?,
    };
    let mut intake = Intake::default();
    let seen = each_list(sources, |source, path, stat| {
        loading.load(ledger, source, path, stat, &mut intake)
    })?;
    ledger.end_intake(task, began_at)?;
    Ok(Intake { seen, ..intake })
}

/// What lies beside the lists of `source`, by kind. Reads no list.
#[must_use]
pub fn passed_over(source: &dyn ListSource) -> PassedOverCounts {
    let mut counts = PassedOverCounts::new();
    for found in source.walk() {
        if let Found::PassedOver(kind) = found {
            *counts.entry(kind).or_default() += 1;
        }
    }
    counts
}

/// How many lists of `source` are not loaded, or not to their present end, by path and
/// length alone: none is read.
///
/// # Errors
/// If the ledger cannot be read.
pub fn unloaded(
    ledger: &Ledger,
    task: &TaskId,
    source: &dyn ListSource,
) -> Result<u64, LedgerError> {
    let key = ledger.find_task(task)?;
    let mut unloaded = 0;
    for found in source.walk() {
        let Found::List { path, stat } = found else {
            continue;
        };
        let known = match key {
            Some(key) => ledger.current_list(key, &path)?,
            None => None,
        };
        let loaded_bytes = known.map_or(0, |list| list.loaded_bytes);
        unloaded += u64::from(loaded_bytes != stat.size);
    }
    Ok(unloaded)
}

/// Calls `visit` for each list, in the order of sources and paths.
fn each_list(
    sources: &[&dyn ListSource],
    mut visit: impl FnMut(&dyn ListSource, &str, &Stat) -> Result<(), ListError>,
) -> Result<Seen, IntakeError> {
    let mut seen = Seen::default();
    for (place, &source) in sources.iter().enumerate() {
        let earlier = &sources[..place];
        for found in source.walk() {
            match found {
                Found::PassedOver(kind) => *seen.passed_over.entry(kind).or_default() += 1,
                Found::Unreadable(problem) => seen.problems.push(problem),
                Found::List { path, .. } if !earlier.iter().all(|s| is_gone(*s, &path)) => {}
                Found::List { path, stat } => {
                    seen.lists += 1;
                    let visited = visit(source, &path, &stat);
                    seen.problems.extend(problem_of(visited, path)?);
                }
            }
        }
    }
    Ok(seen)
}

/// What kept the list at `path` from being read; an error if it keeps all lists from it.
fn problem_of(
    visited: Result<(), ListError>,
    path: String,
) -> Result<Option<Problem>, IntakeError> {
    match visited {
        // If overtaken: whoever it was has loaded it.
        Ok(()) | Err(ListError::Overtaken) => Ok(None),
        // Taken away since it was seen: there is nothing to read.
        Err(ListError::Read(error)) if says_gone(&error) => Ok(None),
        Err(ListError::Read(error)) => Ok(Some(Problem { path, error })),
        Err(ListError::Ledger(source)) => Err(IntakeError::List { path, source }),
    }
}
