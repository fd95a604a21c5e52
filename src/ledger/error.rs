//! What can be wrong with a ledger.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the ledger could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no file.
    #[error("there is no ledger at {0}; the first `nightferry run` makes one")]
    Missing(PathBuf),
    /// The file is a database of another program, or no database.
    #[error(
        "{0} is no Nightferry ledger; move it away, or correct `data_dir` in the configuration"
    )]
    Foreign(PathBuf),
    /// The file was written by a newer release.
    #[error(
        "{path} has ledger version {found}, this release knows up to {known}; use a newer release"
    )]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The file was written by an older release and could not be brought up to date.
    #[error(
        "{path} was written by an older release and is to be brought up to date: {why}; run any command as the user who runs the nights"
    )]
    Older {
        /// The ledger.
        path: PathBuf,
        /// Why it could not be.
        why: String,
    },
    /// The file is damaged.
    #[error(
        "the ledger {0} is damaged; restore a backup (`nightferry ledger restore`), or make it again from the delivered lists (`nightferry ledger rebuild --replace`)"
    )]
    Damaged(PathBuf),
    /// The disk is full.
    #[error("the disk that holds the ledger {0} is full; make room and run again, nothing is lost")]
    DiskFull(PathBuf),
    /// The file cannot be read or written.
    #[error(
        "the ledger {path} cannot be opened: {source}; check that the file and its folder can be read and written"
    )]
    Unopenable {
        /// The ledger.
        path: PathBuf,
        /// What the system said.
        source: rusqlite::Error,
    },
    /// Files are not there that lie beside a ledger in use, and who only reads cannot
    /// make them.
    #[error(
        "the ledger {0} cannot be read by those who may not write to its folder while the files {0}-wal and {0}-shm are not there; the next run makes them again (an `sqlite3` shell without `-readonly` takes them away)"
    )]
    Unshared(PathBuf),
    /// The file is not in its place any more.
    #[error(
        "the ledger {0} was moved or deleted while it was in use; what was just to be written is not kept; put it back, restore a backup, or make it again from the delivered lists (`nightferry ledger rebuild`)"
    )]
    Gone(PathBuf),
    /// Another process held the ledger for longer than the busy timeout.
    #[error(
        "the ledger {0} stayed locked by another process; find out what holds it (a `sqlite3` shell with an open transaction?) and run again"
    )]
    Busy(PathBuf),
    /// A statement failed.
    #[error("the ledger {path} refused a statement: {source}")]
    Statement {
        /// The ledger.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl LedgerError {
    /// Sorts an error of SQLite on the ledger at `path`.
    #[must_use]
    pub fn of(path: PathBuf, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign(path),
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(path),
            Some(ErrorCode::DiskFull) => Self::DiskFull(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(path),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) if lacks_what_lies_beside(&path) => {
                Self::Unshared(path)
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::Unopenable { path, source }
            }
            _ => Self::Statement { path, source },
        }
    }
}

/// Whether the ledger is there, and a file beside it is not that readers need.
fn lacks_what_lies_beside(path: &Path) -> bool {
    let beside = |end: &str| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        PathBuf::from(beside)
    };
    path.exists() && !(beside("-wal").exists() && beside("-shm").exists())
}

/// Shorthand for results of the ledger.
pub type Result<T> = std::result::Result<T, LedgerError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_told_of_the_files_that_are_missing_beside_the_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let read_only = || {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
            LedgerError::of(path.clone(), rusqlite::Error::SqliteFailure(code, None))
        };
        let unopenable = |error| matches!(error, LedgerError::Unopenable { .. });
        assert!(unopenable(read_only()));
        std::fs::write(&path, "").unwrap();
        assert!(matches!(read_only(), LedgerError::Unshared(_)));
        for end in ["-wal", "-shm"] {
            std::fs::write(folder.path().join(format!("ledger.sqlite{end}")), "").unwrap();
        }
        assert!(unopenable(read_only()));
    }
}
