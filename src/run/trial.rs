//! Before any object is asked for by itself, or carried, both ends are tried out.
//!
//! What listings are enough for needs none of it, so a run that finds everything
//! at its destination already writes nothing there but its lists.

use std::sync::Arc;

use super::conveyor::{Conveyor, Event};
use crate::ledger::BeginFailure;
use crate::model::Failure;
use crate::pool::guarded;
use crate::preflight::{Wanted, first_failure, try_out};
use crate::s3::ListedObject;

/// What both ends are tried out with.
#[derive(Debug, Clone)]
pub struct Probes {
    /// The object that the source lists first; `None` if it has none.
    pub first: Option<ListedObject>,
    /// The name of what is written to the destination.
    pub canary: String,
}

/// How far both ends are tried out.
pub(super) enum Trial {
    /// Nothing has needed it yet.
    Due,
    /// They are asked.
    UnderWay,
    /// Both do what a run needs.
    Passed,
    /// One does not: nothing more begins.
    Failed(BeginFailure),
}

impl Conveyor<'_> {
    /// Whether objects may be asked for and carried. Has both ends tried out, once
    /// there is something to ask for or to carry, and a slot.
    pub(super) fn is_tried_out(&mut self) -> bool {
        let needed = !self.to_look.is_empty() || !self.to_plan.is_empty();
        if matches!(self.trial, Trial::Due) && needed && self.share.take(0) {
            self.trial = Trial::UnderWay;
            let transfer = Arc::clone(&self.means.transfer);
            let probes = self.means.probes.clone();
            self.spawn(move || {
                Event::TriedOut(guarded(|| {
                    let checks = try_out(
                        &transfer.source,
                        probes.first.as_ref(),
                        &transfer.destination,
                        &probes.canary,
                        Wanted {
                            checksum: transfer.checksum,
                            write_options: &transfer.write_options,
                        },
                    );
                    first_failure(&checks).map_or(Ok(()), |failure| Err(failure.clone()))
                }))
            });
        }
        matches!(self.trial, Trial::Passed)
    }

    pub(super) fn on_tried_out(&mut self, result: Result<(), Failure>) {
        self.give_back(0);
        self.trial = match result {
            Ok(()) => Trial::Passed,
            Err(failure) => Trial::Failed(BeginFailure::from(&failure)),
        };
    }

    /// Why no object can be carried; `None` as far as is known.
    pub(super) const fn begin_failure(&self) -> Option<&BeginFailure> {
        match &self.trial {
            Trial::Failed(failure) => Some(failure),
            Trial::Due | Trial::UnderWay | Trial::Passed => None,
        }
    }
}
