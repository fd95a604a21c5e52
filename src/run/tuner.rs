//! What an operator changes while the run is at work: looked for in the ledger,
//! and heeded for the rest of the run.

use std::time::{Duration, Instant};

use super::conveyor::Conveyor;
use crate::ledger::{Ledger, LedgerError, RunKey};
use crate::model::Tuning;

/// How often changes are looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Looks for changes of one run.
pub struct Tuner<'a> {
    ledger: &'a Ledger,
    run: RunKey,
    looked: Option<Instant>,
    /// The number of the last change that was seen.
    seen: i64,
}

impl<'a> Tuner<'a> {
    /// Looks for changes of `run` in `ledger`.
    #[must_use]
    pub const fn new(ledger: &'a Ledger, run: RunKey) -> Self {
        Self {
            ledger,
            run,
            looked: None,
            seen: 0,
        }
    }

    /// What has changed since this was last asked; nothing while it is not time
    /// to look again.
    fn changes(&mut self) -> Result<Vec<Tuning>, LedgerError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(Vec::new());
        }
        self.looked = Some(Instant::now());
        let changes = self.ledger.tunings_after(self.run, self.seen)?;
        if let Some((last, _)) = changes.last() {
            self.seen = *last;
        }
        Ok(changes.into_iter().map(|(_, tuning)| tuning).collect())
    }
}

impl Conveyor<'_> {
    /// Goes on by what has been changed meanwhile.
    pub(super) fn heed_changes(&mut self) -> Result<(), LedgerError> {
        for tuning in self.means.tuner.changes()? {
            match tuning {
                Tuning::Workers(workers) => {
                    self.share
                        .hold_to(usize::try_from(workers).unwrap_or(usize::MAX));
                }
                Tuning::Bandwidth(cap) => self.means.transfer.source.cap_bandwidth(cap),
                Tuning::Until(until) => self.means.stop.deadline.set(until.map(|until| until.at)),
            }
            self.means.progress.tuned(tuning);
        }
        Ok(())
    }
}
