//! The copy of an object in one piece.

use bytes::Bytes;

use super::digest::Digests;
use super::dress::dress;
use super::first_try::FirstTry;
use super::proof::{self, Proof};
use super::{Arrival, Tally, Transfer, check_unchanged};
use crate::model::{CarriedHeaders, Copied, ETag, Failure, FailureCause, ObjectFacts};
use crate::s3::{Body, Condition, Download, GetOptions, Head, Piece, PutAnswer, Upload};

/// A copy in one piece that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct WholeCopy<'a> {
    /// The object's name.
    pub name: &'a str,
    /// The facts on which the decision to copy rests.
    pub planned: &'a ObjectFacts,
    /// The tag of what the destination has there; `None`: nothing.
    pub replaces: Option<&'a ETag>,
}

/// What was done already of a copy in one piece.
#[derive(Debug, Default)]
pub enum Begun {
    /// Nothing.
    #[default]
    Not,
    /// Reading the object has begun.
    Opened(Box<Download>),
    /// A [first try](super::ReadyCopy) was made, which did not succeed.
    Tried(Box<FirstTry>),
}

/// An object in memory.
#[derive(Debug)]
pub(super) struct Read {
    /// What the source said of it.
    pub(super) head: Head,
    /// What it is written with.
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
        begun: Begun,
        tally: &Tally,
    ) -> Result<(Arrival, ObjectFacts), Failure> {
        let WholeCopy {
            name,
            planned,
            replaces,
        } = copy;
        let (mut opened, tried) = match begun {
            Begun::Not => (None, None),
            Begun::Opened(download) => (Some(*download), None),
            Begun::Tried(tried) => (None, Some(*tried)),
        };
        let (mut tried, mut arrival, mut wrong) = tried.map_or((None, None, None), |tried| {
            (Some(tried.read), tried.arrival, tried.wrong)
        });
        let mut read = self.attempts(tally, || match tried.take() {
            Some(read) => read,
            None => self.read_whole(name, planned, opened.take()),
        })?;
        if self.write_options.copy_tags {
            read.headers = self.dressed(name, &read.head, tally)?.all();
        }
        let condition = self.destination.condition_on(replaces);
        let arrival = self.attempts(tally, || {
            if let Some(arrival) = arrival.take() {
                return arrival;
            }
            // A wrong copy of our own is in the way of nobody but us.
            let in_the_way = wrong.clone();
            let condition = in_the_way
                .as_ref()
                .map_or(condition, |etag| self.destination.condition_on(Some(etag)));
            self.write_whole(name, &mut read, condition, &mut wrong)
        });
        match arrival {
            Ok(arrival) => Ok((arrival, read.head.facts)),
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
        if let Some(download) = opened {
            return self.read_from(name, planned, download);
        }
        // Only if it is still the planned one.
        let options = GetOptions {
            if_match: Some(&planned.etag),
            ..GetOptions::default()
        };
        let download = self.source.get(name, options)?;
        self.read_from(name, planned, download)
    }

    /// Reads the object and computes its digests. Its tags are not known yet.
    pub(super) fn read_from(
        &self,
        name: &str,
        planned: &ObjectFacts,
        download: Download,
    ) -> Result<Read, Failure> {
        check_unchanged(name, planned, &download.head.facts)?;
        let headers = dress(&download.head, &[], &self.write_options)?.all();
        let bytes = self.read_all(download.body, planned.size_bytes, |_| {})?;
        let facts = &download.head.facts;
        let is_checked = |algorithm| self.destination.is_checking(algorithm, Piece::Object);
        let sent = proof::choose_for_whole(self.checksum, is_checked, facts);
        let digests = proof::compute(name, facts, &bytes, sent)?;
        Ok(Read {
            head: download.head,
            headers,
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
    pub(super) fn upload<'a>(&'a self, condition: Condition<'a>) -> Upload<'a> {
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
    pub(super) fn arrival(
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
