//! The one writer of a run's notes: collects what the run sends and commits it in batches.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::ledger::{Ledger, LedgerError, Recording};
use crate::model::{Note, RunBooks, Traffic};

/// So many notes are enough for a transaction.
const BATCH: usize = 512;

/// How long a note for which nobody waits waits for company.
const PATIENCE: Duration = Duration::from_millis(100);

/// A note on its way into the ledger.
#[derive(Debug)]
pub struct Entry {
    /// What is to be written.
    pub note: Note,
    /// The ticket of whoever goes on once it is committed; never the same twice, so
    /// that what was given up meanwhile cannot be taken for what came after it.
    pub waiting: Option<u64>,
}

/// Commits every note that arrives until all senders are gone, tells `committed`
/// who may go on, and answers with the sums of what was committed. `traffic`
/// tells what the run has asked of its endpoints so far.
///
/// # Errors
/// If the ledger cannot be written. What was not committed stays pending.
pub fn record(
    ledger: &mut Ledger,
    recording: &Recording,
    entries: &Receiver<Vec<Entry>>,
    traffic: impl Fn() -> Traffic,
    committed: impl Fn(u64),
) -> Result<RunBooks, LedgerError> {
    let mut books = RunBooks::default();
    let mut batch = Batch::default();
    while batch.collect(entries) {
        let added = ledger.record(recording, &batch.notes, &traffic())?;
        books.synced += added.synced;
        books.failed += added.failed;
        books.ignored += added.ignored;
        books.synced_bytes += added.synced_bytes;
        batch.notes.clear();
        batch.waiting.drain(..).for_each(&committed);
    }
    Ok(books)
}

/// Notes that are committed together, and who waits for them.
#[derive(Default)]
struct Batch {
    notes: Vec<Note>,
    waiting: Vec<u64>,
}

impl Batch {
    /// Takes what has arrived; `false` once nothing can come any more. Waits for
    /// company only while nobody waits for what there is.
    fn collect(&mut self, entries: &Receiver<Vec<Entry>>) -> bool {
        let Ok(first) = entries.recv() else {
            return false;
        };
        self.add(first);
        let deadline = Instant::now() + PATIENCE;
        while self.notes.len() < BATCH {
            let patience = if self.waiting.is_empty() {
                deadline.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            match entries.recv_timeout(patience) {
                Ok(entries) => self.add(entries),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        true
    }

    fn add(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.waiting.extend(entry.waiting);
            self.notes.push(entry.note);
        }
    }
}
