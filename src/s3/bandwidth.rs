//! How fast bodies are read.
//!
//! What was read is paid for before more is read: each chunk takes its time of a
//! schedule that all bodies of a task share, so together they keep to the cap.
//! No more bodies are open at once than can be read at the pace that we demand
//! of servers ourselves: one that is read more slowly might be given up at the
//! other end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::request::MINIMUM_BYTES_PER_SECOND;
use crate::clock::Clock;
use crate::model::{Timestamp, Timetable};

/// The most bytes that are read before they are paid for.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// How long nobody asks whether the timetable has another cap by now.
const GLANCE_MS: i64 = 1000;

/// The cap on what is read from a bucket, shared by all its clones.
#[derive(Debug, Clone)]
pub struct Bandwidth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    workers: usize,
    /// Whether the timetable has a cap at any time.
    has_caps: AtomicBool,
    state: Mutex<State>,
    body_closed: Condvar,
    replaced: Condvar,
}

#[derive(Debug)]
struct State {
    timetable: Timetable,
    /// How often the timetable was replaced.
    replaced: u64,
    open_bodies: u64,
    schedule: Schedule,
    /// The cap, and when it was looked up.
    glance: Option<(Timestamp, Option<u64>)>,
}

impl Bandwidth {
    /// The caps of `timetable`, for at most so many `workers`.
    #[must_use]
    pub fn new(timetable: Timetable, clock: Clock, workers: usize) -> Self {
        Self(Arc::new(Inner {
            clock,
            workers,
            has_caps: AtomicBool::new(timetable.lowest().is_some()),
            state: Mutex::new(State {
                timetable,
                replaced: 0,
                open_bodies: 0,
                schedule: Schedule::default(),
                glance: None,
            }),
            body_closed: Condvar::new(),
            replaced: Condvar::new(),
        }))
    }

    /// Keeps to `timetable` from now on. Who waits for what was due by the one
    /// before goes on.
    pub(super) fn replace(&self, timetable: Timetable) {
        let mut state = self.state();
        self.0
            .has_caps
            .store(timetable.lowest().is_some(), Ordering::Relaxed);
        state.timetable = timetable;
        state.replaced += 1;
        state.schedule = Schedule::default();
        state.glance = None;
        drop(state);
        self.0.body_closed.notify_all();
        self.0.replaced.notify_all();
    }

    /// Whether there is a cap at any time.
    pub(super) fn has_caps(&self) -> bool {
        self.0.has_caps.load(Ordering::Relaxed)
    }

