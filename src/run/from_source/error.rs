//! Why nothing was asked for.

use crate::exit::ExitReason;
use crate::intake::EnqueueError;
use crate::ledger::LedgerError;
use crate::model::{Failure, Side};
use crate::plan::{Stream, WalkError};
use crate::run::RunError;
use crate::run::pages::Broken;

/// Why nothing was asked for: there is a whole list, or none.
#[derive(Debug, thiserror::Error)]
pub enum FromSourceError {
    /// The ledger, the configuration or the threads.
    #[error(transparent)]
    Run(#[from] RunError),
    /// One end refused or did not answer.
    #[error("{}; nothing was enqueued", .0.message)]
    Listing(Failure),
    /// A listing cannot be compared with the other.
    #[error(
        "the {side} does not list its objects in the order of bytes: {name:?} comes behind {before:?}. So what is missing cannot be told from its listing, and nothing was enqueued; name the objects in a list, and a run asks about each"
    )]
    OutOfOrder {
        /// Whose listing.
        side: Side,
        /// The name before.
        before: String,
        /// The name out of its place.
        name: String,
    },
    /// Somebody asked to stop.
    #[error("stopped; nothing was enqueued")]
    Stopped,
    /// The list could not be written.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
}

impl FromSourceError {
    /// What it means for the exit code.
    #[must_use]
    pub fn exit_reason(&self) -> ExitReason {
        match self {
            Self::Run(error) => error.exit_reason(),
            Self::Listing(_) | Self::OutOfOrder { .. } => ExitReason::CouldNotBegin,
            Self::Stopped => ExitReason::Deferred,
            Self::Enqueue(_) => ExitReason::Unexpected,
        }
    }
}

impl From<LedgerError> for FromSourceError {
    fn from(error: LedgerError) -> Self {
        Self::Run(error.into())
    }
}

impl From<WalkError<Broken>> for FromSourceError {
    fn from(error: WalkError<Broken>) -> Self {
        match error {
            WalkError::BrokeOff { error, .. } => match error {
                Broken::Failed(failure) => Self::Listing(failure),
                Broken::Stopped => Self::Stopped,
            },
            WalkError::OutOfOrder {
                stream,
                before,
                name,
            } => Self::OutOfOrder {
                side: match stream {
                    Stream::Left => Side::Source,
                    Stream::Right => Side::Destination,
                },
                before,
                name,
            },
        }
    }
}
