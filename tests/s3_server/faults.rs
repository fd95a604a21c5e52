//! Faults: how a test makes the server misbehave.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::S3Server;
use super::exchange::Exchange;

/// What happens to a request.
#[derive(Clone)]
pub enum FaultAction {
    /// The request is not handled; an error is answered instead.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The S3 error code.
        code: &'static str,
        /// The error message; `{url}` in it is what was asked for, with its signature.
        message: &'static str,
        /// Additional headers of the answer, such as `Retry-After`; `{url}` as in the message.
        headers: Vec<(String, String)>,
    },
    /// The connection is closed; the request is not handled.
    DropConnection,
    /// The request is handled, but the connection is closed instead of answering.
    DropAnswer,
    /// The connection is closed after so many bytes of the answer's body.
    TruncateBody {
        /// The number of bytes that are still sent.
        after_bytes: u64,
    },
    /// The answer's body never goes on after so many bytes.
    StallBody {
        /// The number of bytes that are still sent.
        after_bytes: u64,
    },
    /// After so many bytes the answer's body goes on a byte at a time.
    TrickleBody {
        /// The number of bytes that are sent at once.
        after_bytes: u64,
        /// How long the server pauses before each further one.
        pause: Duration,
    },
    /// One byte of the answer's body is altered.
    FlipByte {
        /// The position of the byte in the body.
        at: u64,
    },
    /// A `PutObject`, `UploadPart`, or copy by the server stores altered bytes and answers with
    /// their `ETag`; the checksums of the request are still compared with the bytes that were sent.
    StoreCorrupted,
    /// The request is not handled; the status is 200, but the body is an error, as
    /// `CompleteMultipartUpload` and `CopyObject` may answer.
    CompleteAnswers200WithError {
        /// The S3 error code.
        code: &'static str,
    },
    /// A copy by the server heeds no `x-amz-copy-source-if-match` and its like, as with some servers.
    IgnoreCopySourceConditions,
    /// A `PutObject` takes the quotes for a part of the tag in `If-Match`, so that none is the
    /// object's, as radosgw 16 does.
    MisreadIfMatch,
    /// The request is never handled nor answered.
    StallForever,
    /// The request is handled, but never answered.
    StallAnswer,
    /// The closure runs before the request is handled as usual, or as another fault has it. It is
    /// given the server, which it could not own without keeping it from ever being dropped.
    CallBack(Arc<dyn Fn(&S3Server) + Send + Sync>),
    /// The request is handled, but the answer tells a wrong `ETag`.
    WrongEtag,
    /// `x-amz-checksum-*` headers are neither looked at nor answered, as with old servers.
    IgnoreChecksums {
        /// Whether `ETag`s are MD5s, as they are not where KMS encrypts.
        md5_tags: bool,
    },
    /// `x-amz-checksum-*` headers are not looked at, but answered as they came.
    ParrotChecksums,
    /// The request is handled, but the answer tells wrong checksums.
    WrongChecksums,
    /// The request is handled, but the answer's `ETag` is empty, as some servers complete uploads.
    EmptyEtag,
    /// An object is written as though this header had not come, as some servers do in silence.
    Forget(&'static str),
    /// A page of a listing holds its objects in the opposite order.
    ListBackwards,
}

impl FaultAction {
    /// A [`FaultAction::CallBack`].
    pub fn call_back(call_back: impl Fn(&S3Server) + Send + Sync + 'static) -> Self {
        Self::CallBack(Arc::new(call_back))
    }
}

impl fmt::Debug for FaultAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Answer { status, code, .. } => {
                return write!(formatter, "Answer({status} {code})");
            }
            Self::DropConnection => "DropConnection",
            Self::DropAnswer => "DropAnswer",
            Self::TruncateBody { .. } => "TruncateBody",
            Self::StallBody { .. } => "StallBody",
            Self::TrickleBody { .. } => "TrickleBody",
            Self::FlipByte { .. } => "FlipByte",
            Self::StoreCorrupted => "StoreCorrupted",
            Self::CompleteAnswers200WithError { .. } => "CompleteAnswers200WithError",
            Self::IgnoreCopySourceConditions => "IgnoreCopySourceConditions",
            Self::MisreadIfMatch => "MisreadIfMatch",
            Self::StallForever => "StallForever",
            Self::StallAnswer => "StallAnswer",
            Self::CallBack(_) => "CallBack",
            Self::WrongEtag => "WrongEtag",
            Self::IgnoreChecksums { .. } => "IgnoreChecksums",
            Self::ParrotChecksums => "ParrotChecksums",
            Self::WrongChecksums => "WrongChecksums",
            Self::EmptyEtag => "EmptyEtag",
            Self::Forget(_) => "Forget",
            Self::ListBackwards => "ListBackwards",
        };
        formatter.write_str(name)
    }
}

