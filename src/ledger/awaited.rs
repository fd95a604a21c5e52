//! Requests whose objects the source is bringing back from its archive.

use rusqlite::{Connection, params};

use super::outcomes::Recording;
use super::report::{local, word};
use super::story::present;
use super::{Ledger, Result, RunKey, TaskKey};
use crate::model::{AwaitedRestore, LocalTime, ObjectName, RestoreOrder, RestoreTier, TaskId};

/// What a task waits for from its source's archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaiting {
    /// Pending requests.
    pub requests: u64,
    /// Objects.
    pub objects: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
    /// Objects whose size is not known.
    pub unknown: u64,
    /// When the first of them was asked for.
    pub since: LocalTime,
}

/// A time that the source was asked to bring an object back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreStory {
    /// The number of the run that asked.
    pub run: u64,
    /// When.
    pub asked: LocalTime,
    /// For what; `None`: the source was at it already.
    pub order: Option<RestoreOrder>,
}

impl Ledger {
    /// What `task` waits for from its source's archive; `None`: nothing. Looks at
    /// these requests alone.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn awaiting(&self, task: &TaskId) -> Result<Option<Awaiting>> {
        let sql = include_str!("../../sql/statements/awaiting.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_row([task.as_str()], |row| {
                    present(row, 4, |row| {
                        Ok(Awaiting {
                            requests: row.get(0)?,
                            objects: row.get(1)?,
                            bytes: row.get(2)?,
                            unknown: row.get(3)?,
                            since: local(row, 4)?,
                        })
                    })
                })
        })
    }

    /// How many requests the run left because they await a restore.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_awaiting(&self, run: RunKey) -> Result<u64> {
        let sql = "SELECT awaiting FROM run WHERE run = ?1";
        self.read(|connection| connection.query_row(sql, [run.0], |row| row.get(0)))
    }

    /// When the source was asked to bring `name` back, the first time first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn restores_of(&self, task: &TaskId, name: &str) -> Result<Vec<RestoreStory>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT number, asked_at, asked_offset, tier, days
                     FROM archive_restore JOIN run USING (run)
                     WHERE archive_restore.task = (SELECT task FROM task WHERE id = ?1)
                       AND name = ?2
                     ORDER BY archive_restore",
                )?
                .query_map(params![task.as_str(), name], |row| {
                    let order = present(row, 3, |row| {
                        Ok(RestoreOrder {
                            tier: word(row, 3)?,
                            days: row.get(4)?,
                        })
                    });
                    Ok(RestoreStory {
                        run: row.get(0)?,
                        asked: local(row, 1)?,
                        order: order?,
                    })
                })?
                .collect()
        })
    }
}

/// Keeps that the requests for `name` wait: for what was asked for now, else for what
/// is kept already, else for what somebody else asked for.
pub(super) fn awaits(
    connection: &Connection,
    recording: &Recording,
    name: &ObjectName,
    restore: &AwaitedRestore,
) -> rusqlite::Result<()> {
    if restore.order.is_some() {
        awaited_no_more(connection, recording.task, name)?;
    } else {
        let known = connection
            .prepare_cached(
                "UPDATE archive_restore SET left_by = ?3, size_bytes = coalesce(?4, size_bytes)
                 WHERE task = ?1 AND name = ?2 AND awaited = 1",
            )?
            .execute(params![
                recording.task.0,
                name.as_str(),
                recording.run.0,
                restore.size_bytes
            ])?;
        if known > 0 {
            return Ok(());
        }
    }
    let asked = recording.zone.local(restore.seen_at);
    connection
        .prepare_cached(
            "INSERT INTO archive_restore (task, name, run, asked_at, asked_offset, tier, days,
                                          size_bytes, awaited, left_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?3)",
        )?
        .execute(params![
            recording.task.0,
            name.as_str(),
            recording.run.0,
            asked.at.ms(),
            asked.offset_minutes,
            restore.order.map(|order| RestoreTier::as_str(order.tier)),
            restore.order.map(|order| order.days),
            restore.size_bytes
        ])?;
    Ok(())
}

/// Nothing is awaited of `name` any more: it has an outcome, or is asked for anew.
pub(super) fn awaited_no_more(
    connection: &Connection,
    task: TaskKey,
    name: &ObjectName,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE archive_restore SET awaited = 0 WHERE task = ?1 AND name = ?2 AND awaited = 1",
        )?
        .execute(params![task.0, name.as_str()])?;
    Ok(())
}

/// Whether anything of `task` is awaited.
pub(super) fn has_awaited(connection: &Connection, task: TaskKey) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM archive_restore WHERE task = ?1 AND awaited = 1)",
        )?
        .query_row([task.0], |row| row.get(0))
}

