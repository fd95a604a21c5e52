//! From a line's bytes to an object name, or to the reason why not.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::percent_decode;

use crate::config::{ListEncoding, TaskConfig};
use crate::model::{DestinationPrefix, MAX_NAME_BYTES, ObjectName, RejectReason};

/// An excerpt is cut after so many characters.
const EXCERPT_CHARS: usize = 80;

/// How names stand in a list, and what is put before them at the destination: what
/// makes a name of a line.
#[derive(Debug, Clone, Default)]
pub struct NameForm {
    /// How they stand there.
    pub encoding: ListEncoding,
    /// What is put before them.
    pub destination_prefix: DestinationPrefix,
}

impl From<ListEncoding> for NameForm {
    /// Nothing is put before names.
    fn from(encoding: ListEncoding) -> Self {
        Self {
            encoding,
            destination_prefix: DestinationPrefix::default(),
        }
    }
}

impl NameForm {
    /// The form of names in the lists of `task`.
    #[must_use]
    pub fn of(task: &TaskConfig) -> Self {
        Self {
            encoding: task.object_lists_encoding,
            destination_prefix: task.destination_prefix.clone(),
        }
    }

    /// The same, but percent-encoded.
    #[must_use]
    pub fn url(self) -> Self {
        Self {
            encoding: ListEncoding::Url,
            ..self
        }
    }

    /// The form of names in the list at `path`: `.url.txt` says how they stand there,
    /// else the task does.
    pub(super) fn at(self, path: &str) -> Self {
        if path.ends_with(".url.txt") {
            self.url()
        } else {
            self
        }
    }

    /// The most bytes that a name takes.
    pub(super) const fn longest_name(&self) -> usize {
        match self.encoding {
            ListEncoding::Plain => MAX_NAME_BYTES,
            ListEncoding::Url => 3 * MAX_NAME_BYTES,
        }
    }
}

/// The name that `raw`, without its line end, stands for.
///
/// # Errors
/// Why it is none.
pub fn name_of(raw: &[u8], form: &NameForm) -> Result<ObjectName, RejectReason> {
    let decoded = match form.encoding {
        ListEncoding::Plain => Cow::Borrowed(raw),
        ListEncoding::Url if is_percent_encoded(raw) => percent_decode(raw).into(),
        ListEncoding::Url => return Err(RejectReason::BadPercentEncoding),
    };
    if decoded.len() > MAX_NAME_BYTES {
        return Err(RejectReason::TooLong);
    }
    let name = str::from_utf8(&decoded).map_err(|_| RejectReason::NotUtf8)?;
    form.destination_prefix.admit(name)
}

/// Whether every `%` stands before two hexadecimal digits.
fn is_percent_encoded(raw: &[u8]) -> bool {
    let mut pieces = raw.split(|byte| *byte == b'%');
    pieces.next();
    pieces.all(|piece| piece.len() >= 2 && piece[..2].iter().all(u8::is_ascii_hexdigit))
}

/// `raw` made short and harmless to print: what is no printable UTF-8 is
/// escaped, what is too long is cut.
#[must_use]
pub fn excerpt(raw: &[u8]) -> String {
    let mut printable = printable(raw);
    if let Some((end, _)) = printable.char_indices().nth(EXCERPT_CHARS) {
        printable.truncate(end);
        printable.push('…');
    }
    printable
}

/// `raw` with all escaped that is no printable UTF-8.
pub(super) fn printable(raw: &[u8]) -> String {
    let mut printable = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' | '\\' => printable.push(character),
                other => printable.extend(other.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(printable, "\\x{byte:02x}");
        }
    }
    printable
}
