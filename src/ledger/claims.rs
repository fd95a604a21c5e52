//! What the ledger says that was copied: for each name our own last copy.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, Row, params};

use super::settling::whole;
use super::{Ledger, Result, TaskKey};
use crate::model::{Claim, DestinationPrefix, ETag, LastCopy, ObjectName};

/// Random numbers that are tried for each claim that is to be drawn.
const TRIES_EACH: usize = 200;

/// And in any case.
const TRIES_LEAST: usize = 10_000;

/// A task with at most so many synced requests for each claim to be drawn is read
/// whole: random numbers would find the same names again and again.
const READ_WHOLE_BELOW: u64 = 4;

/// Claims read at once.
const PAGE: usize = 1000;

/// Whose claims: of which task, and under which prefix the copies lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The task.
    pub task: TaskKey,
    /// What is put before its names at the destination.
    pub prefix: DestinationPrefix,
}

impl Ledger {
    /// The next `limit` claims of `claimant` behind the name `after`, in byte order.
    /// Each call sees the ledger as it is then: none holds the write-ahead log for long.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn next_claims(
        &self,
        claimant: &Claimant,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Claim>> {
        let Claimant { task, prefix } = claimant;
        let sql = include_str!("../../sql/statements/next_claims.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map(params![task.0, after, limit, prefix.as_str()], read_claim)?
                .collect()
        })
    }

    /// The claim about `name`, if there is one.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn claim(&self, claimant: &Claimant, name: &str) -> Result<Option<Claim>> {
        let Claimant { task, prefix } = claimant;
        let sql = include_str!("../../sql/statements/claim.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_row(params![task.0, name, prefix.as_str()], read_claim)
                .optional()
        })
    }

    /// Whether a copy of `name` was begun whose outcome is not recorded: a run is at
    /// it, or one that ended left it for the next.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn is_being_copied(&self, claimant: &Claimant, name: &str) -> Result<bool> {
        let Claimant { task, prefix } = claimant;
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM planned_copy
                                    WHERE task = ?1 AND name = ?2 AND destination_prefix = ?3)",
                )?
                .query_row(params![task.0, name, prefix.as_str()], |row| row.get(0))
        })
    }

    /// Whether `task` was ever asked for `name`, or copied it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn knows(&self, task: TaskKey, name: &str) -> Result<bool> {
        let sql = include_str!("../../sql/statements/knows_name.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_row(params![task.0, name], |row| row.get(0))
        })
    }

    /// All places where copies of `task` may lie: what its runs put before its names.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn claimants(&self, task: TaskKey) -> Result<Vec<Claimant>> {
        self.read(|connection| {
            connection
                .prepare("SELECT DISTINCT destination_prefix FROM run WHERE task = ?1")?
                .query_map([task.0], |row| {
                    let prefix = DestinationPrefix::from_checked(&row.get::<_, String>(0)?);
                    Ok(Claimant { task, prefix })
                })?
                .collect()
        })
    }

    /// How many requests of `task` were ever synced.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn synced_ever(&self, task: TaskKey) -> Result<u64> {
        self.read(|connection| {
            connection.query_row("SELECT synced FROM task WHERE task = ?1", [task.0], |row| {
                row.get(0)
            })
        })
    }

    /// At most `count` claims of `claimant` at random, each name once and as likely as
    /// any other, in random order. Where there are many more, request numbers are
    /// drawn until enough of them are the last synced ones of their names: names
    /// whose requests were pruned are not among them, and where few numbers are,
    /// there may be fewer claims than asked for.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn random_claims(
        &self,
        claimant: &Claimant,
        count: usize,
        mut below: impl FnMut(u64) -> u64,
    ) -> Result<Vec<Claim>> {
        if self.synced_ever(claimant.task)? <= READ_WHOLE_BELOW.saturating_mul(count as u64) {
            return self.chosen_claims(claimant, count, below);
        }
        // Each by itself: only then does SQLite go straight to the end of the table.
        let bounds = "SELECT coalesce((SELECT min(request) FROM request), 0),
                             coalesce((SELECT max(request) FROM request), 0)";
        let (first, last): (i64, i64) = self.read(|connection| {
            connection.query_row(bounds, [], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        let numbers = last.abs_diff(first).saturating_add(1);
        let (mut claims, mut drawn) = (Vec::with_capacity(count), HashSet::new());
        let tries = count.saturating_mul(TRIES_EACH).saturating_add(TRIES_LEAST);
        for _ in 0..tries {
            if claims.len() == count {
                break;
            }
            let request = first.saturating_add_unsigned(below(numbers));
            if drawn.insert(request) {
                claims.extend(self.drawn_claim(claimant, request)?);
            }
        }
        Ok(claims)
    }

    /// The claim that the request numbered `request` stands for, if it does.
    fn drawn_claim(&self, claimant: &Claimant, request: i64) -> Result<Option<Claim>> {
        let Claimant { task, prefix } = claimant;
        let sql = include_str!("../../sql/statements/drawn_claim.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_row(params![task.0, request, prefix.as_str()], read_claim)
                .optional()
        })
    }

    /// `count` of all claims, each as likely as any other (a reservoir).
    fn chosen_claims(
        &self,
        claimant: &Claimant,
        count: usize,
        mut below: impl FnMut(u64) -> u64,
    ) -> Result<Vec<Claim>> {
        let (mut chosen, mut seen, mut after) = (Vec::new(), 0_u64, String::new());
        loop {
            let page = self.next_claims(claimant, &after, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(chosen);
            };
            last.name.as_str().clone_into(&mut after);
            for claim in page {
                seen += 1;
                if chosen.len() < count {
                    chosen.push(claim);
                    continue;
                }
                let place = usize::try_from(below(seen)).unwrap_or(usize::MAX);
                if let Some(place) = chosen.get_mut(place) {
                    *place = claim;
                }
            }
        }
    }
}

/// A row of name, source's and copy's entity tag, and size.
fn read_claim(row: &Row<'_>) -> rusqlite::Result<Claim> {
    let source: String = row.get(1)?;
    let copy: String = row.get(2)?;
    Ok(Claim {
        name: ObjectName::from_checked(row.get(0)?),
        copy: LastCopy {
            copy_etag: ETag::new(whole(&copy, &source)),
            source_etag: ETag::new(&source),
        },
        size_bytes: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, ignored, synced};
    use super::*;

    /// `a` to `e` copied in one night, `a` again with another size in the next,
    /// `f` left alone.
    fn copied() -> Fixture {
        let mut fixture = Fixture::new("UTC");
        let names = ["e", "d", "c", "b", "a", "f"];
        fixture.ask("object_lists/a.txt", "2026-10-29T12:00:00Z", &names);
        let night = fixture.begin("2026-10-30T01:00:00Z");
        for name in &names[..5] {
            fixture.settle(&night, synced(name, "2026-10-30T01:00:01Z", 10));
        }
        fixture.settle(&night, ignored("f", "2026-10-30T01:00:01Z", 5));
        fixture.end(&night, "2026-10-30T02:00:00Z", 0, "done");
        fixture.ask("object_lists/b.txt", "2026-10-30T12:00:00Z", &["a"]);
        let night = fixture.begin("2026-10-31T01:00:00Z");
        fixture.settle(&night, synced("a", "2026-10-31T01:00:01Z", 20));
        fixture.end(&night, "2026-10-31T02:00:00Z", 0, "done");
        fixture
    }

    fn ours(fixture: &Fixture) -> Claimant {
        Claimant {
            task: fixture.task,
            prefix: fixture.destination_prefix.clone(),
        }
    }

    #[test]
    fn copies_under_another_prefix_are_no_claims_under_this_one() {
        let mut fixture = copied();
        fixture.destination_prefix = "m/".parse().unwrap();
        fixture.ask("object_lists/c.txt", "2026-10-31T12:00:00Z", &["b"]);
        let night = fixture.begin("2026-11-01T01:00:00Z");
        fixture.settle(&night, synced("b", "2026-11-01T01:00:01Z", 30));
        fixture.end(&night, "2026-11-01T02:00:00Z", 0, "done");
        let claims = fixture.ledger.next_claims(&ours(&fixture), "", 9).unwrap();
        assert_eq!(names(&claims), ["b"]);
        assert_eq!(fixture.ledger.claim(&ours(&fixture), "a").unwrap(), None);
        let places = fixture.ledger.claimants(fixture.task).unwrap();
        let mut prefixes: Vec<_> = places.iter().map(|place| place.prefix.as_str()).collect();
        prefixes.sort_unstable();
        assert_eq!(prefixes, ["", "m/"]);
        let drawn = fixture
            .ledger
            .random_claims(&ours(&fixture), 9, |_| 0)
            .unwrap();
        assert_eq!(names(&drawn), ["b"]);
    }

    fn names(claims: &[Claim]) -> Vec<&str> {
        claims.iter().map(|claim| claim.name.as_str()).collect()
    }

    #[test]
    fn claims_are_last_copies_in_byte_order_with_the_size_of_the_last() {
        let fixture = copied();
        let all = fixture.ledger.next_claims(&ours(&fixture), "", 9).unwrap();
        assert_eq!(names(&all), ["a", "b", "c", "d", "e"]);
        let sizes: Vec<_> = all.iter().map(|claim| claim.size_bytes).collect();
        assert_eq!(sizes, [20, 10, 10, 10, 10].map(Some));
        assert!(all.iter().all(|claim| claim.copy.copy_etag.as_str() != "="));
        let some = fixture.ledger.next_claims(&ours(&fixture), "b", 2).unwrap();
        assert_eq!(names(&some), ["c", "d"]);
        let one = fixture.ledger.claim(&ours(&fixture), "a").unwrap();
        assert_eq!(one.as_ref(), all.first());
        assert_eq!(fixture.ledger.claim(&ours(&fixture), "f").unwrap(), None);
        let known = ["a", "f", "g"].map(|name| fixture.ledger.knows(fixture.task, name).unwrap());
        assert_eq!(known, [true, true, false]);
    }

    #[test]
    fn of_what_was_pruned_the_tags_stay_and_the_size_is_not_known() {
        let mut fixture = copied();
        let listed = "UPDATE run SET listed = 1";
        fixture.ledger.connection.execute(listed, []).unwrap();
        fixture.ledger.prune("2026-12".parse().unwrap()).unwrap();
        let claims = fixture.ledger.next_claims(&ours(&fixture), "", 9).unwrap();
        let sizes: Vec<_> = claims.iter().map(|claim| claim.size_bytes).collect();
        // The newest request of all is never pruned.
        assert_eq!(sizes, [Some(20), None, None, None, None]);
        let drawn = fixture
            .ledger
            .random_claims(&ours(&fixture), 5, |_| 0)
            .unwrap();
        assert_eq!(drawn.len(), 5, "few are read whole");
    }

    #[test]
    fn each_name_is_in_exactly_one_number() {
        let fixture = copied();
        let mut drawn = Vec::new();
        for request in 0..9 {
            drawn.extend(
                fixture
                    .ledger
                    .drawn_claim(&ours(&fixture), request)
                    .unwrap(),
            );
        }
        // The first request for `a` is not its last, `f` was not copied.
        assert_eq!(names(&drawn), ["e", "d", "c", "b", "a"]);
        assert_eq!(drawn[4].size_bytes, Some(20));
    }

    #[test]
    fn numbers_are_drawn_until_there_are_enough_names() {
        let fixture = copied();
        let mut next = 0;
        // Six are synced, so one is not read whole but drawn.
        let drawn = fixture.ledger.random_claims(&ours(&fixture), 1, |numbers| {
            assert_eq!(numbers, 7);
            next += 1;
            // `f`, then the older `a`, then `c`.
            [5, 4, 2][next - 1]
        });
        assert_eq!(names(&drawn.unwrap()), ["c"]);
    }
}
