//! Bodies, within bounds: of one, of all together, and of the time they may take.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Refusal;
use crate::config::ServeLimits;

/// How long, and of how many bytes, the body of a call that is refused is taken
/// and forgotten: a sender who is cut off while it sends does not read its answer.
const LET_SEND: Duration = Duration::from_secs(2);
const LET_SEND_BYTES: usize = 1 << 20;

/// Reads bodies.
pub(super) struct Bodies {
    most_bytes: usize,
    patience: Duration,
    /// A permit for each byte that may be held.
    memory: Arc<Semaphore>,
}

/// A body, whole.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    memory: Memory,
}

/// What a body takes of the memory for all. It is others' again once this is dropped.
pub(super) type Memory = Option<OwnedSemaphorePermit>;

impl Held {
    /// What it says.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it takes of the memory, for what has been made of it.
    pub(super) fn into_memory(self) -> Memory {
        self.memory
    }
}

impl Bodies {
    pub(super) fn new(limits: &ServeLimits) -> Self {
        Self {
            most_bytes: limits.most_body_bytes,
            patience: limits.patience,
            memory: Arc::new(Semaphore::new(limits.memory_bytes)),
        }
    }

    /// Reads `body` to its end. Takes memory for what has arrived only, so that
    /// a slow sender keeps nobody else's; does not wait for memory, since those
    /// who hold it might wait for each other.
    pub(super) async fn read(&self, mut body: Body) -> Result<Held, Refusal> {
        let read = async {
            if body.size_hint().lower() > self.most_bytes as u64 {
                return Err(Refusal::TooLarge(self.most_bytes));
            }
            self.read_to_end(&mut body).await
        };
        let read = tokio::time::timeout(self.patience, read).await;
        let read = read.unwrap_or(Err(Refusal::TooSlow));
        if matches!(read, Err(Refusal::TooLarge(_) | Refusal::Busy)) {
            let_send(body).await;
        }
        read
    }

    async fn read_to_end(&self, body: &mut Body) -> Result<Held, Refusal> {
        let mut held = Held::default();
        while let Some(frame) = body.frame().await {
            let broken = |_| Refusal::Wrong("the body broke off.".to_owned());
            let Ok(data) = frame.map_err(broken)?.into_data() else {
                continue;
            };
            if held.bytes.len() + data.len() > self.most_bytes {
                return Err(Refusal::TooLarge(self.most_bytes));
            }
            let wanted = u32::try_from(data.len()).map_err(|_| Refusal::Busy)?;
            let more = self.memory.clone().try_acquire_many_owned(wanted);
            let more = more.map_err(|_| Refusal::Busy)?;
            match &mut held.memory {
                Some(memory) => memory.merge(more),
                none => *none = Some(more),
            }
            held.bytes.extend_from_slice(&data);
        }
        Ok(held)
    }
}

/// Takes what a caller who is refused is about to send, within bounds.
pub(super) async fn let_send(mut body: Body) {
    let take = async {
        let mut taken = 0;
        while taken < LET_SEND_BYTES
            && let Some(Ok(frame)) = body.frame().await
        {
            taken += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    drop(tokio::time::timeout(LET_SEND, take).await);
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;

    use super::*;

    /// A body that comes in pieces and does not say how long it is.
    struct Pieces {
        pieces: VecDeque<&'static str>,
        ends: bool,
    }

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.pieces.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece.into())))),
                None if self.ends => Poll::Ready(None),
                None => Poll::Pending,
            }
        }
    }

    fn pieces(pieces: &[&'static str], ends: bool) -> Body {
        let pieces = pieces.iter().copied().collect();
        Body::new(Pieces { pieces, ends })
    }

    fn bodies(most_bytes: usize, memory_bytes: usize) -> Bodies {
        Bodies {
            most_bytes,
            patience: Duration::ZERO,
            memory: Arc::new(Semaphore::new(memory_bytes)),
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    }

    #[test]
    fn a_body_may_be_as_long_as_it_may_be_and_no_longer() {
        runtime().block_on(async {
            let bodies = bodies(6, 100);
            let held = bodies.read(pieces(&["abc", "def"], true)).await.unwrap();
            assert_eq!(held.bytes(), b"abcdef");
            for body in [pieces(&["abc", "defg"], true), Body::from("abcdefg")] {
                assert_eq!(bodies.read(body).await.unwrap_err(), Refusal::TooLarge(6));
            }
        });
    }

    #[test]
    fn a_body_that_does_not_end_is_given_up() {
        runtime().block_on(async {
            let body = pieces(&["abc"], false);
            assert_eq!(
                bodies(6, 100).read(body).await.unwrap_err(),
                Refusal::TooSlow
            );
        });
    }

    #[test]
    fn bodies_take_of_a_common_memory_and_give_it_back() {
        runtime().block_on(async {
            let bodies = bodies(6, 10);
            let held = bodies.read(Body::from("abcdef")).await.unwrap();
            let refused = bodies.read(Body::from("ghijk")).await;
            assert_eq!(refused.unwrap_err(), Refusal::Busy);
            bodies.read(Body::from("ghij")).await.unwrap();
            drop(held);
            bodies.read(Body::from("ghijk")).await.unwrap();
            assert_eq!(bodies.memory.available_permits(), 10);
        });
    }
}
