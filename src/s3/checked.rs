//! Checksums that a server was seen to check. Many ignore them in silence.

use std::sync::atomic::{AtomicU8, Ordering};

use super::bucket::Bucket;
use crate::model::ChecksumAlgorithm;

/// What is written with a checksum beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// An object.
    Object,
    /// A part of a multipart upload. There are servers that check objects alone.
    Part,
}

/// The algorithms that a server checks, each a bit.
#[derive(Debug, Default)]
pub(super) struct Checked {
    objects: AtomicU8,
    parts: AtomicU8,
}

impl Checked {
    const fn of(&self, piece: Piece) -> &AtomicU8 {
        match piece {
            Piece::Object => &self.objects,
            Piece::Part => &self.parts,
        }
    }
}

impl Bucket {
    /// Notes that the server was seen to answer with the checksum of what it took,
    /// and to refuse a wrong one. Parts are then taken to be checked too, until
    /// one is not.
    pub fn checks(&self, algorithm: ChecksumAlgorithm) {
        for piece in [Piece::Object, Piece::Part] {
            let bits = self.0.checked.of(piece);
            bits.fetch_or(bit(algorithm), Ordering::Relaxed);
        }
    }

    /// Notes that the server took a piece and did not say its checksum.
    pub fn ignores(&self, algorithm: ChecksumAlgorithm, piece: Piece) {
        let bits = self.0.checked.of(piece);
        bits.fetch_and(!bit(algorithm), Ordering::Relaxed);
    }

    /// Whether the server is known to check it.
    #[must_use]
    pub fn is_checking(&self, algorithm: ChecksumAlgorithm, piece: Piece) -> bool {
        self.0.checked.of(piece).load(Ordering::Relaxed) & bit(algorithm) != 0
    }
}

const fn bit(algorithm: ChecksumAlgorithm) -> u8 {
    match algorithm {
        ChecksumAlgorithm::Crc64nvme => 1,
        ChecksumAlgorithm::Crc32c => 2,
        ChecksumAlgorithm::Crc32 => 4,
        ChecksumAlgorithm::Sha256 => 8,
        ChecksumAlgorithm::Sha1 => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::tests::bucket_at;
    use super::*;
    use crate::model::Side;

    #[test]
    fn what_was_seen_holds_for_one_algorithm_and_one_kind_of_piece() {
        let bucket = bucket_at("http://127.0.0.1:9", Side::Destination);
        for &seen in ChecksumAlgorithm::ALL {
            assert!(!bucket.is_checking(seen, Piece::Object));
            bucket.checks(seen);
            assert!(bucket.is_checking(seen, Piece::Part));
            bucket.ignores(seen, Piece::Part);
            assert!(!bucket.is_checking(seen, Piece::Part));
            assert!(bucket.is_checking(seen, Piece::Object));
        }
    }
}
