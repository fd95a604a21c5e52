//! Taking away the detail of months long past. The figures stay, and so does
//! all that a coming night needs.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Deliverable, Ledger, Result, RunKey};
use crate::model::{Month, TaskId};

/// Requests that are looked at, and rejected lines that go, in a transaction:
/// others are not kept from writing for long, and memory stays flat.
const BATCH: i64 = 5_000;

/// Pages given back in a transaction.
const PAGES: i64 = 1_000;

/// Which requests may go.
const CHOOSE: &str = include_str!("../../sql/statements/prune_choose.sql");

/// What was taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Requests, with all their attempts.
    pub requests: u64,
    /// Rejected lines.
    pub rejected: u64,
}

impl Ledger {
    /// Takes away requests of all tasks that were settled before `before`, with
    /// their attempts, and rejected lines of lists loaded before it; then gives
    /// the room back. Kept are all figures, runs, lists and last copies, what is
    /// pending or to be carried over, and what runs need whose lists are not
    /// written or not delivered. May be done while runs are at work.
    ///
    /// # Errors
    /// If the ledger cannot be written. What is gone by then is accounted for.
    pub fn prune(&mut self, before: Month) -> Result<Pruned> {
        self.read(|connection| {
            connection.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS pruning (request INTEGER PRIMARY KEY)",
            )
        })?;
        let mut pruned = Pruned::default();
        let mut after = 0;
        while let Some(through) = self.batch_end(after)? {
            pruned.requests +=
                self.write(|transaction| take_away(transaction, after, through, before))?;
            after = through;
        }
        loop {
            let rejected = self.write(|transaction| {
                transaction
                    .prepare_cached(include_str!("../../sql/statements/prune_rejected.sql"))?
                    .execute(params![before.to_string(), BATCH])
            })?;
            if rejected == 0 {
                break;
            }
            pruned.rejected += rejected as u64;
        }
        self.give_back()?;
        Ok(pruned)
    }

    /// How many requests [`prune`](Self::prune) would take away now.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn prunable(&self, before: Month) -> Result<u64> {
        self.read(|connection| {
            connection.query_row(
                &format!("SELECT count(*) FROM ({CHOOSE})"),
                params![0, i64::MAX, before.to_string()],
                |row| row.get(0),
            )
        })
    }

    /// Whether detail of the run was taken away, so that its lists cannot be
    /// made again: outcomes of its own, or requests that it took in before the
    /// month from which on all is kept.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn is_pruned(&self, run: RunKey) -> Result<bool> {
        self.read(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM pruned_run WHERE run = ?1)
                     OR EXISTS (SELECT 1 FROM run JOIN pruned_task USING (task)
                                WHERE run = ?1 AND substr(started_at_local, 1, 7) < before)",
                [run.0],
                |row| row.get(0),
            )
        })
    }

    /// The month before which settled requests of `task` may be gone; `None` if
    /// all are there.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn pruned_before(&self, task: &TaskId) -> Result<Option<String>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT before FROM pruned_task JOIN task USING (task) WHERE id = ?1",
                    [task.as_str()],
                    |row| row.get(0),
                )
                .optional()
        })
    }

    /// The lists and the manifest of `run` as they were written for the
    /// destination bucket, whatever is left of its detail.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn deliverables(&self, run: RunKey) -> Result<Vec<Deliverable>> {
        self.read(|connection| {
            connection
                .prepare(
                    "SELECT path, lines, bytes, sha256, etag FROM delivery WHERE run = ?1
                     ORDER BY path LIKE 'manifests/%', path",
                )?
                .query_map([run.0], |row| {
                    Ok(Deliverable {
                        path: row.get(0)?,
                        run: Some(run),
                        lines: row.get(1)?,
                        bytes: row.get(2)?,
                        sha256: row.get(3)?,
                        etag: row.get(4)?,
                    })
                })?
                .collect()
        })
    }

    /// The last request of the batch behind `after`.
    fn batch_end(&self, after: i64) -> Result<Option<i64>> {
        self.read(|connection| {
            connection.query_row(
                "SELECT max(request) FROM (SELECT request FROM request WHERE request > ?1
                                           ORDER BY request LIMIT ?2)",
                [after, BATCH],
                |row| row.get(0),
            )
        })
    }

    /// Makes the file shorter by its free pages, some at a time.
    fn give_back(&mut self) -> Result<()> {
        let free = |ledger: &Self| -> Result<i64> {
            ledger.read(|connection| {
                connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
            })
        };
        let mut before = free(self)?;
        while before > 0 {
            self.read(|connection| {
                connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))
            })?;
            let now = free(self)?;
            if now >= before {
                break;
            }
            before = now;
        }
        Ok(())
    }
}

/// Takes away what may go of the requests behind `after` and up to `through`.
fn take_away(
    transaction: &Transaction<'_>,
    after: i64,
    through: i64,
    before: Month,
) -> rusqlite::Result<u64> {
    let before = before.to_string();
    transaction.execute("DELETE FROM temp.pruning", [])?;
    transaction
        .prepare_cached(&format!("INSERT INTO temp.pruning {CHOOSE}"))?
        .execute(params![after, through, before])?;
    for statement in [
        include_str!("../../sql/statements/prune_count.sql"),
        include_str!("../../sql/statements/prune_count_runs.sql"),
        "DELETE FROM attempt WHERE request IN (SELECT request FROM temp.pruning)",
        "DELETE FROM begin_failure WHERE request IN (SELECT request FROM temp.pruning)",
        "DELETE FROM withdrawal WHERE request IN (SELECT request FROM temp.pruning)",
        include_str!("../../sql/statements/prune_restores.sql"),
    ] {
        transaction.prepare_cached(statement)?.execute([])?;
    }
    transaction
        .prepare_cached(
            "INSERT INTO pruned_task (task, before)
             SELECT DISTINCT task, ?1 FROM request
             WHERE request IN (SELECT request FROM temp.pruning)
             ON CONFLICT DO UPDATE SET before = max(before, excluded.before)",
        )?
        .execute([&before])?;
    let requests = transaction
        .prepare_cached("DELETE FROM request WHERE request IN (SELECT request FROM temp.pruning)")?
        .execute([])?;
    Ok(requests as u64)
}

#[cfg(test)]
mod tests;
