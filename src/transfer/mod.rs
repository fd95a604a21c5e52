//! The copy of one object: read, hashed, written, proven.
//!
//! ```text
//! small   GET ─▶ digest = source's? ─▶ PUT with it ─▶ digest = destination's?
//! at one server   CopyObject ─▶ MD5 = source's?   (what it refuses goes one of the other ways)
//! large   HEAD ─▶ Create ─▶ per part: ranged GET, If-Match ─▶ PUT with digest ─▶ echo? ─▶ whole = source's? ─▶ Complete ─▶ ETag?
//! ```
//!
//! Small ones are tried for the first time without a thread that waits (`first_try`).
//! With which headers copies are written, `dress` says, whichever way they go.
//! Which digest that is, `proof` says: the cheapest that the destination was seen
//! to check, else MD5.
//!
//! Nothing here starts threads or waits for a share of memory: the caller asks
//! for a [`Route`], takes what it needs, and calls from a thread of its own.
//!
//! What fails with `source_changed` is not tried again here, because the
//! decision to copy rested on facts that no longer hold: ask both ends afresh
//! and decide again. A name that was deleted meanwhile then shows as missing.

mod archive;
mod buffers;
mod compare;
mod deep;
mod digest;
mod dress;
mod first_try;
mod part;
mod parts;
mod proof;
mod resume;
mod retry;
mod route;
mod server_side;
mod whole;
mod whole_md5;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use buffers::Buffers;
pub use deep::{Compared, Pair};
pub use first_try::{FirstTry, ReadyCopy};
pub use parts::PartsCopy;
pub use resume::tag_of_parts;
pub use retry::{RetryPolicy, Tally};
pub use route::{Limits, PartPlan, Route};
pub use server_side::ServerSide;
pub use whole::{Begun, WholeCopy};

use bytes::Bytes;

use crate::model::{
    ChecksumMode, Copied, ETag, Failure, FailureCause, ObjectFacts, Side, WriteOptions,
};
use crate::s3::{Bucket, Download, DownloadBody, GetOptions, Head, ListPage};

/// Copies objects from one bucket to another. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Where objects are read.
    pub source: Bucket,
    /// Where they are written.
    pub destination: Bucket,
    /// How much may be buffered, and in which parts.
    pub limits: Limits,
    /// By what copies are proven.
    pub checksum: ChecksumMode,
    /// What copies are written with besides what travels.
    pub write_options: WriteOptions,
    /// How often and after which pauses a request is tried again.
    pub retry: RetryPolicy,
    /// Once set, nothing is tried again.
    pub stop: Arc<AtomicBool>,
    /// Where large buffers come from.
    pub buffers: Buffers,
    /// Whether the server is asked to copy by itself.
    pub server_side: ServerSide,
}

/// A copy that arrived and was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The copy.
    pub copied: Copied,
    /// The destination's id of the request that made it.
    pub server_request_id: Option<String>,
}

impl Transfer {
    /// Asks the source about `name`; `None` if it is missing.
    ///
    /// # Errors
    /// It refused or did not answer, after all attempts.
    pub fn source_head(&self, name: &str, tally: &Tally) -> Result<Option<Head>, Failure> {
        self.attempts(tally, || self.source.head(name))
    }

    /// Asks the destination about `name`; `None` if it is missing.
    ///
    /// # Errors
    /// It refused or did not answer, after all attempts.
    pub fn destination_facts(
        &self,
        name: &str,
        tally: &Tally,
    ) -> Result<Option<ObjectFacts>, Failure> {
        let head = self.attempts(tally, || self.destination.head(name))?;
        Ok(head.map(|head| head.facts))
    }

    /// A page of what the bucket of one end has after the key `after`.
    ///
    /// # Errors
    /// It refused or did not answer, after all attempts.
    pub fn list(
        &self,
        side: Side,
        after: &str,
        max_keys: u16,
        tally: &Tally,
    ) -> Result<ListPage, Failure> {
        let bucket = self.bucket(side);
        let after = (!after.is_empty()).then_some(after);
        self.attempts(tally, || bucket.list("", after, None, max_keys))
    }

    /// A page of up to `max_keys` objects of one end whose names begin with `prefix`:
    /// the first, or the one at which `continuation` goes on.
    ///
    /// # Errors
    /// It refused or did not answer, after all attempts.
    pub fn page(
        &self,
        side: Side,
        prefix: &str,
        continuation: Option<&str>,
        max_keys: u16,
    ) -> Result<ListPage, Failure> {
        let bucket = self.bucket(side);
        self.attempts(&Tally::default(), || {
            bucket.list(prefix, None, continuation, max_keys)
        })
    }

