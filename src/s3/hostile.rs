//! Answers that no honest server gives: they are read or refused, never more.

use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::headers::{Head, http_date};
use super::list::page;
use super::xml::S3Error;

/// Pieces of the XML that S3 answers, in any order.
fn xml() -> impl Strategy<Value = String> {
    let tag = prop::sample::select(vec![
        "ListBucketResult",
        "Contents",
        "Key",
        "Size",
        "ETag",
        "LastModified",
        "IsTruncated",
        "NextContinuationToken",
        "EncodingType",
        "Error",
        "Code",
        "Message",
        "RequestId",
    ]);
    let text = prop_oneof![
        Just("true".to_owned()),
        Just("url".to_owned()),
        Just("-1".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("../../etc/x.txt".to_owned()),
        Just("%00%2e%2E/%zz%".to_owned()),
        Just("<![CDATA[<x>]]>&lt;&#0;&#x1b;&nbsp;".to_owned()),
        Just("2026-11-22T01:02:03.456Z".to_owned()),
        Just("-9999-12-31T23:59:60+23:59".to_owned()),
        Just("9999-12-31T23:59:60-23:59".to_owned()),
        "\\PC{0,12}",
    ];
    let leaf = (tag.clone(), text).prop_map(|(tag, text)| format!("<{tag}>{text}</{tag}>"));
    leaf.prop_recursive(3, 24, 6, move |inner| {
        (tag.clone(), prop::collection::vec(inner, 0..6))
            .prop_map(|(tag, inner)| format!("<{tag}>{}</{tag}>", inner.concat()))
    })
}

proptest! {
    #[test]
    fn any_xml_is_read_or_refused(xml in xml(), cut in any::<prop::sample::Index>()) {
        let _ = (page(&xml), S3Error::parse(&xml));
        let mut cut = cut.index(xml.len() + 1);
        while !xml.is_char_boundary(cut) {
            cut -= 1;
        }
        let _ = (page(&xml[..cut]), S3Error::parse(&xml[..cut]));
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        prop_assert!(page(&text).is_err());
        let _ = (S3Error::parse(&text), http_date(&text));
    }

    #[test]
    fn any_headers_are_read_or_refused(
        headers in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "etag",
                    "last-modified",
                    "content-length",
                    "content-encoding",
                    "content-type",
                    "expires",
                    "x-amz-meta-a",
                    "x-amz-missing-meta",
                    "x-amz-checksum-crc32c",
                    "x-amz-checksum-type",
                    "x-amz-storage-class",
                    "x-amz-request-id",
                ]),
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..80),
                    Just(b"Sun, 06 Nov 1994 08:49:37 GMT".to_vec()),
                    Just(b"\"0123456789abcdef0123456789abcdef\"".to_vec()),
                    Just(b"aws-chunked,".to_vec()),
                    Just(vec![b'"'; 10_000]),
                ],
            ),
            0..12,
        ),
        size_bytes in any::<u64>(),
    ) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            // What is no header's value is refused by the HTTP library.
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                map.append(HeaderName::from_static(name), value);
            }
        }
        if let Ok(head) = Head::read(&map, size_bytes) {
            prop_assert_eq!(head.facts.size_bytes, size_bytes);
            prop_assert!(!head.facts.etag.as_str().contains(['\n', '\r']));
        }
    }
}

#[test]
fn a_listing_with_a_size_or_time_that_cannot_be_is_refused() {
    let listing = |size: &str, time: &str| {
        page(&format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key>\
             <LastModified>{time}</LastModified><ETag>&quot;x&quot;</ETag><Size>{size}</Size>\
             </Contents></ListBucketResult>"
        ))
    };
    let time = "2026-11-22T01:02:03.456Z";
    assert!(listing("5", time).is_ok());
    for (size, time) in [
        ("-1", time),
        ("99999999999999999999", time),
        ("", time),
        ("5", ""),
        ("5", "+99999-01-01T00:00:00Z"),
        ("5", "yesterday"),
    ] {
        assert!(listing(size, time).is_err(), "{size} {time}");
    }
}
