//! Object names and the rules that a line must meet to be one.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::words::RejectReason;

/// The longest object name, in bytes of UTF-8. S3's limit.
pub const MAX_NAME_BYTES: usize = 1024;

/// Names under this prefix in a destination bucket are Nightferry's own.
pub const RESERVED_PREFIX: &str = "oms/sync_task/";

/// Whether `.` or `..` stands between slashes.
pub(super) fn has_dot_segment(name: &str) -> bool {
    name.split('/')
        .any(|segment| segment == "." || segment == "..")
}

/// All but `A-Za-z0-9-._~` is escaped in the URL-encoded form of a name.
const URL_ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The name (key) of an object: 1 to 1,024 bytes of UTF-8 without NUL and
/// without `.` or `..` between slashes, which HTTP clients would resolve away.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(Box<str>);

impl ObjectName {
    /// Checks `name`, as a source may have it; whether its copy may be called so, a
    /// [`DestinationPrefix`](super::DestinationPrefix) says.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn new(name: &str) -> Result<Self, RejectReason> {
        if name.is_empty() {
            return Err(RejectReason::EmptyName);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(RejectReason::TooLong);
        }
        if name.contains('\0') {
            return Err(RejectReason::Nul);
        }
        if has_dot_segment(name) {
            return Err(RejectReason::DotSegment);
        }
        Ok(Self(name.into()))
    }

    /// A name that was checked when it was written down, as in the ledger.
    #[must_use]
    pub fn from_checked(name: String) -> Self {
        Self(name.into_boxed_str())
    }

    /// The name as it is at the source.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with all but `A-Za-z0-9-._~` as upper-case `%XX`.
    #[must_use]
    pub fn url_encoded(&self) -> String {
        utf8_percent_encode(&self.0, URL_ENCODED).to_string()
    }

    /// The name as it stands in lists: backslash, TAB, LF and CR as
    /// `\\`, `\t`, `\n`, `\r`, nothing else changed.
    #[must_use]
    pub fn escaped(&self) -> String {
        let mut escaped = String::with_capacity(self.0.len());
        for character in self.0.chars() {
            match character {
                '\\' => escaped.push_str("\\\\"),
                '\t' => escaped.push_str("\\t"),
                '\n' => escaped.push_str("\\n"),
                '\r' => escaped.push_str("\\r"),
                other => escaped.push(other),
            }
        }
        escaped
    }

    /// The name that [`escaped`](Self::escaped) wrote; `None` if it did not write this.
    #[must_use]
    pub fn from_escaped(escaped: &str) -> Option<Self> {
        let mut name = String::with_capacity(escaped.len());
        let mut characters = escaped.chars();
        while let Some(character) = characters.next() {
            name.push(match character {
                '\\' => match characters.next()? {
                    '\\' => '\\',
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    _ => return None,
                },
                other => other,
            });
        }
        Self::new(&name).ok()
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    /// What a reader of lists makes of an escaped name.
    fn unescaped(escaped: &str) -> String {
        let mut characters = escaped.chars();
        let mut name = String::new();
        while let Some(character) = characters.next() {
            name.push(match character {
                '\\' => match characters.next() {
                    Some('t') => '\t',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    other => other.unwrap(),
                },
                plain => plain,
            });
        }
        name
    }

    proptest! {
        #[test]
        fn no_name_forges_a_field_or_a_line_and_each_is_read_back(
            name in prop_oneof![any::<String>(), "[\\\\tnr\t\n\r a%+]{0,40}"],
        ) {
            let Ok(name) = ObjectName::new(&name) else {
                return Ok(());
            };
            let escaped = name.escaped();
            prop_assert!(!escaped.contains(['\t', '\n', '\r']));
            let read_back = unescaped(&escaped);
            prop_assert_eq!(read_back.as_str(), name.as_str());
            let encoded = name.url_encoded();
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            let decoded = percent_decode_str(&encoded).decode_utf8().unwrap();
            prop_assert_eq!(&*decoded, name.as_str());
        }
    }

    #[test]
    fn each_rule_rejects_with_its_own_word() {
        let too_long = "x".repeat(1025);
        let cases = [
            ("", RejectReason::EmptyName),
            (too_long.as_str(), RejectReason::TooLong),
            ("a\0b", RejectReason::Nul),
            ("a/../b", RejectReason::DotSegment),
            ("./a", RejectReason::DotSegment),
            ("a/.", RejectReason::DotSegment),
            ("..", RejectReason::DotSegment),
        ];
        for (name, reason) in cases {
            assert_eq!(ObjectName::new(name).unwrap_err(), reason, "{name:?}");
        }
    }

    #[test]
    fn awkward_names_are_names() {
        let longest = "é".repeat(512);
        for name in [
            "/",
            "a//b",
            "/a",
            "a/",
            " ",
            "...",
            "a/..b",
            ".hidden",
            "+",
            "%41",
            "a\nb",
            longest.as_str(),
        ] {
            assert_eq!(ObjectName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn url_encoding_and_escaping_follow_the_contract() {
        let name = ObjectName::new("a b/ü~\\\t\n\r+").unwrap();
        assert_eq!(name.url_encoded(), "a%20b%2F%C3%BC~%5C%09%0A%0D%2B");
        assert_eq!(name.escaped(), "a b/ü~\\\\\\t\\n\\r+");
        assert_eq!(ObjectName::from_escaped(&name.escaped()), Some(name));
        for wrong in ["", "\\", "a\\x", "..", "a/../b"] {
            assert_eq!(ObjectName::from_escaped(wrong), None, "{wrong:?}");
        }
    }
}
