//! Input lists, their requests and their rejected lines, as a journal tells them.

use rusqlite::{named_params, params};

use super::{RebuildError, Rebuilding};
use crate::ledger::lists::REJECTED_ROWS;
use crate::model::LoadedRow;

/// The loaded part of a list that the journal is at.
pub(super) struct Load {
    row: LoadedRow,
    key: i64,
    /// Rejected lines of the list up to now, this part's included.
    rejected: usize,
    requests_told: u64,
}

impl Rebuilding<'_> {
    pub(super) fn enter_load(&mut self, row: &LoadedRow) -> std::result::Result<(), RebuildError> {
        let (of_list, of_requests) = self.kept(|it| it.strangers(row))?;
        if of_list {
            return Err(RebuildError::Numbers("list"));
        }
        if of_requests || row.first_request.is_none() != (row.requests == 0) {
            return Err(RebuildError::Numbers("request"));
        }
        self.load = Some(self.kept(|it| it.insert_load(row))?);
        Ok(())
    }

    /// Whether the list, or one of the requests, is there as another's.
    fn strangers(&self, row: &LoadedRow) -> rusqlite::Result<(bool, bool)> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM list WHERE list = ?1 AND task <> ?2),
                        EXISTS (SELECT 1 FROM request WHERE request >= ?3 AND request < ?3 + ?4)",
            )?
            .query_row(
                params![row.list, self.task.0, row.first_request, row.requests],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
    }

    fn insert_load(&self, row: &LoadedRow) -> rusqlite::Result<Load> {
        self.execute(
            "UPDATE list SET current = 0
             WHERE task = ?1 AND path = ?2 AND current = 1 AND list <> ?3",
            params![self.task.0, row.path, row.list],
        )?;
        let (loaded_at, offset) = (row.loaded_at.at.ms(), row.loaded_at.offset_minutes);
        self.execute(
            include_str!("../../../sql/statements/rebuild_list.sql"),
            named_params! {
                ":list": row.list, ":task": self.task.0, ":path": row.path,
                ":loaded_at": loaded_at, ":loaded_offset": offset, ":zone": row.zone,
            },
        )?;
        let rejected = self
            .connection
            .prepare_cached(include_str!("../../../sql/statements/list_load.sql"))?
            .query_row(
                named_params! {
                    ":list": row.list, ":first_line_sha256": row.first_line_sha256,
                    ":sha256": row.sha256, ":loaded_bytes": row.loaded_bytes,
                    ":lines": row.lines, ":requests": row.requests, ":rejected": row.rejected,
                    ":fingerprint": None::<&str>, ":loaded_at": loaded_at,
                    ":loaded_offset": offset, ":zone": row.zone,
                },
                |row| row.get(0),
            )?;
        let key = self
            .connection
            .prepare_cached(include_str!(
                "../../../sql/statements/rebuild_list_load.sql"
            ))?
            .query_row(
                named_params! {
                    ":task": self.task.0, ":list": row.list, ":number": row.run,
                    ":path": row.path, ":first_line_sha256": row.first_line_sha256,
                    ":sha256": row.sha256, ":loaded_bytes": row.loaded_bytes,
                    ":lines": row.lines, ":requests": row.requests, ":rejected": row.rejected,
                    ":first_request": row.first_request,
                    ":requested_at": row.requested_at.at.ms(),
                    ":requested_offset": row.requested_at.offset_minutes,
                    ":loaded_at": loaded_at, ":loaded_offset": offset, ":zone": row.zone,
                },
                |row| row.get(0),
            )?;
        Ok(Load {
            row: row.clone(),
            key,
            rejected,
            requests_told: 0,
        })
    }

    pub(super) fn request(
        &mut self,
        line: u64,
        name: &str,
    ) -> std::result::Result<(), RebuildError> {
        let load = self.load.as_mut().ok_or(RebuildError::Journal)?;
        let request =
            load.row.first_request.ok_or(RebuildError::Journal)? + load.requests_told.cast_signed();
        load.requests_told += 1;
        let (list, at) = (load.row.list, load.row.requested_at);
        self.kept(|it| {
            it.execute(
                "INSERT INTO request (request, task, name, list, line, requested_at,
                                      requested_offset)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    request,
                    it.task.0,
                    name,
                    list,
                    line,
                    at.at.ms(),
                    at.offset_minutes
                ],
            )
        })
    }

    pub(super) fn reject(
        &mut self,
        line: u64,
        reason: &str,
        excerpt: &str,
    ) -> std::result::Result<(), RebuildError> {
        let load = self.load.as_ref().ok_or(RebuildError::Journal)?;
        let (list, load) = (load.row.list, load.key);
        self.kept(|it| {
            it.execute(
                "INSERT INTO rejected_line (list, line, reason, excerpt, load)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![list, line, reason, excerpt, load],
            )
        })
    }

    /// The part of a list that the journal was at is told to its end.
    pub(super) fn end_load(&mut self) -> std::result::Result<(), RebuildError> {
        let Some(load) = self.load.take() else {
            return Ok(());
        };
        if load.requests_told != load.row.requests {
            return Err(RebuildError::Journal);
        }
        if load.row.rejected == 0 || load.rejected <= REJECTED_ROWS {
            return Ok(());
        }
        let remainder = include_str!("../../../sql/statements/rejected_remainder.sql");
        self.kept(|it| {
            it.execute(
                remainder,
                params![load.row.list, load.rejected - REJECTED_ROWS],
            )
        })
    }
}
