//! How many requests are pending, and since when.
//!
//! Kept by the time at which they were asked for, in the transaction that changes
//! their rows: nobody has to look at every one of them. The tallies of outcomes
//! know nothing of it, so books that balance are right twice.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::report::local;
use super::{Ledger, Result, TaskKey};
use crate::model::{LocalTime, TaskId};

impl Ledger {
    /// How many requests of `task` are pending, and when the oldest was asked for.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn pending(&self, task: &TaskId) -> Result<(u64, Option<LocalTime>)> {
        // The bare column beside min() is that of the row with the minimum.
        let sql = "SELECT coalesce(sum(requests), 0), min(requested_at), requested_offset
                   FROM pending_count JOIN task USING (task) WHERE id = ?1";
        self.read(|connection| {
            connection.query_row(sql, [task.as_str()], |row| {
                let count = row.get(0)?;
                let oldest = if count == 0 {
                    None
                } else {
                    Some(local(row, 1)?)
                };
                Ok((count, oldest))
            })
        })
    }
}

/// Requests that became pending, or ceased to be, by when they were asked for.
#[derive(Default)]
pub(super) struct PendingChange(BTreeMap<(i64, i32), i64>);

impl PendingChange {
    /// So many more, asked for at `asked`; negative: fewer.
    pub(super) fn add(&mut self, asked: LocalTime, requests: i64) {
        let key = (asked.at.ms(), asked.offset_minutes);
        *self.0.entry(key).or_default() += requests;
    }

    /// Adds them to what is kept of `task`.
    pub(super) fn keep(&self, connection: &Connection, task: TaskKey) -> rusqlite::Result<()> {
        let mut add = connection.prepare_cached(
            "INSERT INTO pending_count (task, requested_at, requested_offset, requests)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET requests = requests + excluded.requests",
        )?;
        let mut forget = connection.prepare_cached(
            "DELETE FROM pending_count
             WHERE task = ?1 AND requested_at = ?2 AND requested_offset = ?3 AND requests = 0",
        )?;
        for ((at, offset), requests) in &self.0 {
            add.execute(params![task.0, at, offset, requests])?;
            forget.execute(params![task.0, at, offset])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, failed, photos, synced};
    use super::super::{Failures, Selection};
    use crate::model::{FailureCause, ObjectName};

    const EARLY: &str = "2026-10-29T12:00:00Z";
    const LATE: &str = "2026-10-30T12:00:00Z";

    /// Three names asked for at two times; a night settled all but one of the later.
    fn night() -> Fixture {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", EARLY, &["a", "b"]);
        fixture.ask("object_lists/b.txt", LATE, &["a", "c", "d"]);
        let night = fixture.begin("2026-10-31T01:00:00Z");
        let when = "2026-10-31T01:00:01Z";
        fixture.settle(&night, synced("a", when, 10));
        for name in ["b", "c"] {
            fixture.settle(
                &night,
                failed(name, when, FailureCause::Throttled, "SlowDown", 503),
            );
        }
        fixture.end(&night, "2026-10-31T02:00:00Z", 6, "deferred");
        fixture
    }

    fn pending(fixture: &Fixture) -> (u64, Option<&'static str>) {
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
        assert!(fixture.ledger.task_balanced(fixture.task).unwrap());
        let (count, oldest) = fixture.ledger.pending(&photos()).unwrap();
        let oldest = oldest.map(|oldest| oldest.at);
        let known = [EARLY, LATE];
        let oldest = oldest.and_then(|oldest| known.into_iter().find(|time| at(time) == oldest));
        (count, oldest)
    }

    #[test]
    fn whatever_becomes_pending_or_ceases_to_be_is_counted_by_when_it_was_asked_for() {
        let mut fixture = night();
        assert_eq!(pending(&fixture), (1, Some(LATE)));
        let name = ObjectName::from_checked("c".to_owned());
        let failures = Failures {
            name: Some(&name),
            ..Failures::default()
        };
        fixture.ledger.retry(fixture.task, &failures).unwrap();
        assert_eq!(pending(&fixture), (2, Some(LATE)));
        let day = fixture.zone.local(at("2026-11-01T01:00:00Z"));
        fixture.ledger.carry_over(fixture.task, day).unwrap();
        assert_eq!(pending(&fixture), (3, Some(EARLY)));
        for (list, left) in [
            ("object_lists/a.txt", (2, Some(LATE))),
            ("object_lists/b.txt", (0, None)),
        ] {
            let list = Selection::List(list);
            fixture.ledger.withdraw(fixture.task, list, day).unwrap();
            assert_eq!(pending(&fixture), left);
        }
    }

    #[test]
    fn a_count_that_its_rows_do_not_bear_out_is_found() {
        for falsify in [
            "UPDATE pending_count SET requests = requests + 1",
            "UPDATE pending_count SET requested_at = requested_at + 1",
            "DELETE FROM pending_count",
            "INSERT INTO pending_count VALUES (1, 7, 0, 1)",
            "UPDATE request SET state = 'ignored', reason = 'withdrawn', settled_at = 1,
                 settled_offset = 0 WHERE state = 'pending'",
        ] {
            let fixture = night();
            fixture.ledger.connection.execute(falsify, []).unwrap();
            assert_ne!(fixture.ledger.check().unwrap(), [""; 0], "{falsify}");
            let moved = falsify.contains("requested_at =");
            let balanced = fixture.ledger.task_balanced(fixture.task).unwrap();
            assert_eq!(balanced, moved, "{falsify}");
        }
    }
}
