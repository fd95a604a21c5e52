//! One run of one task, from the lock to the exit code.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;

use super::bucket_lists::BucketLists;
use super::conveyor::{Conveyor, Event, Left, Means};
use super::deliver::{DeliveryReport, Shipment, deliver};
use super::engine::{Ends, Engine};
use super::error::RunError;
use super::limits;
use super::lock::TaskLock;
use super::names::Names;
use super::older::refuse_older;
use super::progress::Progress;
use super::share::TaskShare;
use super::stop::{NotWaited, Stop};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::intake::{self, Intake, IntakeSettings, ListSource, LocalLists};
use crate::ledger::{
    BeginFailure, BegunRun, Deliverable, Ledger, NewRun, OpenBreaker, Recording, RunEnd, RunKey,
    Taken, TaskKey,
};
use crate::model::{Deferral, Failure, FailureCause, LocalTime, RunBooks, RunState};
use crate::preflight::{Access, canary_name, first_failure, preflight};
use crate::recorder::{self, Entry};
use crate::report;
use crate::transfer::Transfer;

/// Notes that may wait for the recorder before the conveyor waits for it.
const NOTES_AHEAD: usize = 1024;

/// What a run did, as its end says it.
#[derive(Debug, Default)]
pub struct NightReport {
    /// The run's number; `None` if none was begun.
    pub run: Option<u64>,
    /// Its books.
    pub books: RunBooks,
    /// What its intake brought.
    pub intake: Intake,
    /// Requests carried over from earlier nights.
    pub carried_over: u64,
    /// Why it could not begin.
    pub begin_failure: Option<BeginFailure>,
    /// Why requests stayed pending.
    pub deferral: Option<Deferral>,
    /// The breaker that opened, if one did.
    pub breaker: Option<OpenBreaker>,
    /// What became of the lists.
    pub delivery: DeliveryReport,
    /// Where the books differ, if they do.
    pub imbalance: Vec<String>,
    /// All reasons for the exit code.
    pub reasons: Vec<ExitReason>,
}

/// A run of one task that is under way.
struct Night<'a> {
    engine: &'a Engine,
    task: &'a TaskConfig,
    key: TaskKey,
    run: BegunRun,
    started: LocalTime,
    stop: Stop,
    ends: Ends,
    /// Why it is not known whether the ledger knows all delivered lists.
    unchecked: Option<Failure>,
    report: NightReport,
    lock: Arc<TaskLock>,
}

/// Runs `task` once: intake, carry-over, preflight, take, carry, lists, delivery, books.
///
/// # Errors
/// If the lock is held, the configuration or the ledger cannot be used, or the
/// ledger cannot be written any more. Whatever was recorded stays.
pub fn run_task(engine: &Engine, task: &TaskConfig) -> Result<NightReport, RunError> {
    run_with(engine, task, engine.share.join())
}

/// As [`run_task`], with this share of the workers and the memory.
pub(super) fn run_with(
    engine: &Engine,
    task: &TaskConfig,
    mut share: TaskShare,
) -> Result<NightReport, RunError> {
    engine.data_dir.prepare([&task.id])?;
    let stop = engine.stop(task);
    let lock = lock(engine, task, &stop, &mut share)?;
    let ends = engine.ends(task)?;
    let mut ledger = engine.open_ledger()?;
    // A night over lists that the ledger does not know would ask for old names
    // again and give its own lists numbers that are taken.
    let unchecked = if task.deliver_lists {
        refuse_older(&ledger, task, &ends.destination, &stop.signal)?
    } else {
        None
    };
    let started = task.zone.local(engine.clock.now());
    let key = ledger.enter_task(&task.id, task.zone, task.carry_over_days, started)?;
    ledger.interrupt_runs(key, started)?;
    let run = ledger.begin_run(&NewRun {
        task: key,
        source: &task.source.bucket,
        destination: &task.destination.bucket,
        zone: task.zone,
        started,
        entropy: fastrand::u64(..),
    })?;
    let report = NightReport {
        run: Some(run.number),
        ..NightReport::default()
    };
    let night = Night {
        engine,
        task,
        key,
        run,
        started,
        stop,
        ends,
        unchecked,
        report,
        lock: Arc::new(lock),
    };
    night.go(&mut ledger, share)
}

