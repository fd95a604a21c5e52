//! Listings.

use std::time::Duration;

use chrono::DateTime;
use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use rusty_s3::Method;

use super::archive::is_archive;
use super::bucket::Bucket;
use super::cause::Operation;
use super::request::Request;
use crate::model::{DestinationPrefix, ETag, Failure, ObjectFacts, Readiness, Timestamp};

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

/// A page as it stands in the answer, as far as it is read.
#[derive(Default)]
struct Raw {
    is_truncated: Option<bool>,
    next_token: Option<String>,
    encoding_type: Option<String>,
    /// The objects, each once it is read, with their names as they stand.
    objects: Vec<ListedObject>,
    /// The object that is being read.
    object: Contents,
}

#[derive(Default)]
struct Contents {
    key: Option<String>,
    modified_at: Option<Timestamp>,
    etag: Option<ETag>,
    size_bytes: Option<u64>,
    readiness: Option<Readiness>,
}

impl Raw {
    /// What stands in `xml`. An element that comes twice makes it no listing:
    /// which of the two is meant is not ours to guess.
    fn read(xml: &str) -> Result<Self, &'static str> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().expand_empty_elements = true;
        let mut raw = Self::default();
        let (mut depth, mut is_of_object) = (0, false);
        // The text of a leaf, while one is read.
        let (mut text, mut is_leaf) = (String::new(), false);
        loop {
            match reader.read_event().map_err(|_| NO_LISTING)? {
                Event::Start(start) => {
                    depth += 1;
                    match (depth, start.local_name().as_ref()) {
                        (1, "ListBucketResult") => {}
                        (1, _) => return Err(NO_LISTING),
                        (2, name) => is_of_object = name == "Contents",
                        _ => {}
                    }
                    is_leaf = depth == 2 + usize::from(is_of_object);
                    text.clear();
                }
                Event::Text(more) if is_leaf => text.push_str(&more.xml10_content()),
                Event::CData(more) if is_leaf => text.push_str(&more.xml10_content()),
                Event::GeneralRef(entity) => push_resolved(&mut text, &entity)?,
                Event::End(end) => {
                    if std::mem::take(&mut is_leaf) {
                        raw.take(is_of_object, end.local_name().as_ref(), &text)?;
                    }
                    depth -= 1;
                    if depth == 1 && std::mem::take(&mut is_of_object) {
                        raw.objects.push(std::mem::take(&mut raw.object).listed()?);
                    }
                    if depth == 0 {
                        return Ok(raw);
                    }
                }
                Event::Eof => return Err(NO_LISTING),
                _ => {}
            }
        }
    }

    /// Takes the text of an element: of one that stands right in the page, or in
    /// the object that is being read.
    fn take(&mut self, is_of_object: bool, name: &str, text: &str) -> Result<(), &'static str> {
        let object = &mut self.object;
        match (is_of_object, name) {
            (false, "IsTruncated") => once(&mut self.is_truncated, truth(text.trim())?),
            (false, "NextContinuationToken") => once(&mut self.next_token, text.to_owned()),
            (false, "EncodingType") => once(&mut self.encoding_type, text.to_owned()),
            (true, "Key") => once(&mut object.key, text.to_owned()),
            (true, "LastModified") => once(&mut object.modified_at, time(text)?),
            (true, "ETag") => once(&mut object.etag, ETag::new(text)),
            (true, "Size") => {
                let size_bytes = text.trim().parse().map_err(|_| NO_LISTING)?;
                once(&mut object.size_bytes, size_bytes)
            }
            // Whether it was brought back, a listing tells only some who ask.
            (true, "StorageClass") if is_archive(text.trim()) => {
                once(&mut object.readiness, Readiness::Unclear)
            }
            _ => Ok(()),
        }
    }
}

impl Contents {
    fn listed(self) -> Result<ListedObject, &'static str> {
        Ok(ListedObject {
            name: self.key.ok_or(NO_LISTING)?,
            facts: ObjectFacts {
                // s3s-fs lists none.
                etag: self.etag.unwrap_or_else(|| ETag::new("")),
                size_bytes: self.size_bytes.ok_or(NO_LISTING)?,
                modified_at: self.modified_at.ok_or(NO_LISTING)?,
                md5_hex: None,
                checksums: Vec::new(),
                readiness: self.readiness.unwrap_or_default(),
            },
        })
    }
}

