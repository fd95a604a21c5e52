//! The life of a run: begun, intake, carry-over, taken, ended.

use rusqlite::{Connection, OptionalExtension, params};

use super::awaited::run_awaiting;
use super::slots::SLOT_MS;
use super::tasks::{Counted, count};
use super::{Ledger, Result, RunKey, TaskKey};
use crate::exit::ExitReason;
use crate::model::{
    Deferral, DestinationPrefix, Failure, FailureCause, LocalTime, RequestState, RunId, RunState,
    Zone, run_name,
};

/// What must be known to begin a run.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The task.
    pub task: TaskKey,
    /// The source bucket's name, for the run's name.
    pub source: &'a str,
    /// The destination bucket's name.
    pub destination: &'a str,
    /// What is put before every name there.
    pub destination_prefix: &'a DestinationPrefix,
    /// The task's zone.
    pub zone: Zone,
    /// Now.
    pub started: LocalTime,
    /// Its worker threads.
    pub workers: usize,
    /// When its time is up.
    pub until: Option<LocalTime>,
    /// Tells apart runs of one second.
    pub entropy: u64,
}

/// A run that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunRun {
    /// The ledger's key.
    pub key: RunKey,
    /// Its number, from 1 for each task.
    pub number: u64,
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub name: String,
}

/// Why a run could not begin, as its `creation_failures` list says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeginFailure {
    /// The cause.
    pub cause: FailureCause,
    /// The server's error code, if it answered one.
    pub error_code: Option<String>,
    /// What failed and what to do.
    pub message: String,
}

impl From<&Failure> for BeginFailure {
    fn from(failure: &Failure) -> Self {
        Self {
            cause: failure.cause,
            error_code: failure.error_code.clone(),
            message: failure.message.clone(),
        }
    }
}

/// Requests that a run has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How many.
    pub count: u64,
    /// The highest request among them; later ones belong to the next run.
    pub through: i64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Whether by itself or because its process did.
    pub state: RunState,
    /// When.
    pub ended: LocalTime,
    /// Why requests stayed pending, if any did.
    pub deferral: Option<Deferral>,
    /// The first name, in the order of work, that was left.
    pub resume_name: Option<String>,
    /// HTTP requests that the run has sent; `None` leaves what was noted.
    pub requests_sent: Option<u64>,
}

