//! The copy of one part.

use md5::{Digest as _, Md5};

use super::digest::{self, Crc, InPassing, Md5Bytes, PartDigest};
use super::whole_md5::Turn;
use super::{PartsCopy, Tally, check_unchanged, proof};
use crate::model::{ArrivedPart, CarriedHeaders, ETag, Failure, FailureCause, Verified};
use crate::s3::{Body, Condition, Download, GetOptions, PutAnswer, Upload};

impl PartsCopy {
    /// Keeps what it read for further attempts to write it.
    pub(super) fn buffer_part(
        &self,
        index: u32,
        turn: Option<Turn<'_>>,
        tally: &Tally,
    ) -> Result<ArrivedPart, Failure> {
        let (_, length) = self.plan.range(index);
        let bytes = self.transfer.attempts(tally, || {
            let body = self.get_part(index)?.body;
            self.transfer.read_all(body, length)
        })?;
        let digest = PartDigest::of(&bytes, self.crc());
        let mut part = self.transfer.attempts(tally, || {
            let body = Body::Bytes(bytes.clone());
            let answer = self.put_part(index, body, Some(digest.md5))?;
            self.check_part(index, &digest, &answer)?;
            Ok(self.arrived(index, answer.etag, digest, Verified::ContentMd5))
        })?;
        part.whole_md5 = turn.and_then(|turn| turn.add(&bytes));
        Ok(part)
    }

    /// The MD5 of a part that is read and not kept.
    pub(super) fn read_part(&self, index: u32) -> Result<Md5Bytes, Failure> {
        let mut md5 = Md5::new();
        self.get_part(index)?
            .body
            .read_through(|chunk| md5.update(chunk))?;
        Ok(md5.finalize().into())
    }

    /// Reads while it writes: bytes that are gone cannot be sent again, so each
    /// attempt begins at the source. Their MD5 is known only afterwards.
    pub(super) fn stream_part(&self, index: u32) -> Result<ArrivedPart, Failure> {
        let download = self.get_part(index)?;
        let passing = InPassing::new(self.crc());
        let (_, length) = self.plan.range(index);
        let reading = download.body.longest_reading(length);
        let body = Body::Stream {
            reading,
            reader: Box::new(passing.through(download.body)),
            size_bytes: length,
        };
        let answer = self.put_part(index, body, None)?;
        let digest = passing.digest();
        self.check_part(index, &digest, &answer)?;
        let verified = match answer.md5_hex {
            Some(_) => Verified::EtagMd5,
            None => Verified::SizeOnly,
        };
        Ok(self.arrived(index, answer.etag, digest, verified))
    }

    fn arrived(
        &self,
        index: u32,
        etag: ETag,
        digest: PartDigest,
        verified: Verified,
    ) -> ArrivedPart {
        ArrivedPart {
            number: index + 1,
            etag,
            md5: digest.md5,
            crc: self.stated.as_ref().map(|_| digest.crc),
            whole_md5: None,
            verified,
        }
    }

    fn get_part(&self, index: u32) -> Result<Download, Failure> {
        let (first, length) = self.plan.range(index);
        let is_all = length == self.plan.size_bytes;
        let options = GetOptions {
            range: (!is_all).then(|| (first, first + length - 1)),
            if_match: Some(&self.source.etag),
        };
        let download = self.transfer.source.get(&self.name, options)?;
        check_unchanged(&self.name, &self.source, &download.head.facts)?;
        let given = download
            .content_range
            .map_or((0, self.plan.size_bytes), |range| {
                (range.first, (range.last + 1).saturating_sub(range.first))
            });
        if given == (first, length) {
            return Ok(download);
        }
        let message = format!(
            "part {} of {:?}: asked for {length} bytes from {first} on, the source gave {} from {} on",
            index + 1,
            self.name,
            given.1,
            given.0
        );
        Err(Failure::new(FailureCause::Integrity, message))
    }

    fn put_part(
        &self,
        index: u32,
        body: Body,
        content_md5: Option<[u8; 16]>,
    ) -> Result<PutAnswer, Failure> {
        let upload = Upload {
            body,
            headers: &CarriedHeaders(Vec::new()),
            content_md5,
            checksum: None,
            condition: Condition::Anything,
        };
        let (name, id) = (&self.name, &self.upload_id);
        self.transfer
            .destination
            .upload_part(name, id, index + 1, upload)
    }

    fn check_part(
        &self,
        index: u32,
        digest: &PartDigest,
        answer: &PutAnswer,
    ) -> Result<(), Failure> {
        let Some(theirs) = &answer.md5_hex else {
            return Ok(());
        };
        let what = format!("ETag of part {}", index + 1);
        proof::compare(
            &self.name,
            &what,
            "destination",
            theirs,
            &digest::hex(&digest.md5),
        )
    }

    fn crc(&self) -> Option<Crc> {
        self.stated.as_ref().map(|(crc, _)| *crc)
    }
}
