//! Outcomes into the ledger: attempt, present state and tallies in one transaction.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rusqlite::{Connection, params};

use super::awaited;
use super::bill::add_traffic;
use super::pending::PendingChange;
use super::plans;
use super::settling::{Row, Settling};
use super::slots::Slots;
use super::tasks::{Counted, count};
use super::{Ledger, Result, RunKey, TaskKey};
use crate::model::{LocalTime, Note, RequestState, RunBooks, Traffic, Zone};

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
            let mut settling = Settling::new(transaction, recording)?;
            for note in batch {
                write(transaction, &mut settling, note, &mut tally)?;
            }
            settling.finish(&mut tally)?;
            tally.keep(transaction, recording, traffic.requests_sent)?;
            add_traffic(transaction, recording.run, traffic)?;
            Ok(tally.books)
        })
    }
}

fn write<'n>(
    connection: &Connection,
    settling: &mut Settling<'_, 'n>,
    note: &'n Note,
    tally: &mut Tally<'n>,
) -> rusqlite::Result<()> {
    let task = settling.recording.task;
    match note {
        Note::Planned(copies) => {
            plans::plan(connection, task, &settling.destination_prefix, copies)
        }
        Note::Recognised(name, copy) => {
            settling.keep_copy(name, &copy.source_etag, &copy.copy_etag);
            Ok(())
        }
        Note::UploadBegun(name, upload) => {
            settling.has_uploads = true;
            plans::upload_begun(connection, task, name, upload)
        }
        Note::PartArrived(name, part) => plans::part_arrived(connection, task, name, part),
        Note::UploadGone(name) => plans::upload_gone(connection, task, name),
        Note::Awaits(name, restore) => {
            settling.has_awaited = true;
            awaited::awaits(connection, settling.recording, name, restore)
        }
        Note::Settled(attempt) => {
            settling.settle(attempt, tally)?;
            tally.last = Some(attempt.name.as_str());
            tally.retries += attempt.retries;
            tally.throttled += attempt.throttled;
            Ok(())
        }
    }
}

/// What a batch adds to the books and to the days, and what is pending no more.
#[derive(Default)]
pub(super) struct Tally<'n> {
    books: RunBooks,
    retries: u32,
    throttled: u32,
    last: Option<&'n str>,
    pub(super) pending: PendingChange,
    slots: Slots,
    days: BTreeMap<(NaiveDate, Counted, &'static str), (i64, i64)>,
}

impl Tally<'_> {
    /// Counts a request that was settled at `at`.
    pub(super) fn add(&mut self, at: LocalTime, row: &Row<'_>) {
        let kind = Counted::Settled(row.state);
        let mut bytes = 0;
        match row.state {
            RequestState::Synced => {
                bytes = row.size_bytes.unwrap_or(0);
                self.books.synced += 1;
                self.books.synced_bytes += bytes;
            }
            RequestState::Failed => self.books.failed += 1,
            RequestState::Ignored => self.books.ignored += 1,
            RequestState::Pending => {}
        }
        let key = (at.day(), kind, row.reason.unwrap_or(""));
        let day = self.days.entry(key).or_default();
        day.0 += 1;
        day.1 += bytes.cast_signed();
        self.slots.add(at.at, kind, 1, bytes.cast_signed());
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
                &day.to_string(),
                *kind,
                reason,
                *requests,
                *bytes,
            )?;
        }
        self.slots.keep(connection, recording.task)?;
        self.pending.keep(connection, recording.task)?;
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
