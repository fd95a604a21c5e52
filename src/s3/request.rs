//! Signing and sending: the one way by which a request leaves.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use rusty_s3::Method;
use url::Url;

use super::bandwidth::CHUNK_BYTES;
use super::bucket::Bucket;
use super::cause::{Operation, denied};
use super::exchange::{Answer, Broken, Outgoing, Terms};
use super::keyring::NoKeys;
use super::pace::Permit;
use super::signer::Signer;
use super::stream::Stream;
use super::xml::MAX_XML_BYTES;
use crate::model::{CarriedHeaders, Failure, FailureCause};

/// The slowest pace at which bytes may move before it counts as a standstill.
pub(super) const MINIMUM_BYTES_PER_SECOND: u64 = 64 * 1024;

/// By this a request says that we pay for it.
pub(super) const WE_PAY: (&str, Cow<'static, str>) =
    ("x-amz-request-payer", Cow::Borrowed("requester"));

/// What a PUT carries. Its length is always known: S3 demands it.
pub enum Body {
    /// Bytes in memory; cloning them is cheap, so a retry can send them again.
    Bytes(Bytes),
    /// Bytes that are read while they are sent, and can be sent only once.
    Stream {
        /// Where they come from.
        reader: Box<dyn Read + Send>,
        /// How many there are.
        size_bytes: u64,
        /// How long reading them may take.
        reading: Duration,
    },
}

impl Body {
    /// Its length in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream { size_bytes, .. } => *size_bytes,
        }
    }

    /// How long sending it may take. The server is not answerable for the time
    /// that goes by while its bytes are read elsewhere.
    pub(super) fn time_to_move(&self) -> Duration {
        let moving = time_to_move(self.size_bytes());
        match self {
            Self::Bytes(_) => moving,
            Self::Stream { reading, .. } => moving + *reading,
        }
    }
}

/// Headers in the making: lower-case names, values as they will be sent.
pub(super) type Headers<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// A request before it is signed.
pub(super) struct Request<'a> {
    pub(super) operation: Operation,
    pub(super) method: Method,
    /// The object's name; `None` is the bucket itself.
    pub(super) name: Option<&'a str>,
    /// Sorted by name.
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: Headers<'a>,
    pub(super) body: Option<Body>,
    /// On top of the bucket's own timeout: until the answer's headers are there,
    /// and for each read of its body.
    pub(super) more_time: Duration,
}

impl<'a> Request<'a> {
    /// A request about the object `name` without query, headers and body.
    pub(super) const fn about(operation: Operation, method: Method, name: &'a str) -> Self {
        Self {
            operation,
            method,
            name: Some(name),
            query: &[],
            headers: Vec::new(),
            body: None,
            more_time: Duration::ZERO,
        }
    }

    /// Adds the headers that travel with an object.
    pub(super) fn carry(&mut self, carried: &'a CarriedHeaders) {
        let borrowed = carried
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())));
        self.headers.extend(borrowed);
    }
}

/// What is known of a request until its answer is there.
pub(super) struct Expected {
    permit: Permit,
    operation: Operation,
    signer: Arc<Signer>,
    /// Whether servers may disagree on its signature.
    is_signed_variously: bool,
    /// The storage class that it asks for.
    storage_class: Option<String>,
}

fn storage_class(headers: &Headers<'_>) -> Option<String> {
    let mut headers = headers.iter();
    let (_, class) = headers.find(|(name, _)| *name == "x-amz-storage-class")?;
    Some(class.to_string())
}

/// How long moving `size_bytes` may take.
pub(super) const fn time_to_move(size_bytes: u64) -> Duration {
    Duration::from_secs(size_bytes / MINIMUM_BYTES_PER_SECOND)
}

impl Bucket {
    /// Waits for the endpoint's pace, then signs and sends `request`. What is
    /// signed and what is sent is one list, so neither can hold a header that the
    /// other lacks.
    ///
    /// An answer other than 2xx is a failure; its body has been read then.
    pub(super) fn send(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let name = request.name;
        // Before the permit, which must not be held while a program is waited for.
        let signer = self.signer(request.operation, name)?;
        let (outgoing, expected) = self.prepared(request, self.0.pacer.wait(), signer)?;
        let answer = self.0.http.exchange(outgoing);
        self.judged(expected, name, answer)
    }

    /// What signs now; waits for it if need be.
    fn signer(&self, operation: Operation, name: Option<&str>) -> Result<Arc<Signer>, Failure> {
        self.0.keys.signer().map_err(|NoKeys { why, had_some }| {
            let message = self.describe(operation, name, |line| {
                line.push_str("no keys to sign with: ");
                line.push_str(&why);
            });
            // Where there were some, what fails is a request like others before it.
            let cause = if had_some {
                denied(self.0.side)
            } else {
                FailureCause::CredentialsRefused
            };
            Failure::new(cause, message).at(self.0.side)
        })
    }

