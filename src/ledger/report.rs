//! What the lists and the manifest of one run are made of.

use std::error::Error;
use std::str::FromStr;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{OptionalExtension, Row, params};

use super::{BeginFailure, Ledger, LedgerError, Result, RunKey};
use crate::model::{
    FailureCause, LocalTime, ObjectName, RequestState, RunBooks, RunId, RunState, TaskId, Timestamp,
};

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRun {
    /// Its task.
    pub task: TaskId,
    /// Its number, from 1 for each task.
    pub number: u64,
    /// Its id.
    pub run_id: RunId,
    /// Its name, the folder of its lists.
    pub run_name: String,
    /// Whether it ended by itself.
    pub state: RunState,
    /// The IANA name of its zone.
    pub zone: String,
    /// When it began.
    pub started: LocalTime,
    /// When it ended.
    pub ended: LocalTime,
    /// Its books.
    pub books: RunBooks,
    /// Why it could not begin, if it could not.
    pub begin_failure: Option<BeginFailure>,
}

/// What a run did about one request: one line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// When the outcome was reached.
    pub at: LocalTime,
    /// The object.
    pub name: ObjectName,
    /// The outcome, with what its list says of it.
    pub outcome: ListedOutcome,
}

/// The outcome of one line, with what its list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedOutcome {
    /// Copied; the source's size in bytes.
    Synced(Option<u64>),
    /// Left alone; the source's size in bytes where the run asked for it.
    Ignored(Option<u64>),
    /// Not copied, and what the server answered.
    Failed(FailureCause, Option<String>),
}

impl Ledger {
    /// The key of run `number` of `task`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_numbered(&self, task: &TaskId, number: u64) -> Result<Option<RunKey>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT run FROM run JOIN task USING (task) WHERE id = ?1 AND number = ?2",
                    params![task.as_str(), number],
                    |row| row.get(0).map(RunKey),
                )
                .optional()
        })
    }

    /// All runs of `task` that are over, with their numbers.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ended_runs(&self, task: &TaskId) -> Result<Vec<(u64, RunKey)>> {
        self.read(|connection| {
            connection
                .prepare(
                    "SELECT number, run FROM run JOIN task USING (task)
                     WHERE id = ?1 AND state <> 'running' ORDER BY number",
                )?
                .query_map([task.as_str()], |row| {
                    Ok((row.get(0)?, RunKey(row.get(1)?)))
                })?
                .collect()
        })
    }

    /// The run, once it is over; `None` while it is at work.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ended_run(&self, run: RunKey) -> Result<Option<EndedRun>> {
        let sql = include_str!("../../sql/statements/ended_run.sql");
        self.read(|connection| {
            connection
                .query_row(sql, [run.0], read_ended_run)
                .optional()
        })
    }

    /// Shows `visit` what the run did, by time, then by name; memory stays flat.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the first error of `visit`.
    pub fn for_each_outcome<E: From<LedgerError>>(
        &self,
        run: RunKey,
        mut visit: impl FnMut(&Listed) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = include_str!("../../sql/statements/run_outcomes.sql");
        self.stream(sql, params![run.0], read_listed, |listed| visit(&listed))
    }

    /// Shows `visit` the names, sorted, that the run would have taken had it
    /// begun and that no earlier run of the same outage named; memory stays flat.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the first error of `visit`.
    pub fn for_each_begin_failure<E: From<LedgerError>>(
        &self,
        run: RunKey,
        visit: impl FnMut(ObjectName) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = "SELECT name FROM begin_failure JOIN request USING (request)
                   WHERE begin_failure.run = ?1 ORDER BY name, request";
        let read = |row: &Row<'_>| row.get(0).map(ObjectName::from_checked);
        self.stream(sql, params![run.0], read, visit)
    }

    /// Shows `visit` each row of a query, one at a time.
    pub(super) fn stream<T, E: From<LedgerError>>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        mut visit: impl FnMut(T) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sorted = |error| E::from(self.error(error));
        let mut statement = self.connection.prepare(sql).map_err(sorted)?;
        let mut rows = statement.query(params).map_err(sorted)?;
        while let Some(row) = rows.next().map_err(sorted)? {
            visit(read(row).map_err(sorted)?)?;
        }
        Ok(())
    }
}

fn read_ended_run(row: &Row<'_>) -> rusqlite::Result<EndedRun> {
    Ok(EndedRun {
        task: word(row, 0)?,
        number: row.get(1)?,
        run_id: RunId::from_checked(row.get(2)?),
        run_name: row.get(3)?,
        state: word(row, 4)?,
        zone: row.get(5)?,
        started: local(row, 6)?,
        ended: local(row, 8)?,
        books: RunBooks {
            taken: row.get(10)?,
            synced: row.get(11)?,
            failed: row.get(12)?,
            ignored: row.get(13)?,
            deferred: row.get(14)?,
            synced_bytes: row.get(15)?,
        },
        begin_failure: match row.get_ref(16)? {
            ValueRef::Null => None,
            _ => Some(BeginFailure {
                cause: word(row, 16)?,
                error_code: row.get(17)?,
                message: row.get(18)?,
            }),
        },
    })
}

fn read_listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let outcome = match word(row, 3)? {
        RequestState::Synced => ListedOutcome::Synced(row.get(5)?),
        RequestState::Failed => ListedOutcome::Failed(word(row, 4)?, row.get(6)?),
        RequestState::Ignored | RequestState::Pending => ListedOutcome::Ignored(row.get(5)?),
    };
    Ok(Listed {
        at: local(row, 0)?,
        name: ObjectName::from_checked(row.get(2)?),
        outcome,
    })
}

/// A time and, in the next column, the offset that was stored with it.
pub(super) fn local(row: &Row<'_>, index: usize) -> rusqlite::Result<LocalTime> {
    Ok(LocalTime {
        at: Timestamp::from_ms(row.get(index)?),
        offset_minutes: row.get(index + 1)?,
    })
}

/// A word of a closed list, or a task's id.
pub(super) fn word<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>>,
{
    row.get_ref(index)?
        .as_str()?
        .parse()
        .map_err(|error: T::Err| {
            rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into())
        })
}
