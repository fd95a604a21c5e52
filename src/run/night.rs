//! One run of one task, from the lock to the exit code.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;

use super::bucket_lists::BucketLists;
use super::conveyor::{Conveyor, Event, Means};
use super::deliver::DeliveryReport;
use super::ending::Left;
use super::engine::{Ends, Engine};
use super::error::RunError;
use super::lock::TaskLock;
use super::names::Names;
use super::older::refuse_older;
use super::outbox::Outbox;
use super::progress::{Display, Foresight, Progress};
use super::rule::Rule;
use super::share::TaskShare;
use super::stop::{NotWaited, Stop};
use super::trial::Probes;
use super::tuner::Tuner;
use super::{limits, server_side};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::intake::{self, Intake, IntakeSettings, ListSource, LocalLists, NameForm};
use crate::ledger::{
    BeginFailure, BegunRun, Ledger, LedgerError, NewRun, OpenBreaker, Recording, SpotCheck,
    SpotFinding, Taken, TaskKey,
};
use crate::model::{Deferral, Failure, FailureCause, LocalTime, RunBooks, Silence, Traffic};
use crate::preflight::{canary_name, first_failure, reach};
use crate::recorder;
use crate::report::outlook;
use crate::s3::ListedObject;
use crate::transfer::Transfer;

/// Hand-overs of notes that may wait for the recorder before the conveyor waits for it.
const NOTES_AHEAD: usize = 16;

/// What a run did, as its end says it.
#[derive(Debug, Default)]
pub struct NightReport {
    /// The run's number; `None` if none was begun.
    pub run: Option<u64>,
    /// Since when the task is paused, which is why none was begun.
    pub paused: Option<LocalTime>,
    /// Its books.
    pub books: RunBooks,
    /// What its intake brought.
    pub intake: Intake,
    /// Requests carried over from earlier nights.
    pub carried_over: u64,
    /// Why it could not begin.
    pub begin_failure: Option<BeginFailure>,
    /// Of the deferred requests those that await a restore, which do not count for the
    /// exit code.
    pub awaiting: u64,
    /// Why requests stayed pending.
    pub deferral: Option<Deferral>,
    /// The breaker that opened, if one did.
    pub breaker: Option<OpenBreaker>,
    /// What became of the lists.
    pub delivery: DeliveryReport,
    /// Of the failed requests those that do not count for the exit code.
    pub tolerated: u64,
    /// Of the ignored, those whose tags say that both ends hold other bytes.
    pub suspects: u64,
    /// What the spot check came to, if the task wants one.
    pub spot_check: Option<SpotCheck>,
    /// What it found that is not the same.
    pub spot_findings: Vec<SpotFinding>,
    /// That nothing was asked for longer than is expected.
    pub silence: Option<Silence>,
    /// Where the books differ, if they do.
    pub imbalance: Vec<String>,
    /// All reasons for the exit code.
    pub reasons: Vec<ExitReason>,
}

impl NightReport {
    /// Whether its spot check found something that is not as the source's.
    #[must_use]
    pub fn has_drifted(&self) -> bool {
        self.spot_check.is_some_and(|check| check.drifted() > 0)
    }
}

/// A run of one task that is under way.
pub(super) struct Night<'a> {
    pub(super) engine: &'a Engine,
    pub(super) task: &'a TaskConfig,
    pub(super) key: TaskKey,
    pub(super) run: BegunRun,
    pub(super) started: LocalTime,
    pub(super) stop: Stop,
    pub(super) ends: Ends,
    /// Why it is not known whether the ledger knows all delivered lists.
    pub(super) unchecked: Option<Failure>,
    /// What the source lists first.
    pub(super) first: Option<ListedObject>,
    pub(super) report: NightReport,
    pub(super) lock: Arc<TaskLock>,
}

/// Runs `task` once: intake, carry-over, preflight, take, carry, spot check, lists,
/// delivery, books.
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
    let _of_task = tracing::error_span!("task", task = %task.id).entered();
    engine.data_dir.prepare([&task.id])?;
    let stop = engine.stop(task);
    let lock = lock(engine, task, &stop, &mut share)?;
    if let Some(since) = paused_since(engine, task)? {
        return Ok(NightReport {
            paused: Some(since),
            ..NightReport::default()
        });
    }
    let ends = engine.ends(task)?;
    let mut ledger = engine.open_ledger()?;
    // A night over lists that the ledger does not know would ask for old names
    // again and give its own lists numbers that are taken.
    let unchecked = if task.deliver_lists {
        refuse_older(&ledger, task, &ends.lists, &stop.signal)?
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
        destination_prefix: &task.destination_prefix,
        zone: task.zone,
        started,
        workers: engine.workers,
        until: stop.deadline.at().map(|at| task.zone.local(at)),
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
        first: None,
        report,
        lock: Arc::new(lock),
    };
    night.go(&mut ledger, share)
}

/// Since when `task` is paused; asked before anything is made or looked at that
/// only a run needs.
pub(super) fn paused_since(
    engine: &Engine,
    task: &TaskConfig,
) -> Result<Option<LocalTime>, RunError> {
    match Ledger::open_read_only(&engine.data_dir.ledger()) {
        Ok(ledger) => Ok(ledger.paused_since(&task.id)?),
        // A task that was never entered was never paused.
        Err(LedgerError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
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
            task = %task.id,
            "waits until another run of this task has ended"
        );
    };
    TaskLock::wait(&path, mode, stop, share, says)?.ok_or(RunError::StoppedWaiting)
}

