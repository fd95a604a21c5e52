//! `run --dry-run`: everything is decided, nothing moved and nothing written.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::bucket_lists::BucketLists;
use super::engine::{Ends, Engine};
use super::error::RunError;
use super::limits;
use super::older::refuse_older;
use super::stop::NotWaited;
use super::voyage::{Glass, Look, Voyage};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::intake::{self, IntakeError, IntakeSettings, ListSource, LocalLists};
use crate::ledger::{Ledger, LedgerError, TaskKey};
use crate::model::Failure;
use crate::pool::guarded;
use crate::preflight::{Access, first_failure, preflight};
use crate::report::text::{counted, size, thousands};
use crate::transfer::{Buffers, Route, Transfer};

/// Names that are read ahead of the looks.
const STRETCH: usize = 1000;

/// How often a signal is looked for meanwhile.
const TICK: Duration = Duration::from_millis(100);

/// What a run would take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// Requests it would take.
    pub taken: u64,
    /// Of these, in lists that are not loaded yet.
    pub in_lists: u64,
    /// Lines that would be rejected.
    pub rejected: u64,
    /// Distinct names that were looked at.
    pub names: u64,
    /// Names it would copy.
    pub copy: u64,
    /// Their bytes.
    pub copy_bytes: u64,
    /// Names it would ignore.
    pub ignore: u64,
    /// Names that would fail.
    pub fail: u64,
    /// HTTP requests about objects that it would send.
    pub requests: u64,
    /// Why it could not begin.
    pub begin_failure: Option<Failure>,
    /// Lists that cannot be read.
    pub problems: Vec<String>,
}

impl Rehearsal {
    /// How the run would end, as far as can be told.
    #[must_use]
    pub fn exit_reason(&self) -> Vec<ExitReason> {
        let fails = self.fail > 0 || self.rejected > 0;
        ExitReason::that_hold([
            (self.begin_failure.is_some(), ExitReason::CouldNotBegin),
            (fails, ExitReason::Failed),
            (!self.problems.is_empty(), ExitReason::Unexpected),
        ])
    }

    fn count(&mut self, look: &Result<Look, Failure>) {
        self.names += 1;
        // Both ends are asked about every name.
        self.requests += 2;
        match look {
            Ok(Look::Settled(_) | Look::Found(_)) => self.ignore += 1,
            Err(_) => self.fail += 1,
            Ok(Look::Carry(route)) => {
                self.copy += 1;
                let (bytes, requests) = match route {
                    Route::Whole { buffer_bytes } => (*buffer_bytes, 2),
                    // Facts afresh, begin, a GET and a PUT a part, complete.
                    Route::Parts(plan) => (plan.size_bytes, 3 + 2 * u64::from(plan.count)),
                };
                self.copy_bytes += bytes;
                self.requests += requests;
            }
        }
    }
}

impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: u64| thousands(i64::try_from(count).unwrap_or(i64::MAX));
        writeln!(
            f,
            "would take {} ({} of them in lists not loaded yet, {} rejected)",
            counted(self.taken, "request"),
            number(self.in_lists),
            counted(self.rejected, "line")
        )?;
        if let Some(failure) = &self.begin_failure {
            return writeln!(
                f,
                "  could not begin ({}): {}",
                failure.cause, failure.message
            );
        }
        writeln!(
            f,
            "  {}: {} to copy ({}), {} to ignore, {} would fail",
            counted(self.names, "name"),
            number(self.copy),
            size(i64::try_from(self.copy_bytes).unwrap_or(i64::MAX)),
            number(self.ignore),
            number(self.fail)
        )?;
        writeln!(
            f,
            "  about {} for objects, besides lists",
            counted(self.requests, "HTTP request")
        )
    }
}

