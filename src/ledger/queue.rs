//! What a run has still to do, name by name.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::settling::whole;
use super::{Ledger, Result, TaskKey, mends, plans};
use crate::model::{ETag, LastCopy, ObjectName, OpenUpload, PlannedCopy};

/// A name with pending requests, and our own last copy of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The name.
    pub name: ObjectName,
    /// What the ledger remembers of its last copy, if that lies where the task's last
    /// run puts its copies.
    pub last_copy: Option<LastCopy>,
    /// A copy that an earlier run was about to make there, without an outcome.
    pub planned: Option<PlannedCopy>,
    /// Its multipart upload, if it had begun one, there or elsewhere.
    pub upload: Option<OpenUpload>,
    /// The entity tag of what may be replaced whatever the rule says, because a
    /// check found it and was asked to have it mended.
    pub mends: Option<ETag>,
    /// Whether the last that was heard of it is that the source is bringing it back
    /// from its archive.
    pub is_awaited: bool,
}

/// A stretch of the alphabet of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch<'a> {
    /// Names from this one on.
    From(&'a str),
    /// Names behind this one.
    After(&'a str),
}

impl Ledger {
    /// The next `limit` names of `task`, in byte order, that have requests
    /// pending up to `through`; each once, however often it was asked for.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn next_names(
        &self,
        task: TaskKey,
        through: i64,
        stretch: &Stretch<'_>,
        limit: usize,
    ) -> Result<Vec<Queued>> {
        let queue = "SELECT DISTINCT name FROM request
                     WHERE task = ?1 AND state = 'pending' AND request <= ?3";
        self.queued_names(task, through, stretch, limit, queue)
    }

    /// The same, but only names of which an earlier run planned a copy without
    /// getting to its outcome.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn next_planned_names(
        &self,
        task: TaskKey,
        through: i64,
        stretch: &Stretch<'_>,
        limit: usize,
    ) -> Result<Vec<Queued>> {
        let queue = "SELECT name FROM planned_copy AS plan
                     WHERE task = ?1 AND plan.destination_prefix = ?5 AND EXISTS (
                         SELECT 1 FROM request WHERE request.task = ?1 AND state = 'pending'
                             AND request.name = plan.name AND request <= ?3)";
        self.queued_names(task, through, stretch, limit, queue)
    }

    fn queued_names(
        &self,
        task: TaskKey,
        through: i64,
        stretch: &Stretch<'_>,
        limit: usize,
        queue: &str,
    ) -> Result<Vec<Queued>> {
        let (bound, comparison) = match stretch {
            Stretch::From(name) => (name, ">="),
            Stretch::After(name) => (name, ">"),
        };
        self.read(|connection| {
            let prefix = prefix_of_last_run(connection, task)?;
            // What is under way stands before the stretch, as a rule, and nothing behind it.
            let (columns, joins) = if has_begun(connection, task, bound)? {
                BEGUN
            } else {
                NOTHING_BEGUN
            };
            let sql = format!(
                "SELECT queue.name, last_copy.source_etag, copy_etag, {columns}
                 FROM ({queue} AND name {comparison} ?2 ORDER BY name LIMIT ?4) AS queue
                 LEFT JOIN last_copy ON last_copy.task = ?1 AND last_copy.name = queue.name
                     AND last_copy.destination_prefix = ?5 {joins}
                 ORDER BY queue.name"
            );
            let mut names: Vec<Queued> = connection
                .prepare_cached(&sql)?
                .query_map(params![task.0, bound, through, limit, prefix], |row| {
                    planned(connection, task, row)
                })?
                .collect::<rusqlite::Result<_>>()?;
            mends::tell(connection, task, &mut names)?;
            Ok(names)
        })
    }
}

/// What was begun for a name: columns and where they come from.
const BEGUN: (&str, &str) = (
    "plan.source_etag, source_md5, source_size_bytes, destination_etag, destination_modified_at,
     upload, archive_restore",
    "LEFT JOIN planned_copy AS plan ON plan.task = ?1 AND plan.name = queue.name
         AND plan.destination_prefix = ?5
     LEFT JOIN upload ON upload.task = ?1 AND upload.name = queue.name
     LEFT JOIN archive_restore AS awaited
         ON awaited.task = ?1 AND awaited.name = queue.name AND awaited = 1",
);

/// The same where nothing was.
const NOTHING_BEGUN: (&str, &str) = ("NULL, NULL, NULL, NULL, NULL, NULL, NULL", "");

/// What the last run of `task` puts before every name at the destination.
fn prefix_of_last_run(connection: &Connection, task: TaskKey) -> rusqlite::Result<String> {
    let prefix = connection
        .prepare_cached(
            "SELECT destination_prefix FROM run WHERE task = ?1 ORDER BY number DESC LIMIT 1",
        )?
        .query_row([task.0], |row| row.get(0))
        .optional()?;
    Ok(prefix.unwrap_or_default())
}

/// Whether a copy was planned, an upload begun, or a restore asked for, of a name from
/// `bound` on.
fn has_begun(connection: &Connection, task: TaskKey, bound: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM planned_copy WHERE task = ?1 AND name >= ?2)
                 OR EXISTS (SELECT 1 FROM upload WHERE task = ?1 AND name >= ?2)
                 OR EXISTS (SELECT 1 FROM archive_restore
                            WHERE task = ?1 AND name >= ?2 AND awaited = 1)",
        )?
        .query_row(params![task.0, bound], |row| row.get(0))
}

/// A row of name, source's and copy's entity tag.
pub(super) fn queued(row: &Row<'_>) -> rusqlite::Result<Queued> {
    let source_etag: Option<String> = row.get(1)?;
    let copy_etag: Option<String> = row.get(2)?;
    let last_copy = source_etag.zip(copy_etag).map(|(source, copy)| LastCopy {
        source_etag: ETag::new(&source),
        copy_etag: ETag::new(whole(&copy, &source)),
    });
    Ok(Queued {
        name: ObjectName::from_checked(row.get(0)?),
        last_copy,
        planned: None,
        upload: None,
        mends: None,
        is_awaited: false,
    })
}

/// The same row, with the planned copy in the columns behind, and the key of
/// an upload, if there is one.
fn planned(connection: &Connection, task: TaskKey, row: &Row<'_>) -> rusqlite::Result<Queued> {
    let mut queued = queued(row)?;
    queued.planned = plans::planned_copy(row, 3)?;
    if row.get::<_, Option<i64>>(8)?.is_some() {
        queued.upload = plans::open_upload(connection, task, &queued.name)?;
    }
    queued.is_awaited = row.get::<_, Option<i64>>(9)?.is_some();
    Ok(queued)
}
