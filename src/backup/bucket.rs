//! Copies in a bucket.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use md5::{Digest, Md5};

use super::{BackupName, Kept, LedgerCopy, StoreError, beyond, choose, digest};
use crate::data_dir::open_or_create;
use crate::model::{CarriedHeaders, Failure, FailureCause, UploadId};
use crate::s3::{Body, Bucket, Condition, GetOptions, Listing, Upload, UploadedPart};

/// How often the bucket is asked to take a copy or a part of it.
const TRIES: u32 = 3;

/// The most parts that an object may have.
const MOST_PARTS: u64 = 10_000;

/// A bucket that holds copies of one ledger.
#[derive(Debug, Clone)]
pub struct BucketStore {
    /// The bucket.
    pub bucket: Bucket,
    /// What the copies' names begin with; empty or ended by `/`.
    pub prefix: String,
    /// How many copies stay.
    pub keep: usize,
    /// Copies above this size go in parts of it; at least 5 MiB.
    pub part_bytes: u64,
}

impl BucketStore {
    /// The usual [`part_bytes`](Self::part_bytes).
    pub const PART_BYTES: u64 = 64 * 1024 * 1024;

    /// Keeps `copy`, unless the newest there is the same; then removes what is
    /// beyond `keep`. Memory stays flat, whatever the copy's size.
    ///
    /// # Errors
    /// If the bucket cannot be listed or does not take the copy; nothing is
    /// removed then. That something cannot be removed is only a note.
    pub fn keep(&self, copy: &LedgerCopy) -> Result<Kept, StoreError> {
        let mut names = self.names().map_err(StoreError::Bucket)?;
        let mut kept = Kept::default();
        let newest = names.iter().max();
        if !newest.is_some_and(|newest| newest.same_content(&copy.name)) {
            let name = self.full(&copy.name);
            self.put(&name, copy).map_err(StoreError::Bucket)?;
            kept.stored = Some(format!("{name} in the bucket {}", self.bucket.name()));
            names.push(copy.name.clone());
        }
        for name in beyond(names, self.keep) {
            let name = self.full(&name);
            if let Err(failure) = self.bucket.delete(&name) {
                let why = failure.message;
                kept.notes
                    .push(format!("{name} could not be removed: {why}"));
            }
        }
        Ok(kept)
    }

    /// Sees whether the copies there can be listed.
    ///
    /// # Errors
    /// If the bucket cannot be listed.
    pub fn check(&self) -> Result<(), StoreError> {
        self.names().map(drop).map_err(StoreError::Bucket)
    }

    /// Fetches the copy that is wanted by name, by default the newest, into the
    /// new file `to`, and compares it with what its name promises. Answers its name.
    ///
    /// # Errors
    /// If there is none, the bucket does not show it, or it was altered.
    pub fn fetch(&self, wanted: Option<&str>, to: &Path) -> Result<BackupName, StoreError> {
        let names = self.names().map_err(StoreError::Bucket)?;
        let place = format!("the bucket {}", self.bucket.name());
        let name = choose(names, wanted, &place)?;
        let options = GetOptions::default();
        let mut body = self
            .bucket
            .get(&self.full(&name), options)
            .map_err(StoreError::Bucket)?
            .body;
        let local = |error| StoreError::file(to, error);
        let mut file = open_or_create(to, 0o600).map_err(local)?;
        io::copy(&mut body, &mut file).map_err(local)?;
        let (sha256, _) = digest(to).map_err(local)?;
        if name.promises(&sha256) {
            Ok(name)
        } else {
            Err(StoreError::Altered(name.to_string()))
        }
    }

    fn full(&self, name: &BackupName) -> String {
        format!("{}{name}", self.prefix)
    }

    /// All copies; only names that are directly behind the prefix.
    fn names(&self) -> Result<Vec<BackupName>, Failure> {
        let prefix = format!("{}ledger-", self.prefix);
        let mut names = Vec::new();
        let mut listing = Listing::new(prefix);
        while let Some(objects) = listing.next_page(&self.bucket)? {
            let ours = |name: &str| name.strip_prefix(&self.prefix)?.parse().ok();
            names.extend(objects.iter().filter_map(|object| ours(&object.name)));
        }
        Ok(names)
    }

