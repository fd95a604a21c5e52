//! Objects to look at again, drawn at random.

use std::collections::BTreeSet;

use fastrand::Rng;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::{Ledger, Result, TaskKey};
use crate::model::{ETag, ObjectName, Sampled, Timestamp};

/// So many requests are looked up at most, whatever the ledger holds.
const MOST_LOOKUPS: i64 = 100_000;

/// What is recorded of an object that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The request that made the copy, or left the object alone.
    pub request: i64,
    /// Which of the two.
    pub kind: Sampled,
    /// The object.
    pub name: ObjectName,
    /// Its whole name at the destination, a prefix included.
    pub destination_name: String,
    /// The source's tag then; `None`: not known.
    pub source_etag: Option<ETag>,
    /// When that was.
    pub at: Timestamp,
    /// The source's size in bytes then.
    pub size_bytes: u64,
}

impl Ledger {
    /// At most so many objects of `task`, each as likely as any other: its last copies,
    /// or what its runs left alone last. Requests are drawn by number until enough of
    /// them are such; of a ledger with few requests all are looked at, of a large one
    /// with few such objects fewer may be found than there are.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn sample(
        &self,
        task: TaskKey,
        kind: Sampled,
        most: usize,
        rng: &mut Rng,
    ) -> Result<Vec<Sample>> {
        self.read(|connection| {
            let mut drawing = Drawing::new(connection, task, kind)?;
            let chosen = drawing.draw(most, rng)?;
            let mut statement =
                connection.prepare_cached(include_str!("../../sql/statements/sampled.sql"))?;
            chosen
                .into_iter()
                .map(|request| statement.query_row([request], |row| read_sample(kind, row)))
                .collect()
        })
    }
}

struct Drawing<'c> {
    task: TaskKey,
    fits: CachedStatement<'c>,
    first: i64,
    last: i64,
}

