//! What arrives, and how it is proven.

use nightferry::clock::Clock;
use nightferry::model::{ChecksumAlgorithm, FailureCause, Side, Verified};
use nightferry::s3::{Body, Bucket, Condition, HttpClient, Upload};

use super::{World, object, spec};
use crate::s3_server::{ACCESS_KEY, SECRET_KEY};

#[test]
fn awkward_names_arrive_under_the_same_names() {
    let world = World::new();
    let longest = "é".repeat(512);
    let mut names = vec![
        "plain",
        " ",
        " a ",
        "a b",
        "a+b",
        "+",
        "%41",
        "%2F",
        "a%2Fb",
        "ü/日本/🦀",
        "a//b",
        "/lead",
        "//",
        "trail/",
        "a\nb",
        "a\r\tb",
        "\\",
        "~!*'()",
        "?x=1",
        "#",
        "&=;:@$,",
        "\"<>`{}|^[]",
        "...",
        "a/..b/.c",
        "\u{7f}",
        longest.as_str(),
    ];
    for name in &names {
        world.server.put("src", name, object(*name));
        let arrival = world.copy(name).unwrap();
        assert_eq!(arrival.copied.verified, Verified::EtagMd5, "{name:?}");
    }
    names.sort_unstable();
    assert_eq!(world.server.keys("dst"), names);
    for name in names {
        let copy = world.server.object("dst", name).unwrap();
        assert_eq!(copy.body(), name.as_bytes());
    }
}

#[test]
fn headers_and_metadata_arrive() {
    let world = World::new();
    let mut original = object("text");
    original.content_type = Some("text/plain; charset=utf-8".into());
    for (name, value) in [
        ("cache-control", "max-age=60, public"),
        ("content-disposition", "attachment; filename=\"a b.txt\""),
        ("content-encoding", "gzip"),
        ("content-language", "de, en"),
        ("expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
    ] {
        original.headers.insert(name.into(), value.into());
    }
    for (name, value) in [("owner", "J. Doe"), ("empty", ""), ("x_y-z", "a=b;c=\"d\"")] {
        original.metadata.insert(name.into(), value.into());
    }
    world.server.put("src", "a", original);
    world.copy("a").unwrap();
    let source = world.server.object("src", "a").unwrap();
    let copy = world.server.object("dst", "a").unwrap();
    assert_eq!(copy.headers, source.headers);
    assert_eq!(copy.metadata, source.metadata);
    assert_eq!(copy.metadata.len(), 3);
}

#[test]
fn metadata_beyond_ascii_arrives_byte_for_byte() {
    let world = World::new();
    let mut original = object("text");
    original
        .metadata
        .insert("place".into(), "Zürich  東京".into());
    world.server.put("src", "a", original);
    world.copy("a").unwrap();
    let copy = world.server.object("dst", "a").unwrap();
    assert_eq!(copy.metadata["place"], "Zürich  東京");
}

#[test]
fn metadata_that_cannot_be_signed_is_refused_before_anything_is_written() {
    let world = World::new();
    let mut original = object("text");
    original
        .metadata
        .insert("note".into(), "no\u{a0}break".into());
    world.server.put("src", "a", original);
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::MetadataRefused);
    assert!(failure.message.contains("x-amz-meta-note"), "{failure:?}");
    assert_eq!(world.count("PutObject"), 0);
}

#[test]
fn gzip_encoded_bytes_are_not_touched() {
    let world = World::new();
    // The header of a gzip stream, and nothing that could be unpacked.
    let mut original = object(b"\x1f\x8b\x08\x00broken".as_slice());
    original
        .headers
        .insert("content-encoding".into(), "gzip".into());
    world.server.put("src", "a.gz", original);
    world.copy("a.gz").unwrap();
    let copy = world.server.object("dst", "a.gz").unwrap();
    assert_eq!(copy.body(), b"\x1f\x8b\x08\x00broken");
    assert_eq!(copy.headers["content-encoding"], "gzip");
}

