//! Whether a listing can be relied on, seen from what was said of one name later.

use super::Sight;
use crate::model::{ObjectFacts, Timestamp};

/// So much older than the listing an object must be for the listing to have known
/// it, in milliseconds: clocks differ, and some servers list a little late.
const SETTLED_MS: i64 = 60_000;

/// Whether what was `found` at a name shows that the listing of `listed_at`, which
/// `said` something else, does not tell names or tags as they are.
///
/// | it said | found | contradiction |
/// |--|--|--|
/// | not there | an object from at least a minute before | yes |
/// | an object | one of the same time and size with another tag | yes |
/// | else | else | no: it may have changed since |
#[must_use]
pub fn contradicts(said: &Sight, listed_at: Timestamp, found: Option<&ObjectFacts>) -> bool {
    match (said, found) {
        (Sight::Absent, Some(found)) => found.modified_at.ms() + SETTLED_MS <= listed_at.ms(),
        (Sight::Present(said), Some(found)) => {
            said.modified_at == found.modified_at
                && said.size_bytes == found.size_bytes
                && said.etag != found.etag
        }
        (Sight::Unknown, _) | (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ETag;

    #[test]
    fn the_truth_table() {
        let object = |etag: &str, size_bytes, second: i64| ObjectFacts {
            etag: ETag::new(etag),
            size_bytes,
            modified_at: Timestamp::from_ms(second * 1000),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        };
        let listed_at = Timestamp::from_ms(100_000);
        let said = || Sight::Present(object("a", 1, 7));
        for (said, found, expected) in [
            (Sight::Unknown, Some(object("a", 1, 7)), false),
            (Sight::Absent, None, false),
            (Sight::Absent, Some(object("a", 1, 40)), true),
            (Sight::Absent, Some(object("a", 1, 41)), false),
            (said(), None, false),
            (said(), Some(object("a", 1, 7)), false),
            (said(), Some(object("b", 1, 7)), true),
            (said(), Some(object("b", 2, 7)), false),
            (said(), Some(object("b", 1, 8)), false),
        ] {
            let answer = contradicts(&said, listed_at, found.as_ref());
            assert_eq!(answer, expected, "{said:?} {found:?}");
        }
    }
}