fn lock(
    engine: &Engine,
    task: &TaskConfig,
    stop: &Stop,
    share: &mut TaskShare,
) -> Result<TaskLock, RunError> {
    let path = engine.data_dir.lock(&task.id);
    let mode = engine.data_dir.modes().file;
    if !engine.options.wait {
        return Ok(TaskLock::take(&path, mode)?);
    }
    let says = || {
        tracing::warn!(
            "{}: waits until another run of this task has ended",
            task.id
        );
    };
    TaskLock::wait(&path, mode, stop, share, says)?.ok_or(RunError::StoppedWaiting)
}

impl Night<'_> {
    fn go(mut self, ledger: &mut Ledger, share: TaskShare) -> Result<NightReport, RunError> {
        // Lists in the bucket can only be read once it is known to answer.
        if self.task.read_lists_from_destination {
            self.preflight();
        }
        if !self.engine.options.settle_only {
            self.take_in(ledger)?;
            self.report.carried_over = ledger.carry_over(self.key, self.started)?;
        }
        if !self.task.read_lists_from_destination && ledger.pending_count(self.key)? > 0 {
            self.preflight();
        }
        ledger.note_rejected(self.run.key, self.report.intake.rejected)?;
        let taken = ledger.take(self.key, self.run.key)?;
        self.abort_stale_uploads(ledger)?;
        let (left, tally) = self.carry(ledger, taken, share)?;
        self.end(ledger, left)?;
        self.balance(ledger, &tally)?;
        self.write_lists(ledger)?;
        self.deliver(ledger)?;
        self.close(ledger)?;
        Ok(self.report)
    }

    /// Takes in the lists of all sources at once: the times of their requests
    /// depend on when the previous intake was.
    fn take_in(&mut self, ledger: &mut Ledger) -> Result<(), RunError> {
        let settings = IntakeSettings {
            encoding: self.task.object_lists_encoding,
            zone: self.task.zone,
            clock: &self.engine.clock,
            wait: &thread::sleep,
        };
        let local = LocalLists::new(&self.engine.data_dir.task(&self.task.id));
        let in_bucket = BucketLists::new(&self.ends.destination, &self.task.id, &self.stop.signal);
        let mut sources: Vec<&dyn ListSource> = vec![&local];
        if self.task.read_lists_from_destination && self.report.begin_failure.is_none() {
            sources.push(&in_bucket);
        }
        self.report.intake = intake::take_in(ledger, self.key, &sources, &settings)?;
        Ok(())
    }

    /// Asks both buckets whether the night can begin. A run that begins nothing,
    /// such as one outside its window, asks nobody.
    fn preflight(&mut self) {
        if self.stop.reason().is_some() {
            return;
        }
        let (id, ends) = (self.task.id.clone(), self.ends.clone());
        let checks = self
            .stop
            .signal
            .unless_urgent(move || preflight(&id, &ends.source, &ends.destination, Access::Write));
        let checks = match checks {
            Ok(checks) => checks,
            // Nothing begins any more, so it need not have been asked.
            Err(NotWaited::Urgent) => return,
            Err(not_waited) => {
                self.report.begin_failure = Some(BeginFailure {
                    cause: FailureCause::Internal,
                    error_code: None,
                    message: format!("the check of both buckets: {not_waited}"),
                });
                return;
            }
        };
        let failure = first_failure(&checks).or(self.unchecked.as_ref());
        self.report.begin_failure = failure.map(|failure| BeginFailure {
            cause: failure.cause,
            error_code: failure.error_code.clone(),
            message: failure.message.clone(),
        });
    }

    /// Gives up the uploads of earlier runs that no request will take up again.
    fn abort_stale_uploads(&self, ledger: &mut Ledger) -> Result<(), RunError> {
        if self.report.begin_failure.is_some() {
            return Ok(());
        }
        for (name, id) in ledger.stale_uploads(self.key)? {
            if self.stop.reason().is_some() {
                break;
            }
            let (destination, asked) = (self.ends.destination.clone(), name.clone());
            let abort = move || destination.abort_upload(asked.as_str(), &id);
            match self.stop.signal.unless_urgent(abort) {
                Ok(Ok(())) => ledger.forget_upload(self.key, &name)?,
                // It stays in the ledger: the next run tries again.
                Ok(Err(failure)) => tracing::warn!("{}: {}", self.task.id, failure.message),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Carries what was taken; answers what was left and what was recorded.
    fn carry(
        &self,
        ledger: &mut Ledger,
        taken: Taken,
        share: TaskShare,
    ) -> Result<(Left, RunBooks), RunError> {
        if let Some(failure) = &self.report.begin_failure {
            ledger.note_begin_failure(self.run.key, failure)?;
            let left = Left {
                deferral: Some(Deferral::CouldNotBegin),
                ..Left::default()
            };
            return Ok((left, RunBooks::default()));
        }
        let reader = ledger.reader()?;
        let resume_name = reader.resume_name(self.key)?;
        let options = &self.engine.options;
        let mut names =
            Names::new(&reader, self.key, taken, options.limit)?.only_planned(options.settle_only);
        let progress = Progress::new(
            self.task.id.as_str(),
            taken.count,
            self.engine.options.display,
            &self.engine.bars,
        );
        let recording = Recording {
            task: self.key,
            run: self.run.key,
            through: taken.through,
            zone: self.task.zone,
        };
        let (notes, entries) = mpsc::sync_channel(NOTES_AHEAD);
        let (events_in, events) = mpsc::channel();
        let committed = events_in.clone();
        let (left, tally) = thread::scope(|scope| {
            let (recording, ends) = (&recording, &self.ends);
            // The receiving end goes into the thread, so that workers notice if it ends early.
            let recorder = scope.spawn(move || {
                // A conveyor that is at its end waits for nothing any more.
                let committed = |sequence| drop(committed.send(Event::Committed(sequence)));
                recorder::record(ledger, recording, &entries, || ends.traffic(), committed)
            });
            let channel = (events_in, events);
            let conveyor = Conveyor::new(self.means(notes, &progress), channel, share);
            let left = conveyor.carry(&mut names);
            (left, recorder.join())
        });
        progress.finish();
        let tally = tally.map_err(|_| RunError::RecorderPanicked)??;
        let mut left = left?;
        if self.engine.options.settle_only {
            // What an earlier run left is still what is to come first.
            left.resume_name = resume_name;
        }
        Ok((left, tally))
    }

    fn means<'b>(&'b self, notes: mpsc::SyncSender<Entry>, progress: &'b Progress) -> Means<'b> {
        let transfer = Transfer {
            source: self.ends.source.clone(),
            destination: self.ends.destination.clone(),
            limits: limits(self.engine.memory_bytes),
            retry: self.engine.retry,
            stop: Arc::new(AtomicBool::new(false)),
            buffers: self.engine.buffers.clone(),
        };
        Means {
            pool: &self.engine.pool,
            canary: canary_name(&self.task.id),
            transfer: Arc::new(transfer),
            mode: self.task.overwrite,
            workers: self.engine.workers,
            grace: self.engine.options.grace,
            lock: &self.lock,
            stop: &self.stop,
            clock: &self.engine.clock,
            notes,
            progress,
            settle_only: self.engine.options.settle_only,
        }
    }

    fn end(&mut self, ledger: &mut Ledger, left: Left) -> Result<(), RunError> {
        if let Some(open) = &left.breaker {
            ledger.note_open_breaker(self.run.key, self.task.zone, open)?;
        }
        let end = RunEnd {
            state: RunState::Ended,
            ended: self.task.zone.local(self.engine.clock.now()),
            deferral: left.deferral,
            resume_name: left.resume_name,
            requests_sent: Some(self.ends.requests_sent()),
        };
        ledger.end_run(self.run.key, &end)?;
        ledger.note_throttled(self.run.key, &self.ends.traffic().throttled)?;
        self.report.books = ledger.run_books(self.run.key)?;
        self.report.breaker = left.breaker;
        self.report.deferral = left.deferral.filter(|_| self.report.books.deferred > 0);
        Ok(())
    }

    /// Compares what the recorder committed, what the run's row says, what its
    /// attempts say when counted anew, and the task's tallies with its rows.
    fn balance(&mut self, ledger: &Ledger, tally: &RunBooks) -> Result<(), RunError> {
        let books = self.report.books;
        let expected = RunBooks {
            taken: books.taken,
            deferred: books.deferred,
            ..*tally
        };
        let recounted = ledger.recount_run(self.run.key)?;
        let mut imbalance = Vec::new();
        if !books.balanced() {
            imbalance.push(format!(
                "taken is not the sum of the outcomes and deferred: {books:?}"
            ));
        }
        if expected != books {
            imbalance.push(format!(
                "recorded {expected:?}, but the run's row says {books:?}"
            ));
        }
        if recounted != books {
            imbalance.push(format!(
                "attempts count {recounted:?}, but the run's row says {books:?}"
            ));
        }
        if !ledger.task_balanced(self.key)? {
            imbalance
                .push("the task's requested is not synced + failed + ignored + pending".to_owned());
        }
        self.report.imbalance = imbalance;
        Ok(())
    }

    /// Writes the lists of this run, and of earlier ones that did not come to it.
    fn write_lists(&self, ledger: &mut Ledger) -> Result<(), RunError> {
        for run in ledger.unlisted_runs(self.key)? {
            self.write_lists_of(ledger, run)?;
        }
        Ok(())
    }

    fn write_lists_of(&self, ledger: &mut Ledger, run: RunKey) -> Result<(), RunError> {
        let folder = self.engine.data_dir.task(&self.task.id);
        let files = report::write_run(ledger, run, &folder, self.engine.data_dir.modes())?;
        for file in files.into_iter().filter(|_| self.task.deliver_lists) {
            let owed = Deliverable {
                path: file.path,
                run: Some(run),
                lines: file.lines,
                bytes: file.bytes,
                sha256: file.sha256,
                etag: None,
            };
            ledger.owe(self.key, &owed)?;
        }
        Ok(ledger.note_listed(run)?)
    }

    fn deliver(&mut self, ledger: &mut Ledger) -> Result<(), RunError> {
        if !self.task.deliver_lists {
            return Ok(());
        }
        ledger.owe_input_lists(self.key)?;
        let may_deliver = self.report.begin_failure.is_none() && self.unchecked.is_none();
        if may_deliver && !self.stop.signal.is_urgent() {
            let shipment = Shipment {
                task: self.key,
                id: &self.task.id,
                folder: &self.engine.data_dir.task(&self.task.id),
                destination: &self.ends.destination,
                clock: &self.engine.clock,
                stop: &self.stop.signal,
            };
            self.report.delivery = deliver(ledger, &shipment)?;
            ledger.note_throttled(self.run.key, &self.ends.traffic().throttled)?;
        }
        Ok(())
    }

    /// Settles how the process answers for this run.
    fn close(&mut self, ledger: &mut Ledger) -> Result<(), RunError> {
        let report = &self.report;
        let owed = ledger.owes(self.key)?;
        let failed = report.books.failed > 0 || report.intake.rejected > 0;
        // A list that was not waited for is one more thing that the stop left.
        let unread = !report.intake.seen.problems.is_empty();
        let unwaited = unread && self.stop.signal.is_urgent();
        let holds = [
            (!report.imbalance.is_empty(), ExitReason::Unbalanced),
            (unread && !unwaited, ExitReason::Unexpected),
            (report.begin_failure.is_some(), ExitReason::CouldNotBegin),
            (failed, ExitReason::Failed),
            (report.books.deferred > 0 || unwaited, ExitReason::Deferred),
            (owed, ExitReason::Owed),
        ];
        let mut reasons: Vec<ExitReason> = holds
            .into_iter()
            .filter_map(|(holds, reason)| holds.then_some(reason))
            .collect();
        if reasons.is_empty() {
            reasons.push(ExitReason::Done);
        }
        let words: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
        let code = ExitReason::most_serious(&reasons).code();
        ledger.close_run(self.run.key, code, &words.join(","))?;
        self.report.reasons = reasons;
        Ok(())
    }
}
