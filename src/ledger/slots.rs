//! Figures by five minutes: a series of what was asked for and what came of it.
//!
//! Kept in the transactions that keep the figures of days, from which they differ
//! only in how fine they are.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::tasks::Counted;
use super::{Ledger, Result, TaskKey};
use crate::model::{TaskId, Timestamp};

/// How long the places are by which is counted.
pub const SLOT_MS: i64 = 5 * 60 * 1000;

/// What a task has in one place of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesPlace {
    /// When the place begins; a multiple of its length.
    pub at: Timestamp,
    /// How many requests.
    pub requests: u64,
    /// Their bytes, if they are synced.
    pub bytes: u64,
}

impl Ledger {
    /// What `task` has of `kind` from `from` up to `to`, by places of `step_ms`, a
    /// multiple of [`SLOT_MS`]. The first place may begin before `from`. Places
    /// without anything are left out.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn series(
        &self,
        task: &TaskId,
        kind: Counted,
        (from, to): (Timestamp, Timestamp),
        step_ms: i64,
    ) -> Result<Vec<SeriesPlace>> {
        let from = from.ms() - from.ms().rem_euclid(step_ms);
        let sql = include_str!("../../sql/statements/series.sql");
        let asked = params![task.as_str(), kind.as_str(), from, to.ms()];
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(asked)?;
            let mut series: Vec<SeriesPlace> = Vec::new();
            while let Some(row) = rows.next()? {
                let slot_at: i64 = row.get(0)?;
                let at = Timestamp::from_ms(slot_at - slot_at.rem_euclid(step_ms));
                let (requests, bytes): (u64, u64) = (row.get(1)?, row.get(2)?);
                match series.last_mut() {
                    Some(place) if place.at == at => {
                        place.requests += requests;
                        place.bytes += bytes;
                    }
                    _ => series.push(SeriesPlace {
                        at,
                        requests,
                        bytes,
                    }),
                }
            }
            Ok(series)
        })
    }
}

/// What is to be added, or taken back, by five minutes.
#[derive(Default)]
pub(super) struct Slots(BTreeMap<(Counted, i64), (i64, i64)>);

impl Slots {
    /// So many requests and bytes more of `kind` at `at`; negative: fewer.
    pub(super) fn add(&mut self, at: Timestamp, kind: Counted, requests: i64, bytes: i64) {
        let key = (kind, at.ms() - at.ms().rem_euclid(SLOT_MS));
        let slot = self.0.entry(key).or_default();
        slot.0 += requests;
        slot.1 += bytes;
    }

