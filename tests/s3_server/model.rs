//! Objects as tests put them in and find them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::attributes::{Attributes, METADATA_PREFIX};
use super::store::Object;

/// An object to put into a bucket without a request.
#[derive(Clone, Debug, Default)]
pub struct NewObject {
    /// The bytes of the object.
    pub body: Vec<u8>,
    /// `Content-Type`; S3's `binary/octet-stream` if not given.
    pub content_type: Option<String>,
    /// Other headers to store, such as `Cache-Control` or `x-amz-storage-class`.
    pub headers: BTreeMap<String, String>,
    /// User metadata by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// `Last-Modified`, in whole seconds; now if not given.
    pub last_modified: Option<SystemTime>,
}

impl NewObject {
    pub(super) fn attributes(&self) -> Attributes {
        let content_type = self
            .content_type
            .iter()
            .map(|kind| ("content-type".to_owned(), kind));
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value));
        let metadata = self.metadata.iter();
        let metadata = metadata.map(|(name, value)| (format!("{METADATA_PREFIX}{name}"), value));
        let all: HeaderMap = content_type
            .chain(headers)
            .chain(metadata)
            .map(|(name, value)| {
                let name: HeaderName = name
                    .parse()
                    .expect("the header name of a new object is valid");
                let value = HeaderValue::from_bytes(value.as_bytes());
                (
                    name,
                    value.expect("the header value of a new object is valid"),
                )
            })
            .collect();
        Attributes::from_headers(&all).expect("the headers of a new object are acceptable")
    }
}

impl From<Vec<u8>> for NewObject {
    fn from(body: Vec<u8>) -> Self {
        Self {
            body,
            ..Self::default()
        }
    }
}

impl From<&[u8]> for NewObject {
    fn from(body: &[u8]) -> Self {
        body.to_vec().into()
    }
}

impl From<&str> for NewObject {
    fn from(body: &str) -> Self {
        body.as_bytes().into()
    }
}

/// An object as it was in the store when it was asked for.
#[derive(Clone)]
pub struct StoredObject {
    /// The number of bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// In whole seconds.
    pub last_modified: SystemTime,
    /// The stored headers with names in lower case, without user metadata.
    pub headers: BTreeMap<String, String>,
    /// User metadata by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// The sizes of its parts if it came from a multipart upload, else nothing.
    pub part_sizes: Vec<u64>,
    object: Arc<Object>,
}

impl StoredObject {
    pub(super) fn new(object: Arc<Object>) -> Self {
        Self {
            size: object.content.len(),
            etag: object.etag.clone(),
            last_modified: object.last_modified,
            headers: object.attributes.headers(),
            metadata: object.attributes.metadata(),
            part_sizes: object.part_sizes.clone(),
            object,
        }
    }

    /// All bytes.
    ///
    /// # Panics
    /// If the server is gone and with it the file of a large object.
    pub fn body(&self) -> Vec<u8> {
        self.object
            .content
            .to_vec()
            .expect("the object can be read")
    }

    /// The SHA-256 of the bytes in hexadecimal, computed without holding them in memory.
    ///
    /// # Panics
    /// If the server is gone and with it the file of a large object.
    pub fn sha256(&self) -> String {
        self.object
            .content
            .sha256_hex()
            .expect("the object can be read")
    }
}
