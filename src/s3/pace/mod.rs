//! The pace at which an endpoint is asked, shared by all that ask it.
//!
//! A request waits here before it is signed, and nowhere else; it holds its
//! permit until the answer's headers are there, and what comes at once with them.
//! Not until the body of a large object is read: that goes on while a request to
//! the destination, perhaps at the same endpoint, is under way, and with one
//! permit for both neither would end. How fast bodies are read is another matter
//! (`bandwidth`). So nobody who waits for a permit holds one, and every permit
//! comes back with the request's timeout.

mod controller;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::controller::{Controller, Verdict, Wait};
use crate::model::Failure;

/// The pace of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// Who holds it is the next to leave; the others wait behind, so that only
    /// one wakes up when one may go.
    turn: Mutex<()>,
    controller: Mutex<Controller>,
    changed: Condvar,
}

impl Pacer {
    /// Never more than `per_second` requests a second.
    pub(super) fn cap(&self, per_second: u32) {
        self.controller().cap(per_second);
    }

    /// Waits until a request may leave.
    pub(super) fn wait(self: &Arc<Self>) -> Permit {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut controller = self.controller();
        loop {
            let now = Instant::now();
            controller = match controller.admit(now) {
                Ok(()) => return self.permit(now),
                Err(Wait::Answer) => self
                    .changed
                    .wait(controller)
                    .unwrap_or_else(PoisonError::into_inner),
                Err(Wait::Until(due)) => {
                    let wait = due.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(controller, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Lets a request leave if it need not wait for it, nor for those who wait.
    pub(super) fn at_once(self: &Arc<Self>) -> Option<Permit> {
        let _turn = self.turn.try_lock().ok()?;
        let now = Instant::now();
        self.controller().admit(now).ok()?;
        Some(self.permit(now))
    }

    fn permit(self: &Arc<Self>, sent_at: Instant) -> Permit {
        Permit {
            pacer: Arc::clone(self),
            sent_at,
            verdict: Verdict::Unknown,
            retry_after: None,
        }
    }

    fn controller(&self) -> MutexGuard<'_, Controller> {
        self.controller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one request. Given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    pacer: Arc<Pacer>,
    sent_at: Instant,
    verdict: Verdict,
    retry_after: Option<Duration>,
}

impl Permit {
    /// The request was answered well.
    pub(super) fn served(mut self) {
        self.verdict = Verdict::Served;
    }

    /// The request failed like this, and perhaps because of the pace.
    pub(super) fn failed(mut self, failure: &Failure, throttled: bool) {
        self.retry_after = failure.retry_after_ms.map(Duration::from_millis);
        self.verdict = match failure.http_status {
            _ if throttled => Verdict::Throttled,
            Some(..500) => Verdict::Served,
            _ => Verdict::Unknown,
        };
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut controller = self.pacer.controller();
        controller.answered(self.sent_at, Instant::now(), self.verdict, self.retry_after);
        drop(controller);
        self.pacer.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FailureCause;

    #[test]
    fn a_permit_that_comes_back_lets_the_next_one_leave() {
        let pacer = Arc::new(Pacer::default());
        let volley: Vec<Permit> = (0..64).map(|_| pacer.wait()).collect();
        let failure = Failure::new(FailureCause::Throttled, "slower");
        pacer.wait().failed(&failure, true);
        // Half as many from now on: none of twenty waiting threads goes before the
        // others come back, and then each comes to it.
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| pacer.wait().served());
            }
            drop(volley);
        });
        assert_eq!(
            pacer
                .controller()
                .admit(Instant::now() + Duration::from_secs(2)),
            Ok(())
        );
    }

    #[test]
    fn what_will_not_wait_leaves_at_once_or_not_at_all() {
        let pacer = Arc::new(Pacer::default());
        pacer.cap(10);
        // One that is due and those of the allowance.
        let left: Vec<Option<Permit>> = (0..50).map(|_| pacer.at_once()).collect();
        assert!((1..5).contains(&left.iter().flatten().count()));
        let free = Arc::new(Pacer::default());
        let turn = free.turn.lock().unwrap();
        assert!(free.at_once().is_none(), "another waits");
        drop(turn);
        assert!(free.at_once().is_some());
    }
}
