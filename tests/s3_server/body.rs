//! The bodies of requests and answers on their way through the server.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use s3s::{Body, StdError};

use super::faults::FaultAction;
use super::trickle::TrickledBody;

/// What is read at most of a request that was answered early.
const DRAIN_LIMIT_BYTES: usize = 64 << 20;

/// A request's body that is still there when its handler has let go of it.
#[derive(Clone)]
pub(super) struct RequestBody(Arc<Mutex<Incoming>>);

impl RequestBody {
    pub(super) fn new(incoming: Incoming) -> Self {
        Self(Arc::new(Mutex::new(incoming)))
    }

    fn lock(&self) -> MutexGuard<'_, Incoming> {
        self.0.lock().expect("no thread panics with a body locked")
    }

    /// Reads what the handler left, as closing the connection with data unread would keep the
    /// client from reading the answer.
    pub(super) async fn drain(mut self) {
        let mut drained = 0;
        while drained < DRAIN_LIMIT_BYTES {
            let Some(Ok(frame)) = self.frame().await else {
                break;
            };
            drained += frame.data_ref().map_or(0, Bytes::len);
        }
    }
}

impl hyper::body::Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        pin!(&mut *self.lock()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.lock().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().size_hint()
    }
}

/// An answer's body that a fault spoils.
pub(super) struct SpoiltBody {
    body: Body,
    fault: BodyFault,
    sent: u64,
    has_paused: bool,
}

enum BodyFault {
    FlipByte(u64),
    TruncateAfter(u64),
    StallAfter(u64),
}

impl SpoiltBody {
    /// Spoils the body if the action is about bodies.
    pub(super) fn wrap(body: Body, action: Option<&FaultAction>) -> Body {
        if let Some(FaultAction::TrickleBody { after_bytes, pause }) = action {
            return TrickledBody::wrap(body, *after_bytes, *pause);
        }
        let fault = match action {
            Some(FaultAction::FlipByte { at }) => BodyFault::FlipByte(*at),
            Some(FaultAction::TruncateBody { after_bytes }) => {
                BodyFault::TruncateAfter(*after_bytes)
            }
            Some(FaultAction::StallBody { after_bytes }) => BodyFault::StallAfter(*after_bytes),
            _ => return body,
        };
        Body::http_body_unsync(Self {
            body,
            fault,
            sent: 0,
            has_paused: false,
        })
    }

    fn end(&self) -> Option<u64> {
        match self.fault {
            BodyFault::FlipByte(_) => None,
            BodyFault::TruncateAfter(end) | BodyFault::StallAfter(end) => Some(end),
        }
    }

    /// What happens once the last byte that is to be sent was sent.
    fn poll_end(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        match self.fault {
            BodyFault::StallAfter(_) => Poll::Pending,
            _ if self.has_paused => {
                let error =
                    io::Error::new(io::ErrorKind::ConnectionAborted, "a fault ends the body");
                Poll::Ready(Some(Err(error.into())))
            }
            _ => {
                // Gives the connection the occasion to send what it has.
                self.has_paused = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn spoil(&mut self, data: Bytes) -> Bytes {
        let start = self.sent;
        self.sent += data.len() as u64;
        match self.fault {
            BodyFault::FlipByte(at) if (start..self.sent).contains(&at) => {
                let mut altered = data.to_vec();
                altered[usize::try_from(at - start).expect("a position in memory fits usize")] ^= 1;
                altered.into()
            }
            BodyFault::TruncateAfter(end) | BodyFault::StallAfter(end) if self.sent > end => {
                data.slice(..usize::try_from(end - start).expect("a position in memory fits usize"))
            }
            _ => data,
        }
    }
}

impl hyper::body::Body for SpoiltBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if self.end().is_some_and(|end| self.sent >= end) {
            return self.poll_end(cx);
        }
        let Some(frame) = ready!(pin!(&mut self.body).poll_frame(cx)?) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(Ok(frame.map_data(|data| self.spoil(data)))))
    }

    fn size_hint(&self) -> SizeHint {
        // The answer still promises the whole.
        self.body.size_hint()
    }
}
