//! What an answer's headers say of an object.

use chrono::DateTime;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, LAST_MODIFIED,
};

use super::answer::request_id;
use super::archive::readiness;
use crate::model::{
    CarriedHeaders, Checksum, ChecksumAlgorithm, ETag, Failure, FailureCause, ObjectFacts,
    Timestamp,
};

/// Headers that travel with an object, besides its user metadata.
static CARRIED: [HeaderName; 6] = [
    reqwest::header::CACHE_CONTROL,
    reqwest::header::CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    reqwest::header::CONTENT_LANGUAGE,
    reqwest::header::CONTENT_TYPE,
    reqwest::header::EXPIRES,
];

const USER_METADATA: &str = "x-amz-meta-";
const ENCRYPTION: &str = "x-amz-server-side-encryption";

/// What HEAD or GET says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The facts for the decision.
    pub facts: ObjectFacts,
    /// What travels with the object.
    pub headers: CarriedHeaders,
    /// Of how many parts it was put together, where its tag is the MD5 of their
    /// MD5s, as far as headers tell.
    pub parts: Option<u64>,
    /// What should travel and cannot even be written down, in words.
    pub not_carried: Option<String>,
    /// Its storage class; servers leave it out where it is `STANDARD`.
    pub storage_class: Option<String>,
    /// How it is encrypted, if that is said.
    pub encryption: Option<String>,
    /// How many tags it has, if that is said. Amazon says nothing of an object
    /// without tags, nor to those who may not read them.
    pub tag_count: Option<u64>,
    /// The server's id of the request.
    pub request_id: Option<String>,
}

impl Head {
    /// The headers to send along with a copy.
    ///
    /// # Errors
    /// `metadata_refused` if one of them cannot be sent; none is dropped in silence.
    pub fn carried(&self) -> Result<&CarriedHeaders, Failure> {
        match &self.not_carried {
            None => Ok(&self.headers),
            Some(why) => Err(Failure::new(FailureCause::MetadataRefused, why.as_str())),
        }
    }

    /// Reads the headers of an object of `size_bytes`.
    ///
    /// # Errors
    /// What they lack.
    pub fn read(headers: &HeaderMap, size_bytes: u64) -> Result<Self, &'static str> {
        let etag = text(headers, ETAG.as_str()).ok_or("answered without an ETag")?;
        let etag = ETag::new(etag);
        let modified_at = text(headers, LAST_MODIFIED.as_str())
            .and_then(http_date)
            .ok_or("answered without a Last-Modified that can be read")?;
        let (carried, not_carried) = carried(headers);
        Ok(Self {
            facts: ObjectFacts {
                md5_hex: md5_of_etag(&etag, headers),
                checksums: full_object_checksums(headers),
                etag: etag.clone(),
                size_bytes,
                modified_at,
                readiness: readiness(headers),
            },
            headers: carried,
            parts: etag.parts().filter(|_| !is_under_key(headers)),
            not_carried,
            storage_class: text(headers, "x-amz-storage-class").map(str::to_owned),
            encryption: text(headers, ENCRYPTION).map(str::to_owned),
            tag_count: text(headers, "x-amz-tagging-count").and_then(|count| count.parse().ok()),
            request_id: request_id(headers),
        })
    }
}

/// The object's MD5 in lower-case hexadecimal, if its tag is one: it looks like
/// one, and no key of KMS or of the customer's lies over the object.
pub(super) fn md5_of_etag(etag: &ETag, headers: &HeaderMap) -> Option<String> {
    (etag.looks_like_md5() && !is_under_key(headers)).then(|| etag.as_str().to_ascii_lowercase())
}

/// Whether a key of KMS or of the customer's lies over the object: its tag is
/// not made of its bytes then.
fn is_under_key(headers: &HeaderMap) -> bool {
    let kms = text(headers, ENCRYPTION).is_some_and(|kind| kind.starts_with("aws:kms"));
    kms || headers.contains_key("x-amz-server-side-encryption-customer-algorithm")
}

/// The checksums over the whole object that `headers` state.
pub(super) fn full_object_checksums(headers: &HeaderMap) -> Vec<Checksum> {
    if text(headers, "x-amz-checksum-type") == Some("COMPOSITE") {
        return Vec::new();
    }
    let stated = |&algorithm: &ChecksumAlgorithm| {
        let base64 = text(headers, algorithm.header())?;
        // `<checksum>-<parts>` is a checksum of checksums.
        (!base64.contains('-')).then(|| Checksum {
            algorithm,
            base64: base64.to_owned(),
        })
    };
    ChecksumAlgorithm::ALL.iter().filter_map(stated).collect()
}

/// `Content-Length` as the header states it: HEAD has one without a body.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, CONTENT_LENGTH.as_str())?.parse().ok()
}

/// A time in HTTP's form, in whole seconds.
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    // The day of the week adds nothing, and some servers have it wrong.
    let value = value.split_once(", ").map_or(value, |(_, date)| date);
    let at = DateTime::parse_from_rfc2822(value).ok()?;
    Some(at.to_utc().into())
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What travels, and the first thing that should and cannot.
fn carried(headers: &HeaderMap) -> (CarriedHeaders, Option<String>) {
    let mut carried: Vec<(String, String)> = Vec::new();
    let mut problem = match text(headers, "x-amz-missing-meta") {
        None | Some("0") => None,
        Some(count) => Some(format!(
            "the source holds back {count} of the object's metadata (x-amz-missing-meta)"
        )),
    };
    for (name, value) in headers {
        if !CARRIED.contains(name) && !name.as_str().starts_with(USER_METADATA) {
            continue;
        }
        let Ok(value) = std::str::from_utf8(value.as_bytes()) else {
            problem.get_or_insert_with(|| format!("{name} is not UTF-8 and cannot be signed"));
            continue;
        };
        let value = if name == CONTENT_ENCODING {
            without_aws_chunked(value)
        } else {
            Some(value.to_owned())
        };
        let Some(value) = value else { continue };
        // A map yields the values of one name one after another.
        match carried.last_mut() {
            Some((last, values)) if last == name.as_str() => {
                values.push(',');
                values.push_str(&value);
            }
            _ => carried.push((name.as_str().to_owned(), value)),
        }
    }
    carried.sort_unstable();
    (CarriedHeaders(carried), problem)
}