impl<'c> Drawing<'c> {
    fn new(connection: &'c Connection, task: TaskKey, kind: Sampled) -> rusqlite::Result<Self> {
        let fits = connection.prepare_cached(match kind {
            Sampled::Copy => include_str!("../../sql/statements/sample_copy.sql"),
            Sampled::Ignored => include_str!("../../sql/statements/sample_ignored.sql"),
        })?;
        let (first, last) = connection.query_row(
            "SELECT coalesce((SELECT min(request) FROM request), 1),
                    coalesce((SELECT max(request) FROM request), 0)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(Self {
            task,
            fits,
            first,
            last,
        })
    }

    fn draw(&mut self, most: usize, rng: &mut Rng) -> rusqlite::Result<BTreeSet<i64>> {
        if self.last - self.first < MOST_LOOKUPS {
            return self.draw_from_all(most, rng);
        }
        let mut chosen = BTreeSet::new();
        for _ in 0..MOST_LOOKUPS {
            if chosen.len() == most {
                break;
            }
            let request = rng.i64(self.first..=self.last);
            if !chosen.contains(&request) && self.fits(request)? {
                chosen.insert(request);
            }
        }
        Ok(chosen)
    }

    /// Where there are few requests: looks at all, and keeps each that fits with the
    /// same chance.
    fn draw_from_all(&mut self, most: usize, rng: &mut Rng) -> rusqlite::Result<BTreeSet<i64>> {
        let mut kept: Vec<i64> = Vec::new();
        let mut seen = 0;
        for request in self.first..=self.last {
            if !self.fits(request)? {
                continue;
            }
            seen += 1;
            if kept.len() < most {
                kept.push(request);
            } else if let Some(place) = kept.get_mut(rng.usize(0..seen)) {
                *place = request;
            }
        }
        Ok(kept.into_iter().collect())
    }

    fn fits(&mut self, request: i64) -> rusqlite::Result<bool> {
        let found: Option<i64> = self
            .fits
            .query_row(params![request, self.task.0], |row| row.get(0))
            .optional()?;
        Ok(found.is_some())
    }
}

fn read_sample(kind: Sampled, row: &Row<'_>) -> rusqlite::Result<Sample> {
    let source_etag: Option<String> = row.get(2)?;
    Ok(Sample {
        request: row.get(0)?,
        kind,
        name: ObjectName::from_checked(row.get(1)?),
        source_etag: source_etag.as_deref().map(ETag::new),
        at: Timestamp::from_ms(row.get(3)?),
        size_bytes: row.get::<_, Option<u64>>(4)?.unwrap_or(0),
        destination_name: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, failed, ignored, synced};
    use super::*;
    use crate::model::FailureCause;

    const WHEN: &str = "2026-10-06T01:00:00Z";

    fn drawn(fixture: &Fixture, kind: Sampled, most: usize, seed: u64) -> Vec<String> {
        let mut rng = Rng::with_seed(seed);
        let samples = fixture.ledger.sample(fixture.task, kind, most, &mut rng);
        let name = |sample: Sample| format!("{} {}", sample.request, sample.name.as_str());
        samples.unwrap().into_iter().map(name).collect()
    }

    fn night(fixture: &mut Fixture, day: u32, outcomes: &[(&str, u8)]) {
        let names: Vec<&str> = outcomes.iter().map(|(name, _)| *name).collect();
        fixture.ask(&format!("object_lists/{day}.txt"), WHEN, &names);
        let night = fixture.begin(&format!("2026-10-{day:02}T01:00:00Z"));
        for (name, outcome) in outcomes {
            fixture.settle(
                &night,
                match outcome {
                    0 => synced(name, WHEN, 7),
                    1 => ignored(name, WHEN, 7),
                    _ => failed(name, WHEN, FailureCause::TooLarge, "EntityTooLarge", 400),
                },
            );
        }
        fixture.end(&night, WHEN, 0, "done");
    }

    #[test]
    fn only_the_last_copy_and_the_last_look_of_each_name_are_drawn() {
        let mut fixture = Fixture::new("UTC");
        night(
            &mut fixture,
            6,
            &[("a", 0), ("b", 1), ("c", 0), ("d", 2), ("e", 1)],
        );
        night(
            &mut fixture,
            7,
            &[("a", 0), ("b", 1), ("c", 2), ("e", 0), ("f", 1)],
        );
        night(&mut fixture, 8, &[("a", 1)]);
        fixture.ask("object_lists/more.txt", WHEN, &["g"]);
        let copies = ["3 c", "6 a", "9 e"];
        assert_eq!(drawn(&fixture, Sampled::Copy, 9, 1), copies);
        assert_eq!(
            drawn(&fixture, Sampled::Ignored, 9, 1),
            ["7 b", "10 f", "11 a"]
        );
        assert_eq!(drawn(&fixture, Sampled::Copy, 2, 1).len(), 2);
        let mut rng = Rng::with_seed(1);
        let samples = fixture
            .ledger
            .sample(fixture.task, Sampled::Copy, 9, &mut rng);
        let first = samples.unwrap().swap_remove(0);
        let expected = (Some(ETag::new("5e")), 7);
        assert_eq!((first.source_etag, first.size_bytes), expected);
    }

    #[test]
    fn each_copy_is_as_likely_as_any_other() {
        let mut fixture = Fixture::new("UTC");
        let names: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
        // Three quarters of the requests are not to be drawn.
        let outcomes: Vec<(&str, u8)> = (0_u8..)
            .zip(&names)
            .map(|(number, name)| (name.as_str(), if number % 4 == 0 { 0 } else { 2 }))
            .collect();
        night(&mut fixture, 6, &outcomes);
        let mut times = std::collections::BTreeMap::new();
        for seed in 0..1000 {
            for name in drawn(&fixture, Sampled::Copy, 3, seed) {
                *times.entry(name).or_insert(0) += 1;
            }
        }
        // 300 are expected of each of the ten, with a deviation of 14.5.
        assert_eq!(times.len(), 10);
        assert!(
            times.values().all(|times| (230..370).contains(times)),
            "{times:?}"
        );
    }

    #[test]
    fn of_many_requests_no_more_are_looked_up_than_it_takes() {
        let mut fixture = Fixture::new("UTC");
        night(&mut fixture, 6, &[("a", 0), ("b", 0)]);
        let far = i64::MAX / 2;
        let spread = "UPDATE request SET request = ?1 WHERE request = 2";
        // Few among ever so many are not found, and that does not take for ever.
        fixture
            .ledger
            .connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        fixture.ledger.connection.execute(spread, [far]).unwrap();
        assert!(drawn(&fixture, Sampled::Copy, 2, 1).len() < 2);
        let names: Vec<String> = (0..2000).map(|number| format!("n{number:04}")).collect();
        let names: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 0)).collect();
        let mut fixture = Fixture::new("UTC");
        night(&mut fixture, 6, &names);
        let spread = "UPDATE request SET request = 150000 WHERE request = 2000";
        fixture
            .ledger
            .connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        fixture.ledger.connection.execute(spread, []).unwrap();
        let drawn = drawn(&fixture, Sampled::Copy, 20, 1);
        assert_eq!(drawn.len(), 20, "{drawn:?}");
    }
}
