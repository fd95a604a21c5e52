//! Outcomes into the ledger: attempt, present state and tallies in one transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::plans;
use super::runs::day_number;
use super::tasks::{Counted, count};
use super::throttling::add_throttled;
use super::{Ledger, Result, RunKey, TaskKey};
use crate::model::{
    Attempt, IgnoreReason, LocalTime, Note, ObjectFacts, Outcome, RequestState, RunBooks, Traffic,
    Zone,
};

/// Requests of one name are settled in steps of so many, to keep memory flat
/// however often it was asked for.
const STEP: usize = 1000;

/// The run whose outcomes are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// Its task.
    pub task: TaskKey,
    /// The run.
    pub run: RunKey,
    /// Requests after this one are not the run's.
    pub through: i64,
    /// The zone in which days are counted.
    pub zone: Zone,
}

impl Ledger {
    /// Writes a batch of notes in one transaction. The first request for each name gets
    /// the attempt's outcome, further ones follow it: ignored as duplicates, or
    /// failed for the same cause. An outcome ends the plan and the upload of its
    /// name. Says what was added to the run's books.
    ///
    /// # Errors
    /// If the ledger cannot be written; nothing of the batch is then recorded.
    pub fn record(
        &mut self,
        recording: &Recording,
        batch: &[Note],
        traffic: &Traffic,
    ) -> Result<RunBooks> {
        self.write(|transaction| {
            let mut tally = Tally::default();
            for note in batch {
                write(transaction, recording, note, &mut tally)?;
            }
            tally.keep(transaction, recording, traffic.requests_sent)?;
            add_throttled(transaction, recording.run, &traffic.throttled)?;
            Ok(tally.books)
        })
    }
}

fn write<'n>(
    connection: &Connection,
    recording: &Recording,
    note: &'n Note,
    tally: &mut Tally<'n>,
) -> rusqlite::Result<()> {
    let task = recording.task;
    match note {
        Note::Planned(copies) => plans::plan(connection, task, copies),
        Note::UploadBegun(name, upload) => plans::upload_begun(connection, task, name, upload),
        Note::PartArrived(name, part) => plans::part_arrived(connection, task, name, part),
        Note::UploadGone(name) => plans::upload_gone(connection, task, name),
        Note::Settled(attempt) => {
            settle(connection, recording, attempt, tally)?;
            tally.last = Some(attempt.name.as_str());
            tally.retries += attempt.retries;
            tally.throttled += attempt.throttled;
            Ok(())
        }
    }
}

/// What a batch adds to the books and to the days.
#[derive(Default)]
struct Tally<'n> {
    books: RunBooks,
    retries: u32,
    throttled: u32,
    last: Option<&'n str>,
    days: BTreeMap<(String, Counted, &'static str), (i64, i64)>,
}

impl Tally<'_> {
    fn add(&mut self, day: &str, row: &Row<'_>) {
        let slot = self
            .days
            .entry((
                day.to_owned(),
                Counted::Settled(row.state),
                row.reason.unwrap_or(""),
            ))
            .or_default();
        slot.0 += 1;
        match row.state {
            RequestState::Synced => {
                let bytes = row.size_bytes.unwrap_or(0);
                self.books.synced += 1;
                self.books.synced_bytes += bytes;
                slot.1 += bytes.cast_signed();
            }
            RequestState::Failed => self.books.failed += 1,
            RequestState::Ignored => self.books.ignored += 1,
            RequestState::Pending => {}
        }
    }

    fn keep(
        &self,
        connection: &Connection,
        recording: &Recording,
        requests_sent: u64,
    ) -> rusqlite::Result<()> {
        for ((day, kind, reason), (requests, bytes)) in &self.days {
            count(
                connection,
                recording.task,
                day,
                *kind,
                reason,
                *requests,
                *bytes,
            )?;
        }
        connection
            .prepare_cached(
                "UPDATE run SET synced = synced + ?2, failed = failed + ?3, ignored = ignored + ?4,
                     synced_bytes = synced_bytes + ?5, retries = retries + ?6,
                     throttled = throttled + ?7, requests_sent = ?8,
                     resume_name = coalesce(?9, resume_name)
                 WHERE run = ?1",
            )?
            .execute(params![
                recording.run.0,
                self.books.synced,
                self.books.failed,
                self.books.ignored,
                self.books.synced_bytes,
                self.retries,
                self.throttled,
                requests_sent,
                // Should the process die, the next run goes on about here.
                self.last
            ])?;
        Ok(())
    }
}

/// What one request's row becomes.
struct Row<'a> {
    state: RequestState,
    reason: Option<&'static str>,
    size_bytes: Option<u64>,
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

