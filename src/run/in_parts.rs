//! Objects that go in parts: begun, carried part by part, put together or given up.

use std::sync::Arc;

use super::conveyor::{Conveyor, Event, LEAST_BUFFER_BYTES};
use super::loading::{PartsLoad, Room, may_begin_part};
use super::voyage::Voyage;
use crate::model::{ArrivedPart, Failure, FailureCause, Note, Outcome};
use crate::pool::guarded;
use crate::transfer::{Arrival, PartPlan, PartsCopy, Route};

/// An object that goes in parts.
pub(super) struct InParts {
    voyage: Box<Voyage>,
    plan: PartPlan,
    /// The upload, once it has begun.
    copy: Option<Arc<PartsCopy>>,
    /// The ticket of what the ledger must know first: the upload, before parts are
    /// sent, and all of them, so that the whole will be known by its tag.
    awaits: Option<u64>,
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

/// What comes next for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Wait,
    Finish,
    Abort,
    Leave,
}

/// Whether what failed may succeed in a later run with the same parts.
fn may_pass(failure: &Failure) -> bool {
    let passing = matches!(
        failure.cause,
        FailureCause::Throttled
            | FailureCause::ServerError
            | FailureCause::Network
            | FailureCause::Timeout
    );
    passing && !failure.is_refused_condition()
}

impl InParts {
    fn has_parts_to_begin(&self) -> bool {
        self.may_go_on() && self.failure.is_none() && self.next_part < self.plan.count
    }

    /// Whether the upload has begun and the ledger knows what it must.
    const fn may_go_on(&self) -> bool {
        self.copy.is_some() && self.awaits.is_none()
    }

    /// The memory that its parts will take which have not begun.
    fn bytes_waiting(&self) -> u64 {
        let parts = match self.failure {
            None => self.plan.count - self.next_part,
            Some(_) => 0,
        };
        u64::from(parts) * self.plan.buffer_bytes_per_part
    }

    fn has_all_begun(&self) -> bool {
        self.next_part == self.plan.count
    }

    /// What comes next:
    ///
    /// | parts | then |
    /// |--|--|
    /// | under way, or the last request is | wait |
    /// | failed for what may pass | leave: a later run goes on |
    /// | failed for good | abort |
    /// | all arrived, and the ledger knows | finish |
    /// | the run gives up | leave |
    /// | else | wait |
    fn next_step(&self, give_up: bool) -> Step {
        if self.copy.is_none() || self.stage == Stage::Ending || self.parts_under_way > 0 {
            return Step::Wait;
        }
        match &self.failure {
            Some(failure) if may_pass(failure) => Step::Leave,
            Some(_) => Step::Abort,
            None if self.has_all_begun() && self.may_go_on() => Step::Finish,
            None if give_up => Step::Leave,
            None => Step::Wait,
        }
    }

    /// Passes by parts that an earlier run has carried.
    fn skip_arrived(&mut self) {
        if let Some(copy) = &self.copy {
            while self.next_part < self.plan.count && copy.has_part(self.next_part) {
                self.next_part += 1;
            }
        }
    }
}

