//! Input lists: what was loaded of each, its requests and its rejected lines.

use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};

use super::pending::PendingChange;
use super::slots::Slots;
use super::tasks::{Counted, count};
use super::{Ledger, Result, TaskKey, bulk};
use crate::model::{LocalTime, ObjectName, RejectReason, Timestamp, Zone};

/// How many rejected lines of a list are kept one by one; one more row stands for the others.
pub(super) const REJECTED_ROWS: usize = 1_000;

/// The ledger's key of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListKey(i64);

/// What the ledger remembers of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownList {
    /// Its key.
    pub key: ListKey,
    /// Its path, from `object_lists/` on.
    pub path: String,
    /// SHA-256 of what was loaded, in lower-case hexadecimal.
    pub sha256: String,
    /// How many bytes were loaded.
    pub loaded_bytes: u64,
    /// How many lines were loaded, blank ones included.
    pub lines: u64,
    /// How its source knows it unchanged; `None`: only reading it tells.
    pub fingerprint: Option<String>,
}

/// Which list of the ledger a part belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListPlace {
    /// One that the ledger has at this path.
    Known(ListKey),
    /// One that the ledger has at another path.
    Renamed(ListKey),
    /// A new one; what was at its path is no longer current.
    New,
}

/// A line that cannot be a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// What it looks like: short and printable.
    pub excerpt: String,
}

/// The next part of a list: lines, and how far the list is loaded with them.
#[derive(Debug)]
pub struct LoadedPart<'a> {
    /// The list's path, from `object_lists/` on.
    pub path: &'a str,
    /// SHA-256 of its first line, in lower-case hexadecimal.
    pub first_line_sha256: &'a str,
    /// SHA-256 of all that is loaded with this part, in lower-case hexadecimal.
    pub sha256: String,
    /// How many bytes that is.
    pub loaded_bytes: u64,
    /// How many lines that is, blank ones included.
    pub lines: u64,
    /// This part's names, each with its line's number.
    pub requests: &'a [(u64, ObjectName)],
    /// This part's lines that cannot be requests, in order.
    pub rejected: &'a [RejectedLine],
    /// When the names were asked for.
    pub requested_at: LocalTime,
    /// Now.
    pub loaded_at: LocalTime,
    /// The task's zone.
    pub zone: Zone,
    /// How its source will know the list unchanged, if that can be relied on.
    pub fingerprint: Option<&'a str>,
    /// The list that was current at the path when this part was made, and how
    /// many bytes of it were loaded.
    pub current: Option<(ListKey, u64)>,
}

impl Ledger {
    /// The list that was loaded last from `path`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn current_list(&self, task: TaskKey, path: &str) -> Result<Option<KnownList>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT list, path, sha256, loaded_bytes, lines, fingerprint FROM list
                     WHERE task = ?1 AND path = ?2 AND current = 1",
                )?
                .query_row(params![task.0, path], known_list)
                .optional()
        })
    }

    /// Lists of `task` at any path whose first line has this SHA-256 and of
    /// which 1 to `most_bytes` bytes were loaded, the shortest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn lists_by_first_line(
        &self,
        task: TaskKey,
        first_line_sha256: &str,
        most_bytes: u64,
    ) -> Result<Vec<KnownList>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("../../sql/statements/list_by_first_line.sql"))?
                .query_map(params![task.0, first_line_sha256, most_bytes], known_list)?
                .collect()
        })
    }

    /// Enters a part of a list: its lines, their counts, and how far the list is
    /// loaded, all or nothing. `None`, and nothing is entered, if another process
    /// has loaded from that path since the part was made: it would be entered twice.
    ///
    /// # Errors
    /// If the ledger cannot be written; it is then as before.
    pub fn load_list(
        &mut self,
        task: TaskKey,
        place: ListPlace,
        part: &LoadedPart<'_>,
    ) -> Result<Option<ListKey>> {
        self.write(|transaction| {
            if current_now(transaction, task, part.path)? != part.current {
                return Ok(None);
            }
            let list = enter_list(transaction, task, place, part)?;
            let rejected = note_progress(transaction, list, part)?;
            let first = insert_requests(transaction, task, list, part)?;
            let load = enter_load(transaction, task, list, part, first)?;
            insert_rejected(transaction, list, load, part.rejected, rejected)?;
            count_requested(transaction, task, part)?;
            Ok(Some(list))
        })
    }

    /// Notes how the source of `list` will know it unchanged.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_fingerprint(&mut self, list: ListKey, fingerprint: &str) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached("UPDATE list SET fingerprint = ?2 WHERE list = ?1")?
                .execute(params![list.0, fingerprint])
                .map(drop)
        })
    }

    /// When the task's last complete intake began.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn last_intake_at(&self, task: TaskKey) -> Result<Option<Timestamp>> {
        self.read(|connection| {
            connection.query_row(
                "SELECT last_intake_at FROM task WHERE task = ?1",
                [task.0],
                |row| Ok(row.get::<_, Option<i64>>(0)?.map(Timestamp::from_ms)),
            )
        })
    }

    /// Notes that an intake of the task which began at `began_at` is complete.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn end_intake(&mut self, task: TaskKey, began_at: Timestamp) -> Result<()> {
        self.write(|transaction| {
            transaction
                .execute(
                    "UPDATE task SET last_intake_at = ?2 WHERE task = ?1",
                    params![task.0, began_at.ms()],
                )
                .map(drop)
        })
    }
}

