//! Failed requests that an operator takes up again.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rusqlite::{Transaction, named_params, params};

use super::pending::PendingChange;
use super::report::local;
use super::slots::Slots;
use super::tasks::{Counted, count};
use super::{Ledger, Result, TaskKey};
use crate::model::{FailureCause, LocalTime, ObjectName, RequestState};

/// Requests a transaction, so that others are not kept from writing for long.
const BATCH: usize = 20_000;

/// Which failed requests are meant: those that fit all that is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures<'a> {
    /// With this cause.
    pub cause: Option<FailureCause>,
    /// Whose present failure is of the task's run with this number.
    pub run: Option<u64>,
    /// For this name.
    pub name: Option<&'a ObjectName>,
}

/// A failed request, when it failed, and when it was asked for.
struct Failed {
    place: Place,
    cause: String,
    at: LocalTime,
    asked: LocalTime,
}

/// Where a failed request stands in the order of the index.
#[derive(Debug)]
struct Place {
    carry: i64,
    run: i64,
    name: String,
    request: i64,
}

impl Ledger {
    /// Makes the task's failed requests that `failures` means pending again,
    /// final ones too, and answers how many there were. Attempts and last cause
    /// are kept; the days of carrying over count anew from the next failure. The
    /// caller holds the task's lock: no run is at work.
    ///
    /// # Errors
    /// If the ledger cannot be written. Requests that are pending by then stay so.
    pub fn retry(&mut self, task: TaskKey, failures: &Failures<'_>) -> Result<u64> {
        let mut retried = 0;
        let mut after = Place {
            carry: -1,
            run: 0,
            name: String::new(),
            request: 0,
        };
        loop {
            let mut batch = self.write(|transaction| {
                let batch = next_batch(transaction, task, failures, &after)?;
                reopen(transaction, task, &batch)?;
                Ok(batch)
            })?;
            retried += batch.len() as u64;
            let Some(last) = batch.pop() else {
                return Ok(retried);
            };
            after = last.place;
        }
    }
}

fn next_batch(
    transaction: &Transaction<'_>,
    task: TaskKey,
    failures: &Failures<'_>,
    after: &Place,
) -> rusqlite::Result<Vec<Failed>> {
    let common = named_params! {
        "?1": task.0,
        "?2": failures.cause.map(FailureCause::as_str),
        "?3": after.carry,
        "?4": after.run,
        "?5": after.name,
        "?6": after.request,
        "?7": BATCH,
    };
    let name = failures.name.map(ObjectName::as_str);
    let (of_run, by_name) = (("?8", &failures.run as _), ("?9", &name as _));
    let (statement, further) = match (failures.run, name) {
        (None, None) => (include_str!("../../sql/statements/retry.sql"), vec![]),
        (Some(_), None) => (
            include_str!("../../sql/statements/retry_by_run.sql"),
            vec![of_run],
        ),
        (_, Some(_)) => (
            include_str!("../../sql/statements/retry_by_name.sql"),
            vec![of_run, by_name],
        ),
    };
    transaction
        .prepare_cached(statement)?
        .query_map([common, &further].concat().as_slice(), |row| {
            Ok(Failed {
                place: Place {
                    request: row.get(0)?,
                    carry: row.get(1)?,
                    run: row.get(2)?,
                    name: row.get(3)?,
                },
                cause: row.get(4)?,
                at: local(row, 5)?,
                asked: local(row, 7)?,
            })
        })?
        .collect()
}