impl Conveyor<'_> {
    /// Begins an upload in parts. The caller has taken a slot.
    pub(super) fn begin_parts(&mut self, voyage: Box<Voyage>, plan: PartPlan) {
        let sequence = voyage.sequence;
        let (transfer, name) = (Arc::clone(&self.means.transfer), voyage.queued.name.clone());
        let source = voyage.source();
        let (tally, open) = (voyage.tally(), voyage.queued.upload.clone());
        self.spawn(move || {
            let begun = guarded(|| {
                transfer.begin_parts(name.as_str(), &source?, plan, open.as_ref(), &tally)
            });
            Event::Begun(sequence, begun.map(Box::new))
        });
        let waiting = InParts {
            voyage,
            plan,
            copy: None,
            awaits: None,
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
        let small_wait = self.has_small_ready();
        let mut sequences: Vec<u64> = self.in_parts.keys().copied().collect();
        sequences.sort_unstable();
        for sequence in sequences {
            while !give_up && self.begin_part(sequence, small_wait) {}
            self.end_if_done(sequence, give_up);
        }
    }

    /// Whether an object waits that goes in one piece.
    fn has_small_ready(&self) -> bool {
        let mut ready = self.ready.iter();
        ready.any(|(_, route)| !matches!(route, Route::Parts(_)))
    }

    /// Begins the object's next part, if there is one and it fits.
    fn begin_part(&mut self, sequence: u64, small_wait: bool) -> bool {
        let (load, room) = (self.parts_load(), self.room());
        let object = self
            .in_parts
            .get_mut(&sequence)
            .filter(|object| object.has_parts_to_begin());
        let Some((object, copy)) =
            object.and_then(|object| object.copy.clone().map(|copy| (object, copy)))
        else {
            return false;
        };
        let bytes = object.plan.buffer_bytes_per_part;
        if !may_begin_part(bytes, load, room, small_wait) || !self.share.take(bytes) {
            return false;
        }
        let part = object.next_part;
        object.next_part += 1;
        object.skip_arrived();
        object.parts_under_way += 1;
        let tally = object.voyage.tally();
        self.spawn(move || {
            let result = guarded(|| copy.copy_part(part, &tally));
            Event::Part(sequence, result)
        });
        true
    }

    /// Takes the object's next step once no part is under way.
    fn end_if_done(&mut self, sequence: u64, give_up: bool) {
        let Some(object) = self.in_parts.get(&sequence) else {
            return;
        };
        let step = object.next_step(give_up);
        if step == Step::Wait {
            return;
        }
        let Some(copy) = object.copy.clone().filter(|_| step != Step::Leave) else {
            if let Some(object) = self.in_parts.remove(&sequence) {
                self.leave(object);
            }
            return;
        };
        if !self.take(LEAST_BUFFER_BYTES) {
            return;
        }
        let Some(object) = self.in_parts.get_mut(&sequence) else {
            return;
        };
        object.stage = Stage::Ending;
        let (tally, replaces) = (object.voyage.tally(), object.voyage.replaces());
        self.spawn(move || {
            if step == Step::Finish {
                let finished = guarded(|| copy.finish(replaces.as_ref(), &tally));
                Event::Finished(sequence, finished)
            } else {
                let aborted = guarded(|| copy.abort(&tally));
                Event::Aborted(sequence, aborted)
            }
        });
    }

    /// Leaves the upload as it is for a later run. What did not fail is left
    /// unsettled, so that the next run takes it.
    fn leave(&mut self, object: InParts) {
        if let Some(failure) = object.failure {
            self.fail(object.voyage, failure);
        }
    }

    /// How the parts of all objects under way stand.
    pub(super) fn parts_load(&self) -> PartsLoad {
        let mut load = PartsLoad::default();
        for object in self.in_parts.values() {
            let under_way = u64::from(object.parts_under_way);
            load.under_way += under_way;
            load.bytes_under_way += under_way * object.plan.buffer_bytes_per_part;
            load.bytes_waiting += object.bytes_waiting();
        }
        load
    }

    /// What the task may use.
    pub(super) fn room(&self) -> Room {
        let (slots, bytes) = self.share.most();
        Room {
            slots: slots as u64,
            bytes,
        }
    }

    pub(super) fn on_begun(&mut self, sequence: u64, result: Result<Box<PartsCopy>, Failure>) {
        match result {
            Ok(copy) => {
                let Some(object) = self.in_parts.get_mut(&sequence) else {
                    return;
                };
                let begun =
                    Note::UploadBegun(object.voyage.queued.name.clone(), copy.open_upload());
                let is_known = copy.is_resumed();
                object.plan = *copy.plan();
                object.copy = Some(Arc::from(copy));
                object.skip_arrived();
                if !is_known {
                    self.note_before_going_on(sequence, begun);
                }
            }
            Err(failure) => {
                if let Some(object) = self.in_parts.remove(&sequence) {
                    self.fail(object.voyage, failure);
                }
            }
        }
    }

    /// Has a note committed before the object's next step.
    fn note_before_going_on(&mut self, sequence: u64, note: Note) {
        let ticket = self.outbox.note_awaited(note);
        if let Some(object) = self.in_parts.get_mut(&sequence) {
            object.awaits = Some(ticket);
        }
    }

    /// The next step may be made: whatever happens, the upload is not forgotten.
    pub(super) fn on_upload_committed(&mut self, ticket: u64) {
        let waiting = |object: &&mut InParts| object.awaits == Some(ticket);
        if let Some(object) = self.in_parts.values_mut().find(waiting) {
            object.awaits = None;
        }
    }

    pub(super) fn on_part(&mut self, sequence: u64, result: Result<ArrivedPart, Failure>) {
        let Some(object) = self.in_parts.get_mut(&sequence) else {
            return;
        };
        object.parts_under_way -= 1;
        let bytes = object.plan.buffer_bytes_per_part;
        let arrived = match result {
            Ok(part) => Some(Note::PartArrived(object.voyage.queued.name.clone(), part)),
            Err(failure) => {
                object.failure.get_or_insert(failure);
                None
            }
        };
        let is_last = arrived.is_some() && object.has_all_begun() && object.parts_under_way == 0;
        self.give_back(bytes);
        match arrived {
            Some(note) if is_last => self.note_before_going_on(sequence, note),
            Some(note) => self.outbox.note(note),
            None => {}
        }
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
        let Some(mut object) = self.in_parts.remove(&sequence) else {
            return;
        };
        match result {
            Ok(()) => {
                object.voyage.queued.upload = None;
                self.outbox
                    .note(Note::UploadGone(object.voyage.queued.name.clone()));
            }
            // The ledger keeps it: a later run tries again.
            Err(failure) => tracing::warn!(
                "an upload in parts was left at the destination: {}",
                failure.message
            ),
        }
        self.leave(object);
    }
}
