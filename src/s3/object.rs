//! Requests about one object.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap};
use rusty_s3::Method;

use super::answer::request_id;
use super::bandwidth::{Bandwidth, OpenBody};
use super::bucket::Bucket;
use super::cause::Operation;
use super::condition::Condition;
use super::download::{ContentRange, Download, DownloadBody};
use super::exchange::Answer;
use super::headers::{Head, content_length, full_object_checksums, md5_of_etag, text};
use super::request::{Body, Headers, Request, time_to_move};
use crate::model::{CarriedHeaders, Checksum, ETag, Failure, Readiness, Side};

/// The header by which HEAD and GET ask for an object's checksums.
const ASK_CHECKSUMS: (&str, Cow<'static, str>) = ("x-amz-checksum-mode", Cow::Borrowed("ENABLED"));

/// What of an object is read, and under which condition.
#[derive(Debug, Clone, Copy, Default)]
pub struct GetOptions<'a> {
    /// The first and the last byte; `None` is the whole object.
    pub range: Option<(u64, u64)>,
    /// Only if the object still has this tag.
    pub if_match: Option<&'a ETag>,
}

/// An object or a part to be written.
pub struct Upload<'a> {
    /// Its bytes.
    pub body: Body,
    /// Headers and metadata that travel with it; parts have none.
    pub headers: &'a CarriedHeaders,
    /// The bytes' MD5, for the server to check.
    pub content_md5: Option<[u8; 16]>,
    /// A checksum of the bytes, for the server to check and to keep.
    pub checksum: Option<&'a Checksum>,
    /// What the destination must have for the bytes to be written.
    pub condition: Condition<'a>,
}

/// What the server says of bytes that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutAnswer {
    /// The tag.
    pub etag: ETag,
    /// The tag in lower-case hexadecimal, if it is the MD5 of what arrived.
    pub md5_hex: Option<String>,
    /// The checksums of what arrived.
    pub checksums: Vec<Checksum>,
    /// The server's id of the request.
    pub request_id: Option<String>,
}

