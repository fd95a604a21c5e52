//! What proves that the bytes at the destination are the source's bytes.

use super::digest::{self, Digests};
use crate::model::{
    ArrivedPart, Checksum, ChecksumAlgorithm, ChecksumMode, Failure, FailureCause, ObjectFacts,
    Verified,
};
use crate::s3::PutAnswer;

/// What is sent along with bytes for the destination to check; `None`: their MD5.
///
/// | the task wants | the destination checks | sent |
/// |--|--|--|
/// | `md5` | anything | MD5 |
/// | another | it | it |
/// | another | not it | MD5 |
/// | `auto` | one that the source states too | the cheapest of those |
/// | `auto` | others | the cheapest of those |
/// | `auto` | none | MD5 |
pub(super) fn choose(
    mode: ChecksumMode,
    is_checked: impl Fn(ChecksumAlgorithm) -> bool,
    stated: &[Checksum],
) -> Option<ChecksumAlgorithm> {
    let candidates = mode.candidates().iter().copied();
    let mut checked = candidates.filter(|candidate| is_checked(*candidate));
    let is_stated = |candidate: &ChecksumAlgorithm| {
        let mut stated = stated.iter();
        stated.any(|stated| stated.algorithm == *candidate)
    };
    checked.clone().find(is_stated).or_else(|| checked.next())
}

/// As [`choose`], for an object in one piece: in `auto` one whose source states its
/// MD5 and no checksum is proven by that, for nothing else would tell bytes that
/// went wrong on their way here.
pub(super) fn choose_for_whole(
    mode: ChecksumMode,
    is_checked: impl Fn(ChecksumAlgorithm) -> bool,
    source: &ObjectFacts,
) -> Option<ChecksumAlgorithm> {
    let mut stated = source.checksums.iter();
    let is_stated = stated.any(|stated| digest::is_computed(stated.algorithm));
    if mode == ChecksumMode::Auto && !is_stated && source.md5_hex.is_some() {
        return None;
    }
    choose(mode, is_checked, &source.checksums)
}

/// Computes what is to be `sent` along with the `bytes` of a whole object, and
/// compares with what the source says: MD5 only if that is sent.
///
/// # Errors
/// `integrity` if something differs.
pub(super) fn compute(
    name: &str,
    source: &ObjectFacts,
    bytes: &[u8],
    sent: Option<ChecksumAlgorithm>,
) -> Result<Digests, Failure> {
    let mut digests = Digests {
        md5: sent.is_none().then(|| digest::md5(bytes)),
        sent: None,
        crc: None,
    };
    if let (Some(stated), Some(md5)) = (&source.md5_hex, &digests.md5) {
        compare(name, "MD5", "source", stated, &digest::hex(md5))?;
    }
    // What is sent first: it need not be computed twice.
    let mut stated: Vec<&Checksum> = source.checksums.iter().collect();
    stated.sort_by_key(|stated| Some(stated.algorithm) != sent);
    for stated in stated {
        if let Some(computed) = digest::checksum(stated.algorithm, bytes) {
            let what = stated.algorithm.header();
            compare(name, what, "source", &stated.base64, &computed.base64)?;
            digests.sent = Some(computed);
            break;
        }
    }
    if let Some(sent) = sent
        && digests.sent.as_ref().map(|sent| sent.algorithm) != Some(sent)
    {
        digests.sent = digest::checksum(sent, bytes);
    }
    Ok(digests)
}

/// What the destination's answer proves.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// That it has what was sent.
    By(Verified),
    /// Nothing: a checksum was sent instead of the MD5, and is not echoed.
    None,
}

/// Compares the destination's answer with what was computed of `bytes` and sent
/// along. What its answer does not echo it may not have looked at.
///
/// | sent along | the answer's `ETag` | the checksum is echoed | proof |
/// |--|--|--|--|
/// | MD5, maybe a checksum too | is the MD5 | any | `etag_md5` |
/// | MD5, maybe a checksum too | not comparable | yes | `crc64nvme`, `crc32c`, `sha256` |
/// | MD5, maybe a checksum too | not comparable | no | `content_md5`: it took the bytes with their MD5 beside them |
/// | a checksum alone | any | yes | `crc64nvme`, `crc32c`, `sha256` |
/// | a checksum alone | is the MD5, computed for that | no | `etag_md5` |
/// | a checksum alone | not comparable | no | none |
///
/// # Errors
/// `integrity` if one differs.
pub(super) fn prove(
    name: &str,
    digests: &Digests,
    bytes: &[u8],
    answer: &PutAnswer,
) -> Result<Proof, Failure> {
    let mut proof = match digests.md5 {
        Some(_) => Proof::By(Verified::ContentMd5),
        None => Proof::None,
    };
    if let Some(ours) = &digests.sent
        && let Some(theirs) = echo(answer, ours.algorithm)
    {
        let what = ours.algorithm.header();
        compare(name, what, "destination", theirs, &ours.base64)?;
        proof = word(ours.algorithm).map_or(proof, Proof::By);
    }
    if let Some(theirs) = &answer.md5_hex
        && (digests.md5.is_some() || proof == Proof::None)
    {
        let ours = digests.md5.unwrap_or_else(|| digest::md5(bytes));
        compare(name, "ETag", "destination", theirs, &digest::hex(&ours))?;
        proof = Proof::By(Verified::EtagMd5);
    }
    Ok(proof)
}

