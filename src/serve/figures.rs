//! What has been taken in since the start.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the process began; each only grows.
#[derive(Debug, Default)]
pub struct Figures {
    /// Calls that brought names, all of which are recorded.
    pub accepted_calls: Count,
    /// These names.
    pub accepted_names: Count,
    /// Calls that were refused, whatever for.
    pub refused_calls: Count,
    /// Records of notifications that ask for nothing, such as of removals.
    pub other_events: Count,
}

/// A count.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// What it is now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
