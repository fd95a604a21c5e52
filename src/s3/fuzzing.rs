//! Ways into the readers of answers for the fuzz targets; in no other build.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::copy::read_copy;
use super::download::ContentRange;
use super::headers::{Head, content_length, http_date};
use super::list::page;
use super::multipart::{read_completed, read_initiated, read_parts};
use super::xml::S3Error;

/// Reads `body` as every answer that comes as XML.
///
/// # Panics
/// If one is read that must not be.
pub fn xml(body: &str) {
    if let Ok(page) = page(body) {
        assert_ne!(page.next.as_deref(), Some(""));
        for object in &page.objects {
            assert_eq!(object.facts.modified_at.ms() % 1000, 0);
            assert!(object.facts.md5_hex.is_none());
        }
    }
    if let Some(error) = S3Error::parse(body) {
        assert!(!error.code.is_empty());
    }
    if let Some(upload_id) = read_initiated(body) {
        assert!(!upload_id.as_str().is_empty());
    }
    let _ = (
        read_parts(body),
        read_completed(body),
        read_copy(body).is_some(),
    );
}

/// Reads the lines of `text`, `name: value` each, as an answer's headers.
///
/// # Panics
/// If what they say of an object is not what stands there.
pub fn headers(text: &[u8]) {
    let mut map = HeaderMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (halves.next(), halves.next());
        let name = name.and_then(|name| HeaderName::from_bytes(name).ok());
        // What is no header is refused by the HTTP library.
        let value = value.and_then(|value| HeaderValue::from_bytes(value.trim_ascii()).ok());
        if let (Some(name), Some(value)) = (name, value) {
            map.append(name, value);
        }
        if let Ok(value) = str::from_utf8(line) {
            let _ = (http_date(value), ContentRange::parse(value));
        }
    }
    let size_bytes = content_length(&map).unwrap_or(7);
    if let Ok(head) = Head::read(&map, size_bytes) {
        assert_eq!(head.facts.size_bytes, size_bytes);
        assert!(!head.facts.etag.as_str().contains(['\n', '\r']));
        assert!(head.facts.md5_hex.is_none_or(|md5| md5.len() == 32));
        for (name, value) in &head.headers.0 {
            assert!(name.starts_with("x-amz-meta-") || map.contains_key(name.as_str()));
            assert!(!value.contains(['\n', '\r', '\0']));
        }
        assert!(head.headers.0.is_sorted_by(|a, b| a.0 < b.0));
    }
}
