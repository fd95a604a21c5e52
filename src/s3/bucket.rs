//! One bucket at one end, and what is needed to talk to it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap};
use url::Url;

use super::bandwidth::Bandwidth;
use super::checked::Checked;
use super::condition::Kept;
use super::counters::Counting;
use super::headers::{http_date, text};
use super::http::HttpClient;
use super::keyring::{KeySupply, Keyring, Patience};
use super::pace::Pacer;
use crate::clock::Clock;
use crate::model::{
    Counters, DestinationPrefix, Encryption, Side, ThrottledMinute, Timestamp, Timetable, Zone,
};

/// Where a bucket is and who asks.
#[derive(Debug, Clone)]
pub struct BucketSpec {
    /// The server: `https://s3.example.com`, with a path if need be.
    pub endpoint: Url,
    /// The region that signatures name.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// Whether the bucket stands in the path (else in the host name).
    pub path_style: bool,
    /// What requests are signed with.
    pub keys: KeySupply,
    /// Whether requests say that we pay for them.
    pub requester_pays: bool,
    /// Whether HEAD and GET ask for the object's checksums.
    pub ask_checksums: bool,
    /// How what is written there is to be encrypted.
    pub encryption: Option<Encryption>,
    /// How long a request may take besides moving its bytes, for which it gets a
    /// second per 64 KiB more; usually [`BucketSpec::TIMEOUT`].
    pub timeout: Duration,
}

impl BucketSpec {
    /// The usual [`timeout`](Self::timeout).
    pub const TIMEOUT: Duration = Duration::from_secs(30);
}

/// A bucket cannot be addressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// The endpoint is neither http nor https.
    #[error("the endpoint must begin with http:// or https://")]
    Scheme,
    /// The endpoint names no host.
    #[error("the endpoint names no host")]
    Host,
    /// The bucket's name cannot stand in a host name.
    #[error("`{bucket}` cannot be part of the endpoint's host name; use path_style = true")]
    HostName {
        /// The bucket.
        bucket: String,
    },
}

/// One bucket at one end. Cloning it is cheap; clones count together.
#[derive(Clone)]
pub struct Bucket(pub(super) Arc<Inner>, pub(super) View);

/// How one of the clones sees the bucket.
#[derive(Clone, Default)]
pub(super) struct View {
    /// How fast objects are read, if there is a limit.
    pub(super) bandwidth: Option<Bandwidth>,
    /// What is put before every name.
    prefix: DestinationPrefix,
}

pub(super) struct Inner {
    pub(super) http: HttpClient,
    pub(super) pacer: Arc<Pacer>,
    pub(super) side: Side,
    pub(super) address: rusty_s3::Bucket,
    pub(super) keys: Keyring,
    pub(super) requester_pays: bool,
    pub(super) ask_checksums: bool,
    pub(super) encryption: Option<Encryption>,
    pub(super) timeout: Duration,
    pub(super) clock: Clock,
    pub(super) counting: Counting,
    pub(super) kept: Kept,
    pub(super) checked: Checked,
    /// How far the server's clock was ahead at its first answer; `i64::MIN`: not known.
    pub(super) clock_ahead_ms: AtomicI64,
}

