//! Where copies lie in a destination bucket: what is put before their names.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::name::{MAX_NAME_BYTES, ObjectName, RESERVED_PREFIX, has_dot_segment};
use super::words::RejectReason;

/// The longest prefix, in bytes of UTF-8: a name of one byte must fit behind it.
const MAX_PREFIX_BYTES: usize = MAX_NAME_BYTES - 1;

/// What is put before every name at the destination, as it stands; empty by default.
///
/// The only place where a destination's name is made of a source's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationPrefix(Arc<str>);

impl DestinationPrefix {
    /// A prefix that was checked when it was written down, as in the ledger.
    #[must_use]
    pub fn from_checked(prefix: &str) -> Self {
        Self(prefix.into())
    }

    /// The prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether names are the same at both ends.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The destination's name of what the source calls `name`.
    #[must_use]
    pub fn place<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.is_empty() {
            return Cow::Borrowed(name);
        }
        Cow::Owned([&self.0, name].concat())
    }

    /// What the source calls the object that lies at `place`; `None` if that is not
    /// under the prefix.
    #[must_use]
    pub fn name_at<'n>(&self, place: &'n str) -> Option<&'n str> {
        place.strip_prefix(&*self.0)
    }

    /// Checks `name`, and the name that its copy would have.
    ///
    /// # Errors
    /// The first rule that either breaks.
    pub fn admit(&self, name: &str) -> Result<ObjectName, RejectReason> {
        let name = ObjectName::new(name)?;
        self.check(&name)?;
        Ok(name)
    }

    /// Checks the name that the copy of `name` would have. Neither the prefix nor a
    /// name has a dot segment, so together they make none.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check(&self, name: &ObjectName) -> Result<(), RejectReason> {
        let name = name.as_str();
        if self.0.len() + name.len() > MAX_NAME_BYTES {
            return Err(RejectReason::TooLong);
        }
        let is_reserved = match RESERVED_PREFIX.strip_prefix(&*self.0) {
            Some(rest) => name.starts_with(rest),
            None => self.0.starts_with(RESERVED_PREFIX),
        };
        if is_reserved {
            return Err(RejectReason::ReservedPrefix);
        }
        Ok(())
    }
}

impl FromStr for DestinationPrefix {
    type Err = String;

    /// Checks what a person wrote.
    fn from_str(prefix: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("{what}; write one such as \"mirror/\""));
        if prefix.len() > MAX_PREFIX_BYTES {
            let bytes = prefix.len();
            return wrong(&format!(
                "is {bytes} bytes long, of {MAX_NAME_BYTES} that a name may have"
            ));
        }
        if prefix.contains('\0') {
            return wrong("has a NUL character in it");
        }
        if has_dot_segment(prefix) {
            return wrong("has a segment `.` or `..` in it, which HTTP clients resolve away");
        }
        if prefix.starts_with(RESERVED_PREFIX) {
            return wrong(&format!("lies under {RESERVED_PREFIX}, which is for lists"));
        }
        Ok(Self(prefix.into()))
    }
}

impl fmt::Display for DestinationPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_prefix_that_breaks_a_rule_is_refused() {
        let too_long = "x".repeat(1024);
        for (bad, why) in [
            (too_long.as_str(), "is 1024 bytes long"),
            ("a\0b", "NUL"),
            ("..", "segment"),
            ("a/..", "segment"),
            ("./a/", "segment"),
            ("a/../b", "segment"),
            ("oms/sync_task/", "lies under"),
            ("oms/sync_task/photos/x", "lies under"),
        ] {
            let said = bad.parse::<DestinationPrefix>().unwrap_err();
            assert!(said.contains(why), "{bad:?}: {said}");
        }
        let longest = "x".repeat(1023);
        for good in [
            "mirror/",
            "mirror",
            "/",
            "a//",
            "oms/sync_",
            "a..",
            "é",
            &longest,
        ] {
            assert_eq!(good.parse::<DestinationPrefix>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn it_is_the_destinations_name_that_is_held_to_the_rules() {
        let long = "x".repeat(1018);
        for (prefix, name, expected) in [
            ("", "oms/sync_task/x", Err(RejectReason::ReservedPrefix)),
            ("m/", "oms/sync_task/x", Ok(())),
            ("oms/sync_", "task/x", Err(RejectReason::ReservedPrefix)),
            ("oms/sync_task", "/x", Err(RejectReason::ReservedPrefix)),
            ("oms/sync_task", "x", Ok(())),
            ("oms", "/sync_tas", Ok(())),
            ("mirror", long.as_str(), Ok(())),
            ("mirror/", long.as_str(), Err(RejectReason::TooLong)),
            ("a", "./b", Err(RejectReason::DotSegment)),
            ("a", "/../b", Err(RejectReason::DotSegment)),
            ("a..", "/b", Ok(())),
            ("a", "", Err(RejectReason::EmptyName)),
        ] {
            let prefix: DestinationPrefix = prefix.parse().unwrap();
            let found = prefix.admit(name).map(drop);
            assert_eq!(found, expected, "{prefix} {name:?}");
        }
    }

    proptest! {
        /// What is admitted is a name at both ends, and at the destination none of ours.
        #[test]
        fn an_admitted_name_is_one_at_both_ends(
            prefix in "[./aoms_synctk]{0,16}|(oms|/|sync_|task|\\.){0,5}|\\PC{0,300}",
            name in "[./aoms_synctk]{0,16}|(oms|/|sync_|task|\\.){0,5}|\\PC{0,300}",
        ) {
            let Ok(prefix) = prefix.parse::<DestinationPrefix>() else {
                return Ok(());
            };
            let place = prefix.place(&name);
            prop_assert_eq!(prefix.name_at(&place), Some(name.as_str()));
            let is_one = ObjectName::new(&place).is_ok()
                && ObjectName::new(&name).is_ok()
                && !place.starts_with(RESERVED_PREFIX);
            prop_assert_eq!(prefix.admit(&name).is_ok(), is_one, "{:?} {:?}", prefix, name);
        }
    }
}
