//! Buckets with their objects and open multipart uploads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use s3s::dto::Checksum;
use s3s::{S3Result, s3_error};

use super::attributes::Attributes;
use super::conditions::WriteConditions;
use super::content::{Content, hex};
use super::encryption;
use super::restore::Restore;

/// An object; it is replaced as a whole, never changed while it is read.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) attributes: Attributes,
    pub(super) content: Content,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) checksums: Checksum,
    pub(super) last_modified: SystemTime,
    /// Empty unless the object came from a multipart upload.
    pub(super) part_sizes: Vec<u64>,
}

pub(super) struct Part {
    pub(super) content: Content,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksum,
    pub(super) last_modified: SystemTime,
}

/// A multipart upload that is neither completed nor aborted.
pub(super) struct Upload {
    pub(super) attributes: Attributes,
    pub(super) initiated: SystemTime,
    /// What `x-amz-checksum-algorithm` asked for.
    pub(super) checksum_algorithm: Option<String>,
    /// `COMPOSITE` or `FULL_OBJECT`.
    pub(super) checksum_type: String,
    pub(super) parts: BTreeMap<i32, Part>,
}

impl Upload {
    /// The tag of one of its parts.
    pub(super) fn tag_of(&self, part: &Part) -> String {
        encryption::tag_of(&self.attributes, hex(&part.md5))
    }
}

#[derive(Default)]
pub(super) struct Bucket {
    /// Whether only requests are answered that say that their sender pays.
    pub(super) requester_pays: bool,
    pub(super) objects: BTreeMap<String, Arc<Object>>,
    /// By key and upload id.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
    /// How far archived objects are brought back, by key.
    pub(super) restores: BTreeMap<String, Restore>,
}

impl Bucket {
    pub(super) fn object(&self, key: &str) -> S3Result<Arc<Object>> {
        let object = self.objects.get(key).cloned();
        object.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }

    pub(super) fn upload(&mut self, key: &str, upload_id: &str) -> S3Result<&mut Upload> {
        let upload = self
            .uploads
            .get_mut(&(key.to_owned(), upload_id.to_owned()));
        upload.ok_or_else(no_such_upload)
    }

    /// Stores an object if the conditions hold at this very moment.
    pub(super) fn put(
        &mut self,
        key: &str,
        object: Object,
        conditions: &WriteConditions,
    ) -> S3Result<()> {
        conditions.check(self.objects.get(key).map(AsRef::as_ref))?;
        self.objects.insert(key.to_owned(), Arc::new(object));
        self.restores.remove(key);
        Ok(())
    }
}

pub(super) fn no_such_upload() -> s3s::S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}

/// All buckets, behind one lock that is held only for moments.
#[derive(Default)]
pub(super) struct Store {
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl Store {
    pub(super) fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets
            .lock()
            .expect("no thread panics with the store locked")
    }

    /// Runs `action` on a bucket, or answers `NoSuchBucket`.
    pub(super) fn with_bucket<T>(
        &self,
        bucket: &str,
        action: impl FnOnce(&mut Bucket) -> S3Result<T>,
    ) -> S3Result<T> {
        let mut buckets = self.buckets();
        let bucket = buckets.get_mut(bucket);
        action(
            bucket.ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))?,
        )
    }

    pub(super) fn is_paid_by_requester(&self, bucket: &str) -> bool {
        let buckets = self.buckets();
        buckets
            .get(bucket)
            .is_some_and(|bucket| bucket.requester_pays)
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.with_bucket(bucket, |bucket| bucket.object(key))
    }
}