impl Ledger {
    /// Enters a new run; closes the months before the present one first.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn begin_run(&mut self, new: &NewRun<'_>) -> Result<BegunRun> {
        self.write(|transaction| {
            close_months(transaction, new.task, new.started)?;
            let number: u64 = transaction.query_row(
                "SELECT coalesce(max(number), 0) + 1 FROM run WHERE task = ?1",
                [new.task.0],
                |row| row.get(0),
            )?;
            let id = RunId::new(new.started, new.entropy);
            let name = run_name(new.source, new.destination, new.started, number);
            let key = transaction.query_row(
                "INSERT INTO run (task, number, run_id, run_name, state, zone, started_at,
                                  started_offset, workers, until_at, until_offset,
                                  destination_prefix)
                 VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING run",
                params![
                    new.task.0,
                    number,
                    id.as_str(),
                    name,
                    new.zone.name(),
                    new.started.at.ms(),
                    new.started.offset_minutes,
                    new.workers,
                    new.until.map(|until| until.at.ms()),
                    new.until.map(|until| until.offset_minutes),
                    new.destination_prefix.as_str()
                ],
                |row| row.get(0).map(RunKey),
            )?;
            Ok(BegunRun {
                key,
                number,
                id,
                name,
            })
        })
    }

    /// Ends, as interrupted, runs of `task` whose process is gone. The caller
    /// holds the task's lock, so none of them can be at work.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn interrupt_runs(&mut self, task: TaskKey, now: LocalTime) -> Result<Vec<RunKey>> {
        let runs = self.read(|connection| {
            connection
                .prepare("SELECT run FROM run WHERE task = ?1 AND state = 'running' ORDER BY run")?
                .query_map([task.0], |row| row.get(0).map(RunKey))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        for &run in &runs {
            let end = RunEnd {
                state: RunState::Interrupted,
                ended: now,
                deferral: Some(Deferral::Stopped),
                resume_name: None,
                requests_sent: None,
            };
            self.end_run(run, &end)?;
        }
        Ok(runs)
    }

    /// Makes failed requests that are worth another night pending again: each at
    /// most once per local calendar day, for the task's `carry_over_days` after
    /// its first failure. Attempts and last cause are kept. Says how many.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn carry_over(&mut self, task: TaskKey, now: LocalTime) -> Result<u64> {
        let today = day_number(now);
        self.write(|transaction| {
            expire_carried(transaction, task, today)?;
            let by_day = transaction
                .prepare(&format!(
                    "SELECT date(settled_at / 1000 + settled_offset * 60, 'unixepoch'), reason,
                            count(*)
                     FROM request WHERE {CARRIED_TODAY} GROUP BY 1, 2"
                ))?
                .query_map(params![task.0, today], |row| {
                    Ok((
                        row.get::<_, String>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, i64>(2)?,
                    ))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            transaction.execute(
                &format!(
                    "INSERT INTO pending_count (task, requested_at, requested_offset, requests)
                     SELECT task, requested_at, requested_offset, count(*)
                     FROM request WHERE {CARRIED_TODAY} GROUP BY 1, 2, 3
                     ON CONFLICT DO UPDATE SET requests = requests + excluded.requests"
                ),
                params![task.0, today],
            )?;
            transaction.execute(
                &format!(
                    "INSERT INTO slot_count (task, kind, slot_at, requests, bytes)
                     SELECT task, 'failed', settled_at / {SLOT_MS} * {SLOT_MS}, -count(*), 0
                     FROM request WHERE {CARRIED_TODAY} GROUP BY 3
                     ON CONFLICT DO UPDATE SET requests = requests + excluded.requests"
                ),
                params![task.0, today],
            )?;
            for (day, reason, requests) in by_day {
                let failed = Counted::Settled(RequestState::Failed);
                count(transaction, task, &day, failed, &reason, -requests, 0)?;
            }
            Ok(carry_due(transaction, task, today)? as u64)
        })
    }

    /// Takes all requests that are pending now.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn take(&mut self, task: TaskKey, run: RunKey) -> Result<Taken> {
        self.write(|transaction| {
            transaction.query_row(
                "UPDATE run SET
                     taken = (SELECT requested - synced - failed - ignored FROM task
                              WHERE task.task = ?1),
                     taken_through = (SELECT coalesce(max(request), 0) FROM request)
                 WHERE run = ?2 RETURNING taken, taken_through",
                params![task.0, run.0],
                |row| {
                    Ok(Taken {
                        count: row.get(0)?,
                        through: row.get(1)?,
                    })
                },
            )
        })
    }

    /// Notes how many lines the run's intake rejected.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_rejected(&mut self, run: RunKey, rejected: u64) -> Result<()> {
        if rejected == 0 {
            return Ok(());
        }
        self.write(|transaction| {
            transaction.execute(
                "UPDATE run SET rejected = ?2 WHERE run = ?1",
                params![run.0, rejected],
            )?;
            Ok(())
        })
    }

    /// Notes why the run could not begin. [`end_run`](Self::end_run) then keeps
    /// what it would have taken.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_begin_failure(&mut self, run: RunKey, failure: &BeginFailure) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE run SET begin_cause = ?2, begin_error_code = ?3, begin_message = ?4
                 WHERE run = ?1",
                params![
                    run.0,
                    failure.cause.as_str(),
                    failure.error_code,
                    failure.message
                ],
            )?;
            Ok(())
        })
    }

    /// Ends the run: counts what it took and left, and keeps why.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn end_run(&mut self, run: RunKey, end: &RunEnd) -> Result<()> {
        self.write(|transaction| {
            let deferred: u64 = transaction.query_row(
                "SELECT count(*) FROM run JOIN request ON request.task = run.task
                 WHERE run.run = ?1 AND request.state = 'pending'
                   AND request.request <= run.taken_through",
                [run.0],
                |row| row.get(0),
            )?;
            let deferral = end.deferral.filter(|_| deferred > 0);
            let awaiting = run_awaiting(transaction, run)?;
            transaction.execute(
                "UPDATE run SET state = ?2, ended_at = ?3, ended_offset = ?4, deferred = ?5,
                     deferral = ?6,
                     resume_name = iif(?2 = 'interrupted', resume_name, ?7),
                     requests_sent = coalesce(?8, requests_sent), awaiting = ?9
                 WHERE run = ?1",
                params![
                    run.0,
                    end.state.as_str(),
                    end.ended.at.ms(),
                    end.ended.offset_minutes,
                    deferred,
                    deferral.map(Deferral::as_str),
                    end.resume_name,
                    end.requests_sent,
                    awaiting
                ],
            )?;
            transaction.execute(
                include_str!("../../sql/statements/keep_begin_failures.sql"),
                [run.0],
            )?;
            Ok(())
        })
    }

    /// Keeps how the process answers for the run, and that its lists are written.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn close_run(&mut self, run: RunKey, exit_code: u8, exit_reasons: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE run SET exit_code = ?2, exit_reasons = ?3 WHERE run = ?1",
                params![run.0, exit_code, exit_reasons],
            )?;
            Ok(())
        })
    }

    /// Adds a reason that came up when the run was closed already: why its process
    /// ends as it does, beside the reasons that are there.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn add_exit_reason(&mut self, run: RunKey, reason: ExitReason) -> Result<()> {
        self.write(|transaction| {
            let words: Option<String> = transaction.query_row(
                "SELECT exit_reasons FROM run WHERE run = ?1",
                [run.0],
                |row| row.get(0),
            )?;
            let mut reasons = ExitReason::of_words(words.as_deref().unwrap_or_default());
            reasons.retain(|held| *held != ExitReason::Done && *held != reason);
            reasons.push(reason);
            transaction.execute(
                "UPDATE run SET exit_code = ?2, exit_reasons = ?3 WHERE run = ?1",
                params![
                    run.0,
                    ExitReason::most_serious(&reasons).code(),
                    ExitReason::words(&reasons)
                ],
            )?;
            Ok(())
        })
    }

    /// Keeps the SHA-256 of the run's manifest.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_manifest(&mut self, run: RunKey, sha256: &str) -> Result<()> {
        self.write(|transaction| note_manifest(transaction, run, sha256))
    }

    /// Notes that the run's lists and manifest are on the local disk.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_listed(&mut self, run: RunKey) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("UPDATE run SET listed = 1 WHERE run = ?1", [run.0])?;
            Ok(())
        })
    }

    /// Runs of `task` that are over but whose lists are not written.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn unlisted_runs(&self, task: TaskKey) -> Result<Vec<RunKey>> {
        self.read(|connection| {
            connection
                .prepare(
                    "SELECT run FROM run
                     WHERE task = ?1 AND listed = 0 AND state <> 'running' ORDER BY run",
                )?
                .query_map([task.0], |row| row.get(0).map(RunKey))?
                .collect()
        })
    }

    /// The name with which the next run of `task` begins.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn resume_name(&self, task: TaskKey) -> Result<Option<String>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT resume_name FROM run
                     WHERE task = ?1 AND state <> 'running' AND taken > 0 AND begin_cause IS NULL
                     ORDER BY number DESC LIMIT 1",
                    [task.0],
                    |row| row.get(0),
                )
                .optional()
                .map(Option::flatten)
        })
    }
}

