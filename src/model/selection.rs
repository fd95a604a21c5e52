//! What a task takes of what it is asked for.

use std::fmt;
use std::time::Duration;

use super::patterns::Patterns;

/// What a task takes of what it is asked for; by default everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only names that these match.
    pub include: Option<Patterns>,
    /// No names that these match.
    pub exclude: Option<Patterns>,
    /// No objects with fewer bytes.
    pub min_size_bytes: Option<Limit<u64>>,
    /// No objects with more bytes.
    pub max_size_bytes: Option<Limit<u64>>,
    /// No objects that were last modified longer ago.
    pub max_age: Option<Limit<Duration>>,
}

/// A limit, and how it stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit<T> {
    /// The limit.
    pub value: T,
    /// As it was written.
    pub text: String,
}

impl Selection {
    /// Whether it may depend on an object's size or age.
    #[must_use]
    pub const fn asks_for_facts(&self) -> bool {
        self.min_size_bytes.is_some() || self.max_size_bytes.is_some() || self.max_age.is_some()
    }
}

/// What of a task's configuration leaves an object out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// `include`: none of its patterns matches.
    NotIncluded,
    /// `exclude`: this pattern.
    Excluded(String),
    /// `min_size`, as it was written.
    TooSmall(String),
    /// `max_size`, as it was written.
    TooLarge(String),
    /// `max_age`, as it was written.
    TooOld(String),
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIncluded => f.write_str("no pattern of include matches"),
            Self::Excluded(pattern) => write!(f, "exclude = {pattern:?}"),
            Self::TooSmall(limit) => write!(f, "min_size = {limit:?}"),
            Self::TooLarge(limit) => write!(f, "max_size = {limit:?}"),
            Self::TooOld(limit) => write!(f, "max_age = {limit:?}"),
        }
    }
}
