//! What the mail of a night tells beside its books: why requests failed or were
//! left, and what is other than the night before.
//!
//! All of it costs what failed in the two nights, not what they settled.

use rusqlite::{OptionalExtension, Row, params};

use super::report::{local, word};
use super::story::present;
use super::{Ledger, LedgerError, Result, RunKey};
use crate::model::{Deferral, FailureCause, LocalTime, ObjectName, RejectReason, Side, TaskId};

/// What the row of a run says beside its books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightRow {
    /// The ledger's key.
    pub key: RunKey,
    /// Why requests stayed pending.
    pub deferral: Option<Deferral>,
    /// Why it could not begin.
    pub begin_cause: Option<FailureCause>,
    /// The side whose breaker opened.
    pub breaker: Option<OpenSide>,
    /// The SHA-256 of its manifest, in hexadecimal.
    pub manifest_sha256: Option<String>,
    /// Lists that are owed to the task's destination now.
    pub owed_lists: u64,
    /// Why one of them is.
    pub owed_because: Option<String>,
    /// Of the requests that it left those whose objects are being brought back.
    pub awaiting: u64,
}

/// A side that went on refusing or failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSide {
    /// Which.
    pub side: Side,
    /// Why it failed last.
    pub cause: FailureCause,
}

/// What failed in a run, against the last one before it in which anything was
/// settled. A name failed in a run if any of its requests did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// The number of that run.
    pub before: u64,
    /// Names that failed in this run, and not in that one.
    pub new: u64,
    /// Names that failed in both.
    pub recurring: u64,
    /// Names that failed in that run, and were synced or ignored in this one.
    pub recovered: u64,
}

/// A request that failed in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedName {
    /// Why.
    pub cause: FailureCause,
    /// When.
    pub at: LocalTime,
    /// The object.
    pub name: ObjectName,
    /// What the server answered.
    pub error_code: Option<String>,
    /// Whether the name failed in the run before, too.
    pub again: bool,
}

/// A line of a list that a run could not take for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedHere {
    /// The list's path, `object_lists/` included.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// How it begins, what cannot be printed written out.
    pub excerpt: String,
}

impl Ledger {
    /// The first lines, at most `most`, that run `number` of `task` rejected.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn first_rejected(
        &self,
        task: &TaskId,
        number: u64,
        most: usize,
    ) -> Result<Vec<RejectedHere>> {
        let sql = include_str!("../../sql/statements/night_rejected.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(params![task.as_str(), number, most], |row| {
                    Ok(RejectedHere {
                        path: row.get(0)?,
                        line: row.get(1)?,
                        reason: word(row, 2)?,
                        excerpt: row.get(3)?,
                    })
                })?
                .collect()
        })
    }

    /// What the row of run `number` of `task` says beside its books.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn night_row(&self, task: &TaskId, number: u64) -> Result<Option<NightRow>> {
        let sql = include_str!("../../sql/statements/night.sql");
        self.read(|connection| {
            connection
                .query_row(sql, params![task.as_str(), number], read_night)
                .optional()
        })
    }

    /// Why requests failed in the run, the most frequent cause first: how many, and
    /// the name of one.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_failures(&self, run: RunKey) -> Result<Vec<(FailureCause, u64, String)>> {
        let sql = include_str!("../../sql/statements/run_failures.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map([run.0], |row| Ok((word(row, 0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
    }

    /// The run against the one before it; `None` if there is none, or its detail was
    /// pruned.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn compare_failures(&self, run: RunKey) -> Result<Option<Compared>> {
        let Some((before, number)) = self.run_before(run)? else {
            return Ok(None);
        };
        let sql = include_str!("../../sql/statements/compare_failures.sql");
        let compared = self.read(|connection| {
            connection.query_row(sql, [run.0, before.0], |row| {
                Ok(Compared {
                    before: number,
                    new: row.get(0)?,
                    recurring: row.get(1)?,
                    recovered: row.get(2)?,
                })
            })
        })?;
        Ok(Some(compared))
    }

    /// Shows `visit` at most so many of the requests that failed in the run, by cause
    /// and name.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the first error of `visit`.
    pub fn for_each_failed_name<E: From<LedgerError>>(
        &self,
        run: RunKey,
        most: usize,
        visit: impl FnMut(FailedName) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let before = self.run_before(run)?.map(|(before, _)| before.0);
        let sql = include_str!("../../sql/statements/run_failed_names.sql");
        let read = |row: &Row<'_>| {
            Ok(FailedName {
                cause: word(row, 0)?,
                at: local(row, 1)?,
                name: ObjectName::from_checked(row.get(3)?),
                error_code: row.get(4)?,
                again: row.get(5)?,
            })
        };
        self.stream(sql, params![run.0, before, most], read, visit)
    }

    /// The last run of the same task before `run` in which anything was settled, and
    /// its number.
    fn run_before(&self, run: RunKey) -> Result<Option<(RunKey, u64)>> {
        let sql = include_str!("../../sql/statements/run_before.sql");
        let before = self.read(|connection| {
            connection
                .query_row(sql, [run.0], |row| Ok((RunKey(row.get(0)?), row.get(1)?)))
                .optional()
        })?;
        match before {
            Some((before, _)) if self.is_pruned(before)? => Ok(None),
            before => Ok(before),
        }
    }
}

