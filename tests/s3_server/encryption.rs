//! Encryption at rest, as far as it shows: headers, tags that are no MD5s, and keys
//! that are not there.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hyper::HeaderMap;
use s3s::crypto::{Checksum as _, Md5};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::attributes::Attributes;
use super::content::hex;
use super::exchange::Exchange;

pub(super) const ENCRYPTION: &str = "x-amz-server-side-encryption";
pub(super) const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// The keys of the server's key management, and whether each is enabled.
#[derive(Default)]
pub(super) struct Keys(Mutex<BTreeMap<String, bool>>);

impl Keys {
    pub(super) fn set(&self, id: &str, enabled: bool) {
        let mut keys = self
            .0
            .lock()
            .expect("no thread panics with the keys locked");
        keys.insert(id.to_owned(), enabled);
    }

    /// Refuses what asks for encryption that cannot be.
    pub(super) fn check(&self, exchange: &Exchange) -> S3Result<()> {
        let header = |name: &str| {
            let value = exchange.headers.get(name)?;
            value.to_str().ok()
        };
        let Some(algorithm) = header(ENCRYPTION) else {
            return match header(KEY_ID) {
                None => Ok(()),
                Some(_) => Err(s3_error!(
                    InvalidArgument,
                    "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
                )),
            };
        };
        if matches!(
            exchange.operation().as_str(),
            "UploadPart" | "UploadPartCopy"
        ) {
            return Err(s3_error!(
                InvalidArgument,
                "x-amz-server-side-encryption header is not supported for this operation."
            ));
        }
        match (algorithm, header(KEY_ID)) {
            ("AES256" | "aws:kms", None) => Ok(()),
            ("aws:kms", Some(id)) => self.check_key(id),
            _ => Err(s3_error!(
                InvalidArgument,
                "The encryption method specified is not supported"
            )),
        }
    }

    fn check_key(&self, id: &str) -> S3Result<()> {
        let keys = self
            .0
            .lock()
            .expect("no thread panics with the keys locked");
        match keys.get(id) {
            Some(true) => Ok(()),
            Some(false) => Err(refused(
                "KMS.DisabledException",
                format!("{id} is disabled."),
            )),
            None => Err(refused(
                "KMS.NotFoundException",
                format!("Key '{id}' does not exist"),
            )),
        }
    }
}

fn refused(code: &'static str, message: String) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).expect("a code is UTF-8");
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(hyper::StatusCode::BAD_REQUEST);
    error
}

/// The tag under a key of KMS: it looks like the MD5 that it is not.
fn tag_under_key(tag: &str) -> String {
    let (md5, parts) = tag.split_once('-').unwrap_or((tag, ""));
    let other = hex(&Md5::checksum(format!("under a key {md5}").as_bytes()));
    if parts.is_empty() {
        other
    } else {
        format!("{other}-{parts}")
    }
}

/// The tag of an object of these attributes which would be `tag` without a key.
pub(super) fn tag_of(attributes: &Attributes, tag: String) -> String {
    if attributes.is_under_key() {
        tag_under_key(&tag)
    } else {
        tag
    }
}

/// Answers with the encryption that a request asked for.
pub(super) fn add_headers(asked: &HeaderMap, answer: &mut HeaderMap) {
    for name in [ENCRYPTION, KEY_ID] {
        if let Some(value) = asked.get(name) {
            answer.insert(name, value.clone());
        }
    }
}
