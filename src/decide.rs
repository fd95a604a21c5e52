//! The rule for ignoring: the contract's section 6, as a pure function.

use crate::model::{Decision, IgnoreReason, LastCopy, ObjectFacts, OverwriteMode};

/// Says whether the source object is carried or left.
///
/// | mode | destination | decision |
/// |--|--|--|
/// | any | not there | copy |
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
) -> Decision {
    let Some(destination) = destination else {
        return Decision::Copy;
    };
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
