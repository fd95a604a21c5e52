//! The lists of one run: what was synced, failed and ignored, line by line, and
//! its journal.

use std::io;
use std::path::Path;

use super::file::WholeFile;
use super::{ListFile, ReportError};
use crate::data_dir::Modes;
use crate::ledger::{EndedRun, Ledger, Listed, ListedOutcome, RunKey};
use crate::model::{FailureCause, LocalTime, ObjectName};

/// A list with more lines goes on in a next file.
pub const MAX_LINES: u64 = 1_000_000;

/// Where lists are put, and how.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a> {
    /// The folder that stands for the task's prefix.
    pub root: &'a Path,
    /// The modes of what is made.
    pub modes: Modes,
    /// Lines of one file.
    pub max_lines: u64,
}

/// Writes the lists of `run`; empty ones are left out.
pub fn write(
    ledger: &Ledger,
    run: RunKey,
    ended: &EndedRun,
    shelf: Shelf<'_>,
) -> Result<Vec<ListFile>, ReportError> {
    let mut success = List::new(shelf, ended, Kind::Success);
    let mut skip = List::new(shelf, ended, Kind::Skip);
    let mut failed = List::new(shelf, ended, Kind::Failed);
    let mut creation = List::new(shelf, ended, Kind::CreationFailure);
    ledger.for_each_outcome(run, |listed| match &listed.outcome {
        ListedOutcome::Synced(size) => success.push(&sized_line(listed, *size)),
        ListedOutcome::Ignored(size) => skip.push(&sized_line(listed, *size)),
        ListedOutcome::Failed(cause, error_code) => failed.push(&failed_line(
            *cause,
            listed.at,
            &listed.name,
            error_code.as_deref(),
        )),
    })?;
    if let Some(failure) = &ended.begin_failure {
        let error_code = failure.error_code.as_deref();
        ledger.for_each_begin_failure(run, |name| {
            creation.push(&failed_line(failure.cause, ended.ended, &name, error_code))
        })?;
    }
    let mut journal = List::new(shelf, ended, Kind::Journal);
    ledger.for_each_journal_entry(run, |entry| {
        let mut line = serde_json::to_string(entry).map_err(|error| journal.error(error.into()))?;
        line.push('\n');
        journal.push(&line)
    })?;
    let mut files = Vec::new();
    for list in [success, skip, failed, creation, journal] {
        files.append(&mut list.finish()?);
    }
    Ok(files)
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Success,
    Skip,
    Failed,
    CreationFailure,
    Journal,
}

impl Kind {
    /// The path of the list's file number `index`, from 0.
    fn path(self, run: &EndedRun, index: i64) -> String {
        let word = match self {
            Self::Success => "success",
            Self::Skip => "skip",
            Self::Failed => "failed",
            Self::Journal => {
                let stamp = run.ended.plus_ms(index).stamp();
                return format!("journals/{}/{stamp}.journal.jsonl", run.run_name);
            }
            Self::CreationFailure => {
                let ended_ms = run.ended.at.ms();
                return format!(
                    "failed_object_lists/creation_failures/{ended_ms}_{}_{}.failed_list.txt",
                    run.run_id,
                    index + 1
                );
            }
        };
        let stamp = run.ended.plus_ms(index).stamp();
        format!(
            "{word}_object_lists/{}/{stamp}.{word}_list.txt",
            run.run_name
        )
    }
}

/// One list, which goes on in a next file when one is full.
struct List<'a> {
    shelf: Shelf<'a>,
    run: &'a EndedRun,
    kind: Kind,
    open: Option<WholeFile>,
    full: Vec<ListFile>,
}

impl<'a> List<'a> {
    const fn new(shelf: Shelf<'a>, run: &'a EndedRun, kind: Kind) -> Self {
        Self {
            shelf,
            run,
            kind,
            open: None,
            full: Vec::new(),
        }
    }

    fn push(&mut self, line: &str) -> Result<(), ReportError> {
        let mut file = match self.open.take() {
            Some(file) if file.lines() < self.shelf.max_lines => file,
            Some(file) => {
                self.close(file)?;
                self.create()?
            }
            None => self.create()?,
        };
        file.write_line(line).map_err(|error| self.error(error))?;
        self.open = Some(file);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<ListFile>, ReportError> {
        if let Some(file) = self.open.take() {
            self.close(file)?;
        }
        Ok(self.full)
    }

    fn create(&self) -> Result<WholeFile, ReportError> {
        WholeFile::create(self.shelf.root, self.path(), self.shelf.modes)
            .map_err(|error| self.error(error))
    }

    fn close(&mut self, file: WholeFile) -> Result<(), ReportError> {
        let written = file.finish().map_err(|error| self.error(error))?;
        self.full.push(written);
        Ok(())
    }

    /// The path of the file at hand, or of the next one.
    fn path(&self) -> String {
        let index = i64::try_from(self.full.len()).unwrap_or(i64::MAX);
        self.kind.path(self.run, index)
    }

    fn error(&self, source: io::Error) -> ReportError {
        ReportError::List {
            path: self.shelf.root.join(self.path()),
            source,
        }
    }
}

/// `time TAB name TAB size`; the size is empty where the run did not ask for it.
fn sized_line(listed: &Listed, size_bytes: Option<u64>) -> String {
    let size = size_bytes.map_or_else(String::new, |bytes| bytes.to_string());
    format!(
        "{}\t{}\t{size}\n",
        listed.at.rfc3339(),
        listed.name.escaped()
    )
}

/// `cause TAB time TAB URL-encoded name TAB name TAB error code`.
pub(super) fn failed_line(
    cause: FailureCause,
    at: LocalTime,
    name: &ObjectName,
    error_code: Option<&str>,
) -> String {
    // The code is the server's text: it must not end the field or the line.
    let error_code = error_code.unwrap_or("").replace(char::is_control, " ");
    format!(
        "{cause}\t{}\t{}\t{}\t{error_code}\n",
        at.rfc3339(),
        name.url_encoded(),
        name.escaped()
    )
}

#[cfg(test)]
mod tests;
