//! What the listings of both ends say of one name, and what of it is enough.

use crate::model::{ObjectFacts, OverwriteMode, Side, Timestamp};
use crate::plan::{Sight, contradicts};

/// What listings say of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What the source's says.
    pub source: Sight,
    /// What the destination's says.
    pub destination: Sight,
    /// When they were asked for.
    pub at: Timestamp,
}

impl Default for Listed {
    /// Nothing.
    fn default() -> Self {
        Self {
            source: Sight::Unknown,
            destination: Sight::Unknown,
            at: Timestamp::from_ms(0),
        }
    }
}

impl Listed {
    /// What of it a decision may rest on; `planned` if an earlier run planned a
    /// copy without getting to its outcome.
    ///
    /// | mode | planned | destination | taken from the listings |
    /// |--|--|--|--|
    /// | any | any | not there | that it is not; the source's object |
    /// | `checksum` | any | there, or not known | nothing: they know no checksums |
    /// | else | yes | there, or not known | nothing: whose it is shows in its MD5 |
    /// | else | no | there, or not known | the objects of both |
    ///
    /// That something is missing at the source is never taken from them: it
    /// would fail for good.
    pub fn known(&self, mode: OverwriteMode, planned: bool) -> Self {
        if !self.says_enough(mode, planned) {
            return Self::default();
        }
        let source = match &self.source {
            Sight::Present(facts) => Sight::Present(facts.clone()),
            Sight::Absent | Sight::Unknown => Sight::Unknown,
        };
        Self {
            source,
            destination: self.destination.clone(),
            at: self.at,
        }
    }

    /// The objects of both ends, if both are known without asking.
    pub fn facts(
        &self,
        mode: OverwriteMode,
        planned: bool,
    ) -> Option<(ObjectFacts, Option<ObjectFacts>)> {
        if !self.says_enough(mode, planned) {
            return None;
        }
        match (&self.source, &self.destination) {
            (Sight::Present(source), Sight::Absent) => Some((source.clone(), None)),
            (Sight::Present(source), Sight::Present(destination)) => {
                Some((source.clone(), Some(destination.clone())))
            }
            _ => None,
        }
    }

    /// Whether a decision may rest on what the destination's says.
    fn says_enough(&self, mode: OverwriteMode, planned: bool) -> bool {
        let is_absent = self.destination == Sight::Absent;
        is_absent || !(planned || mode == OverwriteMode::Checksum)
    }

    /// Whether what was `found` at an end later shows that its listing cannot be
    /// relied on.
    pub fn is_contradicted(&self, side: Side, found: Option<&ObjectFacts>) -> bool {
        let said = match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        };
        contradicts(said, self.at, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ETag;

    fn object() -> ObjectFacts {
        ObjectFacts {
            etag: ETag::new("x"),
            size_bytes: 1,
            modified_at: Timestamp::from_ms(0),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        }
    }

    #[test]
    fn the_truth_table() {
        use OverwriteMode::{Always, Checksum, Never, SizeLastModified};
        let there = || Sight::Present(object());
        for (mode, planned, destination, known) in [
            (SizeLastModified, false, Sight::Absent, true),
            (SizeLastModified, true, Sight::Absent, true),
            (SizeLastModified, false, there(), true),
            (SizeLastModified, true, there(), false),
            (Always, false, there(), true),
            (Never, false, there(), true),
            (Checksum, false, Sight::Absent, true),
            (Checksum, false, there(), false),
        ] {
            let is_absent = destination == Sight::Absent;
            let listed = Listed {
                source: there(),
                destination,
                at: Timestamp::from_ms(7),
            };
            let expected = known.then(|| (object(), (!is_absent).then(object)));
            assert_eq!(listed.facts(mode, planned), expected, "{mode} {planned}");
        }
    }

    #[test]
    fn what_a_listing_does_not_show_is_asked_for_before_it_fails() {
        for source in [Sight::Absent, Sight::Unknown] {
            let listed = Listed {
                source,
                destination: Sight::Absent,
                at: Timestamp::from_ms(7),
            };
            let known = listed.known(OverwriteMode::SizeLastModified, false);
            assert_eq!(known.source, Sight::Unknown);
            assert_eq!(listed.facts(OverwriteMode::SizeLastModified, false), None);
        }
    }
}
