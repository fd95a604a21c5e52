//! An S3 server with millions of objects that nobody has to make: their names
//! are numbers, and what it says of them follows from the number. For measuring
//! how a run behaves with a long queue.
//!
//! ```text
//! cargo run --release --example numbered-s3 -- --objects 10000000
//! ```
//!
//! says where it listens and stays up until it is ended. Every bucket has the
//! objects `2026/000000000.jpg`, `2026/000000001.jpg`, …; in the bucket
//! `source` they are a year old, in any other a day, so that a queue of their
//! names is ignored as newer at the destination. Listings and HEAD answer for
//! them; they cannot be read. Other objects can be put, read and deleted, and
//! are kept in memory, but do not show in listings. It takes any credentials,
//! speaks plain HTTP, and is meant for loopback.
//!
//! For `nightferry check` to find something, with `--lacks-every 100` all buckets but
//! `source` lack the objects 0, 100, 200, …, and with `--alters-every 200` they have
//! others of the same size for 1, 201, 401, …

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use md5::{Digest, Md5};
use tokio::net::TcpListener;
use url::form_urlencoded;

/// The size of every numbered object, in bytes.
const SIZE_BYTES: u64 = 4_321;

/// An S3 server whose objects are made up.
#[derive(Parser)]
struct Options {
    /// Where to listen; port 0 is a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many numbered objects each bucket has.
    #[arg(long)]
    objects: u64,
    /// Every how many of them buckets other than `source` lack one; 2 or more.
    #[arg(long)]
    lacks_every: Option<u64>,
    /// Every how many of them they have another one of the same size.
    #[arg(long)]
    alters_every: Option<u64>,
}

type Answer = Response<Full<Bytes>>;

struct Server {
    objects: u64,
    lacks_every: Option<u64>,
    alters_every: Option<u64>,
    started_at: DateTime<Utc>,
    /// What was put, by path.
    kept: Mutex<HashMap<String, Bytes>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let server = Arc::new(Server {
        objects: options.objects,
        lacks_every: options.lacks_every,
        alters_every: options.alters_every,
        started_at: Utc::now(),
        kept: Mutex::default(),
    });
    runtime.block_on(async {
        let listener = TcpListener::bind(options.listen).await?;
        writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.answer(request).await) }
                });
                // It ends when the client leaves.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let (bucket, name) = path.split_once('/').unwrap_or((&path, ""));
        match *request.method() {
            Method::GET if name.is_empty() => {
                self.list(bucket, request.uri().query().unwrap_or_default())
            }
            Method::GET | Method::HEAD => self.object(&path, bucket, name),
            Method::PUT => {
                let only_new = request.headers().contains_key(IF_NONE_MATCH);
                match request.into_body().collect().await {
                    Ok(body) => self.put(path, body.to_bytes(), only_new),
                    Err(_) => plain(StatusCode::BAD_REQUEST),
                }
            }
            Method::DELETE => {
                self.kept().remove(&path);
                plain(StatusCode::NO_CONTENT)
            }
            _ => error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, Bytes>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, path: String, body: Bytes, only_new: bool) -> Answer {
        let tag = quoted_md5(&body);
        let mut kept = self.kept();
        if only_new && kept.contains_key(&path) {
            return error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        kept.insert(path, body);
        answer(StatusCode::OK, Bytes::new(), &[(ETAG.as_str(), &tag)])
    }

    fn object(&self, path: &str, bucket: &str, name: &str) -> Answer {
        if let Some(body) = self.kept().get(path) {
            let now = http_date(Utc::now());
            let headers = [
                (ETAG.as_str(), quoted_md5(body)),
                (LAST_MODIFIED.as_str(), now),
            ];
            let headers = headers
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            return answer(StatusCode::OK, body.clone(), &headers);
        }
        let number = number(name).filter(|number| *number < self.objects);
        match number.and_then(|number| self.tag(bucket, number)) {
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
            Some(tag) => answer(
                StatusCode::OK,
                Bytes::new(),
                &[
                    (ETAG.as_str(), &tag),
                    (LAST_MODIFIED.as_str(), &http_date(self.modified_at(bucket))),
                    (CONTENT_LENGTH.as_str(), &SIZE_BYTES.to_string()),
                ],
            ),
        }
    }

    /// The tag of an object; `None` if the bucket lacks it.
    fn tag(&self, bucket: &str, number: u64) -> Option<String> {
        let is_every = |every: Option<u64>, place| {
            bucket != "source" && every.is_some_and(|every| number % every == place)
        };
        if is_every(self.lacks_every, 0) {
            return None;
        }
        let altered = if is_every(self.alters_every, 1) {
            'f'
        } else {
            '0'
        };
        Some(format!("\"{altered}{number:031x}\""))
    }

    fn modified_at(&self, bucket: &str) -> DateTime<Utc> {
        let days = if bucket == "source" { 365 } else { 1 };
        self.started_at - TimeDelta::days(days)
    }

    /// A page of `ListObjectsV2`.
    fn list(&self, bucket: &str, query: &str) -> Answer {
        let asked: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let text = |key: &str| asked.get(key).map_or("", |value| value.as_ref());
        let most = text("max-keys").parse().unwrap_or(1_000_u64).min(1_000);
        let after = text("continuation-token").max(text("start-after"));
        let prefix = text("prefix");
        let first = self.first(|name| name > after && name >= prefix);
        let behind = self.first(|name| name > prefix && !name.starts_with(prefix));
        let behind = if prefix.is_empty() {
            self.objects
        } else {
            behind
        };
        let end = (first + most).min(behind).max(first);
        let modified = self.modified_at(bucket).format("%Y-%m-%dT%H:%M:%S.000Z");
        let mut xml = String::with_capacity(300 * 1_000);
        xml += "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult>";
        for number in first..end {
            let Some(tag) = self.tag(bucket, number) else {
                continue;
            };
            // Writing to a string does not fail.
            let _ = write!(
                xml,
                "<Contents><Key>{}</Key><LastModified>{modified}</LastModified>\
                 <ETag>{}</ETag><Size>{SIZE_BYTES}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>",
                name(number),
                tag.replace('"', "&quot;"),
            );
        }
        let truncated = end < behind && end > first;
        let _ = write!(xml, "<IsTruncated>{truncated}</IsTruncated>");
        if truncated {
            let last = name(end - 1);
            let _ = write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        xml += "<EncodingType>url</EncodingType></ListBucketResult>";
        answer(StatusCode::OK, Bytes::from(xml), &[])
    }

    /// The first number whose name is `far_enough`, which no later one ceases to be.
    fn first(&self, far_enough: impl Fn(&str) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.objects);
        while low < high {
            let middle = low.midpoint(high);
            if far_enough(&name(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

fn name(number: u64) -> String {
    format!("2026/{number:09}.jpg")
}

fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("2026/")?.strip_suffix(".jpg")?;
    digits.parse().ok().filter(|_| digits.len() == 9)
}

fn quoted_md5(body: &[u8]) -> String {
    let digest = Md5::digest(body);
    let hex = base16ct::lower::encode_string(&digest);
    format!("\"{hex}\"")
}

fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn plain(status: StatusCode) -> Answer {
    answer(status, Bytes::new(), &[])
}

fn error(status: StatusCode, code: &str) -> Answer {
    let xml = format!("<Error><Code>{code}</Code><Message>{status}</Message></Error>");
    answer(status, Bytes::from(xml), &[])
}

fn answer(status: StatusCode, body: Bytes, headers: &[(&str, &str)]) -> Answer {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder
        .body(Full::new(body))
        .unwrap_or_else(|_| Response::new(Full::default()))
}
