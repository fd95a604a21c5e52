//! Requests that an operator takes back.

use rusqlite::{Transaction, params};

use super::pending::PendingChange;
use super::report::local;
use super::slots::Slots;
use super::tasks::{Counted, count};
use super::{Ledger, Result, TaskKey};
use crate::model::{IgnoreReason, LocalTime, ObjectName, RequestState};

/// Requests a transaction, so that others are not kept from writing for long.
const BATCH: i64 = 20_000;

/// Which pending requests are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Those of the lists that are or were at this path, from `object_lists/` on.
    List(&'a str),
    /// Those for this name.
    Name(&'a ObjectName),
}

impl Ledger {
    /// Whether a list of `task` is or was at `path`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn knows_list(&self, task: TaskKey, path: &str) -> Result<bool> {
        self.read(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM list WHERE task = ?1 AND path = ?2)",
                params![task.0, path],
                |row| row.get(0),
            )
        })
    }

    /// Settles the task's pending requests that `selection` means as ignored
    /// (withdrawn) at `now`, and answers how many there were. The caller holds
    /// the task's lock: no run is at work on them.
    ///
    /// # Errors
    /// If the ledger cannot be written. Requests that are withdrawn by then stay so.
    pub fn withdraw(
        &mut self,
        task: TaskKey,
        selection: Selection<'_>,
        now: LocalTime,
    ) -> Result<u64> {
        let mut withdrawn = 0;
        let mut after = 0;
        loop {
            let requests = self.write(|transaction| {
                let requests = next_batch(transaction, task, selection, after)?;
                settle(transaction, task, &requests, now)?;
                Ok(requests)
            })?;
            let Some(&(last, _)) = requests.last() else {
                return Ok(withdrawn);
            };
            after = last;
            withdrawn += requests.len() as u64;
        }
    }
}

fn next_batch(
    transaction: &Transaction<'_>,
    task: TaskKey,
    selection: Selection<'_>,
    after: i64,
) -> rusqlite::Result<Vec<(i64, LocalTime)>> {
    let (statement, wanted) = match selection {
        Selection::List(path) => (
            include_str!("../../sql/statements/withdraw_by_list.sql"),
            path,
        ),
        Selection::Name(name) => (
            include_str!("../../sql/statements/withdraw_by_name.sql"),
            name.as_str(),
        ),
    };
    transaction
        .prepare_cached(statement)?
        .query_map(params![task.0, wanted, after, BATCH], |row| {
            Ok((row.get(0)?, local(row, 1)?))
        })?
        .collect()
}

fn settle(
    transaction: &Transaction<'_>,
    task: TaskKey,
    requests: &[(i64, LocalTime)],
    now: LocalTime,
) -> rusqlite::Result<()> {
    if requests.is_empty() {
        return Ok(());
    }
    let mut settle =
        transaction.prepare_cached(include_str!("../../sql/statements/withdraw.sql"))?;
    // No run is at work: the next one tells it.
    let mut tell = transaction.prepare_cached(
        "INSERT INTO withdrawal (task, number, request)
         SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM run WHERE task = ?1",
    )?;
    let mut pending = PendingChange::default();
    for &(request, asked) in requests {
        pending.add(asked, -1);
        settle.execute(params![request, now.at.ms(), now.offset_minutes])?;
        tell.execute(params![task.0, request])?;
    }
    pending.keep(transaction, task)?;
    let kind = Counted::Settled(RequestState::Ignored);
    let requests = requests.len().cast_signed() as i64;
    let mut slots = Slots::default();
    slots.add(now.at, kind, requests, 0);
    slots.keep(transaction, task)?;
    let (day, reason) = (now.day().to_string(), IgnoreReason::Withdrawn.as_str());
    count(transaction, task, &day, kind, reason, requests, 0)
}
