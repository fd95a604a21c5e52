//! Digests of the bytes that were read.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// Whether [`checksum`] computes this one.
pub(super) const fn is_computed(algorithm: ChecksumAlgorithm) -> bool {
    !matches!(algorithm, ChecksumAlgorithm::Sha1)
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

    /// Which one it is.
    pub(super) const fn algorithm(self) -> ChecksumAlgorithm {
        self.algorithm
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

/// What is to be computed of bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    /// Their MD5.
    pub(super) md5: bool,
    /// What is sent along, for the destination to check.
    pub(super) sent: Option<ChecksumAlgorithm>,
    /// The CRC that makes the whole's out of the parts'.
    pub(super) crc: Option<Crc>,
}

/// What was computed of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digests {
    pub(super) md5: Option<Md5Bytes>,
    pub(super) sent: Option<Checksum>,
    pub(super) crc: Option<u64>,
}

impl Digests {
    /// Has the MD5 of `bytes` sent along and nothing else.
    pub(super) fn by_md5(&mut self, bytes: &[u8]) {
        self.sent = None;
        self.md5.get_or_insert_with(|| md5(bytes));
    }
}

/// Digests in the making, chunk by chunk: what was just read is still in the
/// processor's cache.
#[derive(Clone)]
pub(super) struct Digesting {
    wanted: Wanted,
    md5: Option<Md5>,
    sha256: Option<Sha256>,
    /// Of what is sent along, and of the whole if that is another kind.
    crcs: Vec<(Crc, crc_fast::Digest)>,
}

impl Digesting {
    /// Of no byte yet.
    pub(super) fn new(wanted: Wanted) -> Self {
        let mut crcs: Vec<(Crc, crc_fast::Digest)> = Vec::new();
        for crc in wanted.sent.and_then(Crc::of).into_iter().chain(wanted.crc) {
            if crcs
                .iter()
                .all(|(other, _)| other.algorithm != crc.algorithm)
            {
                crcs.push((crc, crc_fast::Digest::new(crc.fast)));
            }
        }
        Self {
            wanted,
            md5: wanted.md5.then(Md5::new),
            sha256: (wanted.sent == Some(ChecksumAlgorithm::Sha256)).then(Sha256::new),
            crcs,
        }
    }

    /// Adds bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        for (_, crc) in &mut self.crcs {
            crc.update(bytes);
        }
    }

    /// Of all bytes so far.
    pub(super) fn digests(&self) -> Digests {
        let crc_of = |algorithm: ChecksumAlgorithm| {
            let mut crcs = self.crcs.iter();
            crcs.find(|(crc, _)| crc.algorithm == algorithm)
        };
        let sha256 = self.sha256.as_ref().map(|sha256| Checksum {
            algorithm: ChecksumAlgorithm::Sha256,
            base64: STANDARD.encode(sha256.clone().finalize()),
        });
        let sent = self.wanted.sent.and_then(crc_of);
        let crc = self.wanted.crc.and_then(|crc| crc_of(crc.algorithm));
        Digests {
            md5: self.md5.as_ref().map(|md5| md5.clone().finalize().into()),
            sent: sha256.or_else(|| sent.map(|(crc, value)| crc.written(value.finalize()))),
            crc: crc.map(|(_, value)| value.finalize()),
        }
    }
}

/// Computes digests of what is read through a [`Hashing`], which goes into a
/// request body and does not come back.
#[derive(Clone)]
pub(super) struct InPassing(Arc<Mutex<Digesting>>);

impl InPassing {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self(Arc::new(Mutex::new(Digesting::new(wanted))))
    }

    /// `reader`, whose bytes are hashed when they are read.
    pub(super) fn through<R: Read>(&self, reader: R) -> Hashing<R> {
        Hashing {
            reader,
            digesting: self.clone(),
        }
    }

    /// Of all that was read so far.
    pub(super) fn digests(&self) -> Digests {
        self.state().digests()
    }

    fn state(&self) -> MutexGuard<'_, Digesting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader whose bytes are hashed in passing.
pub(super) struct Hashing<R> {
    reader: R,
    digesting: InPassing,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.digesting.state().update(&buffer[..count]);
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

    fn digests(wanted: Wanted, chunks: &[&[u8]]) -> Digests {
        let mut digesting = Digesting::new(wanted);
        for chunk in chunks {
            digesting.update(chunk);
        }
        digesting.digests()
    }

    #[test]
    fn the_crc_of_parts_makes_the_crc_of_the_whole() {
        for algorithm in [ChecksumAlgorithm::Crc64nvme, ChecksumAlgorithm::Crc32c] {
            let crc = Crc::of(algorithm);
            let parts = [b"1234".as_slice(), b"56789", b"x"];
            let values = parts.map(|part| {
                let wanted = Wanted {
                    crc,
                    ..Wanted::default()
                };
                (digests(wanted, &[part]).crc.unwrap(), part.len() as u64)
            });
            assert_eq!(
                Some(crc.unwrap().over_parts(values.into_iter())),
                checksum(algorithm, b"123456789x")
            );
        }
    }

    #[test]
    fn what_is_wanted_is_computed_and_nothing_else() {
        let nothing = digests(Wanted::default(), &[b"123456789"]);
        assert_eq!((nothing.md5, nothing.sent, nothing.crc), (None, None, None));
        let kinds = [
            ChecksumAlgorithm::Crc64nvme,
            ChecksumAlgorithm::Crc32c,
            ChecksumAlgorithm::Sha256,
        ];
        for sent in kinds {
            for of_the_whole in [None, Some(ChecksumAlgorithm::Crc32c)] {
                let wanted = Wanted {
                    md5: true,
                    sent: Some(sent),
                    crc: of_the_whole.and_then(Crc::of),
                };
                let found = digests(wanted, &[b"1234", b"", b"56789"]);
                assert_eq!(found.md5, Some(md5(b"123456789")));
                assert_eq!(found.sent, checksum(sent, b"123456789"));
                assert_eq!(found.crc, of_the_whole.map(|_| 0xE306_9283));
            }
        }
    }

    #[test]
    fn hashing_in_passing_is_hashing() {
        let wanted = Wanted {
            md5: true,
            sent: Some(ChecksumAlgorithm::Crc64nvme),
            crc: None,
        };
        let passing = InPassing::new(wanted);
        let mut read = Vec::new();
        passing
            .through(b"some bytes".as_slice())
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(passing.digests(), digests(wanted, &[b"some bytes"]));
    }

    #[test]
    fn an_md5_is_read_as_it_is_written() {
        let written = hex(&md5(b"a"));
        assert_eq!(from_hex(&written), Some(md5(b"a")));
        assert_eq!(from_hex(&written.to_uppercase()), Some(md5(b"a")));
        for wrong in ["", "00", &format!("{written}0"), &written.replace('c', "g")] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_tag_of_parts_is_the_md5_of_md5s() {
        let parts = [md5(b"a"), md5(b"b")];
        let expected = hex(&md5(&[parts[0], parts[1]].concat()));
        assert_eq!(etag_of_parts(&parts), format!("{expected}-2"));
    }
}
