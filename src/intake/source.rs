//! Where lists come from: a folder, or the destination bucket.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::model::Timestamp;

/// The folder, or prefix, under which a task's lists lie; every list's path begins with it.
pub const OBJECT_LISTS: &str = "object_lists/";

/// A place that holds lists. A path in one names the same list as in another.
pub trait ListSource {
    /// Its lists in the order of their paths, and what it holds beside them.
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_>;

    /// What is known of the list at `path` now.
    ///
    /// # Errors
    /// `NotFound` if there is no list; else why that cannot be told.
    fn stat(&self, path: &str) -> io::Result<Stat>;

    /// The list at `path` from its first byte, and what is known of these bytes.
    ///
    /// # Errors
    /// `NotFound` if there is no list; else why it cannot be read.
    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)>;
}

/// What is known of a list without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its length in bytes.
    pub size: u64,
    /// Its modification time.
    pub modified_at: Timestamp,
    /// When it last changed in any way. A change soon after that may leave
    /// the fingerprint as it is; a source where none does says the epoch.
    pub changed_at: Timestamp,
    /// Another text whenever the content is another.
    pub fingerprint: String,
}

/// What a walk comes upon.
#[derive(Debug)]
pub enum Found {
    /// A list.
    List {
        /// Its path, `object_lists/` included.
        path: String,
        /// What is known of it.
        stat: Stat,
    },
    /// Something that is no list.
    PassedOver(PassedOver),
    /// A list or folder that cannot be looked at.
    Unreadable(Problem),
}

/// Why something under `object_lists/` is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassedOver {
    /// A symbolic link.
    Link,
    /// A pipe, socket or device.
    Special,
    /// A name that begins with a dot; a folder so named counts once.
    Hidden,
    /// A name that ends in `~`, `.tmp` or `.part`: being written, or a backup.
    Unfinished,
    /// A name that is not UTF-8; a folder so named counts once.
    NameNotUtf8,
    /// A name that does not end in `.txt`.
    NotTxt,
}

impl PassedOver {
    /// In words, for a message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "symbolic link",
            Self::Special => "pipe, socket or device",
            Self::Hidden => "hidden",
            Self::Unfinished => "unfinished or backup",
            Self::NameNotUtf8 => "name not UTF-8",
            Self::NotTxt => "not .txt",
        }
    }
}

/// How many of each kind were passed over.
pub type PassedOverCounts = BTreeMap<PassedOver, u64>;

/// A list or folder that could not be read. The others are loaded, and the next
/// intake tries again.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read: {error}; its lines that are not loaded yet wait for the next intake", super::decode::printable(path.as_bytes()))]
pub struct Problem {
    /// Its path, `object_lists/` included.
    pub path: String,
    /// What the system said.
    #[source]
    pub error: io::Error,
}
