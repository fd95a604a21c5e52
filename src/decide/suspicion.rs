//! Which ignored objects are suspect: the rule left them alone, and yet their tags
//! say that both ends hold other bytes.

use crate::model::{ETag, IgnoreReason, ObjectFacts};

/// After so many candidates whose tags proved to be MD5s, and none whose did not,
/// tags are taken at their word as they are listed.
const CONVINCING: u32 = 100;

/// After so many candidates whose tags proved to be none, no more are asked about.
const HOPELESS: u32 = 8;

/// Whether an object that was ignored is suspect. Nothing is done about it: a
/// suspicion is for people.
///
/// | reason | sizes | MD5s | suspect |
/// |--|--|--|--|
/// | `newer_at_destination`, `exists` | equal | both known, different | yes |
/// | | equal | both known, equal | no |
/// | | equal | one is not known | no: nothing can be said |
/// | | different | any | no: plain to see, and what the task was told |
/// | `already_copied`, `same_checksum` | any | any | no: both ends were proven to be equal |
/// | any other | any | any | no: nothing was looked at |
#[must_use]
pub fn is_suspect(reason: IgnoreReason, source: &ObjectFacts, destination: &ObjectFacts) -> bool {
    let (Some(ours), Some(theirs)) = (&source.md5_hex, &destination.md5_hex) else {
        return false;
    };
    rests_on_no_proof(reason) && source.size_bytes == destination.size_bytes && ours != theirs
}

const fn rests_on_no_proof(reason: IgnoreReason) -> bool {
    matches!(
        reason,
        IgnoreReason::NewerAtDestination | IgnoreReason::Exists
    )
}

/// What is to be done about an object that listings are enough to ignore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighed {
    /// Nothing: it is not suspect, or nothing can be said.
    Clear,
    /// It is suspect.
    Suspect,
    /// Both ends are to be asked, for a listing does not tell whether a tag is an MD5.
    Ask,
}

/// How far tags can be taken for MD5s as they are listed. A listing does not tell
/// whether a key of KMS lies over an object, and then its tag only looks like one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListedTags {
    /// Candidates whose tags were MD5s at both ends.
    known: u32,
    /// Candidates whose tags were not.
    unknown: u32,
}

impl ListedTags {
    /// Weighs an object that is ignored for `reason` by what listings say of it. A
    /// candidate is one that would be suspect if tags that look like MD5s were some.
    ///
    /// | candidate | tags so far | verdict |
    /// |--|--|--|
    /// | no | any | clear |
    /// | yes | 8 candidates' were no MD5s | clear: nothing can be said here |
    /// | yes | 100 candidates' were, and no one's were not | suspect |
    /// | yes | else | ask |
    #[must_use]
    pub fn weigh(
        self,
        reason: IgnoreReason,
        source: &ObjectFacts,
        destination: &ObjectFacts,
    ) -> Weighed {
        let candidate = is_suspect(
            reason,
            &taken_at_its_word(source),
            &taken_at_its_word(destination),
        );
        match (candidate, self) {
            (false, _)
            | (
                true,
                Self {
                    unknown: HOPELESS..,
                    ..
                },
            ) => Weighed::Clear,
            (
                true,
                Self {
                    known: CONVINCING..,
                    unknown: 0,
                },
            ) => Weighed::Suspect,
            (true, _) => Weighed::Ask,
        }
    }

    /// Learns from a candidate about which both ends were asked.
    pub const fn learn(&mut self, are_md5s: bool) {
        if are_md5s {
            self.known = self.known.saturating_add(1);
        } else {
            self.unknown = self.unknown.saturating_add(1);
        }
    }
}