impl Bucket {
    /// What is known of the object; `None` if it is not there.
    ///
    /// A refused HEAD has no body and hence no cause. It is followed by a GET,
    /// whose body tells a missing object from a missing bucket or permission.
    /// Only at the destination is a plain 404 taken at its word: a missing
    /// bucket shows when the object is put.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub fn head(&self, name: &str) -> Result<Option<Head>, Failure> {
        let mut request = Request::about(Operation::HeadObject, Method::Head, name);
        self.ask_checksums(&mut request.headers);
        self.head_by(request, name)
    }

    /// As [`head`](Self::head), and asks for the object's checksums whatever the
    /// bucket was set up for.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub fn head_with_checksums(&self, name: &str) -> Result<Option<Head>, Failure> {
        let mut request = Request::about(Operation::HeadObject, Method::Head, name);
        request.headers.push(ASK_CHECKSUMS);
        self.head_by(request, name)
    }

    fn head_by(&self, request: Request<'_>, name: &str) -> Result<Option<Head>, Failure> {
        match self.send(request) {
            Ok(answer) => {
                let size = content_length(&answer.headers);
                self.head_of(Operation::HeadObject, name, &answer.headers, size)
                    .map(Some)
            }
            Err(failure) => match failure.http_status {
                Some(404) if self.side() == Side::Destination => Ok(None),
                Some(300..500) if failure.error_code.is_none() => self.head_by_get(name, failure),
                _ => Err(failure),
            },
        }
    }

    /// Asks by GET after `refusal` of a HEAD. The body, should there be one, is not read.
    fn head_by_get(&self, name: &str, refusal: Failure) -> Result<Option<Head>, Failure> {
        match self.get(name, GetOptions::default()) {
            Ok(download) => Ok(Some(download.head)),
            Err(failure) if failure.error_code.as_deref() == Some("NoSuchKey") => Ok(None),
            // Without words of its own the second answer adds nothing.
            Err(failure) if failure.error_code.is_none() && failure.http_status.is_some() => {
                Err(Failure {
                    cause: failure.cause,
                    ..refusal
                })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Begins to read the object.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub fn get(&self, name: &str, options: GetOptions<'_>) -> Result<Download, Failure> {
        let request = self.get_request(name, options);
        let open_body = self.1.bandwidth.as_ref().map(Bandwidth::open_body);
        let answer = self.send(request)?;
        self.download(name, answer, open_body)
    }

    /// The request for an object.
    pub(super) fn get_request<'a>(&self, name: &'a str, options: GetOptions<'_>) -> Request<'a> {
        let mut request = Request::about(Operation::GetObject, Method::Get, name);
        if options.range.is_none() {
            self.ask_checksums(&mut request.headers);
        }
        if let Some((first, last)) = options.range {
            let range = format!("bytes={first}-{last}");
            request.headers.push(("range", Cow::Owned(range)));
        }
        // A weak tag never matches; the answer's tag is compared all the same.
        if let Some(etag) = options.if_match
            && !etag.as_str().starts_with("W/")
        {
            let etag = etag.quoted();
            request.headers.push(("if-match", Cow::Owned(etag)));
        }
        request
    }

    /// The object that an answer brings.
    pub(super) fn download(
        &self,
        name: &str,
        answer: Answer,
        open_body: Option<OpenBody>,
    ) -> Result<Download, Failure> {
        let operation = Operation::GetObject;
        let announced_bytes = content_length(&answer.headers);
        let content_range = (answer.status == StatusCode::PARTIAL_CONTENT)
            .then(|| text(&answer.headers, CONTENT_RANGE.as_str()))
            .flatten()
            .and_then(ContentRange::parse);
        let size = content_range.map_or(announced_bytes, |range| Some(range.size_bytes));
        let mut head = self.head_of(operation, name, &answer.headers, size)?;
        // Whatever its class is called.
        head.facts.readiness = Readiness::Ready;
        let to_come = announced_bytes.unwrap_or(head.facts.size_bytes);
        Ok(Download {
            head,
            content_range,
            body: DownloadBody {
                body: answer.body,
                bucket: self.clone(),
                name: name.into(),
                announced_bytes,
                received_bytes: 0,
                time_left: self.0.timeout + time_to_move(to_come),
                open_body,
            },
        })
    }

    /// The length in bytes of the first part from which the object was put
    /// together; the whole's if the server does not tell parts apart. Not under
    /// a condition: moto compares it with the part's own tag.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub fn first_part_bytes(&self, name: &str) -> Result<Option<u64>, Failure> {
        let mut request = Request::about(Operation::HeadObject, Method::Head, name);
        request.query = &[("partNumber", "1")];
        Ok(content_length(&self.send(request)?.headers))
    }

    /// Writes an object.
    ///
    /// # Errors
    /// The server refused or did not answer, or a streamed body could not be
    /// read: then the failure is the reader's.
    pub fn put(&self, name: &str, upload: Upload<'_>) -> Result<PutAnswer, Failure> {
        let request = Request::about(Operation::PutObject, Method::Put, name);
        self.write(request, upload)
    }

    /// Removes an object; removing what is not there succeeds.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub fn delete(&self, name: &str) -> Result<(), Failure> {
        let request = Request::about(Operation::DeleteObject, Method::Delete, name);
        match self.send(request) {
            Err(failure) if failure.error_code.as_deref() == Some("NoSuchKey") => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Sends `upload` by `request`.
    pub(super) fn write<'a>(
        &self,
        request: Request<'a>,
        upload: Upload<'a>,
    ) -> Result<PutAnswer, Failure> {
        let (operation, name) = (request.operation, request.name);
        let size_bytes = upload.body.size_bytes();
        let answer = self.send(carrying(request, upload))?;
        self.put_answer(operation, name, size_bytes, &answer)
    }

    /// What the answer to a write of `size_bytes` says.
    pub(super) fn put_answer(
        &self,
        operation: Operation,
        name: Option<&str>,
        size_bytes: u64,
        answer: &Answer,
    ) -> Result<PutAnswer, Failure> {
        self.0.counting.bytes_out(size_bytes);
        let headers = &answer.headers;
        let Some(etag) = text(headers, ETAG.as_str()).map(ETag::new) else {
            return Err(self.nonsense(operation, name, "answered without an ETag"));
        };
        Ok(PutAnswer {
            md5_hex: self.written_md5(&etag, headers),
            etag,
            checksums: full_object_checksums(headers),
            request_id: request_id(headers),
        })
    }

    /// The MD5 of what was just written, if its tag is one. Not every server says in
    /// its answer that it encrypts by the key that was asked for.
    pub(super) fn written_md5(&self, etag: &ETag, headers: &HeaderMap) -> Option<String> {
        md5_of_etag(etag, headers).filter(|_| !self.writes_under_key())
    }

    fn ask_checksums(&self, headers: &mut Headers<'_>) {
        if self.0.ask_checksums {
            headers.push(ASK_CHECKSUMS);
        }
    }

    fn head_of(
        &self,
        operation: Operation,
        name: &str,
        headers: &HeaderMap,
        size_bytes: Option<u64>,
    ) -> Result<Head, Failure> {
        size_bytes
            .ok_or("answered without a Content-Length")
            .and_then(|size| Head::read(headers, size))
            .map_err(|why| self.nonsense(operation, Some(name), why))
    }
}

/// `request`, with `upload` in it.
pub(super) fn carrying<'a>(mut request: Request<'a>, upload: Upload<'a>) -> Request<'a> {
    request.carry(upload.headers);
    if let Some(md5) = upload.content_md5 {
        let md5 = Cow::Owned(STANDARD.encode(md5));
        request.headers.push(("content-md5", md5));
    }
    if let Some(checksum) = upload.checksum {
        let value = Cow::Borrowed(checksum.base64.as_str());
        request.headers.push((checksum.algorithm.header(), value));
    }
    request.headers.extend(upload.condition.header());
    request.more_time = upload.body.time_to_move();
    request.body = Some(upload.body);
    request
}
