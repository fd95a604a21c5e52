//! `ListObjectsV2`.

use super::client::{BUCKET, client, elements};

#[test]
fn a_listing_comes_in_pages_in_byte_order() {
    let client = client();
    let mut keys: Vec<_> = (0..2_345)
        .map(|number| format!("k{}", number * 11 % 2_345))
        .collect();
    for key in &keys {
        client.server.put(BUCKET, key, "");
    }
    keys.sort();
    let mut listed = Vec::new();
    let mut sizes = Vec::new();
    let mut xml = client.list(&[]);
    loop {
        let page = elements(&xml, "Key");
        sizes.push(page.len());
        listed.extend(page);
        let token = elements(&xml, "NextContinuationToken").concat();
        assert_eq!(
            elements(&xml, "IsTruncated").concat(),
            (!token.is_empty()).to_string()
        );
        if token.is_empty() {
            break;
        }
        xml = client.list(&[("continuation-token", &token)]);
    }
    assert_eq!((sizes, listed), (vec![1000, 1000, 345], keys));
}

#[test]
fn keys_are_url_encoded_when_asked_for() {
    let client = client();
    client.server.put(BUCKET, "a b+c/ä&<\n~*", "");
    let xml = client.list(&[("encoding-type", "url")]);
    assert_eq!(elements(&xml, "Key"), ["a+b%2Bc/%C3%A4%26%3C%0A%7E*"]);
    assert_eq!(elements(&xml, "EncodingType"), ["url"]);
    let xml = client.list(&[("prefix", "a b+c/")]);
    assert_eq!(elements(&xml, "Key"), ["a b+c/ä&amp;&lt;\n~*"]);
}

#[test]
fn a_delimiter_folds_keys_also_across_pages() {
    let client = client();
    for key in ["a", "p/1", "p/2", "p/\u{10ffff}z", "p0", "q/1", "q/2", "z"] {
        client.server.put(BUCKET, key, "");
    }
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let mut query = vec![("delimiter", "/"), ("max-keys", "1")];
        if !token.is_empty() {
            query.push(("continuation-token", &token));
        }
        let xml = client.list(&query);
        assert_eq!(elements(&xml, "KeyCount"), ["1"]);
        let prefixes = elements(&xml, "CommonPrefixes");
        found.extend(elements(&xml, "Key"));
        found.extend(elements(&prefixes.concat(), "Prefix"));
        token = elements(&xml, "NextContinuationToken").concat();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, ["a", "p/", "p0", "q/", "z"]);
    let xml = client.list(&[("prefix", "p/"), ("delimiter", "/"), ("start-after", "p/1")]);
    assert_eq!(elements(&xml, "Key"), ["p/2", "p/\u{10ffff}z"]);
}
