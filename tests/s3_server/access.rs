//! Who may do what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::CopySource;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::exchange::Exchange;
use super::faults::FaultAction;
use super::{S3Server, Server, tagging};

/// What one access key may do.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each right is had or not, in any combination"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// `ListBucket` and `ListBucketMultipartUploads`. Without it a missing key is answered with
    /// 403 instead of 404.
    pub list: bool,
    /// `GetObject`, which also allows `HeadObject` and being copied.
    pub read: bool,
    /// `PutObject`, which also allows copies and multipart uploads, and creating buckets.
    pub write: bool,
    /// `GetObjectTagging`, and being told how many tags there are.
    pub read_tags: bool,
    /// Writing objects with tags, beside `write`.
    pub write_tags: bool,
    /// `DeleteObject`.
    pub delete: bool,
    /// `RestoreObject`.
    pub restore: bool,
    /// If given, only keys and listings with this prefix.
    pub prefix: Option<String>,
}

impl Rights {
    /// Everything.
    pub const FULL: Self = Self {
        list: true,
        read: true,
        write: true,
        read_tags: true,
        write_tags: true,
        delete: true,
        restore: true,
        prefix: None,
    };

    /// Nothing.
    pub const NONE: Self = Self {
        list: false,
        read: false,
        write: false,
        read_tags: false,
        write_tags: false,
        delete: false,
        restore: false,
        prefix: None,
    };

    /// Listing and reading, tags too.
    pub const READ_ONLY: Self = Self {
        list: true,
        read: true,
        read_tags: true,
        ..Self::NONE
    };

    fn covers(&self, text: &str) -> bool {
        self.prefix
            .as_ref()
            .is_none_or(|prefix| text.starts_with(prefix))
    }
}

/// An access key's secret, and what it may do.
struct Known {
    secret: String,
    rights: Rights,
    has_expired: bool,
}

/// The access keys with their secrets and rights.
#[derive(Default)]
pub(super) struct Credentials(Mutex<BTreeMap<String, Known>>);

impl Credentials {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.0
            .lock()
            .expect("no thread panics with the credentials locked")
    }

    pub(super) fn add(&self, access_key: &str, secret_key: &str, rights: Rights) {
        let known = Known {
            secret: secret_key.to_owned(),
            rights,
            has_expired: false,
        };
        self.lock().insert(access_key.to_owned(), known);
    }

    pub(super) fn set_rights(&self, access_key: &str, rights: Rights) {
        let mut keys = self.lock();
        let known = keys.get_mut(access_key);
        known.expect("the access key is known").rights = rights;
    }

    pub(super) fn expire(&self, access_key: &str) {
        let mut keys = self.lock();
        let known = keys.get_mut(access_key);
        known.expect("the access key is known").has_expired = true;
    }

    pub(super) fn secret_key(&self, access_key: &str) -> S3Result<String> {
        match self.lock().get(access_key) {
            Some(known) if known.has_expired => {
                Err(s3_error!(ExpiredToken, "The provided token has expired."))
            }
            Some(known) => Ok(known.secret.clone()),
            None => Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            )),
        }
    }

    fn rights(&self, access_key: &str) -> Rights {
        let keys = self.lock();
        let rights = keys.get(access_key).map(|known| known.rights.clone());
        rights.unwrap_or(Rights::NONE)
    }
}

/// Tells `s3s` the secrets, for requests signed in the `Authorization` header.
pub(super) struct Authentication(pub(super) Arc<Server>);

#[async_trait::async_trait]
impl S3Auth for Authentication {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        self.0
            .credentials
            .secret_key(access_key)
            .map(SecretKey::from)
    }
}

/// Between the check of the signature and the operation: rights, gates and faults.
pub(super) struct Admission(pub(super) Arc<Server>);

#[async_trait::async_trait]
impl S3Access for Admission {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let exchange = cx.extensions_mut().get::<Arc<Exchange>>().cloned();
        let exchange = exchange.expect("each request has its exchange");
        if let Some(credentials) = cx.credentials() {
            exchange.set_access_key(&credentials.access_key);
        }
        let access_key = exchange.access_key().ok_or_else(access_denied)?;
        exchange.set_operation(cx.s3_op().name());
        self.0.gates.pass(&exchange).await;
        self.check_rights(&exchange, &self.0.credentials.rights(&access_key))?;
        self.0.kms_keys.check(&exchange)?;
        tagging::check(&exchange)?;
        for action in self.0.faults.due(&exchange) {
            meet_fault(action, &exchange, &self.0).await?;
        }
        Ok(())
    }
}

