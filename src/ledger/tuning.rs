//! What operators change of runs at work: kept here, and read here by the run.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::report::{local, word};
use super::story::present;
use super::{Ledger, Result, RunKey};
use crate::model::{LocalTime, RunState, Setting, TaskId, Tuning};

/// A run that is at work, as far as the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunAtWork {
    /// The ledger's key.
    pub key: RunKey,
    /// Its number.
    pub number: u64,
    /// The worker threads with which it began; `None`: a release began it that
    /// heeds no changes.
    pub workers: Option<u64>,
    /// When its time was to be up as it began.
    pub until: Option<LocalTime>,
}

/// A change of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuned {
    /// When.
    pub at: LocalTime,
    /// How the setting stood before.
    pub old: Tuning,
    /// How it stands since.
    pub new: Tuning,
}

impl Ledger {
    /// The run of `task` that has begun and not ended. Its process may be gone:
    /// only the task's lock tells.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_at_work(&self, task: &TaskId) -> Result<Option<RunAtWork>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT run, number, workers, until_at, until_offset
                     FROM run JOIN task USING (task)
                     WHERE id = ?1 AND state = 'running' ORDER BY number DESC LIMIT 1",
                    [task.as_str()],
                    |row| {
                        Ok(RunAtWork {
                            key: RunKey(row.get(0)?),
                            number: row.get(1)?,
                            workers: row.get(2)?,
                            until: present(row, 3, |row| local(row, 3))?,
                        })
                    },
                )
                .optional()
        })
    }

    /// Changes settings of `run`, which notices by itself; `bandwidth` is the cap
    /// that it keeps to unless it was changed before. Says what has changed, or
    /// `None` if the run has ended meanwhile.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn tune(
        &mut self,
        run: &RunAtWork,
        bandwidth: Option<u64>,
        changes: &[Tuning],
        now: LocalTime,
    ) -> Result<Option<Vec<Tuned>>> {
        self.write(|transaction| {
            let state: RunState = transaction.query_row(
                "SELECT state FROM run WHERE run = ?1",
                [run.key.0],
                |row| word(row, 0),
            )?;
            if state != RunState::Running {
                return Ok(None);
            }
            let mut tuned = Vec::new();
            for &new in changes {
                let old = last(transaction, run.key, new.setting())?;
                let begun = match new.setting() {
                    Setting::Workers => Tuning::Workers(run.workers.unwrap_or(0)),
                    Setting::Bandwidth => Tuning::Bandwidth(bandwidth),
                    Setting::Until => Tuning::Until(run.until),
                };
                let old = old.unwrap_or(begun);
                tuned.push(Tuned { at: now, old, new });
            }
            for change in &tuned {
                insert(transaction, run.key, change)?;
            }
            Ok(Some(tuned))
        })
    }

    /// The changes of `run` behind the one with the number `after`, each with its own.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn tunings_after(&self, run: RunKey, after: i64) -> Result<Vec<(i64, Tuning)>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT setting, new_value, new_offset, tuning FROM tuning
                     WHERE run = ?1 AND tuning > ?2 ORDER BY tuning",
                )?
                .query_map([run.0, after], |row| Ok((row.get(3)?, tuning(row, 0, 1)?)))?
                .collect()
        })
    }

    /// All changes of the task's run of this number.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn tunings(&self, task: &str, run: i64) -> Result<Vec<Tuned>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT at, tuning.offset_minutes, setting, old_value, old_offset, new_value, new_offset
                     FROM tuning JOIN run USING (run) JOIN task USING (task)
                     WHERE task.id = ?1 AND run.number = ?2 ORDER BY tuning",
                )?
                .query_map(params![task, run], |row| {
                    Ok(Tuned {
                        at: local(row, 0)?,
                        old: tuning(row, 2, 3)?,
                        new: tuning(row, 2, 5)?,
                    })
                })?
                .collect()
        })
    }
}

/// The setting in one column, its value and offset in two others.
fn tuning(row: &Row<'_>, setting: usize, value: usize) -> rusqlite::Result<Tuning> {
    Ok(Tuning::new(
        word(row, setting)?,
        row.get(value)?,
        row.get(value + 1)?,
    ))
}

