//! Names that a run would take, gathered beside the ledger without writing to it.
//!
//! They go into a temporary table of the connection: SQLite keeps it in a file
//! of its own, so memory stays flat and the ledger untouched.

use std::path::Path;

use rusqlite::{Connection, params};

use super::queue::queued;
use super::runs::day_number;
use super::{BUSY_TIMEOUT, Ledger, LedgerError, Queued, Result, TaskKey, mends, schema};
use crate::model::{DestinationPrefix, LocalTime, ObjectName};

impl Ledger {
    /// Opens the ledger at `path` for reading, or an empty one in memory if
    /// there is none, ready to gather names.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn open_to_rehearse(path: &Path) -> Result<Self> {
        let ledger = match Self::open_read_only(path) {
            Err(LedgerError::Missing(_)) => Self::in_memory(path)?,
            opened => opened?,
        };
        ledger.read(|connection| {
            connection.execute_batch(
                "PRAGMA temp_store = file;
                 CREATE TEMP TABLE rehearsed (name TEXT PRIMARY KEY) WITHOUT ROWID",
            )
        })?;
        Ok(ledger)
    }

    fn in_memory(path: &Path) -> Result<Self> {
        let open = || {
            let mut connection = Connection::open_in_memory()?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            schema::migrate(&mut connection)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| LedgerError::of(path.to_owned(), error))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            file: None,
        })
    }

    /// Gathers the names of requests that are pending, or would be carried over
    /// at `now`. Answers how many requests that are.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the temporary file not be written.
    pub fn rehearse_pending(&self, task: TaskKey, now: LocalTime) -> Result<u64> {
        self.read(|connection| {
            let bound = params![task.0, day_number(now)];
            connection.execute(
                include_str!("../../sql/statements/rehearse_pending.sql"),
                bound,
            )?;
            connection.query_row(
                include_str!("../../sql/statements/count_rehearsed_requests.sql"),
                bound,
                |row| row.get(0),
            )
        })
    }

    /// Gathers a name from a list.
    ///
    /// # Errors
    /// If the temporary file cannot be written.
    pub fn rehearse_name(&self, name: &ObjectName) -> Result<()> {
        self.read(|connection| {
            connection
                .prepare_cached("INSERT OR IGNORE INTO temp.rehearsed VALUES (?1)")?
                .execute([name.as_str()])?;
            Ok(())
        })
    }

    /// The next `limit` gathered names behind `after`, in byte order, for a run that
    /// puts `prefix` before every name at the destination.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn rehearsed_names(
        &self,
        task: Option<TaskKey>,
        prefix: &DestinationPrefix,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Queued>> {
        self.read(|connection| {
            let mut names: Vec<Queued> = connection
                .prepare_cached(
                    "SELECT rehearsed.name, source_etag, copy_etag FROM temp.rehearsed
                     LEFT JOIN last_copy ON last_copy.task = ?1 AND last_copy.name = rehearsed.name
                         AND last_copy.destination_prefix = ?4
                     WHERE rehearsed.name > ?2 ORDER BY rehearsed.name LIMIT ?3",
                )?
                .query_map(
                    params![
                        task.map(|task| task.0),
                        after.unwrap_or(""),
                        limit,
                        prefix.as_str()
                    ],
                    queued,
                )?
                .collect::<rusqlite::Result<_>>()?;
            if let Some(task) = task {
                mends::tell(connection, task, &mut names)?;
            }
            Ok(names)
        })
    }
}
