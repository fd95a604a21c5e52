//! Tasks as the configuration last named them, and their kept tallies.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Ledger, Result, TaskKey};
use crate::model::{LocalTime, RequestState, TaskId, Zone};

impl Ledger {
    /// The key of `task`, which is entered or brought up to date as of `now`.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn enter_task(
        &mut self,
        task: &TaskId,
        zone: Zone,
        carry_over_days: u32,
        now: LocalTime,
    ) -> Result<TaskKey> {
        self.write(|transaction| {
            transaction.query_row(
                "INSERT INTO task (id, zone, offset_minutes, carry_over_days, entered_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO UPDATE SET zone = excluded.zone,
                     offset_minutes = excluded.offset_minutes,
                     carry_over_days = excluded.carry_over_days,
                     entered_at = coalesce(entered_at, excluded.entered_at)
                 RETURNING task",
                params![
                    task.as_str(),
                    zone.name(),
                    now.offset_minutes,
                    carry_over_days,
                    now.at.ms()
                ],
                |row| row.get(0).map(TaskKey),
            )
        })
    }

    /// The key of `task`, if the ledger knows it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn find_task(&self, task: &TaskId) -> Result<Option<TaskKey>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT task FROM task WHERE id = ?1",
                    [task.as_str()],
                    |row| row.get(0).map(TaskKey),
                )
                .optional()
        })
    }
}

/// Adds `requests` and `bytes` (negative to take back) to a task's figures of one day.
///
/// `kind` is the column that counts them; `reason` the cause or reason of
/// failed and ignored ones, empty for the rest.
pub(super) fn count(
    connection: &Connection,
    task: TaskKey,
    day: &str,
    kind: Counted,
    reason: &str,
    requests: i64,
    bytes: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO day_count (task, day, kind, reason, requests, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,
                 bytes = bytes + excluded.bytes",
        )?
        .execute(params![task.0, day, kind.as_str(), reason, requests, bytes])?;
    let column = kind.as_str();
    connection
        .prepare_cached(&format!(
            "UPDATE task SET {column} = {column} + ?2 WHERE task = ?1"
        ))?
        .execute(params![task.0, requests])?;
    Ok(())
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// Requests asked for.
    Requested,
    /// Requests whose present outcome is this state.
    Settled(RequestState),
}

impl Counted {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Settled(state) => state.as_str(),
        }
    }
}
