//! Objects that lie in an archive, and what is asked of the source about them.

use super::time::Timestamp;
use super::words::RestoreTier;

/// Whether an object's bytes can be read, as far as one end says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Readiness {
    /// They can.
    #[default]
    Ready,
    /// A listing shows an archive's storage class, but not whether the object was
    /// brought back: it is to be asked about.
    Unclear,
    /// They cannot: the object lies in an archive.
    Archived(Archive),
    /// Not yet: the server is bringing the object back.
    BeingRestored,
}

/// What a restore leaves in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// The object stays; a copy of it can be read for some days.
    Class,
    /// Nothing: the object comes back for good (Intelligent-Tiering).
    Tier,
}

/// How a task has archived objects brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreOrder {
    /// For how many days they are to stay readable.
    pub days: u32,
    /// How soon, and at what price.
    pub tier: RestoreTier,
}

/// What a source says when it is asked to bring an object back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreAnswer {
    /// It will.
    Accepted,
    /// It is at it already.
    InProgress,
    /// It has done so already, and keeps it for longer now.
    Extended,
}

/// An object that its source is bringing back, as a run leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwaitedRestore {
    /// What this run asked for; `None`: the source was at it already.
    pub order: Option<RestoreOrder>,
    /// When it was asked for, or seen to be under way.
    pub seen_at: Timestamp,
    /// The object's length in bytes, where it is known.
    pub size_bytes: Option<u64>,
}