    /// Signs `request` by `signer`; it leaves by `permit` next.
    pub(super) fn prepared(
        &self,
        mut request: Request<'_>,
        permit: Permit,
        signer: Arc<Signer>,
    ) -> Result<(Outgoing, Expected), Failure> {
        if self.0.requester_pays {
            request.headers.push(WE_PAY);
        }
        self.encrypt(&mut request);
        request.headers.sort_unstable_by_key(|(name, _)| *name);
        let (http, stream) = self.signed(&mut request, &signer)?;
        let outgoing = Outgoing {
            request: http,
            stream,
            terms: self.terms(&request),
        };
        let expected = Expected {
            permit,
            operation: request.operation,
            signer,
            is_signed_variously: has_value_signed_variously(&request.headers),
            storage_class: storage_class(&request.headers),
        };
        self.0.counting.request(request.operation);
        Ok((outgoing, expected))
    }

    /// Asks for what the bucket wants encrypted. Parts go without: their upload has it.
    fn encrypt(&self, request: &mut Request<'_>) {
        if let Some(encryption) = &self.0.encryption
            && request.operation.begins_object()
        {
            let headers = encryption.headers().into_iter();
            let owned = headers.map(|(name, value)| (name, Cow::Owned(value.to_owned())));
            request.headers.extend(owned);
        }
    }

    /// What came back for a request about `name`: a failure, if it is another
    /// answer than 2xx.
    pub(super) fn judged(
        &self,
        expected: Expected,
        name: Option<&str>,
        answer: Result<Answer, Broken>,
    ) -> Result<Answer, Failure> {
        let Expected {
            permit,
            operation,
            signer,
            is_signed_variously,
            storage_class,
        } = expected;
        if let Ok(answer) = &answer {
            self.compare_clocks(&answer.headers);
        }
        let failure = match answer {
            Ok(answer) if answer.status.is_success() => {
                permit.served();
                self.0.keys.accepted(&signer);
                return Ok(answer);
            }
            Ok(answer) => self.refused(operation, name, answer),
            Err(error) => self.unanswered(operation, name, &error),
        };
        let throttled = asks_for_slower_pace(operation, &failure);
        permit.failed(&failure, throttled);
        if throttled {
            self.0.counting.throttled(self.0.clock.now());
        }
        if is_about_expiry(&failure) && self.0.keys.expired(&signer) {
            // The same request may pass: new keys sign it then.
            return Err(Failure {
                cause: FailureCause::ServerError,
                ..failure
            });
        }
        // Ceph's radosgw does not say what it does not like.
        if let Some(class) = &storage_class
            && failure.error_code.as_deref() == Some("InvalidArgument")
            && failure.cause == FailureCause::BadRequest
        {
            let message = &failure.message;
            return Err(Failure {
                cause: FailureCause::MetadataRefused,
                message: format!("{message}; it was to be kept in the storage class {class}"),
                ..failure
            });
        }
        // Servers disagree on how text beyond ASCII, or spaces in a row, are signed.
        if failure.cause == FailureCause::CredentialsRefused && is_signed_variously {
            return Err(Failure {
                cause: FailureCause::MetadataRefused,
                ..failure
            });
        }
        Err(failure)
    }

    /// XML comes at once, one byte too many of it included; an object as far as
    /// it is small. Of a write's answer nobody reads the body.
    fn terms(&self, request: &Request<'_>) -> Terms {
        Terms {
            timeout: self.0.timeout + request.more_time,
            at_once_bytes: match request.operation {
                Operation::GetObject => CHUNK_BYTES,
                Operation::ListObjectsV2
                | Operation::ListParts
                | Operation::GetObjectTagging
                | Operation::CreateMultipartUpload
                | Operation::CopyObject
                | Operation::UploadPartCopy
                | Operation::CompleteMultipartUpload => MAX_XML_BYTES + 1,
                Operation::HeadObject
                | Operation::PutObject
                | Operation::PutObjectTagging
                | Operation::UploadPart
                | Operation::DeleteObject
                | Operation::AbortMultipartUpload
                | Operation::RestoreObject => 0,
            },
        }
    }

    /// The request as HTTP knows it. Takes the body out of `request`.
    fn signed(
        &self,
        request: &mut Request<'_>,
        signer: &Signer,
    ) -> Result<(reqwest::Request, Option<Stream>), Failure> {
        let headers = header_map(&request.headers).map_err(|why| {
            let message = self.describe(request.operation, request.name, |line| {
                line.push_str(&why);
            });
            Failure::new(FailureCause::MetadataRefused, message).at(self.0.side)
        })?;
        let url = self.signed_url(request, signer)?;
        let mut http = reqwest::Request::new(http_method(request.method), url);
        *http.headers_mut() = headers;
        if let Some(body) = &request.body {
            // The library is silent about a body of no bytes; S3 wants to know.
            http.headers_mut()
                .insert(CONTENT_LENGTH, body.size_bytes().into());
        }
        let stream = match request.body.take() {
            None => None,
            Some(Body::Bytes(bytes)) => {
                *http.body_mut() = Some(bytes.into());
                None
            }
            Some(Body::Stream {
                reader, size_bytes, ..
            }) => Some(Stream { reader, size_bytes }),
        };
        Ok((http, stream))
    }

