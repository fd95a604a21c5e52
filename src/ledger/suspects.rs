//! Objects that were ignored although the tags of both ends say that their bytes differ.

use rusqlite::params;

use super::{Ledger, Result, RunKey};
use crate::model::{Month, TaskId};

impl Ledger {
    /// How many suspects the run found, whatever has become of them.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_suspects(&self, run: RunKey) -> Result<u64> {
        self.read(|connection| {
            connection.query_row(
                "SELECT count(*) FROM suspect WHERE run = ?1",
                [run.0],
                |row| row.get(0),
            )
        })
    }

    /// How many of what was ignored in `month` are suspect now.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn month_suspects(&self, task: &TaskId, month: Month) -> Result<u64> {
        self.read(|connection| {
            connection.query_row(
                "SELECT count(*) FROM suspect_objects
                 WHERE task = ?1 AND substr(at_local, 1, 7) = ?2",
                params![task.as_str(), month.to_string()],
                |row| row.get(0),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, Night, at, failed, ignored, photos, suspect, synced};
    use crate::model::{Attempt, ETag, FailureCause, IgnoreReason, Outcome};

    /// A run for each day of October 2026, in which every name of an attempt was
    /// asked for.
    fn nights(nights: &[(u32, Vec<Attempt>)]) -> Fixture {
        let mut fixture = Fixture::new("Asia/Kathmandu");
        for (day, attempts) in nights {
            let names: Vec<&str> = attempts.iter().map(|it| it.name.as_str()).collect();
            night(&mut fixture, *day, &names, attempts.clone());
        }
        fixture
    }

    fn night(fixture: &mut Fixture, day: u32, names: &[&str], attempts: Vec<Attempt>) -> Night {
        let when = at_night(day);
        fixture.ask(&format!("object_lists/{day}.txt"), &when, names);
        let night = fixture.begin(&when);
        for attempt in attempts {
            let at = at(&when);
            fixture.settle(&night, Attempt { at, ..attempt });
        }
        fixture.end(&night, &when, 0, "done");
        night
    }

    fn at_night(day: u32) -> String {
        format!("2026-10-{day:02}T20:00:00Z")
    }

    /// Names and runs as the view has them.
    fn shown(fixture: &Fixture) -> Vec<(String, i64)> {
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
        let mut statement = fixture
            .ledger
            .connection
            .prepare("SELECT name, run FROM suspect_objects ORDER BY name, run")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn settled(name: &str, reason: IgnoreReason) -> Attempt {
        let outcome = Outcome::Ignored(reason);
        Attempt {
            outcome,
            suspect: false,
            ..suspect(name, "2026-10-01T00:00:00Z", 7)
        }
    }

    #[test]
    fn a_suspect_is_shown_with_both_tags_until_it_is_none_any_more() {
        let when = "2026-10-01T00:00:00Z";
        let first = |name| suspect(name, when, 7);
        let replaced = |tag: &str| {
            let mut attempt = settled("a", IgnoreReason::NewerAtDestination);
            if let Some(destination) = &mut attempt.destination {
                destination.etag = ETag::new(tag);
            }
            attempt
        };
        let missing = FailureCause::SourceMissing;
        let still = vec![("a".to_owned(), 1)];
        for (case, later, expected) in [
            ("copied", synced("a", when, 7), vec![]),
            (
                "found equal",
                settled("a", IgnoreReason::AlreadyCopied),
                vec![],
            ),
            (
                "of one checksum",
                settled("a", IgnoreReason::SameChecksum),
                vec![],
            ),
            ("replaced by what is equal", replaced("5e"), vec![]),
            ("replaced by what nobody can tell", replaced("77-2"), vec![]),
            ("suspect again", first("a"), vec![("a".to_owned(), 2)]),
            (
                "failed",
                failed("a", when, missing, "NoSuchKey", 404),
                still.clone(),
            ),
            (
                "the same, but its tags were not asked about",
                replaced("d1"),
                still.clone(),
            ),
            (
                "left out",
                settled("a", IgnoreReason::Excluded),
                still.clone(),
            ),
            ("another name copied", synced("b", when, 7), still.clone()),
        ] {
            let fixture = nights(&[(5, vec![first("a")]), (6, vec![later])]);
            assert_eq!(shown(&fixture), expected, "{case}");
        }
        let fixture = nights(&[(5, vec![first("a"), ignored("b", when, 7)])]);
        let row = fixture.ledger.connection.query_row(
            "SELECT request, at_local, reason, size_bytes, source_etag, destination_etag
             FROM suspect_objects",
            [],
            |row| {
                let row: (i64, String, String, i64, String, String) = (
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                );
                Ok(row)
            },
        );
        let (request, at_local, reason, size_bytes, source, destination) = row.unwrap();
        assert_eq!((request, &*at_local), (1, "2026-10-06T01:45:00.000+05:45"));
        assert_eq!((&*reason, size_bytes), ("newer_at_destination", 7));
        assert_eq!((&*source, &*destination), ("5e", "d1"));
    }

    #[test]
    fn further_requests_for_a_suspect_are_duplicates_and_no_suspects() {
        let mut fixture = Fixture::new("UTC");
        let attempt = suspect("a", &at_night(5), 7);
        let night = night(&mut fixture, 5, &["a", "a", "a"], vec![attempt]);
        assert_eq!(fixture.ledger.run_suspects(night.run.key).unwrap(), 1);
        assert_eq!(shown(&fixture), [("a".to_owned(), 1)]);
    }

    #[test]
    fn suspects_are_counted_by_run_for_good_and_by_month_as_they_are_now() {
        let when = "2026-10-01T00:00:00Z";
        // By the task's clocks the last night is November's.
        let fixture = nights(&[
            (5, vec![suspect("a", when, 7), suspect("b", when, 7)]),
            (6, vec![synced("b", when, 7)]),
            (31, vec![suspect("c", when, 7)]),
        ]);
        let ledger = &fixture.ledger;
        let counted = |month: &str| ledger.month_suspects(&photos(), month.parse().unwrap());
        assert_eq!(counted("2026-10").unwrap(), 1);
        assert_eq!(counted("2026-11").unwrap(), 1);
        assert_eq!(counted("2026-12").unwrap(), 0);
        let runs = ledger.past_runs(&photos(), None, 9).unwrap();
        let suspects: Vec<u64> = runs.iter().map(|run| run.suspects).collect();
        assert_eq!(suspects, [1, 0, 2]);
    }

    #[test]
    fn a_suspect_outlives_what_is_pruned_around_it() {
        let when = "2026-10-01T00:00:00Z";
        let mut fixture = nights(&[
            (5, vec![suspect("a", when, 7), ignored("b", when, 7)]),
            (6, vec![synced("z", when, 7)]),
        ]);
        for run in fixture.ledger.unlisted_runs(fixture.task).unwrap() {
            fixture.ledger.note_listed(run).unwrap();
        }
        let pruned = fixture.ledger.prune("2026-12".parse().unwrap()).unwrap();
        assert_eq!(pruned.requests, 1);
        assert_eq!(shown(&fixture), [("a".to_owned(), 1)]);
    }

    #[test]
    fn a_suspect_that_its_attempt_does_not_bear_out_is_found() {
        let when = "2026-10-01T00:00:00Z";
        for falsify in [
            "INSERT INTO suspect VALUES (1, 2)",
            "UPDATE attempt SET destination_etag = source_etag",
            "UPDATE attempt SET reason = 'already_copied' WHERE request = 1",
        ] {
            let fixture = nights(&[(5, vec![suspect("a", when, 7), synced("b", when, 7)])]);
            fixture.ledger.connection.execute(falsify, []).unwrap();
            assert_ne!(fixture.ledger.check().unwrap(), [""; 0], "{falsify}");
        }
    }
}
