//! The rule for ignoring: the contract's section 6, as a pure function; and what of
//! the ignored is suspect.

mod suspicion;

pub use suspicion::{ListedTags, Weighed, is_suspect};

use crate::model::{Decision, ETag, IgnoreReason, LastCopy, ObjectFacts, OverwriteMode};

/// Says whether the source object is carried or left. `mends` is the entity tag of
/// what a check found at the destination and was asked to have replaced.
///
/// | mode | destination | decision |
/// |--|--|--|
/// | any | not there | copy |
/// | any | still what `mends` says | copy |
/// | `always` | any | copy |
/// | `never` | any | ignore (`exists`) |
/// | `checksum` | comparable, equal | ignore (`same_checksum`) |
/// | `checksum` | comparable, different | copy |
/// | `checksum` | not comparable | as `size_last_modified` |
/// | `size_last_modified` | another size | copy |
/// | | our own last copy, source as recorded then | ignore (`already_copied`) |
/// | | our own last copy, source changed since | copy |
/// | | later than the source, in whole seconds | ignore (`newer_at_destination`) |
/// | | else | copy |
#[must_use]
pub fn decide(
    mode: OverwriteMode,
    source: &ObjectFacts,
    destination: Option<&ObjectFacts>,
    last_copy: Option<&LastCopy>,
    mends: Option<&ETag>,
) -> Decision {
    let Some(destination) = destination else {
        return Decision::Copy;
    };
    if mends == Some(&destination.etag) {
        return Decision::Copy;
    }
    match mode {
        OverwriteMode::Always => Decision::Copy,
        OverwriteMode::Never => Decision::Ignore(IgnoreReason::Exists),
        OverwriteMode::SizeLastModified => by_size_and_time(source, destination, last_copy),
        OverwriteMode::Checksum => match same_content(source, destination) {
            Some(true) => Decision::Ignore(IgnoreReason::SameChecksum),
            Some(false) => Decision::Copy,
            None => by_size_and_time(source, destination, last_copy),
        },
    }
}

fn by_size_and_time(
    source: &ObjectFacts,
    destination: &ObjectFacts,
    last_copy: Option<&LastCopy>,
) -> Decision {
    if source.size_bytes != destination.size_bytes {
        return Decision::Copy;
    }
    if let Some(ours) = last_copy.filter(|ours| ours.copy_etag == destination.etag) {
        return if ours.source_etag == source.etag {
            Decision::Ignore(IgnoreReason::AlreadyCopied)
        } else {
            Decision::Copy
        };
    }
    if destination.modified_at.seconds() > source.modified_at.seconds() {
        Decision::Ignore(IgnoreReason::NewerAtDestination)
    } else {
        Decision::Copy
    }
}