/// Keeps the SHA-256 of the run's manifest.
pub(super) fn note_manifest(
    connection: &Connection,
    run: RunKey,
    sha256: &str,
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE run SET manifest_sha256 = ?2 WHERE run = ?1",
        params![run.0, sha256],
    )?;
    Ok(())
}

/// Which failed requests of task ?1 become pending again on day ?2.
const CARRIED_TODAY: &str = "task = ?1 AND state = 'failed' AND carry = 1
     AND coalesce(carried_day, 0) < ?2";

/// Gives up failed requests whose days are over.
pub(super) fn expire_carried(
    connection: &Connection,
    task: TaskKey,
    today: i64,
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE request SET carry = 0
         WHERE task = ?1 AND state = 'failed' AND carry = 1 AND first_failed_day
             + (SELECT carry_over_days FROM task WHERE task = ?1) < ?2",
        params![task.0, today],
    )?;
    Ok(())
}

/// Makes failed requests pending again that are due; answers how many. The
/// tallies are the caller's.
pub(super) fn carry_due(
    connection: &Connection,
    task: TaskKey,
    today: i64,
) -> rusqlite::Result<usize> {
    connection.execute(
        &format!(
            "UPDATE request SET state = 'pending', reason = NULL, settled_at = NULL,
                 settled_offset = NULL, run = NULL, carry = 0, carried_day = ?2
             WHERE {CARRIED_TODAY}"
        ),
        params![task.0, today],
    )
}

/// Keeps what each month before the present one says, once.
fn close_months(connection: &Connection, task: TaskKey, now: LocalTime) -> rusqlite::Result<()> {
    connection.execute(
        include_str!("../../sql/statements/close_months.sql"),
        params![task.0, now.at.ms(), now.month().to_string()],
    )?;
    Ok(())
}

/// The local day as days since the epoch.
pub(super) fn day_number(local: LocalTime) -> i64 {
    (local.at.seconds() + i64::from(local.offset_minutes) * 60).div_euclid(86_400)
}
