//! What a run did, summed up: by time, by size, by reason, and what took longest.

use std::str::FromStr;

use rusqlite::{Row, params};

use super::report::{local, word};
use super::{Ledger, Result, RunKey};
use crate::model::{LocalTime, ObjectName, RequestState, Timestamp};

/// What a run settled in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledPlace {
    /// When the stretch begins.
    pub at: Timestamp,
    /// Copied in it.
    pub synced: u64,
    /// Failed in it.
    pub failed: u64,
    /// Left alone in it.
    pub ignored: u64,
    /// Bytes of the copies.
    pub bytes: u64,
}

/// How often the ends of a run asked for a slower pace in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottledPlace {
    /// When the stretch begins.
    pub at: Timestamp,
    /// How many answers of the source did.
    pub source: u64,
    /// How many answers of the destination did.
    pub destination: u64,
}

/// Copied objects of about one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeClass {
    /// The least that an object in it has: 0, 1, 1 KiB, and from there on four times
    /// the one before.
    pub least_bytes: u64,
    /// How many objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl SizeClass {
    /// With what the class after the one begins that begins with `least_bytes`.
    #[must_use]
    pub const fn after(least_bytes: u64) -> u64 {
        match least_bytes {
            0 => 1,
            1 => 1024,
            least => least.saturating_mul(4),
        }
    }
}

/// An object that took long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowObject {
    /// The object.
    pub name: ObjectName,
    /// The number of the run.
    pub run: u64,
    /// When the outcome was reached.
    pub at: LocalTime,
    /// The outcome.
    pub outcome: RequestState,
    /// The failure cause or ignore reason.
    pub reason: Option<String>,
    /// The source's size, where it is known.
    pub size_bytes: Option<u64>,
    /// From the first request about it to the outcome.
    pub duration_ms: u64,
}

impl Ledger {
    /// What the run settled in each stretch of `step_ms`, as its clocks are divided
    /// that are `offset_minutes` ahead of UTC. Stretches without anything are left out.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn settled_places(
        &self,
        run: RunKey,
        step_ms: i64,
        offset_minutes: i32,
    ) -> Result<Vec<SettledPlace>> {
        let sql = include_str!("../../sql/statements/run_places.sql");
        let asked = params![run.0, step_ms, i64::from(offset_minutes) * 60_000];
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map(asked, |row| {
                    Ok(SettledPlace {
                        at: Timestamp::from_ms(row.get(0)?),
                        synced: row.get(1)?,
                        failed: row.get(2)?,
                        ignored: row.get(3)?,
                        bytes: row.get(4)?,
                    })
                })?
                .collect()
        })
    }

    /// How often the run's ends asked for a slower pace, by stretches as those of
    /// [`settled_places`](Self::settled_places).
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn throttled_places(
        &self,
        run: RunKey,
        step_ms: i64,
        offset_minutes: i32,
    ) -> Result<Vec<ThrottledPlace>> {
        let sql = include_str!("../../sql/statements/run_throttled_places.sql");
        let asked = params![run.0, step_ms, i64::from(offset_minutes) * 60_000];
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map(asked, |row| {
                    Ok(ThrottledPlace {
                        at: Timestamp::from_ms(row.get(0)?),
                        source: row.get(1)?,
                        destination: row.get(2)?,
                    })
                })?
                .collect()
        })
    }

    /// What the run copied by size, the smallest first. Classes without anything are
    /// left out.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn size_classes(&self, run: RunKey) -> Result<Vec<SizeClass>> {
        let sql = include_str!("../../sql/statements/run_sizes.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map([run.0], |row| {
                    Ok(SizeClass {
                        least_bytes: row.get(0)?,
                        objects: row.get(1)?,
                        bytes: row.get(2)?,
                    })
                })?
                .collect()
        })
    }

    /// At most so many objects of the run that took longer than `longer_than_ms`, the
    /// slowest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn slowest(
        &self,
        run: RunKey,
        most: usize,
        longer_than_ms: u64,
    ) -> Result<Vec<SlowObject>> {
        let sql = include_str!("../../sql/statements/run_slowest.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map(params![run.0, most, longer_than_ms], read_slow)?
                .collect()
        })
    }

    /// The causes or reasons for which the run settled requests as `state`, with how
    /// many there are of each; the most frequent first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_reasons<T>(&self, run: RunKey, state: RequestState) -> Result<Vec<(T, u64)>>
    where
        T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let sql = include_str!("../../sql/statements/run_reasons.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(params![run.0, state.as_str()], |row| {
                    Ok((word(row, 0)?, row.get(1)?))
                })?
                .collect()
        })
    }
}