fn reopen(transaction: &Transaction<'_>, task: TaskKey, batch: &[Failed]) -> rusqlite::Result<()> {
    let mut by_day: BTreeMap<(NaiveDate, &str), i64> = BTreeMap::new();
    // carried_day stays: still at most one carry-over on each local day.
    let mut reopen = transaction.prepare_cached(
        "UPDATE request SET state = 'pending', reason = NULL, settled_at = NULL,
             settled_offset = NULL, run = NULL, carry = 0, first_failed_day = NULL
         WHERE request = ?1",
    )?;
    let kind = Counted::Settled(RequestState::Failed);
    let (mut pending, mut slots) = (PendingChange::default(), Slots::default());
    for failed in batch {
        pending.add(failed.asked, 1);
        slots.add(failed.at.at, kind, -1, 0);
        reopen.execute(params![failed.place.request])?;
        let day = (failed.at.day(), failed.cause.as_str());
        *by_day.entry(day).or_default() += 1;
    }
    pending.keep(transaction, task)?;
    slots.keep(transaction, task)?;
    for ((day, cause), requests) in by_day {
        count(
            transaction,
            task,
            &day.to_string(),
            kind,
            cause,
            -requests,
            0,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixture::{Fixture, failed, synced};
    use FailureCause::{SourceMissing, Throttled};

    /// Two nights: a final failure, one that is carried over and fails again,
    /// another name that failed in the second night only.
    fn failures() -> Fixture {
        let mut fixture = Fixture::new("Asia/Shanghai");
        let asked = "2026-10-30T12:00:00+08:00";
        fixture.ask(
            "object_lists/a.txt",
            asked,
            &["gone", "slow", "good", "slow"],
        );
        let first = fixture.begin("2026-10-31T01:00:00+08:00");
        let at = "2026-10-31T01:00:01+08:00";
        fixture.settle(&first, failed("gone", at, SourceMissing, "NoSuchKey", 404));
        fixture.settle(&first, failed("slow", at, Throttled, "SlowDown", 503));
        fixture.settle(&first, synced("good", at, 10));
        fixture.end(&first, "2026-10-31T02:00:00+08:00", 4, "failed");
        fixture.ask("object_lists/b.txt", "2026-10-31T12:00:00+08:00", &["late"]);
        let second = fixture.begin("2026-11-01T01:00:00+08:00");
        let at = "2026-11-01T01:00:01+08:00";
        fixture.settle(&second, failed("slow", at, Throttled, "SlowDown", 503));
        fixture.settle(&second, failed("late", at, SourceMissing, "NoSuchKey", 404));
        fixture.end(&second, "2026-11-01T02:00:00+08:00", 4, "failed");
        fixture
    }

    fn retried(failures: &Failures<'_>, fixture: &mut Fixture) -> Vec<String> {
        let retried = fixture.ledger.retry(fixture.task, failures).unwrap();
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
        let pending: Vec<String> = fixture
            .ledger
            .read(|connection| {
                connection
                    .prepare("SELECT name FROM pending_requests ORDER BY request")?
                    .query_map([], |row| row.get(0))?
                    .collect()
            })
            .unwrap();
        assert_eq!(pending.len() as u64, retried);
        pending
    }

    #[test]
    fn what_fits_all_conditions_is_pending_again() {
        let gone = ObjectName::from_checked("gone".to_owned());
        let slow = ObjectName::from_checked("slow".to_owned());
        let any = Failures::default();
        let of = |cause| Failures {
            cause: Some(cause),
            ..any
        };
        let in_run = |run| Failures {
            run: Some(run),
            ..any
        };
        let named = |name| Failures {
            name: Some(name),
            ..any
        };
        for (failures, expected) in [
            (any, &["gone", "slow", "slow", "late"][..]),
            (of(SourceMissing), &["gone", "late"]),
            (of(FailureCause::Internal), &[]),
            (in_run(1), &["gone"]),
            (in_run(2), &["slow", "slow", "late"]),
            (in_run(3), &[]),
            (named(&slow), &["slow", "slow"]),
            (
                Failures {
                    run: Some(2),
                    ..named(&gone)
                },
                &[],
            ),
            (
                Failures {
                    run: Some(2),
                    ..of(SourceMissing)
                },
                &["late"],
            ),
        ] {
            let mut fixture = super::tests::failures();
            assert_eq!(retried(&failures, &mut fixture), expected, "{failures:?}");
        }
    }

    #[test]
    fn attempts_and_last_cause_stay_and_carrying_over_counts_anew() {
        let mut fixture = failures();
        retried(&Failures::default(), &mut fixture);
        let kept = |fixture: &Fixture, sql: &str| -> Vec<String> {
            fixture
                .ledger
                .read(|connection| {
                    connection
                        .prepare(sql)?
                        .query_map([], |row| row.get(0))?
                        .collect()
                })
                .unwrap()
        };
        let pending = "SELECT name || ' ' || attempts || ' ' || last_cause FROM pending_requests
                       ORDER BY request";
        assert_eq!(
            kept(&fixture, pending),
            [
                "gone 1 source_missing",
                "slow 2 throttled",
                "slow 2 throttled",
                "late 1 source_missing"
            ]
        );
        // Nineteen days later: of the first failure seven days are long over.
        let third = fixture.begin("2026-11-20T01:00:00+08:00");
        let at = "2026-11-20T01:00:01+08:00";
        fixture.settle(&third, failed("slow", at, Throttled, "SlowDown", 503));
        fixture.end(&third, "2026-11-20T02:00:00+08:00", 6, "deferred");
        let now = fixture
            .zone
            .local(crate::ledger::fixture::at("2026-11-27T01:00:00+08:00"));
        assert_eq!(fixture.ledger.carry_over(fixture.task, now).unwrap(), 2);
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
    }

    #[test]
    fn an_earlier_month_may_have_fewer_failed_and_its_close_stays() {
        let mut fixture = failures();
        retried(&Failures::default(), &mut fixture);
        let said = |sql: &str| -> i64 {
            fixture
                .ledger
                .read(|connection| connection.query_row(sql, [], |row| row.get(0)))
                .unwrap()
        };
        assert_eq!(
            said("SELECT failed FROM month_summary WHERE month = '2026-10'"),
            0
        );
        assert_eq!(
            said("SELECT failed FROM month_close WHERE month = '2026-10'"),
            3
        );
    }

    #[test]
    fn more_than_a_batch_is_taken_up_in_several_transactions() {
        let mut fixture = Fixture::new("UTC");
        let names: Vec<String> = (0..=BATCH).map(|number| format!("{number:05}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fixture.ask("object_lists/a.txt", "2026-10-30T12:00:00Z", &names);
        let night = fixture.begin("2026-10-31T01:00:00Z");
        for name in &names[..2] {
            let at = "2026-10-31T01:00:01Z";
            fixture.settle(&night, failed(name, at, Throttled, "SlowDown", 503));
        }
        // As the recorder would, a batch at a time; one statement is as good here.
        fixture
            .ledger
            .write(|transaction| {
                transaction.execute_batch(
                    "INSERT INTO attempt (request, run, attempt, at, offset_minutes, outcome, reason,
                         duration_ms)
                     SELECT request, 1, 1, 1793408400000, 0, 'failed', 'throttled', 1
                     FROM request WHERE state = 'pending';
                     UPDATE task SET failed = failed
                         + (SELECT count(*) FROM request WHERE state = 'pending');
                     DELETE FROM pending_count;
                     UPDATE slot_count SET requests = (SELECT failed FROM task)
                         WHERE kind = 'failed';
                     UPDATE run SET failed = (SELECT failed FROM task);
                     INSERT INTO day_count SELECT task, '2026-10-31', 'failed', 'throttled',
                         failed, 0 FROM task WHERE true
                         ON CONFLICT DO UPDATE SET requests = excluded.requests;
                     UPDATE request SET state = 'failed', reason = 'throttled', run = 1,
                         settled_at = 1793408400000, settled_offset = 0, attempts = 1, carry = 1,
                         last_cause = 'throttled', first_failed_day = 20757
                     WHERE state = 'pending'",
                )
            })
            .unwrap();
        fixture.end(&night, "2026-10-31T02:00:00Z", 4, "failed");
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
        assert_eq!(
            retried(&Failures::default(), &mut fixture).len(),
            names.len()
        );
    }
}
