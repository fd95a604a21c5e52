//! The folder that holds everything: ledger, lists, locks, and who may read them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Group, access};

use crate::model::TaskId;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The system does not know the group.
    #[error("`group = \"{0}\"` in the configuration names no group of this system")]
    UnknownGroup(String),
    /// The folder in which it is to be made is not there.
    #[error(
        "cannot make the data directory {}: {} is not there; mount its disk, make it, or correct `data_dir` in the configuration",
        root.display(), above.display()
    )]
    Nowhere {
        /// The data directory.
        root: PathBuf,
        /// The folder above it.
        above: PathBuf,
    },
    /// A folder cannot be made or given its mode.
    #[error(
        "cannot prepare the folder {path}: {source}; check `data_dir` in the configuration and who may write there"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The modes of what Nightferry writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Of files.
    pub file: u32,
    /// Of folders.
    pub folder: u32,
    /// Of `object_lists/`, where people and programs of the group put lists.
    pub inbox: u32,
}

impl Modes {
    /// For the owner alone.
    pub const PRIVATE: Self = Self {
        file: 0o600,
        folder: 0o700,
        inbox: 0o700,
    };
    /// The group reads, and writes into `object_lists/`. The set-group-id bit
    /// gives new files the folder's group.
    pub const GROUP: Self = Self {
        file: 0o640,
        folder: 0o2750,
        inbox: 0o2770,
    };
}

