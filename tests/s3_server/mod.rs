//! An S3 server within the process, for tests and examples.
//!
//! [`S3Server::start`] serves on a random port of 127.0.0.1 until the server is dropped. It keeps
//! small objects in memory and large ones in temporary files, and behaves as AWS S3 does where it
//! matters to a client that copies objects. Its methods prepare and inspect buckets without
//! requests, show the requests that came, and make the server misbehave:
//!
//! - [`S3Server::on`] has requests fail, stall, or answer wrong bytes;
//! - [`S3Server::gate`] holds requests back until the test has done something;
//! - [`S3Server::set_rights`] and [`S3Server::set_clock_offset`] do what their names say.
#![allow(
    dead_code,
    reason = "each of the tests and examples that include this module uses a part of it"
)]
#![allow(
    clippy::expect_used,
    reason = "what fails here fails the test or the example, and the message tells why"
)]

mod access;
mod attributes;
mod body;
mod builder;
mod checksums;
mod clock;
mod conditions;
mod content;
mod copy;
mod encryption;
mod exchange;
mod faults;
mod gates;
mod listing;
mod model;
mod multipart;
mod objects;
mod percent;
mod random;
mod restore;
mod signing;
mod storage;
mod store;
mod tagging;
mod transport;
mod trickle;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::Checksum;
use tempfile::TempDir;
use tokio::runtime::Runtime;

#[allow(
    unused_imports,
    reason = "each of the tests and examples that include this module uses a part of it"
)]
pub use self::{
    access::Rights,
    builder::S3ServerBuilder,
    exchange::LoggedRequest,
    faults::{Fault, FaultAction, FaultId},
    gates::Gate,
    model::{NewObject, StoredObject},
};

use self::access::Credentials;
use self::clock::Clock;
use self::content::{Content, ContentWriter};
use self::encryption::Keys;
use self::exchange::RequestLog;
use self::faults::Faults;
use self::gates::Gates;
use self::store::{Bucket, Object, Store};

/// The access key of the credentials that every server knows, with full rights.
pub const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// The secret key that belongs to [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// What the parts of a server share.
struct Server {
    endpoint: String,
    min_part_bytes: u64,
    logs_requests: bool,
    directory: TempDir,
    store: Store,
    clock: Clock,
    credentials: Credentials,
    kms_keys: Keys,
    tells_tag_counts: bool,
    faults: Faults,
    gates: Gates,
    log: RequestLog,
}

/// A running S3 server. Dropping it closes its connections and removes its files.
pub struct S3Server {
    server: Arc<Server>,
    /// Nothing in what a callback is given, whose end is not the server's.
    runtime: Option<Runtime>,
}

impl S3Server {
    /// Starts a server as [`S3Server::builder`] has it without further settings.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A server on a random port of 127.0.0.1 that knows [`ACCESS_KEY`].
    pub fn builder() -> S3ServerBuilder {
        let builder = S3ServerBuilder {
            address: "127.0.0.1:0".to_owned(),
            min_part_bytes: 5 << 20,
            logs_requests: true,
            credentials: Credentials::default(),
            tells_tag_counts: true,
            tls: None,
        };
        builder.credentials(ACCESS_KEY, SECRET_KEY, Rights::FULL)
    }

    /// The address of the server, such as `http://127.0.0.1:9000`.
    pub fn endpoint(&self) -> String {
        self.server.endpoint.clone()
    }

    /// Creates a bucket, if it does not exist.
    pub fn create_bucket(&self, bucket: &str) {
        self.server
            .store
            .buckets()
            .entry(bucket.to_owned())
            .or_default();
    }

    /// Deletes a bucket with all it contains, if it exists.
    pub fn delete_bucket(&self, bucket: &str) {
        self.server.store.buckets().remove(bucket);
    }

    /// Puts an object into a bucket that exists.
    pub fn put(&self, bucket: &str, key: &str, object: impl Into<NewObject>) {
        let object = object.into();
        let mut writer = self.writer();
        writer.write(&object.body).expect("the body can be stored");
        let last_modified = object
            .last_modified
            .unwrap_or_else(|| self.server.clock.now());
        let md5 = Md5::checksum(&object.body);
        self.insert(bucket, key, &object, writer.finish(), md5, last_modified);
    }

    /// Puts an object of reproducible random bytes into a bucket that exists, without ever having
    /// all of them in memory.
    pub fn put_random(&self, bucket: &str, key: &str, size_bytes: u64, seed: u64) {
        let mut writer = self.writer();
        let md5 = random::write(&mut writer, size_bytes, seed).expect("the body can be stored");
        let now = self.server.clock.now();
        self.insert(
            bucket,
            key,
            &NewObject::default(),
            writer.finish(),
            md5,
            now,
        );
    }

    /// The object under a key.
    pub fn object(&self, bucket: &str, key: &str) -> Option<StoredObject> {
        self.server
            .store
            .object(bucket, key)
            .ok()
            .map(StoredObject::new)
    }

    /// Brings back from the archive what was asked for in a bucket, from now on for as many
    /// days as was asked.
    pub fn finish_restores(&self, bucket: &str) {
        let now = self.server.clock.now();
        self.with_bucket(bucket, |bucket| {
            let restores = bucket.restores.values_mut();
            restores.for_each(|restore| restore::arrived(restore, now));
        });
    }

    /// Whether an archived object was asked for, and is not back yet.
    pub fn is_being_restored(&self, bucket: &str, key: &str) -> bool {
        self.with_bucket(bucket, |bucket| {
            matches!(
                bucket.restores.get(key),
                Some(restore::Restore::UnderWay(_))
            )
        })
    }

