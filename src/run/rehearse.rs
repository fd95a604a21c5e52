//! `run --dry-run`: everything is decided, nothing moved and nothing written.

mod looks;

use std::fmt;
use std::thread;

use serde::Serialize;

use self::looks::Looks;
use super::bucket_lists::BucketLists;
use super::engine::{Ends, Engine};
use super::error::RunError;
use super::night::paused_since;
use super::older::refuse_older;
use super::spot::foresee;
use super::stop::{NotWaited, Stop};
use super::voyage::Look;
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::forecast::Queue;
use crate::intake::{self, IntakeError, IntakeSettings, ListSource, LocalLists, NameForm};
use crate::ledger::{Ledger, LedgerError, TaskKey};
use crate::model::{
    Counters, Failure, FailureCause, LocalTime, Readiness, RestoreOrder, TaskId, Timestamp,
    WriteOptions,
};
use crate::preflight::{Access, Wanted, first_failure, preflight};
use crate::report::outlook;
use crate::report::text::{counted, size, thousands};
use crate::transfer::Route;

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
    /// Of these, names that the task does not take.
    pub excluded: u64,
    /// Names that would fail.
    pub fail: u64,
    /// Of these, for causes that do not count for the exit code.
    pub tolerated: u64,
    /// Archived objects that it would ask the source for.
    pub restore: u64,
    /// How it would ask for them; `None`: they would fail.
    pub restore_order: Option<RestoreOrder>,
    /// Names that it would leave because the source is bringing the objects back.
    pub awaiting: u64,
    /// These causes.
    pub tolerate: Vec<FailureCause>,
    /// What the copies would be written with.
    pub write_options: WriteOptions,
    /// Whether they would be encrypted.
    pub encrypts: bool,
    /// What it would ask of the source about objects.
    pub source: Counters,
    /// What it would ask of the destination about objects.
    pub destination: Counters,
    /// Objects about which it asked the source, and which a run would begin to
    /// read instead.
    pub(super) opened: u64,
    /// Since when the task is paused: a run would leave it alone.
    pub paused: Option<LocalTime>,
    /// What a spot check would then read at both ends: how many objects, and bytes.
    pub spot_check: Option<(u64, u64)>,
    /// Why it could not begin.
    pub begin_failure: Option<Failure>,
    /// Lists that cannot be read.
    pub problems: Vec<String>,
    /// How it would be likely to go, in words.
    pub forecast: Option<String>,
}

/// A rehearsal as a row of JSON.
#[derive(Debug, Serialize)]
pub struct RehearsedRow<'a> {
    task: &'a str,
    taken: u64,
    in_lists: u64,
    rejected: u64,
    names: u64,
    copy: u64,
    copy_bytes: u64,
    ignore: u64,
    fail: u64,
    source_requests: u64,
    destination_requests: u64,
    paused_since: Option<String>,
    begin_cause: Option<&'static str>,
    begin_message: Option<&'a str>,
    forecast: Option<&'a str>,
}

impl Rehearsal {
    /// The rehearsal of `task` as a row.
    #[must_use]
    pub fn row<'a>(&'a self, task: &'a TaskId) -> RehearsedRow<'a> {
        let failure = self.begin_failure.as_ref();
        RehearsedRow {
            task: task.as_str(),
            taken: self.taken,
            in_lists: self.in_lists,
            rejected: self.rejected,
            names: self.names,
            copy: self.copy,
            copy_bytes: self.copy_bytes,
            ignore: self.ignore,
            fail: self.fail,
            source_requests: self.source.requests(),
            destination_requests: self.destination.requests(),
            paused_since: self.paused.map(LocalTime::rfc3339),
            begin_cause: failure.map(|failure| failure.cause.as_str()),
            begin_message: failure.map(|failure| failure.message.as_str()),
            forecast: self.forecast.as_deref(),
        }
    }

    /// How the run would end, as far as can be told.
    #[must_use]
    pub fn exit_reason(&self) -> Vec<ExitReason> {
        let fails = self.fail > self.tolerated;
        ExitReason::that_hold([
            (self.begin_failure.is_some(), ExitReason::CouldNotBegin),
            (fails, ExitReason::Failed),
            (self.rejected > 0, ExitReason::Rejected),
            (!self.problems.is_empty(), ExitReason::Unexpected),
        ])
    }

