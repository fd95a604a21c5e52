//! The tags of objects.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;
use rusty_s3::Method;
use serde::Deserialize;

use super::bucket::Bucket;
use super::cause::Operation;
use super::request::{Body, Request};
use super::xml::parse;
use crate::model::{Failure, FailureCause, Tag};

/// The header by which tags are written.
pub const TAGGING: &str = "x-amz-tagging";

/// All but `A-Za-z0-9-._~` is escaped in it.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Deserialize)]
struct Tagging {
    #[serde(rename = "TagSet")]
    set: TagSet,
}

#[derive(Deserialize)]
struct TagSet {
    #[serde(default, rename = "Tag")]
    tags: Vec<TagInSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagInSet {
    key: String,
    #[serde(default)]
    value: String,
}

impl Bucket {
    /// The tags of an object; `None` if there is no such object.
    ///
    /// # Errors
    /// The server refused, for want of `s3:GetObjectTagging` perhaps, or did not
    /// answer, or its answer makes no sense.
    pub fn tags(&self, name: &str) -> Result<Option<Vec<Tag>>, Failure> {
        let operation = Operation::GetObjectTagging;
        let mut request = Request::about(operation, Method::Get, name);
        request.query = &[("tagging", "")];
        let answer = match self.send(request) {
            Err(failure) if failure.error_code.as_deref() == Some("NoSuchKey") => return Ok(None),
            // Radosgw's word for an object without tags.
            Err(failure) if failure.error_code.as_deref() == Some("NoSuchTagSet") => {
                return Ok(Some(Vec::new()));
            }
            Err(failure) => return Err(explained(failure)),
            Ok(answer) => answer,
        };
        let xml = self.read_xml(operation, Some(name), answer)?;
        let why = "answered with what are no tags";
        read_tags(&xml)
            .map(Some)
            .ok_or_else(|| self.nonsense(operation, Some(name), why))
    }
}

impl Bucket {
    /// Gives an object these tags and no others.
    ///
    /// # Errors
    /// The server refused, for want of `s3:PutObjectTagging` perhaps, or did not answer.
    pub fn put_tags(&self, name: &str, tags: &[Tag]) -> Result<(), Failure> {
        let mut request = Request::about(Operation::PutObjectTagging, Method::Put, name);
        request.query = &[("tagging", "")];
        let xml = tag_set(tags);
        // Amazon takes none without it.
        let md5 = STANDARD.encode(Md5::digest(&xml));
        request.headers.push(("content-md5", Cow::Owned(md5)));
        request.body = Some(Body::Bytes(xml.into()));
        self.send(request).map(drop)
    }
}

fn tag_set(tags: &[Tag]) -> String {
    let mut xml =
        String::from("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>");
    for Tag { key, value } in tags {
        let (key, value) = (escape(key), escape(value));
        // Writing to a String cannot fail.
        let _ = write!(xml, "<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    }
    xml.push_str("</TagSet></Tagging>");
    xml
}

/// Says which right is wanted, or that the server has no tags.
fn explained(mut failure: Failure) -> Failure {
    match failure.cause {
        FailureCause::SourceDenied | FailureCause::DestinationDenied => {
            failure
                .message
                .push_str("; `copy_tags` needs the right s3:GetObjectTagging");
        }
        FailureCause::BadRequest if failure.http_status == Some(501) => {
            failure
                .message
                .push_str("; this server has no tags: take `copy_tags` out");
        }
        _ => {}
    }
    failure
}

/// The tags that the answer `xml` tells; `None` if it is no such answer.
pub(super) fn read_tags(xml: &str) -> Option<Vec<Tag>> {
    let tagging: Tagging = parse(xml)?;
    let tags = tagging.set.tags.into_iter();
    Some(
        tags.map(|TagInSet { key, value }| Tag { key, value })
            .collect(),
    )
}

/// `tags` as the header that writes them holds them.
#[must_use]
pub fn tags_header(tags: &[Tag]) -> String {
    let mut header = String::new();
    for Tag { key, value } in tags {
        if !header.is_empty() {
            header.push('&');
        }
        let escaped = |text| utf8_percent_encode(text, ESCAPED);
        // Writing to a String cannot fail.
        let _ = write!(header, "{}={}", escaped(key), escaped(value));
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn tags_are_read_with_all_their_characters() {
        for ns in ["", " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""] {
            let xml = format!(
                "  <?xml version=\"1.0\"?>\n<Tagging{ns}><TagSet>\
                 <Tag><Key>a&amp;b =</Key><Value> 1 </Value></Tag>\
                 <Tag><Key>ü</Key><Value></Value></Tag><Tag><Key>none</Key><Value/></Tag>\
                 </TagSet></Tagging>"
            );
            assert_eq!(
                read_tags(&xml),
                Some(vec![tag("a&b =", " 1 "), tag("ü", ""), tag("none", "")])
            );
        }
        for empty in ["<TagSet/>", "<TagSet></TagSet>", "<TagSet>\n  </TagSet>"] {
            let xml = format!("<Tagging>{empty}</Tagging>");
            assert_eq!(read_tags(&xml), Some(Vec::new()), "{empty}");
        }
    }

    #[test]
    fn tags_that_are_written_read_back_as_themselves() {
        let tags = vec![tag("a&b =", " <1> "), tag("ü", ""), tag("'\"", "\t")];
        assert_eq!(read_tags(&tag_set(&tags)), Some(tags));
        assert_eq!(read_tags(&tag_set(&[])), Some(Vec::new()));
    }

    #[test]
    fn what_are_no_tags_is_not_taken_for_none() {
        for other in ["", "the object itself", "<html/>", "<Tagging/>", "{}"] {
            assert_eq!(read_tags(other), None, "{other}");
        }
    }

    #[test]
    fn the_header_holds_every_character_escaped() {
        let tags = [tag("a b", "c+d&e=f"), tag("ü/~", "")];
        assert_eq!(tags_header(&tags), "a%20b=c%2Bd%26e%3Df&%C3%BC%2F~=");
        assert_eq!(tags_header(&[]), "");
    }
}
