//! The figures of one task and month.

use std::str::FromStr;

use rusqlite::{OptionalExtension, Row, params};

use super::report::{local, word};
use super::{Ledger, Result};
use crate::model::{LocalTime, Month, RequestState, TaskId, Zone};

/// A task that the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTask {
    /// Its id.
    pub id: TaskId,
    /// The zone it had when it was last run.
    pub zone: Zone,
}

/// A row of `month_summary`: the fields are its columns.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the columns are documented in sql/README.md")]
pub struct MonthRow {
    pub task: String,
    pub month: String,
    pub pending_at_start: i64,
    pub requested: i64,
    pub synced: i64,
    pub failed: i64,
    pub ignored: i64,
    pub pending_at_end: i64,
    pub synced_bytes: i64,
}

/// The figures of a month as `month_close` kept them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedMonth {
    /// When the next month's first run began.
    pub at: LocalTime,
    /// Requests asked for.
    pub requested: i64,
    /// Outcomes reached.
    pub synced: i64,
    /// Outcomes reached.
    pub failed: i64,
    /// Outcomes reached.
    pub ignored: i64,
    /// Bytes of the synced ones.
    pub synced_bytes: i64,
}

/// Names that failed as missing and look as if something else was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddNames {
    /// How many.
    pub requests: u64,
    /// One of them.
    pub example: String,
}

impl Ledger {
    /// All tasks, by id.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn known_tasks(&self) -> Result<Vec<KnownTask>> {
        self.read(|connection| {
            connection
                .prepare("SELECT id, zone FROM task ORDER BY id")?
                .query_map([], |row| {
                    Ok(KnownTask {
                        id: word(row, 0)?,
                        zone: word(row, 1)?,
                    })
                })?
                .collect()
        })
    }

    /// The figures of `month`; of a month in which nothing happened too.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn month_figures(&self, task: &TaskId, month: Month) -> Result<MonthRow> {
        let sql = include_str!("../../sql/statements/month_figures.sql");
        let nothing = MonthRow {
            task: task.to_string(),
            month: month.to_string(),
            pending_at_start: 0,
            requested: 0,
            synced: 0,
            failed: 0,
            ignored: 0,
            pending_at_end: 0,
            synced_bytes: 0,
        };
        self.read(|connection| {
            connection
                .query_row(sql, params![task.as_str(), month.to_string()], |row| {
                    Ok(MonthRow {
                        pending_at_start: row.get(1)?,
                        requested: row.get(2)?,
                        synced: row.get(3)?,
                        failed: row.get(4)?,
                        ignored: row.get(5)?,
                        pending_at_end: row.get(6)?,
                        synced_bytes: row.get(7)?,
                        ..nothing.clone()
                    })
                })
                .optional()
                .map(|row| row.unwrap_or(nothing))
        })
    }

    /// The causes of failed requests, or the reasons of ignored ones, with how
    /// many there are of each; the most frequent first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn month_reasons<T>(
        &self,
        task: &TaskId,
        month: Month,
        state: RequestState,
    ) -> Result<Vec<(T, u64)>>
    where
        T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let sql = include_str!("../../sql/statements/month_reasons.sql");
        let filter = params![task.as_str(), month.to_string(), state.as_str()];
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(filter, |row| Ok((word(row, 0)?, row.get(1)?)))?
                .collect()
        })
    }

    /// What was said of the month when the next one's first run began.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn closed_month(&self, task: &TaskId, month: Month) -> Result<Option<ClosedMonth>> {
        let sql = "SELECT closed_at, offset_minutes, month_closed.requested, month_closed.synced,
                          month_closed.failed, month_closed.ignored, synced_bytes
                   FROM month_closed JOIN task USING (task) WHERE id = ?1 AND month = ?2";
        let read = |row: &Row<'_>| {
            Ok(ClosedMonth {
                at: local(row, 0)?,
                requested: row.get(2)?,
                synced: row.get(3)?,
                failed: row.get(4)?,
                ignored: row.get(5)?,
                synced_bytes: row.get(6)?,
            })
        };
        self.read(|connection| {
            connection
                .query_row(sql, params![task.as_str(), month.to_string()], read)
                .optional()
        })
    }

    /// Names of the month that failed as missing and look as if something else
    /// was meant, by look.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn odd_names(&self, task: &TaskId, month: Month) -> Result<Vec<OddNames>> {
        let sql = include_str!("../../sql/statements/odd_names.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(params![task.as_str(), month.to_string()], |row| {
                    Ok(OddNames {
                        requests: row.get(0)?,
                        example: row.get(1)?,
                    })
                })?
                .collect()
        })
    }
}
