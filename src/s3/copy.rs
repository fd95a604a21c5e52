//! Copies that the server makes by itself, from one of its buckets to another.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderMap;
use rusty_s3::Method;
use serde::Deserialize;

use super::answer::request_id;
use super::bucket::Bucket;
use super::cause::Operation;
use super::condition::Condition;
use super::exchange::Answer;
use super::headers::full_object_checksums;
use super::object::PutAnswer;
use super::request::{Body, Request, WE_PAY};
use super::xml::{S3Error, parse};
use crate::model::{CarriedHeaders, Checksum, ChecksumAlgorithm, ETag, Failure, UploadId};

/// The slowest pace at which a server may copy before it counts as a
/// standstill: it says nothing until it is done.
const COPIED_BYTES_PER_SECOND: u64 = 4 * 1024 * 1024;

/// All but `A-Za-z0-9-._~/` is escaped where a header names the source.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// What a server is to copy.
#[derive(Debug, Clone, Copy)]
pub struct CopySource<'a> {
    /// The bucket, which is at the same server.
    pub bucket: &'a Bucket,
    /// The object.
    pub name: &'a str,
    /// Only if it still has this tag. Not every server heeds it (Ceph's radosgw
    /// 16 does not).
    pub if_match: &'a ETag,
    /// How many bytes are to be copied: the longer it may take.
    pub size_bytes: u64,
}

/// What a copy by the server is written with.
#[derive(Debug, Clone, Copy)]
pub enum CopyHeaders<'a> {
    /// The source's headers and user metadata, and these besides.
    Kept(&'a CarriedHeaders),
    /// These alone.
    Replaced(&'a CarriedHeaders),
}

/// `CopyObjectResult` and `CopyPartResult`.
#[derive(Deserialize)]
pub(super) struct CopyResult {
    /// Absent or empty where the server does not tell.
    #[serde(default, rename = "ETag")]
    etag: String,
    #[serde(default, rename = "ChecksumType")]
    checksum_type: String,
    #[serde(default, rename = "ChecksumCRC64NVME")]
    crc64nvme: Option<String>,
    #[serde(default, rename = "ChecksumCRC32C")]
    crc32c: Option<String>,
    #[serde(default, rename = "ChecksumCRC32")]
    crc32: Option<String>,
    #[serde(default, rename = "ChecksumSHA256")]
    sha256: Option<String>,
    #[serde(default, rename = "ChecksumSHA1")]
    sha1: Option<String>,
}

impl Bucket {
    /// Has the server copy `source` to `name` with `headers`, if `condition` holds
    /// there. The tag is empty if the server does not tell.
    ///
    /// The request is signed with this bucket's credentials; they must be
    /// allowed to read the source.
    ///
    /// # Errors
    /// The server refused, with an error status or with an error in a good
    /// answer's body, or did not answer.
    pub fn copy_from(
        &self,
        name: &str,
        source: CopySource<'_>,
        headers: CopyHeaders<'_>,
        condition: Condition<'_>,
    ) -> Result<PutAnswer, Failure> {
        let mut request = Request::about(Operation::CopyObject, Method::Put, name);
        let (directive, headers) = match headers {
            CopyHeaders::Kept(besides) => ("COPY", besides),
            CopyHeaders::Replaced(all) => ("REPLACE", all),
        };
        request.carry(headers);
        // Tags are as the headers say, whatever the source has.
        let directives = [
            ("x-amz-metadata-directive", directive),
            ("x-amz-tagging-directive", "REPLACE"),
        ];
        request
            .headers
            .extend(directives.map(|(name, value)| (name, Cow::Borrowed(value))));
        request.headers.extend(condition.header());
        self.copy(request, source)
    }

    /// Has the server copy `range` (first and last byte) of `source` as the part
    /// `number`, from 1 to 10,000, of an upload.
    ///
    /// # Errors
    /// As for [`Bucket::copy_from`].
    pub fn copy_part_from(
        &self,
        name: &str,
        (upload_id, number): (&UploadId, u32),
        source: CopySource<'_>,
        (first, last): (u64, u64),
    ) -> Result<PutAnswer, Failure> {
        let number = number.to_string();
        let query = [
            ("partNumber", number.as_str()),
            ("uploadId", upload_id.as_str()),
        ];
        let mut request = Request::about(Operation::UploadPartCopy, Method::Put, name);
        request.query = &query;
        let range = Cow::Owned(format!("bytes={first}-{last}"));
        request.headers.push(("x-amz-copy-source-range", range));
        self.copy(request, source)
    }

    fn copy<'a>(
        &self,
        mut request: Request<'a>,
        source: CopySource<'a>,
    ) -> Result<PutAnswer, Failure> {
        let (operation, name) = (request.operation, request.name);
        let whence = Cow::Owned(address(
            source.bucket.name(),
            &source.bucket.key(source.name),
        ));
        request.headers.push(("x-amz-copy-source", whence));
        // A weak tag never matches.
        if !source.if_match.as_str().starts_with("W/") {
            let etag = Cow::Owned(source.if_match.quoted());
            request.headers.push(("x-amz-copy-source-if-match", etag));
        }
        if source.bucket.0.requester_pays && !self.0.requester_pays {
            request.headers.push(WE_PAY);
        }
        request.more_time = Duration::from_secs(source.size_bytes / COPIED_BYTES_PER_SECOND);
        request.body = Some(Body::Bytes(Bytes::new()));
        let answer = self.send(request)?;
        self.copied((operation, name), answer)
    }

    fn copied(
        &self,
        (operation, name): (Operation, Option<&str>),
        answer: Answer,
    ) -> Result<PutAnswer, Failure> {
        let status = answer.status.as_u16();
        let headers = answer.headers.clone();
        let id = request_id(&headers);
        let xml = self.read_xml(operation, name, answer)?;
        // The server may answer 200 while it still works, and fail after that.
        if let Some(error) = S3Error::parse(&xml) {
            return Err(self.refusal(operation, name, status, Some(error), None, id));
        }
        let why = "answered with what is no result of a copy";
        let result = read_copy(&xml).ok_or_else(|| self.nonsense(operation, name, why))?;
        let answer = result.answer(&headers, id);
        Ok(PutAnswer {
            md5_hex: self.written_md5(&answer.etag, &headers),
            ..answer
        })
    }
}

