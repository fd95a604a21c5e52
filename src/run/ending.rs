//! How the conveyor comes to its end: what is let go, and what is left.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use super::conveyor::Conveyor;
use super::names::Names;
use crate::ledger::{BeginFailure, LedgerError, OpenBreaker};
use crate::model::Deferral;

/// What was left undone, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Why; `None` if nothing was left.
    pub deferral: Option<Deferral>,
    /// The first name, in the order of work, that was left.
    pub resume_name: Option<String>,
    /// The breaker that opened.
    pub breaker: Option<OpenBreaker>,
    /// Why no object could be carried.
    pub begin_failure: Option<BeginFailure>,
}

impl Conveyor<'_> {
    /// Whether what is still in flight is given up.
    pub(super) fn waits_no_longer(&self) -> bool {
        self.is_out_of_grace() || self.means.stop.signal.is_urgent()
    }

    /// Leaves what is still in flight to itself: a request that was sent cannot
    /// be called back, so nobody waits for it. That is safe. It has no outcome,
    /// so it stays pending, and a copy of it that lands later is one that the
    /// next run finds at the destination and recognises; an upload in parts goes
    /// on then. Its slots, its memory and the task's lock stay taken until it
    /// has ended, or the process has: no other run can be at work on the same
    /// names meanwhile.
    pub(super) fn abandon(self) {
        let Self {
            sender,
            events,
            mut share,
            means,
            ..
        } = self;
        if share.holds_nothing() {
            return;
        }
        share.set_active(false);
        drop(sender);
        let lock = Arc::clone(means.lock);
        let ending = thread::Builder::new().name("given-up".into());
        let spawned = ending.spawn(move || {
            // Ends when the last of them has answered.
            for _event in events {}
            drop((share, lock));
        });
        if let Err(error) = spawned {
            tracing::warn!("cannot watch what was given up: {error}");
        }
    }

    /// Once the run is to stop, what has not begun to move is left.
    pub(super) fn heed_stop(&mut self) {
        let open = self.breaker.open().map(|_| Deferral::BreakerOpen);
        let could_not = self.begin_failure().map(|_| Deferral::CouldNotBegin);
        if self.stopping.is_none()
            && let Some(reason) = could_not.or(open).or_else(|| self.means.stop.reason())
        {
            self.stopping = Some((reason, Instant::now()));
            self.means.progress.stops(reason, self.means.stop);
        }
        if self.stopping.is_some() {
            self.means.transfer.stop.store(true, Ordering::Relaxed);
            self.stretches.clear();
            self.to_look.clear();
            self.to_plan.clear();
            self.planned.clear();
            self.ready.clear();
        }
    }

    /// Whether objects in parts that are under way are to be given up.
    pub(super) fn is_out_of_grace(&self) -> bool {
        self.stopping
            .is_some_and(|(_, since)| since.elapsed() > self.means.grace)
    }

    pub(super) fn left(&mut self, names: &mut Names<'_>) -> Result<Left, LedgerError> {
        let stopped = self.stopping.is_some() || self.means.stop.signal.is_urgent();
        for (sequence, attempt) in self.breaker.rest(stopped) {
            self.record(sequence, attempt);
        }
        let first_begun = self.unsettled.pop_first().map(|(_, name)| name);
        let next = match first_begun {
            Some(name) => Some(name),
            None => names.peek()?.cloned(),
        };
        let deferral = match self.stopping {
            Some((reason, _)) => Some(reason),
            None if self.means.settle_only => Some(Deferral::Limit),
            None if self.outbox.recorder_is_gone() || self.means.stop.signal.is_urgent() => {
                Some(Deferral::Stopped)
            }
            None if next.is_some() => Some(Deferral::Limit),
            None => self.awaits.then_some(Deferral::AwaitingRestore),
        };
        Ok(Left {
            deferral,
            resume_name: next.map(|name| name.as_str().to_owned()),
            breaker: self.breaker.open().cloned(),
            begin_failure: self.begin_failure().cloned(),
        })
    }
}