/// The checksum of this kind that the answer states.
pub(super) fn echo(answer: &PutAnswer, algorithm: ChecksumAlgorithm) -> Option<&str> {
    let mut stated = answer.checksums.iter();
    let stated = stated.find(|stated| stated.algorithm == algorithm)?;
    Some(&stated.base64)
}

/// Whether a request may have been refused for the checksum that came with it:
/// there are servers that do not know them, or not with this upload.
pub(super) fn may_be_about_checksum(refusal: &Failure) -> bool {
    let causes = [FailureCause::BadRequest, FailureCause::MetadataRefused];
    causes.contains(&refusal.cause)
}

/// The proof that holds for all of `parts`.
pub(super) fn weakest(parts: &[ArrivedPart]) -> Verified {
    const BY_STRENGTH: [Verified; 5] = [
        Verified::SizeOnly,
        Verified::ContentMd5,
        Verified::Crc32c,
        Verified::Crc64nvme,
        Verified::Sha256,
    ];
    let has = |proof: &Verified| parts.iter().any(|part| part.verified == *proof);
    let weakest = BY_STRENGTH.into_iter().find(|proof| has(proof));
    weakest.unwrap_or(Verified::EtagMd5)
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

/// The word for a copy that was proven by a checksum of this kind.
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
            readiness: crate::model::Readiness::Ready,
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
    fn the_cheapest_that_both_ends_can_prove_is_sent() {
        use ChecksumAlgorithm::{Crc32, Crc32c, Crc64nvme, Sha256};
        let all = [Crc64nvme, Crc32c, Crc32, Sha256];
        for (mode, checked, stated, sent) in [
            (ChecksumMode::Md5, &all[..], Some(Crc64nvme), None),
            (
                ChecksumMode::Crc32c,
                &all[..],
                Some(Crc64nvme),
                Some(Crc32c),
            ),
            (ChecksumMode::Crc32c, &[Crc64nvme], Some(Crc32c), None),
            (ChecksumMode::Auto, &all[..], None, Some(Crc64nvme)),
            (ChecksumMode::Auto, &all[..], Some(Crc32c), Some(Crc32c)),
            (ChecksumMode::Auto, &all[..], Some(Crc32), Some(Crc64nvme)),
            (ChecksumMode::Auto, &[Sha256, Crc32c], None, Some(Crc32c)),
            (ChecksumMode::Auto, &[Crc32c], Some(Crc64nvme), Some(Crc32c)),
            (ChecksumMode::Auto, &[Sha256], None, Some(Sha256)),
            (ChecksumMode::Auto, &[Crc32], Some(Crc32), None),
            (ChecksumMode::Auto, &[], Some(Crc64nvme), None),
        ] {
            let stated: Vec<Checksum> = stated
                .and_then(|stated| digest::checksum(stated, b"abc"))
                .into_iter()
                .collect();
            let is_checked = |algorithm| checked.contains(&algorithm);
            assert_eq!(
                choose(mode, is_checked, &stated),
                sent,
                "{mode} {checked:?} {stated:?}"
            );
        }
    }

    #[test]
    fn bytes_that_nothing_else_can_tell_are_compared_by_md5() {
        use ChecksumAlgorithm::{Crc32, Crc32c, Crc64nvme, Sha1};
        for (mode, md5, stated, sent) in [
            (ChecksumMode::Auto, Some(ABC), None, None),
            (ChecksumMode::Auto, Some(ABC), Some(Sha1), None),
            (ChecksumMode::Auto, Some(ABC), Some(Crc32c), Some(Crc32c)),
            (ChecksumMode::Auto, Some(ABC), Some(Crc32), Some(Crc64nvme)),
            (ChecksumMode::Auto, None, None, Some(Crc64nvme)),
            (ChecksumMode::Crc64nvme, Some(ABC), None, Some(Crc64nvme)),
            (ChecksumMode::Md5, None, Some(Crc32c), None),
        ] {
            let stated = stated.map(|algorithm| Checksum {
                algorithm,
                base64: String::new(),
            });
            let facts = source(md5, stated);
            let chosen = choose_for_whole(mode, |_| true, &facts);
            assert_eq!(chosen, sent, "{mode} {facts:?}");
        }
    }

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
            let computed = compute("a", &facts, b"abc", None);
            assert_eq!(computed.is_ok(), fits, "{facts:?}");
            assert_eq!(
                computed.is_ok_and(|computed| computed.sent.is_some()),
                fits && !facts.checksums.is_empty()
            );
        }
    }

    #[test]
    fn no_md5_is_computed_beside_a_checksum_that_is_sent() {
        let sent = ChecksumAlgorithm::Crc64nvme;
        let stated = digest::checksum(ChecksumAlgorithm::Crc32c, b"abc");
        let computed = compute("a", &source(Some(OTHER), stated), b"abc", Some(sent));
        let expected = Digests {
            md5: None,
            sent: digest::checksum(sent, b"abc"),
            crc: None,
        };
        assert_eq!(computed, Ok(expected));
        let wrong = digest::checksum(ChecksumAlgorithm::Crc32c, b"abd");
        let computed = compute("a", &source(None, wrong), b"abc", Some(sent));
        assert_eq!(computed.unwrap_err().cause, FailureCause::Integrity);
    }

    #[test]
    fn the_strongest_proof_is_recorded() {
        let crc = || digest::checksum(ChecksumAlgorithm::Crc64nvme, b"abc");
        let other = || digest::checksum(ChecksumAlgorithm::Crc32c, b"abc");
        let wrong = || digest::checksum(ChecksumAlgorithm::Crc64nvme, b"abd");
        let by = |verified| Some(Proof::By(verified));
        let with_md5 = [
            (answer(Some(ABC), None), by(Verified::EtagMd5)),
            (answer(Some(ABC), crc()), by(Verified::EtagMd5)),
            (answer(None, crc()), by(Verified::Crc64nvme)),
            (answer(None, other()), by(Verified::ContentMd5)),
            (answer(None, None), by(Verified::ContentMd5)),
            (answer(Some(OTHER), None), None),
            (answer(Some(OTHER), crc()), None),
            (answer(Some(ABC), wrong()), None),
        ];
        let without = [
            (answer(Some(ABC), crc()), by(Verified::Crc64nvme)),
            (answer(Some(OTHER), crc()), by(Verified::Crc64nvme)),
            (answer(None, crc()), by(Verified::Crc64nvme)),
            (answer(None, wrong()), None),
            (answer(Some(ABC), None), by(Verified::EtagMd5)),
            (answer(Some(ABC), other()), by(Verified::EtagMd5)),
            (answer(Some(OTHER), None), None),
            (answer(None, None), Some(Proof::None)),
            (answer(None, other()), Some(Proof::None)),
        ];
        for (md5, cases) in [(true, &with_md5[..]), (false, &without[..])] {
            let digests = Digests {
                md5: md5.then(|| digest::md5(b"abc")),
                sent: crc(),
                crc: None,
            };
            for (answer, expected) in cases {
                let proof = prove("a", &digests, b"abc", answer);
                assert_eq!(proof.as_ref().ok(), expected.as_ref(), "{md5} {answer:?}");
                if let Err(failure) = proof {
                    assert_eq!(failure.cause, FailureCause::Integrity);
                }
            }
        }
    }

    #[test]
    fn the_whole_is_proven_no_better_than_its_worst_part() {
        use Verified::{ContentMd5, Crc32c, Crc64nvme, EtagMd5, SizeOnly};
        for (parts, whole) in [
            (&[EtagMd5, EtagMd5][..], EtagMd5),
            (&[EtagMd5, Crc64nvme], Crc64nvme),
            (&[Crc64nvme, Crc32c], Crc32c),
            (&[Crc64nvme, ContentMd5], ContentMd5),
            (&[SizeOnly, ContentMd5], SizeOnly),
        ] {
            let part = |verified: &Verified| ArrivedPart {
                number: 1,
                etag: ETag::new("x"),
                md5: None,
                crc: None,
                whole_md5: None,
                verified: *verified,
            };
            let arrived: Vec<ArrivedPart> = parts.iter().map(part).collect();
            assert_eq!(weakest(&arrived), whole, "{parts:?}");
        }
    }
}