impl Admission {
    fn check_rights(&self, exchange: &Exchange, rights: &Rights) -> S3Result<()> {
        let operation = exchange.operation();
        let permitted = match operation.as_str() {
            "ListBuckets" | "HeadBucket" => rights.list,
            "ListObjects" | "ListObjectsV2" | "ListMultipartUploads" => {
                rights.list && rights.covers(&exchange.parameter("prefix").unwrap_or_default())
            }
            "GetObjectTagging" => {
                rights.read_tags && self.is_told(rights, &exchange.bucket, &exchange.key)
            }
            "GetObject" | "HeadObject" => self.may_read(rights, &exchange.bucket, &exchange.key),
            "DeleteObject" => rights.delete && rights.covers(&exchange.key),
            "CopyObject" | "UploadPartCopy" => {
                rights.write
                    && rights.covers(&exchange.key)
                    && self.may_copy_from(rights, &exchange.headers)
            }
            "RestoreObject" => rights.restore && rights.covers(&exchange.key),
            "CreateBucket" => rights.write,
            _ => rights.write && rights.covers(&exchange.key),
        };
        let tags = exchange.headers.contains_key("x-amz-tagging")
            || exchange.operation() == "PutObjectTagging";
        if permitted && self.is_paid_for(exchange) && (rights.write_tags || !tags) {
            Ok(())
        } else {
            Err(access_denied())
        }
    }

    /// Who may not list is not told either that a key is missing.
    fn may_read(&self, rights: &Rights, bucket: &str, key: &str) -> bool {
        rights.read && self.is_told(rights, bucket, key)
    }

    fn is_told(&self, rights: &Rights, bucket: &str, key: &str) -> bool {
        rights.covers(key) && (rights.list || self.0.store.object(bucket, key).is_ok())
    }

    fn may_copy_from(&self, rights: &Rights, headers: &HeaderMap) -> bool {
        // One that cannot be read, the operation itself refuses.
        copied_from(headers).is_none_or(|(bucket, key)| self.may_read(rights, &bucket, &key))
    }

    /// Whether the request says that who sends it pays, where a bucket that it is about
    /// asks for that.
    fn is_paid_for(&self, exchange: &Exchange) -> bool {
        let payer = exchange.headers.get("x-amz-request-payer");
        let source = copied_from(&exchange.headers).map(|(bucket, _)| bucket);
        payer.is_some_and(|payer| payer == "requester")
            || [Some(&exchange.bucket), source.as_ref()]
                .into_iter()
                .flatten()
                .all(|bucket| !self.0.store.is_paid_by_requester(bucket))
    }
}

/// The bucket and the key that a request has copied.
fn copied_from(headers: &HeaderMap) -> Option<(String, String)> {
    let source = headers.get("x-amz-copy-source")?.to_str().ok()?;
    match CopySource::parse(source) {
        Ok(CopySource::Bucket { bucket, key, .. }) => Some((bucket.into(), key.into())),
        _ => None,
    }
}

impl Server {
    /// Whether who sent the request may see the tags of objects.
    pub(super) fn may_read_tags(&self, exchange: &Exchange) -> bool {
        let access_key = exchange.access_key();
        access_key.is_some_and(|access_key| self.credentials.rights(&access_key).read_tags)
    }
}

fn access_denied() -> S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

async fn meet_fault(
    action: FaultAction,
    exchange: &Exchange,
    server: &Arc<Server>,
) -> S3Result<()> {
    match action {
        FaultAction::Answer {
            status,
            code,
            message,
            headers,
        } => {
            // `{url}` is what was asked for, signature and all, as careless servers quote it.
            let url = format!("{}?{}", exchange.path, exchange.query);
            let quoted = |text: &str| text.replace("{url}", &url);
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.clone(), quoted(value)))
                .collect();
            Err(error_answer(status, code, quoted(message), &headers))
        }
        FaultAction::CompleteAnswers200WithError { code } => Err(error_answer(
            200,
            code,
            "We encountered an internal error. Please try again.".to_owned(),
            &[],
        )),
        FaultAction::StallForever => std::future::pending().await,
        FaultAction::CallBack(call_back) => {
            // Elsewhere, since it may block.
            let server = S3Server::view(Arc::clone(server));
            let called = tokio::task::spawn_blocking(move || call_back(&server)).await;
            called.expect("the callback does not panic");
            Ok(())
        }
        FaultAction::DropConnection => {
            exchange.set_action(FaultAction::DropConnection);
            // Never sent, but it keeps the request from being handled.
            Err(s3_error!(InternalError))
        }
        later => {
            exchange.set_action(later);
            Ok(())
        }
    }
}

fn error_answer(
    status: u16,
    code: &'static str,
    message: String,
    headers: &[(String, String)],
) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).expect("an error code is UTF-8");
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(status.try_into().expect("the status of a fault is valid"));
    let headers = headers.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().expect("the header name of a fault is valid");
        let value: HeaderValue = value.parse().expect("the header value of a fault is valid");
        (name, value)
    });
    let mut all: HeaderMap = headers.collect();
    // These replace those of the error answer, the content type among them.
    all.entry("content-type")
        .or_insert(HeaderValue::from_static("application/xml"));
    error.set_headers(all);
    error
}