    /// Lets the days go by for which archived objects of a bucket are back.
    pub fn expire_restores(&self, bucket: &str) {
        self.with_bucket(bucket, |bucket| bucket.restores.clear());
    }

    /// Removes an object and tells whether there was one.
    pub fn remove(&self, bucket: &str, key: &str) -> bool {
        self.with_bucket(bucket, |bucket| bucket.objects.remove(key).is_some())
    }

    /// Changes when an object was last modified, in whole seconds.
    pub fn set_last_modified(&self, bucket: &str, key: &str, last_modified: SystemTime) {
        self.with_bucket(bucket, |bucket| {
            let object = bucket.objects.get_mut(key).expect("the object exists");
            Arc::make_mut(object).last_modified = clock::whole_seconds(last_modified);
        });
    }

    /// Gives an object another `ETag`, without quotes.
    pub fn set_etag(&self, bucket: &str, key: &str, etag: &str) {
        self.with_bucket(bucket, |bucket| {
            let object = bucket.objects.get_mut(key).expect("the object exists");
            etag.clone_into(&mut Arc::make_mut(object).etag);
        });
    }

    /// The keys of a bucket, ordered by their bytes.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.with_bucket(bucket, |bucket| bucket.objects.keys().cloned().collect())
    }

    /// The multipart uploads that are neither completed nor aborted: key and upload id.
    pub fn uploads(&self, bucket: &str) -> Vec<(String, String)> {
        self.with_bucket(bucket, |bucket| bucket.uploads.keys().cloned().collect())
    }

    /// Those of the uploads that hold parts, and so cost their owner something.
    pub fn uploads_with_parts(&self, bucket: &str) -> Vec<(String, String)> {
        self.with_bucket(bucket, |bucket| {
            let uploads = bucket.uploads.iter();
            let with_parts = uploads.filter(|(_, upload)| !upload.parts.is_empty());
            with_parts.map(|(upload, _)| upload.clone()).collect()
        })
    }

    /// All requests in the order of their arrival.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.server.log.to_vec()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.server.log.clear();
    }

    /// Has the bucket refuse requests that do not say that their sender pays.
    pub fn set_requester_pays(&self, bucket: &str) {
        self.with_bucket(bucket, |bucket| bucket.requester_pays = true);
    }

    /// Adds an access key, or changes the secret and rights of one.
    pub fn add_credentials(&self, access_key: &str, secret_key: &str, rights: Rights) {
        self.server.credentials.add(access_key, secret_key, rights);
    }

    /// From now on requests signed with this access key are answered with `ExpiredToken`.
    pub fn expire(&self, access_key: &str) {
        self.server.credentials.expire(access_key);
    }

    /// Changes what a known access key may do.
    pub fn set_rights(&self, access_key: &str, rights: Rights) {
        self.server.credentials.set_rights(access_key, rights);
    }

    /// Gives the server a key for KMS, or changes whether it is enabled.
    pub fn set_kms_key(&self, id: &str, enabled: bool) {
        self.server.kms_keys.set(id, enabled);
    }

    /// Has requests meet a fault. Faults that match the same request are tried in the order in
    /// which they were added: it meets the first that is due, and every due callback.
    pub fn on(&self, fault: Fault) -> FaultId {
        self.server.faults.add(fault)
    }

    /// From one instant on these faults and no others.
    pub fn replace_faults(&self, faults: Vec<Fault>) {
        self.server.faults.replace(faults);
    }

    /// Takes one fault back.
    pub fn remove_fault(&self, fault: FaultId) {
        self.server.faults.remove(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.server.faults.clear();
    }

    /// Holds back the requests of an operation on a bucket, and on a key if one is given.
    pub fn gate(&self, operation: &str, bucket: &str, key: Option<&str>) -> Gate {
        self.server.gates.add(operation, bucket, key)
    }

    /// Puts the server's clock wrong by so many seconds: what it compares the dates of requests
    /// with, and what it tells in `Date` and `Last-Modified`.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.server.clock.set_offset(seconds);
    }

    fn view(server: Arc<Server>) -> Self {
        Self {
            server,
            runtime: None,
        }
    }

    fn writer(&self) -> ContentWriter<'_> {
        ContentWriter::new(self.server.directory.path())
    }

    fn insert(
        &self,
        bucket: &str,
        key: &str,
        new: &NewObject,
        content: Content,
        md5: [u8; 16],
        last_modified: SystemTime,
    ) {
        let attributes = new.attributes();
        let object = Object {
            etag: encryption::tag_of(&attributes, content::hex(&md5)),
            attributes,
            content,
            checksums: Checksum::default(),
            last_modified: clock::whole_seconds(last_modified),
            part_sizes: Vec::new(),
        };
        self.with_bucket(bucket, |bucket| {
            bucket.objects.insert(key.to_owned(), Arc::new(object))
        });
    }

    fn with_bucket<T>(&self, bucket: &str, action: impl FnOnce(&mut Bucket) -> T) -> T {
        let result = self
            .server
            .store
            .with_bucket(bucket, |bucket| Ok(action(bucket)));
        result.expect("the bucket exists")
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        // In a thread of its own, since waiting for a runtime is forbidden within another.
        let stopped = std::thread::spawn(|| runtime.shutdown_timeout(Duration::from_secs(5)));
        // A failure to stop or to remove files must not hide why a test failed.
        let _ = stopped.join();
        let _ = std::fs::remove_dir_all(self.server.directory.path());
    }
}