impl Bucket {
    /// The bucket of `spec`, reached through `http`. Nothing is sent yet.
    ///
    /// # Errors
    /// The endpoint or the bucket's name cannot make a URL.
    pub fn new(
        http: &HttpClient,
        side: Side,
        spec: BucketSpec,
        clock: Clock,
    ) -> Result<Self, BucketError> {
        let style = if spec.path_style {
            rusty_s3::UrlStyle::Path
        } else {
            rusty_s3::UrlStyle::VirtualHost
        };
        let pacer = http.pacer(&spec.endpoint);
        let address = rusty_s3::Bucket::new(spec.endpoint, style, spec.bucket.clone(), spec.region)
            .map_err(|error| match error {
                rusty_s3::BucketError::UnsupportedScheme => BucketError::Scheme,
                rusty_s3::BucketError::MissingHost => BucketError::Host,
                rusty_s3::BucketError::ParseError(_) => BucketError::HostName {
                    bucket: spec.bucket,
                },
            })?;
        let region = address.region().to_owned();
        let keys = Keyring::new(spec.keys, region, clock.clone(), Patience::USUAL);
        let inner = Inner {
            http: http.clone(),
            pacer,
            side,
            address,
            keys,
            requester_pays: spec.requester_pays,
            ask_checksums: spec.ask_checksums,
            encryption: spec.encryption,
            timeout: spec.timeout,
            clock,
            counting: Counting::default(),
            kept: Kept::default(),
            checked: Checked::default(),
            clock_ahead_ms: AtomicI64::new(i64::MIN),
        };
        Ok(Self(Arc::new(inner), View::default()))
    }

    /// The same bucket, whose objects are read no faster than `bandwidth` allows.
    #[must_use]
    pub fn within(self, bandwidth: Bandwidth) -> Self {
        let bandwidth = Some(bandwidth);
        Self(
            self.0,
            View {
                bandwidth,
                ..self.1
            },
        )
    }

    /// The same bucket, in which `prefix`, and no other that was there, is put before
    /// every name: it is asked for names without it and lists them without it.
    #[must_use]
    pub fn under(self, prefix: DestinationPrefix) -> Self {
        Self(self.0, View { prefix, ..self.1 })
    }

    /// What is put before every name.
    #[must_use]
    pub const fn prefix(&self) -> &DestinationPrefix {
        &self.1.prefix
    }

