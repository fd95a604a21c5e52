//! Answers whose bodies come a byte at a time.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Bytes, Frame, SizeHint};
use s3s::{Body, StdError};
use tokio::time::Sleep;

/// A body that goes on a byte at a time, with a pause before each.
pub(super) struct TrickledBody {
    body: Body,
    /// How many bytes come at once.
    at_once: u64,
    pause: Duration,
    rest: Bytes,
    pausing: Option<Pin<Box<Sleep>>>,
}

impl TrickledBody {
    pub(super) fn wrap(body: Body, after_bytes: u64, pause: Duration) -> Body {
        Body::http_body_unsync(Self {
            body,
            at_once: after_bytes,
            pause,
            rest: Bytes::new(),
            pausing: None,
        })
    }
}

impl hyper::body::Body for TrickledBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let this = &mut *self;
        while this.rest.is_empty() {
            let Some(frame) = ready!(pin!(&mut this.body).poll_frame(cx)?) else {
                return Poll::Ready(None);
            };
            let Ok(mut data) = frame.into_data() else {
                continue;
            };
            let at_once = usize::try_from(this.at_once).unwrap_or(usize::MAX);
            let now = data.split_to(at_once.min(data.len()));
            this.at_once -= now.len() as u64;
            this.rest = data;
            if !now.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(now))));
            }
        }
        let pause = this.pause;
        let pausing = this
            .pausing
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        ready!(pausing.as_mut().poll(cx));
        this.pausing = None;
        Poll::Ready(Some(Ok(Frame::data(this.rest.split_to(1)))))
    }

    fn size_hint(&self) -> SizeHint {
        // The answer still promises the whole, of which nothing was read yet.
        self.body.size_hint()
    }
}