#[test]
fn empty_objects_arrive_with_their_length_announced() {
    let world = World::new();
    for name in ["empty", "folder/"] {
        world.server.put("src", name, object(""));
        let arrival = world.copy(name).unwrap();
        assert_eq!(arrival.copied.size_bytes, 0);
        assert_eq!(arrival.copied.verified, Verified::EtagMd5);
        assert_eq!(world.server.object("dst", name).unwrap().size, 0);
    }
    let requests = world.server.requests();
    for put in requests.iter().filter(|r| r.operation == "PutObject") {
        assert_eq!(put.header("content-length"), Some("0"));
    }
}

#[test]
fn a_small_object_costs_one_get_and_one_put_once_it_is_planned() {
    let world = World::new();
    world.server.put("src", "a", object("text"));
    let planned = world.planned("a");
    world.server.clear_requests();
    let copied = world.copy_as("a", &planned);
    let requests = world.server.requests();
    let sent: Vec<_> = requests.iter().map(|r| r.operation.as_str()).collect();
    assert_eq!(sent, ["GetObject", "PutObject"]);
    let etag = format!("\"{}\"", planned.etag);
    assert_eq!(requests[0].header("if-match"), Some(etag.as_str()));
    assert_eq!(
        requests[1].header("content-md5"),
        Some("HLJR7A1WjeapKbUgxK7Y0Q==")
    );
    assert!(copied.unwrap().server_request_id.is_some());
    let source = world.transfer.source.counters();
    let destination = world.transfer.destination.counters();
    assert_eq!((source.head, source.get, source.bytes_in), (1, 1, 4));
    assert_eq!((destination.put, destination.bytes_out), (1, 4));
}

#[test]
fn objects_around_the_size_of_what_comes_at_once_arrive() {
    let world = World::new();
    for size in [65_534, 65_535, 65_536, 65_537, 200_000] {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
        world.server.put("src", "a", object(bytes.clone()));
        world.copy("a").unwrap();
        assert_eq!(world.server.object("dst", "a").unwrap().body(), bytes);
    }
    assert_eq!((world.count("GetObject"), world.count("PutObject")), (5, 5));
}

#[test]
fn a_write_that_has_to_wait_for_its_turn_waits_and_reads_nothing_anew() {
    let mut world = World::new();
    let http = HttpClient::new(1).unwrap();
    let spec = spec(&world.server, "dst", ACCESS_KEY, SECRET_KEY);
    http.cap(&spec.endpoint, 50);
    world.transfer.destination =
        Bucket::new(&http, Side::Destination, spec, Clock::system()).unwrap();
    for number in 0..20 {
        let name = format!("object {number}");
        world.server.put("src", &name, object(name.as_str()));
        world.copy(&name).unwrap();
    }
    assert_eq!(world.server.keys("dst").len(), 20);
    assert_eq!(
        (world.count("GetObject"), world.count("PutObject")),
        (20, 20)
    );
    assert_eq!((world.tally.retries(), world.tally.throttled()), (0, 0));
}

#[test]
fn every_header_that_s3_may_look_at_is_signed() {
    let world = World::new();
    let mut original = object("text");
    original.metadata.insert("owner".into(), "me".into());
    world.server.put("src", "a", original);
    world.copy("a").unwrap();
    for request in world.server.requests() {
        let signed = request.parameter("X-Amz-SignedHeaders").unwrap();
        let signed: Vec<_> = signed.split(';').collect();
        for (name, _) in &request.headers {
            let is_http = ["accept", "content-length", "user-agent"].contains(&name.as_str());
            assert!(is_http || signed.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn a_checksum_that_the_source_states_travels_and_is_compared() {
    let world = World::new();
    let checksum = nightferry::model::Checksum {
        algorithm: ChecksumAlgorithm::Crc64nvme,
        base64: "rosUhgp5mIg=".into(),
    };
    let upload = Upload {
        body: Body::Bytes("123456789".into()),
        headers: &nightferry::model::CarriedHeaders::default(),
        content_md5: None,
        checksum: Some(&checksum),
        condition: Condition::Anything,
    };
    world.transfer.source.put("a", upload).unwrap();
    assert_eq!(
        world.planned("a").checksums,
        std::slice::from_ref(&checksum)
    );
    world.copy("a").unwrap();
    let copy = world.transfer.destination_facts("a", &world.tally).unwrap();
    assert_eq!(copy.unwrap().checksums, [checksum]);
}
