//! The copy of an object in parts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::digest::{self, Crc, Md5Bytes};
use super::dress::Dress;
use super::route::PartPlan;
use super::whole_md5::{Turn, WholeMd5};
use super::{Arrival, Tally, Transfer, proof};
use crate::model::{
    ArrivedPart, Checksum, ChecksumAlgorithm, Copied, ETag, Failure, FailureCause, ObjectFacts,
    OpenUpload, UploadId, Verified,
};
use crate::s3::{CompletedUpload, Condition, UploadedPart};

/// A multipart upload under way. Its parts may be copied on several threads and
/// in any order; then it is finished, aborted, or left for a later run.
#[derive(Debug)]
pub struct PartsCopy {
    pub(super) transfer: Transfer,
    pub(super) name: String,
    pub(super) source: ObjectFacts,
    pub(super) plan: PartPlan,
    pub(super) upload_id: UploadId,
    /// What the upload was begun with, and what stands for it.
    pub(super) dress: Dress,
    pub(super) begun_with: String,
    /// What is sent along with parts for the destination to check; `None`: MD5.
    pub(super) sent: Option<ChecksumAlgorithm>,
    /// The destination refused to have it sent along with these parts.
    pub(super) plain: AtomicBool,
    /// The CRC over the whole, made out of the parts': of the kind that the source
    /// states, else of the kind that is sent.
    pub(super) crc: Option<Crc>,
    /// The CRC that the source states of the whole.
    pub(super) stated: Option<Checksum>,
    /// The MD5 that the source states of the whole, made again part after part.
    pub(super) whole: Option<(WholeMd5, String)>,
    /// Whether the parts are those of the source, so that they make its tag.
    pub(super) cut_as_at_source: bool,
    /// Whether the server is asked to copy the parts by itself.
    pub(super) server_side: bool,
    pub(super) arrived: Mutex<Vec<Option<ArrivedPart>>>,
    pub(super) resumed: bool,
    pub(super) gone: AtomicBool,
}

impl PartsCopy {
    /// How the object is cut.
    #[must_use]
    pub const fn plan(&self) -> &PartPlan {
        &self.plan
    }

    /// Whether it goes on with the upload of an earlier run.
    #[must_use]
    pub const fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// The upload as a later run needs to know it, without its parts.
    #[must_use]
    pub fn open_upload(&self) -> OpenUpload {
        OpenUpload {
            destination_prefix: self.transfer.destination.prefix().clone(),
            id: self.upload_id.clone(),
            source_etag: self.source.etag.clone(),
            size_bytes: self.plan.size_bytes,
            part_bytes: self.plan.part_bytes,
            begun_with: Some(self.begun_with.clone()),
            parts: Vec::new(),
        }
    }

    /// Whether the part `index` (from 0) has arrived.
    #[must_use]
    pub fn has_part(&self, index: u32) -> bool {
        matches!(self.arrived_parts().get(index as usize), Some(Some(_)))
    }

    /// Copies the part `index` (from 0). It takes the plan's memory per part.
    ///
    /// # Errors
    /// What remains after all attempts; `source_changed` if the object is no
    /// longer the planned one.
    pub fn copy_part(&self, index: u32, tally: &Tally) -> Result<ArrivedPart, Failure> {
        if let Some(part) = self.copy_part_server_side(index, tally)? {
            self.note_arrived(index, &part);
            return Ok(part);
        }
        // Taken before the first request, so that none waits for a part in vain.
        let turn: Option<Turn<'_>> = self.whole.as_ref().map(|(md5, _)| md5.turn(index));
        let part = if self.plan.streamed {
            self.transfer.attempts(tally, || self.stream_part(index))?
        } else {
            self.buffer_part(index, turn, tally)?
        };
        self.note_arrived(index, &part);
        Ok(part)
    }

    fn note_arrived(&self, index: u32, part: &ArrivedPart) {
        if let Some(place) = self.arrived_parts().get_mut(index as usize) {
            *place = Some(part.clone());
        }
    }

