//! Lists, manifests, summaries and views, all from the ledger alone: any of
//! them can be made again, and lists come out byte-identical.
//!
//! Nothing here prints; what is for people is returned or written to a given
//! [`Write`](std::io::Write).

mod bill;
mod check;
pub mod deep;
mod document;
mod file;
mod findings;
pub mod hints;
pub mod html;
pub mod json;
mod lists;
pub mod mail;
mod manifest;
mod metrics;
pub mod outlook;
mod reading;
pub mod spot;
mod status;
mod summary;
mod summary_table;
pub mod table;
pub mod text;
pub mod view;
mod why;

pub use bill::{write_bill, write_tunings};
pub use check::{
    CHECK_CSV_HEADER, CheckFigures, write_check, write_check_csv, write_check_json,
    write_check_list,
};
pub use document::{Document, Span};
pub use file::WholeFile;
pub use findings::Findings;
pub use manifest::{Manifest, ManifestStanding, Provenance};
pub use metrics::{METRICS_TYPE, Metrics, MetricsError, NightFigures, gauges_of};
pub use reading::{ListKind, manifest_of, read_listed};
pub use status::{BesideLedger, write_owed_mails, write_status};
pub use summary::{MonthChoice, Summary, TaskMonth, refuse_unknown_month};
pub use why::{restored, write_why};

use std::io;
use std::path::{Path, PathBuf};

use crate::data_dir::Modes;
use crate::ledger::{Ledger, LedgerError, RunKey};
use crate::model::{Month, TaskId};

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A list or manifest could not be written.
    #[error("failed to write {path}: {source}")]
    List {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The reader of the output went away, or the disk under it is full.
    #[error("failed to write the output: {0}")]
    Output(#[from] io::Error),
    /// The ledger has no such task.
    #[error("the ledger knows no task `{0}`; `nightferry status` shows those it knows")]
    UnknownTask(TaskId),
    /// It lies before the first month of every task that was asked for, or has not begun.
    #[error("nothing is known of the month {month}: {why}")]
    UnknownMonth {
        /// The month.
        month: Month,
        /// Why, in words.
        why: String,
    },
    /// No task that was asked for has such a run.
    #[error("there is no run {0}; `nightferry runs` shows those that there are")]
    UnknownRun(u64),
    /// Detail of the run was taken away.
    #[error(
        "the detail of run {number} of task `{task}` was pruned, its lists cannot be made again; the delivered ones are in the destination bucket, and `nightferry verify` compares them with what was delivered"
    )]
    Pruned {
        /// The task.
        task: TaskId,
        /// The run's number.
        number: u64,
    },
    /// The run is at work; its lists come when it has ended.
    #[error("the run is still at work; its lists are written when it ends")]
    StillRunning,
}

/// A written list or manifest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ListFile {
    /// Where it lies under the task's prefix, `/` between parts.
    pub path: String,
    /// Its lines.
    pub lines: u64,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// Writes the lists of an ended run, and last its manifest, under `root`, the
/// folder that stands for the task's prefix. Says what there is now, the
/// manifest last; nothing for a run that took nothing. Files that are there
/// with the same bytes stay untouched.
///
/// # Errors
/// If the run is still at work, the ledger cannot be read or a file not written.
pub fn write_run(
    ledger: &Ledger,
    run: RunKey,
    root: &Path,
    modes: Modes,
) -> Result<Vec<ListFile>, ReportError> {
    write_run_split(ledger, run, root, modes, lists::MAX_LINES)
}

/// [`write_run`] with lists of at most `max_lines` lines.
fn write_run_split(
    ledger: &Ledger,
    run: RunKey,
    root: &Path,
    modes: Modes,
    max_lines: u64,
) -> Result<Vec<ListFile>, ReportError> {
    let ended = ledger.ended_run(run)?.ok_or(ReportError::StillRunning)?;
    if ended.books.taken == 0 {
        return Ok(Vec::new());
    }
    if ledger.is_pruned(run)? {
        let (task, number) = (ended.task, ended.number);
        return Err(ReportError::Pruned { task, number });
    }
    let shelf = lists::Shelf {
        root,
        modes,
        max_lines,
    };
    let mut files = lists::write(ledger, run, &ended, shelf)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = manifest::write(ledger, run, &ended, &files, shelf)?;
    files.push(manifest);
    Ok(files)
}

#[cfg(test)]
mod tests;
