//! `enqueue --from-source`: asks for what the source has and the destination lacks.
//!
//! ```text
//! source: its listing ──────┐
//!                           ├─▶ side by side ─▶ taken? wanted? ─▶ a list, whole or none
//! destination: its listing ─┘         ledger: last copy, pending ┘
//! ```
//!
//! Nothing is locked and nothing is kept in memory but a page of each listing. The
//! run that takes the list in decides about each name exactly.

mod comparison;
mod error;
mod progress;

use std::io;
use std::sync::Arc;

pub use comparison::Comparison;
pub use error::FromSourceError;

use progress::Progress;

use super::engine::Engine;
use super::pages::Pages;
use super::rule::Rule;
use crate::config::TaskConfig;
use crate::intake::{self, EnqueueTarget, Line};
use crate::ledger::{Ledger, LedgerError, Remembered, TaskKey};
use crate::model::{
    DestinationPrefix, LocalTime, ObjectFacts, ObjectName, RESERVED_PREFIX, Side, Timestamp,
};
use crate::plan::{EitherOrBoth, Want, side_by_side, want};

/// What of the source is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// Names that begin with this.
    pub prefix: &'a str,
    /// Only what was modified there at this time or later.
    pub since: Option<Timestamp>,
}

/// What is known of a task's names before anybody is asked.
struct Known {
    ledger: Option<(Ledger, TaskKey)>,
    rule: Rule,
    prefix: DestinationPrefix,
    since: Option<Timestamp>,
}

/// Lists both ends of `task` and asks, by a list in `target`, for what the destination
/// lacks or has other or older; without a target it only counts.
///
/// # Errors
/// One end does not answer or does not list in byte order, the ledger cannot be read,
/// the list cannot be written, or somebody asked to stop: there is no list then.
pub fn enqueue_from_source(
    engine: &Engine,
    task: &TaskConfig,
    scope: Scope<'_>,
    target: Option<&EnqueueTarget<'_>>,
) -> Result<Comparison, FromSourceError> {
    let began = engine.clock.now();
    let ends = engine.ends(task)?;
    let transfer = Arc::new(engine.transfer(task, &ends));
    let known = Known {
        ledger: ledger(engine, task)?,
        rule: Rule::new(task, began),
        prefix: task.destination_prefix.clone(),
        since: scope.since,
    };
    let mut found = Comparison {
        task: task.id.to_string(),
        ..Comparison::default()
    };
    let mut progress = Progress::new(task.id.as_str(), engine);
    let listing = |side| Pages::begin(engine, &transfer, side, scope.prefix);
    let both = side_by_side(listing(Side::Source), listing(Side::Destination));
    let mut wanted = both.filter_map(|item| {
        let wanted = item
            .map_err(FromSourceError::from)
            .and_then(|(name, ends)| known.wants(&name, ends, &mut found));
        progress.listed(&found);
        wanted.transpose()
    });
    let list = if let Some(target) = target {
        write(wanted, target, task.zone.local(began))?
    } else {
        wanted.try_for_each(|name| name.map(drop))?;
        None
    };
    found.list = list;
    found.requests = ends.requests_sent();
    Ok(found)
}

/// The ledger, if the task is in one already.
fn ledger(
    engine: &Engine,
    task: &TaskConfig,
) -> Result<Option<(Ledger, TaskKey)>, FromSourceError> {
    let ledger = match Ledger::open_read_only(&engine.data_dir.ledger()) {
        Ok(ledger) => ledger,
        // Nothing was ever copied.
        Err(LedgerError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let key = ledger.find_task(&task.id)?;
    Ok(key.map(|key| (ledger, key)))
}

/// Writes the names as a list; where it lies, or `None` if there were no names.
fn write(
    names: impl Iterator<Item = Result<ObjectName, FromSourceError>>,
    target: &EnqueueTarget<'_>,
    now: LocalTime,
) -> Result<Option<String>, FromSourceError> {
    let mut broken = None;
    let lines = (1..).zip(names).map(|(number, name)| match name {
        Ok(name) => Ok((number, Line::Name(name))),
        Err(error) => {
            broken = Some(error);
            Err(io::Error::other("the listings cannot be read"))
        }
    });
    let enqueued = intake::enqueue(lines, target, now);
    match broken {
        Some(error) => Err(error),
        None => Ok(enqueued?.path),
    }
}

impl Known {
    /// The name, if it is to be asked for; counts it either way.
    fn wants(
        &self,
        name: &str,
        ends: EitherOrBoth<ObjectFacts, ObjectFacts>,
        found: &mut Comparison,
    ) -> Result<Option<ObjectName>, FromSourceError> {
        let (source, destination) = match ends {
            EitherOrBoth::Left(source) => (source, None),
            EitherOrBoth::Both(source, destination) => (source, Some(destination)),
            EitherOrBoth::Right(_) => {
                found.destination_objects += 1;
                return Ok(None);
            }
        };
        found.source_objects += 1;
        found.destination_objects += u64::from(destination.is_some());
        let Some(name) = self.taken(name, &source, found) else {
            return Ok(None);
        };
        let remembered = match &self.ledger {
            Some((ledger, task)) => ledger.remembered(*task, &name, &self.prefix)?,
            None => Remembered::default(),
        };
        let last_copy = remembered.last_copy.as_ref();
        let counter = match want(self.rule.mode, &source, destination.as_ref(), last_copy) {
            Want::Nothing => {
                found.as_it_is += 1;
                return Ok(None);
            }
            _ if remembered.is_pending => {
                found.pending += 1;
                return Ok(None);
            }
            Want::Lacking => &mut found.lacking,
            Want::Different => &mut found.different,
            Want::Undecided => &mut found.undecided,
        };
        *counter += 1;
        found.names += 1;
        found.bytes += source.size_bytes;
        Ok(Some(name))
    }

    /// The name, if it is one that the task takes and that is new enough; counts it if
    /// it is not.
    fn taken(
        &self,
        name: &str,
        source: &ObjectFacts,
        found: &mut Comparison,
    ) -> Option<ObjectName> {
        if name.starts_with(RESERVED_PREFIX) {
            found.reserved += 1;
            return None;
        }
        let name = match self.prefix.admit(name) {
            Ok(name) => name,
            Err(reason) => {
                found.add_invalid(name, reason);
                return None;
            }
        };
        if self.since.is_some_and(|since| source.modified_at < since) {
            found.earlier += 1;
            return None;
        }
        if self.rule.excludes(&name, source).is_some() {
            found.excluded += 1;
            return None;
        }
        Some(name)
    }
}