/// A rule that some requests meet with a fault. Only requests with a right signature count.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The S3 name of the operation, such as `GetObject`; `None` is any.
    pub operation: Option<&'static str>,
    /// The bucket; `None` is any.
    pub bucket: Option<String>,
    /// The key; `None` is any, as well as none.
    pub key: Option<String>,
    /// How many matching requests pass before the fault begins.
    pub after: usize,
    /// How many requests meet the fault; `None` is all from then on.
    pub times: Option<usize>,
    /// If the server takes only so many matching requests in each stretch of time, only those
    /// beyond meet the fault.
    pub beyond: Option<Allowance>,
    /// What happens to them.
    pub action: FaultAction,
}

impl Fault {
    /// A fault that every request meets, unless the other methods narrow it down.
    pub fn new(action: FaultAction) -> Self {
        Self {
            operation: None,
            bucket: None,
            key: None,
            after: 0,
            times: None,
            beyond: None,
            action,
        }
    }

    /// An error answer without additional headers.
    pub fn answer(status: u16, code: &'static str) -> Self {
        Self::new(FaultAction::Answer {
            status,
            code,
            message: "This fault was asked for.",
            headers: Vec::new(),
        })
    }

    /// Only requests of this operation.
    #[must_use]
    pub fn operation(self, operation: &'static str) -> Self {
        Self {
            operation: Some(operation),
            ..self
        }
    }

    /// Only requests to this bucket.
    #[must_use]
    pub fn bucket(self, bucket: &str) -> Self {
        Self {
            bucket: Some(bucket.to_owned()),
            ..self
        }
    }

    /// Only requests for this key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self
        }
    }

    /// Only once `passing` matching requests have passed.
    #[must_use]
    pub fn after(self, passing: usize) -> Self {
        Self {
            after: passing,
            ..self
        }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Only requests beyond `requests` in each `stretch` of time.
    #[must_use]
    pub fn beyond(self, requests: usize, stretch: Duration) -> Self {
        let beyond = Some(Allowance {
            requests,
            stretch,
            taken: 0,
            since: None,
        });
        Self { beyond, ..self }
    }

    fn matches(&self, exchange: &Exchange) -> bool {
        self.operation
            .is_none_or(|operation| operation == exchange.operation())
            && self
                .bucket
                .as_ref()
                .is_none_or(|bucket| *bucket == exchange.bucket)
            && self.key.as_ref().is_none_or(|key| *key == exchange.key)
    }

    /// Whether the fault is due at a matching request, which it counts.
    fn falls_due(&mut self) -> bool {
        if self.beyond.as_mut().is_some_and(Allowance::takes) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        match &mut self.times {
            Some(0) => false,
            Some(times) => {
                *times -= 1;
                true
            }
            None => true,
        }
    }
}

/// How many requests a server takes in each stretch of time.
#[derive(Clone, Debug)]
pub struct Allowance {
    requests: usize,
    stretch: Duration,
    taken: usize,
    /// When the present stretch began.
    since: Option<Instant>,
}

impl Allowance {
    /// Whether one more request is taken now.
    fn takes(&mut self) -> bool {
        let now = Instant::now();
        if self.since.is_none_or(|since| now >= since + self.stretch) {
            self.since = Some(now);
            self.taken = 0;
        }
        self.taken += 1;
        self.taken <= self.requests
    }
}

/// Names a fault, to take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(usize);

/// The faults that are in force.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<(FaultId, Fault)>>);

impl Faults {
    fn rules(&self) -> MutexGuard<'_, Vec<(FaultId, Fault)>> {
        self.0
            .lock()
            .expect("no thread panics with the faults locked")
    }

    pub(super) fn add(&self, fault: Fault) -> FaultId {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let id = FaultId(COUNT.fetch_add(1, Ordering::Relaxed));
        self.rules().push((id, fault));
        id
    }

    /// Puts these in the place of all others, at one instant.
    pub(super) fn replace(&self, faults: Vec<Fault>) {
        const NAMELESS: FaultId = FaultId(usize::MAX);
        let faults = faults.into_iter().map(|fault| (NAMELESS, fault));
        *self.rules() = faults.collect();
    }

    pub(super) fn remove(&self, id: FaultId) {
        self.rules().retain(|(rule, _)| *rule != id);
    }

    pub(super) fn clear(&self) {
        self.rules().clear();
    }

    /// The actions that a request meets: every callback that is due and one other.
    pub(super) fn due(&self, exchange: &Exchange) -> Vec<FaultAction> {
        let mut due = Vec::new();
        let mut found_other = false;
        for (_, fault) in self.rules().iter_mut() {
            let is_call_back = matches!(fault.action, FaultAction::CallBack(_));
            if (is_call_back || !found_other) && fault.matches(exchange) && fault.falls_due() {
                found_other |= !is_call_back;
                due.push(fault.action.clone());
            }
        }
        due
    }
}
