//! The copy of one part.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::digest::{self, Digesting, Digests, InPassing, Wanted};
use super::proof::{self, Proof};
use super::whole_md5::Turn;
use super::{PartsCopy, Tally, check_unchanged};
use crate::model::{ArrivedPart, CarriedHeaders, Failure, FailureCause, Verified};
use crate::s3::{Body, Condition, Download, GetOptions, Piece, PutAnswer, Upload};

impl PartsCopy {
    /// Keeps what it read for further attempts to write it.
    pub(super) fn buffer_part(
        &self,
        index: u32,
        turn: Option<Turn<'_>>,
        tally: &Tally,
    ) -> Result<ArrivedPart, Failure> {
        let (_, length) = self.plan.range(index);
        let wanted = self.wanted();
        let (bytes, mut digests) = self.transfer.attempts(tally, || {
            let mut digesting = Digesting::new(wanted);
            let body = self.get_part(index)?.body;
            let bytes = self
                .transfer
                .read_all(body, length, |chunk| digesting.update(chunk))?;
            Ok((bytes, digesting.digests()))
        })?;
        let mut part = self.transfer.attempts(tally, || {
            let answer = self.send_part(index, &bytes, &mut digests)?;
            self.buffered(index, &bytes, &mut digests, &answer)
        })?;
        part.whole_md5 = turn.and_then(|turn| turn.add(&bytes));
        Ok(part)
    }

    /// What is to be computed of a part that is buffered.
    fn wanted(&self) -> Wanted {
        let sent = self.sent.filter(|sent| {
            let destination = &self.transfer.destination;
            !self.plain.load(Ordering::Relaxed) && destination.is_checking(*sent, Piece::Part)
        });
        // Where the destination's tags are no MD5s, nothing else makes the source's.
        let makes_tag = self.cut_as_at_source && self.transfer.destination.writes_under_key();
        Wanted {
            md5: sent.is_none() || makes_tag,
            sent,
            crc: self.crc,
        }
    }

    /// Writes a part with its checksum; with its MD5 from now on if that is refused.
    fn send_part(
        &self,
        index: u32,
        bytes: &Bytes,
        digests: &mut Digests,
    ) -> Result<PutAnswer, Failure> {
        let body = || Body::Bytes(bytes.clone());
        let answer = match self.put_part(index, body(), digests) {
            Err(refusal) if digests.sent.is_some() && proof::may_be_about_checksum(&refusal) => {
                self.plain.store(true, Ordering::Relaxed);
                digests.by_md5(bytes);
                self.put_part(index, body(), digests)
            }
            answer => answer,
        };
        answer.map_err(|mut failure| {
            // An earlier run may have begun the upload for parts of another kind:
            // one that is begun anew takes them.
            if self.resumed && failure.cause == FailureCause::BadRequest {
                failure.cause = FailureCause::Integrity;
            }
            failure
        })
    }

    /// A part that was buffered, as the destination's answer proves it.
    fn buffered(
        &self,
        index: u32,
        bytes: &[u8],
        digests: &mut Digests,
        answer: &PutAnswer,
    ) -> Result<ArrivedPart, Failure> {
        let label = format!("{} (part {})", self.name, index + 1);
        let proof = proof::prove(&label, digests, bytes, answer)?;
        if let Some(sent) = &digests.sent
            && proof::echo(answer, sent.algorithm).is_none()
        {
            let destination = &self.transfer.destination;
            destination.ignores(sent.algorithm, Piece::Part);
        }
        match proof {
            Proof::By(verified) => {
                // A part whose MD5 was sent along is called by that.
                let by_content = verified == Verified::EtagMd5 && digests.md5.is_some();
                let verified = if by_content {
                    Verified::ContentMd5
                } else {
                    verified
                };
                Ok(arrived(index, digests, answer, verified))
            }
            Proof::None => {
                digests.by_md5(bytes);
                let message = format!("the destination does not say what it took of {label:?}");
                Err(Failure::new(FailureCause::Integrity, message))
            }
        }
    }

    /// The digests of a part that is read and not kept.
    pub(super) fn read_part(&self, index: u32) -> Result<Digests, Failure> {
        let wanted = Wanted {
            md5: true,
            sent: None,
            crc: self.crc,
        };
        let mut digesting = Digesting::new(wanted);
        let body = self.get_part(index)?.body;
        body.read_through(|chunk| digesting.update(chunk))?;
        Ok(digesting.digests())
    }

    /// Reads while it writes: bytes that are gone cannot be sent again, so each
    /// attempt begins at the source. Their MD5 is known only afterwards.
    pub(super) fn stream_part(&self, index: u32) -> Result<ArrivedPart, Failure> {
        let download = self.get_part(index)?;
        let passing = InPassing::new(Wanted {
            md5: true,
            sent: None,
            crc: self.crc,
        });
        let (_, length) = self.plan.range(index);
        let reading = download.body.longest_reading(length);
        let body = Body::Stream {
            reading,
            reader: Box::new(passing.through(download.body)),
            size_bytes: length,
        };
        let nothing = Digests {
            md5: None,
            sent: None,
            crc: None,
        };
        let answer = self.put_part(index, body, &nothing)?;
        let digests = passing.digests();
        let verified = match (&answer.md5_hex, &digests.md5) {
            (Some(theirs), Some(ours)) => {
                let what = format!("ETag of part {}", index + 1);
                let ours = digest::hex(ours);
                proof::compare(&self.name, &what, "destination", theirs, &ours)?;
                Verified::EtagMd5
            }
            _ => Verified::SizeOnly,
        };
        Ok(arrived(index, &digests, &answer, verified))
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

    fn put_part(&self, index: u32, body: Body, digests: &Digests) -> Result<PutAnswer, Failure> {
        let upload = Upload {
            body,
            headers: &CarriedHeaders(Vec::new()),
            content_md5: digests.md5,
            checksum: digests.sent.as_ref(),
            condition: Condition::Anything,
        };
        let (name, id) = (&self.name, &self.upload_id);
        self.transfer
            .destination
            .upload_part(name, id, index + 1, upload)
    }
}

/// The part `index` as the destination's answer has it.
fn arrived(index: u32, digests: &Digests, answer: &PutAnswer, verified: Verified) -> ArrivedPart {
    let stated = || answer.md5_hex.as_deref().and_then(digest::from_hex);
    ArrivedPart {
        number: index + 1,
        etag: answer.etag.clone(),
        md5: digests.md5.or_else(stated),
        crc: digests.crc,
        whole_md5: None,
        verified,
    }
}