    fn put(&self, name: &str, copy: &LedgerCopy) -> Result<(), Failure> {
        let content_type = (
            "content-type".to_owned(),
            "application/vnd.sqlite3".to_owned(),
        );
        let headers = CarriedHeaders(vec![content_type]);
        if copy.size_bytes <= self.part_bytes {
            let whole = Stretch::new(copy, 0, copy.size_bytes);
            again(|| {
                let upload = whole.upload(&headers)?;
                self.bucket.put(name, upload).map(drop)
            })?;
        } else {
            let upload_id = again(|| self.bucket.create_upload(name, &headers, None))?;
            if let Err(failure) = self.put_parts(name, copy, &upload_id) {
                // What cannot be aborted either is for the bucket's own rules.
                drop(self.bucket.abort_upload(name, &upload_id));
                return Err(failure);
            }
        }
        self.check_length(name, copy.size_bytes)
    }

    fn put_parts(
        &self,
        name: &str,
        copy: &LedgerCopy,
        upload_id: &UploadId,
    ) -> Result<(), Failure> {
        let part_bytes = self.part_bytes.max(copy.size_bytes.div_ceil(MOST_PARTS));
        let none = CarriedHeaders(Vec::new());
        let mut parts = Vec::new();
        let mut at = 0;
        for number in 1.. {
            let part = Stretch::new(copy, at, part_bytes.min(copy.size_bytes - at));
            let answer = again(|| {
                let upload = part.upload(&none)?;
                self.bucket.upload_part(name, upload_id, number, upload)
            })?;
            let etag = answer.etag;
            parts.push(UploadedPart { number, etag });
            at += part.size_bytes;
            if at >= copy.size_bytes {
                break;
            }
        }
        again(|| {
            self.bucket
                .complete_upload(name, upload_id, &parts, Condition::Anything)
        })
        .map(drop)
    }

    fn check_length(&self, name: &str, size_bytes: u64) -> Result<(), Failure> {
        let there = again(|| self.bucket.head(name))?;
        if there.is_some_and(|head| head.facts.size_bytes == size_bytes) {
            return Ok(());
        }
        let message = format!("{name} is not there as it was sent");
        Err(Failure::new(FailureCause::Integrity, message))
    }
}

/// Tries again what may be another moment's trouble.
fn again<T>(mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut tries = 1;
    loop {
        match attempt() {
            Err(failure) if failure.cause.is_retried_within_run() && tries < TRIES => tries += 1,
            result => return result,
        }
    }
}

/// A stretch of a copy, read anew for each attempt.
struct Stretch<'a> {
    copy: &'a LedgerCopy,
    at: u64,
    size_bytes: u64,
}

impl<'a> Stretch<'a> {
    const fn new(copy: &'a LedgerCopy, at: u64, size_bytes: u64) -> Self {
        Self {
            copy,
            at,
            size_bytes,
        }
    }

    fn read(&self) -> io::Result<io::Take<File>> {
        let mut file = File::open(self.copy.path())?;
        file.seek(SeekFrom::Start(self.at))?;
        Ok(file.take(self.size_bytes))
    }

    fn md5(&self) -> io::Result<[u8; 16]> {
        let mut md5 = Md5::new();
        let mut reader = self.read()?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = reader.read(&mut buffer)?;
            if read == 0 {
                return Ok(md5.finalize().into());
            }
            md5.update(&buffer[..read]);
        }
    }

    fn upload<'h>(&self, headers: &'h CarriedHeaders) -> Result<Upload<'h>, Failure> {
        let unreadable = |error: io::Error| {
            let message = format!("cannot read the local copy: {error}");
            Failure::new(FailureCause::Internal, message)
        };
        let md5 = self.md5().map_err(unreadable)?;
        Ok(Upload {
            body: Body::Stream {
                reader: Box::new(self.read().map_err(unreadable)?),
                size_bytes: self.size_bytes,
                reading: Duration::ZERO,
            },
            headers,
            content_md5: Some(md5),
            checksum: None,
            condition: Condition::Anything,
        })
    }
}
