//! The headers that S3 keeps with an object and returns byte for byte.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};
use s3s::{S3Result, s3_error};

use super::encryption::{ENCRYPTION, KEY_ID};
use super::tagging::{self, TAGGING};

pub(super) const METADATA_PREFIX: &str = "x-amz-meta-";
const STORAGE_CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
const METADATA_LIMIT_BYTES: usize = 2048;

/// The stored headers of an object, user metadata among them.
#[derive(Clone)]
pub(super) struct Attributes(Vec<(HeaderName, HeaderValue)>);

impl Attributes {
    /// Takes those of a request that are to be stored.
    pub(super) fn from_headers(headers: &HeaderMap) -> S3Result<Self> {
        let mut stored = Vec::new();
        for name in headers.keys().filter(|name| is_stored(name)) {
            let values: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(HeaderValue::as_bytes)
                .collect();
            let mut value = values.join(&b","[..]);
            if name == header::CONTENT_ENCODING {
                value = without_aws_chunked(&value);
                if value.is_empty() {
                    continue;
                }
            }
            let value =
                HeaderValue::from_bytes(&value).expect("joined header values are a valid one");
            stored.push((name.clone(), value));
        }
        if !headers.contains_key(header::CONTENT_TYPE) {
            stored.push((
                header::CONTENT_TYPE,
                HeaderValue::from_static("binary/octet-stream"),
            ));
        }
        let attributes = Self(stored);
        if attributes.metadata_bytes() > METADATA_LIMIT_BYTES {
            return Err(s3_error!(
                MetadataTooLarge,
                "Your metadata headers exceed the maximum allowed metadata size"
            ));
        }
        Ok(attributes)
    }

    /// Those of a copy of `self` that is asked for by a request of these headers. Storage
    /// class and encryption are never inherited, metadata and tags unless they are replaced.
    pub(super) fn of_copy(&self, headers: &HeaderMap) -> S3Result<Self> {
        let asked = Self::from_headers(headers)?;
        let replaces = |name: &str| headers.get(name).is_some_and(|value| value == "REPLACE");
        let (metadata, tags) = (
            replaces("x-amz-metadata-directive"),
            replaces("x-amz-tagging-directive"),
        );
        let is_asked_for = |name: &HeaderName| match name.as_str() {
            "x-amz-storage-class" | ENCRYPTION | KEY_ID => true,
            TAGGING => tags,
            _ => metadata,
        };
        let inherited = self.0.iter().filter(|(name, _)| !is_asked_for(name));
        let asked = asked.0.iter().filter(|(name, _)| is_asked_for(name));
        Ok(Self(inherited.chain(asked).cloned().collect()))
    }

    /// Says of tags how many there are, and that only if `tells_tags`.
    pub(super) fn add_to(&self, headers: &mut HeaderMap, tells_tags: bool) {
        for (name, value) in &self.0 {
            match name.as_str() {
                // As AWS does, which names every class but the usual one.
                "x-amz-storage-class" if value == "STANDARD" => {}
                TAGGING => {}
                _ => {
                    headers.insert(name, value.clone());
                }
            }
        }
        let count = self.tags().len();
        if tells_tags && count > 0 {
            headers.insert("x-amz-tagging-count", count.into());
        }
    }

    pub(super) fn tags(&self) -> Vec<(String, String)> {
        self.value(TAGGING)
            .map(|tagging| tagging::parse(&tagging))
            .unwrap_or_default()
    }

    pub(super) fn set_tags(&mut self, tags: &[(String, String)]) {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let pairs = tags
            .iter()
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)));
        let header = pairs.collect::<Vec<_>>().join("&");
        self.0.retain(|(name, _)| name != TAGGING);
        let header = HeaderValue::from_str(&header).expect("escaped text is ASCII");
        self.0.push((HeaderName::from_static(TAGGING), header));
    }

    /// Whether a key of KMS lies over the object, so that its tag is no MD5.
    pub(super) fn is_under_key(&self) -> bool {
        self.value(ENCRYPTION).as_deref() == Some("aws:kms")
    }

    fn value(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(stored, _)| stored == name);
        found.map(|(_, value)| text(value))
    }

    pub(super) fn storage_class(&self) -> String {
        let class = self.0.iter().find(|(name, _)| name == STORAGE_CLASS);
        class.map_or_else(|| "STANDARD".to_owned(), |(_, value)| text(value))
    }

    /// Whether the object must be restored before it can be read; `FROZEN` stands for what
    /// other vendors call such a class.
    pub(super) fn is_archived(&self) -> bool {
        matches!(
            self.storage_class().as_str(),
            "GLACIER" | "DEEP_ARCHIVE" | "FROZEN"
        )
    }

    /// User metadata by name without `x-amz-meta-`.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let named = |(name, value): &(HeaderName, HeaderValue)| {
            let name = name.as_str().strip_prefix(METADATA_PREFIX)?;
            Some((name.to_owned(), text(value)))
        };
        self.0.iter().filter_map(named).collect()
    }

    /// The stored headers other than user metadata.
    pub(super) fn headers(&self) -> BTreeMap<String, String> {
        let named = |(name, value): &(HeaderName, HeaderValue)| {
            (!name.as_str().starts_with(METADATA_PREFIX)).then(|| (name.to_string(), text(value)))
        };
        self.0.iter().filter_map(named).collect()
    }

    fn metadata_bytes(&self) -> usize {
        let sizes = self.0.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(METADATA_PREFIX)?;
            Some(name.len() + value.len())
        });
        sizes.sum()
    }
}

fn is_stored(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "cache-control"
            | "content-disposition"
            | "content-encoding"
            | "content-language"
            | "content-type"
            | "expires"
            | "x-amz-storage-class"
            | ENCRYPTION
            | KEY_ID
            | TAGGING
            | "x-amz-website-redirect-location"
    ) || name.as_str().starts_with(METADATA_PREFIX)
}

/// `aws-chunked` tells how the request is sent and is no part of the object.
fn without_aws_chunked(encodings: &[u8]) -> Vec<u8> {
    if !encodings.windows(11).any(|window| window == b"aws-chunked") {
        return encodings.to_vec();
    }
    let kept: Vec<_> = encodings
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|encoding| *encoding != b"aws-chunked")
        .collect();
    kept.join(&b","[..])
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