impl Night<'_> {
    fn go(mut self, ledger: &mut Ledger, share: TaskShare) -> Result<NightReport, RunError> {
        let _of_run = tracing::error_span!("run", run = self.run.number).entered();
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
        self.spot_check(ledger, &left)?;
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
            form: NameForm::of(self.task),
            zone: self.task.zone,
            clock: &self.engine.clock,
            wait: &thread::sleep,
        };
        let local = LocalLists::new(&self.engine.data_dir.task(&self.task.id));
        let in_bucket = BucketLists::new(&self.ends.lists, &self.task.id, &self.stop.signal);
        let mut sources: Vec<&dyn ListSource> = vec![&local];
        if self.task.read_lists_from_destination && self.report.begin_failure.is_none() {
            sources.push(&in_bucket);
        }
        self.report.intake = intake::take_in(ledger, self.key, &sources, &settings)?;
        Ok(())
    }

    /// Asks both buckets whether the night can begin; what else objects need of
    /// them is tried out by the conveyor. A run that begins nothing, such as one
    /// outside its window, asks nobody.
    fn preflight(&mut self) {
        if self.stop.reason().is_some() {
            return;
        }
        let ends = self.ends.clone();
        let check = move || reach(&ends.source, &ends.destination);
        let checks = self.stop.signal.unless_urgent(check);
        let reached = match checks {
            Ok(reached) => reached,
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
        let failure = first_failure(&reached.checks).or(self.unchecked.as_ref());
        self.report.begin_failure = failure.map(BeginFailure::from);
        self.first = reached.first;
    }

    /// Gives up the uploads of earlier runs that no request will take up again.
    fn abort_stale_uploads(&self, ledger: &mut Ledger) -> Result<(), RunError> {
        if self.report.begin_failure.is_some() {
            return Ok(());
        }
        for (name, prefix, id) in ledger.stale_uploads(self.key)? {
            if self.stop.reason().is_some() {
                break;
            }
            // Where that run put it, which may be elsewhere than this one would.
            let (there, asked) = (self.ends.lists.clone().under(prefix), name.clone());
            let abort = move || there.abort_upload(asked.as_str(), &id);
            match self.stop.signal.unless_urgent(abort) {
                Ok(Ok(())) => ledger.forget_upload(self.key, &name)?,
                // It stays in the ledger: the next run tries again.
                Ok(Err(failure)) => tracing::warn!("{}", failure.message),
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
            let left = Left {
                deferral: Some(Deferral::CouldNotBegin),
                begin_failure: Some(failure.clone()),
                ..Left::default()
            };
            return Ok((left, RunBooks::default()));
        }
        let reader = ledger.reader()?;
        let resume_name = reader.resume_name(self.key)?;
        let tuner = Tuner::new(&reader, self.run.key);
        let options = &self.engine.options;
        let mut names =
            Names::new(&reader, self.key, taken, options.limit)?.only_planned(options.settle_only);
        let progress = Progress::new(
            self.task.id.as_str(),
            taken.count,
            options.display,
            &self.engine.bars,
            self.foresight(&reader)?,
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
            let recording = &recording;
            // The receiving end goes into the thread, so that workers notice if it ends early.
            let recorder = scope.spawn(move || {
                // A conveyor that is at its end waits for nothing any more.
                let committed = |sequence| drop(committed.send(Event::Committed(sequence)));
                recorder::record(ledger, recording, &entries, || self.traffic(), committed)
            });
            let channel = (events_in, events);
            let outbox = Outbox::new(notes);
            let conveyor = Conveyor::new(self.means(&progress, tuner), outbox, channel, share);
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

    /// What the run has asked of both ends, for the ledger.
    pub(super) fn traffic(&self) -> Traffic {
        let now = self.task.zone.local(self.engine.clock.now());
        self.ends.traffic(now.day())
    }

    /// What the end of the run can be foretold from. Nobody asks in a run that shows
    /// nothing, or that moves nothing new.
    fn foresight(&self, ledger: &Ledger) -> Result<Option<Foresight>, RunError> {
        let options = &self.engine.options;
        if options.display == Display::Quiet || options.settle_only {
            return Ok(None);
        }
        Ok(Some(Foresight {
            history: outlook::history(ledger, &self.task.id)?,
            began: self.started.at,
            deadline: self.stop.deadline.clone(),
            zone: self.task.zone,
            clock: self.engine.clock.clone(),
        }))
    }

    fn means<'b>(&'b self, progress: &'b Progress, tuner: Tuner<'b>) -> Means<'b> {
        let transfer = Transfer {
            source: self.ends.source.clone(),
            destination: self.ends.destination.clone(),
            limits: limits(self.engine.memory_bytes),
            checksum: self.task.checksum,
            write_options: self.task.write_options.clone(),
            retry: self.engine.retry,
            stop: Arc::new(AtomicBool::new(false)),
            buffers: self.engine.buffers.clone(),
            server_side: server_side(self.task),
        };
        Means {
            tasks: self.engine.pool.tasks(),
            probes: Probes {
                first: self.first.clone(),
                canary: canary_name(&self.task.id),
            },
            transfer: Arc::new(transfer),
            rule: Rule::new(self.task, self.started.at),
            restore: self.task.restore,
            workers: self.engine.workers,
            grace: self.engine.options.grace,
            lock: &self.lock,
            stop: &self.stop,
            clock: &self.engine.clock,
            progress,
            tuner,
            settle_only: self.engine.options.settle_only,
        }
    }
}
