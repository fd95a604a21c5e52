//! What is to be said of a copy, as a pure function.

use crate::model::{Claim, Differs, ETag, FindingKind, ObjectFacts};
use crate::plan::Sight;

/// What is to be said of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is what the ledger says.
    Right,
    /// It is not; of a changed one, in what it differs.
    Found(FindingKind, Option<Differs>),
    /// Not enough is known: it is to be asked about by itself.
    Unclear,
}

/// Judges the copy that the ledger claims by what both ends say of it; `None`: the
/// source is not looked at.
///
/// | destination | source | verdict |
/// |--|--|--|
/// | not looked at, or its tag not known and its size right | any | unclear |
/// | not there | any | gone |
/// | another size or tag | any | changed |
/// | as recorded | left aside, or not there any more | right |
/// | as recorded | not looked at, or its tag not known | unclear |
/// | as recorded | the tag that was copied | right |
/// | as recorded | another tag | newer at the source |
///
/// A size that is not recorded any more is no difference. A tag is not known where
/// a listing names none.
#[must_use]
pub fn judge(claim: &Claim, destination: &Sight, source: Option<&Sight>) -> Verdict {
    match destination {
        Sight::Unknown => return Verdict::Unclear,
        Sight::Absent => return Verdict::Found(FindingKind::Gone, None),
        Sight::Present(facts) => match compare(claim, facts) {
            Some(differs) => return Verdict::Found(FindingKind::Changed, Some(differs)),
            None if !is_known(&facts.etag) => return Verdict::Unclear,
            None => {}
        },
    }
    match source {
        None | Some(Sight::Absent) => Verdict::Right,
        Some(Sight::Present(facts)) if is_known(&facts.etag) => {
            if facts.etag == claim.copy.source_etag {
                Verdict::Right
            } else {
                Verdict::Found(FindingKind::NewerAtSource, None)
            }
        }
        Some(Sight::Present(_) | Sight::Unknown) => Verdict::Unclear,
    }
}

/// In what the object differs from the copy, as far as both are known.
fn compare(claim: &Claim, facts: &ObjectFacts) -> Option<Differs> {
    let size = claim
        .size_bytes
        .is_some_and(|size_bytes| size_bytes != facts.size_bytes);
    let etag = is_known(&facts.etag) && facts.etag != claim.copy.copy_etag;
    match (size, etag) {
        (true, true) => Some(Differs::SizeAndEtag),
        (true, false) => Some(Differs::Size),
        (false, true) => Some(Differs::Etag),
        (false, false) => None,
    }
}

fn is_known(etag: &ETag) -> bool {
    !etag.as_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Found, Right, Unclear};
    use super::*;
    use crate::model::{LastCopy, ObjectName, Timestamp};

    fn object(size_bytes: u64, etag: &str) -> Sight {
        Sight::Present(ObjectFacts {
            etag: ETag::new(etag),
            size_bytes,
            modified_at: Timestamp::from_ms(0),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        })
    }

    fn claim(size_bytes: Option<u64>) -> Claim {
        Claim {
            name: ObjectName::new("a").unwrap(),
            copy: LastCopy {
                source_etag: ETag::new("s"),
                copy_etag: ETag::new("c"),
            },
            size_bytes,
        }
    }

    #[test]
    fn the_truth_table() {
        let changed = |differs| Found(FindingKind::Changed, Some(differs));
        let (gone, newer) = (
            Found(FindingKind::Gone, None),
            Found(FindingKind::NewerAtSource, None),
        );
        let (unknown, absent) = (Sight::Unknown, Sight::Absent);
        let (same, source) = (object(10, "c"), object(10, "s"));
        for (destination, source, expected) in [
            (&unknown, Some(&source), Unclear),
            (&absent, Some(&source), gone),
            (&absent, None, gone),
            (&absent, Some(&object(11, "t")), gone),
            (&object(9, "c"), None, changed(Differs::Size)),
            (&object(10, "d"), Some(&source), changed(Differs::Etag)),
            (
                &object(9, "d"),
                Some(&source),
                changed(Differs::SizeAndEtag),
            ),
            (&object(9, ""), Some(&source), changed(Differs::Size)),
            (&object(10, ""), Some(&source), Unclear),
            (&same, None, Right),
            (&same, Some(&absent), Right),
            (&same, Some(&unknown), Unclear),
            (&same, Some(&object(10, "")), Unclear),
            (&same, Some(&source), Right),
            (&same, Some(&object(10, "t")), newer),
        ] {
            let verdict = judge(&claim(Some(10)), destination, source);
            assert_eq!(verdict, expected, "{destination:?} {source:?}");
        }
    }

    #[test]
    fn a_size_that_is_not_recorded_is_no_difference() {
        let pruned = claim(None);
        for (destination, expected) in [
            (object(9, "c"), Right),
            (
                object(9, "d"),
                Found(FindingKind::Changed, Some(Differs::Etag)),
            ),
            (object(9, ""), Unclear),
        ] {
            assert_eq!(judge(&pruned, &destination, None), expected);
        }
    }
}
