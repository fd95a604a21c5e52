//! Copies of the ledger, kept in a folder and in a bucket of their own.
//!
//! A copy is made beside the ledger while it is in use, counted through by
//! SQLite, and only then put where copies are kept, under a name that says when
//! it was made and what is in it. The same content is not kept twice. Older
//! copies go once the new one is there, and only files of such names.

mod bucket;
mod folder;
mod name;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub use bucket::BucketStore;
pub use folder::FolderStore;
pub use name::BackupName;

use crate::ledger::{BackupError, Ledger, LedgerError};
use crate::model::{Failure, Timestamp};

/// How a folder in the data directory begins in which a copy is prepared.
pub const SCRATCH: &str = ".backup-";

/// Why a copy of the ledger is not where it belongs.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The copy was not made.
    #[error(transparent)]
    Copy(#[from] BackupError),
    /// A file cannot be read or written.
    #[error("{path}: {error}; check that it is there, can be written, and has room")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The bucket did not take or show a copy.
    #[error("the backup bucket: {}", .0.message)]
    Bucket(Failure),
    /// What was fetched is not what the name promises.
    #[error("{0} is not what its name promises: it was altered; restore another one")]
    Altered(String),
    /// No such copy.
    #[error("{place} holds no backup{wanted}; it holds {known}")]
    Unknown {
        /// Where was looked.
        place: String,
        /// What was looked for.
        wanted: String,
        /// What is there.
        known: String,
    },
}

impl StoreError {
    fn file(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        Self::File { path, error }
    }
}

/// A copy of the ledger that is whole, not yet where it is to be kept; gone when
/// dropped.
#[derive(Debug)]
pub struct LedgerCopy {
    _scratch: TempDir,
    path: PathBuf,
    /// What it is to be called.
    pub name: BackupName,
    /// Its length.
    pub size_bytes: u64,
}

impl LedgerCopy {
    /// Copies the ledger at `ledger` into a folder of its own under `scratch`,
    /// and removes those that killed processes left there. The caller holds the
    /// lock of backups.
    ///
    /// # Errors
    /// If the ledger is damaged or cannot be read, or there is no room.
    pub fn make(
        ledger: &Path,
        scratch: &Path,
        file_mode: u32,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let there = Ledger::open_read_only(ledger)?;
        clear_leftovers(scratch).map_err(|error| StoreError::file(scratch, error))?;
        let scratch = tempfile::Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(scratch)
            .map_err(|error| StoreError::file(scratch, error))?;
        let path = scratch.path().join("ledger.sqlite");
        there.back_up(&path, file_mode)?;
        let (sha256, size_bytes) = digest(&path).map_err(|error| StoreError::file(&path, error))?;
        Ok(Self {
            _scratch: scratch,
            path,
            name: BackupName::new(now, &sha256),
            size_bytes,
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn clear_leftovers(scratch: &Path) -> io::Result<()> {
    for entry in fs::read_dir(scratch)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(SCRATCH) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// What became of a copy at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Where it is now; `None` if the newest there is the same.
    pub stored: Option<String>,
    /// Older copies that should have gone and could not, each with the reason.
    pub notes: Vec<String>,
}

/// The names that must go so that `keep` stay, the oldest first.
fn beyond(mut names: Vec<BackupName>, keep: usize) -> Vec<BackupName> {
    names.sort();
    names.truncate(names.len().saturating_sub(keep));
    names
}

/// The one that is wanted, by default the newest.
fn choose(
    mut names: Vec<BackupName>,
    wanted: Option<&str>,
    place: &str,
) -> Result<BackupName, StoreError> {
    names.sort();
    let found = match wanted {
        None => names.last(),
        Some(wanted) => names.iter().find(|name| name.to_string() == wanted),
    };
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let known: Vec<String> = names.iter().map(ToString::to_string).collect();
    Err(StoreError::Unknown {
        place: place.to_owned(),
        wanted: wanted.map_or_else(String::new, |name| format!(" {}", name.escape_debug())),
        known: if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        },
    })
}

/// SHA-256 in hexadecimal, and length.
fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut digest = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut size_bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            let sha256 = base16ct::lower::encode_string(&digest.finalize());
            return Ok((sha256, size_bytes));
        }
        digest.update(&buffer[..read]);
        size_bytes += read as u64;
    }
}