    /// The object's whole name, as the server knows it.
    pub(super) fn key<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.1.prefix.place(name)
    }

    /// The same bucket, whose objects are read no faster than those of `other`, both
    /// together.
    #[must_use]
    pub fn sharing_bandwidth_of(&self, other: &Self) -> Self {
        let view = View {
            bandwidth: other.1.bandwidth.clone(),
            ..self.1.clone()
        };
        Self(Arc::clone(&self.0), view)
    }

    /// Whether its objects are read no faster than a bandwidth allows.
    #[must_use]
    pub fn is_capped(&self) -> bool {
        self.1.bandwidth.as_ref().is_some_and(Bandwidth::has_caps)
    }

    /// Has its objects read no faster than so many bytes a second from now on,
    /// whatever held before; `None`: as fast as may be. Only of a bucket
    /// [within](Self::within) a bandwidth.
    pub fn cap_bandwidth(&self, bytes_per_second: Option<u64>) {
        let Some(bandwidth) = &self.1.bandwidth else {
            return;
        };
        bandwidth.replace(match bytes_per_second {
            Some(cap) => Timetable::always(Zone::UTC, cap),
            None => Timetable::slots(Zone::UTC, Vec::new()),
        });
    }

    /// How what is written here is to be encrypted; `None`: as the server does by itself.
    #[must_use]
    pub fn encryption(&self) -> Option<&Encryption> {
        self.0.encryption.as_ref()
    }

    /// Whether a key of KMS lies over what is written here, so that no tag is an MD5.
    #[must_use]
    pub fn writes_under_key(&self) -> bool {
        matches!(self.0.encryption, Some(Encryption::SseKms(_)))
    }

    /// The end at which it is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.address.name()
    }

    /// The server: its host, and its port if that is not the usual one.
    pub(super) fn server(&self) -> &str {
        self.0.address.base_url().authority()
    }

    /// What was asked of it so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.counting.read()
    }

    /// What was asked of it since this was last asked.
    #[must_use]
    pub fn take_asked(&self) -> Counters {
        self.0.counting.take()
    }

    /// The minutes in which it asked for a slower pace, since this was last asked.
    #[must_use]
    pub fn take_throttled(&self) -> Vec<ThrottledMinute> {
        let minutes = self.0.counting.take_throttled_minutes();
        let throttled = |(minute, times)| ThrottledMinute {
            side: self.0.side,
            minute_at: Timestamp::from_ms(minute * 60_000),
            times,
        };
        minutes.into_iter().map(throttled).collect()
    }

    /// How far the server's clock was ahead of this machine's at its first
    /// answer, in milliseconds, as exact as the wire's whole seconds allow;
    /// `None` if it has not answered yet or says no time.
    #[must_use]
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        let ahead_ms = self.0.clock_ahead_ms.load(Ordering::Relaxed);
        (ahead_ms != i64::MIN).then_some(ahead_ms)
    }

    /// Compares the clocks once, at the server's first answer.
    pub(super) fn compare_clocks(&self, headers: &HeaderMap) {
        if self.clock_ahead_ms().is_some() {
            return;
        }
        if let Some(date) = text(headers, DATE.as_str()).and_then(http_date) {
            // The wire cuts to whole seconds: half a second is the best guess.
            let ahead_ms = date.plus_ms(500).ms() - self.0.clock.now().ms();
            self.0.clock_ahead_ms.store(ahead_ms, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bucket {:?}", self.0.side.as_str(), self.name())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::secret::{AccessKeys, Secret};

    fn keys(id: &str, secret: &str) -> KeySupply {
        KeySupply::Fixed(AccessKeys {
            access_key_id: id.into(),
            secret_access_key: Secret::new(secret.into()),
            session_token: None,
            expires_at: None,
        })
    }

    pub(crate) fn bucket_at(endpoint: &str, side: Side) -> Bucket {
        let spec = BucketSpec {
            endpoint: endpoint.parse().unwrap(),
            region: "us-east-1".into(),
            bucket: "photos".into(),
            path_style: true,
            keys: keys("AKIDEXAMPLE", "hush-hush-hush"),
            requester_pays: false,
            ask_checksums: false,
            encryption: None,
            timeout: BucketSpec::TIMEOUT,
        };
        Bucket::new(&HttpClient::new(1).unwrap(), side, spec, Clock::system()).unwrap()
    }

    #[test]
    fn a_bucket_is_capped_and_uncapped_while_it_is_read() {
        let unlimited = Timetable::slots(Zone::UTC, Vec::new());
        let bandwidth = Bandwidth::new(unlimited, Clock::system(), 4);
        let bucket = bucket_at("http://127.0.0.1:9", Side::Source).within(bandwidth.clone());
        let clone = bucket.clone();
        let body = bandwidth.open_body();
        for cap in [None, Some(65_536), None, Some(1)] {
            bucket.cap_bandwidth(cap);
            let seen = (bucket.is_capped(), clone.is_capped(), body.is_paced());
            let capped = cap.is_some();
            assert_eq!(seen, (capped, capped, capped));
        }
        let other = bucket_at("http://127.0.0.1:9", Side::Destination);
        other.cap_bandwidth(Some(65_536));
        assert!(!other.is_capped());
    }

    #[test]
    fn an_address_that_makes_no_url_is_refused() {
        let with = |endpoint: &str, bucket: &str, path_style| {
            let spec = BucketSpec {
                endpoint: endpoint.parse().unwrap(),
                region: "us-east-1".into(),
                bucket: bucket.into(),
                path_style,
                keys: keys("", ""),
                requester_pays: false,
                ask_checksums: false,
                encryption: None,
                timeout: BucketSpec::TIMEOUT,
            };
            let http = HttpClient::new(1).unwrap();
            Bucket::new(&http, Side::Source, spec, Clock::system()).map(drop)
        };
        assert_eq!(with("http://localhost:1", "a", true), Ok(()));
        assert_eq!(with("ftp://localhost", "a", true), Err(BucketError::Scheme));
        assert!(matches!(
            with("http://127.0.0.1", "a", false),
            Err(BucketError::HostName { .. })
        ));
    }
}
