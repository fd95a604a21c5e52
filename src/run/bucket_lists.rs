//! Lists that lie in the destination bucket, read in place.

use std::io::{self, Read};
use std::path::Path;

use super::stop::StopSignal;
use crate::intake::{Found, ListSource, OBJECT_LISTS, Problem, Stat};
use crate::model::{Failure, FailureCause, ObjectFacts, TaskId, Timestamp};
use crate::s3::{Bucket, DownloadBody, GetOptions, ListedObject, Listing};

/// What is read of a list at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// The lists under `oms/sync_task/<task id>/object_lists/` of a bucket.
pub struct BucketLists<'a> {
    bucket: &'a Bucket,
    prefix: String,
    signal: &'a StopSignal,
}

impl<'a> BucketLists<'a> {
    /// The lists of `task` in `bucket`; the second `signal` is not kept waiting.
    #[must_use]
    pub fn new(bucket: &'a Bucket, task: &TaskId, signal: &'a StopSignal) -> Self {
        Self {
            bucket,
            prefix: task.prefix(),
            signal,
        }
    }

    /// Asks the bucket, unless the second signal comes first.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Bucket) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let bucket = self.bucket.clone();
        let answer = self.signal.unless_urgent(move || question(&bucket));
        answer.map_err(Failure::from).flatten()
    }

    /// What stands on the next page, and the listing behind it; `None` for
    /// either if there is none.
    fn found(&self, mut listing: Listing) -> (Option<Vec<Found>>, Option<Listing>) {
        let page = self.ask(move |bucket| {
            let objects = listing.next_page(bucket)?;
            Ok((objects, listing))
        });
        match page {
            Ok((objects, listing)) => (objects.map(|it| self.lists(it)), Some(listing)),
            Err(failure) => {
                let problem = Problem {
                    path: OBJECT_LISTS.to_owned(),
                    error: as_io(failure),
                };
                (Some(vec![Found::Unreadable(problem)]), None)
            }
        }
    }

    fn lists(&self, objects: Vec<ListedObject>) -> Vec<Found> {
        let lists = objects.into_iter().filter_map(|object| {
            let path = object.name.strip_prefix(&self.prefix)?.to_owned();
            is_list(&path).then(|| Found::List {
                path,
                stat: stat(&object.facts),
            })
        });
        lists.collect()
    }
}

impl ListSource for BucketLists<'_> {
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        let mut next = Some(Listing::new(format!("{}{OBJECT_LISTS}", self.prefix)));
        let pages = std::iter::from_fn(move || {
            let (found, listing) = self.found(next.take()?);
            next = listing;
            found
        });
        Box::new(pages.flatten())
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        let name = format!("{}{path}", self.prefix);
        let head = self.ask(move |bucket| bucket.head(&name)).map_err(as_io)?;
        head.map(|head| stat(&head.facts))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
        let name = format!("{}{path}", self.prefix);
        let download = self
            .ask(move |bucket| bucket.get(&name, GetOptions::default()))
            .map_err(as_io)?;
        let body = HeedfulBody {
            body: Some(download.body),
            chunk: io::Cursor::default(),
            signal: self.signal,
        };
        Ok((stat(&download.head.facts), Box::new(body)))
    }
}

/// A body of which no read keeps the second signal waiting.
struct HeedfulBody<'a> {
    /// `None` once a read of it was not waited for.
    body: Option<DownloadBody>,
    chunk: io::Cursor<Vec<u8>>,
    signal: &'a StopSignal,
}

impl HeedfulBody<'_> {
    fn read_on(&mut self) -> io::Result<()> {
        let Some(mut body) = self.body.take() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (body, chunk) = self
            .signal
            .unless_urgent(move || {
                let mut chunk = Vec::new();
                let read = (&mut body).take(CHUNK_BYTES as u64).read_to_end(&mut chunk);
                (body, read.map(|_| chunk))
            })
            .map_err(io::Error::other)?;
        self.body = Some(body);
        self.chunk = io::Cursor::new(chunk?);
        Ok(())
    }
}

impl Read for HeedfulBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.position() == self.chunk.get_ref().len() as u64 {
            self.read_on()?;
        }
        self.chunk.read(buffer)
    }
}

/// Of objects only the name says whether they are a list.
fn is_list(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "txt")
        && !hidden
}

fn stat(facts: &ObjectFacts) -> Stat {
    Stat {
        size: facts.size_bytes,
        modified_at: facts.modified_at,
        // An entity tag tells any two contents apart, however soon one follows the other.
        changed_at: Timestamp::from_ms(0),
        fingerprint: format!(
            "{} {} {}",
            facts.etag,
            facts.size_bytes,
            facts.modified_at.ms()
        ),
    }
}

fn as_io(failure: Failure) -> io::Error {
    let kind = match failure.cause {
        FailureCause::SourceMissing => io::ErrorKind::NotFound,
        FailureCause::SourceDenied | FailureCause::DestinationDenied => {
            io::ErrorKind::PermissionDenied
        }
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, failure.message)
}
