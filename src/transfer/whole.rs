//! The copy of an object in one piece.

use bytes::Bytes;

use super::digest::Digests;
use super::proof::{self, Proof};
use super::{Arrival, Tally, Transfer, check_unchanged};
use crate::model::{CarriedHeaders, Copied, ETag, Failure, FailureCause, ObjectFacts};
use crate::s3::{Body, Condition, Download, GetOptions, Piece, Upload};

/// A copy in one piece that is to be made.
#[derive(Debug)]
pub struct WholeCopy<'a> {
    /// The object's name.
    pub name: &'a str,
    /// The facts on which the decision to copy rests.
    pub planned: &'a ObjectFacts,
    /// The object, if reading it has begun already.
    pub opened: Option<Download>,
    /// The tag of what the destination has there; `None`: nothing.
    pub replaces: Option<&'a ETag>,
}

/// An object in memory.
struct Read {
    facts: ObjectFacts,
    headers: CarriedHeaders,
    bytes: Bytes,
    digests: Digests,
}

impl Transfer {
    /// Copies an object, and answers what the source said of it when it was read
    /// too. It takes as much memory as the object is large. What is read and
    /// right is kept for further attempts to write it.
    ///
    /// # Errors
    /// What remains after all attempts; `source_changed` if the object is no
    /// longer the planned one; a refused condition if the destination has
    /// something else meanwhile and keeps conditions.
    pub fn copy_whole(
        &self,
        copy: WholeCopy<'_>,
        tally: &Tally,
    ) -> Result<(Arrival, ObjectFacts), Failure> {
        let WholeCopy {
            name,
            planned,
            mut opened,
            replaces,
        } = copy;
        let condition = self.destination.condition_on(replaces);
        let mut read = self.attempts(tally, || self.read_whole(name, planned, opened.take()))?;
        let mut wrong = None;
        let arrival = self.attempts(tally, || {
            // A wrong copy of our own is in the way of nobody but us.
            let in_the_way = wrong.clone();
            let condition = in_the_way
                .as_ref()
                .map_or(condition, |etag| self.destination.condition_on(Some(etag)));
            self.write_whole(name, &mut read, condition, &mut wrong)
        });
        match arrival {
            Ok(arrival) => Ok((arrival, read.facts)),
            Err(mut failure) => {
                if let Some(etag) = wrong {
                    self.remove_wrong_copy(name, &etag, &mut failure);
                }
                Err(failure)
            }
        }
    }

    fn read_whole(
        &self,
        name: &str,
        planned: &ObjectFacts,
        opened: Option<Download>,
    ) -> Result<Read, Failure> {
        let options = GetOptions {
            if_match: Some(&planned.etag),
            ..GetOptions::default()
        };
        let download = match opened {
            Some(download) => download,
            None => self.source.get(name, options)?,
        };
        check_unchanged(name, planned, &download.head.facts)?;
        download.head.carried()?;
        let bytes = self.read_all(download.body, planned.size_bytes, |_| {})?;
        let facts = &download.head.facts;
        let is_checked = |algorithm| self.destination.is_checking(algorithm, Piece::Object);
        let sent = proof::choose_for_whole(self.checksum, is_checked, facts);
        let digests = proof::compute(name, facts, &bytes, sent)?;
        Ok(Read {
            facts: download.head.facts,
            headers: download.head.headers,
            bytes,
            digests,
        })
    }

    /// Leaves the tag of a copy that is not what was sent in `wrong`.
    fn write_whole(
        &self,
        name: &str,
        read: &mut Read,
        condition: Condition<'_>,
        wrong: &mut Option<ETag>,
    ) -> Result<Arrival, Failure> {
        let upload = Upload {
            body: Body::Bytes(read.bytes.clone()),
            headers: &read.headers,
            content_md5: read.digests.md5,
            checksum: read.digests.sent.as_ref(),
            condition,
        };
        let answer = self.destination.put(name, upload)?;
        let proven = proof::prove(name, &read.digests, &read.bytes, &answer);
        let mut failure = match proven {
            Ok(Proof::By(verified)) => {
                return Ok(Arrival {
                    copied: Copied {
                        copy_etag: answer.etag,
                        verified,
                        size_bytes: read.bytes.len() as u64,
                    },
                    server_request_id: answer.request_id,
                });
            }
            Ok(Proof::None) => {
                read.digests.by_md5(&read.bytes);
                let message = format!("the destination does not say what it took of {name:?}");
                Failure::new(FailureCause::Integrity, message)
            }
            Err(failure) => failure,
        };
        failure.server_request_id = answer.request_id;
        *wrong = Some(answer.etag);
        Err(failure)
    }
}
