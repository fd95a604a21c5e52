//! How a command fails: what to say, and the exit code.

use crate::backup::StoreError;
use crate::config::ConfigError;
use crate::exit::ExitReason;
use crate::ledger::{BackupError, LedgerError, RestoreError};
use crate::report::ReportError;
use crate::report::text::harmless;
use crate::run::{CheckError, FromSourceError, RunError};

/// What a command answers: why it ends as it does.
pub type Outcome = Result<ExitReason, Failed>;

/// A command that could not do its work.
#[derive(Debug)]
pub struct Failed {
    /// What it means for the exit code.
    pub reason: ExitReason,
    error: anyhow::Error,
}

impl Failed {
    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            reason: ExitReason::Usage,
            error: anyhow::Error::msg(message.into()),
        }
    }

    /// Configuration or ledger that cannot be used.
    pub fn unusable(error: impl Into<anyhow::Error>) -> Self {
        Self {
            reason: ExitReason::Unusable,
            error: error.into(),
        }
    }

    /// Anything that was not to be expected.
    pub fn unexpected(error: impl Into<anyhow::Error>) -> Self {
        Self {
            reason: ExitReason::Unexpected,
            error: error.into(),
        }
    }

    /// Tells the user. Every error type says by itself what failed and what to
    /// do, so the outermost message is the whole message.
    pub fn say(&self) {
        tracing::error!(target: super::log::FAILED, "{self}");
    }
}

impl std::fmt::Display for Failed {
    /// Paths and arguments stand in it as they were given; a terminal shows them
    /// and does nothing else.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&harmless(&self.error.to_string()))
    }
}

impl From<ConfigError> for Failed {
    fn from(error: ConfigError) -> Self {
        Self::unusable(error)
    }
}

impl From<LedgerError> for Failed {
    fn from(error: LedgerError) -> Self {
        RunError::from(error).into()
    }
}

impl From<BackupError> for Failed {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Itself(_) | BackupError::Occupied(_) => Self {
                reason: ExitReason::Usage,
                error: error.into(),
            },
            BackupError::Damaged(_) => Self::unusable(error),
            BackupError::Write { .. } | BackupError::Copy { .. } => Self::unexpected(error),
        }
    }
}

impl From<RestoreError> for Failed {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Itself(_) => Self {
                reason: ExitReason::Usage,
                error: error.into(),
            },
            RestoreError::Missing(_)
            | RestoreError::Foreign(_)
            | RestoreError::Backup(_)
            | RestoreError::Damaged { .. }
            | RestoreError::Present(_) => Self::unusable(error),
            RestoreError::File { .. } => Self::unexpected(error),
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Ledger(error) => error.into(),
            StoreError::Copy(error) => error.into(),
            StoreError::Unknown { .. } => Self {
                reason: ExitReason::Usage,
                error: error.into(),
            },
            StoreError::Altered(_) => Self::unusable(error),
            StoreError::File { .. } | StoreError::Bucket(_) => Self::unexpected(error),
        }
    }
}

impl From<RunError> for Failed {
    fn from(error: RunError) -> Self {
        Self {
            reason: error.exit_reason(),
            error: error.into(),
        }
    }
}

impl From<FromSourceError> for Failed {
    fn from(error: FromSourceError) -> Self {
        Self {
            reason: error.exit_reason(),
            error: error.into(),
        }
    }
}

impl From<CheckError> for Failed {
    fn from(error: CheckError) -> Self {
        let reason = match error {
            CheckError::Run(error) => return error.into(),
            CheckError::Destination(_) | CheckError::Source(_) | CheckError::OutOfOrder { .. } => {
                ExitReason::CouldNotBegin
            }
            CheckError::Stopped => ExitReason::Deferred,
            CheckError::Spool(_) | CheckError::Enqueue(_) => ExitReason::Unexpected,
        };
        Self {
            reason,
            error: error.into(),
        }
    }
}

impl From<ReportError> for Failed {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Ledger(error) => error.into(),
            ReportError::UnknownTask(_)
            | ReportError::UnknownRun(_)
            | ReportError::UnknownMonth { .. }
            | ReportError::StillRunning
            | ReportError::Pruned { .. } => Self {
                reason: ExitReason::Usage,
                error: error.into(),
            },
            ReportError::Output(error) => error.into(),
            ReportError::List { .. } => Self::unexpected(error),
        }
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::unexpected(anyhow::Error::new(error).context("failed to write the output"))
    }
}