/// Whether both ends hold the same bytes, as far as checksums that can be
/// compared tell; `None` if none can be.
fn same_content(source: &ObjectFacts, destination: &ObjectFacts) -> Option<bool> {
    for ours in &source.checksums {
        let theirs = destination
            .checksums
            .iter()
            .find(|c| c.algorithm == ours.algorithm);
        if let Some(theirs) = theirs {
            return Some(ours.base64 == theirs.base64);
        }
    }
    match (&source.md5_hex, &destination.md5_hex) {
        (Some(ours), Some(theirs)) => Some(ours == theirs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Checksum, ChecksumAlgorithm, ETag, Timestamp};

    /// An object of this size and tag, modified at this second.
    fn object(size_bytes: u64, etag: &str, second: i64) -> ObjectFacts {
        ObjectFacts {
            etag: ETag::new(etag),
            size_bytes,
            modified_at: Timestamp::from_ms(second * 1000),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        }
    }

    fn last_copy(source_etag: &str, copy_etag: &str) -> LastCopy {
        LastCopy {
            source_etag: ETag::new(source_etag),
            copy_etag: ETag::new(copy_etag),
        }
    }

    #[test]
    fn the_truth_table_of_size_and_time() {
        use Decision::{Copy, Ignore};
        use IgnoreReason::{AlreadyCopied, NewerAtDestination};
        let source = object(10, "s", 100);
        let cases = [
            ("not there", None, None, Copy),
            ("another size, later", Some(object(9, "d", 200)), None, Copy),
            (
                "another size, our own copy",
                Some(object(9, "d", 200)),
                Some(last_copy("s", "d")),
                Copy,
            ),
            (
                "later",
                Some(object(10, "d", 101)),
                None,
                Ignore(NewerAtDestination),
            ),
            ("the same second", Some(object(10, "d", 100)), None, Copy),
            ("earlier", Some(object(10, "d", 99)), None, Copy),
            (
                "our own copy",
                Some(object(10, "d", 99)),
                Some(last_copy("s", "d")),
                Ignore(AlreadyCopied),
            ),
            (
                "our own copy, source changed",
                Some(object(10, "d", 200)),
                Some(last_copy("r", "d")),
                Copy,
            ),
            (
                "another's, later",
                Some(object(10, "e", 200)),
                Some(last_copy("s", "d")),
                Ignore(NewerAtDestination),
            ),
            (
                "another's, earlier",
                Some(object(10, "e", 99)),
                Some(last_copy("s", "d")),
                Copy,
            ),
        ];
        for (case, destination, last_copy, expected) in cases {
            let decision = decide(
                OverwriteMode::SizeLastModified,
                &source,
                destination.as_ref(),
                last_copy.as_ref(),
                None,
            );
            assert_eq!(decision, expected, "{case}");
        }
    }

    #[test]
    fn what_a_check_found_is_replaced_in_every_mode_and_nothing_else_is() {
        let (source, found) = (object(10, "s", 100), ETag::new("d"));
        for mode in OverwriteMode::ALL {
            for (etag, mended) in [("d", true), ("e", false)] {
                let destination = object(10, etag, 200);
                let by_rule = decide(*mode, &source, Some(&destination), None, None);
                let decision = decide(*mode, &source, Some(&destination), None, Some(&found));
                let expected = if mended { Decision::Copy } else { by_rule };
                assert_eq!(decision, expected, "{mode} {etag}");
            }
        }
    }

    #[test]
    fn times_are_cut_to_seconds() {
        let source = ObjectFacts {
            modified_at: Timestamp::from_ms(100_000),
            ..object(10, "s", 0)
        };
        let destination = ObjectFacts {
            modified_at: Timestamp::from_ms(100_999),
            ..object(10, "d", 0)
        };
        let decision = decide(
            OverwriteMode::SizeLastModified,
            &source,
            Some(&destination),
            None,
            None,
        );
        assert_eq!(decision, Decision::Copy);
    }

    #[test]
    fn checksums_decide_where_they_can_be_compared() {
        let with = |md5: Option<&str>, crc: Option<&str>, second| ObjectFacts {
            md5_hex: md5.map(str::to_owned),
            checksums: crc
                .map(|base64| Checksum {
                    algorithm: ChecksumAlgorithm::Crc32c,
                    base64: base64.to_owned(),
                })
                .into_iter()
                .collect(),
            ..object(10, "x", second)
        };
        let same = Decision::Ignore(IgnoreReason::SameChecksum);
        let newer = Decision::Ignore(IgnoreReason::NewerAtDestination);
        let cases = [
            (with(Some("a"), None, 1), with(Some("a"), None, 0), same),
            (
                with(Some("a"), None, 1),
                with(Some("b"), None, 9),
                Decision::Copy,
            ),
            // A full-object checksum outweighs the tag.
            (
                with(Some("a"), Some("c"), 1),
                with(Some("b"), Some("c"), 0),
                same,
            ),
            (
                with(Some("a"), Some("c"), 1),
                with(Some("a"), Some("d"), 9),
                Decision::Copy,
            ),
            // Nothing comparable: size and time decide.
            (with(Some("a"), None, 1), with(None, Some("c"), 9), newer),
            (with(None, None, 1), with(None, None, 0), Decision::Copy),
        ];
        for (source, destination, expected) in cases {
            let decision = decide(
                OverwriteMode::Checksum,
                &source,
                Some(&destination),
                None,
                None,
            );
            assert_eq!(decision, expected, "{source:?} {destination:?}");
        }
    }

    fn any_object() -> impl Strategy<Value = ObjectFacts> {
        (0_u64..3, "[ab]", 0_i64..3, proptest::option::of("[ab]")).prop_map(
            |(size, etag, second, md5)| ObjectFacts {
                md5_hex: md5,
                ..object(size, &etag, second)
            },
        )
    }

    proptest! {
        #[test]
        fn never_overwrites_nothing_and_always_everything(
            source in any_object(), destination in proptest::option::of(any_object()),
        ) {
            let there = destination.as_ref();
            let never = decide(OverwriteMode::Never, &source, there, None, None);
            prop_assert_eq!(never == Decision::Copy, there.is_none());
            prop_assert_eq!(decide(OverwriteMode::Always, &source, there, None, None), Decision::Copy);
        }

        #[test]
        fn what_is_not_there_is_copied_in_every_mode(source in any_object(), mode in 0_usize..4) {
            let decision = decide(OverwriteMode::ALL[mode], &source, None, Some(&last_copy("a", "b")), None);
            prop_assert_eq!(decision, Decision::Copy);
        }

        #[test]
        fn another_size_is_never_ignored_by_size_and_time(
            source in any_object(), destination in any_object(), tags in ("[ab]", "[ab]"),
        ) {
            prop_assume!(source.size_bytes != destination.size_bytes);
            let ours = last_copy(&tags.0, &tags.1);
            let decision =
                decide(OverwriteMode::SizeLastModified, &source, Some(&destination), Some(&ours), None);
            prop_assert_eq!(decision, Decision::Copy);
        }
    }
}