/// The object, its tag taken for its MD5 if it looks like one.
fn taken_at_its_word(facts: &ObjectFacts) -> ObjectFacts {
    let md5 = |tag: &ETag| {
        let looks_like_it = tag.looks_like_md5();
        looks_like_it.then(|| tag.as_str().to_ascii_lowercase())
    };
    ObjectFacts {
        md5_hex: facts.md5_hex.clone().or_else(|| md5(&facts.etag)),
        ..facts.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    const ONE: &str = "9a0364b9e99bb480dd25e1f0284c8555";
    const OTHER: &str = "0cc175b9c0f1b6a831c399e269772661";

    fn object(size_bytes: u64, md5: Option<&str>) -> ObjectFacts {
        ObjectFacts {
            etag: ETag::new(md5.unwrap_or("\"9a0364b9e99bb480dd25e1f0284c8555-2\"")),
            size_bytes,
            modified_at: Timestamp::from_ms(0),
            md5_hex: md5.map(str::to_owned),
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        }
    }

    /// As a listing says it: the tag, and nothing of what it is.
    fn listed(facts: &ObjectFacts) -> ObjectFacts {
        ObjectFacts {
            md5_hex: None,
            ..facts.clone()
        }
    }

    #[test]
    fn the_truth_table() {
        use IgnoreReason::{
            AlreadyCopied, Duplicate, Excluded, Exists, NewerAtDestination, SameChecksum, Withdrawn,
        };
        let (one, other, unknown) = (Some(ONE), Some(OTHER), None);
        for (reason, source, destination, suspect) in [
            (NewerAtDestination, (7, one), (7, other), true),
            (Exists, (7, one), (7, other), true),
            (NewerAtDestination, (7, one), (7, one), false),
            (Exists, (7, one), (7, one), false),
            (NewerAtDestination, (7, one), (7, unknown), false),
            (NewerAtDestination, (7, unknown), (7, other), false),
            (NewerAtDestination, (7, unknown), (7, unknown), false),
            (Exists, (7, one), (8, other), false),
            (AlreadyCopied, (7, one), (7, other), false),
            (SameChecksum, (7, one), (7, other), false),
            (Duplicate, (7, one), (7, other), false),
            (Excluded, (7, one), (7, other), false),
            (Withdrawn, (7, one), (7, other), false),
        ] {
            let (source, destination) = (
                object(source.0, source.1),
                object(destination.0, destination.1),
            );
            assert_eq!(
                is_suspect(reason, &source, &destination),
                suspect,
                "{reason} {source:?} {destination:?}"
            );
        }
    }

    #[test]
    fn a_listed_tag_is_asked_about_until_it_is_known_what_tags_are_here() {
        let newer = IgnoreReason::NewerAtDestination;
        let (ours, theirs) = (
            listed(&object(7, Some(ONE))),
            listed(&object(7, Some(OTHER))),
        );
        let parts = listed(&object(7, None));
        let weigh = |known, unknown| ListedTags { known, unknown }.weigh(newer, &ours, &theirs);
        for (known, unknown, verdict) in [
            (0, 0, Weighed::Ask),
            (99, 0, Weighed::Ask),
            (100, 0, Weighed::Suspect),
            (100, 1, Weighed::Ask),
            (0, 7, Weighed::Ask),
            (0, 8, Weighed::Clear),
            (100, 8, Weighed::Clear),
        ] {
            assert_eq!(weigh(known, unknown), verdict, "{known} {unknown}");
        }
        let fresh = ListedTags::default();
        assert_eq!(fresh.weigh(newer, &ours, &ours), Weighed::Clear);
        assert_eq!(fresh.weigh(newer, &ours, &parts), Weighed::Clear);
        let proven = IgnoreReason::AlreadyCopied;
        assert_eq!(fresh.weigh(proven, &ours, &theirs), Weighed::Clear);
    }

    #[test]
    fn what_tags_are_is_learned_candidate_by_candidate() {
        let mut tags = ListedTags::default();
        tags.learn(true);
        tags.learn(false);
        tags.learn(true);
        let learned = ListedTags {
            known: 2,
            unknown: 1,
        };
        assert_eq!(tags, learned);
    }
}
