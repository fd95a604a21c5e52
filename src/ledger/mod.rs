//! The ledger: one SQLite file that remembers every request and what became of it.
//!
//! All SQL of the program is behind this module. A [`Ledger`] is one connection:
//! the recorder owns the one that writes during a run, others read beside it.
//! Readers never block the writer nor it them (write-ahead log). Writers take
//! the write lock at once (`BEGIN IMMEDIATE`) and wait for each other.

mod audit;
mod awaited;
mod backup;
mod bill;
mod books;
mod breaker;
mod browse;
mod bulk;
mod check;
mod claims;
#[cfg(test)]
mod cost;
mod deliveries;
#[cfg(test)]
mod documents;
mod error;
mod expectations;
mod failures;
#[cfg(test)]
pub(crate) mod fixture;
mod gauges;
mod journal;
mod lists;
mod mails;
mod mends;
mod nights;
mod outcomes;
mod past;
mod pause;
mod pending;
mod plans;
mod prune;
mod queue;
mod rebuild;
mod rehearsal;
mod rejected;
mod remembered;
mod report;
mod restore;
mod retry;
mod runs;
mod sample;
mod schema;
mod settling;
mod slots;
mod spot;
mod story;
mod summary;
mod suspects;
mod tasks;
mod throttling;
mod tuning;
mod withdraw;
mod work;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::data_dir::open_or_create;

pub use audit::{AuditedRun, FailedLines, KeptManifest};
pub use awaited::{Awaiting, RestoreStory};
pub use backup::BackupError;
pub use breaker::OpenBreaker;
pub use browse::{Cell, Filter, View};
pub use claims::Claimant;
pub use deliveries::{Deliverable, Delivery};
pub use error::{LedgerError, Result};
pub use failures::{FailedPage, FailedPlace, FailedRequest, FailedSearch, NameSearch};
pub use gauges::{Gauges, RunGauges};
pub use lists::{KnownList, ListKey, ListPlace, LoadedPart, RejectedLine};
pub use mails::OwedMail;
pub use nights::{Compared, FailedName, NightRow, OpenSide, RejectedHere};
pub use outcomes::Recording;
pub use past::{DayFigures, InputList, PastRun};
pub use pause::Standing;
pub use prune::Pruned;
pub use queue::{Queued, Stretch};
pub use rebuild::{RebuildError, Rebuilding, RebuiltRun};
pub use rejected::{RejectedOf, RejectedPage, RejectedPlace, RejectedSearch, ShownLine};
pub use remembered::Remembered;
pub use report::{EndedRun, Listed, ListedOutcome};
pub use restore::RestoreError;
pub use retry::Failures;
pub use runs::{BeginFailure, BegunRun, NewRun, RunEnd, Taken};
pub use sample::Sample;
pub use schema::VIEWS;
pub use slots::{SLOT_MS, SeriesPlace};
pub use spot::{SpotCheck, SpotFinding};
pub use story::{AttemptStory, Facts, LastRun, RequestStory, SettledAs, TaskStatus};
pub use summary::{ClosedMonth, KnownTask, MonthRow, OddNames};
pub use tasks::Counted;
pub use throttling::ThrottledSpan;
pub use tuning::{RunAtWork, Tuned};
pub use withdraw::Selection;
pub use work::{SettledPlace, SizeClass, SlowObject, ThrottledPlace};

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_mins(2);

/// The ledger's key of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskKey(i64);

/// The ledger's key of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunKey(pub(super) i64);

/// One connection to the ledger.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
    /// The file that was opened at `path`; `None` in memory.
    file: Option<FileId>,
}

/// Which file it is, whatever its name: device and number, and when it was made, for
/// numbers of files that are gone are given away again. `None` where that is not told.
pub type FileId = (u64, u64, Option<SystemTime>);

/// The file at `path`, if there is one.
#[must_use]
pub fn file_at(path: &Path) -> Option<FileId> {
    let file = path.metadata().ok()?;
    Some((file.dev(), file.ino(), file.created().ok()))
}

impl Ledger {
    /// Opens the ledger for writing; makes it (mode `file_mode`), or brings it to
    /// this release's version, as needed.
    ///
    /// # Errors
    /// If the file is foreign, newer, damaged, or cannot be written.
    pub fn open(path: &Path, file_mode: u32) -> Result<Self> {
        open_or_create(path, file_mode).map_err(|error| unopenable(path, &error))?;
        let mut ledger = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        ledger.refuse_foreign(true)?;
        ledger.prepare().map_err(|error| ledger.error(error))?;
        schema::migrate(&mut ledger.connection).map_err(|error| ledger.error(error))?;
        Ok(ledger)
    }

