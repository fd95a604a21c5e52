//! Rows of requests and attempts as an outcome makes them.

use rusqlite::types::{Null, ToSqlOutput};

use crate::ledger::runs::day_number;
use crate::model::{Attempt, ETag, IgnoreReason, LocalTime, ObjectFacts, Outcome, RequestState};

/// Stands for a tag that is the same as the source's, as a copy's usually is: a
/// ledger of a million copies is 60 MB smaller.
const AS_SOURCE: &str = "=";

/// What becomes of the requests of one run.
pub(super) const UPDATE_REQUESTS: (&str, &str, &str) = (
    "WITH settled (run, request, attempts, at, offset_minutes, state, reason, size_bytes, cause,
                   day, carry) AS (VALUES",
    "(?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ") UPDATE request
     SET state = settled.state, reason = settled.reason, settled_at = at,
         settled_offset = offset_minutes, run = settled.run, attempts = settled.attempts,
         size_bytes = settled.size_bytes, last_cause = coalesce(cause, last_cause),
         first_failed_day = coalesce(first_failed_day, day), carry = settled.carry
     FROM settled WHERE request.request = settled.request",
);

/// What one run did about them.
pub(super) const INSERT_ATTEMPTS: (&str, &str, &str) = (
    "INSERT INTO attempt (
         run, request, attempt, at, offset_minutes, outcome, reason,
         source_etag, source_size_bytes, source_modified_at,
         destination_etag, destination_size_bytes, destination_modified_at,
         copy_etag, verified, error_code, http_status, server_request_id,
         duration_ms, message, retries, throttled) VALUES",
    "(?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "",
);

/// A request that is settled, and the number of its attempt.
pub(super) struct Settled<'n> {
    pub(super) request: i64,
    pub(super) number: i64,
    pub(super) at: LocalTime,
    pub(super) row: Row<'n>,
}

/// What one request's row becomes.
#[derive(Clone, Copy)]
pub(in crate::ledger) struct Row<'a> {
    pub(in crate::ledger) state: RequestState,
    pub(in crate::ledger) reason: Option<&'static str>,
    pub(in crate::ledger) size_bytes: Option<u64>,
    pub(super) attempt: &'a Attempt,
}

impl<'a> Row<'a> {
    /// The row of the first request for the name.
    pub(super) fn first(attempt: &'a Attempt) -> Self {
        let size_bytes = attempt.source.as_ref().map(|facts| facts.size_bytes);
        let (state, reason) = match &attempt.outcome {
            Outcome::Synced(_) => (RequestState::Synced, None),
            Outcome::Ignored(reason) => (RequestState::Ignored, Some(reason.as_str())),
            Outcome::Excluded(_) => {
                let reason = IgnoreReason::Excluded.as_str();
                (RequestState::Ignored, Some(reason))
            }
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
    pub(super) fn further(attempt: &'a Attempt) -> Self {
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

    /// Whether the request was ignored although the tags of both ends differ; those
    /// that follow it say nothing of their own.
    pub(super) fn is_suspect(&self) -> bool {
        self.attempt.suspect && self.reason != Some(IgnoreReason::Duplicate.as_str())
    }

    fn is_carried(&self) -> bool {
        matches!(&self.attempt.outcome, Outcome::Failed(failure) if !failure.cause.is_final())
    }
}

impl<'n> Settled<'n> {
    /// In the order of `UPDATE_REQUESTS`.
    pub(super) fn request_columns(&self) -> [ToSqlOutput<'n>; 10] {
        let failed = self.row.state == RequestState::Failed;
        [
            self.request.into(),
            self.number.into(),
            self.at.at.ms().into(),
            self.at.offset_minutes.into(),
            self.row.state.as_str().into(),
            text(self.row.reason),
            number(self.row.size_bytes.map(u64::cast_signed)),
            text(self.row.reason.filter(|_| failed)),
            number(failed.then(|| day_number(self.at))),
            self.row.is_carried().into(),
        ]
    }

    /// In the order of `INSERT_ATTEMPTS`.
    pub(super) fn attempt_columns(&self) -> [ToSqlOutput<'n>; 21] {
        let attempt = self.row.attempt;
        let (copied, failure) = match &attempt.outcome {
            Outcome::Synced(copied) if self.row.state == RequestState::Synced => {
                (Some(copied), None)
            }
            Outcome::Failed(failure) => (None, Some(failure)),
            _ => (None, None),
        };
        let message = match &attempt.outcome {
            Outcome::Failed(failure) => failure.message.as_str().into(),
            Outcome::Excluded(exclusion) => exclusion.to_string().into(),
            Outcome::Synced(_) | Outcome::Ignored(_) => Null.into(),
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
            message,
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
pub(in crate::ledger) fn whole<'e>(brief: &'e str, source: &'e str) -> &'e str {
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