    /// Makes the object out of its parts, all of which have been copied, where
    /// the destination has the object of the tag `replaces`, or nothing.
    ///
    /// # Errors
    /// What remains after all attempts; `integrity` if the whole is not what
    /// was read. The upload is still to be aborted then.
    pub fn finish(&self, replaces: Option<&ETag>, tally: &Tally) -> Result<Arrival, Failure> {
        let parts: Option<Vec<ArrivedPart>> = self.arrived_parts().iter().cloned().collect();
        let Some(parts) = parts else {
            let message = format!("{:?} was finished before all its parts were", self.name);
            return Err(Failure::new(FailureCause::Internal, message));
        };
        self.check_whole(&parts)?;
        let expected = tag_of(&parts);
        self.check_cut(&parts, expected.as_ref(), tally)?;
        let condition = self.transfer.destination.condition_on(replaces);
        let mut completed = self.complete(&parts, expected.as_ref(), condition, tally)?;
        self.gone.store(true, Ordering::Relaxed);
        self.check_stated(&parts, &completed)?;
        if !is_tag(expected.as_ref(), &completed.etag) {
            // The answer's tag says nothing of the whole; what is there now does.
            let found = self.check_length(&completed, tally)?;
            // Ceph's radosgw 16 completes without saying a tag.
            if completed.etag.as_str().is_empty() {
                completed.etag = found;
            }
        }
        self.transfer
            .dress_of_parts(&self.name, &completed.etag, &self.dress, tally)?;
        let made_of_parts = is_tag(expected.as_ref(), &completed.etag);
        // A tag made of MD5s that are the destination's word alone proves that it
        // put together what it was proven to have taken, and no more.
        let weakest = proof::weakest(&parts);
        let by_md5 = [Verified::SizeOnly, Verified::ContentMd5].contains(&weakest);
        let verified = if self.server_side {
            self.prove_server_side(&completed.etag, made_of_parts, tally)?
        } else if by_md5 && made_of_parts {
            Verified::EtagMd5
        } else {
            weakest
        };
        Ok(Arrival {
            copied: Copied {
                copy_etag: completed.etag,
                verified,
                size_bytes: self.plan.size_bytes,
            },
            server_request_id: completed.request_id,
        })
    }

    /// Compares the tag of the parts with the source's, if that was cut like
    /// this. Another tag may only mean that the source makes its tags otherwise:
    /// then the parts are read once more, and must be what they were.
    fn check_cut(
        &self,
        parts: &[ArrivedPart],
        expected: Option<&ETag>,
        tally: &Tally,
    ) -> Result<(), Failure> {
        if !self.cut_as_at_source || is_tag(expected, &self.source.etag) {
            return Ok(());
        }
        for (index, part) in (0..).zip(parts) {
            let again = self.transfer.attempts(tally, || self.read_part(index))?;
            let (what, stated, computed) = match (again.md5, part.md5) {
                (Some(again), Some(md5)) => ("MD5", digest::hex(&again), digest::hex(&md5)),
                _ => match (again.crc, part.crc) {
                    (Some(again), Some(crc)) => ("CRC", again.to_string(), crc.to_string()),
                    _ => continue,
                },
            };
            let what = format!("{what} of part {}, read again,", part.number);
            proof::compare(&self.name, &what, "source", &stated, &computed)?;
        }
        Ok(())
    }

    /// Compares what the source states of the whole, MD5 or CRC, with that of the parts.
    fn check_whole(&self, parts: &[ArrivedPart]) -> Result<(), Failure> {
        if let Some((md5, stated)) = &self.whole {
            let computed = md5.finished(self.plan.count).map(|md5| digest::hex(&md5));
            let computed = computed.unwrap_or_else(|| "none".to_owned());
            proof::compare(&self.name, "MD5", "source", stated, &computed)?;
        }
        let (Some(crc), Some(stated)) = (self.crc, &self.stated) else {
            return Ok(());
        };
        let computed = self.crc_of_whole(crc, parts);
        let what = stated.algorithm.header();
        proof::compare(&self.name, what, "source", &stated.base64, &computed.base64)
    }

