//! What has been taken in since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use super::answer::REASONS;

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
    /// Records of notifications of other buckets than the task's source.
    pub other_buckets: Count,
    /// Records of notifications without what a record has to have.
    pub unreadable_records: Count,
    /// Refused calls of any kind, by the word for why.
    pub(super) refused: Refused,
}

/// Counts by the word for why a call was refused.
#[derive(Debug, Default)]
pub(super) struct Refused([Count; REASONS.len()]);

impl Refused {
    /// Counts one that was refused for this reason.
    pub(super) fn add(&self, reason: &str) {
        let place = REASONS.iter().position(|known| *known == reason);
        if let Some(count) = place.and_then(|place| self.0.get(place)) {
            count.add(1);
        }
    }

    /// Each reason with its count.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.0.iter().map(Count::get))
    }
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
