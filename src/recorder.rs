//! The one writer of outcomes: collects what workers send and commits it in batches.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::ledger::{Ledger, LedgerError, Recording};
use crate::model::{Attempt, RunBooks};

/// The most outcomes that one transaction takes.
const BATCH: usize = 512;

/// How long an outcome waits for company before it is committed.
const PATIENCE: Duration = Duration::from_millis(100);

/// Commits every attempt that arrives until all senders are gone, and answers
/// with the sums of what was committed. `requests_sent` tells how many requests
/// the run has sent so far.
///
/// # Errors
/// If the ledger cannot be written. What was not committed stays pending.
pub fn record(
    ledger: &mut Ledger,
    recording: &Recording,
    attempts: &Receiver<Attempt>,
    requests_sent: impl Fn() -> u64,
) -> Result<RunBooks, LedgerError> {
    let mut books = RunBooks::default();
    let mut batch = Vec::with_capacity(BATCH);
    while collect(attempts, &mut batch) {
        let added = ledger.record(recording, &batch, requests_sent())?;
        books.synced += added.synced;
        books.failed += added.failed;
        books.ignored += added.ignored;
        books.synced_bytes += added.synced_bytes;
        batch.clear();
    }
    Ok(books)
}

/// Fills `batch` with the next attempts; `false` once there are no more.
fn collect(attempts: &Receiver<Attempt>, batch: &mut Vec<Attempt>) -> bool {
    let Ok(first) = attempts.recv() else {
        return false;
    };
    batch.push(first);
    let deadline = Instant::now() + PATIENCE;
    while batch.len() < BATCH {
        match attempts.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(attempt) => batch.push(attempt),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    true
}
