//! Multipart uploads.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use rusty_s3::Method;
use serde::Deserialize;

use super::answer::request_id;
use super::bucket::Bucket;
use super::cause::Operation;
use super::condition::Condition;
use super::exchange::Answer;
use super::object::{PutAnswer, Upload};
use super::request::{Body, Request};
use super::xml::{S3Error, parse};
use crate::model::{CarriedHeaders, Checksum, ChecksumAlgorithm, ETag, Failure, UploadId};

/// How long putting the parts together may take. AWS speaks of minutes.
const COMPLETE_TIME: Duration = Duration::from_mins(10);

/// A part that the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPart {
    /// Its number, from 1.
    pub number: u32,
    /// The tag with which the server answered.
    pub etag: ETag,
}

/// What the server says of an object that was put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedUpload {
    /// The object's tag.
    pub etag: ETag,
    /// The checksums of the whole that the server states.
    pub checksums: Vec<Checksum>,
    /// The server's id of the request.
    pub request_id: Option<String>,
}

#[derive(Deserialize)]
struct Initiated {
    #[serde(rename = "UploadId")]
    upload_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPartsResult {
    #[serde(default)]
    is_truncated: bool,
    next_part_number_marker: Option<u32>,
    #[serde(default, rename = "Part")]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    part_number: u32,
    #[serde(rename = "ETag")]
    etag: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Completed {
    #[serde(rename = "ETag")]
    etag: String,
    checksum_type: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    crc64nvme: Option<String>,
    #[serde(rename = "ChecksumCRC32C")]
    crc32c: Option<String>,
}

impl Bucket {
    /// Begins a multipart upload of an object with `headers`, whose parts come
    /// with a CRC of the kind `crc`, if with any; the parts' then make the whole's.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub fn create_upload(
        &self,
        name: &str,
        headers: &CarriedHeaders,
        crc: Option<ChecksumAlgorithm>,
    ) -> Result<UploadId, Failure> {
        let operation = Operation::CreateMultipartUpload;
        let mut request = Request::about(operation, Method::Post, name);
        request.query = &[("uploads", "")];
        request.carry(headers);
        if let Some(crc) = crc {
            let algorithm = ("x-amz-checksum-algorithm", Cow::Borrowed(crc.as_str()));
            let of_the_whole = ("x-amz-checksum-type", Cow::Borrowed("FULL_OBJECT"));
            request.headers.extend([algorithm, of_the_whole]);
        }
        request.body = Some(Body::Bytes(bytes::Bytes::new()));
        let answer = self.send(request)?;
        let xml = self.read_xml(operation, Some(name), answer)?;
        read_initiated(&xml)
            .ok_or_else(|| self.nonsense(operation, Some(name), "answered without an upload id"))
    }

    /// Writes the part `number`, from 1 to 10,000.
    ///
    /// # Errors
    /// As for [`Bucket::put`].
    pub fn upload_part(
        &self,
        name: &str,
        upload_id: &UploadId,
        number: u32,
        upload: Upload<'_>,
    ) -> Result<PutAnswer, Failure> {
        let number = number.to_string();
        let query = [
            ("partNumber", number.as_str()),
            ("uploadId", upload_id.as_str()),
        ];
        let mut request = Request::about(Operation::UploadPart, Method::Put, name);
        request.query = &query;
        self.write(request, upload)
    }

    /// The parts that the server holds of an upload, by number; `None` if there
    /// is no such upload (any more).
    ///
    /// # Errors
    /// The server refused or did not answer, or its answer makes no sense.
    pub fn list_parts(
        &self,
        name: &str,
        upload_id: &UploadId,
    ) -> Result<Option<Vec<UploadedPart>>, Failure> {
        let operation = Operation::ListParts;
        let mut parts: Vec<UploadedPart> = Vec::new();
        let mut marker = String::new();
        loop {
            let mut query = Vec::with_capacity(2);
            if !marker.is_empty() {
                query.push(("part-number-marker", marker.as_str()));
            }
            query.push(("uploadId", upload_id.as_str()));
            let mut request = Request::about(operation, Method::Get, name);
            request.query = &query;
            let xml = match self.send(request) {
                Err(failure) if failure.error_code.as_deref() == Some("NoSuchUpload") => {
                    return Ok(None);
                }
                answer => self.read_xml(operation, Some(name), answer?)?,
            };
            let page = read_parts(&xml).ok_or_else(|| {
                self.nonsense(
                    operation,
                    Some(name),
                    "answered with what is no list of parts",
                )
            })?;
            let last = parts.last().map_or(0, |part| part.number);
            parts.extend(page.parts.iter().map(|part| UploadedPart {
                number: part.part_number,
                etag: ETag::new(&part.etag),
            }));
            if !page.is_truncated {
                return Ok(Some(parts));
            }
            let next = page
                .next_part_number_marker
                .or(parts.last().map(|part| part.number));
            // A server that does not get on would be asked for ever.
            marker = match next {
                Some(next) if next > last => next.to_string(),
                _ => {
                    let why = "answered with a list of parts that does not go on";
                    return Err(self.nonsense(operation, Some(name), why));
                }
            };
        }
    }

    /// Makes an object of `parts`, which are in order of their numbers, if
    /// `condition` holds at the destination.
    ///
    /// # Errors
    /// The server refused, with an error status or with an error in a good
    /// answer's body, or did not answer.
    pub fn complete_upload(
        &self,
        name: &str,
        upload_id: &UploadId,
        parts: &[UploadedPart],
        condition: Condition<'_>,
    ) -> Result<CompletedUpload, Failure> {
        let operation = Operation::CompleteMultipartUpload;
        let query = [("uploadId", upload_id.as_str())];
        let mut request = Request::about(operation, Method::Post, name);
        request.query = &query;
        request.more_time = COMPLETE_TIME;
        request.body = Some(Body::Bytes(list_of_parts(parts).into()));
        request.headers.extend(condition.header());
        let answer = self.send(request)?;
        self.completed(name, answer)
    }

    fn completed(&self, name: &str, answer: Answer) -> Result<CompletedUpload, Failure> {
        let operation = Operation::CompleteMultipartUpload;
        let status = answer.status.as_u16();
        let id = request_id(&answer.headers);
        let xml = self.read_xml(operation, Some(name), answer)?;
        // The server may answer 200 while it still works, and fail after that.
        if let Some(error) = S3Error::parse(&xml) {
            return Err(self.refusal(operation, Some(name), status, Some(error), None, id));
        }
        match read_completed(&xml) {
            Some((etag, checksums)) => Ok(CompletedUpload {
                etag,
                checksums,
                request_id: id,
            }),
            None => Err(self.nonsense(operation, Some(name), "answered without an ETag")),
        }
    }

    /// Gives an upload up, and with it the parts that the server holds.
    ///
    /// # Errors
    /// The server refused or did not answer. An upload that is not there any
    /// more is no error.
    pub fn abort_upload(&self, name: &str, upload_id: &UploadId) -> Result<(), Failure> {
        let query = [("uploadId", upload_id.as_str())];
        let mut request = Request::about(Operation::AbortMultipartUpload, Method::Delete, name);
        request.query = &query;
        match self.send(request) {
            Err(failure) if failure.error_code.as_deref() == Some("NoSuchUpload") => Ok(()),
            answer => answer.map(drop),
        }
    }
}

/// The id of the upload that the answer `xml` says was begun.
pub(super) fn read_initiated(xml: &str) -> Option<UploadId> {
    let initiated: Initiated = parse(xml)?;
    (!initiated.upload_id.is_empty()).then(|| UploadId::new(initiated.upload_id))
}

/// A page of the parts of an upload.
pub(super) fn read_parts(xml: &str) -> Option<ListPartsResult> {
    parse(xml)
}

/// The tag of the object that the answer `xml` says was put together, and the
/// checksums of the whole.
pub(super) fn read_completed(xml: &str) -> Option<(ETag, Vec<Checksum>)> {
    let completed: Completed = parse(xml)?;
    let is_of_parts = completed.checksum_type.as_deref() == Some("COMPOSITE");
    let stated = [
        (ChecksumAlgorithm::Crc64nvme, completed.crc64nvme),
        (ChecksumAlgorithm::Crc32c, completed.crc32c),
    ];
    let of_the_whole = |(algorithm, base64): (_, Option<String>)| {
        // `<checksum>-<parts>` is a checksum of checksums.
        let base64 = base64.filter(|base64| !is_of_parts && !base64.contains('-'))?;
        Some(Checksum { algorithm, base64 })
    };
    let checksums = stated.into_iter().filter_map(of_the_whole).collect();
    Some((ETag::new(&completed.etag), checksums))
}

fn list_of_parts(parts: &[UploadedPart]) -> String {
    let mut xml = String::with_capacity(64 + parts.len() * 100);
    xml.push_str("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        let etag = part.etag.quoted();
        // Writing to a String cannot fail.
        let _ = write!(
            xml,
            "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>",
            part.number,
            quick_xml::escape::escape(&etag)
        );
    }
    xml.push_str("</CompleteMultipartUpload>");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_listed_with_their_tags_escaped() {
        let parts = [
            UploadedPart {
                number: 1,
                etag: ETag::new("\"aa\""),
            },
            UploadedPart {
                number: 2,
                etag: ETag::new("b<&"),
            },
        ];
        assert_eq!(
            list_of_parts(&parts),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Part><PartNumber>1</PartNumber><ETag>&quot;aa&quot;</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>&quot;b&lt;&amp;&quot;</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }

    #[test]
    fn only_a_checksum_of_the_whole_is_read() {
        let read = |inside: &str| {
            let xml = format!(
                "<CompleteMultipartUploadResult><ETag>a</ETag>{inside}</CompleteMultipartUploadResult>"
            );
            let (_, checksums) = read_completed(&xml).unwrap();
            checksums.into_iter().next().map(|stated| stated.base64)
        };
        let crc = "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>";
        assert_eq!(read(crc).as_deref(), Some("rosUhgp5mIg="));
        let of_parts = "<ChecksumType>COMPOSITE</ChecksumType>";
        assert_eq!(read(&format!("{crc}{of_parts}")), None);
        assert_eq!(read("<ChecksumCRC32C>AAAAAA==-2</ChecksumCRC32C>"), None);
    }

    #[test]
    fn answers_are_read_with_and_without_namespace() {
        for ns in ["", " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""] {
            let xml = format!(
                "<?xml version=\"1.0\"?>\n<InitiateMultipartUploadResult{ns}><Bucket>b</Bucket>\
                 <Key>k</Key><UploadId>id+/=</UploadId></InitiateMultipartUploadResult>"
            );
            assert_eq!(read_initiated(&xml).unwrap().as_str(), "id+/=");
            let xml = format!(
                "  \n<CompleteMultipartUploadResult{ns}><Location>l</Location>\
                 <ETag>&#34;aa-2&quot;</ETag></CompleteMultipartUploadResult>"
            );
            assert_eq!(read_completed(&xml), Some((ETag::new("aa-2"), Vec::new())));
            assert!(S3Error::parse(&xml).is_none());
        }
    }
}
