//! A ledger made again, run by run, from what manifests, journals and lists tell.
//!
//! Runs come in the order of their numbers. Of each, the journal comes first:
//! what was loaded, and taken back. Then the run takes what is pending, and each
//! line of its lists settles a request, as its outcome did. Tallies are counted
//! from the rows at the end.

mod loads;
mod outcomes;
mod runs;

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use self::loads::Load;
use self::runs::enter_run;
use super::runs::{carry_due, day_number, expire_carried, note_manifest};
use super::{Ledger, LedgerError, Result, RunKey, TaskKey};
use crate::model::{JournalEntry, LocalTime, RunBooks, RunNotes};

/// Why what was read cannot have happened.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A line settles what nobody had asked for.
    #[error("it names `{0}`, for which no request was pending")]
    Unasked(String),
    /// A number is another task's.
    #[error(
        "its {0} numbers are those of another task: the two were not kept in one ledger; give each a configuration with a `data_dir` of its own"
    )]
    Numbers(&'static str),
    /// Entries of a journal do not follow each other.
    #[error("it has a request or rejected line more or less than the list it tells of")]
    Journal,
    /// The lists and the manifest say different things.
    #[error("its lists come to {counted:?}, but it says {said:?}")]
    Books {
        /// What the lines come to.
        counted: RunBooks,
        /// What the manifest says.
        said: RunBooks,
    },
}

/// A run, as its manifest tells it.
#[derive(Debug, Clone, Copy)]
pub struct RebuiltRun<'a> {
    /// The task.
    pub task: TaskKey,
    /// The run's number.
    pub number: u64,
    /// Its id.
    pub run_id: &'a str,
    /// Its name.
    pub run_name: &'a str,
    /// Its state.
    pub state: &'a str,
    /// The IANA name of its zone.
    pub zone: &'a str,
    /// When it began.
    pub started: LocalTime,
    /// When it ended.
    pub ended: LocalTime,
    /// Its books.
    pub books: RunBooks,
    /// The rest of its row.
    pub notes: &'a RunNotes,
}

/// A run that is being entered; all of it is kept, or nothing.
pub struct Rebuilding<'a> {
    connection: &'a Connection,
    path: &'a Path,
    task: TaskKey,
    run: RunKey,
    started: LocalTime,
    counted: RunBooks,
    load: Option<Load>,
}

impl Ledger {
    /// Enters a run with all that `work` tells of it, or, if that fails, nothing.
    /// Answers the run's key.
    ///
    /// # Errors
    /// The first error of `work`; else if the ledger cannot be written, or the
    /// run's books are not what was told.
    pub fn rebuild_run<E: From<RebuildError>>(
        &mut self,
        run: &RebuiltRun<'_>,
        work: impl FnOnce(&mut Rebuilding<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<RunKey, E> {
        let path = self.path.clone();
        let sorted = |error| E::from(RebuildError::Ledger(LedgerError::of(path.clone(), error)));
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sorted)?;
        let key = enter_run(&transaction, run).map_err(sorted)?;
        transaction
            .execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS left_out (
                     request INTEGER PRIMARY KEY, reason TEXT, size_bytes INTEGER);
                 DELETE FROM temp.left_out;
                 CREATE TEMP TABLE IF NOT EXISTS suspects (
                     request INTEGER PRIMARY KEY, source_etag TEXT, destination_etag TEXT);
                 DELETE FROM temp.suspects",
            )
            .map_err(sorted)?;
        let mut rebuilding = Rebuilding {
            connection: &transaction,
            path: &path,
            task: run.task,
            run: key,
            started: run.started,
            counted: RunBooks {
                taken: run.books.taken,
                deferred: run.books.deferred,
                ..RunBooks::default()
            },
            load: None,
        };
        work(&mut rebuilding)?;
        rebuilding.end(run.books)?;
        transaction.commit().map_err(sorted)?;
        Ok(key)
    }

    /// Counts what was entered for `task` into its tallies, and takes its input
    /// lists as dealt with.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn end_rebuild(&mut self, task: TaskKey) -> Result<()> {
        self.write(|transaction| {
            for statement in [
                include_str!("../../../sql/statements/rebuild_days.sql"),
                include_str!("../../../sql/statements/rebuild_slots.sql"),
                include_str!("../../../sql/statements/rebuild_tallies.sql"),
                include_str!("../../../sql/statements/rebuild_pending.sql"),
                include_str!("../../../sql/statements/rebuild_input_lists.sql"),
            ] {
                transaction.execute(statement, [task.0])?;
            }
            Ok(())
        })
    }

    /// Notes that the bucket has the input list at `path`; `etag` if it is as
    /// long as what was loaded of it, so that it may be replaced by what it
    /// grows to.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn rebuild_input_list(
        &mut self,
        task: TaskKey,
        path: &str,
        size_bytes: u64,
        etag: &str,
    ) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "UPDATE delivery SET state = 'delivered', problem = NULL,
                         etag = iif(bytes = ?3, ?4, NULL)
                     WHERE task = ?1 AND path = ?2 AND run IS NULL",
                )?
                .execute(params![task.0, path, size_bytes, etag])
                .map(drop)
        })
    }

    /// Whether nothing was ever asked for or run, so that nothing would be lost
    /// with this ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn is_blank(&self) -> Result<bool> {
        self.read(|connection| {
            connection.query_row(
                "SELECT NOT EXISTS (SELECT 1 FROM run) AND NOT EXISTS (SELECT 1 FROM list)",
                [],
                |row| row.get(0),
            )
        })
    }
}