/// Decides for every name that a run of `task` would take now.
///
/// # Errors
/// If the ledger or the configuration cannot be used; a ledger that a run would
/// refuse, too.
pub fn rehearse(engine: &Engine, task: &TaskConfig) -> Result<Rehearsal, RunError> {
    let ends = engine.ends(task)?;
    let mut ledger = Ledger::open_to_rehearse(&engine.data_dir.ledger())?;
    let key = ledger.find_task(&task.id)?;
    let mut rehearsal = Rehearsal::default();
    let (id, asked) = (task.id.clone(), ends.clone());
    let checks = engine
        .signal
        .unless_urgent(move || preflight(&id, &asked.source, &asked.destination, Access::Read));
    rehearsal.begin_failure = match checks {
        Ok(checks) => first_failure(&checks).cloned(),
        // Nothing is looked at then, so it need not have been asked.
        Err(NotWaited::Urgent) => None,
        Err(not_waited) => Some(not_waited.into()),
    };
    if task.deliver_lists && rehearsal.begin_failure.is_none() {
        rehearsal.begin_failure = refuse_older(&ledger, task, &ends.destination, &engine.signal)?;
    }
    gather(engine, task, key, &ends, &mut ledger, &mut rehearsal)?;
    if rehearsal.begin_failure.is_none() {
        look_at_all(engine, task, key, &ends, &ledger, &mut rehearsal)?;
    }
    Ok(rehearsal)
}

/// Puts every name that would be taken into the ledger connection's own
/// temporary table.
fn gather(
    engine: &Engine,
    task: &TaskConfig,
    key: Option<TaskKey>,
    ends: &Ends,
    ledger: &mut Ledger,
    rehearsal: &mut Rehearsal,
) -> Result<(), RunError> {
    let now = task.zone.local(engine.clock.now());
    if let Some(key) = key {
        rehearsal.taken = ledger.rehearse_pending(key, now)?;
    }
    let local = LocalLists::new(&engine.data_dir.task(&task.id));
    let in_bucket = BucketLists::new(&ends.destination, &task.id, &engine.signal);
    let mut sources: Vec<&dyn ListSource> = vec![&local];
    if task.read_lists_from_destination && rehearsal.begin_failure.is_none() {
        sources.push(&in_bucket);
    }
    let settings = IntakeSettings {
        encoding: task.object_lists_encoding,
        zone: task.zone,
        clock: &engine.clock,
        wait: &thread::sleep,
    };
    let mut failed: Option<LedgerError> = None;
    let scan = intake::scan(
        key.map(|key| (&*ledger, key)),
        &sources,
        &settings,
        |name| {
            if failed.is_none() {
                failed = ledger.rehearse_name(&name).err();
            }
        },
    )?;
    if let Some(error) = failed {
        return Err(RunError::Intake(IntakeError::Ledger(error)));
    }
    rehearsal.problems = scan.seen.problems.iter().map(ToString::to_string).collect();
    rehearsal.in_lists = scan.requests;
    rehearsal.rejected = scan.rejected;
    rehearsal.taken += scan.requests;
    Ok(())
}

fn look_at_all(
    engine: &Engine,
    task: &TaskConfig,
    key: Option<TaskKey>,
    ends: &Ends,
    ledger: &Ledger,
    rehearsal: &mut Rehearsal,
) -> Result<(), RunError> {
    let transfer = Arc::new(Transfer {
        source: ends.source.clone(),
        destination: ends.destination.clone(),
        limits: limits(engine.memory_bytes),
        retry: engine.retry,
        stop: Arc::new(AtomicBool::new(false)),
        buffers: Buffers::new(engine.memory_bytes),
    });
    let (sender, looks) = mpsc::channel();
    let mut after: Option<String> = None;
    let mut left = engine.options.limit.unwrap_or(u64::MAX);
    while left > 0 && !engine.signal.is_requested() {
        let step = usize::try_from(left).unwrap_or(STRETCH).min(STRETCH);
        let names = ledger.rehearsed_names(key, after.as_deref(), step)?;
        let asked = names.len();
        after = names.last().map(|queued| queued.name.as_str().to_owned());
        for queued in names {
            let (transfer, sender, mode) = (Arc::clone(&transfer), sender.clone(), task.overwrite);
            let clock = engine.clock.clone();
            engine.pool.spawn(move || {
                let mut voyage = Voyage::new(0, queued);
                let look = guarded(|| {
                    voyage.look(&Glass {
                        transfer: &transfer,
                        mode,
                        may_open: false,
                        clock: &clock,
                    })
                });
                // Nobody waits for it any more if the rehearsal was stopped.
                drop(sender.send(look));
            });
        }
        let mut awaited = asked;
        while awaited > 0 && !engine.signal.is_urgent() {
            if let Ok(look) = looks.recv_timeout(TICK) {
                rehearsal.count(&look);
                awaited -= 1;
            }
        }
        if asked < step {
            break;
        }
        left -= asked as u64;
    }
    Ok(())
}
