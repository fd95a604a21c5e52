//! The nouns: names, times, facts, outcomes, runs, and the closed word lists.
//!
//! Layer 0: nothing here knows of SQL, HTTP or the command line.

mod facts;
mod feed;
mod finding;
mod journal;
mod mail;
mod name;
mod outcome;
mod patterns;
mod prefix;
mod rate;
mod restore;
mod run;
mod selection;
mod task;
mod time;
mod timetable;
mod traffic;
mod tuning;
mod upload;
mod window;
mod words;
mod write_options;

pub use facts::{CarriedHeaders, Checksum, ChecksumAlgorithm, ETag, ObjectFacts};
pub use feed::{Feed, Silence};
pub use finding::{CheckTotals, Claim, Finding, Mend};
pub use journal::{Answered, ClosedMonthRow, JournalEntry, LoadedRow, RunNotes, RunRow};
pub use mail::{Attachment, Mail, MailAddress};
pub use name::{MAX_NAME_BYTES, ObjectName, RESERVED_PREFIX};
pub use outcome::{Attempt, Copied, Decision, Failure, LastCopy, Note, Outcome};
pub use patterns::{Pattern, PatternError, Patterns};
pub use prefix::DestinationPrefix;
pub use rate::Rate;
pub use restore::{Archive, AwaitedRestore, Readiness, RestoreAnswer, RestoreOrder};
pub use run::{RunBooks, RunId, run_name};
pub use selection::{Exclusion, Limit, Selection};
pub use task::TaskId;
pub use time::{LocalTime, Month, Timestamp, Zone, time_of_day};
pub use timetable::{Slot, Timetable};
pub use traffic::{Asked, Counters, ThrottledMinute, Traffic};
pub use tuning::Tuning;
pub use upload::{ArrivedPart, OpenUpload, PlannedCopy, UploadId};
pub use window::Window;
pub use words::{
    ChecksumMode, Comparison, Deferral, Differs, FailureCause, FindingKind, IgnoreReason,
    OverwriteMode, RejectReason, RequestState, RestoreTier, RunState, Sampled, Setting, Side,
    UnknownWord, Verified,
};
pub use write_options::{Encryption, StorageClassRule, Tag, WriteOptions};