fn read_slow(row: &Row<'_>) -> rusqlite::Result<SlowObject> {
    Ok(SlowObject {
        name: ObjectName::from_checked(row.get(0)?),
        run: row.get(1)?,
        at: local(row, 2)?,
        outcome: word(row, 4)?,
        reason: row.get(5)?,
        size_bytes: row.get(6)?,
        duration_ms: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::FailedLines;
    use super::super::fixture::{Fixture, at, failed, ignored, photos, synced};
    use super::*;
    use crate::model::FailureCause;

    #[test]
    fn a_run_is_summed_up_by_its_own_clocks() {
        let mut fixture = Fixture::new("Asia/Kathmandu");
        fixture.ask(
            "object_lists/a.txt",
            "2026-10-30T12:00:00Z",
            &["a", "b", "c"],
        );
        // 18:15 UTC is midnight there.
        let night = fixture.begin("2026-10-30T18:10:00Z");
        fixture.settle(&night, synced("a", "2026-10-30T18:14:59.999Z", 10));
        fixture.settle(&night, ignored("b", "2026-10-30T18:15:00Z", 5));
        let missing = FailureCause::SourceMissing;
        fixture.settle(
            &night,
            failed("c", "2026-10-30T19:14:59Z", missing, "NoSuchKey", 404),
        );
        let run = fixture.end(&night, "2026-10-30T19:20:00Z", 4, "failed");
        let places = fixture.ledger.settled_places(run, 3_600_000, 345).unwrap();
        let said: Vec<_> = places
            .iter()
            .map(|place| {
                (
                    place.at.ms(),
                    place.synced,
                    place.failed,
                    place.ignored,
                    place.bytes,
                )
            })
            .collect();
        let midnight = at("2026-10-30T18:15:00Z").ms();
        assert_eq!(
            said,
            [(midnight - 3_600_000, 1, 0, 0, 10), (midnight, 0, 1, 1, 0)]
        );
        let causes: Vec<(FailureCause, u64)> = fixture
            .ledger
            .run_reasons(run, RequestState::Failed)
            .unwrap();
        assert_eq!(causes, [(missing, 1)]);
    }

    #[test]
    fn sizes_fall_into_their_classes_up_to_the_last_byte() {
        let mut fixture = Fixture::new("UTC");
        let mut bounds = vec![0, 1];
        while bounds.len() < 18 {
            bounds.push(SizeClass::after(bounds[bounds.len() - 1]));
        }
        let names: Vec<String> = (0..36).map(|name| format!("{name:02}")).collect();
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        fixture.ask("object_lists/a.txt", "2026-10-30T12:00:00Z", &asked);
        let night = fixture.begin("2026-10-31T01:00:00Z");
        for (place, least) in bounds.iter().enumerate() {
            let most = SizeClass::after(*least) - 1;
            for (name, size) in [(2 * place, *least), (2 * place + 1, most)] {
                fixture.settle(&night, synced(&names[name], "2026-10-31T01:00:01Z", size));
            }
        }
        let classes = fixture.ledger.size_classes(night.run.key).unwrap();
        let expected: Vec<SizeClass> = bounds
            .iter()
            .map(|least| SizeClass {
                least_bytes: *least,
                objects: 2,
                bytes: least + SizeClass::after(*least) - 1,
            })
            .collect();
        assert_eq!(classes, expected);
    }

    #[test]
    fn a_request_that_failed_on_several_nights_is_one_request() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask(
            "object_lists/a.txt",
            "2026-10-29T12:00:00Z",
            &["a", "b", "c", "d"],
        );
        let slow =
            |name: &str, when: &str| failed(name, when, FailureCause::Throttled, "SlowDown", 503);
        let mut runs = Vec::new();
        for (when, copied) in [
            ("2026-10-29T20:00:00Z", None),
            ("2026-10-30T20:00:00Z", Some("a")),
            ("2026-10-31T20:00:00Z", None),
            ("2026-11-01T20:00:00Z", Some("b")),
        ] {
            let night = fixture.begin(when);
            for name in ["a", "b", "c"] {
                if copied == Some(name) {
                    fixture.settle(&night, synced(name, when, 7));
                } else if !(name == "a" && runs.len() > 1 || name == "d") {
                    fixture.settle(&night, slow(name, when));
                }
            }
            if runs.is_empty() {
                let missing = FailureCause::SourceMissing;
                fixture.settle(&night, failed("d", when, missing, "NoSuchKey", 404));
            }
            runs.push(fixture.end(&night, when, 4, "failed"));
        }
        let month = "2026-10".parse().unwrap();
        assert_eq!(
            fixture.ledger.month_runs(&photos(), month).unwrap(),
            runs[..3]
        );
        // Lines: a, b, c, d; b, c; b, c.
        assert_eq!(
            fixture.ledger.failed_lines(&photos(), month).unwrap(),
            FailedLines {
                requests: 4,
                synced: 2,
                ignored: 0,
                pending: 0,
                failed: 1,
                failed_later: 1,
            }
        );
    }
}
