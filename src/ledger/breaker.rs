//! Why a run left the rest: a breaker that opened.

use rusqlite::{OptionalExtension, params};

use super::{Ledger, Result, RunKey, TaskKey};
use crate::model::{FailureCause, Side, Timestamp, Zone};

/// A breaker that opened: one side went on refusing or failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBreaker {
    /// The side.
    pub side: Side,
    /// The cause of its last failure.
    pub cause: FailureCause,
    /// When its first failure in a row came.
    pub since: Timestamp,
    /// How many objects in a row it failed.
    pub failures: u64,
    /// What it said last.
    pub message: String,
}

impl Ledger {
    /// Notes which breaker opened during the run; times are kept in `zone`.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_open_breaker(&mut self, run: RunKey, zone: Zone, open: &OpenBreaker) -> Result<()> {
        let since = zone.local(open.since);
        self.write(|transaction| {
            transaction.execute(
                "UPDATE run SET breaker_side = ?2, breaker_cause = ?3, breaker_since = ?4,
                     breaker_offset = ?5, breaker_failures = ?6, breaker_message = ?7
                 WHERE run = ?1",
                params![
                    run.0,
                    open.side.as_str(),
                    open.cause.as_str(),
                    since.at.ms(),
                    since.offset_minutes,
                    open.failures,
                    open.message
                ],
            )?;
            Ok(())
        })
    }

    /// The last name, in byte order, that has requests of `task` pending up to `through`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn last_pending_name(&self, task: TaskKey, through: i64) -> Result<Option<String>> {
        let sql = "SELECT name FROM request
                   WHERE task = ?1 AND state = 'pending' AND request <= ?2
                   ORDER BY name DESC LIMIT 1";
        self.read(|connection| {
            connection
                .query_row(sql, params![task.0, through], |row| row.get(0))
                .optional()
        })
    }
}
