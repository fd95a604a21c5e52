//! Requests settled by an attempt: their rows, the attempt's own, and what is remembered of the copy.

use rusqlite::types::{Null, ToSqlOutput};
use rusqlite::{CachedStatement, Connection, params};

use super::outcomes::{Recording, Tally};
use super::runs::day_number;
use super::{bulk, plans};
use crate::model::{Attempt, ETag, IgnoreReason, LocalTime, ObjectFacts, Outcome, RequestState};

/// Requests of one name are settled in steps of so many, and rows of attempts
/// kept back until there are so many, to keep memory flat however often a name
/// was asked for.
const STEP: usize = 1000;

/// Stands for a tag that is the same as the source's, as a copy's usually is: a
/// ledger of a million copies is 60 MB smaller.
const AS_SOURCE: &str = "=";

/// Settles the requests of one batch. What needs no answer is kept back, and
/// written many rows at a time.
pub(super) struct Settling<'c, 'n> {
    connection: &'c Connection,
    pub(super) recording: &'c Recording,
    pending: CachedStatement<'c>,
    update: CachedStatement<'c>,
    /// Whether the task may have an upload that an outcome ends.
    pub(super) has_uploads: bool,
    tried: Vec<Tried<'n>>,
    copied: Vec<[ToSqlOutput<'n>; 3]>,
    unplanned: Vec<[ToSqlOutput<'n>; 1]>,
}

/// A row of `attempt` that is still to be written.
struct Tried<'n> {
    request: i64,
    number: i64,
    at: LocalTime,
    row: Row<'n>,
}

/// What one request's row becomes.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) state: RequestState,
    pub(super) reason: Option<&'static str>,
    pub(super) size_bytes: Option<u64>,
    attempt: &'a Attempt,
}

impl<'a> Row<'a> {
    /// The row of the first request for the name.
    fn first(attempt: &'a Attempt) -> Self {
        let size_bytes = attempt.source.as_ref().map(|facts| facts.size_bytes);
        let (state, reason) = match &attempt.outcome {
            Outcome::Synced(_) => (RequestState::Synced, None),
            Outcome::Ignored(reason) => (RequestState::Ignored, Some(reason.as_str())),
            Outcome::Failed(failure) => (RequestState::Failed, Some(failure.cause.as_str())),
        };
        Self {
            state,
            reason,
            size_bytes,
            attempt,
        }
    }

    /// The row of a further request, which follows the first.
    fn further(attempt: &'a Attempt) -> Self {
        let first = Self::first(attempt);
        match first.state {
            RequestState::Failed => first,
            _ => Self {
                state: RequestState::Ignored,
                reason: Some(IgnoreReason::Duplicate.as_str()),
                ..first
            },
        }
    }

    fn is_carried(&self) -> bool {
        matches!(&self.attempt.outcome, Outcome::Failed(failure) if !failure.cause.is_final())
    }
}

impl<'c, 'n> Settling<'c, 'n> {
    pub(super) fn new(
        connection: &'c Connection,
        recording: &'c Recording,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            recording,
            pending: connection.prepare_cached(
                "SELECT request, attempts FROM request
                 WHERE task = ?1 AND state = 'pending' AND name = ?2 AND request <= ?3
                 ORDER BY request LIMIT ?4",
            )?,
            update: connection.prepare_cached(
                "UPDATE request SET state = ?2, reason = ?3, settled_at = ?4, settled_offset = ?5,
                     run = ?6, attempts = ?11, size_bytes = ?7,
                     last_cause = coalesce(?8, last_cause),
                     first_failed_day = coalesce(first_failed_day, ?9), carry = ?10
                 WHERE request = ?1",
            )?,
            has_uploads: plans::has_uploads(connection, recording.task)?,
            tried: Vec::new(),
            copied: Vec::new(),
            unplanned: Vec::new(),
        })
    }

    /// Settles all requests for the attempt's name that are the run's.
    pub(super) fn settle(
        &mut self,
        attempt: &'n Attempt,
        tally: &mut Tally<'n>,
    ) -> rusqlite::Result<()> {
        let at = self.recording.zone.local(attempt.at);
        let day = at.day();
        let mut row = Row::first(attempt);
        loop {
            let requests = self.pending_of(attempt.name.as_str())?;
            for &(request, attempts) in &requests {
                let number = attempts + 1;
                self.update_request(request, number, &row, at)?;
                tally.add(day, &row);
                self.tried.push(Tried {
                    request,
                    number,
                    at,
                    row,
                });
                row = Row::further(attempt);
            }
            if self.tried.len() >= STEP {
                self.insert_attempts()?;
            }
            if requests.len() < STEP {
                break;
            }
        }
        self.end_plan(attempt)?;
        if let (Outcome::Synced(copied), Some(source)) = (&attempt.outcome, &attempt.source) {
            self.copied.push([
                attempt.name.as_str().into(),
                source.etag.as_str().into(),
                brief(&copied.copy_etag, Some(&source.etag)).into(),
            ]);
        }
        Ok(())
    }

    /// Writes what was kept back.
    pub(super) fn finish(mut self) -> rusqlite::Result<()> {
        self.insert_attempts()?;
        let task = [self.recording.task.0.into()];
        bulk::execute(
            self.connection,
            (
                "INSERT INTO last_copy (task, name, source_etag, copy_etag) VALUES",
                "(?1, ?, ?, ?)",
                "ON CONFLICT DO UPDATE SET source_etag = excluded.source_etag,
                     copy_etag = excluded.copy_etag",
            ),
            &task,
            self.copied,
        )?;
        plans::unplan(self.connection, self.recording.task, self.unplanned)
    }

    /// What was planned for the name is done or given up, unless the copy may have
    /// been made although the answer did not come: then the next run looks.
    fn end_plan(&mut self, attempt: &'n Attempt) -> rusqlite::Result<()> {
        let unclear =
            matches!(&attempt.outcome, Outcome::Failed(failure) if failure.may_have_landed());
        if !unclear {
            self.unplanned.push([attempt.name.as_str().into()]);
        }
        if self.has_uploads && matches!(attempt.outcome, Outcome::Synced(_)) {
            plans::upload_gone(self.connection, self.recording.task, &attempt.name)?;
        }
        Ok(())
    }

    /// The next of the name's requests, each with its attempts so far.
    fn pending_of(&mut self, name: &str) -> rusqlite::Result<Vec<(i64, i64)>> {
        let (task, through) = (self.recording.task.0, self.recording.through);
        self.pending
            .query_map(params![task, name, through, STEP], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect()
    }

    fn update_request(
        &mut self,
        request: i64,
        number: i64,
        row: &Row<'_>,
        at: LocalTime,
    ) -> rusqlite::Result<()> {
        let failed = row.state == RequestState::Failed;
        self.update
            .execute(params![
                request,
                row.state.as_str(),
                row.reason,
                at.at.ms(),
                at.offset_minutes,
                self.recording.run.0,
                row.size_bytes,
                row.reason.filter(|_| failed),
                failed.then(|| day_number(at)),
                row.is_carried(),
                number,
            ])
            .map(drop)
    }

    fn insert_attempts(&mut self) -> rusqlite::Result<()> {
        bulk::execute(
            self.connection,
            (
                "INSERT INTO attempt (
                     run, request, attempt, at, offset_minutes, outcome, reason,
                     source_etag, source_size_bytes, source_modified_at,
                     destination_etag, destination_size_bytes, destination_modified_at,
                     copy_etag, verified, error_code, http_status, server_request_id,
                     duration_ms, message, retries, throttled) VALUES",
                "(?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "",
            ),
            &[self.recording.run.0.into()],
            self.tried.drain(..).map(|tried| tried.columns()),
        )
    }
}

