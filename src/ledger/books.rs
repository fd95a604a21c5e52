//! What the books say, and what they say when counted anew.

use super::{Ledger, Result, RunKey, TaskKey};
use crate::model::RunBooks;

impl Ledger {
    /// How many requests of `task` are pending, by its tallies.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn pending_count(&self, task: TaskKey) -> Result<u64> {
        self.read(|connection| {
            connection.query_row(
                "SELECT requested - synced - failed - ignored FROM task WHERE task = ?1",
                [task.0],
                |row| row.get(0),
            )
        })
    }

    /// Whether the task's tallies and its pending rows, counted anew, add up.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn task_balanced(&self, task: TaskKey) -> Result<bool> {
        self.read(|connection| {
            connection.query_row(
                "SELECT balanced
                     AND pending = (SELECT count(*) FROM request
                                    WHERE request.task = ?1 AND state = 'pending')
                 FROM books JOIN task ON task.id = books.task WHERE task.task = ?1",
                [task.0],
                |row| row.get(0),
            )
        })
    }

    /// The run's books as its row has them.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_books(&self, run: RunKey) -> Result<RunBooks> {
        self.read(|connection| {
            connection.query_row(
                "SELECT taken, synced, failed, ignored,
                        coalesce(deferred, taken - synced - failed - ignored), synced_bytes
                 FROM run WHERE run = ?1",
                [run.0],
                |row| {
                    Ok(RunBooks {
                        taken: row.get(0)?,
                        synced: row.get(1)?,
                        failed: row.get(2)?,
                        ignored: row.get(3)?,
                        deferred: row.get(4)?,
                        synced_bytes: row.get(5)?,
                    })
                },
            )
        })
    }

    /// The run's outcomes counted anew from its attempts, with the run's own
    /// taken and deferred.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn recount_run(&self, run: RunKey) -> Result<RunBooks> {
        let kept = self.run_books(run)?;
        self.read(|connection| {
            connection.query_row(
                "SELECT count(*) FILTER (WHERE outcome = 'synced'),
                        count(*) FILTER (WHERE outcome = 'failed'),
                        count(*) FILTER (WHERE outcome = 'ignored'),
                        coalesce(sum(source_size_bytes) FILTER (WHERE outcome = 'synced'), 0)
                 FROM attempt WHERE run = ?1",
                [run.0],
                |row| {
                    Ok(RunBooks {
                        synced: row.get(0)?,
                        failed: row.get(1)?,
                        ignored: row.get(2)?,
                        synced_bytes: row.get(3)?,
                        ..kept
                    })
                },
            )
        })
    }
}
