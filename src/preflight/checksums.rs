//! Which checksums the destination checks. Old servers ignore them in silence.

use super::{Check, Verdict, put_plain, tried};
use crate::model::{Checksum, ChecksumAlgorithm, ChecksumMode, Failure};
use crate::s3::{Bucket, Condition};

/// Sees which checksum of those that `mode` asks for, the cheapest first, the
/// destination checks, and has the destination remember it. `None`: none is asked for.
///
/// | the right one | a wrong one | it is |
/// |--|--|--|
/// | is echoed | is refused (HTTP 400) | checked |
/// | is echoed | is taken | not checked |
/// | is not echoed, or refused | | not checked |
pub(super) fn check(destination: &Bucket, canary: &str, mode: ChecksumMode) -> Option<Check> {
    let candidates = mode.candidates();
    let checked = candidates
        .iter()
        .find(|candidate| is_checked(destination, canary, **candidate));
    if let Some(checked) = checked {
        destination.checks(*checked);
    }
    let verdict = match checked {
        _ if candidates.is_empty() => return None,
        Some(checked) => Verdict::Passed(format!("checks {}", checked.as_str())),
        None => {
            let names: Vec<&str> = candidates.iter().map(|one| one.as_str()).collect();
            let names = names.join(", ");
            Verdict::Note(format!(
                "copies are proven by MD5: it does not check {names}"
            ))
        }
    };
    Some(Check {
        subject: "destination checksums",
        verdict,
    })
}

fn is_checked(destination: &Bucket, canary: &str, algorithm: ChecksumAlgorithm) -> bool {
    let Some((right, wrong)) = of_canary(algorithm) else {
        return false;
    };
    let put = |base64: &str| {
        let checksum = Checksum {
            algorithm,
            base64: base64.to_owned(),
        };
        let answer = put_plain(destination, canary, Condition::Anything, Some(&checksum))?;
        Ok(answer.checksums.contains(&checksum))
    };
    // A refusal of the wrong one is no trouble that passes: it is asked for once.
    let is_refused = |failure: Failure| failure.http_status == Some(400);
    tried(|| put(right)).unwrap_or(false) && put(wrong).is_err_and(is_refused)
}

/// The canary's checksum, and that of no bytes, which is wrong.
const fn of_canary(algorithm: ChecksumAlgorithm) -> Option<(&'static str, &'static str)> {
    match algorithm {
        ChecksumAlgorithm::Crc64nvme => Some(("psp+7bWL/9M=", "AAAAAAAAAAA=")),
        ChecksumAlgorithm::Crc32c => Some(("Oc3YSw==", "AAAAAA==")),
        ChecksumAlgorithm::Sha256 => Some((
            "YcvO9C1R1/rs65Jn9dzMSwfqmz2B9q1eF+LXziudW8k=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        )),
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Sha1 => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use crc_fast::CrcAlgorithm;
    use sha2::{Digest, Sha256};

    use super::super::CANARY;
    use super::*;

    #[test]
    fn the_checksums_are_those_of_the_canary_and_of_nothing() {
        let crc64 = |bytes: &[u8]| {
            let crc = crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes);
            STANDARD.encode(crc.to_be_bytes())
        };
        let crc32 = |bytes: &[u8]| {
            let crc = crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes);
            STANDARD.encode(&crc.to_be_bytes()[4..])
        };
        let sha256 = |bytes: &[u8]| STANDARD.encode(Sha256::digest(bytes));
        for &algorithm in ChecksumMode::Auto.candidates() {
            let of = |bytes: &[u8]| match algorithm {
                ChecksumAlgorithm::Crc64nvme => crc64(bytes),
                ChecksumAlgorithm::Crc32c => crc32(bytes),
                _ => sha256(bytes),
            };
            let (right, wrong) = of_canary(algorithm).unwrap();
            assert_eq!((right, wrong), (&*of(CANARY), &*of(b"")), "{algorithm:?}");
        }
    }
}
