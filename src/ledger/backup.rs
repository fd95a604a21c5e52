//! A copy of the ledger while it is in use.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode};

use super::Ledger;

/// Pages that are copied between two pauses.
const PAGES: i32 = 4096;

/// Why a backup was not made. What was at its path is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The path is the ledger itself.
    #[error("{0} is the ledger itself; name another file")]
    Itself(PathBuf),
    /// Something else stands there.
    #[error("{0} is there and is no Nightferry ledger; name another file, or move it away")]
    Occupied(PathBuf),
    /// The copy could not be written.
    #[error(
        "cannot write the backup {path}: {error}; check that its folder is there, can be written, and has room"
    )]
    Write {
        /// The backup.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The ledger could not be copied.
    #[error("cannot copy the ledger to {path}: {error}; check that there is room")]
    Copy {
        /// The backup.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// The copy is damaged, and so, with that, is the ledger.
    #[error("the ledger is damaged ({0}); no backup was made of it, older ones stay: restore one")]
    Damaged(String),
}

impl Ledger {
    /// Copies the ledger to `path`, as it stands at one instant. An older backup
    /// there is replaced once the copy is whole and on the disk.
    ///
    /// # Errors
    /// If `path` is the ledger or something that is no ledger, the ledger is
    /// damaged, or the copy cannot be written.
    pub fn back_up(&self, path: &Path, file_mode: u32) -> Result<(), BackupError> {
        self.refuse_occupied(path)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let unwritable = |error: io::Error| BackupError::Write {
            path: path.to_owned(),
            error,
        };
        let copy = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
        let problem =
            self.copy_to(copy.path())
                .map_err(|error| match error.sqlite_error_code() {
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                        BackupError::Damaged(error.to_string())
                    }
                    _ => BackupError::Copy {
                        path: path.to_owned(),
                        error,
                    },
                })?;
        if let Some(problem) = problem {
            return Err(BackupError::Damaged(problem));
        }
        let file = copy
            .persist(path)
            .map_err(|error| unwritable(error.error))?;
        file.set_permissions(Permissions::from_mode(file_mode))
            .map_err(unwritable)?;
        file.sync_all()
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(unwritable)
    }

    fn refuse_occupied(&self, path: &Path) -> Result<(), BackupError> {
        let Ok(there) = path.metadata() else {
            return Ok(());
        };
        let same = |ours: fs::Metadata| (ours.dev(), ours.ino()) == (there.dev(), there.ino());
        if self.path.metadata().is_ok_and(same) {
            return Err(BackupError::Itself(path.to_owned()));
        }
        Self::open_read_only(path)
            .map(drop)
            .map_err(|_| BackupError::Occupied(path.to_owned()))
    }

    /// Answers what is wrong with the copy, if anything is.
    fn copy_to(&self, path: &Path) -> rusqlite::Result<Option<String>> {
        let mut copy = Connection::open(path)?;
        Backup::new(&self.connection, &mut copy)?.run_to_completion(
            PAGES,
            Duration::from_millis(1),
            None,
        )?;
        // One file that stands alone, and can be read where nothing can be
        // written; the next to open it as the ledger turns this back.
        copy.pragma_update(None, "journal_mode", "delete")?;
        // Page by page; that index and table agree is for `ledger check`.
        let said: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok((said != "ok").then_some(said))
    }
}
