//! Names that a check found and was asked to have carried again.

use std::collections::HashMap;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params};

use super::queue::Queued;
use super::{Ledger, Result, RunKey, TaskKey, bulk};
use crate::model::{ETag, LocalTime, Mend, ObjectName};

impl Ledger {
    /// Keeps what is to be mended, found at `found`, until a run has answered it. A
    /// name that is kept already is kept as it was found last.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn keep_mends(&mut self, task: TaskKey, mends: &[Mend], found: LocalTime) -> Result<()> {
        self.write(|transaction| {
            let mut keep = transaction.prepare_cached(
                "INSERT INTO mend (task, name, finding, found_at, found_offset, destination_etag)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (task, name) WHERE run IS NULL DO UPDATE
                 SET finding = excluded.finding, found_at = excluded.found_at,
                     found_offset = excluded.found_offset,
                     destination_etag = excluded.destination_etag",
            )?;
            for mend in mends {
                keep.execute(params![
                    task.0,
                    mend.name.as_str(),
                    mend.finding.as_str(),
                    found.at.ms(),
                    found.offset_minutes,
                    mend.replaces.as_ref().map(ETag::as_str),
                ])?;
            }
            Ok(())
        })
    }

    /// Whether a request for `name` is pending.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn is_pending(&self, task: TaskKey, name: &ObjectName) -> Result<bool> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM request
                                    WHERE task = ?1 AND name = ?2 AND state = 'pending')",
                )?
                .query_row(params![task.0, name.as_str()], |row| row.get(0))
        })
    }
}

/// Says of `names`, which ascend, what of them may be replaced because a check
/// found it. As a rule there is nothing of the kind, which one look shows.
pub(super) fn tell(
    connection: &Connection,
    task: TaskKey,
    names: &mut [Queued],
) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return Ok(());
    };
    let mut open: HashMap<String, String> = connection
        .prepare_cached(
            "SELECT name, destination_etag FROM mend
             WHERE task = ?1 AND run IS NULL AND name BETWEEN ?2 AND ?3
               AND destination_etag IS NOT NULL",
        )?
        .query_map(
            params![task.0, first.name.as_str(), last.name.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    if !open.is_empty() {
        for queued in names {
            let replaces = open.remove(queued.name.as_str());
            queued.mends = replaces.map(|etag| ETag::new(&etag));
        }
    }
    Ok(())
}

/// Whether any name of `task` is to be mended.
pub(super) fn has_open(connection: &Connection, task: TaskKey) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM mend WHERE task = ?1 AND run IS NULL)")?
        .query_row([task.0], |row| row.get(0))
}

/// Notes that `run` has answered these names.
pub(super) fn answer<'n>(
    connection: &Connection,
    task: TaskKey,
    run: RunKey,
    names: impl IntoIterator<Item = [ToSqlOutput<'n>; 1]>,
) -> rusqlite::Result<()> {
    let update = (
        "UPDATE mend SET run = ?2 WHERE task = ?1 AND run IS NULL AND name IN (",
        "?",
        ")",
    );
    bulk::execute(connection, update, &[task.0.into(), run.0.into()], names)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, failed, synced};
    use super::super::{Stretch, TaskKey};
    use super::*;
    use crate::model::{FailureCause, FindingKind};

    fn mend(name: &str, replaces: Option<&str>) -> Mend {
        Mend {
            name: ObjectName::new(name).unwrap(),
            finding: FindingKind::Changed,
            replaces: replaces.map(ETag::new),
        }
    }

    fn open(fixture: &Fixture) -> Vec<(String, Option<String>)> {
        let TaskKey(task) = fixture.task;
        let sql = "SELECT name, destination_etag FROM mend WHERE task = ?1 AND run IS NULL";
        let mut statement = fixture.ledger.connection.prepare(sql).unwrap();
        let rows = statement.query_map([task], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(|row| row.unwrap()).collect()
    }

    #[test]
    fn a_name_is_to_be_mended_until_a_run_has_copied_or_ignored_it() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask(
            "object_lists/a.txt",
            "2026-10-29T12:00:00Z",
            &["a", "b", "c"],
        );
        let found = fixture.zone.local(at("2026-10-29T13:00:00Z"));
        let first = [mend("a", Some("x")), mend("b", Some("y")), mend("c", None)];
        fixture
            .ledger
            .keep_mends(fixture.task, &first, found)
            .unwrap();
        let again = [mend("a", Some("z"))];
        fixture
            .ledger
            .keep_mends(fixture.task, &again, found)
            .unwrap();
        let night = fixture.begin("2026-10-30T01:00:00Z");
        let queued = fixture
            .ledger
            .next_names(fixture.task, i64::MAX, &Stretch::From(""), 9)
            .unwrap();
        let mends: Vec<_> = queued.iter().map(|queued| queued.mends.clone()).collect();
        assert_eq!(mends, [Some(ETag::new("z")), Some(ETag::new("y")), None]);
        let when = "2026-10-30T01:00:01Z";
        fixture.settle(&night, synced("a", when, 10));
        let slow = FailureCause::Throttled;
        fixture.settle(&night, failed("b", when, slow, "SlowDown", 503));
        assert_eq!(
            open(&fixture),
            [
                ("b".to_owned(), Some("y".to_owned())),
                ("c".to_owned(), None)
            ]
        );
        let answered = "SELECT name, run FROM mends WHERE run IS NOT NULL";
        let answered = fixture.ledger.connection.query_row(answered, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(answered.unwrap(), ("a".to_owned(), 1));
    }
}
