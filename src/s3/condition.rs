//! Conditions on writes: what must be at a name for it to be written.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bucket::Bucket;
use crate::model::ETag;

/// What must be at a name for it to be written; else the server refuses (HTTP 412).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Whatever there is.
    Anything,
    /// Nothing.
    Nothing,
    /// An object with this tag.
    Tag(&'a ETag),
}

impl Condition<'_> {
    /// The header that says so; a weak tag never matches, so none is sent.
    pub(super) fn header(self) -> Option<(&'static str, Cow<'static, str>)> {
        match self {
            Self::Nothing => Some(("if-none-match", Cow::Borrowed("*"))),
            Self::Tag(etag) if !etag.as_str().starts_with("W/") => {
                Some(("if-match", Cow::Owned(etag.quoted())))
            }
            Self::Anything | Self::Tag(_) => None,
        }
    }
}

/// The conditions that a server has shown to keep. Many ignore them in silence.
#[derive(Debug, Default)]
pub(super) struct Kept {
    nothing: AtomicBool,
    tag: AtomicBool,
}

impl Bucket {
    /// Notes that the server was seen to refuse a write whose `condition` did not hold.
    pub fn keeps(&self, condition: Condition<'_>) {
        match condition {
            Condition::Nothing => self.0.kept.nothing.store(true, Ordering::Relaxed),
            Condition::Tag(_) => self.0.kept.tag.store(true, Ordering::Relaxed),
            Condition::Anything => {}
        }
    }

    /// The condition that what is at a name now, an object of the tag `has` or
    /// nothing, is still there when it is written; `Anything` as long as the
    /// server was not seen to keep such a condition.
    #[must_use]
    pub fn condition_on<'e>(&self, has: Option<&'e ETag>) -> Condition<'e> {
        let kept = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        match has {
            None if kept(&self.0.kept.nothing) => Condition::Nothing,
            Some(etag) if kept(&self.0.kept.tag) => Condition::Tag(etag),
            _ => Condition::Anything,
        }
    }
}
