//! Digests of the bytes that were read.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::model::{Checksum, ChecksumAlgorithm};

/// An MD5.
pub(super) type Md5Bytes = [u8; 16];

/// The MD5 of `bytes`.
pub(super) fn md5(bytes: &[u8]) -> Md5Bytes {
    Md5::digest(bytes).into()
}

/// An MD5 as entity tags write it.
pub(super) fn hex(md5: &Md5Bytes) -> String {
    base16ct::lower::encode_string(md5)
}

/// The MD5 that is written `hex`; `None` if none is.
pub(super) fn from_hex(hex: &str) -> Option<Md5Bytes> {
    let mut md5 = Md5Bytes::default();
    let whole = base16ct::mixed::decode(hex, &mut md5).ok()?.len() == md5.len();
    whole.then_some(md5)
}

/// The tag that S3 gives to an object of parts: the MD5 of their MD5s, and how many.
pub(super) fn etag_of_parts(parts: &[Md5Bytes]) -> String {
    format!("{}-{}", hex(&md5(parts.as_flattened())), parts.len())
}

/// The checksum of `bytes`; `None` for an algorithm that is not computed here.
pub(super) fn checksum(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Option<Checksum> {
    if algorithm == ChecksumAlgorithm::Sha256 {
        return Some(Checksum {
            algorithm,
            base64: STANDARD.encode(Sha256::digest(bytes)),
        });
    }
    let crc = Crc::of(algorithm)?;
    Some(crc.written(crc_fast::checksum(crc.fast, bytes)))
}

/// A CRC, whose values over parts make the value over the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crc {
    algorithm: ChecksumAlgorithm,
    fast: CrcAlgorithm,
    width_bytes: usize,
}

impl Crc {
    /// The CRC that `algorithm` is, if it is one.
    pub(super) const fn of(algorithm: ChecksumAlgorithm) -> Option<Self> {
        let (fast, width_bytes) = match algorithm {
            ChecksumAlgorithm::Crc64nvme => (CrcAlgorithm::Crc64Nvme, 8),
            ChecksumAlgorithm::Crc32c => (CrcAlgorithm::Crc32Iscsi, 4),
            ChecksumAlgorithm::Crc32 => (CrcAlgorithm::Crc32IsoHdlc, 4),
            ChecksumAlgorithm::Sha256 | ChecksumAlgorithm::Sha1 => return None,
        };
        Some(Self {
            algorithm,
            fast,
            width_bytes,
        })
    }

    /// The value over `parts` in order, each given with its length in bytes.
    pub(super) fn over_parts(self, parts: impl Iterator<Item = (u64, u64)>) -> Checksum {
        let whole = parts.fold(None, |whole, (value, length)| match whole {
            None => Some(value),
            Some(before) => Some(crc_fast::checksum_combine(self.fast, before, value, length)),
        });
        self.written(whole.unwrap_or(0))
    }

    fn written(self, value: u64) -> Checksum {
        let bytes = value.to_be_bytes();
        Checksum {
            algorithm: self.algorithm,
            base64: STANDARD.encode(&bytes[8 - self.width_bytes..]),
        }
    }
}

/// What is computed of a part: its MD5 and, if asked for, a CRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartDigest {
    pub(super) md5: Md5Bytes,
    pub(super) crc: u64,
}

impl PartDigest {
    /// Of bytes in memory.
    pub(super) fn of(bytes: &[u8], crc: Option<Crc>) -> Self {
        Self {
            md5: md5(bytes),
            crc: crc.map_or(0, |crc| crc_fast::checksum(crc.fast, bytes)),
        }
    }
}

/// Computes the digest of what is read through a [`Hashing`], which goes into a
/// request body and does not come back.
#[derive(Clone)]
pub(super) struct InPassing(Arc<Mutex<(Md5, Option<crc_fast::Digest>)>>);

impl InPassing {
    pub(super) fn new(crc: Option<Crc>) -> Self {
        let crc = crc.map(|crc| crc_fast::Digest::new(crc.fast));
        Self(Arc::new(Mutex::new((Md5::new(), crc))))
    }

    /// `reader`, whose bytes are hashed when they are read.
    pub(super) fn through<R: Read>(&self, reader: R) -> Hashing<R> {
        Hashing {
            reader,
            digest: self.clone(),
        }
    }

    /// Of all that was read so far.
    pub(super) fn digest(&self) -> PartDigest {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        PartDigest {
            md5: state.0.clone().finalize().into(),
            crc: state.1.as_ref().map_or(0, crc_fast::Digest::finalize),
        }
    }
}

/// A reader whose bytes are hashed in passing.
pub(super) struct Hashing<R> {
    reader: R,
    digest: InPassing,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let mut state = self.digest.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(&buffer[..count]);
        if let Some(crc) = &mut state.1 {
            crc.update(&buffer[..count]);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_that_s3_states() {
        assert_eq!(hex(&md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
        let of = |algorithm| checksum(algorithm, b"123456789").map(|sum| sum.base64);
        let written = |value: &[u8]| Some(STANDARD.encode(value));
        assert_eq!(
            of(ChecksumAlgorithm::Crc64nvme),
            written(&0xAE8B_1486_0A79_9888_u64.to_be_bytes())
        );
        assert_eq!(
            of(ChecksumAlgorithm::Crc32c),
            written(&0xE306_9283_u32.to_be_bytes())
        );
        assert_eq!(
            of(ChecksumAlgorithm::Crc32),
            written(&0xCBF4_3926_u32.to_be_bytes())
        );
        assert_eq!(
            of(ChecksumAlgorithm::Sha256).as_deref(),
            Some("FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")
        );
        assert_eq!(of(ChecksumAlgorithm::Sha1), None);
    }

    #[test]
    fn the_crc_of_parts_makes_the_crc_of_the_whole() {
        for algorithm in [ChecksumAlgorithm::Crc64nvme, ChecksumAlgorithm::Crc32c] {
            let crc = Crc::of(algorithm).unwrap();
            let parts = [b"1234".as_slice(), b"56789", b"x"];
            let values = parts.map(|part| {
                let digest = PartDigest::of(part, Some(crc));
                (digest.crc, part.len() as u64)
            });
            assert_eq!(
                Some(crc.over_parts(values.into_iter())),
                checksum(algorithm, b"123456789x")
            );
        }
    }

    #[test]
    fn hashing_in_passing_is_hashing() {
        let crc = Crc::of(ChecksumAlgorithm::Crc64nvme);
        let passing = InPassing::new(crc);
        let mut read = Vec::new();
        passing
            .through(b"some bytes".as_slice())
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(passing.digest(), PartDigest::of(b"some bytes", crc));
    }

    #[test]
    fn the_tag_of_parts_is_the_md5_of_md5s() {
        let parts = [md5(b"a"), md5(b"b")];
        let expected = hex(&md5(&[parts[0], parts[1]].concat()));
        assert_eq!(etag_of_parts(&parts), format!("{expected}-2"));
    }
}