    fn signed_url(&self, request: &Request<'_>, signer: &Signer) -> Result<Url, Failure> {
        let bucket = &*self.0;
        let url = match request.name.map(|name| (name, self.key(name))) {
            None => bucket.address.base_url().clone(),
            Some((_, key)) if is_addressable(&key) => bucket.address.object_url(&key),
            Some((name, _)) => return Err(self.unaddressable(request.operation, name)),
        };
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (*name, &**value));
        let now = bucket.clock.now();
        let complete = signer.sign(now, request.method, url, request.query, headers);
        complete.ok_or_else(|| {
            let message = "this machine's clock shows a year that no signature can hold";
            Failure::new(FailureCause::ClockSkew, message)
        })
    }

    fn unaddressable(&self, operation: Operation, name: &str) -> Failure {
        let message = self.describe(operation, Some(name), |line| {
            line.push_str("no URL can hold this name");
        });
        Failure::new(FailureCause::BadRequest, message).at(self.0.side)
    }
}

/// Whether the server says that the keys, once good, are so no more.
fn is_about_expiry(failure: &Failure) -> bool {
    let code = failure.error_code.as_deref();
    matches!(code, Some("ExpiredToken" | "TokenRefreshRequired"))
}

/// Whether the server asked for a slower pace. Its answer to a HEAD has no body
/// and hence no code that tells an overloaded server from one that is out of
/// order; less often is right for both.
fn asks_for_slower_pace(operation: Operation, failure: &Failure) -> bool {
    failure.cause == FailureCause::Throttled
        || (operation == Operation::HeadObject && failure.http_status == Some(503))
}

/// Whether a URL means `name` and nothing else: an empty name would be the
/// bucket, and dot segments are resolved away.
fn is_addressable(name: &str) -> bool {
    !name.is_empty() && !name.split('/').any(|part| part == "." || part == "..")
}

/// The headers as HTTP knows them; else which of them cannot be sent, and why.
fn header_map(headers: &Headers<'_>) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        check_value(value).map_err(|why| format!("{name} holds {why}"))?;
        match (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            (Ok(name), Ok(value)) => map.insert(name, value),
            _ => return Err(format!("{name} cannot be a header")),
        };
    }
    Ok(map)
}

/// Whether a server that follows the rules of signing sees the very value that
/// was signed; else what is wrong with it. Signing folds spaces into one, at both
/// ends alike, and cuts them at the ends, where HTTP does too; of other white
/// space servers do not say what they make.
fn check_value(value: &str) -> Result<(), &'static str> {
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    if value.chars().any(char::is_control) {
        return Err("a control character, which cannot be signed");
    }
    let is_odd = |character: char| character.is_whitespace() && character != ' ';
    if value.chars().any(is_odd) || value.starts_with(' ') || value.ends_with(' ') {
        return Err("white space that would not survive signing");
    }
    Ok(())
}

/// Whether servers may disagree on how a value is to be signed.
fn has_value_signed_variously(headers: &Headers<'_>) -> bool {
    headers
        .iter()
        .any(|(_, value)| !value.is_ascii() || value.contains("  "))
}

const fn http_method(method: Method) -> reqwest::Method {
    match method {
        Method::Head => reqwest::Method::HEAD,
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::tests::bucket_at;
    use super::*;
    use crate::model::Side;

    #[test]
    fn values_that_signing_would_alter_are_refused() {
        for good in [
            "",
            "a",
            "a b c",
            "a  b",
            "=?UTF-8?Q?=C3=BC?=",
            "ü and 日本",
            "\"x\"; y=1",
        ] {
            assert_eq!(check_value(good), Ok(()), "{good:?}");
        }
        for bad in [
            " a", "a ", "a\tb", "a\nb", "a\u{a0}b", "\u{3000}", "a\u{85}b", "\u{7f}", " ",
        ] {
            assert!(check_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_that_a_url_would_change_are_refused() {
        let bucket = bucket_at("http://127.0.0.1:9", Side::Destination);
        for name in ["", ".", "..", "a/../b", "a/./b", "a/.."] {
            let failure = bucket.delete(name).unwrap_err();
            assert_eq!(failure.cause, FailureCause::BadRequest, "{name:?}");
        }
        assert_eq!(bucket.counters().requests(), 0);
    }

    #[test]
    fn a_failure_tells_no_secret() {
        let bucket = bucket_at("http://127.0.0.1:9", Side::Source);
        let failure = bucket.head("a name").unwrap_err();
        assert_eq!(failure.cause, FailureCause::Network);
        let said = format!("{failure:?} {bucket:?}");
        assert!(
            failure
                .message
                .starts_with("HeadObject \"a name\" in source bucket \"photos\": "),
            "{said}"
        );
        for secret in ["X-Amz-", "http:", "AKIDEXAMPLE", "hush"] {
            assert!(!said.contains(secret), "{said}");
        }
    }

    #[test]
    fn longer_bodies_may_take_longer() {
        assert_eq!(time_to_move(1000), Duration::ZERO);
        assert_eq!(time_to_move(16 << 20), Duration::from_secs(256));
    }
}
