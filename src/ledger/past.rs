//! A task's months, days, runs and input lists, a page at a time.

use rusqlite::{Row, params};

use super::report::{local, word};
use super::spot::{SpotCheck, read_spot_check};
use super::{Ledger, Result};
use crate::model::{LocalTime, Month, RunBooks, RunState, TaskId};

/// The figures of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayFigures {
    /// Of the month, from 1.
    pub day: u32,
    /// Requests asked for.
    pub requested: u64,
    /// Outcomes reached.
    pub synced: u64,
    /// Outcomes reached.
    pub failed: u64,
    /// Outcomes reached.
    pub ignored: u64,
    /// Bytes of the synced ones.
    pub synced_bytes: u64,
}

/// A run, at work or past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Its number.
    pub number: u64,
    /// Its id.
    pub run_id: String,
    /// Its name, the folder of its lists.
    pub run_name: String,
    /// Where it stands.
    pub state: RunState,
    /// When it began.
    pub started: LocalTime,
    /// When it ended.
    pub ended: Option<LocalTime>,
    /// Whether it has taken requests; before, it takes in lists.
    pub has_taken: bool,
    /// Its books; while it is at work, deferred is what it has still to do.
    pub books: RunBooks,
    /// Lines that could not be requests.
    pub rejected: u64,
    /// How often something was tried again.
    pub retries: u64,
    /// How often an end asked for a slower pace.
    pub throttled: u64,
    /// Requests sent to both ends.
    pub requests_sent: u64,
    /// Its exit code.
    pub exit_code: Option<u8>,
    /// Why it ended so.
    pub exit_reasons: Option<String>,
    /// Why it could not begin, or not go on, in words.
    pub because: Option<String>,
    /// Of its failed requests those that did not count for the exit code.
    pub tolerated: u64,
    /// Of the ignored, those whose tags say that both ends hold other bytes.
    pub suspects: u64,
    /// What its spot check came to, if it was to make one.
    pub spot_check: Option<SpotCheck>,
}

/// An input list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputList {
    /// Its key, for the next page.
    pub key: i64,
    /// Its path, `object_lists/` included.
    pub path: String,
    /// Whether it is still what was last seen at the path.
    pub current: bool,
    /// Lines loaded, blank ones too.
    pub lines: u64,
    /// Requests out of them.
    pub requests: u64,
    /// Lines that could not be requests.
    pub rejected: u64,
    /// When it was last loaded.
    pub loaded: LocalTime,
}

impl Ledger {
    /// The months that have figures, the newest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn months(&self, task: &TaskId) -> Result<Vec<Month>> {
        let sql = include_str!("../../sql/statements/months.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map([task.as_str()], |row| word(row, 0))?
                .collect()
        })
    }

    /// The figures of the month's days on which something happened.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn month_days(&self, task: &TaskId, month: Month) -> Result<Vec<DayFigures>> {
        let sql = include_str!("../../sql/statements/month_days.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(params![task.as_str(), month.to_string()], |row| {
                    Ok(DayFigures {
                        day: row.get(0)?,
                        requested: row.get(1)?,
                        synced: row.get(2)?,
                        failed: row.get(3)?,
                        ignored: row.get(4)?,
                        synced_bytes: row.get(5)?,
                    })
                })?
                .collect()
        })
    }

    /// At most so many runs, the newest first; those before the run `before`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn past_runs(
        &self,
        task: &TaskId,
        before: Option<u64>,
        most: usize,
    ) -> Result<Vec<PastRun>> {
        let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
        let sql = include_str!("../../sql/statements/past_runs.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(params![task.as_str(), before, most], read_run)?
                .collect()
        })
    }

    /// At most so many input lists, the last loaded first; those before the list
    /// with this key.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn input_lists(
        &self,
        task: &TaskId,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<InputList>> {
        let sql = include_str!("../../sql/statements/input_lists.sql");
        self.read(|connection| {
            let place = before.map(|list| {
                let sql = "SELECT loaded_at FROM list WHERE list = ?1";
                let loaded_at = connection.query_row(sql, [list], |row| row.get(0));
                loaded_at.map(|loaded_at: i64| (loaded_at, list))
            });
            let (loaded_at, list) = place.transpose()?.unwrap_or((i64::MAX, i64::MAX));
            connection
                .prepare(sql)?
                .query_map(params![task.as_str(), loaded_at, list, most], read_list)?
                .collect()
        })
    }
}

/// A row of `past_runs.sql`, or of one that begins like it.
pub(super) fn read_run(row: &Row<'_>) -> rusqlite::Result<PastRun> {
    Ok(PastRun {
        number: row.get(0)?,
        run_id: row.get(1)?,
        run_name: row.get(2)?,
        state: word(row, 3)?,
        started: local(row, 4)?,
        ended: match row.get::<_, Option<i64>>(6)? {
            None => None,
            Some(_) => Some(local(row, 6)?),
        },
        has_taken: row.get(8)?,
        books: RunBooks {
            taken: row.get(9)?,
            synced: row.get(10)?,
            failed: row.get(11)?,
            ignored: row.get(12)?,
            deferred: row.get(13)?,
            synced_bytes: row.get(14)?,
        },
        rejected: row.get(15)?,
        retries: row.get(16)?,
        throttled: row.get(17)?,
        requests_sent: row.get(18)?,
        exit_code: row.get(19)?,
        exit_reasons: row.get(20)?,
        because: row.get(21)?,
        tolerated: row.get(22)?,
        suspects: row.get(23)?,
        spot_check: read_spot_check(row, 24)?,
    })
}

fn read_list(row: &Row<'_>) -> rusqlite::Result<InputList> {
    Ok(InputList {
        key: row.get(0)?,
        path: row.get(1)?,
        current: row.get(2)?,
        lines: row.get(3)?,
        requests: row.get(4)?,
        rejected: row.get(5)?,
        loaded: local(row, 6)?,
    })
}