/// Opens the file at `path` for appending. A new one gets `mode`, whatever the
/// process's umask; one that is there keeps its own.
///
/// # Errors
/// If it cannot be opened or made.
pub fn open_or_create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true);
    match options.clone().create_new(true).mode(mode).open(path) {
        Ok(file) => {
            file.set_permissions(Permissions::from_mode(mode))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// The data directory.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
    modes: Modes,
    group: Option<u32>,
}

impl DataDir {
    /// The directory at `root`, for its owner alone or for `group` as well.
    ///
    /// # Errors
    /// If the system does not know the group.
    pub fn new(root: PathBuf, group: Option<&str>) -> Result<Self, DataDirError> {
        let group = group
            .map(|name| match Group::from_name(name) {
                Ok(Some(group)) => Ok(group.gid.as_raw()),
                _ => Err(DataDirError::UnknownGroup(name.to_owned())),
            })
            .transpose()?;
        let modes = if group.is_some() {
            Modes::GROUP
        } else {
            Modes::PRIVATE
        };
        Ok(Self { root, modes, group })
    }

    /// The ledger's file.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.sqlite")
    }

    /// The lock file of a task.
    #[must_use]
    pub fn lock(&self, task: &TaskId) -> PathBuf {
        self.root.join("locks").join(format!("{task}.lock"))
    }

    /// The lock file of whoever makes a backup; no task's id begins with a dot.
    #[must_use]
    pub fn backup_lock(&self) -> PathBuf {
        self.root.join("locks").join(".backup.lock")
    }

    /// The lock file of whoever sends mails; no task's id begins with a dot.
    #[must_use]
    pub fn mail_lock(&self) -> PathBuf {
        self.root.join("locks").join(".mail.lock")
    }

    /// The lock files of all tasks that were ever run here.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn locks(&self) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(self.root.join("locks"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    }

    /// The folder of a task's lists, the counterpart of its prefix in the destination bucket.
    #[must_use]
    pub fn task(&self, task: &TaskId) -> PathBuf {
        self.root.join(task.prefix())
    }

    /// The folder into which a task's input lists are put.
    #[must_use]
    pub fn object_lists(&self, task: &TaskId) -> PathBuf {
        self.task(task).join("object_lists")
    }

    /// The modes of what is written here.
    #[must_use]
    pub const fn modes(&self) -> Modes {
        self.modes
    }

    /// Where the directory is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether nothing was ever kept here: there is no such directory, or it is
    /// empty, as a mount point is whose disk is missing.
    #[must_use]
    pub fn is_new(&self) -> bool {
        match fs::read_dir(&self.root) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Whether it is there, or could be made; nothing is made.
    ///
    /// # Errors
    /// If the folder above it is not there, is none, or cannot be written to.
    pub fn can_begin(&self) -> Result<(), DataDirError> {
        if self.root.is_dir() {
            return Ok(());
        }
        let above = match self.root.parent() {
            Some(above) if above != Path::new("") => above,
            _ => Path::new("."),
        };
        if matches!(above.try_exists(), Ok(false)) {
            return Err(DataDirError::Nowhere {
                root: self.root.clone(),
                above: above.to_owned(),
            });
        }
        let may = if self.root.exists() || !above.is_dir() {
            Err(io::Error::from(io::ErrorKind::NotADirectory))
        } else {
            access(above, AccessFlags::W_OK | AccessFlags::X_OK).map_err(io::Error::from)
        };
        may.map_err(|source| DataDirError::Folder {
            path: self.root.clone(),
            source,
        })
    }

    /// Whether others than its owner and its group may look into it.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        let mode = self.root.metadata().map(|root| root.permissions().mode());
        mode.is_ok_and(|mode| mode & 0o007 != 0)
    }

    /// Whether there is no ledger though a run or `serve` was at work here.
    #[must_use]
    pub fn has_lost_its_ledger(&self) -> bool {
        let has_run = || self.locks().is_ok_and(|locks| !locks.is_empty());
        let has_served = || self.root.join("serve/lock").exists();
        matches!(self.ledger().try_exists(), Ok(false)) && (has_run() || has_served())
    }

    /// Makes the folders that `tasks` need; those that are there keep their modes.
    /// The directory itself is made too, the folder above it is not: a path that
    /// leads nowhere is a mistake, or a disk that is missing.
    ///
    /// # Errors
    /// If one cannot be made.
    pub fn prepare<'a>(
        &self,
        tasks: impl IntoIterator<Item = &'a TaskId>,
    ) -> Result<(), DataDirError> {
        self.folder(&self.root, self.modes.folder)?;
        self.folder(&self.root.join("locks"), self.modes.folder)?;
        for task in tasks {
            self.folder(&self.task(task), self.modes.folder)?;
            self.folder(&self.object_lists(task), self.modes.inbox)?;
        }
        Ok(())
    }

    /// Makes the folder in which `serve` keeps what it is about, and answers where it is.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn prepare_serve(&self) -> Result<PathBuf, DataDirError> {
        let folder = self.root.join("serve");
        self.folder(&folder, self.modes.folder)?;
        Ok(folder)
    }

    /// Makes `path` and the missing folders above it, down from the root.
    fn folder(&self, path: &Path, mode: u32) -> Result<(), DataDirError> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(above) = path.parent() {
            if above.starts_with(&self.root) {
                self.folder(above, self.modes.folder)?;
            } else if !above.as_os_str().is_empty() && matches!(above.try_exists(), Ok(false)) {
                return Err(DataDirError::Nowhere {
                    root: self.root.clone(),
                    above: above.to_owned(),
                });
            }
        }
        self.make(path, mode)
            .map_err(|source| DataDirError::Folder {
                path: path.to_owned(),
                source,
            })
    }

    fn make(&self, path: &Path, mode: u32) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            // Another task or process made it in this moment, and sees to the rest.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
                return Ok(());
            }
            created => created?,
        }
        if let Some(group) = self.group {
            chown(path, None, Some(group))?;
        }
        // Set apart from creation, where the process's umask would cut it.
        fs::set_permissions(path, Permissions::from_mode(mode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn folders_are_for_their_owner_unless_a_group_is_named() {
        let above = tempfile::tempdir().unwrap();
        let task: TaskId = "photos".parse().unwrap();
        let alone = DataDir::new(above.path().join("a"), None).unwrap();
        alone.prepare([&task]).unwrap();
        assert_eq!(mode(alone.root()), 0o700);
        assert_eq!(mode(&alone.object_lists(&task)), 0o700);

        let shared = DataDir::new(above.path().join("c"), Some("root")).unwrap();
        shared.prepare([&task]).unwrap();
        assert_eq!(mode(shared.root()), 0o2750);
        assert_eq!(mode(&shared.object_lists(&task)), 0o2770);
    }

    #[test]
    fn it_is_new_until_something_is_kept_in_it() {
        let above = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(above.path().join("a"), None).unwrap();
        assert!(data_dir.is_new());
        fs::create_dir(data_dir.root()).unwrap();
        assert!(data_dir.is_new());
        data_dir.prepare([]).unwrap();
        assert!(!data_dir.is_new());
    }

    #[test]
    fn its_ledger_is_lost_if_something_was_at_work_and_it_is_not_there() {
        let above = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(above.path().join("a"), None).unwrap();
        let task: TaskId = "photos".parse().unwrap();
        data_dir.prepare([&task]).unwrap();
        assert!(!data_dir.has_lost_its_ledger());
        for trace in [
            data_dir.lock(&task),
            data_dir.prepare_serve().unwrap().join("lock"),
        ] {
            fs::write(&trace, "").unwrap();
            assert!(data_dir.has_lost_its_ledger());
            fs::write(data_dir.ledger(), "").unwrap();
            assert!(!data_dir.has_lost_its_ledger());
            fs::remove_file(data_dir.ledger()).unwrap();
            fs::remove_file(&trace).unwrap();
        }
    }

    #[test]
    fn a_folder_above_it_that_is_not_there_is_named_and_not_made() {
        let above = tempfile::tempdir().unwrap();
        let disk = above.path().join("disk");
        let data_dir = DataDir::new(disk.join("data"), None).unwrap();
        let refused = data_dir.prepare([]).unwrap_err().to_string();
        let said = format!("{} is not there; mount its disk", disk.display());
        assert!(refused.contains(&said), "{refused}");
        assert!(!disk.exists());
    }

    #[test]
    fn an_unknown_group_is_named() {
        let error = DataDir::new("/nowhere".into(), Some("no-such-group")).unwrap_err();
        assert!(error.to_string().contains("no-such-group"));
    }
}
