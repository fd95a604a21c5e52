//! Task ids.

use std::fmt;
use std::str::FromStr;

/// The id of a task: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the task's lists lie, in the data directory and in the destination
    /// bucket alike; ends in `/`.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}{}/", super::name::RESERVED_PREFIX, self.0)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TaskId {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let begins_well = id.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins_well && id.len() <= 64 && id.chars().all(legal) {
            Ok(Self(id.to_owned()))
        } else {
            Err(format!(
                "`{id}` is no task id; an id is a letter or digit, then up to 63 letters, digits, `_` or `-`"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_plain_and_begins_with_a_letter_or_digit() {
        for good in ["a", "photos", "9-lives_x", &"x".repeat(64)] {
            assert_eq!(good.parse::<TaskId>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "_a", "a/b", "a b", "ä", "..", &"x".repeat(65)] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad}");
        }
    }
}
