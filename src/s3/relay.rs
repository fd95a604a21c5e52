//! A small object that is read and written on by the HTTP client's thread, while
//! the thread that asks waits once for both.
//!
//! To wake a thread costs about as much as to send a request. What goes wrong, and
//! what would have to wait for its pace, is left to who asked.

use rusty_s3::Method;

use super::bandwidth::CHUNK_BYTES;
use super::bucket::Bucket;
use super::cause::Operation;
use super::download::Download;
use super::object::{GetOptions, PutAnswer, Upload, carrying};
use super::request::Request;
use crate::model::Failure;

/// How far a relay came.
pub struct Relayed<R> {
    /// What was made of the object that was read.
    pub read: Result<R, Failure>,
    /// What came of writing it; `None` if that was not tried.
    pub written: Option<Result<PutAnswer, Failure>>,
}

impl Bucket {
    /// The largest object that is relayed: one that surely comes with its answer.
    pub const MOST_RELAYED_BYTES: u64 = CHUNK_BYTES as u64 - 1;

    /// Reads an object and writes what it makes to `destination`, under the same
    /// name: `read` makes something of the object, `upload` says what of that is
    /// written. Both run on the thread on which all requests are sent, and must
    /// neither wait nor take long.
    ///
    /// Not for objects of more than [`MOST_RELAYED_BYTES`](Self::MOST_RELAYED_BYTES),
    /// nor from a bucket that is [capped](Self::is_capped).
    pub fn relay<R: Send + 'static>(
        &self,
        name: &str,
        options: GetOptions<'_>,
        destination: &Self,
        read: impl FnOnce(Download) -> Result<R, Failure> + Send + 'static,
        upload: impl FnOnce(&R) -> Upload<'_> + Send + 'static,
    ) -> Relayed<R> {
        let request = self.get_request(name, options);
        let (get, expected) = match self.prepared(request, self.0.pacer.wait()) {
            Ok(prepared) => prepared,
            Err(failure) => return Relayed::unread(failure),
        };
        let (source, to, of) = (self.clone(), destination.clone(), Box::<str>::from(name));
        let exchanged = self.0.http.exchange_two(get, move |answer| {
            let download = source
                .judged(expected, Some(&of), answer)
                .and_then(|answer| source.download(&of, answer, None));
            let made = download.and_then(|download| {
                if download.body.is_here() {
                    read(download)
                } else {
                    let why = "sends more than it announced";
                    Err(source.nonsense(Operation::GetObject, Some(&of), why))
                }
            });
            let put = made.as_ref().ok().and_then(|made| {
                let request = Request::about(Operation::PutObject, Method::Put, &of);
                let request = carrying(request, upload(made));
                let size_bytes = request.body.as_ref().map_or(0, super::Body::size_bytes);
                let (put, expected) = to.prepared(request, to.0.pacer.at_once()?).ok()?;
                Some((put, (expected, size_bytes)))
            });
            let (put, expected) = put.unzip();
            ((made, expected), put.map(|put| (to.0.http.clone(), put)))
        });
        let ((read, expected), answer) = match exchanged {
            Ok(exchanged) => exchanged,
            Err(error) => {
                let operation = Operation::GetObject;
                return Relayed::unread(self.unanswered(operation, Some(name), &error));
            }
        };
        let written = expected
            .zip(answer)
            .map(|((expected, size_bytes), answer)| {
                let answer = destination.judged(expected, Some(name), answer)?;
                destination.put_answer(Operation::PutObject, Some(name), size_bytes, &answer)
            });
        Relayed { read, written }
    }
}

impl<R> Relayed<R> {
    const fn unread(failure: Failure) -> Self {
        Self {
            read: Err(failure),
            written: None,
        }
    }
}
