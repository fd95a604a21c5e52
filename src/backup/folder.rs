//! Copies in a folder.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{BackupName, Kept, LedgerCopy, StoreError, beyond, choose};

/// A folder that holds copies of one ledger.
#[derive(Debug, Clone, Copy)]
pub struct FolderStore<'a> {
    /// The folder; it must be there: a disk that is not mounted is to be noticed.
    pub folder: &'a Path,
    /// How many copies stay.
    pub keep: usize,
    /// The mode of a copy.
    pub file_mode: u32,
}

impl FolderStore<'_> {
    /// Keeps `copy`, unless the newest there is the same; then removes what is
    /// beyond `keep`.
    ///
    /// # Errors
    /// If the folder cannot be read or the copy not be written; nothing is
    /// removed then.
    pub fn keep(&self, copy: &LedgerCopy) -> Result<Kept, StoreError> {
        let mut names = self.names()?;
        let mut kept = Kept::default();
        let newest = names.iter().max();
        if !newest.is_some_and(|newest| newest.same_content(&copy.name)) {
            let place = self.folder.join(copy.name.to_string());
            self.write(copy, &place)
                .map_err(|error| StoreError::file(self.folder, error))?;
            kept.stored = Some(place.display().to_string());
            names.push(copy.name.clone());
        }
        for name in beyond(names, self.keep) {
            let path = self.folder.join(name.to_string());
            if let Err(error) = fs::remove_file(&path) {
                let path = path.display();
                kept.notes
                    .push(format!("{path} could not be removed: {error}"));
            }
        }
        Ok(kept)
    }

    /// Sees whether a copy could be kept, and keeps none.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn check(&self) -> Result<(), StoreError> {
        self.names()?;
        let file = tempfile::tempfile_in(self.folder);
        file.map(drop)
            .map_err(|error| StoreError::file(self.folder, error))
    }

    /// The copy that is wanted by name, by default the newest.
    ///
    /// # Errors
    /// If there is none, or the folder cannot be read.
    pub fn find(&self, wanted: Option<&str>) -> Result<PathBuf, StoreError> {
        let place = self.folder.display().to_string();
        let name = choose(self.names()?, wanted, &place)?;
        Ok(self.folder.join(name.to_string()))
    }

    fn names(&self) -> Result<Vec<BackupName>, StoreError> {
        let names = || -> io::Result<Vec<BackupName>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(self.folder)? {
                let name = entry?.file_name();
                names.extend(name.to_str().and_then(|name| name.parse().ok()));
            }
            Ok(names)
        };
        names().map_err(|error| StoreError::file(self.folder, error))
    }

    fn write(&self, copy: &LedgerCopy, place: &Path) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".ledger-")
            .suffix(".tmp")
            .tempfile_in(self.folder)?;
        io::copy(&mut File::open(copy.path())?, &mut file)?;
        let mode = Permissions::from_mode(self.file_mode);
        file.as_file().set_permissions(mode)?;
        file.as_file().sync_all()?;
        file.persist(place).map_err(|error| error.error)?;
        File::open(self.folder)?.sync_all()
    }
}