impl CopyResult {
    fn answer(self, headers: &HeaderMap, request_id: Option<String>) -> PutAnswer {
        let etag = ETag::new(&self.etag);
        let mut checksums = full_object_checksums(headers);
        if self.checksum_type != "COMPOSITE" {
            use ChecksumAlgorithm::{Crc32, Crc32c, Crc64nvme, Sha1, Sha256};
            let stated = [
                (Crc64nvme, self.crc64nvme),
                (Crc32c, self.crc32c),
                (Crc32, self.crc32),
                (Sha256, self.sha256),
                (Sha1, self.sha1),
            ];
            let of_whole = stated.into_iter().filter_map(|(algorithm, base64)| {
                // `<checksum>-<parts>` is a checksum of checksums.
                let base64 = base64.filter(|base64| !base64.contains('-'))?;
                Some(Checksum { algorithm, base64 })
            });
            checksums.extend(of_whole);
        }
        PutAnswer {
            md5_hex: None,
            etag,
            checksums,
            request_id,
        }
    }
}

/// What the answer `xml` says of a copy; `None` if it is no such answer.
pub(super) fn read_copy(xml: &str) -> Option<CopyResult> {
    let is_answer = xml.contains("<CopyObjectResult") || xml.contains("<CopyPartResult");
    is_answer.then(|| parse(xml)).flatten()
}

/// `<bucket>/<name>`, as a header may hold it.
fn address(bucket: &str, name: &str) -> String {
    format!("{bucket}/{}", utf8_percent_encode(name, ESCAPED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awkward_names_are_escaped() {
        for (name, escaped) in [
            ("a/b-c._~", "src/a/b-c._~"),
            ("/a//b/", "src//a//b/"),
            ("a+b c", "src/a%2Bb%20c"),
            ("50%?versionId=x#y&z", "src/50%25%3FversionId%3Dx%23y%26z"),
            ("ü🛳\n", "src/%C3%BC%F0%9F%9B%B3%0A"),
        ] {
            assert_eq!(address("src", name), escaped, "{name:?}");
        }
    }

    #[test]
    fn answers_are_read_with_and_without_namespace_and_behind_white_space() {
        for kind in ["CopyObjectResult", "CopyPartResult"] {
            for ns in ["", " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""] {
                let xml = format!(
                    "   \n<?xml version=\"1.0\"?>\n  <{kind}{ns}><LastModified>x</LastModified>\
                     <ETag>&quot;aa&#34;</ETag><ChecksumCRC64NVME>bb</ChecksumCRC64NVME></{kind}>"
                );
                let answer = read_copy(&xml).unwrap().answer(&HeaderMap::new(), None);
                assert_eq!(answer.etag.as_str(), "aa");
                assert_eq!(answer.checksums.len(), 1);
                assert!(S3Error::parse(&xml).is_none());
            }
        }
    }

    #[test]
    fn only_checksums_of_the_whole_object_count() {
        for inner in [
            "<ChecksumCRC32C>bb-3</ChecksumCRC32C>",
            "<ChecksumCRC32C>bb</ChecksumCRC32C><ChecksumType>COMPOSITE</ChecksumType>",
        ] {
            let xml = format!("<CopyObjectResult><ETag>a</ETag>{inner}</CopyObjectResult>");
            let answer = read_copy(&xml).unwrap().answer(&HeaderMap::new(), None);
            assert_eq!(answer.checksums, []);
        }
    }

    #[test]
    fn other_answers_are_none() {
        for xml in [
            "",
            "ok",
            "<html/>",
            "<ListBucketResult/>",
            "<CopyObjectResult>",
        ] {
            assert!(read_copy(xml).is_none(), "{xml}");
        }
        let untold = read_copy("<CopyObjectResult/>").unwrap();
        assert_eq!(untold.answer(&HeaderMap::new(), None).etag.as_str(), "");
    }
}
