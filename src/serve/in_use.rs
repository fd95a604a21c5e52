//! Which ledger is in use: the one that names are loaded into. What is read out of
//! another one would not be the figures of these names.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::ledger::{FileId, file_at};

/// The ledger that is in use, by its place and its file.
pub(super) struct InUse {
    path: PathBuf,
    file: Mutex<Option<FileId>>,
}

impl InUse {
    /// None is in use yet; it will be at `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        let file = Mutex::new(None);
        Self { path, file }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on this one is; answers whether another one was.
    pub(super) fn set(&self, file: Option<FileId>) -> bool {
        let mut present = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *present, file) != file
    }

    /// Whether it is in its place:
    ///
    /// | at its path is | then |
    /// |--|--|
    /// | the file that is in use | yes |
    /// | another file, be it a sound ledger: it was just put there, and what was recorded meanwhile is not in it | no |
    /// | nothing | no |
    pub(super) fn is_in_place(&self) -> bool {
        let file = *self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.is_some() && file == file_at(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_truth_table_of_what_is_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let aside = folder.path().join("aside");
        let in_use = InUse::new(path.clone());
        fs::write(&path, "one").unwrap();
        assert!(!in_use.is_in_place());
        assert!(in_use.set(file_at(&path)));
        assert!(in_use.is_in_place());
        fs::rename(&path, &aside).unwrap();
        assert!(!in_use.is_in_place());
        fs::write(&path, "other").unwrap();
        assert!(!in_use.is_in_place());
        fs::rename(&aside, &path).unwrap();
        assert!(in_use.is_in_place());
        assert!(!in_use.set(file_at(&path)));
    }
}
