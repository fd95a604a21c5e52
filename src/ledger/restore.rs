//! A backup put in place of the present ledger.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Ledger, LedgerError, check};
use crate::data_dir::open_or_create;

/// How the folder begins in which a restore prepares the new ledger.
const SCRATCH: &str = ".restore-";

/// Why a ledger was not restored. The present one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The path is the ledger itself.
    #[error("{0} is the ledger itself; name a backup of it")]
    Itself(PathBuf),
    /// There is no backup.
    #[error("there is no backup at {0}; name a file, or a folder of backups")]
    Missing(PathBuf),
    /// The backup is something else.
    #[error("{0} is no backup of a Nightferry ledger; name another file")]
    Foreign(PathBuf),
    /// The backup is of a newer release, or cannot be read.
    #[error(transparent)]
    Backup(LedgerError),
    /// The backup is damaged.
    #[error("the backup {path} is damaged ({problem}); restore another one")]
    Damaged {
        /// The backup.
        path: PathBuf,
        /// What SQLite found first.
        problem: String,
    },
    /// The present ledger cannot be brought to rest.
    #[error(transparent)]
    Present(LedgerError),
    /// A file cannot be read or written.
    #[error(
        "cannot put {path} in place: {error}; check that there is room and who may write there"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Ledger {
    /// Puts a copy of the ledger at `from` at `place`, with mode `file_mode`. What
    /// was there is kept beside it, with `stamp` in its name, which is answered.
    /// The caller holds the locks of all tasks.
    ///
    /// However it ends, what stands at `place` is one of the two, whole: the new
    /// one is checked before, takes its name in one step, and never meets the
    /// write-ahead log of the old one.
    ///
    /// # Errors
    /// If the backup is not sound, or a file cannot be written.
    pub fn restore(
        from: &Path,
        place: &Path,
        stamp: &str,
        file_mode: u32,
    ) -> Result<Option<PathBuf>, RestoreError> {
        if is_same_file(from, place) {
            return Err(RestoreError::Itself(from.to_owned()));
        }
        let folder = place.parent().unwrap_or(Path::new("."));
        clear_leftovers(folder, place).map_err(|error| failed(folder, error))?;
        let scratch = tempfile::Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(folder)
            .map_err(|error| failed(folder, error))?;
        let new = scratch.path().join("ledger.sqlite");
        copy_with_log(from, &new, file_mode)?;
        prove(&new, from)?;
        File::open(&new)
            .and_then(|file| file.sync_all())
            .map_err(|error| failed(&new, error))?;
        bring_to_rest(place)?;
        exchange(&new, place, folder, stamp).map_err(|error| failed(place, error))
    }
}

fn failed(path: &Path, error: io::Error) -> RestoreError {
    let path = path.to_owned();
    RestoreError::File { path, error }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

/// The file of that name with something after it: `-wal`, `-shm`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes what a restore that was killed left behind: its scratch folder, and a
/// second name of the present ledger, under which nobody must open it.
fn clear_leftovers(folder: &Path, place: &Path) -> io::Result<()> {
    let replaced = beside(
        Path::new(place.file_name().unwrap_or_default()),
        ".replaced-",
    );
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(SCRATCH) {
            fs::remove_dir_all(entry.path())?;
        } else if name.starts_with(&*replaced.to_string_lossy())
            && is_same_file(&entry.path(), place)
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Copies the ledger and, if it has one, its write-ahead log: the backup itself
/// is only ever read.
fn copy_with_log(from: &Path, to: &Path, file_mode: u32) -> Result<(), RestoreError> {
    let mut source = File::open(from).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RestoreError::Missing(from.to_owned()),
        _ => failed(from, error),
    })?;
    let mut copy = open_or_create(to, file_mode).map_err(|error| failed(to, error))?;
    io::copy(&mut source, &mut copy).map_err(|error| failed(to, error))?;
    if let Ok(mut log) = File::open(beside(from, "-wal")) {
        let to = beside(to, "-wal");
        let mut copy = open_or_create(&to, file_mode).map_err(|error| failed(&to, error))?;
        io::copy(&mut log, &mut copy).map_err(|error| failed(&to, error))?;
    }
    Ok(())
}

/// That `copy` is a sound ledger of a version that is known here. What was in
/// its write-ahead log is in the file itself then.
fn prove(copy: &Path, from: &Path) -> Result<(), RestoreError> {
    let damaged = |problem: String| RestoreError::Damaged {
        path: from.to_owned(),
        problem,
    };
    let sorted = |error: LedgerError| match error {
        LedgerError::Damaged(_) => damaged("SQLite cannot read it".to_owned()),
        // An empty file is none yet, and no backup either.
        LedgerError::Missing(_) | LedgerError::Foreign(_) => RestoreError::Foreign(from.to_owned()),
        other => RestoreError::Backup(other),
    };
    let mut ledger = Ledger::connect(copy, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sorted)?;
    // Messages are to name what the user named.
    from.clone_into(&mut ledger.path);
    ledger.refuse_foreign(false).map_err(sorted)?;
    let problems = ledger.read(check::integrity).map_err(sorted)?;
    match problems.into_iter().next() {
        Some(problem) => Err(damaged(problem)),
        None => Ok(()),
    }
}

/// Brings what is in the present ledger's write-ahead log into the ledger. One
/// that is damaged or foreign stays as it is.
fn bring_to_rest(place: &Path) -> Result<(), RestoreError> {
    // Of what is no database SQLite would take the log away when it closes it.
    let is_database = || -> io::Result<bool> {
        let mut header = [0; 16];
        File::open(place)?.read_exact(&mut header)?;
        Ok(&header == b"SQLite format 3\0")
    };
    if !is_database().unwrap_or(false) {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let rest = || {
        let connection = Connection::open_with_flags(place, flags)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    };
    let present = |error| RestoreError::Present(LedgerError::of(place.to_owned(), error));
    match rest() {
        Ok(false) => Ok(()),
        Ok(true) => Err(RestoreError::Present(LedgerError::Busy(place.to_owned()))),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(()),
            _ => Err(present(error)),
        },
    }
}

/// Gives the present ledger a second name, takes its log away, and lets the new
/// one take its first name. Each step is on the disk before the next.
fn exchange(new: &Path, place: &Path, folder: &Path, stamp: &str) -> io::Result<Option<PathBuf>> {
    let settle = || File::open(folder)?.sync_all();
    let kept = beside(place, &format!(".replaced-{stamp}"));
    let was_there = place.exists();
    if was_there {
        link(place, &kept)?;
    }
    let log = beside(place, "-wal");
    // Only that of a damaged or lost ledger still holds something.
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        link(&log, &beside(&kept, "-wal"))?;
    }
    settle()?;
    for suffix in ["-wal", "-shm"] {
        match fs::remove_file(beside(place, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    settle()?;
    fs::rename(new, place)?;
    settle()?;
    Ok(was_there.then_some(kept))
}

/// A second name; where a disk has none, a copy.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| {
        fs::copy(from, to)?;
        File::open(to)?.sync_all()
    })
}

#[cfg(test)]
mod tests;
