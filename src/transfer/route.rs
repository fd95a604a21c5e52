//! Which way an object is carried: in one piece or in parts.

use crate::model::{Failure, FailureCause};

const MIB: u64 = 1024 * 1024;

/// S3's smallest part that is not the last.
const MIN_PART_BYTES: u64 = 5 * MIB;

/// S3's largest part.
const MAX_PART_BYTES: u64 = 5 * 1024 * MIB;

/// S3's most parts of an upload.
const MAX_PARTS: u64 = 10_000;

/// What a streamed part holds in memory at any time.
const STREAM_BYTES: u64 = 256 * 1024;

/// How much may be buffered, and in which parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of parts in bytes, where the object's size does not ask for larger ones.
    pub part_bytes: u64,
    /// Objects above this size in bytes are carried in parts.
    pub multipart_above_bytes: u64,
    /// The most bytes that one piece may keep in memory; larger ones are streamed.
    pub share_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            part_bytes: 16 * MIB,
            multipart_above_bytes: 16 * MIB,
            share_bytes: 16 * MIB,
        }
    }
}

/// The way an object is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// One GET, one PUT, all bytes in memory between.
    Whole {
        /// The memory it takes.
        buffer_bytes: u64,
    },
    /// A multipart upload.
    Parts(PartPlan),
    /// The server copies it by itself.
    ServerSide {
        /// The object's size in bytes.
        size_bytes: u64,
    },
}

/// How an object is cut into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    /// The object's size in bytes.
    pub size_bytes: u64,
    /// The size in bytes of all parts but the last.
    pub part_bytes: u64,
    /// How many parts there are, 1 to 10,000.
    pub count: u32,
    /// Whether parts are streamed rather than buffered.
    pub streamed: bool,
    /// The memory in bytes that each part takes while it is carried.
    pub buffer_bytes_per_part: u64,
}

impl PartPlan {
    /// The same object cut into `parts` parts of `part_bytes`, as at the source;
    /// `None` if it was not cut so, or S3 or the memory does not allow it.
    pub(super) fn as_at_source(
        &self,
        part_bytes: u64,
        parts: u64,
        limits: &Limits,
    ) -> Option<Self> {
        let legal = (MIN_PART_BYTES..=MAX_PART_BYTES).contains(&part_bytes);
        let same = part_bytes > 0 && self.size_bytes.div_ceil(part_bytes) == parts;
        let fits = part_bytes <= limits.share_bytes && parts <= MAX_PARTS;
        (legal && same && fits).then(|| Self {
            part_bytes,
            count: u32::try_from(parts).unwrap_or(u32::MAX),
            streamed: false,
            buffer_bytes_per_part: part_bytes.min(self.size_bytes),
            ..*self
        })
    }

    /// The same object in parts of `part_bytes`, exactly `parts` of them if that
    /// is given, which take hardly any memory; `None` if S3 does not allow it.
    pub(super) fn in_parts_of(&self, part_bytes: u64, parts: Option<u64>) -> Option<Self> {
        let legal = (MIN_PART_BYTES..=MAX_PART_BYTES).contains(&part_bytes);
        let count = self.size_bytes.div_ceil(part_bytes.max(1));
        let as_asked = parts.is_none_or(|parts| parts == count);
        (legal && as_asked && count <= MAX_PARTS).then(|| Self {
            part_bytes,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            streamed: true,
            buffer_bytes_per_part: STREAM_BYTES,
            ..*self
        })
    }

    /// Where the part `index` (from 0) begins, and how long it is, in bytes.
    #[must_use]
    pub fn range(&self, index: u32) -> (u64, u64) {
        let first = u64::from(index) * self.part_bytes;
        let left = self.size_bytes.saturating_sub(first);
        (first, left.min(self.part_bytes))
    }
}

/// How an object of `size_bytes` is carried within `limits`.
///
/// # Errors
/// `too_large` above 10,000 parts of 5 GiB.
pub(super) fn route(size_bytes: u64, limits: &Limits) -> Result<Route, Failure> {
    if size_bytes <= limits.multipart_above_bytes.min(limits.share_bytes) {
        return Ok(Route::Whole {
            buffer_bytes: size_bytes,
        });
    }
    let needed = size_bytes.div_ceil(MAX_PARTS).next_multiple_of(MIB);
    if needed > MAX_PART_BYTES {
        let message = format!("{size_bytes} bytes are more than 10,000 parts of 5 GiB");
        return Err(Failure::new(FailureCause::TooLarge, message));
    }
    let part_bytes = limits
        .part_bytes
        .clamp(MIN_PART_BYTES, MAX_PART_BYTES)
        .max(needed);
    let held = part_bytes.min(size_bytes);
    let streamed = held > limits.share_bytes;
    Ok(Route::Parts(PartPlan {
        size_bytes,
        part_bytes,
        // At most 10,000, by the choice of part_bytes.
        count: u32::try_from(size_bytes.div_ceil(part_bytes)).unwrap_or(u32::MAX),
        streamed,
        buffer_bytes_per_part: if streamed { STREAM_BYTES } else { held },
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(size_bytes: u64, limits: &Limits) -> PartPlan {
        match route(size_bytes, limits).unwrap() {
            Route::Parts(plan) => plan,
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn every_plan_is_one_that_s3_takes(
            size_bytes in 1..=MAX_PARTS * MAX_PART_BYTES,
            part_bytes in 0..=2 * MAX_PART_BYTES,
            share_bytes in 0..=64 * MIB,
        ) {
            let limits = Limits { part_bytes, multipart_above_bytes: 0, share_bytes };
            let plan = plan(size_bytes, &limits);
            prop_assert!((1..=10_000).contains(&plan.count));
            prop_assert!((MIN_PART_BYTES..=MAX_PART_BYTES).contains(&plan.part_bytes));
            let mut next = 0;
            for index in 0..plan.count {
                let (first, length) = plan.range(index);
                prop_assert_eq!(first, next);
                prop_assert!(length > 0 && length <= plan.part_bytes);
                prop_assert!(length == plan.part_bytes || index + 1 == plan.count);
                next += length;
            }
            prop_assert_eq!(next, size_bytes);
            if !plan.streamed {
                prop_assert!(plan.buffer_bytes_per_part <= share_bytes);
            }
        }

        #[test]
        fn a_whole_object_fits_its_share(size_bytes in 0..64 * MIB, share_bytes in 0..64 * MIB) {
            let limits = Limits { share_bytes, multipart_above_bytes: 32 * MIB, ..Limits::default() };
            let whole = matches!(
                route(size_bytes, &limits).unwrap(),
                Route::Whole { buffer_bytes } if buffer_bytes == size_bytes
            );
            prop_assert_eq!(whole, size_bytes <= share_bytes.min(32 * MIB));
        }
    }

    #[test]
    fn the_ends_of_the_scale() {
        let limits = Limits::default();
        assert_eq!(route(0, &limits).unwrap(), Route::Whole { buffer_bytes: 0 });
        assert_eq!(
            route(16 * MIB, &limits).unwrap(),
            Route::Whole {
                buffer_bytes: 16 * MIB
            }
        );
        assert_eq!(plan(16 * MIB + 1, &limits).count, 2);
        assert_eq!(plan(MAX_PARTS * MAX_PART_BYTES, &limits).count, 10_000);
        let too_large = route(MAX_PARTS * MAX_PART_BYTES + 1, &limits).unwrap_err();
        assert_eq!(too_large.cause, FailureCause::TooLarge);
        assert_eq!(
            route(u64::MAX, &limits).unwrap_err().cause,
            FailureCause::TooLarge
        );
    }
}
