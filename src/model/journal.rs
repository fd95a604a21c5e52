//! What a run's lists leave unsaid and a rebuilt ledger needs: the lines of its journal.

use super::time::LocalTime;

/// One line of a journal. A journal tells what happened since the task's last
/// run with a manifest, in this order: how that run and later ones ended, months
/// closed, lists loaded, requests taken back, and what its lists leave out.
/// Requests and lists stand by their numbers in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalEntry {
    /// How the process answered for the last run that has a manifest.
    Answered(Answered),
    /// A run that took nothing, and so has no manifest.
    Run(RunRow),
    /// A month as it stood when it was closed.
    MonthClosed(ClosedMonthRow),
    /// A part of an input list; its requests and rejected lines follow.
    Loaded(LoadedRow),
    /// A request of that part: its line and its name.
    Requested(u64, String),
    /// A rejected line of that part: its number, the reason and how it begins.
    /// Of those that the ledger counts but does not keep one by one, one
    /// follows, without its beginning.
    Rejected(u64, String, String),
    /// A request taken back: its number and when.
    Withdrawn(i64, LocalTime),
    /// A request that this run ignored, and why. Duplicates are left out.
    Ignored(i64, String),
    /// A request that this run ignored although the tags of both ends differ: the
    /// source's and the destination's.
    Suspect(i64, Option<String>, Option<String>),
    /// A request that this run failed, and the source object's size in bytes where
    /// it is known.
    Failed(i64, u64),
}

/// How the process answered for a run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Answered {
    /// The run's number.
    pub run: u64,
    /// The exit code; `None` if it did not come to it.
    pub exit_code: Option<u8>,
    /// All reasons for it.
    pub exit_reasons: Option<String>,
    /// Of its failed requests those that did not count for the exit code. Left out
    /// if there are none, as in journals of releases that knew none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tolerated: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What the ledger keeps of a run that took nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunRow {
    /// How the process answered.
    #[serde(flatten)]
    pub answered: Answered,
    /// Its id.
    pub run_id: String,
    /// Its name.
    pub run_name: String,
    /// Whether it ended by itself.
    pub state: String,
    /// The IANA name of its zone.
    pub zone: String,
    /// When it began.
    pub started_at: LocalTime,
    /// When it ended.
    pub ended_at: LocalTime,
    /// The rest of its row.
    #[serde(flatten)]
    pub notes: RunNotes,
}

/// What a run's row says beside its books.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunNotes {
    /// Why requests stayed pending.
    pub deferral: Option<String>,
    /// The name with which the next run begins.
    pub resume_name: Option<String>,
    /// Lines of lists that its intake rejected.
    pub rejected: u64,
    /// How often something was tried again.
    pub retries: u64,
    /// Answers that asked for a slower pace.
    pub throttled: u64,
    /// HTTP requests sent until it ended.
    pub requests_sent: u64,
    /// The cause for which it could not begin.
    pub begin_cause: Option<String>,
    /// What the server answered then.
    pub begin_error_code: Option<String>,
    /// What it put before every name at the destination; left out if that was nothing,
    /// as always was before there could be any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub destination_prefix: String,
}

/// A closed month.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the view month_close")]
pub struct ClosedMonthRow {
    pub month: String,
    pub closed_at: i64,
    pub requested: i64,
    pub synced: i64,
    pub failed: i64,
    pub ignored: i64,
    pub synced_bytes: i64,
}

/// A loaded part of an input list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LoadedRow {
    /// The list's number.
    pub list: i64,
    /// The run that tells it at the earliest.
    pub run: u64,
    /// The list's path then, from `object_lists/` on.
    pub path: String,
    /// SHA-256 of its first line.
    pub first_line_sha256: String,
    /// SHA-256 of all that was loaded of it with this part.
    pub sha256: String,
    /// How many bytes that was.
    pub loaded_bytes: u64,
    /// How many lines that was.
    pub lines: u64,
    /// How many requests this part has.
    pub requests: u64,
    /// How many rejected lines this part has.
    pub rejected: u64,
    /// Its first request's number; the others follow it.
    pub first_request: Option<i64>,
    /// When they were asked for.
    pub requested_at: LocalTime,
    /// When it was loaded.
    pub loaded_at: LocalTime,
    /// The zone of the task then.
    pub zone: String,
}
