//! Bodies, within bounds: of one, of all together, and of the time they may take.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Refusal;
use crate::config::ServeLimits;

/// Reads bodies.
pub(super) struct Bodies {
    most_bytes: usize,
    patience: Duration,
    /// A permit for each byte that may be held.
    memory: Arc<Semaphore>,
}

/// A body, whole. Its memory is others' again once it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// What it says.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
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
    pub(super) async fn read(&self, body: Body) -> Result<Held, Refusal> {
        if body.size_hint().lower() > self.most_bytes as u64 {
            return Err(Refusal::TooLarge(self.most_bytes));
        }
        tokio::time::timeout(self.patience, self.read_to_end(body))
            .await
            .unwrap_or(Err(Refusal::TooSlow))
    }

    async fn read_to_end(&self, mut body: Body) -> Result<Held, Refusal> {
        let mut bytes = Vec::new();
        let mut memory: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let broken = |_| Refusal::Wrong("the body broke off.".to_owned());
            let Ok(data) = frame.map_err(broken)?.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > self.most_bytes {
                return Err(Refusal::TooLarge(self.most_bytes));
            }
            let wanted = u32::try_from(data.len()).map_err(|_| Refusal::Busy)?;
            let more = self.memory.clone().try_acquire_many_owned(wanted);
            let more = more.map_err(|_| Refusal::Busy)?;
            match &mut memory {
                Some(held) => held.merge(more),
                None => memory = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Held {
            bytes,
            _memory: memory,
        })
    }
}
