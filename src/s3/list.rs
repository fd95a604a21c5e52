//! Listings.

use std::borrow::Cow;
use std::time::Duration;

use chrono::DateTime;
use percent_encoding::percent_decode_str;
use rusty_s3::Method;
use serde::Deserialize;

use super::bucket::Bucket;
use super::cause::Operation;
use super::request::Request;
use super::xml::parse;
use crate::model::{ETag, Failure, ObjectFacts, Timestamp};

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The objects, in the server's order, which need not be by byte.
    pub objects: Vec<ListedObject>,
    /// Where the next page continues; `None` at the end.
    pub next: Option<String>,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its name, which need not be one that Nightferry takes.
    pub name: String,
    /// What the listing says: neither MD5 nor checksums, since it does not say
    /// how the object is encrypted.
    pub facts: ObjectFacts,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    is_truncated: bool,
    next_continuation_token: Option<String>,
    encoding_type: Option<String>,
    #[serde(default)]
    contents: Vec<Contents>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    last_modified: String,
    /// Empty where the server lists none, as s3s-fs does.
    #[serde(rename = "ETag", default)]
    etag: String,
    size: u64,
    storage_class: Option<String>,
}

impl Bucket {
    /// A page of up to `max_keys` (at most 1,000) objects whose names begin
    /// with `prefix`: after the name `start_after`, or, from the second page
    /// on, from where `continuation` says. For all pages there is
    /// [`Listing`](super::Listing).
    ///
    /// # Errors
    /// The server refused or did not answer, or its answer cannot be read.
    pub fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        continuation: Option<&str>,
        max_keys: u16,
    ) -> Result<ListPage, Failure> {
        let operation = Operation::ListObjectsV2;
        let max_keys = max_keys.to_string();
        let mut query = Vec::with_capacity(6);
        query.extend(continuation.map(|token| ("continuation-token", token)));
        query.push(("encoding-type", "url"));
        query.push(("list-type", "2"));
        query.push(("max-keys", max_keys.as_str()));
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        query.extend(start_after.map(|name| ("start-after", name)));
        let answer = self.send(Request {
            operation,
            method: Method::Get,
            name: None,
            query: &query,
            headers: Vec::new(),
            body: None,
            more_time: Duration::ZERO,
        })?;
        let xml = self.read_xml(operation, None, answer)?;
        let page = page(&xml).map_err(|why| self.nonsense(operation, None, why))?;
        if page.next.is_some() && page.next.as_deref() == continuation {
            let why = "answered with a listing that goes on where it just did, without end";
            return Err(self.nonsense(operation, None, why));
        }
        Ok(page)
    }
}

impl ListPage {
    /// The page in `xml`.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub fn parse(xml: &str) -> Result<Self, &'static str> {
        page(xml)
    }
}

pub(super) fn page(xml: &str) -> Result<ListPage, &'static str> {
    let result: ListBucketResult = parse(xml).ok_or("answered with what is no listing")?;
    let encoded = result.encoding_type.as_deref() == Some("url");
    let objects = result
        .contents
        .into_iter()
        .map(|contents| listed(contents, encoded))
        .collect::<Result<_, _>>()?;
    let next = result
        .next_continuation_token
        .filter(|token| result.is_truncated && !token.is_empty());
    if result.is_truncated && next.is_none() {
        return Err("answered with a listing that goes on without saying where");
    }
    Ok(ListPage { objects, next })
}

fn listed(contents: Contents, encoded: bool) -> Result<ListedObject, &'static str> {
    let name = if encoded {
        decoded(&contents.key).ok_or("listed a name that is not UTF-8")?
    } else {
        contents.key
    };
    let modified_at = DateTime::parse_from_rfc3339(&contents.last_modified)
        .map_err(|_| "listed a time that cannot be read")?;
    // HEAD says whole seconds; so must a listing, for the two to be equal.
    let whole_seconds = modified_at.timestamp() * 1000;
    Ok(ListedObject {
        name,
        facts: ObjectFacts {
            etag: ETag::new(&contents.etag),
            size_bytes: contents.size,
            modified_at: Timestamp::from_ms(whole_seconds),
            md5_hex: None,
            checksums: Vec::new(),
            storage_class: contents.storage_class,
        },
    })
}

/// `application/x-www-form-urlencoded`, as `encoding-type=url` answers.
fn decoded(key: &str) -> Option<String> {
    let spaced = if key.contains('+') {
        Cow::Owned(key.replace('+', " "))
    } else {
        Cow::Borrowed(key)
    };
    let name = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(extra: &str, keys: &[&str]) -> String {
        let mut contents = String::new();
        for key in keys {
            contents += "<Contents><Key>";
            contents += key;
            contents += "</Key><LastModified>2026-11-22T07:53:01.987Z</LastModified>\
                         <ETag>&quot;aa&quot;</ETag><Size>5</Size>\
                         <StorageClass>STANDARD</StorageClass></Contents>";
        }
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
             <Prefix></Prefix><KeyCount>1</KeyCount>{extra}{contents}</ListBucketResult>"
        )
    }

    fn names(xml: &str) -> Vec<String> {
        let page = page(xml).unwrap();
        page.objects.into_iter().map(|object| object.name).collect()
    }

    #[test]
    fn an_object_that_is_listed_without_a_tag_has_an_empty_one() {
        let xml = listing("", &["a"]).replace("<ETag>&quot;aa&quot;</ETag>", "");
        let page = page(&xml).unwrap();
        assert_eq!(page.objects[0].facts.etag.as_str(), "");
        assert_eq!(page.objects[0].facts.size_bytes, 5);
    }

    #[test]
    fn a_page_is_read_with_and_without_namespace() {
        let extra = "<IsTruncated>true</IsTruncated>\
                     <NextContinuationToken>1/abc=</NextContinuationToken>";
        let xml = listing(extra, &["a", "b"]);
        let page = page(&xml).unwrap();
        assert_eq!(page.next.as_deref(), Some("1/abc="));
        let first = &page.objects[0];
        assert_eq!(first.name, "a");
        assert_eq!(first.facts.etag.as_str(), "aa");
        assert_eq!(first.facts.size_bytes, 5);
        assert_eq!(first.facts.modified_at.ms() % 1000, 0);
        let bare = xml.replace(" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", "");
        assert_eq!(super::page(&bare).unwrap(), page);
    }

    #[test]
    fn an_empty_listing_is_a_page() {
        let xml = listing("<IsTruncated>false</IsTruncated>", &[]);
        let page = page(&xml).unwrap();
        assert!(page.objects.is_empty() && page.next.is_none());
    }

    #[test]
    fn names_are_decoded_only_where_the_answer_says_so() {
        let keys = ["a+b%20c%2B%C3%BC", "%0A"];
        let plain = listing("<IsTruncated>false</IsTruncated>", &keys);
        assert_eq!(names(&plain), keys);
        let encoded = plain.replace("<KeyCount>", "<EncodingType>url</EncodingType><KeyCount>");
        assert_eq!(names(&encoded), ["a b c+ü", "\n"]);
    }

    #[test]
    fn white_space_and_entities_in_names_stand() {
        let keys = [" a ", " ", "a&amp;b&lt;", "x&#10;y", "\u{a0}", "&#xA;"];
        let xml = listing("<IsTruncated>false</IsTruncated>", &keys);
        assert_eq!(names(&xml), [" a ", " ", "a&b<", "x\ny", "\u{a0}", "\n"]);
    }

    #[test]
    fn answers_that_are_no_listing_are_told() {
        for xml in [
            "",
            "<html></html>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        ] {
            assert!(page(xml).is_err(), "{xml}");
        }
    }
}
