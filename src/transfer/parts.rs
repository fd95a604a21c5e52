//! The copy of an object in parts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::digest::{self, Crc};
use super::part::CopiedPart;
use super::route::PartPlan;
use super::{Arrival, Tally, Transfer, check_unchanged, proof};
use crate::model::{Checksum, Copied, ETag, Failure, FailureCause, ObjectFacts, Verified};
use crate::s3::{CompletedUpload, UploadId, UploadedPart};

/// A multipart upload under way. Its parts may be copied on several threads and
/// in any order; then it is finished, or aborted. One that is dropped without
/// either is aborted, so that no parts stay behind at the destination.
#[derive(Debug)]
pub struct PartsCopy {
    pub(super) transfer: Transfer,
    pub(super) name: String,
    pub(super) source: ObjectFacts,
    pub(super) plan: PartPlan,
    pub(super) upload_id: UploadId,
    /// The CRC that the source states of the whole, made again out of the parts'.
    pub(super) stated: Option<(Crc, Checksum)>,
    copied: Mutex<Vec<Option<CopiedPart>>>,
    settled: AtomicBool,
}

impl Transfer {
    /// Begins the copy of the object of the facts `planned` in the parts of `plan`.
    ///
    /// # Errors
    /// What remains after all attempts; `source_missing` or `source_changed` if
    /// the object is not there any more or no longer the planned one.
    pub fn begin_parts(
        &self,
        name: &str,
        planned: &ObjectFacts,
        plan: PartPlan,
        tally: &Tally,
    ) -> Result<PartsCopy, Failure> {
        let Some(head) = self.source_head(name, tally)? else {
            let message = format!("{name:?} is not at the source any more");
            return Err(Failure::new(FailureCause::SourceMissing, message));
        };
        check_unchanged(name, planned, &head.facts)?;
        let headers = head.carried()?;
        let upload_id = self.attempts(tally, || self.destination.create_upload(name, headers))?;
        let stated = head
            .facts
            .checksums
            .iter()
            .find_map(|stated| Some((Crc::of(stated.algorithm)?, stated.clone())));
        Ok(PartsCopy {
            transfer: self.clone(),
            name: name.to_owned(),
            source: head.facts,
            plan,
            upload_id,
            stated,
            copied: Mutex::new(vec![None; plan.count as usize]),
            settled: AtomicBool::new(false),
        })
    }
}

impl PartsCopy {
    /// How the object is cut.
    #[must_use]
    pub const fn plan(&self) -> &PartPlan {
        &self.plan
    }

    /// Copies the part `index` (from 0). It takes the plan's memory per part.
    ///
    /// # Errors
    /// What remains after all attempts; `source_changed` if the object is no
    /// longer the planned one.
    pub fn copy_part(&self, index: u32, tally: &Tally) -> Result<(), Failure> {
        let part = if self.plan.streamed {
            self.transfer.attempts(tally, || self.stream_part(index))?
        } else {
            self.buffer_part(index, tally)?
        };
        if let Some(place) = self.copied().get_mut(index as usize) {
            *place = Some(part);
        }
        Ok(())
    }

    /// Makes the object out of its parts, all of which have been copied.
    ///
    /// # Errors
    /// What remains after all attempts; `integrity` if the whole is not what
    /// was read. The upload is still to be aborted then.
    pub fn finish(&self, tally: &Tally) -> Result<Arrival, Failure> {
        let parts: Option<Vec<CopiedPart>> = self.copied().iter().cloned().collect();
        let Some(parts) = parts else {
            let message = format!("{:?} was finished before all its parts were", self.name);
            return Err(Failure::new(FailureCause::Internal, message));
        };
        self.check_whole(&parts)?;
        let md5s: Vec<_> = parts.iter().map(|part| part.digest.md5).collect();
        let expected = digest::etag_of_parts(&md5s);
        let mut completed = self.complete(&parts, &expected, tally)?;
        self.settled.store(true, Ordering::Relaxed);
        let is_proof = |etag: &ETag| etag.as_str().eq_ignore_ascii_case(&expected);
        if !is_proof(&completed.etag) {
            // The answer's tag says nothing of the whole; what is there now does.
            let found = self.check_length(&completed, tally)?;
            // Ceph's radosgw 16 completes without saying a tag.
            if completed.etag.as_str().is_empty() {
                completed.etag = found;
            }
        }
        let verified = if is_proof(&completed.etag) {
            Verified::EtagMd5
        } else {
            weakest(&parts)
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

    /// Compares the CRC that the source states of the whole with that of the parts.
    fn check_whole(&self, parts: &[CopiedPart]) -> Result<(), Failure> {
        let Some((crc, stated)) = &self.stated else {
            return Ok(());
        };
        let values = (0..).zip(parts).map(|(index, part)| {
            let (_, length) = self.plan.range(index);
            (part.digest.crc, length)
        });
        let computed = crc.over_parts(values);
        let what = stated.algorithm.header();
        proof::compare(&self.name, what, "source", &stated.base64, &computed.base64)
    }

    fn complete(
        &self,
        parts: &[CopiedPart],
        expected: &str,
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
            let failure = match destination.complete_upload(&self.name, &self.upload_id, &listed) {
                Ok(completed) => return Ok(completed),
                Err(failure) => failure,
            };
            if failure.error_code.as_deref() != Some("NoSuchUpload") {
                return Err(failure);
            }
            // An earlier attempt may have succeeded with its answer lost.
            match destination.head(&self.name)? {
                Some(head) if head.facts.etag.as_str().eq_ignore_ascii_case(expected) => {
                    Ok(CompletedUpload {
                        etag: head.facts.etag,
                        request_id: head.request_id,
                    })
                }
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
        if self.settled.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let destination = &self.transfer.destination;
        self.transfer.attempts(tally, || {
            destination.abort_upload(&self.name, &self.upload_id)
        })
    }

    fn copied(&self) -> MutexGuard<'_, Vec<Option<CopiedPart>>> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PartsCopy {
    fn drop(&mut self) {
        if !*self.settled.get_mut() {
            // Best effort: there is nobody left to tell.
            let _ = self
                .transfer
                .destination
                .abort_upload(&self.name, &self.upload_id);
        }
    }
}

/// The proof that holds for every part.
fn weakest(parts: &[CopiedPart]) -> Verified {
    let has = |proof| parts.iter().any(|part| part.proof == proof);
    if has(Verified::SizeOnly) {
        Verified::SizeOnly
    } else if has(Verified::ContentMd5) {
        Verified::ContentMd5
    } else {
        Verified::EtagMd5
    }
}
