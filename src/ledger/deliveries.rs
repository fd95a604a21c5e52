//! Files that belong in the destination bucket, and whether they are there.

use rusqlite::{OptionalExtension, params};

use super::{Ledger, Result, RunKey, TaskKey};
use crate::model::{TaskId, Timestamp};

/// A file of the task's folder, by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliverable {
    /// Relative to the task's folder, and to its prefix in the bucket.
    pub path: String,
    /// The run that wrote it; `None` for an input list.
    pub run: Option<RunKey>,
    /// Its lines.
    pub lines: u64,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// The destination's entity tag of what was last delivered under the path.
    pub etag: Option<String>,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It is in the bucket, under this entity tag.
    Delivered {
        /// The entity tag.
        etag: String,
        /// Since when.
        at: Timestamp,
    },
    /// The destination did not take it; a later run tries again.
    Owed(String),
    /// Something else stands under its name in the bucket; both stay.
    Conflict(String),
    /// It is no longer on the local disk, so it stays undelivered.
    Local(String),
}

impl Ledger {
    /// Enters `file` as owed to the destination bucket, unless the same content
    /// was dealt with already.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn owe(&mut self, task: TaskKey, file: &Deliverable) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached(include_str!("../../sql/statements/owe.sql"))?
                .execute(params![
                    task.0,
                    file.path,
                    file.run.map(|run| run.0),
                    file.lines,
                    file.bytes,
                    file.sha256
                ])?;
            Ok(())
        })
    }

    /// Enters the input lists as owed that were loaded since the task's last run
    /// that came to its end began: a run that did not has left its own behind.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn owe_input_lists(&mut self, task: TaskKey) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                include_str!("../../sql/statements/owe_input_lists.sql"),
                [task.0],
            )?;
            Ok(())
        })
    }

    /// Owes a file of `task` again that was delivered and is gone from the bucket.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn owe_again(&mut self, task: &TaskId, path: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE delivery SET state = 'owed', etag = NULL, delivered_at = NULL
                 WHERE path = ?2 AND task = (SELECT task FROM task WHERE id = ?1)",
                params![task.as_str(), path],
            )?;
            Ok(())
        })
    }

    /// What is owed to the task's destination bucket: input lists first, then
    /// lists run by run, each run's manifest last.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn owed(&self, task: TaskKey) -> Result<Vec<Deliverable>> {
        self.read(|connection| {
            connection
                .prepare(
                    "SELECT path, run, lines, bytes, sha256, etag FROM delivery
                     WHERE task = ?1 AND state = 'owed'
                     ORDER BY run NULLS FIRST, path LIKE 'manifests/%', path",
                )?
                .query_map([task.0], |row| {
                    Ok(Deliverable {
                        path: row.get(0)?,
                        run: row.get::<_, Option<i64>>(1)?.map(RunKey),
                        lines: row.get(2)?,
                        bytes: row.get(3)?,
                        sha256: row.get(4)?,
                        etag: row.get(5)?,
                    })
                })?
                .collect()
        })
    }

    /// Whether `file` may go now: a manifest only once all lists of its run are
    /// in the bucket, since a reader trusts a run whose manifest is there.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn may_be_delivered(&self, task: TaskKey, file: &Deliverable) -> Result<bool> {
        if !file.path.starts_with("manifests/") {
            return Ok(true);
        }
        self.read(|connection| {
            connection.query_row(
                "SELECT NOT EXISTS (
                     SELECT 1 FROM delivery
                     WHERE task = ?1 AND run = ?2 AND path <> ?3 AND state <> 'delivered')",
                params![task.0, file.run.map(|run| run.0), file.path],
                |row| row.get(0),
            )
        })
    }

    /// Whether anything is owed to the task's destination bucket.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn owes(&self, task: TaskKey) -> Result<bool> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT 1 FROM delivery WHERE task = ?1 AND state = 'owed' LIMIT 1",
                    [task.0],
                    |_| Ok(()),
                )
                .optional()
                .map(|row| row.is_some())
        })
    }

    /// Keeps what became of the delivery of `path`.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_delivery(&mut self, task: TaskKey, path: &str, delivery: &Delivery) -> Result<()> {
        let (state, etag, at, problem) = match delivery {
            Delivery::Delivered { etag, at } => ("delivered", Some(etag), Some(at.ms()), None),
            Delivery::Owed(problem) => ("owed", None, None, Some(problem)),
            Delivery::Conflict(problem) => ("conflict", None, None, Some(problem)),
            Delivery::Local(problem) => ("local", None, None, Some(problem)),
        };
        self.write(|transaction| {
            transaction.execute(
                "UPDATE delivery SET state = ?3, etag = coalesce(?4, etag),
                     delivered_at = coalesce(?5, delivered_at), problem = ?6
                 WHERE task = ?1 AND path = ?2",
                params![task.0, path, state, etag, at, problem],
            )?;
            Ok(())
        })
    }
}
