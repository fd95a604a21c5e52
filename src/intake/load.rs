//! Loads what is new in one list into the ledger, part by part.

use std::io;
use std::mem;
use std::time::Duration;

use super::decode::printable;
use super::identify::{Known, ListError, OpenList, open_list, says_gone};
use super::lines::Line;
use super::source::{ListSource, Stat};
use super::{Intake, IntakeSettings, REJECTED_EXAMPLES};
use crate::ledger::{Ledger, ListPlace, LoadedPart, RejectedLine, TaskKey};
use crate::model::{ObjectName, RejectReason, Timestamp};

/// A part is committed once it has so many lines, or bytes of text. Names in no
/// order touch most pages of the index by name in every commit: few large
/// commits write far less than many small ones.
const PART_LINES: usize = 100_000;
const PART_BYTES: usize = 8 << 20;

/// How long a list must have been left alone before its unended last line is
/// taken as complete, and before its fingerprint is relied on.
const QUIET_MS: i64 = 2_000;

/// A rejected line, as an example to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedExample {
    /// The list's path, `object_lists/` included.
    pub path: String,
    /// The line's number, from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// What it looks like: short and printable.
    pub excerpt: String,
}

impl std::fmt::Display for RejectedExample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = printable(self.path.as_bytes());
        write!(
            f,
            "{path}:{} rejected: {} {}",
            self.line, self.reason, self.excerpt
        )
    }
}

/// What stays the same for all lists of an intake.
pub(super) struct Loading<'a> {
    pub task: TaskKey,
    pub sources: &'a [&'a dyn ListSource],
    pub settings: &'a IntakeSettings<'a>,
    /// When the task's previous intake began.
    pub previous: Option<Timestamp>,
}

/// Lines read and not committed yet.
#[derive(Default)]
pub(super) struct Part {
    requests: Vec<(u64, ObjectName)>,
    rejected: Vec<RejectedLine>,
    bytes: usize,
}