fn settle(
    connection: &Connection,
    recording: &Recording,
    attempt: &Attempt,
    tally: &mut Tally<'_>,
) -> rusqlite::Result<()> {
    let at = recording.zone.local(attempt.at);
    let day = at.day().to_string();
    let mut row = Row::first(attempt);
    loop {
        let requests = pending_of(connection, recording, attempt.name.as_str())?;
        for &request in &requests {
            update_request(connection, recording, request, &row, at)?;
            insert_attempt(connection, recording, request, &row, at)?;
            tally.add(&day, &row);
            row = Row::further(attempt);
        }
        if requests.len() < STEP {
            break;
        }
    }
    end_plan(connection, recording.task, attempt)?;
    if let (Outcome::Synced(copied), Some(source)) = (&attempt.outcome, &attempt.source) {
        connection
            .prepare_cached(
                "INSERT INTO last_copy (task, name, source_etag, copy_etag) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET source_etag = excluded.source_etag,
                     copy_etag = excluded.copy_etag",
            )?
            .execute(params![
                recording.task.0,
                attempt.name.as_str(),
                source.etag.as_str(),
                copied.copy_etag.as_str()
            ])?;
    }
    Ok(())
}

/// What was planned for the name is done or given up, unless the copy may have
/// been made although the answer did not come: then the next run looks.
fn end_plan(connection: &Connection, task: TaskKey, attempt: &Attempt) -> rusqlite::Result<()> {
    let unclear = matches!(&attempt.outcome, Outcome::Failed(failure) if failure.may_have_landed());
    if !unclear {
        plans::unplan(connection, task, &attempt.name)?;
    }
    if matches!(attempt.outcome, Outcome::Synced(_)) {
        plans::upload_gone(connection, task, &attempt.name)?;
    }
    Ok(())
}

fn pending_of(
    connection: &Connection,
    recording: &Recording,
    name: &str,
) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached(
            "SELECT request FROM request
             WHERE task = ?1 AND state = 'pending' AND name = ?2 AND request <= ?3
             ORDER BY request LIMIT ?4",
        )?
        .query_map(
            params![recording.task.0, name, recording.through, STEP],
            |row| row.get(0),
        )?
        .collect()
}

fn update_request(
    connection: &Connection,
    recording: &Recording,
    request: i64,
    row: &Row<'_>,
    at: LocalTime,
) -> rusqlite::Result<()> {
    let failed = row.state == RequestState::Failed;
    connection
        .prepare_cached(
            "UPDATE request SET state = ?2, reason = ?3, settled_at = ?4, settled_offset = ?5,
                 run = ?6, attempts = attempts + 1, size_bytes = ?7,
                 last_cause = coalesce(?8, last_cause),
                 first_failed_day = coalesce(first_failed_day, ?9), carry = ?10
             WHERE request = ?1",
        )?
        .execute(params![
            request,
            row.state.as_str(),
            row.reason,
            at.at.ms(),
            at.offset_minutes,
            recording.run.0,
            row.size_bytes,
            row.reason.filter(|_| failed),
            failed.then(|| day_number(at)),
            row.is_carried(),
        ])?;
    Ok(())
}

fn insert_attempt(
    connection: &Connection,
    recording: &Recording,
    request: i64,
    row: &Row<'_>,
    at: LocalTime,
) -> rusqlite::Result<()> {
    let attempt = row.attempt;
    let (copied, failure) = match &attempt.outcome {
        Outcome::Synced(copied) if row.state == RequestState::Synced => (Some(copied), None),
        Outcome::Failed(failure) => (None, Some(failure)),
        _ => (None, None),
    };
    let source = Facts::of(attempt.source.as_ref());
    let destination = Facts::of(attempt.destination.as_ref());
    connection
        .prepare_cached(include_str!("../../sql/statements/insert_attempt.sql"))?
        .execute(params![
            request,
            recording.run.0,
            at.at.ms(),
            at.offset_minutes,
            row.state.as_str(),
            row.reason,
            source.etag,
            source.size_bytes,
            source.modified_at,
            destination.etag,
            destination.size_bytes,
            destination.modified_at,
            copied.map(|copied| copied.copy_etag.as_str()),
            copied.map(|copied| copied.verified.as_str()),
            failure.and_then(|failure| failure.error_code.as_deref()),
            failure.and_then(|failure| failure.http_status),
            attempt.server_request_id,
            attempt.duration_ms,
            failure.map(|failure| failure.message.as_str()),
            attempt.retries,
            attempt.throttled,
        ])?;
    Ok(())
}

/// One end's facts as columns.
#[derive(Default)]
struct Facts<'a> {
    etag: Option<&'a str>,
    size_bytes: Option<u64>,
    modified_at: Option<i64>,
}

impl<'a> Facts<'a> {
    fn of(facts: Option<&'a ObjectFacts>) -> Self {
        facts.map_or_else(Self::default, |facts| Self {
            etag: Some(facts.etag.as_str()),
            size_bytes: Some(facts.size_bytes),
            modified_at: Some(facts.modified_at.ms()),
        })
    }
}
