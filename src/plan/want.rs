//! Whether an object that listings show is worth asking for.

use crate::decide::decide;
use crate::model::{Decision, LastCopy, ObjectFacts, OverwriteMode};

/// What a run would do with an object, as far as listings tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Copy it: the destination has no such name.
    Lacking,
    /// Copy it: the destination has something else, or something older.
    Different,
    /// Ask about it: listings do not tell enough.
    Undecided,
    /// Leave it as it is.
    Nothing,
}

/// Says what a run would do with an object that the listing of the source shows, and
/// that of the destination as `destination`.
///
/// | destination | mode | want |
/// |--|--|--|
/// | not there | any | lacking |
/// | as long | `checksum` | undecided: listings know no checksums |
/// | as long, and we copied the name before, but a listing knows no tags | `size_last_modified` | undecided: whose it is shows in the tag |
/// | else | any | different or nothing, as the rule for ignoring says |
#[must_use]
pub fn want(
    mode: OverwriteMode,
    source: &ObjectFacts,
    destination: Option<&ObjectFacts>,
    last_copy: Option<&LastCopy>,
) -> Want {
    let Some(found) = destination else {
        return Want::Lacking;
    };
    let is_as_long = source.size_bytes == found.size_bytes;
    let tells_tags = !source.etag.as_str().is_empty() && !found.etag.as_str().is_empty();
    let is_undecided = match mode {
        OverwriteMode::Checksum => is_as_long,
        OverwriteMode::SizeLastModified => is_as_long && last_copy.is_some() && !tells_tags,
        OverwriteMode::Never | OverwriteMode::Always => false,
    };
    if is_undecided {
        return Want::Undecided;
    }
    match decide(mode, source, destination, last_copy, None) {
        Decision::Copy => Want::Different,
        Decision::Ignore(_) => Want::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{ETag, Timestamp};

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

    fn copied(source_etag: &str, copy_etag: &str) -> LastCopy {
        LastCopy {
            source_etag: ETag::new(source_etag),
            copy_etag: ETag::new(copy_etag),
        }
    }

    #[test]
    fn the_truth_table() {
        use OverwriteMode::{Always, Checksum, Never, SizeLastModified};
        let source = object(10, "s", 100);
        for (mode, destination, last_copy, expected) in [
            (
                SizeLastModified,
                None,
                Some(copied("s", "c")),
                Want::Lacking,
            ),
            (Never, None, None, Want::Lacking),
            (Never, Some(object(1, "d", 0)), None, Want::Nothing),
            (Always, Some(object(10, "s", 200)), None, Want::Different),
            (Checksum, Some(object(10, "s", 200)), None, Want::Undecided),
            (Checksum, Some(object(9, "s", 200)), None, Want::Different),
            (
                SizeLastModified,
                Some(object(9, "d", 200)),
                None,
                Want::Different,
            ),
            (
                SizeLastModified,
                Some(object(10, "d", 200)),
                None,
                Want::Nothing,
            ),
            (
                SizeLastModified,
                Some(object(10, "", 200)),
                None,
                Want::Nothing,
            ),
            (
                SizeLastModified,
                Some(object(10, "d", 100)),
                None,
                Want::Different,
            ),
            (
                SizeLastModified,
                Some(object(10, "c", 50)),
                Some(copied("s", "c")),
                Want::Nothing,
            ),
            (
                SizeLastModified,
                Some(object(10, "c", 200)),
                Some(copied("r", "c")),
                Want::Different,
            ),
            (
                SizeLastModified,
                Some(object(10, "", 200)),
                Some(copied("r", "c")),
                Want::Undecided,
            ),
        ] {
            let said = want(mode, &source, destination.as_ref(), last_copy.as_ref());
            assert_eq!(said, expected, "{mode} {destination:?} {last_copy:?}");
        }
    }

    fn any_object() -> impl Strategy<Value = ObjectFacts> {
        (0_u64..2, "[ab]?", 0_i64..3).prop_map(|(size, etag, second)| object(size, &etag, second))
    }

    proptest! {
        /// What is not asked for is what a run would ignore, whatever its HEADs tell:
        /// but for tags, a listing tells the same.
        #[test]
        fn nothing_that_a_run_would_copy_is_passed_over(
            source in any_object(), destination in proptest::option::of(any_object()),
            mode in 0_usize..4, tags in proptest::option::of(("[ab]", "[ab]")),
            real in ("[ab]", "[ab]"),
        ) {
            let mode = OverwriteMode::ALL[mode];
            let last_copy = tags.map(|(source, copy)| copied(&source, &copy));
            if want(mode, &source, destination.as_ref(), last_copy.as_ref()) == Want::Nothing {
                let told = |facts: &ObjectFacts, tag: &str| match facts.etag.as_str() {
                    "" => ObjectFacts { etag: ETag::new(tag), ..facts.clone() },
                    _ => facts.clone(),
                };
                let source = told(&source, &real.0);
                let destination = destination.map(|found| told(&found, &real.1));
                let decision = decide(mode, &source, destination.as_ref(), last_copy.as_ref(), None);
                prop_assert_ne!(decision, Decision::Copy);
            }
        }
    }
}
