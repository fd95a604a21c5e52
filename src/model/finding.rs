//! What a check compares, and what it finds.

use super::facts::ETag;
use super::name::ObjectName;
use super::outcome::LastCopy;
use super::words::{Differs, FindingKind};

/// What the ledger says that the destination holds: our own last copy of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name, as it is at the source.
    pub name: ObjectName,
    /// The entity tags of the copy and of what it was made of.
    pub copy: LastCopy,
    /// Its size; `None` if the request that tells it was pruned.
    pub size_bytes: Option<u64>,
}

/// A name whose copy is not what the ledger says, or an object that it knows
/// nothing of. Keys and units are those of the program's JSON.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// The name, as it is at the source; of a foreign object, at the destination.
    pub name: String,
    /// What was found.
    pub finding: FindingKind,
    /// Of a changed copy: in what it differs.
    pub differs: Option<Differs>,
    /// The copy's size as the ledger has it.
    pub recorded_size_bytes: Option<u64>,
    /// The copy's entity tag as the ledger has it.
    pub recorded_etag: Option<String>,
    /// The entity tag of what the copy was made of.
    pub recorded_source_etag: Option<String>,
    /// The size that the destination says.
    pub destination_size_bytes: Option<u64>,
    /// The entity tag that it says.
    pub destination_etag: Option<String>,
    /// When it says that the object was last modified, milliseconds since the epoch.
    pub destination_modified_at: Option<i64>,
    /// The entity tag that the source says now, where it was looked at.
    pub source_etag: Option<String>,
    /// Whether the name was asked about by itself; else its listing alone says it.
    pub asked: bool,
}

/// A name that is to be carried again because a check found something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// The name.
    pub name: ObjectName,
    /// What was found.
    pub finding: FindingKind,
    /// What may be replaced, whatever the rule for ignoring says; `None`: nothing
    /// was there.
    pub replaces: Option<ETag>,
}

/// What the copies of a task came to in a check. All copies are right, gone,
/// changed, newer at the source, unsettled or unanswered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct CheckTotals {
    /// Copies that were looked at.
    pub copies: u64,
    /// As the ledger says.
    pub right: u64,
    /// Not there any more.
    pub gone: u64,
    /// Something else in their place.
    pub changed: u64,
    /// The source has another version.
    pub newer_at_source: u64,
    /// No verdict: a run is at work on them, or left them half done.
    pub unsettled: u64,
    /// No verdict: nobody answered about them.
    pub unanswered: u64,
    /// Objects that the ledger knows nothing of.
    pub foreign: u64,
    /// Copies whose source is not there any more; no finding.
    pub source_gone: u64,
}

impl CheckTotals {
    /// Copies that are not what the ledger says, or not what the source has.
    #[must_use]
    pub const fn drifted(&self) -> u64 {
        self.gone + self.changed + self.newer_at_source
    }

    /// Counts a finding.
    pub const fn count(&mut self, finding: FindingKind) {
        let place = match finding {
            FindingKind::Gone => &mut self.gone,
            FindingKind::Changed => &mut self.changed,
            FindingKind::NewerAtSource => &mut self.newer_at_source,
            FindingKind::Foreign => &mut self.foreign,
        };
        *place += 1;
    }
}
