//! One run at a time for each task, by a lock that a dead process cannot hold.
//!
//! A run holds its lock file alone; who only looks whether one does, shares it
//! for a moment. So a run that finds the file held tries to share it: if it can,
//! there are only lookers, and the lock is about to be free.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::share::TaskShare;
use super::stop::Stop;
use crate::data_dir::open_or_create;

/// How often a lock that another process holds is tried again; a lock that is
/// waited for within the system would not heed a signal.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// How often, and how long apart, a run tries to get past those who only look,
/// each of whom is gone at once.
const PAST_LOOKERS: u32 = 100;
const LOOK: Duration = Duration::from_millis(10);

/// Why the lock of a task is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error(
        "another run of this task is at work (it holds {0}); wait until it has ended, or have it waited for: `nightferry run --wait`"
    )]
    Held(PathBuf),
    /// The lock file cannot be used.
    #[error(
        "cannot use the lock file {path}: {source}; check `data_dir` in the configuration and who may write there"
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The lock of one task; the system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct TaskLock {
    file: File,
}

impl TaskLock {
    /// Takes the lock `path`, without waiting.
    ///
    /// # Errors
    /// If another process holds it, or the file cannot be used.
    pub fn take(path: &Path, mode: u32) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable {
            path: path.to_owned(),
            source,
        };
        let file = open_or_create(path, mode).map_err(unusable)?;
        for _ in 0..PAST_LOOKERS {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            if !shared(&file).map_err(unusable)? {
                break;
            }
            thread::sleep(LOOK);
        }
        Err(LockError::Held(path.to_owned()))
    }

    /// Whether a process holds the lock `path`. Looking takes it from nobody.
    ///
    /// # Errors
    /// If the file cannot be read; that there is none means no.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        match File::open(path) {
            Ok(file) => Ok(!shared(&file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// As [`take`](Self::take), but waits while another process holds it; `None`
    /// once `stop` says that nothing new begins. Meanwhile the workers are left
    /// to the other tasks. `waits` is called once, before waiting.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn wait(
        path: &Path,
        mode: u32,
        stop: &Stop,
        share: &mut TaskShare,
        waits: impl FnOnce(),
    ) -> Result<Option<Self>, LockError> {
        let mut waits = Some(waits);
        loop {
            match Self::take(path, mode) {
                Err(LockError::Held(_)) if stop.reason().is_some() => return Ok(None),
                Err(LockError::Held(_)) => {}
                taken => {
                    share.set_active(true);
                    return taken.map(Some);
                }
            }
            if let Some(waits) = waits.take() {
                waits();
                share.set_active(false);
            }
            thread::sleep(TRY_AGAIN);
        }
    }
}

/// Whether the lock could be shared for a moment: nobody has it alone.
fn shared(file: &File) -> io::Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(source),
    }
}

impl Drop for TaskLock {
    fn drop(&mut self) {
        // Closing the file is not enough while a process that was just forked
        // from this one has a copy of it.
        drop(self.file.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_free_after_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.lock");
        let held = TaskLock::take(&path, 0o600).unwrap();
        assert!(matches!(
            TaskLock::take(&path, 0o600),
            Err(LockError::Held(_))
        ));
        drop(held);
        TaskLock::take(&path, 0o600).unwrap();
    }

    #[test]
    fn looking_says_who_holds_a_lock_and_takes_it_from_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.lock");
        assert!(!TaskLock::is_held(&path).unwrap());
        let held = TaskLock::take(&path, 0o600).unwrap();
        assert!(TaskLock::is_held(&path).unwrap());
        drop(held);
        assert!(!TaskLock::is_held(&path).unwrap());

        let looker = File::open(&path).unwrap();
        looker.try_lock_shared().unwrap();
        assert!(!TaskLock::is_held(&path).unwrap());
        thread::scope(|scope| {
            let run = scope.spawn(|| TaskLock::take(&path, 0o600));
            looker.unlock().unwrap();
            run.join().unwrap().unwrap();
        });
    }
}