    /// Counts a name. `is_opened` if a run would begin to read the object, or try
    /// to, rather than ask the source about it first, as the rehearsal did.
    pub(super) fn count(&mut self, look: &Result<Look, Failure>, is_opened: bool) {
        self.names += 1;
        self.opened += u64::from(is_opened);
        match look {
            Ok(Look::Awaits(_) | Look::Archived(_)) if self.restore_order.is_none() => {
                self.fail += 1;
                let is_tolerated = self.tolerate.contains(&FailureCause::SourceArchived);
                self.tolerated += u64::from(is_tolerated);
            }
            Ok(Look::Awaits(_) | Look::Archived(Readiness::BeingRestored)) => self.awaiting += 1,
            Ok(Look::Archived(_)) => {
                self.restore += 1;
                self.source.put += 1;
            }
            Ok(Look::Settled(_) | Look::Found(_)) => self.ignore += 1,
            Ok(Look::Excluded(_)) => {
                self.ignore += 1;
                self.excluded += 1;
            }
            Err(failure) => {
                self.fail += 1;
                self.tolerated += u64::from(self.tolerate.contains(&failure.cause));
            }
            Ok(Look::Carry(route)) => {
                self.copy += 1;
                self.carry(route);
                self.dress(route);
                // What is not carried in one piece is let go, and read anew.
                let is_let_go = is_opened && !matches!(route, Route::Whole { .. });
                self.source.get += u64::from(is_let_go);
            }
        }
    }

    /// Counts what the copy's headers take to be known, besides what carrying it does.
    fn dress(&mut self, route: &Route) {
        let (source, options) = (&mut self.source, &self.write_options);
        source.get += u64::from(options.copy_tags);
        let is_there = matches!(route, Route::ServerSide { .. });
        source.head += u64::from(is_there && options.rest_on_source());
        let is_looked_at = self.encrypts || options.stamp_source;
        // What goes in one piece is not put together by the destination.
        let is_made_there = !matches!(route, Route::Whole { .. });
        self.destination.head += u64::from(is_made_there && is_looked_at);
    }

    /// Counts what carrying an object takes.
    fn carry(&mut self, route: &Route) {
        let (source, destination) = (&mut self.source, &mut self.destination);
        let (bytes, is_read) = match route {
            Route::Whole { buffer_bytes } => {
                source.get += 1;
                destination.put += 1;
                (*buffer_bytes, true)
            }
            Route::ServerSide { size_bytes } => {
                destination.put += 1;
                (*size_bytes, false)
            }
            Route::Parts(plan) => {
                // The facts are read afresh.
                source.head += 1;
                source.get += u64::from(plan.count);
                destination.create += 1;
                destination.part += u64::from(plan.count);
                destination.complete += 1;
                (plan.size_bytes, true)
            }
        };
        self.copy_bytes += bytes;
        if is_read {
            source.bytes_in += bytes;
            destination.bytes_out += bytes;
        }
    }
}

impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: u64| thousands(i64::try_from(count).unwrap_or(i64::MAX));
        if let Some(since) = self.paused {
            return writeln!(f, "paused since {}: a run leaves it alone", since.rfc3339());
        }
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
            "  {}: {} to copy ({}), {} to ignore{}, {} would fail",
            counted(self.names, "name"),
            number(self.copy),
            size(i64::try_from(self.copy_bytes).unwrap_or(i64::MAX)),
            number(self.ignore),
            match self.excluded {
                0 => String::new(),
                excluded => format!(" ({} of them excluded)", number(excluded)),
            },
            number(self.fail)
        )?;
        if let Some(order) = self.restore_order.filter(|_| self.restore > 0) {
            writeln!(
                f,
                "  {} archived: would ask for them ({}, for {}), a later run carries them",
                counted(self.restore, "object"),
                order.tier,
                counted(u64::from(order.days), "day")
            )?;
        }
        if self.awaiting > 0 {
            let awaiting = counted(self.awaiting, "object");
            writeln!(f, "  {awaiting} archived: the source is bringing them back")?;
        }
        let requests = self.source.requests() + self.destination.requests();
        writeln!(
            f,
            "  about {} for objects, besides lists",
            counted(requests, "HTTP request")
        )?;
        writeln!(f, "    source: {}", asked(&self.source))?;
        writeln!(f, "    destination: {}", asked(&self.destination))?;
        if let Some((objects, bytes)) = self.spot_check {
            writeln!(
                f,
                "  besides a spot check of {}: about {}, {} read at each end",
                counted(objects, "object"),
                counted(4 * objects, "HTTP request"),
                size(i64::try_from(bytes).unwrap_or(i64::MAX))
            )?;
        }
        match &self.forecast {
            Some(forecast) => writeln!(f, "  {forecast}"),
            None => Ok(()),
        }
    }
}

