//! The new ledger's file: beside its place while it is made, then in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{RebuildFailure, Target};
use crate::ledger::Ledger;
use crate::model::{Timestamp, Zone};

/// A ledger that is being made. Gone when dropped before it took its place.
pub struct Draft {
    path: PathBuf,
}

/// Refuses a place in which something stands that must not be lost. A ledger in
/// which nothing was ever asked for may be: a refused run makes one.
pub fn refuse_occupied(target: Target<'_>) -> Result<(), RebuildFailure> {
    let nothing = || {
        let ledger = Ledger::open_read_only(target.path);
        ledger.and_then(|ledger| ledger.is_blank()).unwrap_or(false)
    };
    let taken = target
        .path
        .symlink_metadata()
        .is_ok_and(|there| there.len() > 0);
    if taken && !target.replace && !nothing() {
        return Err(RebuildFailure::Occupied(target.path.to_owned()));
    }
    Ok(())
}

impl Draft {
    /// Begins anew beside the target; what an interrupted rebuild left is removed.
    pub fn begin(target: Target<'_>) -> Result<Self, RebuildFailure> {
        let draft = Self {
            path: with_suffix(target.path, ".rebuild"),
        };
        remove(&draft.path).map_err(|source| draft.error(source))?;
        Ok(draft)
    }

    /// Where it grows.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the ledger, which is closed by now, into its place. A ledger that is
    /// there is moved aside, its side files with it: a new ledger beside an old
    /// write-ahead log would be broken.
    /// Answers where that is.
    pub fn take_place(
        self,
        target: Target<'_>,
        now: Timestamp,
    ) -> Result<Option<PathBuf>, RebuildFailure> {
        self.move_to(target, now)
            .map_err(|source| RebuildFailure::Write {
                path: target.path.to_owned(),
                source,
            })
    }

    fn move_to(&self, target: Target<'_>, now: Timestamp) -> io::Result<Option<PathBuf>> {
        File::open(&self.path)?.sync_all()?;
        let aside = format!(".replaced-{}", Zone::UTC.local(now).stamp());
        let aside = with_suffix(target.path, &aside);
        let is_kept = target.replace && target.path.symlink_metadata().is_ok();
        for side in ["-wal", "-shm", ""] {
            let from = with_suffix(target.path, side);
            let to = with_suffix(&aside, side);
            absent_is_fine(if target.replace {
                fs::rename(from, to)
            } else {
                fs::remove_file(from)
            })?;
        }
        for side in ["-wal", "-shm"] {
            absent_is_fine(fs::remove_file(with_suffix(&self.path, side)))?;
        }
        fs::rename(&self.path, target.path)?;
        let folder = target.path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(is_kept.then_some(aside))
    }

    fn error(&self, source: io::Error) -> RebuildFailure {
        RebuildFailure::Write {
            path: self.path.clone(),
            source,
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The next rebuild removes what cannot be removed now.
        drop(remove(&self.path));
    }
}

/// Removes a ledger and what stands beside it.
fn remove(path: &Path) -> io::Result<()> {
    ["", "-wal", "-shm"]
        .into_iter()
        .try_for_each(|side| absent_is_fine(fs::remove_file(with_suffix(path, side))))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
