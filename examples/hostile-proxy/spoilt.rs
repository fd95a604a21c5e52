//! A body that is damaged at one byte.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::fault::Damage;

/// Passes `body` on with one damage.
pub struct Spoilt {
    body: Incoming,
    damage: Damage,
    /// The bytes that have passed.
    passed: u64,
    pause: Duration,
    pausing: Option<Pin<Box<Sleep>>>,
    /// Told when the connection is to end by a reset.
    resets: Arc<AtomicBool>,
    ended: bool,
}

impl Spoilt {
    /// `damage` may lie anywhere; its place is brought within the body.
    pub fn new(body: Incoming, damage: Damage, pause: Duration, resets: Arc<AtomicBool>) -> Self {
        let damage = damage.within(body.size_hint().exact());
        Self {
            body,
            damage,
            passed: 0,
            pause,
            pausing: None,
            resets,
            ended: false,
        }
    }

    /// `data`, which begins at the byte `passed`, as it goes on; `None` to end the connection.
    fn treat(&mut self, data: Bytes) -> Option<Bytes> {
        let (first, end) = (self.passed, self.passed + data.len() as u64);
        self.passed = end;
        let within = |at: u64| usize::try_from(at.saturating_sub(first)).unwrap_or(usize::MAX);
        match self.damage {
            Damage::Alter(at) if (first..end).contains(&at) => {
                let mut altered = data.to_vec();
                altered[within(at)] ^= 0x10;
                Some(altered.into())
            }
            Damage::Cut(at) if end > at => {
                // Now and then less gently than by an early end.
                self.resets
                    .fetch_or(at.is_multiple_of(2), Ordering::Relaxed);
                self.ended = true;
                (first < at).then(|| data.slice(..within(at)))
            }
            Damage::Shorten(at) if end > at => {
                self.ended = true;
                Some(data.slice(..within(at)))
            }
            _ => Some(data),
        }
    }
}

impl Body for Spoilt {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let broken = || Some(Err(io::ErrorKind::ConnectionAborted.into()));
        if self.ended {
            let whole = matches!(self.damage, Damage::Shorten(_));
            return Poll::Ready(if whole { None } else { broken() });
        }
        if let Some(pausing) = &mut self.pausing {
            ready!(pausing.as_mut().poll(context));
            self.pausing = None;
        }
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(frame) => frame.map_err(io::Error::other)?,
        };
        let Ok(data) = frame.into_data() else {
            return Poll::Ready(None);
        };
        if let Damage::Stall(at) = self.damage
            && (self.passed..=self.passed + data.len() as u64).contains(&at)
        {
            // The byte goes out first, so that the pause is seen from within the body.
            self.pausing = Some(Box::pin(sleep(self.pause)));
            self.damage = Damage::Stall(u64::MAX);
        }
        Poll::Ready(match self.treat(data) {
            Some(data) => Some(Ok(Frame::data(data))),
            None => broken(),
        })
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.body.size_hint();
        match (self.damage, left.exact()) {
            (Damage::Shorten(at), Some(left)) => {
                let end = at.min(self.passed + left);
                SizeHint::with_exact(end.saturating_sub(self.passed))
            }
            _ => left,
        }
    }
}
