//! The copy of an object in one piece.

use bytes::Bytes;

use super::proof::{self, Computed};
use super::{Arrival, Tally, Transfer, check_unchanged};
use crate::model::{CarriedHeaders, Copied, ETag, Failure, ObjectFacts};
use crate::s3::{Body, Condition, Download, GetOptions, Upload};

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
    computed: Computed,
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
        let read = self.attempts(tally, || self.read_whole(name, planned, opened.take()))?;
        let mut wrong = None;
        let arrival = self.attempts(tally, || {
            // A wrong copy of our own is in the way of nobody but us.
            let in_the_way = wrong.clone();
            let condition = in_the_way
                .as_ref()
                .map_or(condition, |etag| self.destination.condition_on(Some(etag)));
            self.write_whole(name, &read, condition, &mut wrong)
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
        let bytes = self.read_all(download.body, planned.size_bytes)?;
        let computed = proof::compute(name, &download.head.facts, &bytes)?;
        Ok(Read {
            facts: download.head.facts,
            headers: download.head.headers,
            bytes,
            computed,
        })
    }

    /// Leaves the tag of a copy that is not what was sent in `wrong`.
    fn write_whole(
        &self,
        name: &str,
        read: &Read,
        condition: Condition<'_>,
        wrong: &mut Option<ETag>,
    ) -> Result<Arrival, Failure> {
        let upload = Upload {
            body: Body::Bytes(read.bytes.clone()),
            headers: &read.headers,
            content_md5: Some(read.computed.md5),
            checksum: read.computed.checksum.as_ref(),
            condition,
        };
        let answer = self.destination.put(name, upload)?;
        match proof::prove(name, &read.computed, &answer) {
            Ok(verified) => Ok(Arrival {
                copied: Copied {
                    copy_etag: answer.etag,
                    verified,
                    size_bytes: read.bytes.len() as u64,
                },
                server_request_id: answer.request_id,
            }),
            Err(mut failure) => {
                failure.server_request_id = answer.request_id;
                *wrong = Some(answer.etag);
                Err(failure)
            }
        }
    }
}