/// Fills a place that must be empty.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(NO_LISTING),
    }
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(NO_LISTING),
    }
}

/// In whole seconds, as HEAD says it, for the two to be equal.
fn time(text: &str) -> Result<Timestamp, &'static str> {
    let time = DateTime::parse_from_rfc3339(text);
    let time = time.map_err(|_| "listed a time that cannot be read")?;
    Ok(Timestamp::from_ms(time.timestamp() * 1000))
}

/// Adds what `&entity;` stands for.
fn push_resolved(text: &mut String, entity: &BytesRef<'_>) -> Result<(), &'static str> {
    match entity.resolve_char_ref().map_err(|_| NO_LISTING)? {
        Some(character) => text.push(character),
        None => text.push_str(resolve_predefined_entity(entity).ok_or(NO_LISTING)?),
    }
    Ok(())
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
        let prefix = self.key(prefix);
        let start_after = match start_after {
            // What is called as the prefix alone has no name here.
            None if continuation.is_none() && !self.prefix().is_empty() => Some(""),
            start_after => start_after,
        };
        let start_after = start_after.map(|name| self.key(name));
        let mut query = Vec::with_capacity(6);
        query.extend(continuation.map(|token| ("continuation-token", token)));
        query.push(("encoding-type", "url"));
        query.push(("list-type", "2"));
        query.push(("max-keys", max_keys.as_str()));
        if !prefix.is_empty() {
            query.push(("prefix", &*prefix));
        }
        query.extend(start_after.as_deref().map(|name| ("start-after", name)));
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
        let page = page(&xml).and_then(|page| page.seen_under(self.prefix()));
        let page = page.map_err(|why| self.nonsense(operation, None, why))?;
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

    /// The same page, with the names as they are without `prefix`.
    ///
    /// # Errors
    /// What is wrong with the answer: a name does not begin with it.
    pub fn seen_under(mut self, prefix: &DestinationPrefix) -> Result<Self, &'static str> {
        for object in &mut self.objects {
            let name = prefix.name_at(&object.name).map(str::len);
            let name_bytes = name.ok_or("listed what does not begin with the prefix")?;
            object.name.drain(..object.name.len() - name_bytes);
        }
        Ok(self)
    }
}

pub(super) fn page(xml: &str) -> Result<ListPage, &'static str> {
    let mut raw = Raw::read(xml.trim_start())?;
    let is_truncated = raw.is_truncated.ok_or(NO_LISTING)?;
    if raw.encoding_type.as_deref() == Some("url") {
        for object in &mut raw.objects {
            decode(&mut object.name)?;
        }
    }
    let is_there = |token: &String| is_truncated && !token.is_empty();
    let next = raw.next_token.filter(is_there);
    if is_truncated && next.is_none() {
        return Err("answered with a listing that goes on without saying where");
    }
    Ok(ListPage {
        objects: raw.objects,
        next,
    })
}

/// `application/x-www-form-urlencoded`, as `encoding-type=url` answers.
fn decode(key: &mut String) -> Result<(), &'static str> {
    // Most stand for themselves.
    if key.contains(['+', '%']) {
        let spaced = key.replace('+', " ");
        let name = percent_decode_str(&spaced).decode_utf8();
        *key = name
            .map_err(|_| "listed a name that is not UTF-8")?
            .into_owned();
    }
    Ok(())
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
    fn what_a_server_lists_outside_of_the_prefix_is_refused() {
        let prefix: DestinationPrefix = "m/".parse().unwrap();
        let under = |keys: &[&str]| {
            let page = page(&listing("<IsTruncated>false</IsTruncated>", keys))
                .unwrap()
                .seen_under(&prefix)?;
            let names = page.objects.into_iter().map(|object| object.name);
            Ok::<_, &str>(names.collect::<Vec<_>>())
        };
        assert_eq!(under(&["m/a", "m/m/b"]).unwrap(), ["a", "m/b"]);
        for outside in ["m", "n/a", "M/a"] {
            let refused = under(&["m/a", outside]).unwrap_err();
            assert_eq!(refused, "listed what does not begin with the prefix");
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
