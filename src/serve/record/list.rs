//! One list that is being written.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};

use super::Grown;
use crate::intake::NewList;
use crate::model::Timestamp;

/// A list is closed when it has so many lines or bytes, or is so old.
const MOST_LINES: u64 = 1_000_000;
const MOST_BYTES: u64 = 64 << 20;
const OLD_MS: i64 = 5 * 60 * 1_000;

/// How much of the disk is reserved ahead, in bytes. In reserved room a write
/// does not fail because the disk is full, so nothing has to be taken back that
/// a run may have read in between.
const ROOM_BYTES: u64 = 1 << 20;

/// A list that is open for writing.
pub(super) struct OpenList {
    /// Its path, from `object_lists/` on.
    pub(super) path: String,
    place: PathBuf,
    file: Arc<File>,
    /// Device and number of the file.
    identity: (u64, u64),
    /// How much of it survives a power failure; ends with a line.
    safe_bytes: u64,
    /// Up to where the disk is reserved; `None`: this file system cannot.
    reserved_bytes: Option<u64>,
    lines: u64,
    opened_at: Timestamp,
}

impl OpenList {
    pub(super) fn new(list: NewList, task_folder: &Path, now: Timestamp) -> io::Result<Self> {
        Ok(Self {
            place: task_folder.join(&list.path),
            path: list.path,
            identity: identity(&list.file.metadata()?),
            file: Arc::new(list.file),
            safe_bytes: 0,
            reserved_bytes: Some(0),
            lines: 0,
            opened_at: now,
        })
    }

    /// The number of its file.
    pub(super) const fn inode(&self) -> u64 {
        self.identity.1
    }

    /// Whether so many bytes more belong into it.
    pub(super) const fn has_room(&self, bytes: usize) -> bool {
        self.safe_bytes == 0
            || self.lines < MOST_LINES && self.safe_bytes + bytes as u64 <= MOST_BYTES
    }

    /// Whether it is time to close it.
    pub(super) const fn is_old(&self, now: Timestamp) -> bool {
        now.ms() - self.opened_at.ms() >= OLD_MS
    }

    /// Whether it is still at its path.
    pub(super) fn is_in_place(&self) -> bool {
        self.there().is_some()
    }

    /// Whether it is still at its path, and nobody else has written into it.
    pub(super) fn is_ours_alone(&self) -> bool {
        self.there()
            .is_some_and(|list| list.len() == self.safe_bytes)
    }

    fn there(&self) -> Option<Metadata> {
        let there = self.place.symlink_metadata().ok()?;
        (identity(&there) == self.identity).then_some(there)
    }

    /// Writes `lines` at its end; they are safe when this returns. If it fails,
    /// some of them may stand there until [`cut_back`](Self::cut_back).
    pub(super) fn append(&mut self, lines: &[u8], names: u64) -> io::Result<()> {
        self.reserve(lines.len() as u64)?;
        // In one piece, so that a run that reads it meanwhile finds whole lines.
        (&*self.file).write_all(lines)?;
        self.file.sync_data()?;
        self.safe_bytes += lines.len() as u64;
        self.lines += names;
        Ok(())
    }

    /// Sees to it that so many bytes more find room on the disk.
    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let end = self.safe_bytes + bytes;
        let Some(reserved) = self.reserved_bytes.filter(|reserved| *reserved < end) else {
            return Ok(());
        };
        let mut wanted = end + ROOM_BYTES;
        let mut got = self.fallocate(reserved, wanted);
        if matches!(got, Err(Errno::ENOSPC | Errno::EDQUOT)) {
            wanted = end;
            got = self.fallocate(reserved, wanted);
        }
        match got {
            Ok(()) => self.reserved_bytes = Some(wanted),
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => self.reserved_bytes = None,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn fallocate(&self, from: u64, to: u64) -> Result<(), Errno> {
        fallocate(
            &*self.file,
            FallocateFlags::FALLOC_FL_KEEP_SIZE,
            from.cast_signed(),
            (to - from).cast_signed(),
        )
    }

    /// Takes back what a failed writing left.
    pub(super) fn cut_back(&mut self) -> io::Result<()> {
        // What was reserved beyond that is given back with it.
        self.reserved_bytes = self.reserved_bytes.map(|_| self.safe_bytes);
        self.file.set_len(self.safe_bytes)?;
        self.file.sync_all()
    }

    /// Gives back what is reserved of the disk beyond its end; takes the list
    /// away if nothing came to stand in it.
    pub(super) fn end(&self) {
        if !self.is_ours_alone() {
            return;
        }
        // What stays is lost to nobody but the disk.
        drop(match self.safe_bytes {
            0 => fs::remove_file(&self.place),
            bytes => self.file.set_len(bytes),
        });
    }

    /// How far it may be loaded.
    pub(super) fn grown(&self, closed: bool) -> Grown {
        Grown {
            file: self.file.clone(),
            safe_bytes: self.safe_bytes,
            closed,
        }
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_table_of_what_belongs_into_a_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = "list".to_owned();
        let file = File::create(folder.path().join(&path)).unwrap();
        let list = NewList { path, file };
        let mut list = OpenList::new(list, folder.path(), Timestamp::from_ms(0)).unwrap();
        for (safe_bytes, lines, more, has_room) in [
            (0, 0, 65 << 20, true),
            (1, 1, (64 << 20) - 1, true),
            (1, 1, 64 << 20, false),
            (1, 999_999, 1, true),
            (1, 1_000_000, 1, false),
        ] {
            (list.safe_bytes, list.lines) = (safe_bytes, lines);
            assert_eq!(list.has_room(more), has_room, "{safe_bytes} {lines} {more}");
        }
    }

    #[test]
    fn what_is_taken_back_leaves_what_was_safe() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("list");
        let options = File::options().append(true).create(true).clone();
        let list = NewList {
            path: "list".to_owned(),
            file: options.open(&place).unwrap(),
        };
        let mut list = OpenList::new(list, folder.path(), Timestamp::from_ms(0)).unwrap();
        list.append(b"a\nb\n", 2).unwrap();
        (&*list.file).write_all(b"c\nhalf a li").unwrap();
        assert!(list.is_in_place() && !list.is_ours_alone());
        list.cut_back().unwrap();
        assert!(list.is_ours_alone());
        list.append(b"d\n", 1).unwrap();
        list.end();
        assert_eq!(fs::read_to_string(&place).unwrap(), "a\nb\nd\n");
        fs::remove_file(&place).unwrap();
        assert!(!list.is_in_place());
    }
}
