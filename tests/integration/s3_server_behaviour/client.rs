//! A minimal client that signs with `rusty-s3`, so that nothing is proved by the server's own code.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use reqwest::blocking::{Body, Client as Http, Response};
use rusty_s3::{Bucket, Method, UrlStyle, signing};
use s3s::crypto::{Checksum, Md5};

use crate::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};

pub(super) const BUCKET: &str = "night-a";
pub(super) const NOTHING: &[(&str, &str)] = &[];

/// A server with one bucket, and who speaks with it.
pub(super) struct Client {
    pub(super) server: S3Server,
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) clock_offset_seconds: i64,
    pub(super) expires_in: Duration,
    http: Http,
}

pub(super) fn client() -> Client {
    client_of(S3Server::start())
}

pub(super) fn client_of(server: S3Server) -> Client {
    server.create_bucket(BUCKET);
    // No connection here uses TLS, but `reqwest` wants a provider; a second one is refused.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client {
        server,
        access_key: ACCESS_KEY.to_owned(),
        secret_key: SECRET_KEY.to_owned(),
        clock_offset_seconds: 0,
        expires_in: Duration::from_mins(5),
        http: Http::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap(),
    }
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Client {
    /// A presigned URL in which all `headers` are signed.
    pub(super) fn url(
        &self,
        method: Method,
        key: &str,
        query: Pairs,
        headers: Pairs,
    ) -> reqwest::Url {
        let endpoint = self.server.endpoint().parse().unwrap();
        let bucket = Bucket::new(endpoint, UrlStyle::Path, BUCKET, "eu-west-1").unwrap();
        let url = if key.is_empty() {
            bucket.base_url().clone()
        } else {
            bucket.object_url(key)
        };
        let now = Timestamp::now().as_second() + self.clock_offset_seconds;
        let mut query = query.to_vec();
        query.sort_unstable();
        let mut headers = headers.to_vec();
        headers.sort_unstable();
        signing::sign(
            &Timestamp::from_second(now).unwrap(),
            method,
            url,
            &self.access_key,
            &self.secret_key,
            None,
            "eu-west-1",
            self.expires_in.as_secs(),
            query.into_iter(),
            headers.into_iter(),
        )
    }

    pub(super) fn try_send(
        &self,
        method: Method,
        key: &str,
        query: Pairs,
        headers: Pairs,
        body: impl Into<Body>,
    ) -> reqwest::Result<Response> {
        let url = self.url(method, key, query, headers);
        let name = match method {
            Method::Head => reqwest::Method::HEAD,
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self.http.request(name, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        request.send()
    }

    pub(super) fn get(&self, key: &str, headers: Pairs) -> Response {
        self.try_send(Method::Get, key, NOTHING, headers, "")
            .unwrap()
    }

    pub(super) fn head(&self, key: &str, headers: Pairs) -> Response {
        self.try_send(Method::Head, key, NOTHING, headers, "")
            .unwrap()
    }

    pub(super) fn put(&self, key: &str, headers: Pairs, body: impl Into<Body>) -> Response {
        self.try_send(Method::Put, key, NOTHING, headers, body)
            .unwrap()
    }

    pub(super) fn delete(&self, key: &str) -> Response {
        self.try_send(Method::Delete, key, NOTHING, NOTHING, "")
            .unwrap()
    }

    pub(super) fn list(&self, query: Pairs) -> String {
        let query = [&[("list-type", "2")], query].concat();
        let response = self.try_send(Method::Get, "", &query, NOTHING, "").unwrap();
        assert_eq!(response.status(), 200);
        response.text().unwrap()
    }

    pub(super) fn plain_http(&self) -> &Http {
        &self.http
    }
}

/// The texts of all elements of a name.
pub(super) fn elements(xml: &str, name: &str) -> Vec<String> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let texts = xml.split(&start).skip(1);
    texts
        .map(|text| text.split(&end).next().unwrap().to_owned())
        .collect()
}

/// The status and the error code of an answer.
pub(super) fn error(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let xml = response.text().unwrap();
    assert_eq!(elements(&xml, "RequestId").len(), 1, "{xml}");
    (status, elements(&xml, "Code").concat())
}

pub(super) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

pub(super) fn base64<C: Checksum>(body: &[u8]) -> String {
    BASE64_STANDARD.encode(C::checksum(body))
}

pub(super) fn quoted_md5(body: &[u8]) -> String {
    let hex: Vec<_> = Md5::checksum(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{}\"", hex.concat())
}