    /// Asks one end about `name` once, to see how long that takes.
    pub fn ask(&self, side: Side, name: &str) {
        drop(self.bucket(side).head(name));
    }

    const fn bucket(&self, side: Side) -> &Bucket {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }

    /// Begins to read the object before anything is known of it; `None` if it
    /// is missing. `tried` is what came of a first attempt, if one was made.
    ///
    /// # Errors
    /// The source refused or did not answer, after all attempts.
    pub fn open(
        &self,
        name: &str,
        mut tried: Option<Result<Download, Failure>>,
        tally: &Tally,
    ) -> Result<Option<Download>, Failure> {
        let opened = self.attempts(tally, || match tried.take() {
            Some(opened) => opened,
            None => self.source.get(name, GetOptions::default()),
        });
        match opened {
            Ok(download) => Ok(Some(download)),
            Err(failure) if failure.cause == FailureCause::SourceMissing => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// How an object of `size_bytes` is to be carried.
    ///
    /// # Errors
    /// `too_large` if no multipart upload can hold it.
    pub fn route(&self, size_bytes: u64) -> Result<Route, Failure> {
        if self.server_side.copies_whole(size_bytes) {
            return Ok(Route::ServerSide { size_bytes });
        }
        self.route_through_here(size_bytes)
    }

    /// How an object of `size_bytes` is to be carried that the server does not
    /// copy by itself.
    ///
    /// # Errors
    /// `too_large` if no multipart upload can hold it.
    pub fn route_through_here(&self, size_bytes: u64) -> Result<Route, Failure> {
        route::route(size_bytes, &self.limits)
    }

    /// Asks the source about the object of the facts `planned`, which it must
    /// still have.
    fn planned_head(
        &self,
        name: &str,
        planned: &ObjectFacts,
        tally: &Tally,
    ) -> Result<Head, Failure> {
        let Some(head) = self.source_head(name, tally)? else {
            let message = format!("{name:?} is not at the source any more");
            return Err(Failure::new(FailureCause::SourceMissing, message).at(Side::Source));
        };
        check_unchanged(name, planned, &head.facts)?;
        Ok(head)
    }

    /// Reads a body of `size_bytes` into one buffer; `seen` is shown what came, one
    /// chunk after the other.
    fn read_all(
        &self,
        body: DownloadBody,
        size_bytes: u64,
        seen: impl FnMut(&[u8]),
    ) -> Result<Bytes, Failure> {
        let Ok(size) = usize::try_from(size_bytes) else {
            let message = "larger than memory can be";
            return Err(Failure::new(FailureCause::Internal, message));
        };
        let mut buffer = self.buffers.lend(size);
        body.read_into_seen(buffer.as_mut(), seen)?;
        Ok(Bytes::from_owner(buffer))
    }

    /// Removes a copy that is proven wrong, so that no later night takes it for
    /// a newer object and lets it be; says in `failure` what became of it. What
    /// others have written since is left alone.
    fn remove_wrong_copy(&self, name: &str, etag: &ETag, failure: &mut Failure) {
        let removed = self.destination.head(name).and_then(|found| match found {
            Some(found) if found.facts.etag == *etag => {
                self.destination.delete(name).map(|()| true)
            }
            _ => Ok(false),
        });
        failure.message.push_str(match removed {
            Ok(true) => "; the wrong copy was removed",
            Ok(false) => "; the wrong copy is not there any more",
            Err(_) => "; the wrong copy could not be removed",
        });
    }
}

/// Whether what was `found` is the very object that the decision was about. A
/// server may ignore If-Match, so its answer is looked at.
fn check_unchanged(name: &str, planned: &ObjectFacts, found: &ObjectFacts) -> Result<(), Failure> {
    if found.etag != planned.etag {
        let message = format!(
            "{name:?} changed at the source: its ETag was {}, now it is {}",
            planned.etag, found.etag
        );
        return Err(Failure::new(FailureCause::SourceChanged, message));
    }
    if found.size_bytes != planned.size_bytes {
        let message = format!(
            "the source announces {} bytes for {name:?}, before it was {} with the same ETag",
            found.size_bytes, planned.size_bytes
        );
        return Err(Failure::new(FailureCause::Integrity, message));
    }
    Ok(())
}
