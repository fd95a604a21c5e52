//! Whether a copy that the server made is its source.

use crate::model::{Checksum, ETag, ObjectFacts, Verified};
use crate::transfer::proof::word;

/// Whether a copy is its source, by what the server says of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    Proven(Verified),
    Wrong(String),
    Unclear,
}

/// Compares what the server says of the copy with what it says of the `source`.
///
/// | the copy has | it is |
/// |--|--|
/// | the source's MD5, or the source's tag, of parts or itself an MD5 | proven: `etag_md5` |
/// | else a full-object checksum that the source has too | proven: `crc64nvme`, `crc32c`, `sha256` |
/// | another MD5 or such checksum than the source | wrong |
/// | nothing that could be compared | unclear |
///
/// A listing tells tags without saying whether keys lie over the objects. The tag of
/// an object under a key is not made of its bytes, so it is never an MD5 that the copy has.
pub(super) fn prove(
    source: &ObjectFacts,
    etag: &ETag,
    md5_hex: Option<&str>,
    checksums: &[Checksum],
) -> Proof {
    let same_md5 = md5_hex.is_some() && source.md5_hex.as_deref() == md5_hex;
    let same_tag = source.etag == *etag && (md5_hex.is_some() || source.etag.parts().is_some());
    if same_md5 || same_tag {
        return Proof::Proven(Verified::EtagMd5);
    }
    let mut wrong = match (&source.md5_hex, md5_hex) {
        (Some(source), Some(copy)) => Some(("MD5", source.as_str(), copy)),
        _ => None,
    };
    for ours in &source.checksums {
        let is_kin = |theirs: &&Checksum| theirs.algorithm == ours.algorithm;
        let Some(theirs) = checksums.iter().find(is_kin) else {
            continue;
        };
        if theirs.base64 != ours.base64 {
            wrong = Some((ours.algorithm.header(), &ours.base64, &theirs.base64));
        } else if let Some(verified) = word(ours.algorithm) {
            return Proof::Proven(verified);
        }
    }
    wrong.map_or(Proof::Unclear, |(what, source, copy)| {
        Proof::Wrong(format!(
            "the source's {what} is {source}, its copy's {copy}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChecksumAlgorithm, Timestamp};

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const OTHER: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const OF_PARTS: &str = "9ed1514d1be2cb3ee3ac9b43ec9a1a4c-2";

    fn crc(base64: &str) -> Checksum {
        Checksum {
            algorithm: ChecksumAlgorithm::Crc64nvme,
            base64: base64.to_owned(),
        }
    }

    fn sha1() -> Checksum {
        Checksum {
            algorithm: ChecksumAlgorithm::Sha1,
            base64: "x".to_owned(),
        }
    }

    fn source(etag: &str, checksums: &[Checksum]) -> ObjectFacts {
        let etag = ETag::new(etag);
        ObjectFacts {
            md5_hex: etag.looks_like_md5().then(|| etag.as_str().to_owned()),
            etag,
            size_bytes: 3,
            modified_at: Timestamp::from_ms(0),
            checksums: checksums.to_vec(),
            readiness: crate::model::Readiness::Ready,
        }
    }

    /// What a listing tells.
    fn listed(etag: &str) -> ObjectFacts {
        ObjectFacts {
            md5_hex: None,
            ..source(etag, &[])
        }
    }

    #[test]
    fn under_a_key_the_copy_is_not_proven_by_its_tag() {
        let proof = prove(&listed(MD5), &ETag::new(MD5), None, &[]);
        assert_eq!(proof, Proof::Unclear);
    }

    #[test]
    fn the_truth_table_of_proofs() {
        let proven = |verified| Some(Some(verified));
        let (wrong, unclear) = (Some(None), None);
        let cases = [
            (source(MD5, &[]), MD5, vec![], proven(Verified::EtagMd5)),
            (source(MD5, &[]), OTHER, vec![], wrong),
            (source(MD5, &[]), "kms", vec![], unclear),
            (source(MD5, &[]), "", vec![], unclear),
            (source("kms", &[]), "kms", vec![], unclear),
            (source("kms", &[]), MD5, vec![], unclear),
            (listed(MD5), MD5, vec![], proven(Verified::EtagMd5)),
            (listed(MD5), OTHER, vec![], unclear),
            (listed("kms"), MD5, vec![], unclear),
            (
                source(OF_PARTS, &[]),
                OF_PARTS,
                vec![],
                proven(Verified::EtagMd5),
            ),
            (source(OF_PARTS, &[]), MD5, vec![], unclear),
            (
                source(OF_PARTS, &[crc("a")]),
                MD5,
                vec![crc("a")],
                proven(Verified::Crc64nvme),
            ),
            (source(OF_PARTS, &[crc("a")]), MD5, vec![crc("b")], wrong),
            (source(OF_PARTS, &[crc("a")]), MD5, vec![sha1()], unclear),
            (source(OF_PARTS, &[sha1()]), MD5, vec![sha1()], unclear),
            // Tags that only look like an MD5.
            (
                source(MD5, &[crc("a")]),
                OTHER,
                vec![crc("a")],
                proven(Verified::Crc64nvme),
            ),
        ];
        for (source, etag, checksums, expected) in cases {
            let etag = ETag::new(etag);
            let md5 = etag.looks_like_md5().then(|| etag.as_str());
            let found = match prove(&source, &etag, md5, &checksums) {
                Proof::Proven(verified) => Some(Some(verified)),
                Proof::Wrong(_) => Some(None),
                Proof::Unclear => None,
            };
            assert_eq!(found, expected, "{source:?} {etag} {checksums:?}");
        }
    }
}