/// `1,204 GET, 3 Part; 1.5 GiB read`: what there is of it.
fn asked(counters: &Counters) -> String {
    let kinds = [
        (counters.list, "LIST"),
        (counters.head, "HEAD"),
        (counters.get, "GET"),
        (counters.put, "PUT"),
        (counters.part, "Part"),
        (counters.create, "Create"),
        (counters.complete, "Complete"),
        (counters.abort, "Abort"),
        (counters.delete, "Delete"),
    ];
    let number = |count: u64| thousands(i64::try_from(count).unwrap_or(i64::MAX));
    let asked = kinds.iter().filter(|(count, _)| *count > 0);
    let asked: Vec<String> = asked
        .map(|(count, kind)| format!("{} {kind}", number(*count)))
        .collect();
    if asked.is_empty() {
        return "nothing".to_owned();
    }
    let mut said = vec![asked.join(", ")];
    for (bytes, moved) in [(counters.bytes_in, "read"), (counters.bytes_out, "written")] {
        if bytes > 0 {
            let bytes = size(i64::try_from(bytes).unwrap_or(i64::MAX));
            said.push(format!("{bytes} {moved}"));
        }
    }
    said.join("; ")
}

/// Decides for every name that a run of `task` would take now.
///
/// # Errors
/// If the ledger or the configuration cannot be used; a ledger that a run would
/// refuse, too.
pub fn rehearse(engine: &Engine, task: &TaskConfig) -> Result<Rehearsal, RunError> {
    if let Some(since) = paused_since(engine, task)? {
        return Ok(Rehearsal {
            paused: Some(since),
            ..Rehearsal::default()
        });
    }
    let (began, stop) = (engine.clock.now(), engine.stop(task));
    let ends = engine.ends(task)?;
    let mut ledger = Ledger::open_to_rehearse(&engine.data_dir.ledger())?;
    let key = ledger.find_task(&task.id)?;
    let mut rehearsal = Rehearsal {
        tolerate: task.tolerate.clone(),
        write_options: task.write_options.clone(),
        encrypts: task.encryption.is_some(),
        restore_order: task.restore,
        ..Rehearsal::default()
    };
    let (id, asked, checksum) = (task.id.clone(), ends.clone(), task.checksum);
    let write_options = task.write_options.clone();
    let checks = engine.signal.unless_urgent(move || {
        preflight(
            &id,
            &asked.source,
            &asked.destination,
            Access::Read,
            Wanted {
                checksum,
                write_options: &write_options,
            },
        )
    });
    rehearsal.begin_failure = match checks {
        Ok(checks) => first_failure(&checks).cloned(),
        // Nothing is looked at then, so it need not have been asked.
        Err(NotWaited::Urgent) => None,
        Err(not_waited) => Some(not_waited.into()),
    };
    if task.deliver_lists && rehearsal.begin_failure.is_none() {
        rehearsal.begin_failure = refuse_older(&ledger, task, &ends.lists, &engine.signal)?;
    }
    gather(engine, task, key, &ends, &mut ledger, &mut rehearsal)?;
    if rehearsal.begin_failure.is_none() {
        Looks::new(engine, task, &ends).look_at_all(&ledger, key, &mut rehearsal)?;
        rehearsal.spot_check = foresee(&ledger, key, task.spot_check, &rehearsal)?;
        rehearsal.forecast = forecast(engine, task, &ledger, &rehearsal, (began, &stop))?;
    }
    Ok(rehearsal)
}

/// How the run would be likely to go, had it begun when the rehearsal did.
fn forecast(
    engine: &Engine,
    task: &TaskConfig,
    ledger: &Ledger,
    rehearsal: &Rehearsal,
    (began, stop): (Timestamp, &Stop),
) -> Result<Option<String>, RunError> {
    if let Some(window) = stop.outside {
        return Ok(Some(format!(
            "outside its window {window}: begun now, it would defer everything"
        )));
    }
    let unlimited = engine.options.limit.is_none();
    // Of names that were not looked at nothing is known.
    if !unlimited || rehearsal.taken == 0 || engine.signal.is_requested() {
        return Ok(None);
    }
    let queue = Queue::Rehearsed {
        taken: rehearsal.taken,
        copies: rehearsal.copy,
        copy_bytes: rehearsal.copy_bytes,
    };
    let history = outlook::history(ledger, &task.id)?;
    let told = history.forecast(queue, began, stop.deadline.at());
    let words = outlook::words(&told, stop.deadline.at(), task.zone, began);
    Ok(Some(format!("forecast: {words}")))
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
    let in_bucket = BucketLists::new(&ends.lists, &task.id, &engine.signal);
    let mut sources: Vec<&dyn ListSource> = vec![&local];
    if task.read_lists_from_destination && rehearsal.begin_failure.is_none() {
        sources.push(&in_bucket);
    }
    let settings = IntakeSettings {
        form: NameForm::of(task),
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