/// How many requests `run` leaves because they await a restore.
pub(super) fn run_awaiting(connection: &Connection, run: RunKey) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(include_str!("../../sql/statements/run_awaiting.sql"))?
        .query_row([run.0], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, Night, at, photos, synced};
    use super::*;
    use crate::model::{Note, Traffic};

    const ASKED: &str = "2026-10-29T12:00:00Z";
    const FIRST: &str = "2026-10-30T01:00:00Z";
    const SECOND: &str = "2026-10-31T01:00:00Z";
    const ORDER: RestoreOrder = RestoreOrder {
        days: 3,
        tier: RestoreTier::Bulk,
    };

    /// A night leaves `name`, for what it asked for or found under way.
    fn leave(
        fixture: &mut Fixture,
        night: &Night,
        name: &str,
        when: &str,
        order: Option<RestoreOrder>,
        size_bytes: Option<u64>,
    ) {
        let awaited = AwaitedRestore {
            order,
            seen_at: at(when),
            size_bytes,
        };
        let name = ObjectName::from_checked(name.to_owned());
        let notes = [Note::Awaits(name, awaited)];
        let recorded = fixture
            .ledger
            .record(&night.recording, &notes, &Traffic::default());
        recorded.unwrap();
    }

    fn deferrals(fixture: &Fixture) -> Vec<(String, Option<String>)> {
        fixture
            .ledger
            .connection
            .prepare("SELECT name, deferral FROM pending_requests ORDER BY request")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap()
    }

    fn left(name: &str, deferral: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(deferral.to_owned()))
    }

    #[test]
    fn all_requests_for_a_name_are_left_for_the_restore_and_no_others() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", ASKED, &["a", "b", "a", "c"]);
        let night = fixture.begin(FIRST);
        leave(&mut fixture, &night, "a", FIRST, Some(ORDER), Some(10));
        leave(&mut fixture, &night, "c", FIRST, None, None);
        let run = fixture.end(&night, FIRST, 6, "deferred");
        assert_eq!(fixture.ledger.run_awaiting(run).unwrap(), 3);
        let expected = [
            left("a", "awaiting_restore"),
            left("b", "window_ended"),
            left("a", "awaiting_restore"),
            left("c", "awaiting_restore"),
        ];
        assert_eq!(deferrals(&fixture), expected);
        let awaiting = fixture.ledger.awaiting(&photos()).unwrap().unwrap();
        assert_eq!((awaiting.requests, awaiting.objects), (3, 2));
        assert_eq!((awaiting.bytes, awaiting.unknown), (10, 1));
        assert_eq!(awaiting.since.at, at(FIRST));
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
    }

    #[test]
    fn what_was_asked_for_is_kept_until_it_is_asked_for_anew_or_settled() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", ASKED, &["a"]);
        for (when, order) in [(FIRST, Some(ORDER)), (SECOND, None)] {
            let night = fixture.begin(when);
            leave(&mut fixture, &night, "a", when, order, Some(10));
            fixture.end(&night, when, 0, "done");
        }
        let story = |run, when: &str| RestoreStory {
            run,
            asked: fixture.zone.local(at(when)),
            order: Some(ORDER),
        };
        let (first, third) = (story(1, FIRST), story(3, "2026-11-01T01:00:00Z"));
        assert_eq!(fixture.ledger.restores_of(&photos(), "a").unwrap(), [first]);
        let night = fixture.begin("2026-11-01T01:00:00Z");
        let when = "2026-11-01T01:00:00Z";
        leave(&mut fixture, &night, "a", when, Some(ORDER), None);
        let restores = fixture.ledger.restores_of(&photos(), "a").unwrap();
        assert_eq!(restores, [first, third]);
        let awaiting = fixture.ledger.awaiting(&photos()).unwrap().unwrap();
        assert_eq!((awaiting.requests, awaiting.since.at), (1, at(when)));
        fixture.settle(&night, synced("a", "2026-11-01T01:00:01Z", 10));
        assert_eq!(fixture.ledger.awaiting(&photos()).unwrap(), None);
        let restores = fixture.ledger.restores_of(&photos(), "a").unwrap();
        assert_eq!(restores, [first, third]);
    }

    #[test]
    fn a_name_that_the_next_night_does_not_get_to_is_not_said_to_wait_for_a_restore() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", ASKED, &["a"]);
        let night = fixture.begin(FIRST);
        leave(&mut fixture, &night, "a", FIRST, Some(ORDER), None);
        fixture.end(&night, FIRST, 0, "done");
        let night = fixture.begin(SECOND);
        let run = fixture.end(&night, SECOND, 6, "deferred");
        assert_eq!(fixture.ledger.run_awaiting(run).unwrap(), 0);
        assert_eq!(deferrals(&fixture), [left("a", "window_ended")]);
        assert!(fixture.ledger.awaiting(&photos()).unwrap().is_some());
    }

    #[test]
    fn what_was_asked_of_an_archive_goes_with_the_last_request_for_the_name() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", ASKED, &["a", "b"]);
        let night = fixture.begin(FIRST);
        for name in ["a", "b"] {
            leave(&mut fixture, &night, name, FIRST, Some(ORDER), None);
        }
        fixture.settle(&night, synced("a", FIRST, 1));
        let run = fixture.end(&night, FIRST, 0, "done");
        fixture.ledger.note_listed(run).unwrap();
        fixture.ledger.prune("2027-01".parse().unwrap()).unwrap();
        let known = |name: &str| fixture.ledger.restores_of(&photos(), name).unwrap().len();
        assert_eq!((known("a"), known("b")), (0, 1));
    }
}
