//! The spot check of a run: some copies, and some of what was left alone, compared with
//! the source byte by byte once everything else is carried.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::compare::{Comparing, both, finding};
use super::ending::Left;
use super::error::RunError;
use super::night::Night;
use super::progress::Display;
use super::rehearse::Rehearsal;
use crate::ledger::{Ledger, LedgerError, Sample, SpotCheck, SpotFinding, TaskKey};
use crate::model::{Comparison, Deferral, Sampled};
use crate::report::text::counted;

impl Night<'_> {
    /// Compares as many copies and ignored objects as the task wants, while there is
    /// time, and notes what was found.
    pub(super) fn spot_check(&mut self, ledger: &mut Ledger, left: &Left) -> Result<(), RunError> {
        let wanted = self.task.spot_check;
        if wanted == 0 || self.engine.options.settle_only {
            return Ok(());
        }
        let mut check = SpotCheck {
            wanted: wanted.into(),
            skipped: self.no_spot_check(left),
            ..SpotCheck::default()
        };
        let mut findings = Vec::new();
        if check.skipped.is_none() {
            let samples = samples(ledger, self.key, wanted)?;
            self.compare(samples, &mut check, &mut findings);
        }
        ledger.note_spot_check(self.run.key, &check, &findings)?;
        self.report.spot_check = Some(check);
        self.report.spot_findings = findings;
        Ok(())
    }

    /// Why nothing more may be asked of either end, if so.
    fn no_spot_check(&self, left: &Left) -> Option<Deferral> {
        let could_not_begin = left.begin_failure.is_some() || self.unchecked.is_some();
        let could_not_begin = could_not_begin.then_some(Deferral::CouldNotBegin);
        // Names that were left for another reason are no reason to hurry.
        let leaves_time =
            |why: &Deferral| matches!(why, Deferral::Limit | Deferral::AwaitingRestore);
        let stopped = left.deferral.filter(|why| !leaves_time(why));
        could_not_begin.or(stopped).or_else(|| self.stop.reason())
    }

    fn compare(
        &self,
        samples: Vec<Sample>,
        check: &mut SpotCheck,
        findings: &mut Vec<SpotFinding>,
    ) {
        let transfer = both(self.engine, self.task, &self.ends);
        let stopping = Arc::clone(&transfer.stop);
        let comparing = Comparing {
            tasks: self.engine.pool.tasks(),
            transfer: Arc::new(transfer),
            share: self.engine.share.join(),
            signal: &self.stop.signal,
            grace: self.engine.options.grace,
        };
        self.say(&format!(
            "spot check: compares {} with the source, byte by byte",
            counted(samples.len() as u64, "object")
        ));
        let mut ended = None;
        let is_to_end = || {
            if ended.is_none() {
                ended = self.stop.reason();
                if let Some(reason) = ended {
                    stopping.store(true, Ordering::Relaxed);
                    self.say(match reason {
                        Deferral::Stopped => {
                            "asked to stop (once more: without waiting); the spot check ends"
                        }
                        _ => "its time is up; the spot check ends",
                    });
                }
            }
            ended.is_some()
        };
        comparing.compare(samples, is_to_end, |sample, compared| {
            check.count(sample.kind, compared.finding);
            if compared.finding != Comparison::Same {
                let now = self.task.zone.local(self.engine.clock.now());
                findings.push(finding(sample, compared, now));
            }
        });
        check.skipped = ended;
    }

    /// Says how it goes, to who watches.
    fn say(&self, said: &str) {
        if self.engine.options.display != Display::Quiet {
            tracing::info!(target: "progress", task = self.task.id.as_str(), "{said}");
        }
    }
}

fn samples(ledger: &Ledger, task: TaskKey, wanted: u32) -> Result<Vec<Sample>, LedgerError> {
    let most = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut rng = fastrand::Rng::new();
    let mut samples = ledger.sample(task, Sampled::Copy, most, &mut rng)?;
    samples.extend(ledger.sample(task, Sampled::Ignored, most, &mut rng)?);
    Ok(samples)
}

/// How many objects the spot check of a run would look at that did what was rehearsed,
/// and about how many bytes it would read of each end; `None` if the task wants none.
pub(super) fn foresee(
    ledger: &Ledger,
    key: Option<TaskKey>,
    wanted: u32,
    rehearsal: &Rehearsal,
) -> Result<Option<(u64, u64)>, LedgerError> {
    if wanted == 0 {
        return Ok(None);
    }
    let there = key.map(|key| samples(ledger, key, wanted)).transpose()?;
    let there = there.unwrap_or_default();
    let copies = there.iter().filter(|sample| sample.kind == Sampled::Copy);
    let (copies, all) = (copies.count() as u64, there.len() as u64);
    let wanted = u64::from(wanted);
    let new_copies = rehearsal.copy.min(wanted - copies);
    let new_ignored = rehearsal.ignore.min(wanted - (all - copies));
    let bytes: u64 = there.iter().map(|sample| sample.size_bytes).sum();
    let new_bytes = rehearsal.copy_bytes / rehearsal.copy.max(1) * new_copies;
    Ok(Some((all + new_copies + new_ignored, bytes + new_bytes)))
}
