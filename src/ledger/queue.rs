//! What a run has still to do, name by name.

use rusqlite::{Row, params};

use super::{Ledger, Result, TaskKey};
use crate::model::{ETag, LastCopy, ObjectName};

/// A name with pending requests, and our own last copy of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The name.
    pub name: ObjectName,
    /// What the ledger remembers of its last copy.
    pub last_copy: Option<LastCopy>,
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
        let (bound, comparison) = match stretch {
            Stretch::From(name) => (name, ">="),
            Stretch::After(name) => (name, ">"),
        };
        let sql = format!(
            "SELECT queue.name, source_etag, copy_etag
             FROM (SELECT DISTINCT name FROM request
                   WHERE task = ?1 AND state = 'pending' AND name {comparison} ?2 AND request <= ?3
                   ORDER BY name LIMIT ?4) AS queue
             LEFT JOIN last_copy ON last_copy.task = ?1 AND last_copy.name = queue.name
             ORDER BY queue.name"
        );
        self.read(|connection| {
            connection
                .prepare_cached(&sql)?
                .query_map(params![task.0, bound, through, limit], queued)?
                .collect()
        })
    }
}

/// A row of name, source's and copy's entity tag.
pub(super) fn queued(row: &Row<'_>) -> rusqlite::Result<Queued> {
    let source_etag: Option<String> = row.get(1)?;
    let copy_etag: Option<String> = row.get(2)?;
    let last_copy = source_etag.zip(copy_etag).map(|(source, copy)| LastCopy {
        source_etag: ETag::new(&source),
        copy_etag: ETag::new(&copy),
    });
    Ok(Queued {
        name: ObjectName::from_checked(row.get(0)?),
        last_copy,
    })
}
