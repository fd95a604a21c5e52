//! Listings.

use std::borrow::Cow;
use std::time::Duration;

use chrono::DateTime;
use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use rusty_s3::Method;

use super::bucket::Bucket;
use super::cause::Operation;
use super::request::Request;
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

const NO_LISTING: &str = "answered with what is no listing";

/// The text of an element; of the answer itself where it needs no change.
type Text<'a> = Cow<'a, str>;

/// A page as it stands in the answer.
#[derive(Default)]
struct Raw<'a> {
    is_truncated: Option<Text<'a>>,
    next_token: Option<Text<'a>>,
    encoding_type: Option<Text<'a>>,
    contents: Vec<Contents<'a>>,
}

#[derive(Default)]
struct Contents<'a> {
    key: Option<Text<'a>>,
    last_modified: Option<Text<'a>>,
    etag: Option<Text<'a>>,
    size: Option<Text<'a>>,
}

impl<'a> Raw<'a> {
    /// The place of an element's text: of one that stands right in the page, or
    /// in the object that was begun last.
    fn place(&mut self, is_of_object: bool, name: &str) -> Option<&mut Option<Text<'a>>> {
        if !is_of_object {
            return match name {
                "IsTruncated" => Some(&mut self.is_truncated),
                "NextContinuationToken" => Some(&mut self.next_token),
                "EncodingType" => Some(&mut self.encoding_type),
                _ => None,
            };
        }
        let object = self.contents.last_mut()?;
        match name {
            "Key" => Some(&mut object.key),
            "LastModified" => Some(&mut object.last_modified),
            "ETag" => Some(&mut object.etag),
            "Size" => Some(&mut object.size),
            _ => None,
        }
    }

    /// What stands in `xml`; `None` if that is no listing. An element that comes
    /// twice makes it none: which of the two is meant is not ours to guess.
    fn read(xml: &'a str) -> Option<Self> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().expand_empty_elements = true;
        let mut raw = Self::default();
        let (mut depth, mut is_of_object) = (0, false);
        let mut text: Option<Text<'a>> = None;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    depth += 1;
                    match (depth, start.local_name().as_ref()) {
                        (1, "ListBucketResult") => {}
                        (1, _) => return None,
                        (2, name) => {
                            is_of_object = name == "Contents";
                            raw.contents.extend(is_of_object.then(Contents::default));
                        }
                        _ => {}
                    }
                    let is_leaf = depth == 2 + usize::from(is_of_object);
                    text = is_leaf.then_some(Cow::Borrowed(""));
                }
                Event::Text(more) => append(text.as_mut(), more.xml10_content()),
                Event::CData(more) => append(text.as_mut(), more.xml10_content()),
                Event::GeneralRef(entity) => append(text.as_mut(), resolved(&entity)?),
                Event::End(end) => {
                    if let Some(text) = text.take()
                        && let Some(place) = raw.place(is_of_object, end.local_name().as_ref())
                        && place.replace(text).is_some()
                    {
                        return None;
                    }
                    depth -= 1;
                    is_of_object &= depth > 1;
                    if depth == 0 {
                        return Some(raw);
                    }
                }
                Event::Eof => return None,
                _ => {}
            }
        }
    }
}

/// Adds to the text of a leaf, if one is being read.
fn append<'a>(text: Option<&mut Text<'a>>, more: Text<'a>) {
    match text {
        None => {}
        Some(text) if text.is_empty() => *text = more,
        Some(text) => text.to_mut().push_str(&more),
    }
}

/// What `&entity;` stands for.
fn resolved<'a>(entity: &BytesRef<'_>) -> Option<Text<'a>> {
    if let Some(character) = entity.resolve_char_ref().ok()? {
        return Some(Cow::Owned(character.into()));
    }
    resolve_predefined_entity(entity).map(Cow::Borrowed)
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
    let raw = Raw::read(xml.trim_start()).ok_or(NO_LISTING)?;
    let encoded = raw.encoding_type.as_deref() == Some("url");
    let is_truncated = match raw.is_truncated.as_deref().map(str::trim) {
        Some("true" | "1") => true,
        Some("false" | "0") => false,
        _ => return Err(NO_LISTING),
    };
    let objects = raw
        .contents
        .into_iter()
        .map(|contents| listed(contents, encoded))
        .collect::<Result<_, _>>()?;
    let next = raw
        .next_token
        .filter(|token| is_truncated && !token.is_empty())
        .map(Cow::into_owned);
    if is_truncated && next.is_none() {
        return Err("answered with a listing that goes on without saying where");
    }
    Ok(ListPage { objects, next })
}

fn listed(contents: Contents<'_>, encoded: bool) -> Result<ListedObject, &'static str> {
    let key = contents.key.ok_or(NO_LISTING)?;
    let last_modified = contents.last_modified.ok_or(NO_LISTING)?;
    // s3s-fs lists none.
    let etag = contents.etag.unwrap_or_default();
    let size = contents.size.and_then(|size| size.trim().parse().ok());
    let name = if encoded {
        decoded(&key).ok_or("listed a name that is not UTF-8")?
    } else {
        key.into_owned()
    };
    let modified_at = DateTime::parse_from_rfc3339(&last_modified)
        .map_err(|_| "listed a time that cannot be read")?;
    // HEAD says whole seconds; so must a listing, for the two to be equal.
    let whole_seconds = modified_at.timestamp() * 1000;
    Ok(ListedObject {
        name,
        facts: ObjectFacts {
            etag: ETag::new(&etag),
            size_bytes: size.ok_or(NO_LISTING)?,
            modified_at: Timestamp::from_ms(whole_seconds),
            md5_hex: None,
            checksums: Vec::new(),
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
        let xml = listing("<IsTruncated>false</IsTruncated>", &["a"])
            .replace("<ETag>&quot;aa&quot;</ETag>", "");
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
    fn only_what_stands_in_its_place_is_read() {
        let extra = "<IsTruncated>false</IsTruncated><StartAfter/><Size>x</Size>\
                     <CommonPrefixes><Key>p</Key><IsTruncated>true</IsTruncated></CommonPrefixes>";
        let key = "a<!-- b --><![CDATA[<&]]></Key><Owner><ID>1</ID><Key>no</Key></Owner><Other>";
        let xml = listing(extra, &["x", key]).replace("</Other></Key>", "</Other>");
        let xml = xml.replace("<Other></Key>", "<Other></Other>");
        assert_eq!(names(&xml), ["x", "a<&"]);
    }

    #[test]
    fn what_is_said_twice_is_refused() {
        let once = "<IsTruncated>false</IsTruncated>";
        for (extra, key) in [
            (format!("{once}{once}"), "a"),
            (once.to_owned(), "a</Key><Key>b"),
            (once.to_owned(), "a</Key><Size>5</Size><Key>"),
        ] {
            assert!(page(&listing(&extra, &[key])).is_err(), "{extra} {key}");
        }
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
