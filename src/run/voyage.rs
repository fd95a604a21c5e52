//! One object on its way through a run, and the tasks that move it on.

use std::sync::Arc;
use std::time::Instant;

use crate::clock::Clock;
use crate::decide::decide;
use crate::ledger::Queued;
use crate::model::{
    Attempt, Copied, Decision, Failure, FailureCause, IgnoreReason, ObjectFacts, ObjectName,
    Outcome, OverwriteMode, Side,
};
use crate::transfer::{Route, Tally, Transfer};

/// How often an object that changes under our hands is looked at anew.
const LOOKS: u32 = 3;

/// An object on its way.
pub struct Voyage {
    /// Its place in the order of work.
    pub sequence: u64,
    /// The name and our own last copy of it.
    pub queued: Queued,
    began: Instant,
    looks: u32,
    source: Option<ObjectFacts>,
    destination: Option<ObjectFacts>,
    tally: Arc<Tally>,
    server_request_id: Option<String>,
}

/// What a look at both ends says.
pub enum Look {
    /// It is left as it is.
    Settled(IgnoreReason),
    /// It is to be carried, this way.
    Carry(Route),
}

impl Voyage {
    /// A voyage that begins now.
    pub fn new(sequence: u64, queued: Queued) -> Self {
        Self {
            sequence,
            queued,
            began: Instant::now(),
            looks: 0,
            source: None,
            destination: None,
            tally: Arc::new(Tally::default()),
            server_request_id: None,
        }
    }

    /// What the source says of the object.
    ///
    /// # Errors
    /// If it was not found there.
    pub fn source(&self) -> Result<ObjectFacts, Failure> {
        self.source
            .clone()
            .ok_or_else(|| missing(&self.queued.name))
    }

    /// What the object costs; its parts count into it too.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Looks at both ends and decides.
    pub fn look(&mut self, transfer: &Transfer, mode: OverwriteMode) -> Result<Look, Failure> {
        self.looks += 1;
        let facts = transfer.facts(self.queued.name.as_str(), &self.tally)?;
        self.source = facts.source.map(|head| head.facts);
        self.destination = facts.destination;
        let Some(source) = &self.source else {
            return Err(missing(&self.queued.name));
        };
        let (destination, last_copy) = (self.destination.as_ref(), self.queued.last_copy.as_ref());
        Ok(match decide(mode, source, destination, last_copy) {
            Decision::Ignore(reason) => Look::Settled(reason),
            Decision::Copy => Look::Carry(transfer.route(source.size_bytes)?),
        })
    }

    /// Carries the object in one piece.
    pub fn carry_whole(&mut self, transfer: &Transfer) -> Result<Copied, Failure> {
        let name = &self.queued.name;
        let source = self.source.as_ref().ok_or_else(|| missing(name))?;
        let arrival = transfer.copy_whole(name.as_str(), source, &self.tally)?;
        self.server_request_id = arrival.server_request_id;
        Ok(arrival.copied)
    }

    /// Whether `failure` is worth another look within this run: the source
    /// changed while it was read, so that its facts are stale.
    pub fn may_look_again(&self, failure: &Failure) -> bool {
        failure.cause == FailureCause::SourceChanged && self.looks < LOOKS
    }

    /// Keeps the id that the destination gave the deciding request.
    pub fn answered(&mut self, request_id: Option<String>) {
        self.server_request_id = request_id;
    }

    /// The outcome of a failure.
    pub fn failed(&mut self, failure: Failure) -> Outcome {
        self.server_request_id
            .clone_from(&failure.server_request_id);
        Outcome::Failed(failure)
    }

    /// The end of the voyage.
    pub fn settle(self, outcome: Outcome, clock: &Clock) -> Attempt {
        Attempt {
            name: self.queued.name,
            at: clock.now(),
            outcome,
            source: self.source,
            destination: self.destination,
            server_request_id: self.server_request_id,
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            // A look after the first one is a retry too.
            retries: self.tally.retries() + self.looks.saturating_sub(1),
            throttled: self.tally.throttled(),
        }
    }
}

fn missing(name: &ObjectName) -> Failure {
    Failure {
        error_code: Some("NoSuchKey".to_owned()),
        http_status: Some(404),
        ..Failure::new(
            FailureCause::SourceMissing,
            format!("the source bucket has no object {name:?}"),
        )
        .at(Side::Source)
    }
}