fn read_night(row: &Row<'_>) -> rusqlite::Result<NightRow> {
    let breaker = present(row, 3, |row| {
        Ok(OpenSide {
            side: word(row, 3)?,
            cause: word(row, 4)?,
        })
    });
    Ok(NightRow {
        key: RunKey(row.get(0)?),
        deferral: present(row, 1, |row| word(row, 1))?,
        begin_cause: present(row, 2, |row| word(row, 2))?,
        breaker: breaker?,
        manifest_sha256: row.get(5)?,
        owed_lists: row.get(6)?,
        owed_because: row.get(7)?,
        awaiting: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, failed, ignored, photos, synced};
    use super::*;
    use crate::model::FailureCause::{SourceMissing, Throttled, TooLarge};

    /// What a night does about each of some names: `None` copies it.
    fn night(
        fixture: &mut Fixture,
        day: u32,
        asked: &[&str],
        outcomes: &[(&str, Option<FailureCause>)],
    ) -> RunKey {
        let when = format!("2026-10-{day:02}T01:00:00Z");
        let list = format!("object_lists/{day}.txt");
        fixture.ask(&list, &when, asked);
        let night = fixture.begin(&when);
        for &(name, cause) in outcomes {
            let attempt = match cause {
                Some(cause) => failed(name, &when, cause, "Code", 400),
                None if name.starts_with('i') => ignored(name, &when, 1),
                None => synced(name, &when, 1),
            };
            fixture.settle(&night, attempt);
        }
        fixture.end(&night, &when, 4, "failed")
    }

    fn told(fixture: &Fixture, run: RunKey) -> Vec<String> {
        let mut told = Vec::new();
        let visit = |failed: FailedName| {
            let again = if failed.again { "again" } else { "new" };
            told.push(format!("{} {} {again}", failed.cause, failed.name.as_str()));
            Ok::<_, LedgerError>(())
        };
        fixture.ledger.for_each_failed_name(run, 9, visit).unwrap();
        told
    }

    #[test]
    fn a_failure_is_new_recurs_or_has_recovered_since_the_night_before() {
        let mut fixture = Fixture::new("UTC");
        let slow = Some(Throttled);
        let missing = Some(SourceMissing);
        let first = night(
            &mut fixture,
            5,
            &["a", "b", "c", "d", "i", "left"],
            &[
                ("a", slow),
                ("b", slow),
                ("c", missing),
                ("d", missing),
                ("i", slow),
            ],
        );
        assert_eq!(fixture.ledger.compare_failures(first).unwrap(), None);
        assert_eq!(told(&fixture, first)[0], "source_missing c new");
        // Carried over are a, b and i; c and d are asked for anew, d twice; e is new.
        let second = night(
            &mut fixture,
            6,
            &["c", "d", "d", "e"],
            &[
                ("a", slow),
                ("b", None),
                ("i", None),
                ("c", missing),
                ("d", None),
                ("e", Some(TooLarge)),
            ],
        );
        let compared = fixture.ledger.compare_failures(second).unwrap();
        let expected = Compared {
            before: 1,
            new: 1,
            recurring: 2,
            recovered: 3,
        };
        assert_eq!(compared, Some(expected));
        assert_eq!(
            told(&fixture, second),
            [
                "source_missing c again",
                "throttled a again",
                "too_large e new"
            ]
        );
        assert_eq!(
            fixture.ledger.run_failures(first).unwrap(),
            [
                (Throttled, 3, "a".to_owned()),
                (SourceMissing, 2, "c".to_owned())
            ]
        );
    }

    #[test]
    fn a_night_that_settled_nothing_is_no_night_before() {
        let mut fixture = Fixture::new("UTC");
        night(&mut fixture, 5, &["a"], &[("a", Some(Throttled))]);
        fixture.refused(
            "2026-10-06T01:00:00Z",
            FailureCause::BucketMissing,
            "NoSuchBucket",
        );
        let third = night(&mut fixture, 7, &[], &[("a", None)]);
        let compared = fixture.ledger.compare_failures(third).unwrap().unwrap();
        assert_eq!((compared.before, compared.recovered), (1, 1));
    }

    #[test]
    fn a_night_tells_why_it_left_requests_and_what_its_manifest_is() {
        let mut fixture = Fixture::new("UTC");
        let run = night(&mut fixture, 5, &["a", "b"], &[("a", None)]);
        fixture.ledger.note_manifest(run, "5e").unwrap();
        let row = fixture.ledger.night_row(&photos(), 1).unwrap().unwrap();
        assert_eq!(row.deferral, Some(Deferral::WindowEnded));
        assert_eq!(row.manifest_sha256.as_deref(), Some("5e"));
        assert_eq!((row.begin_cause, row.owed_lists), (None, 0));
        assert_eq!(fixture.ledger.night_row(&photos(), 2).unwrap(), None);
        let refused = fixture.refused("2026-10-06T01:00:00Z", FailureCause::ClockSkew, "Code");
        let row = fixture.ledger.night_row(&photos(), 2).unwrap().unwrap();
        assert_eq!(
            (row.key, row.begin_cause),
            (refused, Some(FailureCause::ClockSkew))
        );
    }

    #[test]
    fn a_reason_that_comes_up_late_joins_those_that_are_there() {
        let mut fixture = Fixture::new("UTC");
        let run = night(&mut fixture, 5, &["a"], &[("a", None)]);
        for (reasons, code, after) in [("done", 7, "owed"), ("failed", 4, "failed,owed")] {
            fixture.ledger.close_run(run, 0, reasons).unwrap();
            for _ in 0..2 {
                let owed = crate::exit::ExitReason::Owed;
                fixture.ledger.add_exit_reason(run, owed).unwrap();
            }
            let past = &fixture.ledger.past_runs(&photos(), None, 1).unwrap()[0];
            assert_eq!(past.exit_code, Some(code));
            assert_eq!(past.exit_reasons.as_deref(), Some(after));
        }
    }
}
