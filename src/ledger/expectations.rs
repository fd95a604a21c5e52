//! What a task is expected to bring, and what is borne of its failures.

use rusqlite::{OptionalExtension, params};

use super::{Ledger, Result, RunKey};
use crate::model::{FailureCause, Feed, TaskId, Timestamp};

impl Ledger {
    /// What is known of the names that come in for `task`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn feed(&self, task: &TaskId) -> Result<Feed> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT last_requested_at, entered_at, resumed_at, paused_at IS NOT NULL
                     FROM task WHERE id = ?1",
                    [task.as_str()],
                    |row| {
                        let time = |at: Option<i64>| at.map(Timestamp::from_ms);
                        Ok(Feed {
                            last_requested: time(row.get(0)?),
                            entered: time(row.get(1)?),
                            resumed: time(row.get(2)?),
                            is_paused: row.get(3)?,
                        })
                    },
                )
                .optional()
                .map(Option::unwrap_or_default)
        })
    }

    /// Notes how many requests failed in `run` for one of `causes`, which do not
    /// count for its exit code; answers how many.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_tolerated(&mut self, run: RunKey, causes: &[FailureCause]) -> Result<u64> {
        let words: Vec<String> = causes
            .iter()
            .map(|cause| format!("{:?}", cause.as_str()))
            .collect();
        let words = format!("[{}]", words.join(","));
        let sql = include_str!("../../sql/statements/note_tolerated.sql");
        self.write(|transaction| {
            transaction.query_row(sql, params![run.0, words], |row| row.get(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, failed, photos, synced};
    use super::*;

    #[test]
    fn a_task_that_is_not_known_has_no_feed() {
        let fixture = Fixture::new("UTC");
        let feed = fixture.ledger.feed(&"nobody".parse().unwrap()).unwrap();
        assert_eq!(feed, Feed::default());
        let feed = fixture.ledger.feed(&photos()).unwrap();
        assert_eq!(feed.entered, Some(at("2026-10-01T00:00:00Z")));
        assert_eq!((feed.last_requested, feed.resumed), (None, None));
    }

    #[test]
    fn failures_of_the_run_alone_and_of_the_causes_named_are_tolerated() {
        let mut fixture = Fixture::new("UTC");
        let names = ["a", "b", "c", "d"];
        fixture.ask("object_lists/a.txt", "2026-10-30T12:00:00Z", &names);
        let (missing, denied) = (FailureCause::SourceMissing, FailureCause::SourceDenied);
        let first = fixture.begin("2026-10-31T01:00:00Z");
        let when = "2026-10-31T01:00:01Z";
        fixture.settle(&first, failed("a", when, missing, "NoSuchKey", 404));
        fixture.end(&first, "2026-10-31T02:00:00Z", 4, "failed");
        let second = fixture.begin("2026-11-01T01:00:00Z");
        let when = "2026-11-01T01:00:01Z";
        fixture.settle(&second, failed("b", when, missing, "NoSuchKey", 404));
        fixture.settle(&second, failed("c", when, denied, "AccessDenied", 403));
        fixture.settle(&second, synced("d", when, 1));
        for (causes, tolerated) in [
            (&[missing][..], 1),
            (&[missing, denied], 2),
            (&[FailureCause::Internal], 0),
            (&[], 0),
        ] {
            let noted = fixture.ledger.note_tolerated(second.run.key, causes);
            assert_eq!(noted.unwrap(), tolerated, "{causes:?}");
        }
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
    }
}