impl<'n> Tried<'n> {
    /// In the order of `insert_attempts`.
    fn columns(&self) -> [ToSqlOutput<'n>; 21] {
        let attempt = self.row.attempt;
        let (copied, failure) = match &attempt.outcome {
            Outcome::Synced(copied) if self.row.state == RequestState::Synced => {
                (Some(copied), None)
            }
            Outcome::Failed(failure) => (None, Some(failure)),
            _ => (None, None),
        };
        let source = Facts::of(attempt.source.as_ref());
        let destination = Facts::of(attempt.destination.as_ref());
        let source_etag = attempt.source.as_ref().map(|facts| &facts.etag);
        [
            self.request.into(),
            self.number.into(),
            self.at.at.ms().into(),
            self.at.offset_minutes.into(),
            self.row.state.as_str().into(),
            text(self.row.reason),
            text(source.etag),
            number(source.size_bytes),
            number(source.modified_at),
            text(destination.etag),
            number(destination.size_bytes),
            number(destination.modified_at),
            text(copied.map(|copied| brief(&copied.copy_etag, source_etag))),
            text(copied.map(|copied| copied.verified.as_str())),
            text(failure.and_then(|failure| failure.error_code.as_deref())),
            number(failure.and_then(|failure| failure.http_status.map(i64::from))),
            text(attempt.server_request_id.as_deref()),
            attempt.duration_ms.cast_signed().into(),
            text(failure.map(|failure| failure.message.as_str())),
            attempt.retries.into(),
            attempt.throttled.into(),
        ]
    }
}

/// The tag, or what stands for it if it is the source's.
pub(super) fn brief<'e>(etag: &'e ETag, source: Option<&ETag>) -> &'e str {
    if Some(etag) == source {
        AS_SOURCE
    } else {
        etag.as_str()
    }
}

/// The tag for which `brief` stands.
pub(super) fn whole<'e>(brief: &'e str, source: &'e str) -> &'e str {
    if brief == AS_SOURCE { source } else { brief }
}

fn text(text: Option<&str>) -> ToSqlOutput<'_> {
    text.map_or(Null.into(), ToSqlOutput::from)
}

fn number<'a>(number: Option<i64>) -> ToSqlOutput<'a> {
    number.map_or(Null.into(), ToSqlOutput::from)
}

/// One end's facts as columns.
#[derive(Default)]
struct Facts<'a> {
    etag: Option<&'a str>,
    size_bytes: Option<i64>,
    modified_at: Option<i64>,
}

impl<'a> Facts<'a> {
    fn of(facts: Option<&'a ObjectFacts>) -> Self {
        facts.map_or_else(Self::default, |facts| Self {
            etag: Some(facts.etag.as_str()),
            size_bytes: Some(facts.size_bytes.cast_signed()),
            modified_at: Some(facts.modified_at.ms()),
        })
    }
}

#[cfg(test)]
mod tests;
