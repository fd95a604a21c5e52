//! A list that this very process writes: loaded again and again while it grows,
//! without reading again what is loaded.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::identify::{Known, ListError, OpenList, open_list};
use super::load::Loading;
use super::source::Stat;
use super::walk::stat_of;
use super::{Intake, IntakeError, IntakeSettings, problem_of};
use crate::ledger::{Ledger, TaskKey};
use crate::model::Timestamp;

/// A list that grows. All its lines are percent-encoded and ended.
pub struct GrowingList {
    path: String,
    file: Arc<File>,
    /// How far it is loaded; `None`: the ledger has to be asked.
    open: Option<OpenList<'static>>,
}

impl GrowingList {
    /// The list at `path`, from `object_lists/` on, open for reading in `file`.
    #[must_use]
    pub fn new(path: String, file: Arc<File>) -> Self {
        let open = None;
        Self { path, file, open }
    }

    /// Where it lies, from `object_lists/` on.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Loads what is new of its first `safe_bytes` bytes, which end with a line
    /// and survive a power failure. What lies beyond may yet be taken back.
    ///
    /// # Errors
    /// If the ledger cannot be read or written. Nothing is lost or doubled by
    /// loading again. That the list cannot be read is among the problems.
    pub fn load(
        &mut self,
        ledger: &mut Ledger,
        task: TaskKey,
        safe_bytes: u64,
        settings: &IntakeSettings<'_>,
    ) -> Result<Intake, IntakeError> {
        let loading = Loading {
            task,
            sources: &[],
            settings,
            previous: ledger.last_intake_at(task)?,
        };
        let mut intake = Intake::default();
        let loaded = loop {
            match self.load_more(ledger, &loading, safe_bytes, &mut intake) {
                Err(ListError::Overtaken) => self.open = None,
                done => break done,
            }
        };
        if loaded.is_err() {
            self.open = None;
        }
        let problem = problem_of(loaded, self.path.clone())?;
        intake.seen.problems.extend(problem);
        Ok(intake)
    }

    fn load_more(
        &mut self,
        ledger: &mut Ledger,
        loading: &Loading<'_>,
        safe_bytes: u64,
        intake: &mut Intake,
    ) -> Result<(), ListError> {
        let clock = loading.settings.clock;
        let content_from = |at| SafeBytes {
            file: self.file.clone(),
            at,
            end: safe_bytes,
        };
        let list = if let Some(list) = &mut self.open {
            list.opened_at = clock.now();
            list.stat = stat(&self.file, safe_bytes, list.opened_at)?;
            let content = content_from(list.lines.read_bytes());
            list.lines.go_on_in(BufReader::new(Box::new(content)));
            list
        } else {
            let current = ledger.current_list(loading.task, &self.path)?;
            // A run reads a list to its end, safe or not; what it has loaded is
            // waited for, not taken for another list.
            if current
                .as_ref()
                .is_some_and(|list| list.loaded_bytes >= safe_bytes)
            {
                return Ok(());
            }
            let open = || {
                let content: Box<dyn Read> = Box::new(content_from(0));
                Ok((stat(&self.file, safe_bytes, clock.now())?, content))
            };
            // It is new, or known at its own path: never another one, renamed.
            let known = Known {
                ledger: None,
                renamed: &[],
                sources: &[],
            };
            let form = loading.settings.form.clone().url();
            let list = open_list(&open, &self.path, current, &known, &form, clock)?;
            self.open.insert(list)
        };
        let part = loading.load_ended(ledger, &self.path, list, intake)?;
        loading.finish(ledger, &self.path, list, part, intake)
    }
}

/// What is known of the first `safe_bytes` bytes of `file`, now.
fn stat(file: &File, safe_bytes: u64, now: Timestamp) -> io::Result<Stat> {
    let stat = stat_of(&file.metadata()?);
    // As long as more is being written, nothing can be relied on.
    let changed_at = if stat.size == safe_bytes {
        stat.changed_at
    } else {
        now
    };
    Ok(Stat {
        size: safe_bytes,
        changed_at,
        ..stat
    })
}

/// The bytes of a file from one place to another, whoever else reads or writes it.
struct SafeBytes {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for SafeBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let count = self.file.read_at(&mut buffer[..wanted], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
