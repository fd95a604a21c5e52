//! Copies that the server makes by itself, where both buckets are at one.
//!
//! ```text
//! up to 5 GiB  CopyObject, x-amz-copy-source-if-match ─▶ MD5 = source's? else HEAD: checksum? length?
//! larger       as parts, each by UploadPartCopy ([`parts`])
//! ```
//!
//! Whether the server allows it nobody knows beforehand: it is tried. What it
//! refuses goes the other way, through here, which tells the true cause if there
//! is one; if nothing has been copied by then, so does the rest of the run.

mod parts;
mod proof;
mod refusal;
mod way;

use self::proof::{Proof, prove};
use self::refusal::Refusal;
pub use self::way::ServerSide;

use super::{Arrival, Tally, Transfer};
use crate::model::{Copied, ETag, Failure, FailureCause, ObjectFacts, Verified};
use crate::s3::{CopySource, PutAnswer};

impl Transfer {
    /// Has the server copy the object of the facts `planned` to where the
    /// destination has the object of the tag `replaces`, or nothing; `None` if
    /// it is to be read and written instead.
    ///
    /// # Errors
    /// What remains after all attempts; `source_changed` if the object is no
    /// longer the planned one; a refused condition if the destination has
    /// something else meanwhile and keeps conditions; `integrity` if the copy is
    /// not the source's object. It has been removed then, and the server is not
    /// asked again: look anew, and go the other way.
    pub fn copy_server_side(
        &self,
        name: &str,
        planned: &ObjectFacts,
        replaces: Option<&ETag>,
        tally: &Tally,
    ) -> Result<Option<Arrival>, Failure> {
        if !self.server_side.whole.is_open() {
            return Ok(None);
        }
        let source = CopySource {
            bucket: &self.source,
            name,
            if_match: &planned.etag,
            size_bytes: planned.size_bytes,
        };
        let dress = self.dressed_there(name, planned, tally)?;
        let condition = self.destination.condition_on(replaces);
        let copied = self.attempts(tally, || {
            let destination = &self.destination;
            destination.copy_from(name, source, dress.headers(), condition)
        });
        match copied {
            Ok(answer) => {
                let arrival = self.proven(name, planned, answer, tally)?;
                match self.lacking(name, &dress.dress, tally)? {
                    None => {
                        self.server_side.whole.worked();
                        Ok(Some(arrival))
                    }
                    Some(lacks) => {
                        let message = format!("{name:?}, copied by the server, lacks: {lacks}");
                        let etag = &arrival.copied.copy_etag;
                        Err(self.wrong_copy(name, planned, etag, message, tally))
                    }
                }
            }
            Err(failure) => self
                .heed_refusal(name, planned, replaces, failure, tally)
                .map(|()| None),
        }
    }

    /// Ends well if the object is to go the other way.
    fn heed_refusal(
        &self,
        name: &str,
        planned: &ObjectFacts,
        replaces: Option<&ETag>,
        failure: Failure,
        tally: &Tally,
    ) -> Result<(), Failure> {
        match Refusal::of(&failure) {
            Refusal::Fails => return Err(failure),
            Refusal::Stale => {
                // Both ends were under a condition, and the answer does not say whose failed.
                self.planned_head(name, planned, tally)?;
                let found = self.destination_facts(name, tally)?;
                if found.map(|facts| facts.etag).as_ref() != replaces {
                    return Err(Failure {
                        http_status: Some(412),
                        ..failure
                    });
                }
            }
            Refusal::OtherWay => {}
        }
        self.server_side.whole.refused(&failure.message);
        Ok(())
    }

