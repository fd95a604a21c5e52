//! Why a check could not go on.

use crate::intake::EnqueueError;
use crate::ledger::LedgerError;
use crate::model::Failure;
use crate::plan::WalkError;
use crate::run::RunError;
use crate::run::pages::Broken;

/// Why a check could not go on. Nothing that it found by then is told.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The ledger, the configuration or the threads.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The destination refused or did not answer.
    #[error("{}; nothing is told of its copies", .0.message)]
    Destination(Failure),
    /// The source did.
    #[error("{}; nothing is told of the copies", .0.message)]
    Source(Failure),
    /// A listing is in no order that can be compared.
    #[error(
        "the destination does not list its objects in the order of bytes: {name:?} comes behind {before:?}. So its listing tells nothing; `nightferry check --sample N` asks about N copies one by one"
    )]
    OutOfOrder {
        /// The name before.
        before: String,
        /// The name out of its place.
        name: String,
    },
    /// Somebody asked to stop.
    #[error("stopped; nothing is told of what was looked at by then")]
    Stopped,
    /// What was found could not be kept until the end.
    #[error("what was found cannot be written to a temporary file: {0}")]
    Spool(#[from] std::io::Error),
    /// What was found could not be asked for again.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
}

impl From<LedgerError> for CheckError {
    fn from(error: LedgerError) -> Self {
        Self::Run(error.into())
    }
}

impl From<Broken> for CheckError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Failed(failure) => Self::Destination(failure),
            Broken::Stopped => Self::Stopped,
        }
    }
}

impl From<WalkError<Self>> for CheckError {
    fn from(error: WalkError<Self>) -> Self {
        match error {
            WalkError::BrokeOff { error, .. } => error,
            // The ledger's own order is that of bytes.
            WalkError::OutOfOrder { before, name, .. } => Self::OutOfOrder { before, name },
        }
    }
}
