//! What a run keeps in mind before and while it writes: planned copies and
//! multipart uploads under way.

use super::facts::ETag;
use super::prefix::DestinationPrefix;
use super::time::Timestamp;
use super::words::Verified;

/// A copy that is about to be made. It is committed before the first byte goes
/// to the destination, so that a run that finds the copy there, but no outcome
/// in the ledger, knows whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCopy {
    /// The entity tag of the source object.
    pub source_etag: ETag,
    /// Its MD5, where the source states it.
    pub source_md5_hex: Option<String>,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Tag and time of what the destination had then; `None`: nothing.
    pub replaces: Option<(ETag, Timestamp)>,
}

/// The destination's id of a multipart upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadId(String);

impl UploadId {
    /// The id as the destination said it.
    #[must_use]
    pub const fn new(id: String) -> Self {
        Self(id)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part that has arrived, with the digests of the bytes that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedPart {
    /// Its number, from 1.
    pub number: u32,
    /// The tag with which the destination answered.
    pub etag: ETag,
    /// The MD5 of its bytes: computed here or, where another checksum of them was
    /// proven, as the destination's tag says it; `None` if neither was.
    pub md5: Option<[u8; 16]>,
    /// The CRC of its bytes, of the kind that the source states of the whole, else
    /// of the kind that was sent along; `None` if there is neither.
    pub crc: Option<u64>,
    /// The state of the MD5 over all parts up to this one, if the source states
    /// the whole's and none before it is missing.
    pub whole_md5: Option<Vec<u8>>,
    /// How it was proven.
    pub verified: Verified,
}

/// A multipart upload of ours that the destination holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// What is put before the name at the destination: where it is.
    pub destination_prefix: DestinationPrefix,
    /// The destination's id of it.
    pub id: UploadId,
    /// The tag of the source object whose parts it holds.
    pub source_etag: ETag,
    /// The object's length in bytes.
    pub size_bytes: u64,
    /// The length in bytes of all parts but the last.
    pub part_bytes: u64,
    /// Stands for the headers that it was begun with, which the object will have;
    /// `None` if an older release began it.
    pub begun_with: Option<String>,
    /// The parts that have arrived, by number.
    pub parts: Vec<ArrivedPart>,
}
