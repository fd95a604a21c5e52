//! Which lists are being written, or are not loaded to their end, kept where the
//! next process finds it: so it mends and loads those of a killed one, and never
//! touches a list of somebody else.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::data_dir::{DataDir, open_or_create};
use crate::model::TaskId;
use crate::serve::ServeError;

/// How much is read at once on the way back to the last line end.
const STEP_BYTES: u64 = 4_096;

/// The folder of the marks, held by this process alone.
pub(in crate::serve) struct Marks {
    folder: PathBuf,
    file_mode: u32,
    _lock: File,
}

/// A list of a killed process, with all its lines ended.
pub(super) struct Mended {
    /// Its path, from `object_lists/` on.
    pub(super) path: String,
    pub(super) file: File,
    pub(super) bytes: u64,
}

impl Marks {
    /// Takes the folder of the marks.
    pub(super) fn take(data_dir: &DataDir) -> Result<Self, ServeError> {
        let folder = data_dir.prepare_serve()?;
        let path = folder.join("lock");
        let unusable = |source| ServeError::Files {
            path: path.clone(),
            source,
        };
        let file_mode = data_dir.modes().file;
        let lock = open_or_create(&path, file_mode).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder,
                file_mode,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(ServeError::Held(path)),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Where the mark of the list at `path` is. No task's id has a dot.
    fn mark(&self, task: &TaskId, path: &str) -> PathBuf {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.folder.join(format!("{task}.{name}"))
    }

    /// Remembers that the list at `path`, whose file has this number, is being
    /// written for `task`.
    pub(super) fn set(&self, task: &TaskId, path: &str, inode: u64) -> io::Result<()> {
        let mut mark = tempfile::NamedTempFile::new_in(&self.folder)?;
        write!(mark, "{path}\n{inode}\n")?;
        let mode = fs::Permissions::from_mode(self.file_mode);
        mark.as_file().set_permissions(mode)?;
        mark.as_file().sync_all()?;
        mark.persist(self.mark(task, path))
            .map_err(|error| error.error)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Forgets it again, once it is closed and loaded. A mark that stays does no
    /// harm: its list has all its lines ended, and is known to be loaded.
    pub(in crate::serve) fn clear(&self, task: &TaskId, path: &str) {
        drop(fs::remove_file(self.mark(task, path)));
    }

    /// Cuts off the unfinished lines of the lists that killed processes were
    /// writing for `task`; answers these lists.
    pub(super) fn mend(
        &self,
        task: &TaskId,
        data_dir: &DataDir,
    ) -> Result<Vec<Mended>, ServeError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ServeError::Files { path, source }
        };
        let mut lists = Vec::new();
        for mark in fs::read_dir(&self.folder).map_err(failed(&self.folder))? {
            let mark = mark.map_err(failed(&self.folder))?;
            let name = mark.file_name();
            let of_task = |name: &str| {
                name.split_once('.')
                    .is_some_and(|(id, _)| id == task.as_str())
            };
            if !name.to_str().is_some_and(of_task) {
                continue;
            }
            let mark = mark.path();
            let text = fs::read_to_string(&mark).map_err(failed(&mark))?;
            let mended = match text.split_once('\n') {
                Some((path, inode)) => {
                    let place = data_dir.task(task).join(path);
                    mend_list(&place, inode.trim_end())
                        .map_err(failed(&place))?
                        .map(|(file, bytes)| Mended {
                            path: path.to_owned(),
                            file,
                            bytes,
                        })
                }
                None => None,
            };
            match mended {
                Some(list) => lists.push(list),
                // There is nothing left to be mended or loaded.
                None => drop(fs::remove_file(&mark)),
            }
        }
        Ok(lists)
    }
}

/// Cuts the list at `place` back to its last line end; `None` if it is not
/// there any more. One without any line is taken away.
fn mend_list(place: &Path, inode: &str) -> io::Result<Option<(File, u64)>> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(place);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // Somebody put something else there.
        Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.ino().to_string() != inode {
        return Ok(None);
    }
    let end = end_of_lines(&file, metadata.len())?;
    if end == 0 {
        fs::remove_file(place)?;
        return Ok(None);
    }
    // Also gives back what was reserved of the disk beyond the end.
    file.set_len(end)?;
    file.sync_all()?;
    Ok(Some((file, end)))
}

/// Where the last line that is ended ends.
fn end_of_lines(file: &File, size: u64) -> io::Result<u64> {
    let mut end = size;
    while end > 0 {
        let from = end.saturating_sub(STEP_BYTES);
        let mut step = vec![0; usize::try_from(end - from).unwrap_or_default()];
        file.read_exact_at(&mut step, from)?;
        if let Some(place) = step.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + place as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}
