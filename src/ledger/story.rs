//! What became of one name, and how each task stands.

use rusqlite::types::ValueRef;
use rusqlite::{Row, params};

use super::report::{local, word};
use super::{Ledger, LedgerError, Result};
use crate::model::{
    Deferral, FailureCause, IgnoreReason, LocalTime, RequestState, RunState, TaskId, Timestamp,
    Verified,
};

/// One request and what the runs did about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStory {
    /// Its number.
    pub request: i64,
    /// The list that asked for it.
    pub list: String,
    /// The line in the list.
    pub line: u64,
    /// When it was asked for.
    pub requested: LocalTime,
    /// Where it stands.
    pub state: RequestState,
    /// The ignore reason, or the failure cause.
    pub reason: Option<String>,
    /// When it was settled.
    pub settled: Option<LocalTime>,
    /// While it is pending: why the last run that took it left it.
    pub deferral: Option<Deferral>,
    /// What runs did about it, the first first.
    pub attempts: Vec<AttemptStory>,
}

/// What one run did about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptStory {
    /// From 1 for each request.
    pub attempt: u64,
    /// The run's number.
    pub run: u64,
    /// When the outcome was reached.
    pub at: LocalTime,
    /// What came of it.
    pub outcome: SettledAs,
    /// Whether it was left alone although the tags of both ends differ.
    pub suspect: bool,
    /// The source's facts; `None`: not there, or not asked for.
    pub source: Option<Facts>,
    /// The destination's facts.
    pub destination: Option<Facts>,
    /// The entity tag with which the destination answered.
    pub copy_etag: Option<String>,
    /// How the copy was proven.
    pub verified: Option<Verified>,
    /// The server's error code.
    pub error_code: Option<String>,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// The server's id of the request.
    pub server_request_id: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// What failed, in words.
    pub message: Option<String>,
    /// How often something was tried again; `None`: recorded before this was.
    pub retries: Option<u64>,
    /// How many answers about the object asked for a slower pace.
    pub throttled: Option<u64>,
    /// How many answers of the source did meanwhile, whichever object they were about.
    pub source_throttled: u64,
    /// How many answers of the destination did.
    pub destination_throttled: u64,
    /// The object's name at the destination, where a prefix makes it another.
    pub destination_name: Option<String>,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledAs {
    /// Copied.
    Synced,
    /// Left alone.
    Ignored(IgnoreReason),
    /// Not copied.
    Failed(FailureCause),
}

/// One end's facts, as an attempt keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The entity tag.
    pub etag: Option<String>,
    /// The length in bytes.
    pub size_bytes: u64,
    /// When it was last modified.
    pub modified: Option<Timestamp>,
}

/// How a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStatus {
    /// The task.
    pub task: TaskId,
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
    /// Whether requested = synced + failed + ignored + pending.
    pub balanced: bool,
    /// Lines of lists that could not be requests, ever.
    pub rejected: u64,
    /// Files that the destination has still to take.
    pub owed: u64,
    /// Files under whose names the destination holds something else.
    pub conflicts: u64,
    /// The last run.
    pub last_run: Option<LastRun>,
    /// Since when it is paused; `None`: it is not.
    pub paused: Option<LocalTime>,
}

/// The last run of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// Its number.
    pub number: u64,
    /// Where it stands.
    pub state: RunState,
    /// When it began.
    pub started: LocalTime,
    /// Why it ended as it did.
    pub exit_reasons: Option<String>,
    /// Why it could not begin, or not go on, in words.
    pub because: Option<String>,
}

impl Ledger {
    /// Shows `visit` every request for `name`, the first first; memory stays
    /// flat however often it was asked for.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the first error of `visit`.
    pub fn for_each_request_for<E: From<LedgerError>>(
        &self,
        task: &TaskId,
        name: &str,
        mut visit: impl FnMut(&RequestStory) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = include_str!("../../sql/statements/name_requests.sql");
        self.stream(
            sql,
            params![task.as_str(), name],
            read_request,
            |mut story| {
                story.attempts = self.attempts_at(story.request)?;
                visit(&story)
            },
        )
    }

    fn attempts_at(&self, request: i64) -> Result<Vec<AttemptStory>> {
        let sql = include_str!("../../sql/statements/request_attempts.sql");
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map([request], read_attempt)?
                .collect()
        })
    }

    /// How `task`, or every task, stands.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn task_status(&self, task: Option<&TaskId>) -> Result<Vec<TaskStatus>> {
        let sql = include_str!("../../sql/statements/task_status.sql");
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map([task.map(TaskId::as_str)], read_status)?
                .collect()
        })
    }
}

fn read_request(row: &Row<'_>) -> rusqlite::Result<RequestStory> {
    Ok(RequestStory {
        request: row.get(0)?,
        list: row.get(1)?,
        line: row.get(2)?,
        requested: local(row, 3)?,
        state: word(row, 5)?,
        reason: row.get(6)?,
        settled: present(row, 7, |row| local(row, 7))?,
        deferral: present(row, 9, |row| word(row, 9))?,
        attempts: Vec::new(),
    })
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<AttemptStory> {
    Ok(AttemptStory {
        attempt: row.get(0)?,
        run: row.get(1)?,
        at: local(row, 2)?,
        outcome: match word(row, 4)? {
            RequestState::Failed => SettledAs::Failed(word(row, 5)?),
            RequestState::Ignored => SettledAs::Ignored(word(row, 5)?),
            RequestState::Synced | RequestState::Pending => SettledAs::Synced,
        },
        source: present(row, 7, |row| read_facts(row, 6))?,
        destination: present(row, 10, |row| read_facts(row, 9))?,
        copy_etag: row.get(12)?,
        verified: present(row, 13, |row| word(row, 13))?,
        error_code: row.get(14)?,
        http_status: row.get(15)?,
        server_request_id: row.get(16)?,
        duration_ms: row.get(17)?,
        message: row.get(18)?,
        retries: row.get(19)?,
        throttled: row.get(20)?,
        source_throttled: row.get(21)?,
        destination_throttled: row.get(22)?,
        suspect: row.get(23)?,
        destination_name: row.get(24)?,
    })
}

fn read_facts(row: &Row<'_>, index: usize) -> rusqlite::Result<Facts> {
    Ok(Facts {
        etag: row.get(index)?,
        size_bytes: row.get(index + 1)?,
        modified: row
            .get::<_, Option<i64>>(index + 2)?
            .map(Timestamp::from_ms),
    })
}

fn read_status(row: &Row<'_>) -> rusqlite::Result<TaskStatus> {
    Ok(TaskStatus {
        task: word(row, 0)?,
        requested: row.get(1)?,
        synced: row.get(2)?,
        failed: row.get(3)?,
        ignored: row.get(4)?,
        pending: row.get(5)?,
        balanced: row.get(6)?,
        rejected: row.get(7)?,
        owed: row.get(8)?,
        conflicts: row.get(9)?,
        last_run: present(row, 10, |row| {
            Ok(LastRun {
                number: row.get(10)?,
                state: word(row, 11)?,
                started: local(row, 12)?,
                exit_reasons: row.get(14)?,
                because: row.get(15)?,
            })
        })?,
        paused: present(row, 16, |row| local(row, 16))?,
    })
}

/// What `read` reads, unless the column at `index` is NULL.
pub(super) fn present<T>(
    row: &Row<'_>,
    index: usize,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    match row.get_ref(index)? {
        ValueRef::Null => Ok(None),
        _ => read(row).map(Some),
    }
}
