//! A copy of the ledger while it is in use.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::{Ledger, LedgerError, Result};

/// Pages that are copied between two pauses.
const PAGES: i32 = 4096;

impl Ledger {
    /// Copies the ledger to `path`, as it stands at one instant. What was at
    /// `path` is replaced once the copy is whole and on the disk.
    ///
    /// # Errors
    /// If the ledger cannot be read or the copy not be written.
    pub fn back_up(&self, path: &Path, file_mode: u32) -> Result<()> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let unwritable = |error: io::Error| super::unopenable(path, &error);
        let copy = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
        self.copy_to(copy.path())
            .map_err(|error| LedgerError::of(path.to_owned(), error))?;
        let file = copy
            .persist(path)
            .map_err(|error| unwritable(error.error))?;
        file.set_permissions(Permissions::from_mode(file_mode))
            .map_err(unwritable)?;
        file.sync_all()
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(unwritable)
    }

    fn copy_to(&self, path: &Path) -> rusqlite::Result<()> {
        let mut copy = Connection::open(path)?;
        Backup::new(&self.connection, &mut copy)?.run_to_completion(
            PAGES,
            Duration::from_millis(1),
            None,
        )
    }
}
