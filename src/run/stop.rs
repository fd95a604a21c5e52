//! When a run begins nothing new: its time is up, or someone asks it to stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::clock::Clock;
use crate::model::{Deferral, Failure, FailureCause, Timestamp, Window};

/// How often a signal is looked for while an answer is waited for.
const TICK: Duration = Duration::from_millis(100);

/// Counts the requests to stop: the first lets what is in flight end, the second does not wait.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<AtomicUsize>);

impl StopSignal {
    /// Listens for SIGTERM and SIGINT from now on, and for SIGHUP, which says that the
    /// terminal is gone, unless that is to be ignored (`nohup`).
    ///
    /// # Errors
    /// If the system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        let stop = Self::default();
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        if heeds_hangup() {
            signals.add_signal(SIGHUP)?;
        }
        let counted = stop.clone();
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                let mut has_hung_up = false;
                for signal in signals.forever() {
                    // The system and the shell both say so: that is no second request.
                    let is_again = signal == SIGHUP && std::mem::replace(&mut has_hung_up, true);
                    if !is_again {
                        counted.request();
                    }
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
        self.asked() > 0
    }

    /// Whether it was asked for again, so that nothing is waited for.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.asked() > 1
    }

    /// Does `work`, which may block for as long as a server pleases, unless the
    /// second request to stop comes first. A request that is on its way cannot be
    /// called back: `work` then goes on by itself on its own thread, to its end
    /// or the process's, and nobody hears of it.
    ///
    /// # Errors
    /// If it was not waited for, or could not be done.
    pub fn unless_urgent<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotWaited> {
        wait(work, || self.is_urgent().then_some(NotWaited::Urgent))
    }

    /// As [`unless_urgent`](Self::unless_urgent), but for no longer than `patience`,
    /// nor beyond any further request to stop.
    ///
    /// # Errors
    /// If it was not waited for, or could not be done.
    pub fn within<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotWaited> {
        let (began, asked) = (Instant::now(), self.asked());
        wait(work, || {
            if self.is_urgent() || self.asked() > asked {
                return Some(NotWaited::Stopped);
            }
            (began.elapsed() > patience).then_some(NotWaited::TooLong)
        })
    }

    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Whether SIGHUP was not set to be ignored by whoever began the process, as far as
/// the system tells.
fn heeds_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status).is_some_and(|ignored| ignored & (1 << (SIGHUP - 1)) == 0)
}

/// The signals that a process ignores, a bit each, by what `/proc` says of it.
fn ignored_signals(status: &str) -> Option<u64> {
    let hex = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(hex.trim(), 16).ok()
}

/// Does `work` on a thread of its own, and waits for it unless `gives_up` says why not.
fn wait<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    gives_up: impl Fn() -> Option<NotWaited>,
) -> Result<T, NotWaited> {
    let (sender, answer) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("request".into())
        .spawn(move || drop(sender.send(work())))
        .map_err(NotWaited::NoThread)?;
    loop {
        if let Some(not_waited) = gives_up() {
            return Err(not_waited);
        }
        match answer.recv_timeout(TICK) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(NotWaited::Panicked),
        }
    }
}

/// Why the answer to a request was not waited for.
#[derive(Debug, thiserror::Error)]
pub enum NotWaited {
    /// A second request to stop came first.
    #[error("not waited for, as the run was asked to stop twice; the next run tries again")]
    Urgent,
    /// A request to stop came meanwhile.
    #[error("not waited for, as a stop was asked for")]
    Stopped,
    /// It took too long.
    #[error("took too long")]
    TooLong,
    /// There is no thread to wait on.
    #[error("cannot start a thread for it: {0}")]
    NoThread(io::Error),
    /// It panicked.
    #[error("it panicked; please report it with the log of this run")]
    Panicked,
}

impl From<NotWaited> for Failure {
    fn from(not_waited: NotWaited) -> Self {
        Self::new(FailureCause::Internal, not_waited.to_string())
    }
}

/// When the time of a run is up. Clones are the same.
#[derive(Clone, Debug)]
pub struct Deadline(Arc<AtomicI64>);

impl Deadline {
    /// Never, in milliseconds since the epoch.
    const NEVER: i64 = i64::MAX;

    /// Then; `None`: never.
    #[must_use]
    pub fn new(at: Option<Timestamp>) -> Self {
        let deadline = Self(Arc::new(AtomicI64::new(Self::NEVER)));
        deadline.set(at);
        deadline
    }

    /// When; `None`: never.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        let ms = self.0.load(Ordering::Relaxed);
        (ms != Self::NEVER).then(|| Timestamp::from_ms(ms))
    }

    /// Moves it.
    pub fn set(&self, at: Option<Timestamp>) {
        let ms = at.map_or(Self::NEVER, Timestamp::ms);
        self.0.store(ms, Ordering::Relaxed);
    }
}

/// What ends a run early.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Signals.
    pub signal: StopSignal,
    /// When the time is up.
    pub deadline: Deadline,
    /// The task's window, if the run begins outside it and so has no time at all.
    pub outside: Option<Window>,
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
        let deadline = self.deadline.at();
        let up = deadline.is_some_and(|deadline| self.clock.now() >= deadline);
        up.then_some(Deferral::WindowEnded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signals_that_are_ignored_are_read_from_what_the_system_says() {
        let status = |hex: &str| format!("Name:\tx\nSigIgn:\t{hex}\nSigCgt:\t00\n");
        assert_eq!(ignored_signals(&status("0000000000001001")), Some(0x1001));
        assert_eq!(ignored_signals(&status("?")), None);
        assert_eq!(ignored_signals(""), None);
    }

    #[test]
    fn work_is_waited_for_until_the_second_request_to_stop() {
        let signal = StopSignal::default();
        assert_eq!(signal.unless_urgent(|| 7).unwrap(), 7);
        let (gate, closed) = mpsc::channel::<()>();
        let asked = signal.clone();
        let not_waited = signal.unless_urgent(move || {
            asked.request();
            asked.request();
            closed.recv()
        });
        assert!(matches!(not_waited, Err(NotWaited::Urgent)));
        drop(gate);
    }

    #[test]
    fn work_that_is_not_to_take_long_is_waited_for_until_any_further_request_to_stop() {
        let signal = StopSignal::default();
        signal.request();
        let long = Duration::from_hours(1);
        assert_eq!(signal.within(long, || 7).unwrap(), 7);
        let (gate, closed) = mpsc::channel::<()>();
        let too_long = signal.within(Duration::ZERO, move || closed.recv());
        assert!(matches!(too_long, Err(NotWaited::TooLong)));
        drop(gate);
        let signal = StopSignal::default();
        let (gate, closed) = mpsc::channel::<()>();
        let asked = signal.clone();
        let stopped = signal.within(long, move || {
            asked.request();
            closed.recv()
        });
        assert!(matches!(stopped, Err(NotWaited::Stopped)));
        drop(gate);
    }

    #[test]
    fn work_that_panics_is_an_error() {
        let answer = StopSignal::default().unless_urgent(|| assert_eq!(1, 2, "as intended"));
        assert!(matches!(answer, Err(NotWaited::Panicked)));
    }
}
