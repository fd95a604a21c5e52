//! What an audit asks of a month: its runs, what vouches for their lists, and for
//! how many requests the lines of its failed lists stand.

use rusqlite::{Row, params};

use super::past::read_run;
use super::{Ledger, PastRun, Result, RunKey};
use crate::model::{Month, TaskId};

/// A run, and what vouches for its lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedRun {
    /// Its key.
    pub key: RunKey,
    /// The run.
    pub run: PastRun,
    /// Whether its lists and its manifest are written.
    pub listed: bool,
    /// Its manifest, if its hash is kept.
    pub manifest: Option<KeptManifest>,
    /// How many of its attempts were pruned.
    pub pruned: u64,
    /// How many of these were failures.
    pub pruned_failed: u64,
    /// Lines of its `creation_failures` list.
    pub creation_lines: u64,
}

/// What is kept of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptManifest {
    /// Its path under the task's prefix.
    pub path: String,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Whether the destination took it; `None`: it was not to be delivered.
    pub delivered: Option<bool>,
}

/// For how many requests the lines stand that the runs of a month have in their
/// failed lists, and what became of these since. What was pruned is not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailedLines {
    /// Requests that stand in one of the lists, or in several.
    pub requests: u64,
    /// Of these, copied since.
    pub synced: u64,
    /// Of these, left alone since.
    pub ignored: u64,
    /// Of these, without an outcome now.
    pub pending: u64,
    /// Of these, failed, and not tried after the month.
    pub failed: u64,
    /// Of these, failed once more after the month.
    pub failed_later: u64,
}

impl Ledger {
    /// The runs of `task` that began in `month`, in their order.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn month_runs(&self, task: &TaskId, month: Month) -> Result<Vec<RunKey>> {
        let sql = include_str!("../../sql/statements/month_runs.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(params![task.as_str(), month.to_string()], |row| {
                    row.get(0).map(RunKey)
                })?
                .collect()
        })
    }

    /// A run, and what vouches for its lists.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn audited_run(&self, run: RunKey) -> Result<AuditedRun> {
        let sql = include_str!("../../sql/statements/audited_run.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_row([run.0], |row| read_audited(run, row))
        })
    }

    /// For how many requests the lines of the month's failed lists stand.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn failed_lines(&self, task: &TaskId, month: Month) -> Result<FailedLines> {
        let sql = include_str!("../../sql/statements/failed_lines.sql");
        self.read(|connection| {
            connection.query_row(sql, params![task.as_str(), month.to_string()], |row| {
                Ok(FailedLines {
                    requests: row.get(0)?,
                    synced: row.get(1)?,
                    ignored: row.get(2)?,
                    pending: row.get(3)?,
                    failed: row.get(4)?,
                    failed_later: row.get(5)?,
                })
            })
        })
    }
}

fn read_audited(key: RunKey, row: &Row<'_>) -> rusqlite::Result<AuditedRun> {
    let sha256: Option<String> = row.get(33)?;
    Ok(AuditedRun {
        key,
        run: read_run(row)?,
        listed: row.get(31)?,
        manifest: match sha256 {
            None => None,
            Some(sha256) => Some(KeptManifest {
                path: row.get(32)?,
                sha256,
                delivered: row.get(34)?,
            }),
        },
        pruned: row.get(35)?,
        pruned_failed: row.get(36)?,
        creation_lines: row.get(37)?,
    })
}