impl Rebuilding<'_> {
    /// Enters what a line of the run's journal tells.
    ///
    /// # Errors
    /// If it cannot be, or the ledger cannot be written.
    pub fn tell(&mut self, entry: &JournalEntry) -> std::result::Result<(), RebuildError> {
        match entry {
            JournalEntry::Requested(line, name) => return self.request(*line, name),
            JournalEntry::Rejected(line, reason, excerpt) => {
                return self.reject(*line, reason, excerpt);
            }
            _ => self.end_load()?,
        }
        match entry {
            JournalEntry::Loaded(row) => self.enter_load(row),
            JournalEntry::Answered(answered) => self.kept(|it| it.answered(answered)),
            JournalEntry::Run(row) => self.kept(|it| it.run_without_manifest(row)),
            JournalEntry::MonthClosed(month) => self.kept(|it| {
                it.execute(
                    "INSERT INTO month_closed VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        it.task.0,
                        month.month,
                        month.closed_at,
                        month.requested,
                        month.synced,
                        month.failed,
                        month.ignored,
                        month.synced_bytes
                    ],
                )
            }),
            JournalEntry::Withdrawn(request, at) => self.kept(|it| it.withdraw(*request, *at)),
            JournalEntry::Ignored(request, reason) => self.kept(|it| {
                it.execute(
                    "INSERT INTO temp.left_out (request, reason) VALUES (?1, ?2)",
                    params![request, reason],
                )
            }),
            JournalEntry::Suspect(request, source, destination) => self.kept(|it| {
                it.execute(
                    "INSERT INTO temp.suspects VALUES (?1, ?2, ?3)",
                    params![request, source, destination],
                )
            }),
            JournalEntry::Failed(request, size_bytes) => self.kept(|it| {
                it.execute(
                    "INSERT INTO temp.left_out (request, size_bytes) VALUES (?1, ?2)",
                    params![request, size_bytes],
                )
            }),
            JournalEntry::Requested(..) | JournalEntry::Rejected(..) => Ok(()),
        }
    }

    /// The journal is told: carries over what was due and takes what is pending.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the journal ended within a list.
    pub fn take(&mut self) -> std::result::Result<(), RebuildError> {
        self.end_load()?;
        self.kept(|it| {
            let today = day_number(it.started);
            expire_carried(it.connection, it.task, today)?;
            carry_due(it.connection, it.task, today)?;
            it.execute(
                "UPDATE run SET taken_through = (SELECT coalesce(max(request), 0) FROM request)
                 WHERE run = ?1",
                params![it.run.0],
            )
        })
    }

    /// Notes that a list or the manifest of the run is in the bucket.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn delivered(
        &mut self,
        path: &str,
        (lines, bytes, sha256): (u64, u64, &str),
        etag: &str,
    ) -> std::result::Result<(), RebuildError> {
        self.kept(|it| {
            it.execute(
                "INSERT INTO delivery (task, path, run, lines, bytes, sha256, state, etag)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'delivered', ?7)",
                params![it.task.0, path, it.run.0, lines, bytes, sha256, etag],
            )?;
            if path.starts_with("manifests/") {
                note_manifest(it.connection, it.run, sha256)?;
            }
            Ok(())
        })
    }

    fn end(&mut self, said: RunBooks) -> std::result::Result<(), RebuildError> {
        self.end_load()?;
        if self.counted != said {
            return Err(RebuildError::Books {
                counted: self.counted,
                said,
            });
        }
        let begin_failures = include_str!("../../../sql/statements/keep_begin_failures.sql");
        let suspects = include_str!("../../../sql/statements/rebuild_suspects.sql");
        self.kept(|it| {
            it.execute(begin_failures, params![it.run.0])?;
            it.execute(suspects, params![it.run.0])?;
            it.execute(
                "INSERT INTO suspect (run, request) SELECT ?1, request FROM temp.suspects",
                params![it.run.0],
            )
        })
    }

    fn withdraw(&self, request: i64, at: LocalTime) -> rusqlite::Result<()> {
        self.execute(
            include_str!("../../../sql/statements/withdraw.sql"),
            params![request, at.at.ms(), at.offset_minutes],
        )?;
        self.execute(
            "INSERT INTO withdrawal (task, number, request)
             SELECT ?1, number, ?2 FROM run WHERE run = ?3",
            params![self.task.0, request, self.run.0],
        )
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(sql)?
            .execute(params)
            .map(drop)
    }

    fn kept<T>(
        &self,
        work: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> std::result::Result<T, RebuildError> {
        work(self).map_err(|error| LedgerError::of(self.path.to_owned(), error).into())
    }
}
