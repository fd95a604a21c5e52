//! The summary as people read it, in 80 columns.

use std::fmt::Write;

use super::hints::{hint, name_hint, suspects_hint};
use super::summary::{Summary, TaskMonth};
use super::table::{Side, paragraph, plain};
use super::text::{age, size, thousands, visible};
use crate::model::Timestamp;

impl Summary {
    /// The months as tables, each with what to do about its failures.
    #[must_use]
    pub fn render_table(&self) -> String {
        if self.months.is_empty() {
            return "The ledger knows no task yet; the first run enters it.\n".to_owned();
        }
        let months: Vec<String> = self
            .months
            .iter()
            .map(|month| month.render(self.now))
            .collect();
        months.join("\n")
    }
}

impl TaskMonth {
    fn render(&self, now: Timestamp) -> String {
        let mut text = format!("{}, {}\n\n", self.row.task, self.row.month);
        text.push_str(&plain(
            &[Side::Left, Side::Right, Side::Left],
            &self.figures(now),
        ));
        for note in self.notes() {
            text.push('\n');
            text.push_str(&paragraph(&note, 2));
        }
        text
    }

    fn figures(&self, now: Timestamp) -> Vec<Vec<String>> {
        let line = |label: &str, number: i64, remark: String| {
            vec![format!("  {label}"), thousands(number), remark]
        };
        let row = &self.row;
        let mut lines = vec![
            line("Pending at start", row.pending_at_start, String::new()),
            line("Requested", row.requested, String::new()),
            line("Synced", row.synced, size(row.synced_bytes)),
            line("Failed", row.failed, String::new()),
        ];
        let part = |word: &str, count: u64| {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            vec![format!("    {word}"), thousands(count), String::new()]
        };
        lines.extend(
            self.failed
                .iter()
                .map(|(cause, count)| part(cause.as_str(), *count)),
        );
        lines.push(line("Ignored", row.ignored, String::new()));
        lines.extend(
            self.ignored
                .iter()
                .map(|(reason, count)| part(reason.as_str(), *count)),
        );
        lines.push(line("Pending at end", row.pending_at_end, String::new()));
        let waiting = self.oldest_pending.map_or_else(String::new, |oldest| {
            format!("the oldest waits for {}", age(now.ms() - oldest.at.ms()))
        });
        let pending_now = i64::try_from(self.pending_now).unwrap_or(i64::MAX);
        lines.push(line("Pending now", pending_now, waiting));
        lines
    }

    /// What to do, and what is not as it was said, a paragraph each.
    pub(super) fn notes(&self) -> Vec<String> {
        let causes = self
            .failed
            .iter()
            .map(|(cause, _)| format!("{cause}: {}", hint(*cause)));
        let names = self.odd_names.iter().filter_map(|odd| {
            let name = visible(&odd.example);
            let which = match odd.requests {
                1 => format!("source_missing: `{name}`"),
                many => format!("source_missing: `{name}` (and {} more)", many - 1),
            };
            Some(format!("{which} {}", name_hint(&odd.example)?))
        });
        let suspects = (self.suspects > 0).then(|| suspects_hint(self.suspects));
        let restated = self.restated();
        causes
            .chain(names)
            .chain(suspects)
            .chain(restated)
            .collect()
    }

    /// Where the month is no longer as it was closed.
    fn restated(&self) -> Option<String> {
        let closed = self.closed?;
        let row = &self.row;
        let mut text = String::new();
        for (label, then, now) in [
            ("Requested", closed.requested, row.requested),
            ("Synced", closed.synced, row.synced),
            ("Failed", closed.failed, row.failed),
            ("Ignored", closed.ignored, row.ignored),
            ("Synced bytes", closed.synced_bytes, row.synced_bytes),
        ] {
            if then != now {
                let comma = if text.is_empty() { "" } else { "," };
                // Writing to a String cannot fail.
                let _ = write!(
                    text,
                    "{comma} {label} {} then, {} now",
                    thousands(then),
                    thousands(now)
                );
            }
        }
        let at = closed.at.rfc3339();
        (!text.is_empty()).then(|| format!("Restated since the month was closed ({at}):{text}."))
    }
}
