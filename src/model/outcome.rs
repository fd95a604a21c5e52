//! What became of a request in one run.

use super::facts::{ETag, ObjectFacts};
use super::name::ObjectName;
use super::restore::AwaitedRestore;
use super::selection::Exclusion;
use super::time::Timestamp;
use super::upload::{ArrivedPart, OpenUpload, PlannedCopy};
use super::words::{FailureCause, IgnoreReason, Side, Verified};

/// What the rule says about one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Carry it.
    Copy,
    /// Leave it.
    Ignore(IgnoreReason),
}

/// The ledger's memory of our own last copy of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCopy {
    /// The source's entity tag when it was read.
    pub source_etag: ETag,
    /// The entity tag with which the destination answered.
    pub copy_etag: ETag,
}

/// A proven copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The entity tag with which the destination answered.
    pub copy_etag: ETag,
    /// How the copy was proven.
    pub verified: Verified,
    /// Bytes carried.
    pub size_bytes: u64,
}

/// Why an object failed, and what the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The cause, decided where the answer was read.
    pub cause: FailureCause,
    /// The end that refused or did not answer; `None` if neither did.
    pub side: Option<Side>,
    /// The server's error code (`NoSuchKey`, …), if it answered one.
    pub error_code: Option<String>,
    /// The HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// What failed, on what, and why; one line without secrets.
    pub message: String,
    /// How long the server asked to wait (`Retry-After`), in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The server's id of the request that failed.
    pub server_request_id: Option<String>,
}

impl Failure {
    /// A failure that no server answer stands behind.
    #[must_use]
    pub fn new(cause: FailureCause, message: impl Into<String>) -> Self {
        Self {
            cause,
            side: None,
            error_code: None,
            http_status: None,
            message: message.into(),
            retry_after_ms: None,
            server_request_id: None,
        }
    }

    /// The same failure, at `side`.
    #[must_use]
    pub fn at(self, side: Side) -> Self {
        Self {
            side: Some(side),
            ..self
        }
    }

    /// Whether the destination refused a write because it has something else
    /// than the decision to copy rested on.
    #[must_use]
    pub fn is_refused_condition(&self) -> bool {
        self.side == Some(Side::Destination) && self.http_status == Some(412)
    }

    /// Whether the same request may succeed if it is sent once more.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.cause.is_retried_within_run()
            && self.cause != FailureCause::SourceChanged
            && !self.is_refused_condition()
    }

    /// Whether the destination may have made the copy although this was all
    /// that came back.
    #[must_use]
    pub fn may_have_landed(&self) -> bool {
        self.side == Some(Side::Destination)
            && matches!(
                self.cause,
                FailureCause::Network | FailureCause::Timeout | FailureCause::ServerError
            )
    }
}

/// The outcome of a request. Ignored is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Copied and proven.
    Synced(Copied),
    /// Left alone.
    Ignored(IgnoreReason),
    /// Left alone because the task does not take it.
    Excluded(Exclusion),
    /// Not copied.
    Failed(Failure),
}

/// What one run did about one name: a row of `object_history` in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The object.
    pub name: ObjectName,
    /// When the outcome was reached.
    pub at: Timestamp,
    /// The outcome.
    pub outcome: Outcome,
    /// The source's facts on which the decision was made; `None`: not there, or not known.
    pub source: Option<ObjectFacts>,
    /// The destination's facts on which the decision was made.
    pub destination: Option<ObjectFacts>,
    /// Whether it was ignored although the tags of both say that their bytes differ.
    pub suspect: bool,
    /// The id that the destination (or the failing side) gave the deciding request.
    pub server_request_id: Option<String>,
    /// From the first request about the object to its outcome.
    pub duration_ms: u64,
    /// How often something was tried again within the run.
    pub retries: u32,
    /// How many answers asked for a slower pace.
    pub throttled: u32,
}

/// What a run writes into the ledger while it is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A copy of each of these names is about to be made.
    Planned(Vec<(ObjectName, PlannedCopy)>),
    /// The destination has this copy of ours, of which no outcome tells: the source
    /// has changed since, and another copy is about to be made.
    Recognised(ObjectName, LastCopy),
    /// A multipart upload has begun.
    UploadBegun(ObjectName, OpenUpload),
    /// A part of the name's upload has arrived.
    PartArrived(ObjectName, ArrivedPart),
    /// The name's upload is not at the destination any more.
    UploadGone(ObjectName),
    /// The source is bringing the object back from its archive: the name's requests
    /// stay pending.
    Awaits(ObjectName, AwaitedRestore),
    /// An outcome was reached.
    Settled(Box<Attempt>),
}
