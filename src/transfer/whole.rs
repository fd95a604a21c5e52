//! The copy of an object in one piece.

use bytes::Bytes;

use super::digest::Digests;
use super::proof::{self, Proof};
use super::{Arrival, Tally, Transfer, check_unchanged};
use crate::model::{CarriedHeaders, Copied, ETag, Failure, FailureCause, ObjectFacts};
use crate::s3::{Body, Bucket, Condition, Download, GetOptions, Piece, PutAnswer, Relayed, Upload};

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
#[derive(Debug)]
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
        let relayed = self.relay(&copy);
        let WholeCopy {
            name,
            planned,
            mut opened,
            replaces,
        } = copy;
        let (mut read, mut written) = relayed.map_or((None, None), |relayed| {
            (Some(relayed.read), relayed.written)
        });
        let mut read = self.attempts(tally, || match read.take() {
            Some(read) => read,
            None => self.read_whole(name, planned, opened.take()),
        })?;
        let condition = self.destination.condition_on(replaces);
        let mut wrong = None;
        let arrival = self.attempts(tally, || {
            if let Some(answer) = written.take() {
                return read.arrival(name, answer?, &mut wrong);
            }
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

    /// Has a small object read and written for the first time in one go; `None` if
    /// that is no way for it.
    fn relay(&self, copy: &WholeCopy<'_>) -> Option<Relayed<Read>> {
        let is_small = copy.planned.size_bytes <= Bucket::MOST_RELAYED_BYTES;
        if !is_small || copy.opened.is_some() || self.source.is_capped() {
            return None;
        }
        let (reader, destination) = (self.clone(), self.destination.clone());
        let (name, planned) = (Box::<str>::from(copy.name), copy.planned.clone());
        let replaces = copy.replaces.cloned();
        let relayed = self.source.relay(
            copy.name,
            unchanged(copy.planned),
            &self.destination,
            move |download| Ok((reader.read_from(&name, &planned, download)?, replaces)),
            move |(read, replaces)| read.upload(destination.condition_on(replaces.as_ref())),
        );
        Some(Relayed {
            read: relayed.read.map(|(read, _)| read),
            written: relayed.written,
        })
    }

    fn read_whole(
        &self,
        name: &str,
        planned: &ObjectFacts,
        opened: Option<Download>,
    ) -> Result<Read, Failure> {
        let download = match opened {
            Some(download) => download,
            None => self.source.get(name, unchanged(planned))?,
        };
        self.read_from(name, planned, download)
    }

    /// Reads the object and computes its digests.
    fn read_from(
        &self,
        name: &str,
        planned: &ObjectFacts,
        download: Download,
    ) -> Result<Read, Failure> {
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
        let answer = self.destination.put(name, read.upload(condition))?;
        read.arrival(name, answer, wrong)
    }
}

impl Read {
    fn upload<'a>(&'a self, condition: Condition<'a>) -> Upload<'a> {
        Upload {
            body: Body::Bytes(self.bytes.clone()),
            headers: &self.headers,
            content_md5: self.digests.md5,
            checksum: self.digests.sent.as_ref(),
            condition,
        }
    }

    /// The copy that the destination's `answer` proves. Leaves the tag of one that
    /// is not what was sent in `wrong`.
    fn arrival(
        &mut self,
        name: &str,
        answer: PutAnswer,
        wrong: &mut Option<ETag>,
    ) -> Result<Arrival, Failure> {
        let mut failure = match proof::prove(name, &self.digests, &self.bytes, &answer) {
            Ok(Proof::By(verified)) => {
                return Ok(Arrival {
                    copied: Copied {
                        copy_etag: answer.etag,
                        verified,
                        size_bytes: self.bytes.len() as u64,
                    },
                    server_request_id: answer.request_id,
                });
            }
            Ok(Proof::None) => {
                self.digests.by_md5(&self.bytes);
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

/// Only if the object is still the planned one.
fn unchanged(planned: &ObjectFacts) -> GetOptions<'_> {
    GetOptions {
        if_match: Some(&planned.etag),
        ..GetOptions::default()
    }
}
