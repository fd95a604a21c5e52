//! What a copy of the ledger is called.

use std::fmt;
use std::str::FromStr;

use crate::model::{LocalTime, Timestamp};

/// `ledger-<stamp>-<16 hexadecimal digits>.sqlite`: when it was made (UTC), and
/// the beginning of its SHA-256. In the order of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupName {
    stamp: String,
    content: String,
}

const STAMP_DIGITS: usize = 17;
const CONTENT_DIGITS: usize = 16;

impl BackupName {
    /// The name of a copy made `now` whose SHA-256, in hexadecimal, is `sha256`.
    #[must_use]
    pub fn new(now: Timestamp, sha256: &str) -> Self {
        let utc = LocalTime {
            at: now,
            offset_minutes: 0,
        };
        Self {
            stamp: utc.stamp(),
            content: sha256.chars().take(CONTENT_DIGITS).collect(),
        }
    }

    /// Whether both say that they hold the same.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        self.content == other.content
    }

    /// Whether it promises this content.
    #[must_use]
    pub fn promises(&self, sha256: &str) -> bool {
        sha256.starts_with(&self.content)
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ledger-{}-{}.sqlite", self.stamp, self.content)
    }
}

impl FromStr for BackupName {
    type Err = ();

    /// Only our own names: others' files are never taken for copies, and so
    /// never removed.
    fn from_str(text: &str) -> Result<Self, ()> {
        let inner = text.strip_prefix("ledger-").ok_or(())?;
        let inner = inner.strip_suffix(".sqlite").ok_or(())?;
        let (stamp, content) = inner.split_once('-').ok_or(())?;
        let digits = stamp.len() == STAMP_DIGITS && stamp.bytes().all(|b| b.is_ascii_digit());
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !digits || content.len() != CONTENT_DIGITS || !content.bytes().all(hexadecimal) {
            return Err(());
        }
        Ok(Self {
            stamp: stamp.to_owned(),
            content: content.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_what() {
        let at = Timestamp::from_ms(1_793_463_000_123);
        let name = BackupName::new(at, "0123456789abcdef0123");
        let text = "ledger-20261031161000123-0123456789abcdef.sqlite";
        assert_eq!(name.to_string(), text);
        assert_eq!(text.parse(), Ok(name.clone()));
        assert!(name.promises("0123456789abcdef77"));
        assert!(!name.promises("1123456789abcdef77"));
        let later = BackupName::new(at.plus_ms(1), "0000000000000000");
        assert!(later > name && !later.same_content(&name));
    }

    #[test]
    fn names_of_others_are_none() {
        for text in [
            "",
            "ledger.sqlite",
            "ledger-20261031161000123-0123456789abcdef.sqlite-wal",
            "ledger-20261031161000123-0123456789abcdeF.sqlite",
            "ledger-20261031161000123-0123456789abcde.sqlite",
            "ledger-2026103116100012x-0123456789abcdef.sqlite",
            "a/ledger-20261031161000123-0123456789abcdef.sqlite",
        ] {
            assert_eq!(text.parse::<BackupName>(), Err(()), "{text}");
        }
    }
}
