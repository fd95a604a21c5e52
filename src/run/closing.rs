//! How a night is closed: its books, lists, delivery and exit code.

use super::deliver::{Shipment, deliver};
use super::ending::Left;
use super::error::RunError;
use super::night::Night;
use crate::exit::ExitReason;
use crate::ledger::{Deliverable, Ledger, RunEnd, RunKey};
use crate::model::{RunBooks, RunState};
use crate::report;

impl Night<'_> {
    pub(super) fn end(&mut self, ledger: &mut Ledger, left: Left) -> Result<(), RunError> {
        if let Some(failure) = &left.begin_failure {
            ledger.note_begin_failure(self.run.key, failure)?;
        }
        if let Some(open) = &left.breaker {
            ledger.note_open_breaker(self.run.key, self.task.zone, open)?;
        }
        let traffic = self.traffic();
        ledger.note_traffic(self.run.key, &traffic)?;
        let end = RunEnd {
            state: RunState::Ended,
            ended: self.task.zone.local(self.engine.clock.now()),
            deferral: left.deferral,
            resume_name: left.resume_name,
            requests_sent: Some(traffic.requests_sent),
        };
        ledger.end_run(self.run.key, &end)?;
        self.report.books = ledger.run_books(self.run.key)?;
        self.report.suspects = ledger.run_suspects(self.run.key)?;
        self.report.awaiting = ledger.run_awaiting(self.run.key)?;
        self.report.begin_failure = left.begin_failure;
        self.report.breaker = left.breaker;
        self.report.deferral = left.deferral.filter(|_| self.report.books.deferred > 0);
        Ok(())
    }

    /// Compares what the recorder committed, what the run's row says, what its
    /// attempts say when counted anew, and the task's tallies with its rows.
    pub(super) fn balance(&mut self, ledger: &Ledger, tally: &RunBooks) -> Result<(), RunError> {
        let books = self.report.books;
        let expected = RunBooks {
            taken: books.taken,
            deferred: books.deferred,
            ..*tally
        };
        let recounted = ledger.recount_run(self.run.key)?;
        let mut imbalance = Vec::new();
        if !books.balanced() {
            imbalance.push(format!(
                "taken is not the sum of the outcomes and deferred: {books:?}"
            ));
        }
        if expected != books {
            imbalance.push(format!(
                "recorded {expected:?}, but the run's row says {books:?}"
            ));
        }
        if recounted != books {
            imbalance.push(format!(
                "attempts count {recounted:?}, but the run's row says {books:?}"
            ));
        }
        if !ledger.task_balanced(self.key)? {
            imbalance
                .push("the task's requested is not synced + failed + ignored + pending".to_owned());
        }
        self.report.imbalance = imbalance;
        Ok(())
    }

    /// Writes the lists of this run, and of earlier ones that did not come to it.
    pub(super) fn write_lists(&self, ledger: &mut Ledger) -> Result<(), RunError> {
        for run in ledger.unlisted_runs(self.key)? {
            self.write_lists_of(ledger, run)?;
        }
        Ok(())
    }

    fn write_lists_of(&self, ledger: &mut Ledger, run: RunKey) -> Result<(), RunError> {
        let folder = self.engine.data_dir.task(&self.task.id);
        let files = report::write_run(ledger, run, &folder, self.engine.data_dir.modes())?;
        if let Some(manifest) = files.last() {
            ledger.note_manifest(run, &manifest.sha256)?;
        }
        for file in files.into_iter().filter(|_| self.task.deliver_lists) {
            let owed = Deliverable {
                path: file.path,
                run: Some(run),
                lines: file.lines,
                bytes: file.bytes,
                sha256: file.sha256,
                etag: None,
            };
            ledger.owe(self.key, &owed)?;
        }
        Ok(ledger.note_listed(run)?)
    }

    pub(super) fn deliver(&mut self, ledger: &mut Ledger) -> Result<(), RunError> {
        if !self.task.deliver_lists {
            return Ok(());
        }
        ledger.owe_input_lists(self.key)?;
        let may_deliver = self.report.begin_failure.is_none() && self.unchecked.is_none();
        if may_deliver && !self.stop.signal.is_urgent() {
            let shipment = Shipment {
                task: self.key,
                id: &self.task.id,
                folder: &self.engine.data_dir.task(&self.task.id),
                destination: &self.ends.lists,
                clock: &self.engine.clock,
                stop: &self.stop.signal,
            };
            self.report.delivery = deliver(ledger, &shipment)?;
        }
        Ok(())
    }

    /// What was expected of the task and did not come, and what is borne.
    fn judge(&mut self, ledger: &mut Ledger) -> Result<(), RunError> {
        // A run that takes nothing in does not know what waits to be taken in.
        if !self.engine.options.settle_only {
            let feed = ledger.feed(&self.task.id)?;
            let now = self.engine.clock.now();
            self.report.silence = feed.silence(self.task.expect_list_within, now);
        }
        if self.report.books.failed > 0 && !self.task.tolerate.is_empty() {
            self.report.tolerated = ledger.note_tolerated(self.run.key, &self.task.tolerate)?;
        }
        Ok(())
    }

    /// Settles how the process answers for this run.
    pub(super) fn close(&mut self, ledger: &mut Ledger) -> Result<(), RunError> {
        ledger.note_traffic(self.run.key, &self.traffic())?;
        self.judge(ledger)?;
        let report = &self.report;
        let owed = ledger.owes(self.key)?;
        let failed = report.books.failed > report.tolerated;
        let deferred = report.books.deferred > report.awaiting;
        // A list that was not waited for is one more thing that the stop left.
        let unread = !report.intake.seen.problems.is_empty();
        let unwaited = unread && self.stop.signal.is_urgent();
        let reasons = ExitReason::that_hold([
            (!report.imbalance.is_empty(), ExitReason::Unbalanced),
            (unread && !unwaited, ExitReason::Unexpected),
            (report.begin_failure.is_some(), ExitReason::CouldNotBegin),
            (failed, ExitReason::Failed),
            (report.intake.rejected > 0, ExitReason::Rejected),
            (report.silence.is_some(), ExitReason::NoList),
            (report.has_drifted(), ExitReason::Drifted),
            (deferred || unwaited, ExitReason::Deferred),
            (owed, ExitReason::Owed),
        ]);
        let code = ExitReason::most_serious(&reasons).code();
        ledger.close_run(self.run.key, code, &ExitReason::words(&reasons))?;
        self.report.reasons = reasons;
        Ok(())
    }
}
