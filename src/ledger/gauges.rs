//! Where each task stands, as a monitoring system asks for it.

use rusqlite::{OptionalExtension, Row};

use super::report::word;
use super::spot::{SpotCheck, read_spot_check};
use super::story::present;
use super::{Ledger, Result};
use crate::model::{RunState, TaskId, Timestamp};

/// Where a task stands: its books, what waits, and its last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauges {
    /// Requests asked for, ever.
    pub requested: u64,
    /// Present outcomes.
    pub synced: u64,
    /// Present outcomes.
    pub failed: u64,
    /// Present outcomes.
    pub ignored: u64,
    /// Requests without an outcome.
    pub pending: u64,
    /// When the oldest of these was asked for.
    pub oldest_pending: Option<Timestamp>,
    /// Bytes that were copied, ever.
    pub synced_bytes: u64,
    /// Lines of lists that could not be requests, ever.
    pub rejected: u64,
    /// Files that the destination has still to take.
    pub owed: u64,
    /// Whether it is paused.
    pub paused: bool,
    /// When names were last taken in.
    pub last_requested: Option<Timestamp>,
    /// When the last run ended that answered with 0.
    pub last_success: Option<Timestamp>,
    /// Its last run.
    pub last_run: Option<RunGauges>,
}

/// Where the last run of a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunGauges {
    /// Its number.
    pub number: u64,
    /// Whether it is at work, or ended.
    pub state: RunState,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None`: it has not.
    pub ended: Option<Timestamp>,
    /// Requests that it took.
    pub taken: u64,
    /// Requests that it settled so.
    pub synced: u64,
    /// Requests that it settled so.
    pub failed: u64,
    /// Requests that it settled so.
    pub ignored: u64,
    /// Requests that it took and left, or that are still to do.
    pub deferred: u64,
    /// Bytes that it copied.
    pub synced_bytes: u64,
    /// The exit code with which it answered; `None`: it has not.
    pub exit_code: Option<u8>,
    /// What its spot check came to, if it made one.
    pub spot_check: Option<SpotCheck>,
}

impl Ledger {
    /// Where `task` stands; `None` if the ledger does not know it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn gauges(&self, task: &TaskId) -> Result<Option<Gauges>> {
        let sql = include_str!("../../sql/statements/gauges.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_row([task.as_str()], read_gauges)
                .optional()
        })
    }
}

fn read_gauges(row: &Row<'_>) -> rusqlite::Result<Gauges> {
    Ok(Gauges {
        requested: row.get(0)?,
        synced: row.get(1)?,
        failed: row.get(2)?,
        ignored: row.get(3)?,
        pending: row.get(4)?,
        oldest_pending: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_ms),
        synced_bytes: row.get(6)?,
        rejected: row.get(7)?,
        owed: row.get(8)?,
        paused: row.get(9)?,
        last_requested: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_ms),
        last_success: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_ms),
        last_run: present(row, 12, read_run)?,
    })
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<RunGauges> {
    Ok(RunGauges {
        number: row.get(12)?,
        state: word(row, 13)?,
        started: Timestamp::from_ms(row.get(14)?),
        ended: row.get::<_, Option<i64>>(15)?.map(Timestamp::from_ms),
        taken: row.get(16)?,
        synced: row.get(17)?,
        failed: row.get(18)?,
        ignored: row.get(19)?,
        deferred: row.get(20)?,
        synced_bytes: row.get(21)?,
        exit_code: row.get(22)?,
        spot_check: read_spot_check(row, 23)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, failed, photos, synced};
    use super::*;
    use crate::model::FailureCause;

    #[test]
    fn a_task_stands_as_its_books_and_its_last_run_say() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        assert_eq!(
            fixture.ledger.gauges(&"nobody".parse().unwrap()).unwrap(),
            None
        );
        let new = fixture.ledger.gauges(&photos()).unwrap().unwrap();
        assert_eq!(
            (new.requested, new.oldest_pending, new.last_run),
            (0, None, None)
        );
        let asked = "2026-10-30T12:00:00Z";
        fixture.ask("object_lists/a.txt", asked, &["a", "b", "c"]);
        let night = fixture.begin("2026-10-31T01:00:00Z");
        fixture.settle(&night, synced("a", "2026-10-31T01:00:01Z", 10));
        let running = fixture.ledger.gauges(&photos()).unwrap().unwrap();
        let running = running.last_run.unwrap();
        assert_eq!((running.state, running.ended), (RunState::Running, None));
        assert_eq!((running.taken, running.synced, running.deferred), (3, 1, 2));
        let missing = FailureCause::SourceMissing;
        fixture.settle(
            &night,
            failed("b", "2026-10-31T01:00:01Z", missing, "NoSuchKey", 404),
        );
        fixture.end(&night, "2026-10-31T02:00:00Z", 4, "failed");
        let gauges = fixture.ledger.gauges(&photos()).unwrap().unwrap();
        let last_run = RunGauges {
            number: 1,
            state: RunState::Ended,
            started: at("2026-10-31T01:00:00Z"),
            ended: Some(at("2026-10-31T02:00:00Z")),
            taken: 3,
            synced: 1,
            failed: 1,
            ignored: 0,
            deferred: 1,
            synced_bytes: 10,
            exit_code: Some(4),
            spot_check: None,
        };
        let expected = Gauges {
            requested: 3,
            synced: 1,
            failed: 1,
            ignored: 0,
            pending: 1,
            oldest_pending: Some(at(asked)),
            synced_bytes: 10,
            rejected: 0,
            owed: gauges.owed,
            paused: false,
            last_requested: Some(at(asked)),
            last_success: None,
            last_run: Some(last_run),
        };
        assert_eq!(gauges, expected);
        for (when, exit_code) in [("2026-11-01T02:00:00Z", 0), ("2026-11-02T02:00:00Z", 6)] {
            let night = fixture.begin(when);
            fixture.end(&night, when, exit_code, "");
        }
        let gauges = fixture.ledger.gauges(&photos()).unwrap().unwrap();
        assert_eq!(gauges.last_success, Some(at("2026-11-01T02:00:00Z")));
    }
}