    /// Adds them to what is kept of `task`.
    pub(super) fn keep(&self, connection: &Connection, task: TaskKey) -> rusqlite::Result<()> {
        let mut add = connection.prepare_cached(
            "INSERT INTO slot_count (task, kind, slot_at, requests, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,
                 bytes = bytes + excluded.bytes",
        )?;
        for ((kind, at), (requests, bytes)) in &self.0 {
            add.execute(params![task.0, kind.as_str(), at, requests, bytes])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, failed, ignored, photos, synced};
    use super::super::{Failures, Selection};
    use super::*;
    use crate::model::{FailureCause, RequestState};

    const HOUR_MS: i64 = 12 * SLOT_MS;

    /// Four names asked for within two places; of a night's outcomes three fall into
    /// one place and one into the next.
    fn night() -> Fixture {
        let mut fixture = Fixture::new("Asia/Kathmandu");
        fixture.ask(
            "object_lists/a.txt",
            "2026-10-30T12:04:59.999Z",
            &["a", "b"],
        );
        fixture.ask("object_lists/b.txt", "2026-10-30T12:05:00Z", &["c", "d"]);
        let night = fixture.begin("2026-10-31T01:00:00Z");
        fixture.settle(&night, synced("a", "2026-10-31T01:00:01Z", 10));
        let (missing, slow) = (FailureCause::SourceMissing, FailureCause::Throttled);
        fixture.settle(
            &night,
            failed("b", "2026-10-31T01:04:59Z", missing, "NoSuchKey", 404),
        );
        fixture.settle(
            &night,
            failed("c", "2026-10-31T01:04:59Z", slow, "SlowDown", 503),
        );
        fixture.settle(&night, ignored("d", "2026-10-31T01:05:00Z", 7));
        fixture.end(&night, "2026-10-31T02:00:00Z", 4, "failed");
        fixture
    }

    /// When each place begins, and what it has.
    fn series(fixture: &Fixture, kind: Counted, step_ms: i64) -> Vec<(String, u64, u64)> {
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
        let range = (at("2026-10-30T12:01:00Z"), at("2026-11-02T00:00:00Z"));
        let places = fixture
            .ledger
            .series(&photos(), kind, range, step_ms)
            .unwrap();
        let shown = |place: SeriesPlace| {
            let begins = place.at.utc().format("%dT%H:%M").to_string();
            (begins, place.requests, place.bytes)
        };
        places.into_iter().map(shown).collect()
    }

    fn place(begins: &str, requests: u64, bytes: u64) -> (String, u64, u64) {
        (begins.to_owned(), requests, bytes)
    }

    #[test]
    fn what_was_asked_for_and_reached_is_counted_by_five_minutes_and_by_hours() {
        let fixture = night();
        let settled = Counted::Settled;
        for (kind, step_ms, expected) in [
            (
                Counted::Requested,
                SLOT_MS,
                vec![place("30T12:00", 2, 0), place("30T12:05", 2, 0)],
            ),
            (Counted::Requested, HOUR_MS, vec![place("30T12:00", 4, 0)]),
            (
                settled(RequestState::Synced),
                SLOT_MS,
                vec![place("31T01:00", 1, 10)],
            ),
            (
                settled(RequestState::Failed),
                SLOT_MS,
                vec![place("31T01:00", 2, 0)],
            ),
            (
                settled(RequestState::Ignored),
                SLOT_MS,
                vec![place("31T01:05", 1, 0)],
            ),
            (
                settled(RequestState::Ignored),
                HOUR_MS,
                vec![place("31T01:00", 1, 0)],
            ),
        ] {
            assert_eq!(
                series(&fixture, kind, step_ms),
                expected,
                "{kind:?} {step_ms}"
            );
        }
        let nobody = "nobody".parse().unwrap();
        let range = (at("2026-10-01T00:00:00Z"), at("2026-11-30T00:00:00Z"));
        let none = fixture
            .ledger
            .series(&nobody, Counted::Requested, range, SLOT_MS);
        assert_eq!(none.unwrap(), []);
    }

    #[test]
    fn a_range_begins_with_the_place_in_which_it_begins_and_ends_before_its_end() {
        let fixture = night();
        for (from, to, expected) in [
            ("2026-10-30T12:04:59Z", "2026-10-30T12:05:00Z", 2),
            ("2026-10-30T12:04:59Z", "2026-10-30T12:05:00.001Z", 4),
            ("2026-10-30T12:05:00Z", "2026-10-30T12:10:00Z", 2),
            ("2026-10-30T12:10:00Z", "2026-10-30T13:00:00Z", 0),
        ] {
            let range = (at(from), at(to));
            let places = fixture
                .ledger
                .series(&photos(), Counted::Requested, range, SLOT_MS);
            let requests: u64 = places.unwrap().iter().map(|place| place.requests).sum();
            assert_eq!(requests, expected, "{from} {to}");
        }
    }

    #[test]
    fn an_outcome_that_is_taken_back_leaves_the_place_where_it_was() {
        let mut fixture = night();
        let kind = Counted::Settled(RequestState::Failed);
        let day = fixture.zone.local(at("2026-11-01T01:00:00Z"));
        assert_eq!(fixture.ledger.carry_over(fixture.task, day).unwrap(), 1);
        assert_eq!(series(&fixture, kind, SLOT_MS), [place("31T01:00", 1, 0)]);
        fixture
            .ledger
            .retry(fixture.task, &Failures::default())
            .unwrap();
        assert_eq!(series(&fixture, kind, SLOT_MS), []);
        let list = Selection::List("object_lists/a.txt");
        fixture.ledger.withdraw(fixture.task, list, day).unwrap();
        let ignored = Counted::Settled(RequestState::Ignored);
        assert_eq!(
            series(&fixture, ignored, SLOT_MS),
            [place("31T01:05", 1, 0), place("01T01:00", 1, 0)]
        );
    }

    #[test]
    fn a_count_that_its_rows_do_not_bear_out_is_found() {
        for falsify in [
            "UPDATE slot_count SET requests = requests + 1 WHERE kind = 'failed'",
            "UPDATE slot_count SET slot_at = slot_at + 300000 WHERE kind = 'synced'",
            "UPDATE slot_count SET bytes = 9 WHERE kind = 'synced'",
            "DELETE FROM slot_count WHERE kind = 'ignored'",
            "INSERT INTO slot_count VALUES (1, 'failed', 0, 1, 0)",
        ] {
            let fixture = night();
            fixture.ledger.connection.execute(falsify, []).unwrap();
            assert_ne!(fixture.ledger.check().unwrap(), [""; 0], "{falsify}");
        }
    }
}