fn known_list(row: &Row<'_>) -> rusqlite::Result<KnownList> {
    Ok(KnownList {
        key: ListKey(row.get(0)?),
        path: row.get(1)?,
        sha256: row.get(2)?,
        loaded_bytes: row.get(3)?,
        lines: row.get(4)?,
        fingerprint: row.get(5)?,
    })
}

/// The list that is current at `path`, and how many bytes of it are loaded.
fn current_now(
    transaction: &Transaction<'_>,
    task: TaskKey,
    path: &str,
) -> rusqlite::Result<Option<(ListKey, u64)>> {
    transaction
        .prepare_cached(
            "SELECT list, loaded_bytes FROM list WHERE task = ?1 AND path = ?2 AND current = 1",
        )?
        .query_row(params![task.0, path], |row| {
            Ok((ListKey(row.get(0)?), row.get(1)?))
        })
        .optional()
}

fn count_requested(
    transaction: &Transaction<'_>,
    task: TaskKey,
    part: &LoadedPart<'_>,
) -> rusqlite::Result<()> {
    let requests = part.requests.len().cast_signed() as i64;
    if requests == 0 {
        return Ok(());
    }
    let (kind, asked) = (Counted::Requested, part.requested_at);
    count(
        transaction,
        task,
        &asked.day().to_string(),
        kind,
        "",
        requests,
        0,
    )?;
    let mut slots = Slots::default();
    slots.add(asked.at, kind, requests, 0);
    slots.keep(transaction, task)?;
    let mut pending = PendingChange::default();
    pending.add(asked, requests);
    pending.keep(transaction, task)?;
    transaction
        .prepare_cached("UPDATE task SET last_requested_at = ?2 WHERE task = ?1")?
        .execute(params![task.0, part.loaded_at.at.ms()])
        .map(drop)
}

/// Gives the list its place; what was current at its path gives way.
fn enter_list(
    transaction: &Transaction<'_>,
    task: TaskKey,
    place: ListPlace,
    part: &LoadedPart<'_>,
) -> rusqlite::Result<ListKey> {
    if let ListPlace::Known(list) = place {
        return Ok(list);
    }
    transaction.execute(
        "UPDATE list SET current = 0 WHERE task = ?1 AND path = ?2 AND current = 1",
        params![task.0, part.path],
    )?;
    if let ListPlace::Renamed(list) = place {
        transaction.execute(
            "UPDATE list SET path = ?2, current = 1 WHERE list = ?1",
            params![list.0, part.path],
        )?;
        return Ok(list);
    }
    transaction.query_row(
        include_str!("../../sql/statements/list_enter.sql"),
        named_params! {
            ":task": task.0,
            ":path": part.path,
            ":loaded_at": part.loaded_at.at.ms(),
            ":loaded_offset": part.loaded_at.offset_minutes,
            ":zone": part.zone.name(),
        },
        |row| row.get(0).map(ListKey),
    )
}

