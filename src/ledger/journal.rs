//! What a run's journal tells, read from the ledger.

use rusqlite::{OptionalExtension, Row, params};

use super::lists::REJECTED_ROWS;
use super::report::local;
use super::{Ledger, LedgerError, Result, RunKey};
use crate::model::{Answered, ClosedMonthRow, JournalEntry, LoadedRow, RunNotes, RunRow, TaskId};

/// The columns of [`RunNotes`], in its order.
const NOTES: &str = "deferral, resume_name, rejected, retries, throttled, requests_sent,
                     begin_cause, begin_error_code, destination_prefix";

/// The runs of which a journal tells: those after the last one with a manifest,
/// up to the journal's own.
struct Span {
    task: i64,
    previous: u64,
    number: u64,
    run: i64,
}

impl Ledger {
    /// What the run's row says beside its books.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn run_notes(&self, run: RunKey) -> Result<RunNotes> {
        let sql = format!("SELECT {NOTES} FROM run WHERE run = ?1");
        self.read(|connection| connection.query_row(&sql, [run.0], |row| read_notes(row, 0)))
    }

    /// The number of the last run of the same task before `run` that has a
    /// manifest, because it took something.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn manifest_before(&self, run: RunKey) -> Result<Option<u64>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT earlier.number FROM run
                     JOIN run AS earlier ON earlier.task = run.task
                         AND earlier.number < run.number AND earlier.taken > 0
                     WHERE run.run = ?1 ORDER BY earlier.number DESC LIMIT 1",
                    [run.0],
                    |row| row.get(0),
                )
                .optional()
        })
    }

    /// The path of the last manifest of `task` that is known to be in the
    /// destination, of runs whose names begin with `prefix`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn last_manifest(&self, task: &TaskId, prefix: &str) -> Result<Option<String>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT path FROM task JOIN run USING (task)
                     JOIN delivery ON delivery.task = task.task
                         AND path = 'manifests/' || run_name || '.manifest.json'
                     WHERE id = ?1 AND taken > 0 AND delivery.state = 'delivered'
                       AND substr(run_name, 1, length(?2)) = ?2
                     ORDER BY number DESC LIMIT 1",
                    params![task.as_str(), prefix],
                    |row| row.get(0),
                )
                .optional()
        })
    }

    /// Whether `task` had run `number` under this name.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn knows_run(&self, task: &TaskId, number: u64, run_name: &str) -> Result<bool> {
        self.read(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM run JOIN task USING (task)
                                WHERE id = ?1 AND number = ?2 AND run_name = ?3)",
                params![task.as_str(), number, run_name],
                |row| row.get(0),
            )
        })
    }

    /// Shows `visit` the run's journal, entry by entry; memory stays flat.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the first error of `visit`.
    pub fn for_each_journal_entry<E: From<LedgerError>>(
        &self,
        run: RunKey,
        mut visit: impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let span = self.span(run)?;
        let visit = &mut visit;
        self.earlier_runs(&span, visit)?;
        self.closed_months(&span, visit)?;
        self.loads(&span, visit)?;
        self.stream(
            "SELECT request, settled_at, settled_offset
             FROM withdrawal JOIN request USING (request)
             WHERE withdrawal.task = ?1 AND number > ?2 AND number <= ?3
             ORDER BY request",
            params![span.task, span.previous, span.number],
            |row| Ok(JournalEntry::Withdrawn(row.get(0)?, local(row, 1)?)),
            |entry| visit(&entry),
        )?;
        self.left_out(&span, visit)
    }

    /// Why names were ignored, and how large failed ones are: no list has room for it.
    fn left_out<E: From<LedgerError>>(
        &self,
        span: &Span,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let books = self.run_books(RunKey(span.run))?;
        if books.ignored > 0 {
            self.ignored(span, visit)?;
            self.suspects(span, visit)?;
        }
        if books.failed > 0 {
            self.failed_sizes(span, visit)?;
        }
        Ok(())
    }

    fn ignored<E: From<LedgerError>>(
        &self,
        span: &Span,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.stream(
            "SELECT request, attempt.reason FROM attempt JOIN request USING (request)
             WHERE attempt.run = ?1 AND outcome = 'ignored' AND attempt.reason <> 'duplicate'
             ORDER BY at, name, request",
            params![span.run],
            |row| Ok(JournalEntry::Ignored(row.get(0)?, row.get(1)?)),
            |entry| visit(&entry),
        )
    }

    fn suspects<E: From<LedgerError>>(
        &self,
        span: &Span,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.stream(
            "SELECT request, source_etag, destination_etag
             FROM suspect JOIN attempt USING (run, request)
             WHERE suspect.run = ?1 ORDER BY request",
            params![span.run],
            |row| {
                let (source, destination) = (row.get(1)?, row.get(2)?);
                Ok(JournalEntry::Suspect(row.get(0)?, source, destination))
            },
            |entry| visit(&entry),
        )
    }

    fn failed_sizes<E: From<LedgerError>>(
        &self,
        span: &Span,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.stream(
            "SELECT request, source_size_bytes FROM attempt JOIN request USING (request)
             WHERE attempt.run = ?1 AND outcome = 'failed' AND source_size_bytes IS NOT NULL
             ORDER BY at, name, request",
            params![span.run],
            |row| Ok(JournalEntry::Failed(row.get(0)?, row.get(1)?)),
            |entry| visit(&entry),
        )
    }

    fn span(&self, run: RunKey) -> Result<Span> {
        let previous = self.manifest_before(run)?.unwrap_or(0);
        self.read(|connection| {
            connection.query_row(
                "SELECT task, number FROM run WHERE run = ?1",
                [run.0],
                |row| {
                    Ok(Span {
                        task: row.get(0)?,
                        previous,
                        number: row.get(1)?,
                        run: run.0,
                    })
                },
            )
        })
    }

    /// How the run with the last manifest answered, and the runs since, which took nothing.
    fn earlier_runs<E: From<LedgerError>>(
        &self,
        span: &Span,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = format!(
            "SELECT number, exit_code, exit_reasons, run_id, run_name, state, zone,
                    started_at, started_offset, ended_at, ended_offset, tolerated, {NOTES}
             FROM run WHERE task = ?1 AND number >= ?2 AND number < ?3 AND ended_at IS NOT NULL
             ORDER BY number"
        );
        let read = |row: &Row<'_>| {
            let answered = Answered {
                run: row.get(0)?,
                exit_code: row.get(1)?,
                exit_reasons: row.get(2)?,
                tolerated: row.get(11)?,
            };
            if answered.run == span.previous {
                return Ok(JournalEntry::Answered(answered));
            }
            Ok(JournalEntry::Run(RunRow {
                answered,
                run_id: row.get(3)?,
                run_name: row.get(4)?,
                state: row.get(5)?,
                zone: row.get(6)?,
                started_at: local(row, 7)?,
                ended_at: local(row, 9)?,
                notes: read_notes(row, 12)?,
            }))
        };
        let runs = params![span.task, span.previous, span.number];
        self.stream(&sql, runs, read, |entry| visit(&entry))
    }

    /// The months that this run, or one that took nothing before it, closed.
    fn closed_months<E: From<LedgerError>>(
        &self,
        span: &Span,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.stream(
            "SELECT month, closed_at, requested, synced, failed, ignored, synced_bytes
             FROM month_closed
             WHERE task = ?1 AND closed_at IN (
                 SELECT started_at FROM run WHERE task = ?1 AND number > ?2 AND number <= ?3)
             ORDER BY month",
            params![span.task, span.previous, span.number],
            |row| {
                Ok(JournalEntry::MonthClosed(ClosedMonthRow {
                    month: row.get(0)?,
                    closed_at: row.get(1)?,
                    requested: row.get(2)?,
                    synced: row.get(3)?,
                    failed: row.get(4)?,
                    ignored: row.get(5)?,
                    synced_bytes: row.get(6)?,
                }))
            },
            |entry| visit(&entry),
        )
    }

    /// The parts of lists that were loaded, each with its requests and rejected lines.
    fn loads<E: From<LedgerError>>(
        &self,
        span: &Span,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.stream(
            "SELECT load, list, number, path, first_line_sha256, sha256, loaded_bytes, lines,
                    requests, rejected, first_request, requested_at, requested_offset,
                    loaded_at, loaded_offset, zone
             FROM list_load WHERE task = ?1 AND number > ?2 AND number <= ?3
             ORDER BY load",
            params![span.task, span.previous, span.number],
            |row| Ok((row.get(0)?, read_load(row)?)),
            |(load, loaded): (i64, LoadedRow)| self.load(load, loaded, visit),
        )
    }

    fn load<E: From<LedgerError>>(
        &self,
        load: i64,
        loaded: LoadedRow,
        visit: &mut impl FnMut(&JournalEntry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let (list, requests) = (loaded.list, loaded.requests);
        let (first, rejected) = (loaded.first_request, loaded.rejected);
        visit(&JournalEntry::Loaded(loaded))?;
        if let Some(first) = first {
            self.stream(
                "SELECT line, name FROM request WHERE request >= ?1 AND request < ?1 + ?2
                 ORDER BY request",
                params![first, requests],
                |row| Ok(JournalEntry::Requested(row.get(0)?, row.get(1)?)),
                |entry| visit(&entry),
            )?;
        }
        if rejected == 0 {
            return Ok(());
        }
        // The row that stands for many changes its text as the list grows.
        self.stream(
            "SELECT line, reason, iif(place > ?3, '', excerpt)
             FROM (SELECT line, reason, excerpt, load, row_number() OVER (ORDER BY line) AS place
                   FROM rejected_line WHERE list = ?1)
             WHERE load = ?2 ORDER BY line",
            params![list, load, REJECTED_ROWS],
            |row| {
                Ok(JournalEntry::Rejected(
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                ))
            },
            |entry| visit(&entry),
        )
    }
}

fn read_notes(row: &Row<'_>, at: usize) -> rusqlite::Result<RunNotes> {
    Ok(RunNotes {
        deferral: row.get(at)?,
        resume_name: row.get(at + 1)?,
        rejected: row.get(at + 2)?,
        retries: row.get(at + 3)?,
        throttled: row.get(at + 4)?,
        requests_sent: row.get(at + 5)?,
        begin_cause: row.get(at + 6)?,
        begin_error_code: row.get(at + 7)?,
        destination_prefix: row.get(at + 8)?,
    })
}

fn read_load(row: &Row<'_>) -> rusqlite::Result<LoadedRow> {
    Ok(LoadedRow {
        list: row.get(1)?,
        run: row.get(2)?,
        path: row.get(3)?,
        first_line_sha256: row.get(4)?,
        sha256: row.get(5)?,
        loaded_bytes: row.get(6)?,
        lines: row.get(7)?,
        requests: row.get(8)?,
        rejected: row.get(9)?,
        first_request: row.get(10)?,
        requested_at: local(row, 11)?,
        loaded_at: local(row, 13)?,
        zone: row.get(15)?,
    })
}
