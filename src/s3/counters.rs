//! What was asked of a bucket, counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::cause::Operation;
use crate::model::{Counters, Timestamp};

/// The counters of one bucket while they run.
#[derive(Debug, Default)]
pub(super) struct Counting {
    list: AtomicU64,
    head: AtomicU64,
    get: AtomicU64,
    put: AtomicU64,
    part: AtomicU64,
    create: AtomicU64,
    complete: AtomicU64,
    abort: AtomicU64,
    delete: AtomicU64,
    throttled: AtomicU64,
    /// By minutes since the epoch; taken out when they are recorded.
    throttled_minutes: Mutex<BTreeMap<i64, u64>>,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// What was taken out so far, to be recorded.
    taken: Mutex<Counters>,
}

impl Counting {
    pub(super) fn request(&self, operation: Operation) {
        let counter = match operation {
            Operation::ListObjectsV2 | Operation::ListParts => &self.list,
            Operation::HeadObject => &self.head,
            Operation::GetObject | Operation::GetObjectTagging => &self.get,
            Operation::PutObject
            | Operation::PutObjectTagging
            | Operation::CopyObject
            | Operation::RestoreObject => &self.put,
            Operation::UploadPart | Operation::UploadPartCopy => &self.part,
            Operation::CreateMultipartUpload => &self.create,
            Operation::CompleteMultipartUpload => &self.complete,
            Operation::AbortMultipartUpload => &self.abort,
            Operation::DeleteObject => &self.delete,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn throttled(&self, at: Timestamp) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        let minutes = self.throttled_minutes.lock();
        let mut minutes = minutes.unwrap_or_else(PoisonError::into_inner);
        *minutes.entry(at.ms().div_euclid(60_000)).or_default() += 1;
    }

    /// How often a slower pace was asked for, by minutes since the epoch, since
    /// this was last asked.
    pub(super) fn take_throttled_minutes(&self) -> BTreeMap<i64, u64> {
        let minutes = self.throttled_minutes.lock();
        std::mem::take(&mut *minutes.unwrap_or_else(PoisonError::into_inner))
    }

    /// What was counted since this was last asked.
    pub(super) fn take(&self) -> Counters {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.read();
        let more = now.since(*taken);
        *taken = now;
        more
    }

    pub(super) fn bytes_in(&self, bytes: u64) {
        self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn bytes_out(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counters {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            list: of(&self.list),
            head: of(&self.head),
            get: of(&self.get),
            put: of(&self.put),
            part: of(&self.part),
            create: of(&self.create),
            complete: of(&self.complete),
            abort: of(&self.abort),
            delete: of(&self.delete),
            throttled: of(&self.throttled),
            bytes_in: of(&self.bytes_in),
            bytes_out: of(&self.bytes_out),
        }
    }
}
