//! From names to outcomes: reads and looks ahead, loads what fits, and settles.
//!
//! One thread a task does all its accounting (slots, memory, what is under way) and
//! gives flat tasks to the pool, or small objects to the HTTP client's thread; each
//! answers with one [`Event`]. Nothing waits for memory or a slot inside the pool,
//! so nothing can lock up.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::answers::Answers;
use super::breaker::Breaker;
use super::ending::Left;
use super::in_parts::InParts;
use super::loading;
use super::lock::TaskLock;
use super::names::Names;
use super::outbox::Outbox;
use super::progress::Progress;
use super::rule::Rule;
use super::share::TaskShare;
use super::stop::Stop;
use super::stretches::Stretches;
use super::trial::{Probes, Trial};
use super::tuner::Tuner;
use super::voyage::{Look, Voyage};
use crate::clock::Clock;
use crate::decide::ListedTags;
use crate::ledger::LedgerError;
use crate::model::{
    ArrivedPart, Attempt, Copied, Deferral, Failure, Note, ObjectName, Outcome, RestoreOrder, Side,
};
use crate::plan::Sight;
use crate::pool::Tasks;
use crate::transfer::{Arrival, PartsCopy, Route, Transfer};

/// How often the time and the signals are looked at while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// Events that are handled before anything new is begun.
const EVENTS_AT_ONCE: usize = 256;

/// The least memory that is set aside for a task, for what is not an object's bytes.
pub(super) const LEAST_BUFFER_BYTES: u64 = 64 * 1024;

/// What the conveyor works with.
pub struct Means<'a> {
    /// Where tasks for the threads are left.
    pub tasks: Tasks,
    /// What both ends are tried out with.
    pub probes: Probes,
    /// Both ends.
    pub transfer: Arc<Transfer>,
    /// What the run decides by.
    pub rule: Rule,
    /// How archived objects are brought back; `None`: they fail.
    pub restore: Option<RestoreOrder>,
    /// Objects and parts in flight at once, of all tasks together.
    pub workers: usize,
    /// How long what is in flight may go on once the run is to stop.
    pub grace: Duration,
    /// The task's lock.
    pub lock: &'a Arc<TaskLock>,
    /// When to begin nothing new.
    pub stop: &'a Stop,
    /// Tells the time.
    pub clock: &'a Clock,
    /// Who watches.
    pub progress: &'a Progress,
    /// What an operator changes meanwhile.
    pub tuner: Tuner<'a>,
    /// Whether copies of earlier runs are recognised and nothing is carried.
    pub settle_only: bool,
}

/// What a task answers with.
pub enum Event {
    /// The note of this ticket is committed.
    Committed(u64),
    /// The listing of one end was searched for the names of this stretch.
    Surveyed(u64, Side, Result<Vec<Sight>, Failure>),
    /// Both ends were tried out.
    TriedOut(Result<(), Failure>),
    /// Both ends were looked at.
    Looked(Box<Voyage>, Result<Look, Failure>),
    /// A copy in one piece ended; so many bytes of memory are free again.
    Carried(Box<Voyage>, u64, Result<Copied, Failure>),
    /// The server copied an object by itself, or it is to go another way.
    CopiedThere(Box<Voyage>, Result<Option<Copied>, Failure>),
    /// A copy in parts began.
    Begun(u64, Result<Box<PartsCopy>, Failure>),
    /// A part ended.
    Part(u64, Result<ArrivedPart, Failure>),
    /// A copy in parts was put together.
    Finished(u64, Result<Arrival, Failure>),
    /// A copy in parts was given up.
    Aborted(u64, Result<(), Failure>),
    /// A side was asked whether all is well.
    Probed(Side, Result<(), Failure>),
}

/// An object that is to be carried, and the way.
pub(super) type Laden = (Box<Voyage>, Route);

/// The conveyor at work.
pub struct Conveyor<'a> {
    pub(super) means: Means<'a>,
    pub(super) sender: Sender<Event>,
    pub(super) events: Receiver<Event>,
    pub(super) began: Instant,
    pub(super) sequence: u64,
    pub(super) settled: u64,
    /// Of these, without a look at either end.
    pub(super) unseen: u64,
    /// Whether more names are to be read before anything is waited for.
    pub(super) reads_on: bool,
    pub(super) stretches: Stretches,
    /// What is known of the tags that listings tell.
    pub(super) tags: ListedTags,
    pub(super) trial: Trial,
    /// To be looked at, one by one.
    pub(super) to_look: VecDeque<Box<Voyage>>,
    pub(super) looking: usize,
    /// To be committed as planned.
    pub(super) to_plan: Vec<Laden>,
    /// Whose planned copies are being committed, by the note's ticket.
    pub(super) planned: HashMap<u64, Vec<Laden>>,
    pub(super) ready: VecDeque<Laden>,
    pub(super) in_parts: HashMap<u64, InParts>,
    /// The slots and the memory of what is in flight.
    pub(super) share: TaskShare,
    pub(super) stopping: Option<(Deferral, Instant)>,
    pub(super) breaker: Breaker,
    /// What was begun and is not settled, in the order of work.
    pub(super) unsettled: BTreeMap<u64, ObjectName>,
    /// Whether anything was left because its object is being brought back.
    pub(super) awaits: bool,
    pub(super) outbox: Outbox,
}

