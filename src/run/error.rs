//! Why a run ended early.

use std::path::PathBuf;

use crate::backup::StoreError;
use crate::data_dir::DataDirError;
use crate::exit::ExitReason;
use crate::intake::IntakeError;
use crate::ledger::{LedgerError, RebuildError};
use crate::model::Failure;
use crate::pool::PoolError;
use crate::report::ReportError;
use crate::s3::HttpClientError;

use super::lock::LockError;
use super::rebuild::RebuildFailure;

/// Why a run of one task, or all of them, could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The task's lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Loading lists.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// Writing lists.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The worker threads.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The HTTP client.
    #[error(transparent)]
    Http(#[from] HttpClientError),
    /// What the configuration says of one end cannot be used.
    #[error("task \"{task}\", {end}: {problem}")]
    End {
        /// The task.
        task: String,
        /// `source` or `destination`.
        end: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The destination did not show its lists.
    #[error("{}", .0.message)]
    Destination(Failure),
    /// The run was to stop while it waited for the task's lock.
    #[error(
        "another run of this task was still at work when it was time to stop waiting; nothing was begun, and the next run takes what is pending"
    )]
    StoppedWaiting,
    /// The destination has lists of runs that the ledger does not know.
    #[error(
        "the ledger {ledger} is older than the lists in the destination: it does not know the run of {manifest}. It is a restored backup, or new because `data_dir` was lost or is another one, or another ledger writes there under the same task id. Nothing was tried. Restore a newer backup, or make the ledger again from the delivered lists: `nightferry ledger rebuild --replace`"
    )]
    OlderLedger {
        /// The ledger.
        ledger: PathBuf,
        /// A manifest that it does not know.
        manifest: String,
    },
    /// What was delivered cannot have happened as it says.
    #[error("{0}")]
    Told(RebuildError),
    /// The ledger could not be made again.
    #[error(transparent)]
    Rebuild(#[from] RebuildFailure),
    /// A copy of the ledger is not where it belongs.
    #[error(transparent)]
    Backup(Box<StoreError>),
    /// What the configuration says of the backup bucket cannot be used.
    #[error("the backup bucket: {0}")]
    BackupBucket(String),
    /// Signals cannot be listened to.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    /// The thread that writes outcomes panicked.
    #[error(
        "the recorder panicked; what it had not committed is still pending, please report it with the log of this run"
    )]
    RecorderPanicked,
}

impl From<RebuildError> for RunError {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::Ledger(error) => Self::Ledger(error),
            told => Self::Told(told),
        }
    }
}

impl RunError {
    /// What it means for the exit code.
    #[must_use]
    pub fn exit_reason(&self) -> ExitReason {
        match self {
            Self::Lock(LockError::Held(_)) => ExitReason::Locked,
            Self::Lock(LockError::Unusable { .. })
            | Self::DataDir(_)
            | Self::End { .. }
            | Self::OlderLedger { .. }
            | Self::Told(_)
            | Self::BackupBucket(_)
            | Self::Ledger(
                LedgerError::Missing(_)
                | LedgerError::Foreign(_)
                | LedgerError::Newer { .. }
                | LedgerError::Older { .. }
                | LedgerError::Damaged(_)
                | LedgerError::Gone(_)
                | LedgerError::Unshared(_)
                | LedgerError::Unopenable { .. },
            ) => ExitReason::Unusable,
            Self::Rebuild(failure) => failure.exit_reason(),
            Self::Destination(_) => ExitReason::CouldNotBegin,
            Self::StoppedWaiting => ExitReason::Deferred,
            _ => ExitReason::Unexpected,
        }
    }
}
