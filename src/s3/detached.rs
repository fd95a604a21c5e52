//! Requests for which no thread waits: they are sent, answered and followed up on
//! the HTTP client's own thread.
//!
//! To wake a thread costs about as much as to send a request, so small objects are
//! carried like this. What would have to wait, for its pace or before it is tried
//! again, is left to who asked.

use std::fmt;
use std::sync::Arc;

use rusty_s3::Method;

use super::bandwidth::CHUNK_BYTES;
use super::bucket::Bucket;
use super::cause::Operation;
use super::download::Download;
use super::object::{GetOptions, PutAnswer, Upload, carrying};
use super::pace::Permit;
use super::request::{Body, Request};
use super::signer::Signer;
use crate::model::Failure;

/// Leave to send one request, which need not wait for its pace nor for keys.
pub struct Leave {
    permit: Permit,
    signer: Arc<Signer>,
}

impl fmt::Debug for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leave")
    }
}

impl Bucket {
    /// The largest object that surely comes with its answer, as a whole.
    pub const MOST_AT_ONCE_BYTES: u64 = CHUNK_BYTES as u64 - 1;

    /// Leave to send one request now; `None` if one would have to wait, or if what
    /// is read is [capped](Self::is_capped).
    #[must_use]
    pub fn leave(&self) -> Option<Leave> {
        if self.is_capped() {
            return None;
        }
        self.leave_to_write()
    }

    fn leave_to_write(&self) -> Option<Leave> {
        let signer = self.0.keys.at_hand()?;
        let permit = self.0.pacer.at_once()?;
        Some(Leave { permit, signer })
    }

    /// Has `work` about the object `name` done on the HTTP client's thread, where
    /// `done` is told what came of it, or the failure if it panicked. Both must wait
    /// for nothing but requests, and not take long.
    pub fn detach<T>(
        &self,
        name: &str,
        work: impl Future<Output = T> + Send + 'static,
        done: impl FnOnce(Result<T, Failure>) + Send + 'static,
    ) {
        let (bucket, name) = (self.clone(), Box::<str>::from(name));
        self.0.http.detach(work, move |made| {
            done(
                made.map_err(|broken| {
                    bucket.unanswered(Operation::GetObject, Some(&name), &broken)
                }),
            );
        });
    }

    /// Begins to read the object, as [`get`](Self::get) does. For
    /// [detached](Self::detach) work.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub async fn get_detached(
        &self,
        leave: Leave,
        name: &str,
        options: GetOptions<'_>,
    ) -> Result<Download, Failure> {
        let request = self.get_request(name, options);
        let (get, expected) = self.prepared(request, leave.permit, leave.signer)?;
        let answer = self.0.http.ask(get).await;
        self.download(name, self.judged(expected, Some(name), answer)?, None)
    }

    /// Writes an object, as [`put`](Self::put) does; `None` if it cannot leave now.
    /// For [detached](Self::detach) work, with the bytes at hand.
    pub async fn put_detached(
        &self,
        name: &str,
        upload: Upload<'_>,
    ) -> Option<Result<PutAnswer, Failure>> {
        let operation = Operation::PutObject;
        let request = carrying(Request::about(operation, Method::Put, name), upload);
        let size_bytes = request.body.as_ref().map_or(0, Body::size_bytes);
        let leave = self.leave_to_write()?;
        let (put, expected) = self
            .prepared(request, leave.permit, leave.signer)
            .ok()
            .filter(|(put, _)| put.stream.is_none())?;
        let answer = self.0.http.ask(put).await;
        let answer = self.judged(expected, Some(name), answer);
        Some(answer.and_then(|answer| self.put_answer(operation, Some(name), size_bytes, &answer)))
    }
}
