//! The manifest of one run: its books, and a hash of each of its lists.

use super::file::WholeFile;
use super::lists::Shelf;
use super::{ListFile, ListKind, ReportError};
use crate::ledger::{EndedRun, Ledger, RunKey};
use crate::model::{LocalTime, RunBooks, RunNotes};

/// Raised when a field changes its meaning or goes.
const FORMAT: u32 = 1;

/// A manifest, field by field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// 1.
    pub format: u32,
    /// The task's id.
    pub task: String,
    /// The run's number.
    pub run: u64,
    /// The run's id.
    pub run_id: String,
    /// The run's name.
    pub run_name: String,
    /// Whether it ended by itself: a run state.
    pub state: String,
    /// The IANA name of the task's zone then.
    pub zone: String,
    /// When it began.
    pub started_at: LocalTime,
    /// When it ended.
    pub ended_at: LocalTime,
    /// Its books.
    pub books: Books,
    /// The number of the task's last run before it that has a manifest.
    pub previous_run: Option<u64>,
    /// The rest of its row.
    #[serde(flatten)]
    pub notes: RunNotes,
    /// Its lists.
    pub lists: Vec<ListFile>,
    /// Its journal, in one file or several.
    pub journals: Vec<ListFile>,
}

/// The books as a manifest says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Books {
    /// The books.
    #[serde(flatten)]
    pub books: RunBooks,
    /// Whether they balance.
    pub balanced: bool,
}

/// Writes the manifest, which vouches for `files`: they must be in their places.
pub fn write(
    ledger: &Ledger,
    key: RunKey,
    run: &EndedRun,
    files: &[ListFile],
    shelf: Shelf<'_>,
) -> Result<ListFile, ReportError> {
    let path = format!("manifests/{}.manifest.json", run.run_name);
    let place = shelf.root.join(&path);
    let manifest = Manifest::of(ledger, key, run, files)?;
    let write = || {
        let text = serde_json::to_string_pretty(&manifest)?;
        let mut file = WholeFile::create(shelf.root, path, shelf.modes)?;
        for line in text.lines() {
            file.write_line(&format!("{line}\n"))?;
        }
        file.finish()
    };
    write().map_err(|source| ReportError::List {
        path: place,
        source,
    })
}

impl Manifest {
    fn of(
        ledger: &Ledger,
        key: RunKey,
        run: &EndedRun,
        files: &[ListFile],
    ) -> Result<Self, ReportError> {
        let is_journal = |file: &ListFile| ListKind::of(&file.path) == Some(ListKind::Journal);
        let (journals, lists) = files.iter().cloned().partition(is_journal);
        Ok(Self {
            format: FORMAT,
            task: run.task.to_string(),
            run: run.number,
            run_id: run.run_id.to_string(),
            run_name: run.run_name.clone(),
            state: run.state.to_string(),
            zone: run.zone.clone(),
            started_at: run.started,
            ended_at: run.ended,
            books: Books {
                books: run.books,
                balanced: run.books.balanced(),
            },
            previous_run: ledger.manifest_before(key)?,
            notes: ledger.run_notes(key)?,
            lists,
            journals,
        })
    }

    /// Reads what [`write_run`](super::write_run) wrote as the manifest of the
    /// run `run_name` of `task`.
    ///
    /// # Errors
    /// Why it is none, or that it needs a newer release.
    pub fn read(text: &[u8], task: &str, run_name: &str) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if manifest.format != FORMAT {
            return Err(format!(
                "it has format {}, this release knows {FORMAT}",
                manifest.format
            ));
        }
        if manifest.task != task || manifest.run_name != run_name {
            return Err(format!(
                "it speaks of the run {} of task {}",
                manifest.run_name, manifest.task
            ));
        }
        Ok(manifest)
    }
}
