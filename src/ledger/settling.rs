//! Requests settled by an attempt: their rows, the attempt's own, and what is remembered of the copy.

use std::collections::HashSet;
use std::iter;

use rusqlite::types::ToSqlOutput;
use rusqlite::{CachedStatement, Connection};

use super::outcomes::{Recording, Tally};
use super::report::local;
use super::{awaited, bulk, mends, plans};
use crate::model::{Attempt, ETag, LocalTime, ObjectName, Outcome};

mod rows;

use rows::{INSERT_ATTEMPTS, Settled, UPDATE_REQUESTS, brief};
pub(super) use rows::{Row, whole};

/// Requests are settled in steps of so many, to keep memory flat however often a
/// name was asked for.
const STEP: usize = 1000;

/// Names whose requests are looked up together.
const NAMES: usize = 32;

/// Settles the requests of one batch: some names at a time are looked up, and
/// what they become is written many rows at a time.
pub(super) struct Settling<'c, 'n> {
    connection: &'c Connection,
    pub(super) recording: &'c Recording,
    /// What the run puts before every name at the destination.
    pub(super) destination_prefix: String,
    pending: CachedStatement<'c>,
    /// Whether the task may have an upload that an outcome ends.
    pub(super) has_uploads: bool,
    /// Whether the task may await a restore that an outcome ends.
    pub(super) has_awaited: bool,
    /// Outcomes of names whose requests are still to be looked up.
    reached: Vec<&'n Attempt>,
    /// All names so far: of two outcomes of one name the second finds what the first left.
    names: HashSet<&'n str>,
    /// Requests that are still to be written.
    settled: Vec<Settled<'n>>,
    /// Of these, suspects.
    suspects: Vec<[ToSqlOutput<'n>; 1]>,
    copied: Vec<[ToSqlOutput<'n>; 3]>,
    unplanned: Vec<[ToSqlOutput<'n>; 1]>,
    /// Whether any name of the task is to be mended, and those that were looked at.
    has_mends: bool,
    mended: Vec<[ToSqlOutput<'n>; 1]>,
}

impl<'c, 'n> Settling<'c, 'n> {
    pub(super) fn new(
        connection: &'c Connection,
        recording: &'c Recording,
    ) -> rusqlite::Result<Self> {
        let mut pending = connection.prepare_cached(&pending_of_names())?;
        pending.raw_bind_parameter(1, recording.task.0)?;
        pending.raw_bind_parameter(2, recording.through)?;
        pending.raw_bind_parameter(3, STEP)?;
        Ok(Self {
            connection,
            recording,
            destination_prefix: connection
                .prepare_cached("SELECT destination_prefix FROM run WHERE run = ?1")?
                .query_row([recording.run.0], |row| row.get(0))?,
            pending,
            has_uploads: plans::has_uploads(connection, recording.task)?,
            has_awaited: awaited::has_awaited(connection, recording.task)?,
            reached: Vec::with_capacity(NAMES),
            names: HashSet::new(),
            settled: Vec::new(),
            suspects: Vec::new(),
            copied: Vec::new(),
            unplanned: Vec::new(),
            has_mends: mends::has_open(connection, recording.task)?,
            mended: Vec::new(),
        })
    }

    /// Settles all requests for the attempt's name that are the run's, at the
    /// latest with [`finish`](Self::finish).
    pub(super) fn settle(
        &mut self,
        attempt: &'n Attempt,
        tally: &mut Tally<'n>,
    ) -> rusqlite::Result<()> {
        self.end_plan(attempt)?;
        if let (Outcome::Synced(copied), Some(source)) = (&attempt.outcome, &attempt.source) {
            self.keep_copy(&attempt.name, &source.etag, &copied.copy_etag);
        }
        // What failed is still to be mended.
        if self.has_mends && !matches!(attempt.outcome, Outcome::Failed(_)) {
            self.mended.push([attempt.name.as_str().into()]);
        }
        if !self.names.insert(attempt.name.as_str()) {
            self.settle_reached(tally)?;
            self.write_settled()?;
        }
        if self.reached.len() == NAMES {
            self.settle_reached(tally)?;
        }
        self.reached.push(attempt);
        Ok(())
    }

    /// Keeps the name's copy as our own last one.
    pub(super) fn keep_copy(&mut self, name: &'n ObjectName, source: &'n ETag, copy: &'n ETag) {
        self.copied.push([
            name.as_str().into(),
            source.as_str().into(),
            brief(copy, Some(source)).into(),
        ]);
    }

    /// Writes what was kept back.
    pub(super) fn finish(mut self, tally: &mut Tally<'n>) -> rusqlite::Result<()> {
        self.settle_reached(tally)?;
        self.write_settled()?;
        let common = [
            self.recording.task.0.into(),
            self.destination_prefix.as_str().into(),
        ];
        bulk::execute(
            self.connection,
            (
                "INSERT INTO last_copy (task, destination_prefix, name, source_etag, copy_etag)
                     VALUES",
                "(?1, ?2, ?, ?, ?)",
                "ON CONFLICT DO UPDATE SET source_etag = excluded.source_etag,
                     copy_etag = excluded.copy_etag,
                     destination_prefix = excluded.destination_prefix",
            ),
            &common,
            self.copied,
        )?;
        let (task, run) = (self.recording.task, self.recording.run);
        plans::unplan(self.connection, task, self.unplanned)?;
        mends::answer(self.connection, task, run, self.mended)
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
        if self.has_awaited {
            awaited::awaited_no_more(self.connection, self.recording.task, &attempt.name)?;
        }
        Ok(())
    }

    /// Settles the requests for the names whose outcomes were reached.
    fn settle_reached(&mut self, tally: &mut Tally<'n>) -> rusqlite::Result<()> {
        if self.reached.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<_> = self.reached.iter().copied().map(Row::first).collect();
        loop {
            let pending = self.pending_of_reached()?;
            for &(place, request, attempts, asked) in &pending {
                let row = rows[place];
                rows[place] = Row::further(row.attempt);
                let at = self.recording.zone.local(row.attempt.at);
                tally.add(at, &row);
                if row.is_suspect() {
                    self.suspects.push([request.into()]);
                }
                tally.pending.add(asked, -1);
                self.settled.push(Settled {
                    request,
                    number: attempts + 1,
                    at,
                    row,
                });
            }
            if self.settled.len() >= STEP {
                self.write_settled()?;
            }
            if pending.len() < STEP {
                break;
            }
        }
        self.reached.clear();
        Ok(())
    }

    /// The next of the names' pending requests: the name's place, the request, its
    /// attempts so far, and when it was asked for.
    fn pending_of_reached(&mut self) -> rusqlite::Result<Vec<(usize, i64, i64, LocalTime)>> {
        let names = self.reached.iter().map(|attempt| attempt.name.as_str());
        let names = names.map(Some).chain(iter::repeat(None)).take(NAMES);
        for (index, name) in (4..).zip(names) {
            self.pending.raw_bind_parameter(index, name)?;
        }
        let mut rows = self.pending.raw_query();
        let mut pending = Vec::with_capacity(self.reached.len());
        while let Some(row) = rows.next()? {
            pending.push((row.get(0)?, row.get(1)?, row.get(2)?, local(row, 3)?));
        }
        Ok(pending)
    }

    /// Writes the requests that were settled and their attempts.
    fn write_settled(&mut self) -> rusqlite::Result<()> {
        let run = [self.recording.run.0.into()];
        bulk::execute(
            self.connection,
            UPDATE_REQUESTS,
            &run,
            self.settled.iter().map(Settled::request_columns),
        )?;
        bulk::execute(
            self.connection,
            INSERT_ATTEMPTS,
            &run,
            self.settled.iter().map(Settled::attempt_columns),
        )?;
        self.settled.clear();
        bulk::execute(
            self.connection,
            ("INSERT INTO suspect (run, request) VALUES", "(?1, ?)", ""),
            &run,
            std::mem::take(&mut self.suspects),
        )
    }
}

/// The pending requests of up to `NAMES` names: NULL stands for none.
fn pending_of_names() -> String {
    let names: Vec<_> = (0..NAMES)
        .map(|place| format!("({place}, ?{})", place + 4))
        .collect();
    format!(
        "WITH reached (place, name) AS (VALUES {})
         SELECT place, request, attempts, requested_at, requested_offset
         FROM reached CROSS JOIN request
             ON task = ?1 AND state = 'pending' AND request.name = reached.name AND request <= ?2
         ORDER BY place, request LIMIT ?3",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests;