/// Answers how many lines of the list are rejected, this part's included.
fn note_progress(
    transaction: &Transaction<'_>,
    list: ListKey,
    part: &LoadedPart<'_>,
) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(include_str!("../../sql/statements/list_load.sql"))?
        .query_row(
            named_params! {
                ":list": list.0,
                ":first_line_sha256": part.first_line_sha256,
                ":sha256": part.sha256,
                ":loaded_bytes": part.loaded_bytes,
                ":lines": part.lines,
                ":requests": part.requests.len(),
                ":rejected": part.rejected.len(),
                ":fingerprint": part.fingerprint,
                ":loaded_at": part.loaded_at.at.ms(),
                ":loaded_offset": part.loaded_at.offset_minutes,
                ":zone": part.zone.name(),
            },
            |row| row.get(0),
        )
}

/// Answers the first one's number; the others follow it without a gap, line by
/// line. They are entered in the order of their names, whatever the list's is: so
/// the index by name is filled page by page.
fn insert_requests(
    transaction: &Transaction<'_>,
    task: TaskKey,
    list: ListKey,
    part: &LoadedPart<'_>,
) -> rusqlite::Result<Option<i64>> {
    if part.requests.is_empty() {
        return Ok(None);
    }
    let first: i64 = transaction.query_row(
        "SELECT coalesce(max(request), 0) + 1 FROM request",
        [],
        |row| row.get(0),
    )?;
    let mut by_name: Vec<(i64, &(u64, ObjectName))> = (first..).zip(part.requests).collect();
    by_name.sort_by(|(_, (_, one)), (_, (_, other))| one.cmp(other));
    let common = [
        task.0.into(),
        list.0.into(),
        part.requested_at.at.ms().into(),
        part.requested_at.offset_minutes.into(),
    ];
    let rows = by_name.into_iter().map(|(request, (line, name))| {
        [
            request.into(),
            name.as_str().into(),
            line.cast_signed().into(),
        ]
    });
    bulk::execute(
        transaction,
        (
            "INSERT INTO request (task, list, requested_at, requested_offset, request, name, line)
             VALUES",
            "(?1, ?2, ?3, ?4, ?, ?, ?)",
            "",
        ),
        &common,
        rows,
    )?;
    Ok(Some(first))
}

/// Remembers this part apart from the list it belongs to, for a run's journal.
fn enter_load(
    transaction: &Transaction<'_>,
    task: TaskKey,
    list: ListKey,
    part: &LoadedPart<'_>,
    first_request: Option<i64>,
) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(include_str!("../../sql/statements/enter_list_load.sql"))?
        .query_row(
            named_params! {
                ":task": task.0,
                ":list": list.0,
                ":path": part.path,
                ":first_line_sha256": part.first_line_sha256,
                ":sha256": part.sha256,
                ":loaded_bytes": part.loaded_bytes,
                ":lines": part.lines,
                ":requests": part.requests.len(),
                ":rejected": part.rejected.len(),
                ":first_request": first_request,
                ":requested_at": part.requested_at.at.ms(),
                ":requested_offset": part.requested_at.offset_minutes,
                ":loaded_at": part.loaded_at.at.ms(),
                ":loaded_offset": part.loaded_at.offset_minutes,
                ":zone": part.zone.name(),
            },
            |row| row.get(0),
        )
}

/// Keeps the list's first rejected lines, then one row that stands for the others.
fn insert_rejected(
    transaction: &Transaction<'_>,
    list: ListKey,
    load: i64,
    rejected: &[RejectedLine],
    total: usize,
) -> rusqlite::Result<()> {
    if rejected.is_empty() {
        return Ok(());
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO rejected_line (list, line, reason, excerpt, load)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let before = total - rejected.len();
    let room = (REJECTED_ROWS + 1).saturating_sub(before);
    for line in rejected.iter().take(room) {
        insert.execute(params![
            list.0,
            line.line,
            line.reason.as_str(),
            line.excerpt,
            load
        ])?;
    }
    if total > REJECTED_ROWS {
        transaction
            .prepare_cached(include_str!("../../sql/statements/rejected_remainder.sql"))?
            .execute(params![list.0, total - REJECTED_ROWS])?;
    }
    Ok(())
}