    /// Waits until one more body may be open.
    pub(super) fn open_body(&self) -> OpenBody {
        let mut state = self.state();
        loop {
            let cap = self.cap(&mut state);
            if cap.is_none_or(|cap| state.open_bodies < bodies_at_once(cap)) {
                state.open_bodies += 1;
                return OpenBody(self.clone());
            }
            // The timetable may allow more without a body being closed.
            let waited = self
                .0
                .body_closed
                .wait_timeout(state, Duration::from_secs(1));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How long reading `size_bytes` may take because of the cap alone.
    pub(super) fn longest_wait(&self, size_bytes: u64) -> Duration {
        let workers = self.0.workers as u64;
        let lowest = self.state().timetable.lowest().unwrap_or(u64::MAX).max(1);
        Duration::from_secs(size_bytes.saturating_mul(workers) / lowest)
    }

    fn cap(&self, state: &mut State) -> Option<u64> {
        let now = self.0.clock.now();
        match state.glance {
            Some((at, cap)) if (0..GLANCE_MS).contains(&(now.ms() - at.ms())) => cap,
            _ => {
                let cap = state.timetable.at(now);
                state.glance = Some((now, cap));
                cap
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many bodies can be read at once at the slowest pace that we bear ourselves.
const fn bodies_at_once(bytes_per_second: u64) -> u64 {
    let bodies = bytes_per_second / MINIMUM_BYTES_PER_SECOND;
    if bodies == 0 { 1 } else { bodies }
}

/// A body that is being read; closed when it is dropped.
#[derive(Debug)]
pub(super) struct OpenBody(Bandwidth);

impl OpenBody {
    /// Whether what is read has to be paid for.
    pub(super) fn is_paced(&self) -> bool {
        self.0.has_caps()
    }

    /// Pays for `bytes` that were read: waits until they are due.
    pub(super) fn pay(&self, bytes: u64) {
        let mut state = self.0.state();
        let Some(cap) = self.0.cap(&mut state) else {
            return;
        };
        let now = Instant::now();
        let due = state.schedule.pay(now, bytes, cap);
        let (wait, replaced) = (due.saturating_duration_since(now), state.replaced);
        let inner = &self.0.0;
        let unchanged = |state: &mut State| state.replaced == replaced;
        drop(inner.replaced.wait_timeout_while(state, wait, unchanged));
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        self.0.state().open_bodies -= 1;
        self.0.0.body_closed.notify_one();
    }
}

/// When all that was read so far is paid for.
#[derive(Debug, Default)]
struct Schedule(Option<Instant>);

impl Schedule {
    /// When `bytes` that were read at `now` are paid for. Time that passed unused
    /// is lost: there is no burst after it.
    fn pay(&mut self, now: Instant, bytes: u64, bytes_per_second: u64) -> Instant {
        let begins = self.0.map_or(now, |paid_at| paid_at.max(now));
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_second.max(1));
        let paid_at = begins + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.0 = Some(paid_at);
        paid_at
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Zone;

    const KIB: u64 = 1024;

    #[test]
    fn no_more_bodies_are_open_than_can_be_read_in_time() {
        assert_eq!(bodies_at_once(1), 1);
        assert_eq!(bodies_at_once(100 * KIB), 1);
        assert_eq!(bodies_at_once(128 * KIB), 2);
        assert_eq!(bodies_at_once(50_000_000), 762);
    }

    #[test]
    fn a_body_that_is_closed_lets_the_next_one_open() {
        let timetable = Timetable::always(Zone::UTC, 64 * KIB);
        let bandwidth = Bandwidth::new(timetable, Clock::system(), 4);
        let first = bandwidth.open_body();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| bandwidth.open_body().pay(0));
            }
            drop(first);
        });
        assert_eq!(bandwidth.state().open_bodies, 0);
        assert_eq!(bandwidth.longest_wait(64 * KIB), Duration::from_secs(4));
    }

    #[test]
    fn another_timetable_holds_at_once_for_those_who_wait_too() {
        let slow = Timetable::always(Zone::UTC, 1);
        let bandwidth = Bandwidth::new(slow, Clock::system(), 4);
        let body = bandwidth.open_body();
        let (paying, waits) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                paying.send(()).unwrap();
                // Due in more than a day by the one before.
                body.pay(100_000);
            });
            waits.recv().unwrap();
            assert!(bandwidth.has_caps());
            bandwidth.replace(Timetable::slots(Zone::UTC, Vec::new()));
        });
        assert!(!bandwidth.has_caps());
        assert_eq!(bandwidth.longest_wait(64 * KIB), Duration::ZERO);
    }

    #[test]
    fn the_cap_of_the_hour_counts() {
        let slot = crate::model::Slot {
            from: chrono::NaiveTime::from_hms_opt(1, 0, 0).unwrap(),
            to: chrono::NaiveTime::from_hms_opt(5, 0, 0).unwrap(),
            bytes_per_second: 7,
        };
        let clock = Clock::fixed(Timestamp::from_ms(0));
        let timetable = Timetable::slots(Zone::UTC, vec![slot]);
        let bandwidth = Bandwidth::new(timetable, clock.clone(), 4);
        let cap = |hour: i64| {
            clock.set(Timestamp::from_ms(hour * 3_600_000));
            bandwidth.cap(&mut bandwidth.state())
        };
        assert_eq!(
            [cap(0), cap(1), cap(4), cap(5)],
            [None, Some(7), Some(7), None]
        );
    }

    proptest! {
        #[test]
        fn what_is_read_keeps_to_the_cap(
            cap in 1_u32..10_000_000,
            chunks in prop::collection::vec((0_u32..=64 * 1024, 0_u64..500), 1..100),
        ) {
            let start = Instant::now();
            let mut schedule = Schedule::default();
            let (mut now, mut read) = (start, 0_u32);
            for (bytes, pause_ms) in chunks {
                read += bytes;
                now = schedule.pay(now, bytes.into(), cap.into());
                let allowed = (now - start).as_secs_f64() * f64::from(cap);
                prop_assert!(f64::from(read) <= allowed + 1.0, "{read} > {allowed}");
                now += Duration::from_millis(pause_ms);
            }
        }
    }
}
