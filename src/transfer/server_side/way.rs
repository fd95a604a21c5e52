//! Whether the server copies by itself, as far as it has shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const MIB: u64 = 1024 * 1024;

/// Whether the server is asked to copy by itself, as far as it has let us.
/// Clones learn together.
#[derive(Debug, Clone)]
pub struct ServerSide {
    /// Objects up to this size in bytes are copied in one piece.
    pub whole_up_to_bytes: u64,
    /// The size in bytes of the parts of larger ones, unless the source's own
    /// parts are known.
    pub part_bytes: u64,
    /// What became of objects in one piece.
    pub(in crate::transfer) whole: Way,
    /// What became of parts.
    pub(in crate::transfer) parts: Way,
}

impl ServerSide {
    /// The server is asked until it refuses. To be used only where both buckets
    /// are at one server.
    #[must_use]
    pub fn auto() -> Self {
        Self::new(false)
    }

    /// The server is not asked.
    #[must_use]
    pub fn never() -> Self {
        Self::new(true)
    }

    fn new(closed: bool) -> Self {
        let way = || Way {
            closed: Arc::new(AtomicBool::new(closed)),
            worked: Arc::default(),
        };
        Self {
            // The most that S3 copies by one request.
            whole_up_to_bytes: 5 * 1024 * MIB,
            part_bytes: 512 * MIB,
            whole: way(),
            parts: way(),
        }
    }

    /// Whether an object of `size_bytes` is to be copied by one request.
    #[must_use]
    pub fn copies_whole(&self, size_bytes: u64) -> bool {
        size_bytes <= self.whole_up_to_bytes && self.whole.is_open()
    }
}

/// What is known of one kind of request.
#[derive(Debug, Clone)]
pub(in crate::transfer) struct Way {
    closed: Arc<AtomicBool>,
    worked: Arc<AtomicBool>,
}

impl Way {
    pub(in crate::transfer) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    pub(in crate::transfer) fn worked(&self) {
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Notes a refusal. The first answer of all decides for the rest of the run;
    /// later on it is this one object that is refused.
    pub(in crate::transfer) fn refused(&self, why: &str) {
        if !self.worked.load(Ordering::Relaxed) {
            self.close(why);
        }
    }

    /// Nothing goes this way any more.
    pub(in crate::transfer) fn close(&self, why: &str) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            tracing::info!("what the server could copy by itself is read and written: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_decides_for_all() {
        let side = ServerSide::auto();
        side.whole.worked();
        side.whole.refused("one object");
        side.parts.refused("no such thing");
        let clone = side.clone();
        assert!(clone.copies_whole(5 << 30));
        assert!(!clone.copies_whole((5 << 30) + 1));
        assert!(!clone.parts.is_open());
        side.whole.close("wrong");
        assert!(!clone.copies_whole(0));
        assert!(!ServerSide::never().copies_whole(0));
    }
}