    /// Opens the ledger for reading only. One of an older release is brought to
    /// this one's version first.
    ///
    /// # Errors
    /// If there is none, or it is foreign, newer, damaged or unreadable, or older
    /// and cannot be written.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(LedgerError::Missing(path.to_owned())),
            Err(error) => return Err(unopenable(path, &error)),
        }
        let ledger = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        ledger.refuse_foreign(false)?;
        let (_, version) =
            schema::header(&ledger.connection).map_err(|error| ledger.error(error))?;
        if version < schema::known_version() {
            // The file is there: it keeps the mode that it has.
            Self::open(path, 0o600).map_err(|why| LedgerError::Older {
                path: path.to_owned(),
                why: why.to_string(),
            })?;
            return Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        }
        Ok(ledger)
    }

    /// Another connection to the same ledger, for reading beside the writer.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only).
    pub fn reader(&self) -> Result<Self> {
        Self::open_read_only(&self.path)
    }

    /// Whether it can be written, without writing anything.
    ///
    /// # Errors
    /// If not.
    pub fn is_writable(mut self) -> Result<()> {
        self.write(|_| Ok(()))
    }

    /// The file that was opened; `None` in memory.
    #[must_use]
    pub const fn file(&self) -> Option<FileId> {
        self.file
    }

    /// Whether the file that was opened is still in its place. SQLite would go on
    /// writing into one that has no name any more.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.file.is_none() || self.file == file_at(&self.path)
    }

    /// Where the ledger lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|error| LedgerError::of(path.to_owned(), error))?;
        let ledger = Self {
            connection,
            path: path.to_owned(),
            file: file_at(path),
        };
        ledger
            .connection
            .busy_timeout(BUSY_TIMEOUT)
            .map_err(|error| ledger.error(error))?;
        ledger.connection.set_prepared_statement_cache_capacity(64);
        // Else SQLite makes a new plan whenever a bound LIMIT changes: at every
        // outcome, and for longer than the outcome itself takes.
        ledger
            .connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(|error| ledger.error(error))?;
        Ok(ledger)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        // Only takes effect on a file without tables: pages freed by a later
        // prune can then be given back without rewriting the file.
        self.connection
            .pragma_update(None, "auto_vacuum", "incremental")?;
        self.connection.pragma_update(None, "journal_mode", "wal")?;
        // The files beside the ledger stay when the last writer closes it: who
        // may only read could not make them, and so not read either. What is in
        // them goes into the ledger all the same, when it is dropped.
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        self.connection.pragma_update(None, "synchronous", "full")?;
        self.connection.pragma_update(None, "foreign_keys", true)?;
        self.connection.pragma_update(None, "temp_store", "file")?;
        self.connection.pragma_update(None, "cache_size", -4_000)
    }

    fn refuse_foreign(&self, may_be_empty: bool) -> Result<()> {
        let (application_id, version) =
            schema::header(&self.connection).map_err(|error| self.error(error))?;
        let empty = application_id == 0 && version == 0 && self.has_no_tables()?;
        if empty {
            return if may_be_empty {
                Ok(())
            } else {
                Err(LedgerError::Missing(self.path.clone()))
            };
        }
        if application_id != schema::APPLICATION_ID {
            return Err(LedgerError::Foreign(self.path.clone()));
        }
        if version > schema::known_version() {
            let known = schema::known_version();
            return Err(LedgerError::Newer {
                path: self.path.clone(),
                found: version,
                known,
            });
        }
        Ok(())
    }

    fn has_no_tables(&self) -> Result<bool> {
        self.connection
            .query_row(
                "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
                [],
                |row| row.get(0),
            )
            .map_err(|error| self.error(error))
    }

    /// Sorts an error of SQLite.
    fn error(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError::of(self.path.clone(), error)
    }

    /// Runs `work` in one write transaction: all of it is kept, or nothing.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        if !self.is_in_place() {
            return Err(LedgerError::Gone(self.path.clone()));
        }
        let attempt = || {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        attempt().map_err(|error| LedgerError::of(self.path.clone(), error))
    }

    /// All that `work` reads, as it stood at one instant.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the error of `work`.
    pub fn at_one_instant<T, E: From<LedgerError>>(
        &self,
        work: impl FnOnce(&Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let transaction = self.connection.unchecked_transaction();
        let transaction = transaction.map_err(|error| self.error(error))?;
        let value = work(self)?;
        drop(transaction);
        Ok(value)
    }

    /// Runs `query` on the connection as it is.
    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        query(&self.connection).map_err(|error| self.error(error))
    }
}

impl Drop for Ledger {
    /// Leaves all that was committed in the ledger's own file, so that a copy of
    /// it alone is whole. Not while somebody reads: then the next to close does.
    fn drop(&mut self) {
        if matches!(self.connection.is_readonly(rusqlite::MAIN_DB), Ok(false)) {
            let patience = self.connection.busy_timeout(Duration::ZERO);
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            // What is committed is safe either way.
            drop(patience.and_then(|()| self.connection.execute_batch(checkpoint)));
        }
    }
}

fn unopenable(path: &Path, error: &std::io::Error) -> LedgerError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return LedgerError::DiskFull(path.to_owned());
    }
    let source = rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
        Some(error.to_string()),
    );
    LedgerError::Unopenable {
        path: path.to_owned(),
        source,
    }
}
