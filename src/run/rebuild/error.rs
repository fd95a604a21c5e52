//! Why no ledger could be made from what was delivered.

use std::path::PathBuf;

use crate::exit::ExitReason;

/// Why no ledger could be made. What was in its place is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildFailure {
    /// A delivered file is not there.
    #[error(
        "{0} is not in the destination bucket; bring it back (an older version of the bucket, a copy of data_dir) and rebuild again, or restore a backup of the ledger"
    )]
    Missing(String),
    /// A delivered file is not what it was.
    #[error(
        "{path} in the destination bucket is not what was delivered: {why}; bring it back (an older version of the bucket, a copy of data_dir) and rebuild again, or restore a backup of the ledger"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Runs are missing between two manifests.
    #[error(
        "the manifest of run {missing} of task {task} is not in the destination bucket, but run {run} followed it; bring it and its lists back (an older version of the bucket, a copy of data_dir) and rebuild again, or restore a backup of the ledger"
    )]
    Gap {
        /// The task.
        task: String,
        /// The run that is missing.
        missing: u64,
        /// The run whose manifest says so.
        run: u64,
    },
    /// A manifest does not follow those before it.
    #[error(
        "{path} does not follow the manifests before it: two ledgers have written there; keep the manifests of one of them, or restore a backup of the ledger"
    )]
    Foreign {
        /// The manifest.
        path: String,
    },
    /// There is a ledger already.
    #[error(
        "there is a ledger at {0}; `--replace` moves it aside once the new one is whole, `--out PATH` leaves it where it is"
    )]
    Occupied(PathBuf),
    /// The file could not be put in its place.
    #[error("cannot write {path}: {source}; nothing was replaced")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The books of what was made do not balance.
    #[error("the books of the rebuilt ledger do not balance, so it was not kept: {}", .0.join("; "))]
    Unbalanced(Vec<String>),
}

impl RebuildFailure {
    /// What it means for the exit code.
    #[must_use]
    pub const fn exit_reason(&self) -> ExitReason {
        match self {
            Self::Unbalanced(_) => ExitReason::Unbalanced,
            Self::Occupied(_) => ExitReason::Usage,
            Self::Write { .. } => ExitReason::Unexpected,
            _ => ExitReason::Unusable,
        }
    }
}

/// What was read is not what was delivered.
pub(super) fn damaged(path: &str, why: &impl ToString) -> RebuildFailure {
    RebuildFailure::Damaged {
        path: path.to_owned(),
        why: why.to_string(),
    }
}
