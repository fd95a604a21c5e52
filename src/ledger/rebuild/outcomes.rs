//! Requests settled again, as the lines of a run's lists say.

use rusqlite::{OptionalExtension, params};

use super::{RebuildError, Rebuilding};
use crate::ledger::runs::day_number;
use crate::ledger::{Listed, ListedOutcome};
use crate::model::RequestState;

impl Rebuilding<'_> {
    /// Settles a request as a line of the run's lists says. Lines about synced
    /// and failed requests come before those about ignored ones.
    ///
    /// # Errors
    /// If no request can be meant, or the ledger cannot be written.
    pub fn settle(&mut self, listed: &Listed) -> std::result::Result<(), RebuildError> {
        let request = self.kept(|it| {
            it.connection
                .prepare_cached(include_str!(
                    "../../../sql/statements/rebuild_find_request.sql"
                ))?
                .query_row(params![it.task.0, listed.name.as_str(), it.run.0], |row| {
                    row.get(0)
                })
                .optional()
        })?;
        let request: i64 = request.ok_or_else(|| RebuildError::Unasked(listed.name.escaped()))?;
        self.kept(|it| it.settle_request(request, listed))?;
        match &listed.outcome {
            ListedOutcome::Synced(size_bytes) => {
                self.counted.synced += 1;
                let size_bytes = size_bytes.unwrap_or(0);
                let sum = &mut self.counted.synced_bytes;
                *sum = sum.saturating_add(size_bytes);
            }
            ListedOutcome::Failed(..) => self.counted.failed += 1,
            ListedOutcome::Ignored(_) => self.counted.ignored += 1,
        }
        Ok(())
    }

    fn settle_request(&self, request: i64, listed: &Listed) -> rusqlite::Result<()> {
        let (state, reason, size_bytes, error_code) = match &listed.outcome {
            ListedOutcome::Synced(size) => (RequestState::Synced, None, *size, None),
            ListedOutcome::Ignored(size) => {
                let reason = self.ignore_reason(request)?;
                (RequestState::Ignored, Some(reason), *size, None)
            }
            ListedOutcome::Failed(cause, code) => {
                let cause = Some(cause.as_str().to_owned());
                (
                    RequestState::Failed,
                    cause,
                    self.failed_size(request)?,
                    code.as_deref(),
                )
            }
        };
        let carry = matches!(&listed.outcome, ListedOutcome::Failed(cause, _) if !cause.is_final());
        let failed = state == RequestState::Failed;
        let (at, offset) = (listed.at.at.ms(), listed.at.offset_minutes);
        self.execute(
            "UPDATE request SET state = ?2, reason = ?3, settled_at = ?4, settled_offset = ?5,
                 run = ?6, attempts = attempts + 1, size_bytes = ?7,
                 last_cause = coalesce(?8, last_cause),
                 first_failed_day = coalesce(first_failed_day, ?9), carry = ?10
             WHERE request = ?1",
            params![
                request,
                state.as_str(),
                reason,
                at,
                offset,
                self.run.0,
                size_bytes,
                reason.as_deref().filter(|_| failed),
                failed.then(|| day_number(listed.at)),
                carry
            ],
        )?;
        self.execute(
            include_str!("../../../sql/statements/rebuild_attempt.sql"),
            params![
                request,
                self.run.0,
                at,
                offset,
                state.as_str(),
                reason,
                size_bytes,
                error_code
            ],
        )
    }

    /// Why this run ignored the request; the journal leaves duplicates out.
    fn ignore_reason(&self, request: i64) -> rusqlite::Result<String> {
        self.connection
            .prepare_cached(
                "SELECT coalesce((SELECT reason FROM temp.left_out WHERE request = ?1), 'duplicate')",
            )?
            .query_row([request], |row| row.get(0))
    }

    /// How large the object is that failed, where that was known.
    fn failed_size(&self, request: i64) -> rusqlite::Result<Option<u64>> {
        self.connection
            .prepare_cached("SELECT size_bytes FROM temp.left_out WHERE request = ?1")?
            .query_row([request], |row| row.get(0))
            .optional()
            .map(Option::flatten)
    }
}
