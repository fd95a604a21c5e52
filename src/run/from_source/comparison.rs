//! What came of listing both ends.

use std::fmt;

use crate::exit::ExitReason;
use crate::model::RejectReason;
use crate::report::text::{counted, size, thousands};

/// How many names that cannot be requests are shown one by one.
const SHOWN: usize = 10;

/// What came of listing both ends of a task. Every object of the source is counted
/// once: `source_objects` = `names` + `as_it_is` + `earlier` + `excluded` + `pending` +
/// `invalid` + `reserved`, and `names` = `lacking` + `different` + `undecided`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Comparison {
    /// The task.
    pub task: String,
    /// The new list, from `object_lists/` on; `None`: nothing was written.
    pub list: Option<String>,
    /// Objects that the source lists.
    pub source_objects: u64,
    /// Objects that the destination lists.
    pub destination_objects: u64,
    /// Names that are asked for.
    pub names: u64,
    /// Of these, such as the destination does not have.
    pub lacking: u64,
    /// Such as it has otherwise, or older.
    pub different: u64,
    /// Such as only a run can decide on.
    pub undecided: u64,
    /// Bytes of what is asked for, as it is at the source.
    pub bytes: u64,
    /// A run would leave them as they are.
    pub as_it_is: u64,
    /// Last modified before the time that was given.
    pub earlier: u64,
    /// The task does not take them.
    pub excluded: u64,
    /// Asked for already, and waiting.
    pub pending: u64,
    /// Names that cannot be requests.
    pub invalid: u64,
    /// Lists and manifests, which are not carried.
    pub reserved: u64,
    /// HTTP requests sent to both ends.
    pub requests: u64,
    /// The first names that cannot be requests, with the reason.
    #[serde(skip)]
    pub examples: Vec<(String, RejectReason)>,
}

impl Comparison {
    /// What it means for the exit code.
    #[must_use]
    pub const fn exit_reason(&self) -> ExitReason {
        match self.invalid {
            0 => ExitReason::Done,
            _ => ExitReason::Failed,
        }
    }

    pub(super) fn add_invalid(&mut self, name: &str, reason: RejectReason) {
        self.invalid += 1;
        if self.examples.len() < SHOWN {
            let excerpt = crate::intake::excerpt(name.as_bytes());
            self.examples.push((excerpt, reason));
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: u64| thousands(count.cast_signed());
        writeln!(
            f,
            "the source lists {}, the destination {} ({})",
            counted(self.source_objects, "object"),
            number(self.destination_objects),
            counted(self.requests, "HTTP request"),
        )?;
        let part =
            |count: u64, what: &str| (count > 0).then(|| format!("{} {what}", number(count)));
        let list = |parts: &[Option<String>]| {
            let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
            parts.join(", ")
        };
        write!(
            f,
            "  {} to ask for ({})",
            counted(self.names, "name"),
            size(self.bytes.cast_signed())
        )?;
        let why = list(&[
            part(self.lacking, "not at the destination"),
            part(self.different, "other or older there"),
            part(self.undecided, "on which only a run can decide"),
        ]);
        writeln!(f, "{}{why}", if why.is_empty() { "" } else { ": " })?;
        let left = list(&[
            part(self.as_it_is, "as it is"),
            part(self.excluded, "excluded"),
            part(self.earlier, "last modified before"),
            part(self.pending, "asked for already"),
            part(self.invalid, "that cannot be requests"),
            part(self.reserved, "of lists and manifests"),
        ]);
        match left.as_str() {
            "" => Ok(()),
            left => writeln!(f, "  left: {left}"),
        }
    }
}
