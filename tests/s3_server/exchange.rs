//! One request with its answer, and the log of them.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};
use s3s::dto::{Checksum, ETag};

use super::checksums;
use super::faults::FaultAction;
use super::percent;

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct LoggedRequest {
    /// The HTTP method.
    pub method: String,
    /// The S3 name of the operation, such as `GetObject`; empty if the request was refused before
    /// its signature was found to be right.
    pub operation: String,
    /// The bucket, or nothing.
    pub bucket: String,
    /// The key, decoded, or nothing.
    pub key: String,
    /// The query as it was sent, still encoded.
    pub query: String,
    /// The headers with names in lower case, in the order of their names.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; `None` while there is none and when none was sent.
    pub status: Option<u16>,
    /// Who signed the request, once the signature is known to be right.
    pub access_key: Option<String>,
}

impl LoggedRequest {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(header, _)| header == name);
        header.map(|(_, value)| value.as_str())
    }

    /// The decoded value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.query, name)
    }
}

/// What is known of one request while it is handled.
pub(super) struct Exchange {
    pub(super) request_id: String,
    pub(super) method: hyper::Method,
    /// As it was sent, still encoded.
    pub(super) path: String,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) query: String,
    /// All headers as they were received.
    pub(super) headers: HeaderMap,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    operation: String,
    access_key: Option<String>,
    status: Option<u16>,
    good_status: Option<StatusCode>,
    action: Option<FaultAction>,
    error_details: String,
}

impl Exchange {
    pub(super) fn new(parts: &Parts) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        // Only the first slash: a key may begin with one.
        let path = parts.uri.path();
        let decoded = percent::decode(path.strip_prefix('/').unwrap_or(path));
        let decoded = String::from_utf8_lossy(&decoded);
        let (bucket, key) = decoded.split_once('/').unwrap_or((&decoded, ""));
        Self {
            request_id: format!("{:016X}", COUNT.fetch_add(1, Ordering::Relaxed)),
            method: parts.method.clone(),
            path: path.to_owned(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
            progress: Mutex::default(),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress
            .lock()
            .expect("no thread panics with an exchange locked")
    }

    pub(super) fn set_access_key(&self, access_key: &str) {
        self.progress().access_key = Some(access_key.to_owned());
    }

    pub(super) fn access_key(&self) -> Option<String> {
        self.progress().access_key.clone()
    }

    pub(super) fn set_operation(&self, operation: &str) {
        operation.clone_into(&mut self.progress().operation);
    }

    pub(super) fn operation(&self) -> String {
        self.progress().operation.clone()
    }

    pub(super) fn set_status(&self, status: u16) {
        self.progress().status = Some(status);
    }

    /// Has a good answer come with this status, where `s3s` knows but one.
    pub(super) fn answer_with(&self, status: StatusCode) {
        self.progress().good_status = Some(status);
    }

    pub(super) fn good_status(&self) -> Option<StatusCode> {
        self.progress().good_status
    }

    pub(super) fn set_action(&self, action: FaultAction) {
        self.progress().action = Some(action);
    }

    pub(super) fn action(&self) -> Option<FaultAction> {
        self.progress().action.clone()
    }

    /// Adds an element to the body of an error answer.
    pub(super) fn add_error_detail(&self, name: &str, value: &str) {
        let details = &mut self.progress().error_details;
        write!(details, "<{name}>{value}</{name}>").expect("a string takes any text");
    }

    pub(super) fn error_details(&self) -> String {
        self.progress().error_details.clone()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.query, name)
    }

    /// The `ETag` to answer with, which is a wrong one if a fault wants it so.
    pub(super) fn etag(&self, etag: &str) -> ETag {
        let said = match self.progress().action {
            Some(FaultAction::EmptyEtag) => String::new(),
            Some(FaultAction::IgnoreChecksums { md5_tags: false }) => encrypted_tag(etag),
            Some(FaultAction::WrongEtag) => {
                let reversed: String = etag.chars().rev().collect();
                if reversed == etag {
                    "0".repeat(32)
                } else {
                    reversed
                }
            }
            _ => etag.to_owned(),
        };
        ETag::Strong(said)
    }

    pub(super) fn lists_backwards(&self) -> bool {
        matches!(self.progress().action, Some(FaultAction::ListBackwards))
    }

    pub(super) fn ignores_copy_source_conditions(&self) -> bool {
        let action = &self.progress().action;
        matches!(action, Some(FaultAction::IgnoreCopySourceConditions))
    }

    pub(super) fn misreads_if_match(&self) -> bool {
        matches!(self.progress().action, Some(FaultAction::MisreadIfMatch))
    }

    /// The headers that count for the object, without one that a fault has forgotten.
    pub(super) fn kept_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        if let Some(FaultAction::Forget(name)) = self.progress().action {
            headers.remove(name);
        }
        headers
    }

    /// What the headers promise of the body, without checksums if a fault has them ignored.
    pub(super) fn promises(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        if self.ignores_checksums() {
            for name in self.headers.keys() {
                if name.as_str().starts_with(checksums::PREFIX) {
                    headers.remove(name);
                }
            }
        }
        headers
    }

    pub(super) fn ignores_checksums(&self) -> bool {
        matches!(
            self.progress().action,
            Some(FaultAction::IgnoreChecksums { .. } | FaultAction::ParrotChecksums)
        )
    }

    /// The checksums to answer with, which are wrong ones if a fault wants it so.
    pub(super) fn checksums(&self, checksums: Checksum) -> Checksum {
        match self.progress().action {
            Some(FaultAction::WrongChecksums) => checksums::map(checksums, |right| {
                let first = if right.starts_with('A') { "B" } else { "A" };
                format!("{first}{}", &right[1..])
            }),
            Some(FaultAction::ParrotChecksums) => checksums::promised(&self.headers),
            _ => checksums,
        }
    }

    pub(super) fn stores_corrupted(&self) -> bool {
        matches!(self.progress().action, Some(FaultAction::StoreCorrupted))
    }

    fn to_logged(&self) -> LoggedRequest {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.to_string(), value.into_owned())
            })
            .collect();
        headers.sort();
        let progress = self.progress();
        LoggedRequest {
            method: self.method.to_string(),
            operation: progress.operation.clone(),
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            query: self.query.clone(),
            headers,
            status: progress.status,
            access_key: progress.access_key.clone(),
        }
    }
}

/// The tag that an object or a part of this MD5 has where KMS encrypts.
pub(super) fn encrypted_tag(md5: &str) -> String {
    format!("kms-{md5}")
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    let mut pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(name, _)| percent::decode(name) == wanted.as_bytes())?;
    let value = percent::decode(&value.replace('+', " "));
    Some(String::from_utf8_lossy(&value).into_owned())
}

/// All requests in the order of their arrival.
#[derive(Default)]
pub(super) struct RequestLog(Mutex<Vec<Arc<Exchange>>>);

impl RequestLog {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Exchange>>> {
        self.0.lock().expect("no thread panics with the log locked")
    }

    pub(super) fn push(&self, exchange: Arc<Exchange>) {
        self.lock().push(exchange);
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    pub(super) fn to_vec(&self) -> Vec<LoggedRequest> {
        self.lock()
            .iter()
            .map(|exchange| exchange.to_logged())
            .collect()
    }
}
