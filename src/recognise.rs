//! Whether a copy that was planned, and has no outcome in the ledger, was made.

use crate::model::{ETag, ObjectFacts, PlannedCopy};

/// What the destination shows of a planned copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognition {
    /// It was made: this is it.
    Made,
    /// It was not made, or others have written since.
    NotMade,
    /// Only the bytes themselves can tell.
    Unclear,
}

/// Says whether `destination` is the copy that was `planned`. `of_parts` is the
/// tag that the copy must have if it was put together from parts.
///
/// | the destination | it was |
/// |--|--|
/// | has nothing | not made |
/// | has what it had when the copy was planned (tag and time) | not made |
/// | has another size | not made |
/// | has the tag that the parts make | made |
/// | has the source's tag, an MD5 or one of parts | made |
/// | states an MD5, as the source did: the same | made |
/// | … another | not made |
/// | has something that cannot be compared | unclear |
#[must_use]
pub fn recognise(
    planned: &PlannedCopy,
    of_parts: Option<&ETag>,
    destination: Option<&ObjectFacts>,
) -> Recognition {
    let Some(found) = destination else {
        return Recognition::NotMade;
    };
    let untouched = planned
        .replaces
        .as_ref()
        .is_some_and(|(etag, modified_at)| {
            *etag == found.etag && modified_at.seconds() == found.modified_at.seconds()
        });
    if untouched || found.size_bytes != planned.size_bytes {
        return Recognition::NotMade;
    }
    if of_parts.is_some_and(|etag| etag.as_str().eq_ignore_ascii_case(found.etag.as_str())) {
        return Recognition::Made;
    }
    // A listing plans by the tag alone; a server that copies by itself may take it over.
    let tells = planned.source_etag.looks_like_md5() || planned.source_etag.parts().is_some();
    if tells && planned.source_etag == found.etag {
        return Recognition::Made;
    }
    match (&planned.source_md5_hex, &found.md5_hex) {
        (Some(planned), Some(found)) if planned == found => Recognition::Made,
        (Some(_), Some(_)) => Recognition::NotMade,
        _ => Recognition::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Timestamp;

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const OTHER_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    const OF_PARTS: &str = "9ed1514d1be2cb3ee3ac9b43ec9a1a4c-2";

    fn planned(source_md5: Option<&str>, replaces: Option<(&str, i64)>) -> PlannedCopy {
        PlannedCopy {
            source_etag: ETag::new("s"),
            source_md5_hex: source_md5.map(str::to_owned),
            size_bytes: 3,
            replaces: replaces
                .map(|(etag, second)| (ETag::new(etag), Timestamp::from_ms(second * 1000))),
        }
    }

    fn found(etag: &str, size_bytes: u64, second: i64) -> ObjectFacts {
        let etag = ETag::new(etag);
        ObjectFacts {
            md5_hex: etag.looks_like_md5().then(|| etag.as_str().to_owned()),
            etag,
            size_bytes,
            modified_at: Timestamp::from_ms(second * 1000),
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        }
    }

    #[test]
    fn the_truth_table() {
        use Recognition::{Made, NotMade, Unclear};
        let whole = || planned(Some(MD5), None);
        let of_parts = ETag::new("abc-2");
        let taken_over = PlannedCopy {
            source_etag: ETag::new(OF_PARTS),
            ..planned(None, None)
        };
        let cases = [
            (
                "the source's tag of parts",
                taken_over.clone(),
                None,
                Some(found(OF_PARTS, 3, 8)),
                Made,
            ),
            (
                "the source's tag of parts, another size",
                taken_over,
                None,
                Some(found(OF_PARTS, 4, 8)),
                NotMade,
            ),
            (
                "the source's tag, an MD5",
                PlannedCopy {
                    source_etag: ETag::new(MD5),
                    ..planned(None, None)
                },
                None,
                Some(found(MD5, 3, 8)),
                Made,
            ),
            ("nothing there", whole(), None, None, NotMade),
            (
                "as before",
                planned(Some(MD5), Some((MD5, 7))),
                None,
                Some(found(MD5, 3, 7)),
                NotMade,
            ),
            (
                "the same bytes, written anew",
                planned(Some(MD5), Some((MD5, 7))),
                None,
                Some(found(MD5, 3, 8)),
                Made,
            ),
            (
                "another size",
                whole(),
                None,
                Some(found(MD5, 4, 8)),
                NotMade,
            ),
            ("the same MD5", whole(), None, Some(found(MD5, 3, 8)), Made),
            (
                "another MD5",
                whole(),
                None,
                Some(found(OTHER_MD5, 3, 8)),
                NotMade,
            ),
            (
                "the tag of its parts",
                planned(None, None),
                Some(&of_parts),
                Some(found("ABC-2", 3, 8)),
                Made,
            ),
            (
                "the tag of other parts",
                planned(None, None),
                Some(&of_parts),
                Some(found("abd-2", 3, 8)),
                Unclear,
            ),
            (
                "no MD5 at the source",
                planned(None, None),
                None,
                Some(found(MD5, 3, 8)),
                Unclear,
            ),
            (
                "no MD5 at the destination",
                whole(),
                None,
                Some(found("kms", 3, 8)),
                Unclear,
            ),
        ];
        for (case, planned, of_parts, found, expected) in cases {
            assert_eq!(
                recognise(&planned, of_parts, found.as_ref()),
                expected,
                "{case}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_was_there_before_is_never_taken_for_the_copy(
            tag in "[ab]{32}", second in 0_i64..4, size_bytes in 3_u64..5,
        ) {
            let planned = planned(Some(&tag), Some((&tag, second)));
            let found = found(&tag, size_bytes, second);
            prop_assert_eq!(recognise(&planned, None, Some(&found)), Recognition::NotMade);
        }

        #[test]
        fn another_size_is_never_the_copy(size_bytes in 4_u64..9, tag in "[ab]{32}") {
            let found = found(&tag, size_bytes, 1);
            let recognition = recognise(&planned(Some(&tag), None), Some(&found.etag), Some(&found));
            prop_assert_eq!(recognition, Recognition::NotMade);
        }
    }
}