    /// The copy that the server made, once it is proven.
    fn proven(
        &self,
        name: &str,
        planned: &ObjectFacts,
        answer: PutAnswer,
        tally: &Tally,
    ) -> Result<Arrival, Failure> {
        let md5_hex = answer.md5_hex.as_deref();
        let proof = prove(planned, &answer.etag, md5_hex, &answer.checksums);
        let (copy_etag, verified) = match proof {
            Proof::Proven(verified) => (answer.etag, verified),
            Proof::Wrong(_) | Proof::Unclear => {
                self.prove_by_head(name, planned, answer.etag, tally)?
            }
        };
        Ok(Arrival {
            copied: Copied {
                copy_etag,
                verified,
                size_bytes: planned.size_bytes,
            },
            server_request_id: answer.request_id,
        })
    }

    /// Proves a copy by what the destination shows of it: its tag, which is
    /// `answered` unless that is empty, and the proof.
    ///
    /// # Errors
    /// As for [`copy_server_side`](Self::copy_server_side).
    pub(in crate::transfer) fn prove_by_head(
        &self,
        name: &str,
        planned: &ObjectFacts,
        answered: ETag,
        tally: &Tally,
    ) -> Result<(ETag, Verified), Failure> {
        let shown = self.shown(name, tally)?;
        let etag = match &shown {
            Some(copy) if answered.as_str().is_empty() => copy.etag.clone(),
            _ => answered,
        };
        let proof = |source: &ObjectFacts| match &shown {
            None => Proof::Wrong("its copy is not there".to_owned()),
            Some(copy) if copy.size_bytes != planned.size_bytes => Proof::Wrong(format!(
                "the source has {} bytes, its copy {}",
                planned.size_bytes, copy.size_bytes
            )),
            Some(copy) => prove(source, &copy.etag, copy.md5_hex.as_deref(), &copy.checksums),
        };
        let mut proven = proof(planned);
        if proven == Proof::Unclear {
            // Not every server heeds the condition on the source. Whose tag is still
            // the same, had it all the while; and whether that is an MD5, a listing
            // did not say.
            match self.planned_head(name, planned, tally) {
                Ok(head) => proven = proof(&head.facts),
                Err(mut failure) => {
                    self.remove_wrong_copy(name, &etag, &mut failure);
                    return Err(failure);
                }
            }
        }
        match proven {
            Proof::Proven(verified) => Ok((etag, verified)),
            Proof::Wrong(why) => {
                let message = format!("{name:?}, copied by the server, is not the same: {why}");
                Err(self.wrong_copy(name, planned, &etag, message, tally))
            }
            Proof::Unclear => Ok((etag, Verified::SizeOnly)),
        }
    }

    /// What the destination shows of a copy that was just made, checksums included
    /// where they may be seen.
    fn shown(&self, name: &str, tally: &Tally) -> Result<Option<ObjectFacts>, Failure> {
        let head = self.attempts(tally, || self.destination.head_with_checksums(name));
        let head = match head {
            // To show checksums may take a right more.
            Err(failure) if !failure.may_pass() => {
                self.attempts(tally, || self.destination.head(name))
            }
            head => head,
        };
        match head {
            Ok(head) => Ok(head.map(|head| head.facts)),
            // The copy is there, and a later run is to know it as our own.
            Err(failure) if !failure.may_have_landed() => Err(Failure {
                cause: FailureCause::ServerError,
                message: format!("copied, and not to be seen: {}", failure.message),
                ..failure
            }),
            Err(failure) => Err(failure),
        }
    }

    /// Removes a copy that is not the source's object, or not as it was asked for (the
    /// `message` says so), and says whether that has
    /// changed: then the server did not heed the condition that it has not.
    fn wrong_copy(
        &self,
        name: &str,
        planned: &ObjectFacts,
        etag: &ETag,
        message: String,
        tally: &Tally,
    ) -> Failure {
        let changed = self.planned_head(name, planned, tally).err();
        let mut failure = changed.unwrap_or_else(|| {
            self.server_side.whole.close(&message);
            self.server_side.parts.close(&message);
            Failure::new(FailureCause::Integrity, message)
        });
        self.remove_wrong_copy(name, etag, &mut failure);
        failure
    }
}
