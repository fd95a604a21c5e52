//! Trying again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Transfer;
use crate::model::{Failure, FailureCause};

/// How long a pause goes on without looking whether the run was stopped.
const STOP_CHECK: Duration = Duration::from_millis(50);

/// How often a request is tried, and the pauses between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The longest pause before the second attempt, in milliseconds; it doubles
    /// for each further one.
    pub base_ms: u64,
    /// The longest pause of all, in milliseconds.
    pub cap_ms: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            base_ms: 200,
            cap_ms: 20_000,
        }
    }
}

impl RetryPolicy {
    /// The pause after the attempt `attempt` (from 1) failed: somewhere between
    /// nothing and the longest, so that workers do not come back all at once;
    /// at least what the server asked for, up to the cap.
    fn pause_ms(&self, attempt: u32, retry_after_ms: Option<u64>) -> u64 {
        let doubled = self.base_ms.saturating_mul(1 << (attempt - 1).min(32));
        let pause = fastrand::u64(0..=doubled.min(self.cap_ms));
        pause.max(retry_after_ms.unwrap_or(0).min(self.cap_ms))
    }
}

/// What one object cost besides its outcome. Its parts count into one tally.
#[derive(Debug, Default)]
pub struct Tally {
    retries: AtomicU32,
    throttled: AtomicU32,
}

impl Tally {
    /// How often something was tried again.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries.load(Ordering::Relaxed)
    }

    /// How many answers asked for a slower pace.
    #[must_use]
    pub fn throttled(&self) -> u32 {
        self.throttled.load(Ordering::Relaxed)
    }
}

impl Transfer {
    /// Makes attempts until one succeeds, fails for a cause that another
    /// attempt does not cure, or was the last.
    pub(super) fn attempts<T>(
        &self,
        tally: &Tally,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut made = 0;
        loop {
            made += 1;
            let failure = match attempt() {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if failure.cause == FailureCause::Throttled {
                tally.throttled.fetch_add(1, Ordering::Relaxed);
            }
            if !failure.may_pass() || made >= self.retry.attempts {
                return Err(failure);
            }
            let pause_ms = self.retry.pause_ms(made, failure.retry_after_ms);
            if !self.pause(Duration::from_millis(pause_ms)) {
                return Err(failure);
            }
            tally.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits; `false` as soon as the run is stopped.
    fn pause(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(STOP_CHECK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_cap_and_honour_the_server() {
        let policy = RetryPolicy::default();
        for attempt in 1..100 {
            let longest = (200 << (attempt - 1).min(20)).min(20_000);
            assert!(policy.pause_ms(attempt, None) <= longest);
        }
        assert!(policy.pause_ms(1, Some(5000)) >= 5000);
        assert!(policy.pause_ms(1, Some(3_600_000)) <= 20_000);
    }
}
