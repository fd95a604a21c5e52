//! What a person sees while a check is at work.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::{CheckTotals, TaskId};
use crate::report::text::counted;
use crate::run::engine::Engine;
use crate::run::progress::Display;

/// How often the bar's words are made anew.
const BAR_EVERY: Duration = Duration::from_millis(200);

/// How often a line is written where no terminal shows a bar.
const LINE_EVERY: Duration = Duration::from_mins(1);

/// Shows how far a check has come.
pub(super) struct Progress {
    task: TaskId,
    display: Display,
    bar: ProgressBar,
    last_shown: Cell<Instant>,
}

impl Progress {
    pub(super) fn new(task: &TaskId, engine: &Engine) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let bar = engine.bars.add(bar);
        // A template that does not parse would be a fault of this line alone;
        // the default style does as well.
        let style = ProgressStyle::with_template("{prefix} [{elapsed_precise}] {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        bar.set_prefix(task.to_string());
        Self {
            task: task.clone(),
            display: engine.options.display,
            bar,
            last_shown: Cell::new(Instant::now()),
        }
    }

    /// Shows how things stand, if it is time to.
    pub(super) fn looked(&self, totals: &CheckTotals) {
        let looked = totals.copies + totals.foreign;
        // The clock is not asked about every one of millions.
        if self.display == Display::Quiet || !looked.is_multiple_of(256) {
            return;
        }
        let every = match self.display {
            Display::Bar => BAR_EVERY,
            Display::Lines | Display::Quiet => LINE_EVERY,
        };
        if self.last_shown.get().elapsed() < every {
            return;
        }
        self.last_shown.set(Instant::now());
        let looked = counted(looked, "name");
        let found = counted(totals.drifted() + totals.foreign, "finding");
        let words = format!("{looked} looked at, {found}");
        if self.display == Display::Bar {
            self.bar.set_message(words);
        } else {
            let task = &self.task;
            tracing::info!(target: "progress", "{task}: {words}");
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