impl Loading<'_> {
    /// Loads what is new in the list at `path` of `source`, seen as `stat`.
    pub(super) fn load(
        &self,
        ledger: &mut Ledger,
        source: &dyn ListSource,
        path: &str,
        stat: &Stat,
        intake: &mut Intake,
    ) -> Result<(), ListError> {
        loop {
            match self.try_load(ledger, source, path, stat, intake) {
                // Ends, for each time somebody has loaded more of the list.
                Err(ListError::Overtaken) => {}
                done => return done,
            }
        }
    }

    fn try_load(
        &self,
        ledger: &mut Ledger,
        source: &dyn ListSource,
        path: &str,
        stat: &Stat,
        intake: &mut Intake,
    ) -> Result<(), ListError> {
        let current = ledger.current_list(self.task, path)?;
        let fingerprint = current.as_ref().and_then(|list| list.fingerprint.clone());
        if fingerprint.as_deref() == Some(&stat.fingerprint) {
            return Ok(());
        }
        let known = Known {
            ledger: Some((ledger, self.task)),
            renamed: &[],
            sources: self.sources,
        };
        let form = self.settings.form.clone().at(path);
        let open = || source.open(path);
        let mut list = open_list(&open, path, current, &known, &form, self.settings.clock)?;
        let loaded_bytes = list.loaded_bytes;
        let mut part = self.load_ended(ledger, path, &mut list, intake)?;
        if list.lines.has_unended()
            && is_quiet(source, path, &list, self.settings)?
            && let Some(line) = list.lines.take_unended()
        {
            part.take(list.lines.counted_lines(), line);
        }
        self.finish(ledger, path, &mut list, part, intake)?;
        if list.lines.counted_bytes() > loaded_bytes {
            intake.loaded += 1;
        }
        Ok(())
    }

    /// Loads the lines of `list` that are ended; the last part is not committed yet.
    pub(super) fn load_ended(
        &self,
        ledger: &mut Ledger,
        path: &str,
        list: &mut OpenList<'_>,
        intake: &mut Intake,
    ) -> Result<Part, ListError> {
        let mut part = Part::default();
        while let Some(line) = list.lines.next_line()? {
            part.take(list.lines.counted_lines(), line);
            if part.is_full() {
                self.commit(ledger, path, list, mem::take(&mut part), None, intake)?;
            }
        }
        Ok(part)
    }

    /// Commits the last part, if there is anything to note.
    pub(super) fn finish(
        &self,
        ledger: &mut Ledger,
        path: &str,
        list: &mut OpenList<'_>,
        part: Part,
        intake: &mut Intake,
    ) -> Result<(), ListError> {
        let reliable = list.lines.counted_bytes() == list.stat.size
            && list.stat.changed_at.plus_ms(QUIET_MS) < list.opened_at;
        let fingerprint = reliable.then(|| list.stat.fingerprint.clone());
        let grown = list.lines.counted_bytes() > list.loaded_bytes;
        match list.place {
            ListPlace::Known(key) if !grown => {
                if let Some(fingerprint) = fingerprint {
                    ledger.note_fingerprint(key, &fingerprint)?;
                }
                Ok(())
            }
            _ => self.commit(ledger, path, list, part, fingerprint.as_deref(), intake),
        }
    }

    fn commit(
        &self,
        ledger: &mut Ledger,
        path: &str,
        list: &mut OpenList<'_>,
        part: Part,
        fingerprint: Option<&str>,
        intake: &mut Intake,
    ) -> Result<(), ListError> {
        let zone = self.settings.zone;
        let loaded = LoadedPart {
            path,
            first_line_sha256: &list.first_line_sha256,
            sha256: list.lines.counted_sha256(),
            loaded_bytes: list.lines.counted_bytes(),
            lines: list.lines.counted_lines(),
            requests: &part.requests,
            rejected: &part.rejected,
            requested_at: zone.local(self.requested_at(list)),
            loaded_at: zone.local(list.opened_at),
            zone,
            fingerprint,
            current: list.current,
        };
        let Some(key) = ledger.load_list(self.task, list.place, &loaded)? else {
            return Err(ListError::Overtaken);
        };
        list.place = ListPlace::Known(key);
        list.current = Some((key, loaded.loaded_bytes));
        intake.lines += loaded.lines - list.loaded_lines;
        list.loaded_bytes = loaded.loaded_bytes;
        list.loaded_lines = loaded.lines;
        intake.requests += part.requests.len() as u64;
        intake.rejected += part.rejected.len() as u64;
        let room = REJECTED_EXAMPLES - intake.rejected_examples.len();
        let examples = part.rejected.into_iter().take(room);
        intake
            .rejected_examples
            .extend(examples.map(|rejected| RejectedExample {
                path: path.to_owned(),
                line: rejected.line,
                reason: rejected.reason,
                excerpt: rejected.excerpt,
            }));
        Ok(())
    }

    /// The list's modification time, if that was since the previous intake;
    /// else it says nothing of these lines, and the time of loading must do.
    fn requested_at(&self, list: &OpenList<'_>) -> Timestamp {
        let modified_at = list.stat.modified_at;
        let since = |previous| (previous..=list.opened_at).contains(&modified_at);
        if self.previous.is_some_and(since) {
            modified_at
        } else {
            list.opened_at
        }
    }
}

impl Part {
    fn take(&mut self, number: u64, line: Line) {
        match line {
            Line::Blank => {}
            Line::Name(name) => {
                self.bytes += name.as_str().len();
                self.requests.push((number, name));
            }
            Line::Rejected { reason, excerpt } => {
                self.bytes += excerpt.len();
                self.rejected.push(RejectedLine {
                    line: number,
                    reason,
                    excerpt,
                });
            }
        }
    }

    const fn is_full(&self) -> bool {
        self.requests.len() + self.rejected.len() >= PART_LINES || self.bytes >= PART_BYTES
    }
}

/// Whether the list is as it was opened, and has been so for two seconds; waits
/// for these to pass.
pub(super) fn is_quiet(
    source: &dyn ListSource,
    path: &str,
    list: &OpenList<'_>,
    settings: &IntakeSettings<'_>,
) -> io::Result<bool> {
    let since_change = settings.clock.now().ms() - list.stat.changed_at.ms();
    let wait = QUIET_MS - since_change.clamp(0, QUIET_MS);
    if wait > 0 {
        (settings.wait)(Duration::from_millis(wait.unsigned_abs()));
    }
    match source.stat(path) {
        Ok(stat) => Ok(stat.fingerprint == list.stat.fingerprint),
        // Nobody can add to its line here any more.
        Err(error) if says_gone(&error) => Ok(true),
        Err(error) => Err(error),
    }
}