impl<'a> Conveyor<'a> {
    /// A conveyor at rest, which may use `share` and notes what becomes of names
    /// in `outbox`; its tasks and the recorder answer over this channel.
    #[must_use]
    pub fn new(
        means: Means<'a>,
        outbox: Outbox,
        (sender, events): (Sender<Event>, Receiver<Event>),
        share: TaskShare,
    ) -> Self {
        Self {
            sender,
            events,
            began: Instant::now(),
            sequence: 0,
            settled: 0,
            unseen: 0,
            reads_on: false,
            stretches: Stretches::new(means.transfer.destination.prefix()),
            tags: ListedTags::default(),
            means,
            trial: Trial::Due,
            to_look: VecDeque::new(),
            looking: 0,
            to_plan: Vec::new(),
            planned: HashMap::new(),
            ready: VecDeque::new(),
            in_parts: HashMap::new(),
            share,
            stopping: None,
            breaker: Breaker::new(),
            unsettled: BTreeMap::new(),
            awaits: false,
            outbox,
        }
    }

    /// Settles every name, or as many as may be before the run is to stop.
    ///
    /// # Errors
    /// If the ledger cannot be read. That it cannot be written shows at the
    /// recorder; the conveyor then just ends.
    pub fn carry(mut self, names: &mut Names<'_>) -> Result<Left, LedgerError> {
        let left = self.carry_on(names);
        self.outbox.hand_over();
        self.abandon();
        left
    }

    fn carry_on(&mut self, names: &mut Names<'_>) -> Result<Left, LedgerError> {
        loop {
            self.heed_changes()?;
            self.heed_stop();
            self.go_on(names)?;
            self.outbox.hand_over();
            if self.is_idle() || self.outbox.recorder_is_gone() || self.waits_no_longer() {
                // What has ended by now is recorded all the same.
                while let Ok(event) = self.events.try_recv() {
                    self.on(event);
                }
                return self.left(names);
            }
            let wait = if self.reads_on { Duration::ZERO } else { TICK };
            if let Ok(event) = self.events.recv_timeout(wait) {
                self.on(event);
                for _ in 0..EVENTS_AT_ONCE {
                    let Ok(event) = self.events.try_recv() else {
                        break;
                    };
                    self.on(event);
                }
            }
        }
    }

    /// Begins what may begin: nothing while a side is asked whether all is well.
    fn go_on(&mut self, names: &mut Names<'_>) -> Result<(), LedgerError> {
        self.reads_on = false;
        let mut doubted = self.doubted(false);
        if doubted.is_none() && !self.breaker.is_probing() {
            self.begin_surveys();
            self.read_ahead(names)?;
            if self.is_tried_out() {
                self.load();
                self.look_ahead();
                self.commit_plans();
            }
            doubted = self.is_idle().then(|| self.doubted(true)).flatten();
        }
        doubted.map_or(Ok(()), |side| self.probe(side, names))
    }

    /// The side that is to be asked now, if the run goes on.
    fn doubted(&mut self, at_end: bool) -> Option<Side> {
        let goes_on = self.stopping.is_none() && !self.outbox.recorder_is_gone();
        goes_on.then(|| self.breaker.due(at_end)).flatten()
    }

    fn is_idle(&self) -> bool {
        !self.reads_on
            && !self.breaker.is_probing()
            && self.stretches.is_empty()
            && self.to_look.is_empty()
            && self.to_plan.is_empty()
            && self.planned.is_empty()
            && self.ready.is_empty()
            && self.in_parts.is_empty()
            && self.share.holds_nothing()
    }

    /// Gives the pool a task that answers with one event.
    pub(super) fn spawn(&self, task: impl FnOnce() -> Event + Send + 'static) {
        self.answers().spawn(task);
    }

    /// How what is under way elsewhere answers.
    pub(super) fn answers(&self) -> Answers {
        Answers {
            tasks: self.means.tasks.clone(),
            sender: self.sender.clone(),
        }
    }

    /// Takes a slot and `bytes` of memory, if the task may have both now.
    pub(super) fn take(&mut self, bytes: u64) -> bool {
        self.share.take(bytes)
    }

    pub(super) fn give_back(&mut self, bytes: u64) {
        self.share.give_back(bytes);
    }

