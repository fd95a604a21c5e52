//! The MD5 of a whole object that is carried in parts.
//!
//! The source states it of the whole, the destination checks parts: only their
//! bytes in order show that what was read is what the source has. Parts are read
//! side by side, so each waits with its bytes until those before it have been
//! added. It waits for parts that began before it alone, so the first one that
//! is under way never waits, and nothing can lock up.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use md5::digest::common::hazmat::{SerializableState, SerializedState};
use md5::{Digest as _, Md5};

use super::digest::Md5Bytes;

/// The MD5 over the parts so far.
#[derive(Debug)]
pub(super) struct WholeMd5 {
    progress: Mutex<Progress>,
    changed: Condvar,
}

struct Progress {
    md5: Md5,
    /// The part (from 0) that is to be added next.
    next: u32,
    /// A part failed: those behind it can never be added.
    broken: bool,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} parts", self.next)
    }
}

impl WholeMd5 {
    /// Over no part yet.
    pub(super) fn new() -> Self {
        Self::at(Md5::new(), 0)
    }

    /// Over the first `parts` parts, as it was kept; `None` if `kept` is no such thing.
    pub(super) fn resumed(kept: &[u8], parts: u32) -> Option<Self> {
        let kept = SerializedState::<Md5>::try_from(kept).ok()?;
        Some(Self::at(Md5::deserialize(&kept).ok()?, parts))
    }

    fn at(md5: Md5, next: u32) -> Self {
        Self {
            progress: Mutex::new(Progress {
                md5,
                next,
                broken: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// The turn of the part `index` (from 0), taken when it begins. Dropping it
    /// without adding the part's bytes lets those behind it wait no longer.
    pub(super) const fn turn(&self, index: u32) -> Turn<'_> {
        Turn {
            whole: self,
            index,
            added: false,
        }
    }

    /// The MD5 over all `parts`; `None` while some are missing.
    pub(super) fn finished(&self, parts: u32) -> Option<Md5Bytes> {
        let progress = self.progress();
        (progress.next == parts).then(|| progress.md5.clone().finalize().into())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a part in the order.
pub(super) struct Turn<'a> {
    whole: &'a WholeMd5,
    index: u32,
    added: bool,
}

impl Turn<'_> {
    /// Adds the part's bytes once all before it are in. Answers what a later run
    /// goes on from; `None` if an earlier part failed.
    pub(super) fn add(mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let waits = |progress: &mut Progress| progress.next < self.index && !progress.broken;
        let mut progress = self
            .whole
            .changed
            .wait_while(self.whole.progress(), waits)
            .unwrap_or_else(PoisonError::into_inner);
        if progress.next != self.index {
            return None;
        }
        progress.md5.update(bytes);
        progress.next += 1;
        self.added = true;
        self.whole.changed.notify_all();
        Some(progress.md5.serialize().to_vec())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.added {
            self.whole.progress().broken = true;
            self.whole.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::digest::md5;
    use super::*;

    const PARTS: [&[u8]; 4] = [b"one", b"two", b"three", b"four"];

    #[test]
    fn parts_added_in_any_order_make_the_md5_of_the_whole() {
        let whole = WholeMd5::new();
        thread::scope(|scope| {
            for index in [3, 1, 0, 2] {
                let turn = whole.turn(index);
                scope.spawn(move || turn.add(PARTS[index as usize]).unwrap());
            }
        });
        assert_eq!(whole.finished(4), Some(md5(&PARTS.concat())));
        assert_eq!(whole.finished(5), None);
    }

    #[test]
    fn a_later_run_goes_on_from_what_was_kept() {
        let whole = WholeMd5::new();
        whole.turn(0).add(PARTS[0]).unwrap();
        let kept = whole.turn(1).add(PARTS[1]).unwrap();
        let whole = WholeMd5::resumed(&kept, 2).unwrap();
        whole.turn(2).add(PARTS[2]).unwrap();
        whole.turn(3).add(PARTS[3]).unwrap();
        assert_eq!(whole.finished(4), Some(md5(&PARTS.concat())));
        assert!(WholeMd5::resumed(b"no state", 2).is_none());
    }

    #[test]
    fn parts_behind_one_that_failed_do_not_wait() {
        let whole = WholeMd5::new();
        let failed = whole.turn(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| whole.turn(1).add(PARTS[1]));
            drop(failed);
            assert_eq!(waiting.join().unwrap(), None);
        });
        assert_eq!(whole.finished(2), None);
    }
}
