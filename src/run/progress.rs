//! What a person sees while a run is at work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::stop::{Deadline, Stop};
use crate::clock::Clock;
use crate::forecast::{Forecast, History, Queue, Unknown};
use crate::model::{Attempt, Deferral, Outcome, RunBooks, Timestamp, Tuning, Zone};
use crate::report::outlook;
use crate::report::text::{self, counted};

/// How often the bar's words are made anew.
const BAR_EVERY: Duration = Duration::from_millis(200);

/// How often a line is written where no terminal shows a bar.
const LINE_EVERY: Duration = Duration::from_mins(1);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// A bar on the terminal.
    Bar,
    /// A line now and then.
    Lines,
    /// Not at all.
    Quiet,
}

/// What the end of the run is foretold from.
pub struct Foresight {
    /// What past runs tell.
    pub history: History,
    /// When this one began.
    pub began: Timestamp,
    /// When its time is up.
    pub deadline: Deadline,
    /// On whose clocks times are said.
    pub zone: Zone,
    /// Tells the time.
    pub clock: Clock,
}

impl Foresight {
    fn forecast(&self, books: RunBooks) -> (Timestamp, Result<Forecast, Unknown>) {
        let now = self.clock.now();
        let elapsed_ms = now.ms().saturating_sub(self.began.ms()).max(0);
        let queue = Queue::UnderWay {
            books,
            elapsed_ms: elapsed_ms.unsigned_abs(),
        };
        (now, self.history.forecast(queue, now, self.deadline.at()))
    }
}

/// Counts what has happened so far and shows it.
pub struct Progress {
    task: String,
    display: Display,
    bar: ProgressBar,
    began: Instant,
    synced: AtomicU64,
    failed: AtomicU64,
    ignored: AtomicU64,
    awaiting: AtomicU64,
    bytes: AtomicU64,
    last_shown: Mutex<Instant>,
    foresight: Option<Foresight>,
}

impl Progress {
    /// The progress of `task`, which has taken `taken` requests; its bar is one of
    /// `bars`. How it is likely to go is said now, and each time how things stand.
    #[must_use]
    pub fn new(
        task: &str,
        taken: u64,
        display: Display,
        bars: &MultiProgress,
        foresight: Option<Foresight>,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(Some(taken), ProgressDrawTarget::hidden());
        let bar = bars.add(bar);
        // A template that does not parse would be a fault of this line alone;
        // the default style does as well.
        let style = ProgressStyle::with_template(
            "{prefix} [{elapsed_precise}] {bar:24} {human_pos}/{human_len} {msg} left {eta}",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_prefix(task.to_owned());
        if display == Display::Bar {
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        let now = Instant::now();
        let progress = Self {
            task: task.to_owned(),
            display,
            bar,
            began: now,
            synced: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            awaiting: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            last_shown: Mutex::new(now),
            foresight,
        };
        progress.foretell();
        progress
    }

    /// Says how the run is likely to go, if past ones tell.
    fn foretell(&self) {
        let books = self.books();
        if self.display != Display::Lines || books.taken == 0 {
            return;
        }
        let Some(foresight) = &self.foresight else {
            return;
        };
        let (now, told) = foresight.forecast(books);
        if told.is_ok() {
            let words = outlook::words(&told, foresight.deadline.at(), foresight.zone, now);
            let task = &self.task;
            tracing::info!(target: "progress", task, "{words}");
        }
    }

    /// What is settled so far, by names.
    fn books(&self) -> RunBooks {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // What awaits a restore is no work of this night.
        let taken = self
            .bar
            .length()
            .unwrap_or(0)
            .saturating_sub(count(&self.awaiting));
        let mut books = RunBooks {
            taken,
            synced: count(&self.synced),
            failed: count(&self.failed),
            ignored: count(&self.ignored),
            deferred: 0,
            synced_bytes: count(&self.bytes),
        };
        books.deferred = taken.saturating_sub(books.settled());
        books
    }

    /// Counts a name that was settled. Further requests for it are counted by
    /// the ledger, not here.
    pub fn settled(&self, attempt: &Attempt) {
        let counter = match &attempt.outcome {
            Outcome::Synced(copied) => {
                self.bytes.fetch_add(copied.size_bytes, Ordering::Relaxed);
                &self.synced
            }
            Outcome::Failed(_) => &self.failed,
            Outcome::Ignored(_) | Outcome::Excluded(_) => &self.ignored,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(1);
        self.show();
    }

    /// Counts a name that is left because its object is being brought back.
    pub fn awaits(&self) {
        self.awaiting.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(1);
        self.show();
    }

    /// Says that nothing new begins, and how to hasten the end.
    pub fn stops(&self, reason: Deferral, stop: &Stop) {
        if self.display == Display::Quiet {
            return;
        }
        let ending = "what is in flight ends, the rest is deferred";
        let said = match (reason, stop.outside) {
            (Deferral::Stopped, _) => {
                format!("asked to stop (once more: without waiting); {ending}")
            }
            // That is said at the end, with what to do about it.
            (Deferral::CouldNotBegin, _) => return,
            (Deferral::BreakerOpen, _) => {
                format!("one side goes on refusing or failing; {ending}")
            }
            (_, Some(window)) => format!(
                "begun outside its window {window}; everything is deferred \
                 (`--ignore-window` moves objects all the same)"
            ),
            (_, None) => format!("its time is up; {ending}"),
        };
        let task = &self.task;
        self.bar
            .suspend(|| tracing::info!(target: "progress", task, "{said}"));
    }

    /// Says what an operator changed.
    pub fn tuned(&self, tuning: Tuning) {
        if self.display == Display::Quiet {
            return;
        }
        let (task, setting) = (&self.task, tuning.setting());
        let said = format!("{setting} is {} from now on", text::tuned(tuning));
        self.bar
            .suspend(|| tracing::info!(target: "progress", task, "{said}"));
    }

    /// Says how things stand, if it is time to.
    fn show(&self) {
        let every = match self.display {
            Display::Bar => BAR_EVERY,
            Display::Lines => LINE_EVERY,
            Display::Quiet => return,
        };
        let Ok(mut last_shown) = self.last_shown.try_lock() else {
            return;
        };
        if last_shown.elapsed() < every {
            return;
        }
        *last_shown = Instant::now();
        if self.display == Display::Bar {
            self.bar.set_message(self.outcomes());
        } else {
            let (settled, taken) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let (task, outcomes) = (&self.task, self.outcomes());
            tracing::info!(target: "progress::minutes", task, "{settled} of {taken}, {outcomes}");
        }
    }

    fn outcomes(&self) -> String {
        let books = self.books();
        let bytes = books.synced_bytes;
        let seconds = self.began.elapsed().as_secs().max(1);
        let mut said = format!(
            "synced {} failed {} ignored {}, {} at {}/s",
            books.synced,
            books.failed,
            books.ignored,
            ByteSize::b(bytes).display().iec(),
            ByteSize::b(bytes / seconds).display().iec()
        );
        let awaiting = self.awaiting.load(Ordering::Relaxed);
        if awaiting > 0 {
            said = format!("{said}, {} being restored", counted(awaiting, "object"));
        }
        if let Some(foresight) = &self.foresight
            && let (now, Ok(forecast)) = foresight.forecast(books)
        {
            let likely = match forecast.deferred.p50 {
                0 => outlook::done(&forecast, foresight.zone, now),
                left => format!("likely to defer about {}", counted(left, "request")),
            };
            said = format!("{said}, {likely}");
        }
        said
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