    /// Begins transfers, parts first, as far as slots and memory allow.
    fn load(&mut self) {
        self.load_parts();
        if self.share.waits_for_memory() {
            return;
        }
        while let Some((voyage, route)) = self.next_ready() {
            let begun = match &route {
                Route::Whole { buffer_bytes } => self.take((*buffer_bytes).max(LEAST_BUFFER_BYTES)),
                Route::Parts(_) | Route::ServerSide { .. } => self.take(LEAST_BUFFER_BYTES),
            };
            if !begun {
                self.ready.push_front((voyage, route));
                return;
            }
            match route {
                Route::Whole { buffer_bytes } => {
                    self.carry_whole(voyage, buffer_bytes.max(LEAST_BUFFER_BYTES));
                }
                Route::Parts(plan) => self.begin_parts(voyage, plan),
                Route::ServerSide { .. } => self.carry_server_side(voyage),
            }
        }
    }

    /// The next object to begin, by the rules of [`loading`].
    fn next_ready(&mut self) -> Option<Laden> {
        let (parts, room) = (self.parts_load(), self.room());
        loop {
            let routes = self.ready.iter().map(|(_, route)| route);
            let place = loading::next(routes, parts, room)?;
            let (mut voyage, route) = self.ready.remove(place)?;
            if !voyage.is_stale(self.means.clock) {
                return Some((voyage, route));
            }
            voyage.forget_facts();
            self.to_look.push_back(voyage);
        }
    }

    fn on(&mut self, event: Event) {
        match event {
            Event::Committed(ticket) => self.on_committed(ticket),
            Event::Surveyed(stretch, side, sights) => self.on_surveyed(stretch, side, sights),
            Event::TriedOut(result) => self.on_tried_out(result),
            Event::Looked(voyage, look) => {
                self.looking -= 1;
                self.give_back(0);
                self.check_listings(&voyage);
                if let Some(are_md5s) = voyage.are_tags_md5s() {
                    self.tags.learn(are_md5s);
                }
                self.on_look(voyage, look);
            }
            Event::Carried(voyage, bytes, result) => {
                self.give_back(bytes);
                match result {
                    Ok(copied) => self.settle(voyage, Outcome::Synced(copied)),
                    Err(failure) => self.fail(voyage, failure),
                }
            }
            Event::CopiedThere(voyage, result) => {
                self.give_back(LEAST_BUFFER_BYTES);
                self.on_copied_there(voyage, result);
            }
            Event::Begun(sequence, result) => {
                self.give_back(LEAST_BUFFER_BYTES);
                self.on_begun(sequence, result);
            }
            Event::Part(sequence, result) => self.on_part(sequence, result),
            Event::Finished(sequence, result) => {
                self.give_back(LEAST_BUFFER_BYTES);
                self.on_finished(sequence, result);
            }
            Event::Aborted(sequence, result) => {
                self.give_back(LEAST_BUFFER_BYTES);
                self.on_aborted(sequence, result);
            }
            Event::Probed(side, answer) => self.on_probed(side, answer),
        }
    }

    /// Ends a voyage in failure, or looks again if the source changed meanwhile, or
    /// proves to be archived and can be brought back.
    pub(super) fn fail(&mut self, mut voyage: Box<Voyage>, failure: Failure) {
        let looks_again = voyage.may_look_again(&failure)
            || self.means.restore.is_some() && voyage.may_be_asked_for(&failure);
        if looks_again && self.stopping.is_none() {
            self.to_look.push_back(voyage);
        } else {
            let outcome = voyage.failed(failure);
            self.settle(voyage, outcome);
        }
    }

    pub(super) fn settle(&mut self, voyage: Box<Voyage>, outcome: Outcome) {
        let sequence = voyage.sequence;
        let attempt = voyage.settle(outcome, self.means.clock);
        for (sequence, attempt) in self.breaker.pass(sequence, attempt) {
            self.record(sequence, attempt);
        }
    }

    /// Hands an attempt to the recorder.
    pub(super) fn record(&mut self, sequence: u64, attempt: Attempt) {
        self.unsettled.remove(&sequence);
        self.settled += 1;
        say(&attempt);
        self.means.progress.settled(&attempt);
        self.outbox.note(Note::Settled(Box::new(attempt)));
    }
}

/// Failed objects for those who ask for more, all others for those who ask for
/// everything. Names are quoted: they may hold what a terminal obeys.
fn say(attempt: &Attempt) {
    let name = &attempt.name;
    match &attempt.outcome {
        Outcome::Synced(copied) => {
            tracing::debug!(
                "{name:?} synced: {} bytes, {}",
                copied.size_bytes,
                copied.verified
            );
        }
        Outcome::Ignored(reason) if attempt.suspect => {
            tracing::info!("{name:?} ignored: {reason}; suspect: same size, another ETag");
        }
        Outcome::Ignored(reason) => tracing::debug!("{name:?} ignored: {reason}"),
        Outcome::Excluded(exclusion) => tracing::debug!("{name:?} excluded: {exclusion}"),
        Outcome::Failed(failure) => {
            tracing::info!("{name:?} failed: {}: {}", failure.cause, failure.message);
        }
    }
}
