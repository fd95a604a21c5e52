//! Objects that go in parts: begun, carried part by part, put together or given up.

use std::sync::Arc;

use super::conveyor::{Conveyor, Event, LEAST_BUFFER_BYTES};
use super::voyage::Voyage;
use crate::model::{Failure, Outcome};
use crate::pool::guarded;
use crate::transfer::{Arrival, PartPlan, PartsCopy};

/// An object that goes in parts.
pub(super) struct InParts {
    voyage: Box<Voyage>,
    plan: PartPlan,
    /// The upload, once it has begun.
    copy: Option<Arc<PartsCopy>>,
    next_part: u32,
    parts_under_way: u32,
    failure: Option<Failure>,
    stage: Stage,
}

/// Where the object stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Parts are on their way, or will be.
    Carrying,
    /// The last request is under way.
    Ending,
}

impl InParts {
    fn has_parts_to_begin(&self) -> bool {
        self.copy.is_some() && self.failure.is_none() && self.next_part < self.plan.count
    }
}

impl Conveyor<'_> {
    /// Begins an upload in parts. The caller has taken a slot.
    pub(super) fn begin_parts(&mut self, voyage: Box<Voyage>, plan: PartPlan) {
        let sequence = voyage.sequence;
        let (transfer, name) = (Arc::clone(&self.means.transfer), voyage.queued.name.clone());
        let source = voyage.source();
        let tally = voyage.tally();
        self.spawn(move || {
            let begun = guarded(|| transfer.begin_parts(name.as_str(), &source?, plan, &tally));
            Event::Begun(sequence, begun.map(Box::new))
        });
        let waiting = InParts {
            voyage,
            plan,
            copy: None,
            next_part: 0,
            parts_under_way: 0,
            failure: None,
            stage: Stage::Carrying,
        };
        self.in_parts.insert(sequence, waiting);
    }

    /// Begins further parts of what is under way, the oldest object first.
    pub(super) fn load_parts(&mut self) {
        let give_up = self.is_out_of_grace();
        let mut sequences: Vec<u64> = self.in_parts.keys().copied().collect();
        sequences.sort_unstable();
        for sequence in sequences {
            while !give_up && self.begin_part(sequence) {}
            self.end_if_done(sequence, give_up);
        }
    }

    /// Begins the object's next part, if there is one and it fits.
    fn begin_part(&mut self, sequence: u64) -> bool {
        let wanted = |object: &&InParts| object.has_parts_to_begin();
        let Some(object) = self.in_parts.get(&sequence).filter(wanted) else {
            return false;
        };
        let bytes = object.plan.buffer_bytes_per_part;
        if !self.take(bytes) {
            return false;
        }
        let Some((object, copy)) = self
            .in_parts
            .get_mut(&sequence)
            .and_then(|object| object.copy.clone().map(|copy| (object, copy)))
        else {
            return false;
        };
        let part = object.next_part;
        object.next_part += 1;
        object.parts_under_way += 1;
        let tally = object.voyage.tally();
        self.spawn(move || {
            let result = guarded(|| copy.copy_part(part, &tally));
            Event::Part(sequence, result)
        });
        true
    }

    /// Once no part is under way: puts a complete upload together, gives up one
    /// that failed or that the run's end overtakes.
    fn end_if_done(&mut self, sequence: u64, give_up: bool) {
        let Some(object) = self.in_parts.get(&sequence) else {
            return;
        };
        let over = object.failure.is_some() || give_up || object.next_part == object.plan.count;
        let Some(copy) = object.copy.clone() else {
            return;
        };
        if object.stage == Stage::Ending || object.parts_under_way > 0 || !over {
            return;
        }
        let complete = object.failure.is_none() && object.next_part == object.plan.count;
        if !self.take(LEAST_BUFFER_BYTES) {
            return;
        }
        let Some(object) = self.in_parts.get_mut(&sequence) else {
            return;
        };
        object.stage = Stage::Ending;
        let tally = object.voyage.tally();
        self.spawn(move || {
            if complete {
                let finished = guarded(|| copy.finish(&tally));
                Event::Finished(sequence, finished)
            } else {
                let aborted = guarded(|| copy.abort(&tally));
                Event::Aborted(sequence, aborted)
            }
        });
    }

    pub(super) fn on_begun(&mut self, sequence: u64, result: Result<Box<PartsCopy>, Failure>) {
        match result {
            Ok(copy) => {
                if let Some(object) = self.in_parts.get_mut(&sequence) {
                    object.copy = Some(Arc::from(copy));
                }
            }
            Err(failure) => {
                if let Some(object) = self.in_parts.remove(&sequence) {
                    self.fail(object.voyage, failure);
                }
            }
        }
    }

    pub(super) fn on_part(&mut self, sequence: u64, result: Result<(), Failure>) {
        let Some(object) = self.in_parts.get_mut(&sequence) else {
            return;
        };
        object.parts_under_way -= 1;
        let bytes = object.plan.buffer_bytes_per_part;
        match result {
            Ok(()) => {}
            Err(failure) => {
                object.failure.get_or_insert(failure);
            }
        }
        self.give_back(bytes);
    }

    pub(super) fn on_finished(&mut self, sequence: u64, result: Result<Arrival, Failure>) {
        match result {
            Ok(arrival) => {
                if let Some(mut object) = self.in_parts.remove(&sequence) {
                    object.voyage.answered(arrival.server_request_id);
                    self.settle(object.voyage, Outcome::Synced(arrival.copied));
                }
            }
            Err(failure) => {
                // Back among those at work, where its failure has the upload given up.
                if let Some(object) = self.in_parts.get_mut(&sequence) {
                    object.failure = Some(failure);
                    object.stage = Stage::Carrying;
                }
            }
        }
    }

    pub(super) fn on_aborted(&mut self, sequence: u64, result: Result<(), Failure>) {
        let Some(object) = self.in_parts.remove(&sequence) else {
            return;
        };
        if let Err(failure) = result {
            tracing::warn!(
                "an upload in parts was left at the destination: {}",
                failure.message
            );
        }
        // One that did not fail stays unsettled: it is left for the next run.
        if let Some(failure) = object.failure {
            self.fail(object.voyage, failure);
        }
    }
}
