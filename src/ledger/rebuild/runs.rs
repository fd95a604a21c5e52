//! Rows of runs, as manifests and journals tell them.

use rusqlite::{Connection, named_params, params};

use super::{Rebuilding, RebuiltRun};
use crate::ledger::RunKey;
use crate::ledger::runs::{day_number, expire_carried};
use crate::model::{Answered, RunBooks, RunRow};

impl Rebuilding<'_> {
    /// How the process answered for an earlier run.
    pub(super) fn answered(&self, answered: &Answered) -> rusqlite::Result<()> {
        self.execute(
            "UPDATE run SET exit_code = ?3, exit_reasons = ?4, tolerated = ?5
             WHERE task = ?1 AND number = ?2",
            params![
                self.task.0,
                answered.run,
                answered.exit_code,
                answered.exit_reasons,
                answered.tolerated
            ],
        )
    }

    /// A run that took nothing.
    pub(super) fn run_without_manifest(&self, row: &RunRow) -> rusqlite::Result<()> {
        let run = RebuiltRun {
            task: self.task,
            number: row.answered.run,
            run_id: &row.run_id,
            run_name: &row.run_name,
            state: &row.state,
            zone: &row.zone,
            started: row.started_at,
            ended: row.ended_at,
            books: RunBooks::default(),
            notes: &row.notes,
        };
        enter_run(self.connection, &run)?;
        expire_carried(self.connection, self.task, day_number(row.started_at))?;
        self.answered(&row.answered)
    }
}

/// Enters the run's row.
pub(super) fn enter_run(connection: &Connection, run: &RebuiltRun<'_>) -> rusqlite::Result<RunKey> {
    let (books, notes) = (run.books, run.notes);
    connection
        .prepare_cached(include_str!("../../../sql/statements/rebuild_run.sql"))?
        .query_row(
            named_params! {
                ":task": run.task.0, ":number": run.number, ":run_id": run.run_id,
                ":run_name": run.run_name, ":state": run.state, ":zone": run.zone,
                ":started_at": run.started.at.ms(),
                ":started_offset": run.started.offset_minutes,
                ":ended_at": run.ended.at.ms(), ":ended_offset": run.ended.offset_minutes,
                ":taken": books.taken, ":synced": books.synced, ":failed": books.failed,
                ":ignored": books.ignored, ":deferred": books.deferred,
                ":synced_bytes": books.synced_bytes, ":rejected": notes.rejected,
                ":retries": notes.retries, ":throttled": notes.throttled,
                ":requests_sent": notes.requests_sent, ":deferral": notes.deferral,
                ":resume_name": notes.resume_name, ":begin_cause": notes.begin_cause,
                ":begin_error_code": notes.begin_error_code,
                ":destination_prefix": notes.destination_prefix,
            },
            |row| row.get(0).map(RunKey),
        )
}