/// How a setting of `run` was changed last.
fn last(
    connection: &Connection,
    run: RunKey,
    setting: Setting,
) -> rusqlite::Result<Option<Tuning>> {
    connection
        .query_row(
            "SELECT setting, new_value, new_offset FROM tuning
             WHERE run = ?1 AND setting = ?2 ORDER BY tuning DESC LIMIT 1",
            params![run.0, setting.as_str()],
            |row| tuning(row, 0, 1),
        )
        .optional()
}

fn insert(connection: &Connection, run: RunKey, change: &Tuned) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO tuning (run, at, offset_minutes, setting, old_value, old_offset, new_value,
                             new_offset)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            run.0,
            change.at.at.ms(),
            change.at.offset_minutes,
            change.new.setting().as_str(),
            change.old.value(),
            change.old.offset_minutes(),
            change.new.value(),
            change.new.offset_minutes()
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, photos};
    use super::*;

    #[test]
    fn a_change_is_kept_with_what_it_changed_and_seen_once() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        assert_eq!(fixture.ledger.run_at_work(&photos()).unwrap(), None);
        let night = fixture.begin("2026-10-05T17:00:00Z");
        let run = fixture.ledger.run_at_work(&photos()).unwrap().unwrap();
        assert_eq!((run.number, run.workers, run.until), (1, Some(8), None));
        let now = fixture.zone.local(at("2026-10-05T17:30:00Z"));
        let until = fixture.zone.local(at("2026-10-05T21:30:00Z"));
        let changes = [
            Tuning::Workers(4),
            Tuning::Bandwidth(None),
            Tuning::Until(Some(until)),
        ];
        let tuned = fixture.ledger.tune(&run, Some(7), &changes, now).unwrap();
        let old: Vec<Tuning> = tuned.unwrap().iter().map(|tuned| tuned.old).collect();
        assert_eq!(
            old,
            [
                Tuning::Workers(8),
                Tuning::Bandwidth(Some(7)),
                Tuning::Until(None)
            ]
        );
        let seen = fixture.ledger.tunings_after(run.key, 0).unwrap();
        assert_eq!(
            seen.iter().map(|(_, new)| *new).collect::<Vec<_>>(),
            changes
        );
        let after = seen[1].0;
        let rest = fixture.ledger.tunings_after(run.key, after).unwrap();
        assert_eq!(rest, seen[2..]);

        let again = fixture
            .ledger
            .tune(&run, Some(7), &[Tuning::Workers(2)], now);
        assert_eq!(again.unwrap().unwrap()[0].old, Tuning::Workers(4));
        assert_eq!(fixture.ledger.tunings("photos", 1).unwrap().len(), 4);
        assert_eq!(fixture.ledger.tunings("photos", 2).unwrap(), []);

        fixture.end(&night, "2026-10-05T22:00:00Z", 0, "done");
        assert_eq!(fixture.ledger.run_at_work(&photos()).unwrap(), None);
        let late = fixture.ledger.tune(&run, None, &changes, now).unwrap();
        assert_eq!(late, None);
    }

    #[test]
    fn its_view_shows_times_as_text_and_numbers_as_they_are() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        fixture.begin("2026-10-05T17:00:00Z");
        let run = fixture.ledger.run_at_work(&photos()).unwrap().unwrap();
        let now = fixture.zone.local(at("2026-10-05T17:30:00Z"));
        let until = fixture.zone.local(at("2026-10-05T21:30:00Z"));
        let changes = [Tuning::Until(Some(until)), Tuning::Bandwidth(Some(5))];
        fixture.ledger.tune(&run, None, &changes, now).unwrap();
        let shown: Vec<String> = fixture
            .ledger
            .read(|connection| {
                connection
                    .prepare(
                        "SELECT concat_ws('|', task, run, at_local, setting, old_value,
                                coalesce(new_value_local, new_value)) FROM run_tuning",
                    )?
                    .query_map([], |row| row.get(0))?
                    .collect()
            })
            .unwrap();
        assert_eq!(
            shown,
            [
                "photos|1|2026-10-06T01:30:00.000+08:00|until|2026-10-06T05:30:00.000+08:00",
                "photos|1|2026-10-06T01:30:00.000+08:00|bandwidth|5"
            ]
        );
    }
}
