//! When a run begins nothing new: its time is up, or someone asks it to stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::clock::Clock;
use crate::model::{Deferral, Timestamp};

/// Counts the requests to stop: the first lets what is in flight end, the second does not wait.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<AtomicUsize>);

impl StopSignal {
    /// Listens for SIGTERM and SIGINT from now on.
    ///
    /// # Errors
    /// If the system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        let stop = Self::default();
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let counted = stop.clone();
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for _ in signals.forever() {
                    counted.request();
                }
            })?;
        Ok(stop)
    }

    /// Asks to stop, as a signal does.
    pub fn request(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }

    /// Whether it was asked for again, so that nothing is waited for.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 1
    }
}

/// What ends a run early.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Signals.
    pub signal: StopSignal,
    /// When the time is up.
    pub deadline: Option<Timestamp>,
    /// Tells the time.
    pub clock: Clock,
}

impl Stop {
    /// Why nothing new may begin now, if so.
    #[must_use]
    pub fn reason(&self) -> Option<Deferral> {
        if self.signal.is_requested() {
            return Some(Deferral::Stopped);
        }
        let up = self
            .deadline
            .is_some_and(|deadline| self.clock.now() >= deadline);
        up.then_some(Deferral::WindowEnded)
    }
}