/// `aws-chunked` says how a request was sent, not how the object is encoded.
fn without_aws_chunked(value: &str) -> Option<String> {
    let is_chunked = |token: &&str| token.eq_ignore_ascii_case("aws-chunked");
    let tokens = || value.split(',').map(str::trim);
    if !tokens().any(|token| is_chunked(&token)) {
        return Some(value.to_owned());
    }
    let rest: Vec<&str> = tokens().filter(|token| !is_chunked(token)).collect();
    let rest = rest.join(",");
    (!rest.trim_matches(',').is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn value(text: &str) -> HeaderValue {
        HeaderValue::from_bytes(text.as_bytes()).unwrap()
    }

    fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert(ETAG, value("\"9A0364B9E99BB480DD25E1F0284C8555\""));
        map.insert(LAST_MODIFIED, value("Wed, 12 Oct 2009 17:50:00 GMT"));
        for (name, text) in of {
            map.append(*name, value(text));
        }
        map
    }

    fn read(of: &[(&'static str, &str)]) -> Head {
        Head::read(&headers(of), 7).unwrap()
    }

    #[test]
    fn carried_headers_are_these_and_no_others() {
        let head = read(&[
            ("x-amz-meta-b", "two"),
            ("x-amz-meta-a", "one"),
            ("x-amz-meta-a", "again"),
            ("content-type", "text/plain"),
            ("cache-control", "no-cache"),
            ("content-disposition", "inline"),
            ("content-language", "de"),
            ("expires", "0"),
            ("content-encoding", "gzip"),
            ("x-amz-website-redirect-location", "/x"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("server", "S3"),
        ]);
        let carried: Vec<_> = head
            .carried()
            .unwrap()
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            carried,
            [
                ("cache-control", "no-cache"),
                ("content-disposition", "inline"),
                ("content-encoding", "gzip"),
                ("content-language", "de"),
                ("content-type", "text/plain"),
                ("expires", "0"),
                ("x-amz-meta-a", "one,again"),
                ("x-amz-meta-b", "two"),
            ]
        );
    }

    #[test]
    fn aws_chunked_is_no_encoding_of_the_object() {
        for (received, kept) in [
            ("gzip", Some("gzip")),
            ("gzip, br", Some("gzip, br")),
            ("aws-chunked", None),
            ("AWS-Chunked,gzip", Some("gzip")),
            ("gzip, aws-chunked", Some("gzip")),
            ("aws-chunked,", None),
        ] {
            assert_eq!(without_aws_chunked(received).as_deref(), kept, "{received}");
        }
    }

    #[test]
    fn what_cannot_travel_is_said() {
        let mut latin = headers(&[]);
        let raw = HeaderValue::from_bytes(b"caf\xe9").unwrap();
        latin.insert("x-amz-meta-place", raw);
        let head = Head::read(&latin, 0).unwrap();
        let failure = head.carried().unwrap_err();
        assert_eq!(failure.cause, FailureCause::MetadataRefused);
        assert!(failure.message.contains("x-amz-meta-place"));
        assert!(read(&[("x-amz-missing-meta", "2")]).carried().is_err());
        assert!(read(&[("x-amz-missing-meta", "0")]).carried().is_ok());
        assert!(read(&[("x-amz-meta-place", "café")]).carried().is_ok());
    }

    #[test]
    fn an_etag_is_an_md5_only_without_foreign_keys() {
        let md5 = |of: &[(&'static str, &str)]| read(of).facts.md5_hex;
        let kind = "x-amz-server-side-encryption";
        assert_eq!(
            md5(&[]).as_deref(),
            Some("9a0364b9e99bb480dd25e1f0284c8555")
        );
        assert!(md5(&[(kind, "AES256")]).is_some());
        assert!(md5(&[(kind, "aws:kms")]).is_none());
        assert!(md5(&[(kind, "aws:kms:dsse")]).is_none());
        let customer = "x-amz-server-side-encryption-customer-algorithm";
        assert!(md5(&[(customer, "AES256")]).is_none());
    }

    #[test]
    fn only_checksums_of_the_whole_object_count() {
        let crc = ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=");
        assert_eq!(read(&[crc]).facts.checksums.len(), 1);
        assert!(
            read(&[crc, ("x-amz-checksum-type", "COMPOSITE")])
                .facts
                .checksums
                .is_empty()
        );
        assert!(
            read(&[("x-amz-checksum-crc32c", "AAAAAA==-3")])
                .facts
                .checksums
                .is_empty()
        );
    }

    #[test]
    fn an_answer_without_facts_is_no_head() {
        let mut without = headers(&[]);
        without.remove(ETAG);
        assert!(Head::read(&without, 0).is_err());
        let mut wrong = headers(&[]);
        wrong.insert(LAST_MODIFIED, value("yesterday"));
        assert!(Head::read(&wrong, 0).is_err());
    }
}
