//! Writing, reading and copying objects.

use std::time::{Duration, UNIX_EPOCH};

use s3s::crypto::{Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};

use super::client::{BUCKET, NOTHING, base64, client, error, header, quoted_md5};
use crate::s3_server::NewObject;

type Digest = fn(&[u8]) -> String;

#[test]
fn stored_headers_come_back_byte_for_byte() {
    let client = client();
    let headers = [
        ("cache-control", "max-age=5,  private"),
        ("content-disposition", "attachment; filename=\"a b.txt\""),
        ("content-encoding", "gzip"),
        ("content-language", "pt-BR"),
        ("content-type", "Text/Plain;charset=UTF-8"),
        ("expires", "not a date, kept all the same"),
        ("x-amz-meta-bad-word", "=?UTF-8?Q?broken"),
        ("x-amz-meta-name", "ferry"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    let put = client.put("k", &headers, "body");
    assert_eq!(
        (put.status().as_u16(), header(&put, "etag")),
        (200, &*quoted_md5(b"body"))
    );
    for answer in [client.get("k", NOTHING), client.head("k", NOTHING)] {
        assert_eq!(answer.status(), 200);
        for (name, value) in headers {
            assert_eq!(header(&answer, name), value, "{name}");
        }
        assert_eq!(header(&answer, "content-length"), "4");
        assert_eq!(header(&answer, "accept-ranges"), "bytes");
        assert!(answer.headers().contains_key("x-amz-request-id"));
    }
    let object = client.server.object(BUCKET, "k").unwrap();
    assert_eq!(object.metadata["name"], "ferry");
    assert_eq!(object.headers["content-language"], "pt-BR");
    assert_eq!(object.body(), b"body");
}

#[test]
fn awkward_keys_are_stored_exactly() {
    let client = client();
    let long = "ä".repeat(512);
    let keys = [
        "a b+c%d%20&e#f?g\"h'i<j>k|l\\m",
        "emoji 🚢/e\u{301}",
        "/leading",
        "//two",
        "/",
        "a//b",
        "trailing/",
        "line\nbreak\ttab\r",
        "k=v;x,y:z@~!*()[]{}^`$",
        ".hidden",
        "+",
        "%2F",
        &long,
    ];
    for key in keys {
        assert_eq!(
            client.put(key, NOTHING, key.to_owned()).status(),
            200,
            "{key:?}"
        );
        assert_eq!(client.get(key, NOTHING).text().unwrap(), key);
        assert_eq!(client.head(key, NOTHING).status(), 200, "{key:?}");
    }
    let mut expected: Vec<_> = keys.map(str::to_owned).into();
    expected.sort();
    assert_eq!(client.server.keys(BUCKET), expected);
    for key in keys {
        assert_eq!(client.delete(key).status(), 204, "{key:?}");
    }
    assert!(client.server.keys(BUCKET).is_empty());
}

#[test]
fn a_body_that_differs_from_a_promised_checksum_is_not_stored() {
    let client = client();
    let (right, wrong) = (b"right".as_slice(), b"wrong".as_slice());
    let promises: [(&str, Digest); 6] = [
        ("content-md5", base64::<Md5>),
        ("x-amz-checksum-crc32", base64::<Crc32>),
        ("x-amz-checksum-crc32c", base64::<Crc32c>),
        ("x-amz-checksum-crc64nvme", base64::<Crc64Nvme>),
        ("x-amz-checksum-sha1", base64::<Sha1>),
        ("x-amz-checksum-sha256", base64::<Sha256>),
    ];
    for (name, checksum) in promises {
        let refused = client.put(name, &[(name, &checksum(wrong))], right);
        assert_eq!(error(refused), (400, "BadDigest".to_owned()), "{name}");
        assert!(client.server.object(BUCKET, name).is_none(), "{name}");
        let promise = checksum(right);
        let taken = client.put(name, &[(name, &promise)], right);
        assert_eq!(taken.status(), 200, "{name}");
        if name != "content-md5" {
            assert_eq!(header(&taken, name), promise);
            let mode = [("x-amz-checksum-mode", "ENABLED")];
            assert_eq!(header(&client.get(name, &mode), name), promise);
            assert_eq!(header(&client.head(name, &mode), name), promise);
            assert!(!client.head(name, NOTHING).headers().contains_key(name));
        }
    }
    let malformed = client.put("k", &[("content-md5", "no digest")], right);
    assert_eq!(error(malformed), (400, "InvalidDigest".to_owned()));
}

#[test]
fn conditions_decide_on_writing_and_reading() {
    let client = client();
    let etag = quoted_md5(b"one");
    let new = [("if-none-match", "*")];
    assert_eq!(client.put("k", &new, "one").status(), 200);
    assert_eq!(
        error(client.put("k", &new, "two")),
        (412, "PreconditionFailed".to_owned())
    );
    let other = [("if-match", "\"0123\"")];
    assert_eq!(
        error(client.put("k", &other, "two")),
        (412, "PreconditionFailed".to_owned())
    );
    assert_eq!(
        error(client.put("no", &other, "two")),
        (404, "NoSuchKey".to_owned())
    );
    assert_eq!(
        error(client.get("k", &other)),
        (412, "PreconditionFailed".to_owned())
    );
    assert_eq!(client.head("k", &other).status(), 412);
    assert_eq!(client.get("k", &[("if-match", &etag)]).status(), 200);
    let unchanged = client.get("k", &[("if-none-match", &etag)]);
    assert_eq!(
        (unchanged.status().as_u16(), header(&unchanged, "etag")),
        (304, &*etag)
    );

    let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
    client.server.set_last_modified(BUCKET, "k", modified);
    let same = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(header(&client.head("k", NOTHING), "last-modified"), same);
    assert_eq!(
        client.get("k", &[("if-modified-since", same)]).status(),
        304
    );
    assert_eq!(
        client.get("k", &[("if-unmodified-since", same)]).status(),
        200
    );
    let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
    assert_eq!(
        client
            .get("k", &[("if-unmodified-since", earlier)])
            .status(),
        412
    );
    assert_eq!(client.put("k", &[("if-match", &etag)], "two").status(), 200);
}

#[test]
fn ranges_are_answered_with_their_part() {
    let client = client();
    client.server.put(BUCKET, "k", "0123456789");
    for (range, body, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-1", "9", "bytes 9-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let answer = client.get("k", &[("range", range)]);
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-range")),
            (206, content_range)
        );
        assert_eq!(answer.text().unwrap(), body);
    }
    let outside = client.get("k", &[("range", "bytes=10-")]);
    assert_eq!(error(outside), (416, "InvalidRange".to_owned()));
    assert_eq!(client.get("k", &[("range", "lines=1-2")]).status(), 200);
}

#[test]
fn large_objects_pass_through_files() {
    let client = client();
    client.server.put_random(BUCKET, "large", 9_000_001, 7);
    let object = client.server.object(BUCKET, "large").unwrap();
    let body = client.get("large", NOTHING).bytes().unwrap();
    assert_eq!(body.len(), 9_000_001);
    assert_eq!(object.body(), body);
    assert_eq!(client.put("again", NOTHING, body.clone()).status(), 200);
    let again = client.server.object(BUCKET, "again").unwrap();
    assert_eq!(
        (again.etag.clone(), again.sha256()),
        (object.etag.clone(), object.sha256())
    );
    let range = client.get("again", &[("range", "bytes=1048570-1048580")]);
    assert_eq!(range.bytes().unwrap(), body[1_048_570..=1_048_580]);
}

#[test]
fn a_copy_keeps_or_replaces_the_metadata() {
    let client = client();
    client.server.put(
        BUCKET,
        "from +%",
        NewObject {
            body: b"body".into(),
            content_type: Some("text/plain".to_owned()),
            metadata: [("name".to_owned(), "old".to_owned())].into(),
            ..NewObject::default()
        },
    );
    let source = ("x-amz-copy-source", "night-a/from%20%2B%25");
    let etag = quoted_md5(b"body");
    let kept = [source, ("x-amz-copy-source-if-match", &etag)];
    assert_eq!(client.put("kept", &kept, "").status(), 200);
    assert_eq!(
        client.server.object(BUCKET, "kept").unwrap().metadata["name"],
        "old"
    );
    let replaced = [
        source,
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-meta-name", "new"),
    ];
    assert_eq!(client.put("replaced", &replaced, "").status(), 200);
    let object = client.server.object(BUCKET, "replaced").unwrap();
    assert_eq!(
        (object.body(), &*object.metadata["name"]),
        (b"body".to_vec(), "new")
    );
    assert_eq!(object.headers["content-type"], "binary/octet-stream");
    let changed = [source, ("x-amz-copy-source-if-match", "\"0123\"")];
    assert_eq!(
        error(client.put("no", &changed, "")),
        (412, "PreconditionFailed".to_owned())
    );
}

#[test]
fn what_is_missing_is_answered_as_missing() {
    let client = client();
    assert_eq!(
        error(client.get("no", NOTHING)),
        (404, "NoSuchKey".to_owned())
    );
    let head = client.head("no", NOTHING);
    assert_eq!(
        (head.status().as_u16(), head.bytes().unwrap().len()),
        (404, 0)
    );
    assert_eq!(client.delete("no").status(), 204);
    assert_eq!(client.head("", NOTHING).status(), 200);
    client.server.delete_bucket(BUCKET);
    assert_eq!(client.head("", NOTHING).status(), 404);
    assert_eq!(
        error(client.get("k", NOTHING)),
        (404, "NoSuchBucket".to_owned())
    );
    assert_eq!(
        error(client.put("k", NOTHING, "")),
        (404, "NoSuchBucket".to_owned())
    );
    assert_eq!(error(client.delete("k")), (404, "NoSuchBucket".to_owned()));
    assert_eq!(client.put("", NOTHING, "").status(), 200);
    assert_eq!(client.head("", NOTHING).status(), 200);
}
