//! Answers in XML: read with a limit, whatever their namespace.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::bucket::Bucket;
use super::cause::Operation;
use super::exchange::Answer;
use crate::model::{Failure, FailureCause};

/// The longest XML answer that is read: a listing of 1,000 names of 1,024
/// escaped bytes has about 4 MiB.
pub(super) const MAX_XML_BYTES: usize = 16 * 1024 * 1024;

/// An error as S3 words it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct S3Error {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) request_id: Option<String>,
}

impl S3Error {
    /// The error in `body`; `None` if it holds none.
    pub(super) fn parse(body: &str) -> Option<Self> {
        parse(body).filter(|error: &Self| !error.code.is_empty())
    }
}

/// The answer in `xml`; `None` if it is none.
pub(super) fn parse<T: DeserializeOwned>(xml: &str) -> Option<T> {
    quick_xml::de::from_str(xml.trim_start()).ok()
}

impl Bucket {
    /// An answer's body as text.
    pub(super) fn read_xml(
        &self,
        operation: Operation,
        name: Option<&str>,
        answer: Answer,
    ) -> Result<String, Failure> {
        let body = answer.body.at_once();
        let body = body.map_err(|error| self.unanswered(operation, name, &error))?;
        if body.len() > MAX_XML_BYTES {
            return Err(self.nonsense(operation, name, "answered with more than 16 MiB of XML"));
        }
        String::from_utf8(body.into())
            .map_err(|_| self.nonsense(operation, name, "answered with what is no text"))
    }

    /// A good status with an answer that makes no sense.
    pub(super) fn nonsense(&self, operation: Operation, name: Option<&str>, why: &str) -> Failure {
        let message = self.describe(operation, name, |line| line.push_str(why));
        Failure::new(FailureCause::ServerError, message).at(self.0.side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_with_and_without_declaration_and_namespace() {
        for body in [
            "<Error><Code>NoSuchKey</Code><Message>gone &amp; lost</Message></Error>",
            "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Code>NoSuchKey</Code><Message>gone &amp; lost</Message><Key>x</Key><HostId>h</HostId></Error>",
        ] {
            let error = S3Error::parse(body).unwrap();
            assert_eq!(error.code, "NoSuchKey");
            assert_eq!(error.message, "gone & lost");
        }
    }

    #[test]
    fn other_bodies_hold_no_error() {
        for body in [
            "",
            "<html><body>Bad Gateway</body></html>",
            "upstream connect error",
            "<ListBucketResult><Name>photos</Name></ListBucketResult>",
            "<Error><Code></Code></Error>",
            "<Error><Code>",
        ] {
            assert!(S3Error::parse(body).is_none(), "{body}");
        }
    }
}
