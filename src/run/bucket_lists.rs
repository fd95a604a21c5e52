//! Lists that lie in the destination bucket, read in place.

use std::io::{self, Read};
use std::path::Path;

use crate::intake::{Found, ListSource, OBJECT_LISTS, Problem, Stat};
use crate::model::{Failure, FailureCause, ObjectFacts, TaskId, Timestamp};
use crate::s3::{Bucket, GetOptions, ListPage};

/// Names asked for at once.
const PAGE: u16 = 1000;

/// The lists under `oms/sync_task/<task id>/object_lists/` of a bucket.
pub struct BucketLists<'a> {
    bucket: &'a Bucket,
    prefix: String,
}

impl<'a> BucketLists<'a> {
    /// The lists of `task` in `bucket`.
    #[must_use]
    pub fn new(bucket: &'a Bucket, task: &TaskId) -> Self {
        Self {
            bucket,
            prefix: task.prefix(),
        }
    }

    fn page(&self, after: Option<&str>) -> Result<ListPage, Failure> {
        self.bucket
            .list(&format!("{}{OBJECT_LISTS}", self.prefix), None, after, PAGE)
    }

    /// What stands on one page, and the token of the next.
    fn found(&self, after: Option<&str>) -> (Vec<Found>, Option<String>) {
        match self.page(after) {
            Ok(page) => {
                let lists = page.objects.into_iter().filter_map(|object| {
                    let path = object.name.strip_prefix(&self.prefix)?.to_owned();
                    is_list(&path).then(|| Found::List {
                        path,
                        stat: stat(&object.facts),
                    })
                });
                (lists.collect(), page.next)
            }
            Err(failure) => {
                let problem = Problem {
                    path: OBJECT_LISTS.to_owned(),
                    error: as_io(failure),
                };
                (vec![Found::Unreadable(problem)], None)
            }
        }
    }
}

impl ListSource for BucketLists<'_> {
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        let mut next = Some(None::<String>);
        let pages = std::iter::from_fn(move || {
            let token = next.take()?;
            let (found, after) = self.found(token.as_deref());
            next = after.map(Some);
            Some(found)
        });
        Box::new(pages.flatten())
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        let head = self
            .bucket
            .head(&format!("{}{path}", self.prefix))
            .map_err(as_io)?;
        head.map(|head| stat(&head.facts))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
        let name = format!("{}{path}", self.prefix);
        let download = self
            .bucket
            .get(&name, GetOptions::default())
            .map_err(as_io)?;
        Ok((stat(&download.head.facts), Box::new(download.body)))
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
