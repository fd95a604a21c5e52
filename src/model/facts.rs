//! What is known of an object at one end.

use std::fmt;

use super::restore::Readiness;
use super::time::Timestamp;

/// An entity tag without its quotes. Weak tags keep their `W/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// Takes the tag as it stands in a header or an XML answer, with or without quotes.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        Self(raw.trim().trim_matches('"').to_owned())
    }

    /// The tag without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag in quotes, as `If-Match` wants it.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// Of how many parts an object with this tag was put together, if the tag has
    /// the form of an MD5 of their MD5s (`<32 hexadecimal digits>-<parts>`).
    #[must_use]
    pub fn parts(&self) -> Option<u64> {
        let (md5, parts) = self.0.split_once('-')?;
        let is_md5 = md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit());
        parts.parse().ok().filter(|parts| is_md5 && *parts > 0)
    }

    /// Whether the tag has the form of an MD5 (32 hexadecimal digits). A
    /// multipart upload's tag has not. Whether it *is* the object's MD5 depends
    /// on its encryption too; see [`ObjectFacts::md5_hex`].
    #[must_use]
    pub fn looks_like_md5(&self) -> bool {
        self.0.len() == 32 && self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Algorithms of `x-amz-checksum-*` that Nightferry compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-64/NVME.
    Crc64nvme,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
}

impl ChecksumAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::Crc64nvme,
        Self::Crc32c,
        Self::Crc32,
        Self::Sha256,
        Self::Sha1,
    ];

    /// Its name in requests and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc64nvme => "CRC64NVME",
            Self::Crc32c => "CRC32C",
            Self::Crc32 => "CRC32",
            Self::Sha256 => "SHA256",
            Self::Sha1 => "SHA1",
        }
    }

    /// Whether the values of parts make the value of the whole.
    #[must_use]
    pub const fn is_crc(self) -> bool {
        matches!(self, Self::Crc64nvme | Self::Crc32c | Self::Crc32)
    }

    /// The header that carries it.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Sha256 => "x-amz-checksum-sha256",
            Self::Sha1 => "x-amz-checksum-sha1",
        }
    }
}

/// A checksum over the whole object, as the server states it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: ChecksumAlgorithm,
    /// Its value in base64, as on the wire.
    pub base64: String,
}

/// What one end says of an object: the facts on which a decision rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    /// Its entity tag.
    pub etag: ETag,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// When it was last modified, in whole seconds as HTTP says it.
    pub modified_at: Timestamp,
    /// The object's MD5 in lower-case hexadecimal, where the entity tag is one:
    /// uploaded in one part, without KMS or customer keys.
    pub md5_hex: Option<String>,
    /// Full-object checksums that the server states; composite ones are left out.
    pub checksums: Vec<Checksum>,
    /// Whether its bytes can be read.
    pub readiness: Readiness,
}

/// Headers and user metadata that travel with an object.
///
/// Names are in lower case; values are as received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CarriedHeaders(pub Vec<(String, String)>);
