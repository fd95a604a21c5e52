//! Lists in a local folder.

use std::cmp::Ordering;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use walkdir::{DirEntry, WalkDir};

use super::source::{Found, ListSource, OBJECT_LISTS, PassedOver, Problem, Stat};
use crate::model::Timestamp;

/// The regular files `*.txt`, at any depth, in the `object_lists/` of a task's folder.
#[derive(Debug, Clone)]
pub struct LocalLists {
    task_folder: PathBuf,
}

impl LocalLists {
    /// The lists in `task_folder`, which is `data_dir/oms/sync_task/<task id>`.
    #[must_use]
    pub fn new(task_folder: &Path) -> Self {
        Self {
            task_folder: task_folder.to_owned(),
        }
    }
}

impl ListSource for LocalLists {
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        let mut entries = WalkDir::new(self.task_folder.join(OBJECT_LISTS))
            .min_depth(1)
            .sort_by(by_path)
            .into_iter();
        Box::new(std::iter::from_fn(move || {
            loop {
                let found = match entries.next()? {
                    Ok(entry) => {
                        let found = look_at(&self.task_folder, &entry);
                        if entry.file_type().is_dir() && found.is_some() {
                            entries.skip_current_dir();
                        }
                        found
                    }
                    Err(error) => unreadable(&self.task_folder, error),
                };
                if found.is_some() {
                    return found;
                }
            }
        }))
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        regular(&self.task_folder.join(path).symlink_metadata()?)
    }

    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
        // What was a file a moment ago may by now be a link, or a pipe that
        // would block until somebody writes to it.
        let file: File = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
            .open(self.task_folder.join(path))?;
        Ok((regular(&file.metadata()?)?, Box::new(file)))
    }
}

/// The order of whole paths: a folder sorts as if its name ended in `/`.
fn by_path(one: &DirEntry, other: &DirEntry) -> Ordering {
    fn key(entry: &DirEntry) -> impl Iterator<Item = &u8> {
        let slash: &[u8] = if entry.file_type().is_dir() {
            b"/"
        } else {
            b""
        };
        entry.file_name().as_bytes().iter().chain(slash)
    }
    key(one).cmp(key(other))
}

#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a list is `*.txt`, to the letter"
)]
/// What `entry` is; `None` for a folder to walk into and for what has just gone.
fn look_at(task_folder: &Path, entry: &DirEntry) -> Option<Found> {
    let kind = entry.file_type();
    let Some(name) = entry.file_name().to_str() else {
        return Some(Found::PassedOver(PassedOver::NameNotUtf8));
    };
    let passed_over = if name.starts_with('.') {
        PassedOver::Hidden
    } else if kind.is_dir() {
        return None;
    } else if kind.is_symlink() {
        PassedOver::Link
    } else if !kind.is_file() {
        PassedOver::Special
    } else if [".tmp", ".part", "~"].iter().any(|end| name.ends_with(end)) {
        PassedOver::Unfinished
    } else if !name.ends_with(".txt") {
        PassedOver::NotTxt
    } else {
        return match entry.metadata() {
            Ok(metadata) => Some(Found::List {
                path: list_path(task_folder, entry.path()),
                stat: stat_of(&metadata),
            }),
            Err(error) => unreadable(task_folder, error),
        };
    };
    Some(Found::PassedOver(passed_over))
}

fn unreadable(task_folder: &Path, error: walkdir::Error) -> Option<Found> {
    let path = list_path(task_folder, error.path().unwrap_or(task_folder));
    let error = error
        .into_io_error()
        .unwrap_or_else(|| io::Error::other("a folder contains itself"));
    // Gone since its folder was read, or no list was ever put there.
    let gone = error.kind() == ErrorKind::NotFound;
    (!gone).then_some(Found::Unreadable(Problem { path, error }))
}

fn list_path(task_folder: &Path, path: &Path) -> String {
    let path = path.strip_prefix(task_folder).unwrap_or(path);
    path.to_string_lossy().into_owned()
}

fn regular(metadata: &Metadata) -> io::Result<Stat> {
    if metadata.is_file() {
        Ok(stat_of(metadata))
    } else {
        Err(ErrorKind::NotFound.into())
    }
}

/// What `metadata` says of a list.
pub(super) fn stat_of(metadata: &Metadata) -> Stat {
    let ms = |seconds: i64, nanoseconds: i64| {
        Timestamp::from_ms(
            seconds
                .saturating_mul(1_000)
                .saturating_add(nanoseconds / 1_000_000),
        )
    };
    Stat {
        size: metadata.size(),
        modified_at: ms(metadata.mtime(), metadata.mtime_nsec()),
        // The status change time cannot be set by touch or cp.
        changed_at: ms(metadata.ctime(), metadata.ctime_nsec()),
        fingerprint: format!(
            "{}:{}:{}:{}.{:09}:{}.{:09}",
            metadata.dev(),
            metadata.ino(),
            metadata.size(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec()
        ),
    }
}
