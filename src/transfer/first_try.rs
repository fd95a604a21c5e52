//! The first try to copy a small object, for which no thread waits.
//!
//! Nearly all tries are the last, and to wake a thread for each would cost more
//! than all else. What did not succeed goes on with [`Transfer::copy_whole`],
//! which counts the try as the first of its attempts.

use std::sync::Arc;

use super::whole::Read;
use super::{Arrival, Transfer, WholeCopy};
use crate::model::{ETag, Failure, ObjectFacts};
use crate::s3::{Bucket, Download, GetOptions, Leave};

/// A small object whose first try may begin.
#[derive(Debug)]
pub struct ReadyCopy {
    transfer: Arc<Transfer>,
    name: Box<str>,
    planned: ObjectFacts,
    replaces: Option<ETag>,
    start: Start,
}

/// Where a first try takes the object from.
#[derive(Debug)]
enum Start {
    /// The source, which is asked for it.
    Get(Leave),
    /// It came here already, as a whole.
    Here(Box<Download>),
}

/// How far a first try came.
#[derive(Debug)]
pub struct FirstTry {
    pub(super) read: Result<Read, Failure>,
    /// `None` if writing was not tried.
    pub(super) arrival: Option<Result<Arrival, Failure>>,
    /// The tag of a copy that is not what was sent.
    pub(super) wrong: Option<ETag>,
}

impl FirstTry {
    /// The copy, and what the source said of the object, if it was the last try.
    ///
    /// # Errors
    /// The try itself, if more are needed.
    pub fn succeeded(self) -> Result<(Arrival, ObjectFacts), Box<Self>> {
        match self {
            Self {
                read: Ok(read),
                arrival: Some(Ok(arrival)),
                ..
            } => Ok((arrival, read.head.facts)),
            tried => Err(Box::new(tried)),
        }
    }
}

impl Transfer {
    /// The first try of `copy`; `None` if it is no way for it, or would have to
    /// wait. Takes what was `opened`, if that can be gone on with.
    pub fn ready(
        self: &Arc<Self>,
        copy: WholeCopy<'_>,
        opened: &mut Option<Download>,
    ) -> Option<ReadyCopy> {
        // Tags are asked for by themselves, and that waits.
        let waits = self.source.is_capped() || self.write_options.copy_tags;
        if copy.planned.size_bytes > Bucket::MOST_AT_ONCE_BYTES || waits {
            return None;
        }
        let start = match opened {
            None => Start::Get(self.source.leave()?),
            Some(_) => Start::Here(opened.take_if(|opened| opened.body.is_here())?.into()),
        };
        Some(ReadyCopy {
            transfer: Arc::clone(self),
            name: copy.name.into(),
            planned: copy.planned.clone(),
            replaces: copy.replaces.cloned(),
            start,
        })
    }

    /// Begins to read the object before anything is known of it, without a thread
    /// that waits; `done` is told on the HTTP client's thread what came of it, and
    /// must neither wait nor take long. What fails is the first attempt of
    /// [`open`](Self::open).
    pub fn open_first(
        &self,
        leave: Leave,
        name: &str,
        done: impl FnOnce(Result<Download, Failure>) + Send + 'static,
    ) {
        let (source, of) = (self.source.clone(), Box::<str>::from(name));
        let work = async move {
            let options = GetOptions::default();
            source.get_detached(leave, &of, options).await
        };
        let done = |opened: Result<_, _>| done(opened.flatten());
        self.source.detach(name, work, done);
    }
}

impl ReadyCopy {
    /// Makes the try; `done` is told how far it came, on the HTTP client's thread,
    /// and must neither wait nor take long.
    pub fn go(self, done: impl FnOnce(FirstTry) + Send + 'static) {
        let (source, name) = (self.transfer.source.clone(), self.name.clone());
        source.detach(&name, self.made(), |tried| {
            done(tried.unwrap_or_else(|failure| FirstTry {
                read: Err(failure),
                arrival: None,
                wrong: None,
            }));
        });
    }

    async fn made(self) -> FirstTry {
        let (transfer, name, planned) = (&self.transfer, &self.name, &self.planned);
        let download = match self.start {
            Start::Here(download) => Ok(*download),
            Start::Get(leave) => {
                let options = GetOptions {
                    if_match: Some(&planned.etag),
                    ..GetOptions::default()
                };
                transfer.source.get_detached(leave, name, options).await
            }
        };
        let mut read = download
            .and_then(Download::that_is_here)
            .and_then(|download| transfer.read_from(name, planned, download));
        let (mut arrival, mut wrong) = (None, None);
        if let Ok(read) = &mut read {
            let destination = &transfer.destination;
            let upload = read.upload(destination.condition_on(self.replaces.as_ref()));
            let written = destination.put_detached(name, upload).await;
            arrival = written.map(|answer| read.arrival(name, answer?, &mut wrong));
        }
        FirstTry {
            read,
            arrival,
            wrong,
        }
    }
}
