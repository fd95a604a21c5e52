//! The manifest of one run: its books, and a hash of each of its lists.

use super::file::WholeFile;
use super::lists::Shelf;
use super::{ListFile, ListKind, ReportError, write_run};
use crate::data_dir::Modes;
use crate::ledger::{AuditedRun, EndedRun, Ledger, RunKey};
use crate::model::{LocalTime, RunBooks, RunNotes, RunState};

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

/// What is known of the manifest of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestStanding {
    /// It is this one.
    Known {
        /// Its path under the task's prefix.
        path: String,
        /// Its SHA-256, 64 lower-case hexadecimal digits.
        sha256: String,
        /// From where that is known.
        provenance: Provenance,
    },
    /// The run took nothing, so it has none.
    TookNothing,
    /// It comes when the run has ended.
    AtWork,
    /// The next run writes it.
    NotWritten,
    /// It was never to be delivered, its hash was not kept, and it can no longer be made
    /// again.
    Pruned,
}

/// From where the hash of a manifest is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// Kept when it was written; the destination took it.
    Delivered,
    /// Kept when it was written; the destination has still to take it.
    Owed,
    /// Kept when it was written; it is not delivered.
    Kept,
    /// It is not delivered, and was written by a release that kept no hash; made again,
    /// byte for byte, from the ledger.
    MadeAgain,
}

impl ManifestStanding {
    /// What is known of the manifest of `run`. One of which no hash is kept, as an older
    /// release wrote it, is made again, which costs what the run did.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the lists not be made for a moment.
    pub fn of(ledger: &Ledger, run: &AuditedRun) -> Result<Self, ReportError> {
        if let Some(kept) = &run.manifest {
            return Ok(Self::Known {
                path: kept.path.clone(),
                sha256: kept.sha256.clone(),
                provenance: match kept.delivered {
                    Some(true) => Provenance::Delivered,
                    Some(false) => Provenance::Owed,
                    None => Provenance::Kept,
                },
            });
        }
        if run.run.state == RunState::Running {
            return Ok(Self::AtWork);
        }
        if run.run.books.taken == 0 {
            return Ok(Self::TookNothing);
        }
        if !run.listed {
            return Ok(Self::NotWritten);
        }
        if ledger.is_pruned(run.key)? {
            return Ok(Self::Pruned);
        }
        let folder = tempfile::tempdir()?;
        let mut files = write_run(ledger, run.key, folder.path(), Modes::PRIVATE)?;
        Ok(files
            .pop()
            .map_or(Self::TookNothing, |manifest| Self::Known {
                path: manifest.path,
                sha256: manifest.sha256,
                provenance: Provenance::MadeAgain,
            }))
    }
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