    /// Compares the CRC that the destination states of the whole with that of the
    /// parts; an earlier run may have had another kind sent along with its own.
    fn check_stated(
        &self,
        parts: &[ArrivedPart],
        completed: &CompletedUpload,
    ) -> Result<(), Failure> {
        let stated_by_source = self.stated.is_some();
        let is_of_kind = |part: &ArrivedPart| {
            let sent = self.sent.and_then(proof::word);
            part.crc.is_some() && (stated_by_source || Some(part.verified) == sent)
        };
        let Some(crc) = self.crc.filter(|_| parts.iter().all(is_of_kind)) else {
            return Ok(());
        };
        let mut stated = completed.checksums.iter();
        let Some(stated) = stated.find(|stated| stated.algorithm == crc.algorithm()) else {
            return Ok(());
        };
        let computed = self.crc_of_whole(crc, parts);
        let (what, theirs) = (stated.algorithm.header(), &stated.base64);
        let compared = proof::compare(&self.name, what, "destination", theirs, &computed.base64);
        compared.map_err(|mut failure| {
            let etag = &completed.etag;
            self.transfer
                .remove_wrong_copy(&self.name, etag, &mut failure);
            failure
        })
    }

    fn crc_of_whole(&self, crc: Crc, parts: &[ArrivedPart]) -> Checksum {
        crc.over_parts((0..).zip(parts).map(|(index, part)| {
            let (_, length) = self.plan.range(index);
            (part.crc.unwrap_or(0), length)
        }))
    }

    fn complete(
        &self,
        parts: &[ArrivedPart],
        expected: Option<&ETag>,
        condition: Condition<'_>,
        tally: &Tally,
    ) -> Result<CompletedUpload, Failure> {
        let listed: Vec<UploadedPart> = (1..)
            .zip(parts)
            .map(|(number, part)| UploadedPart {
                number,
                etag: part.etag.clone(),
            })
            .collect();
        let destination = &self.transfer.destination;
        self.transfer.attempts(tally, || {
            let (name, id) = (&self.name, &self.upload_id);
            let failure = match destination.complete_upload(name, id, &listed, condition) {
                Ok(completed) => return Ok(completed),
                Err(failure) => failure,
            };
            let gone = failure.error_code.as_deref() == Some("NoSuchUpload");
            if !gone && !failure.is_refused_condition() {
                return Err(failure);
            }
            // An earlier attempt may have succeeded with its answer lost.
            match destination.head(&self.name)? {
                Some(head) if is_tag(expected, &head.facts.etag) => Ok(CompletedUpload {
                    etag: head.facts.etag,
                    checksums: Vec::new(),
                    request_id: head.request_id,
                }),
                _ => Err(failure),
            }
        })
    }

    /// The tag of what is at the destination now, which must have the right length.
    fn check_length(&self, completed: &CompletedUpload, tally: &Tally) -> Result<ETag, Failure> {
        let found = self.transfer.destination_facts(&self.name, tally)?;
        let found_bytes = found.as_ref().map_or(0, |facts| facts.size_bytes);
        if let Some(facts) = found
            && found_bytes == self.plan.size_bytes
        {
            return Ok(facts.etag);
        }
        let message = format!(
            "{:?} has {found_bytes} bytes at the destination, {} were sent",
            self.name, self.plan.size_bytes
        );
        let mut failure = Failure::new(FailureCause::Integrity, message);
        self.transfer
            .remove_wrong_copy(&self.name, &completed.etag, &mut failure);
        Err(failure)
    }

    /// Gives the upload up. No part may be under way, or it may stay behind.
    ///
    /// # Errors
    /// The destination refused or did not answer, after all attempts.
    pub fn abort(&self, tally: &Tally) -> Result<(), Failure> {
        if self.gone.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let destination = &self.transfer.destination;
        self.transfer.attempts(tally, || {
            destination.abort_upload(&self.name, &self.upload_id)
        })
    }

    fn arrived_parts(&self) -> MutexGuard<'_, Vec<Option<ArrivedPart>>> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tag that S3 gives to an object of these parts; `None` if it is not made of
/// MD5s, or those are not known.
pub(super) fn tag_of(parts: &[ArrivedPart]) -> Option<ETag> {
    let md5s: Option<Vec<Md5Bytes>> = parts.iter().map(|part| part.md5).collect();
    Some(ETag::new(&digest::etag_of_parts(&md5s?)))
}

/// Whether `found` is the `expected` tag; hexadecimal digits come in either case.
fn is_tag(expected: Option<&ETag>, found: &ETag) -> bool {
    expected.is_some_and(|tag| tag.as_str().eq_ignore_ascii_case(found.as_str()))
}
