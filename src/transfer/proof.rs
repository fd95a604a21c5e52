//! What proves that the bytes at the destination are the source's bytes.

use super::digest::{self, Md5Bytes};
use crate::model::{Checksum, ChecksumAlgorithm, Failure, FailureCause, ObjectFacts, Verified};
use crate::s3::PutAnswer;

/// What is computed on the bytes of a whole object.
#[derive(Debug)]
pub(super) struct Computed {
    /// Their MD5.
    pub(super) md5: Md5Bytes,
    /// The checksum that the source states, computed anew.
    pub(super) checksum: Option<Checksum>,
}

/// Computes the digests of `bytes` and compares them with what the source says.
///
/// # Errors
/// `integrity` if one differs.
pub(super) fn compute(name: &str, source: &ObjectFacts, bytes: &[u8]) -> Result<Computed, Failure> {
    let md5 = digest::md5(bytes);
    if let Some(stated) = &source.md5_hex {
        compare(name, "MD5", "source", stated, &digest::hex(&md5))?;
    }
    let mut checksum = None;
    for stated in &source.checksums {
        if let Some(computed) = digest::checksum(stated.algorithm, bytes) {
            compare(
                name,
                stated.algorithm.header(),
                "source",
                &stated.base64,
                &computed.base64,
            )?;
            checksum = Some(computed);
            break;
        }
    }
    Ok(Computed { md5, checksum })
}

/// Compares the destination's answer with what was computed and sent along.
///
/// | the destination answers with | proof |
/// |--|--|
/// | an `ETag` that is the MD5 | `etag_md5` |
/// | no comparable `ETag`, the checksum that was sent | `crc64nvme`, `crc32c`, `sha256` |
/// | neither | `content_md5`: it took the bytes with their MD5 beside them |
///
/// # Errors
/// `integrity` if one differs.
pub(super) fn prove(
    name: &str,
    computed: &Computed,
    answer: &PutAnswer,
) -> Result<Verified, Failure> {
    let mut verified = Verified::ContentMd5;
    if let Some(ours) = &computed.checksum
        && let Some(theirs) = answer
            .checksums
            .iter()
            .find(|theirs| theirs.algorithm == ours.algorithm)
    {
        compare(
            name,
            ours.algorithm.header(),
            "destination",
            &theirs.base64,
            &ours.base64,
        )?;
        verified = word(ours.algorithm).unwrap_or(verified);
    }
    if let Some(theirs) = &answer.md5_hex {
        compare(
            name,
            "ETag",
            "destination",
            theirs,
            &digest::hex(&computed.md5),
        )?;
        verified = Verified::EtagMd5;
    }
    Ok(verified)
}

/// Fails with `integrity` if `stated` is not what was `computed`.
pub(super) fn compare(
    name: &str,
    what: &str,
    side: &str,
    stated: &str,
    computed: &str,
) -> Result<(), Failure> {
    if stated == computed {
        return Ok(());
    }
    let message = format!(
        "{name:?} is not the same: the {side}'s {what} is {stated}, the bytes read make {computed}"
    );
    Err(Failure::new(FailureCause::Integrity, message))
}

/// The word for a proof by a checksum of this kind.
pub(super) const fn word(algorithm: ChecksumAlgorithm) -> Option<Verified> {
    match algorithm {
        ChecksumAlgorithm::Crc64nvme => Some(Verified::Crc64nvme),
        ChecksumAlgorithm::Crc32c => Some(Verified::Crc32c),
        ChecksumAlgorithm::Sha256 => Some(Verified::Sha256),
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Sha1 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ETag, Timestamp};

    fn source(md5: Option<&str>, checksum: Option<Checksum>) -> ObjectFacts {
        ObjectFacts {
            etag: ETag::new("x"),
            size_bytes: 3,
            modified_at: Timestamp::from_ms(0),
            md5_hex: md5.map(str::to_owned),
            checksums: checksum.into_iter().collect(),
            storage_class: None,
        }
    }

    fn answer(md5: Option<&str>, checksum: Option<Checksum>) -> PutAnswer {
        PutAnswer {
            etag: ETag::new("y"),
            md5_hex: md5.map(str::to_owned),
            checksums: checksum.into_iter().collect(),
            request_id: None,
        }
    }

    const ABC: &str = "900150983cd24fb0d6963f7d28e17f72";
    const OTHER: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn what_the_source_states_must_fit_the_bytes() {
        let right = digest::checksum(ChecksumAlgorithm::Crc32c, b"abc");
        let wrong = digest::checksum(ChecksumAlgorithm::Crc32c, b"abd");
        for (facts, fits) in [
            (source(None, None), true),
            (source(Some(ABC), None), true),
            (source(Some(ABC), right.clone()), true),
            (source(None, right), true),
            (source(Some(OTHER), None), false),
            (source(Some(ABC), wrong), false),
        ] {
            let computed = compute("a", &facts, b"abc");
            assert_eq!(computed.is_ok(), fits, "{facts:?}");
            assert_eq!(
                computed.is_ok_and(|computed| computed.checksum.is_some()),
                fits && !facts.checksums.is_empty()
            );
        }
    }

    #[test]
    fn the_strongest_proof_is_recorded() {
        let crc = || digest::checksum(ChecksumAlgorithm::Crc64nvme, b"abc");
        let wrong = || digest::checksum(ChecksumAlgorithm::Crc64nvme, b"abd");
        let computed = compute("a", &source(None, crc()), b"abc").unwrap();
        for (answer, expected) in [
            (answer(Some(ABC), None), Some(Verified::EtagMd5)),
            (answer(Some(ABC), crc()), Some(Verified::EtagMd5)),
            (answer(None, crc()), Some(Verified::Crc64nvme)),
            (answer(None, None), Some(Verified::ContentMd5)),
            (answer(Some(OTHER), None), None),
            (answer(Some(ABC), wrong()), None),
        ] {
            let proof = prove("a", &computed, &answer);
            assert_eq!(proof.as_ref().ok(), expected.as_ref(), "{answer:?}");
            if let Err(failure) = proof {
                assert_eq!(failure.cause, FailureCause::Integrity);
            }
        }
    }
}
