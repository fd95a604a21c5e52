//! What a person sees on a terminal while both ends are listed.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Comparison;
use crate::report::text::{counted, thousands};
use crate::run::engine::Engine;
use crate::run::progress::Display;

/// How often the words are made anew.
const EVERY: Duration = Duration::from_millis(200);

/// Shows how far the listings have come, on a terminal alone.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    last_shown: Instant,
}

impl Progress {
    pub(super) fn new(task: &str, engine: &Engine) -> Self {
        let bar = (engine.options.display == Display::Bar).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            let bar = engine.bars.add(bar);
            // A template that does not parse would be a fault of this line alone;
            // the default style does as well.
            let style = ProgressStyle::with_template("{prefix} [{elapsed_precise}] {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            bar.set_style(style);
            bar.set_prefix(task.to_owned());
            bar
        });
        Self {
            bar,
            last_shown: Instant::now(),
        }
    }

    /// Shows how things stand, if it is time to.
    pub(super) fn listed(&mut self, found: &Comparison) {
        let Some(bar) = &self.bar else {
            return;
        };
        // The clock is not asked about every one of millions.
        if !found.source_objects.is_multiple_of(256) || self.last_shown.elapsed() < EVERY {
            return;
        }
        self.last_shown = Instant::now();
        let number = |count: u64| thousands(count.cast_signed());
        bar.set_message(format!(
            "{} listed at the source, {} at the destination, {} to ask for",
            counted(found.source_objects, "object"),
            number(found.destination_objects),
            number(found.names)
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
