//! What copies are written with, where a night does not show it: parts that the
//! server copies, servers that say little, tags that change.

use std::collections::BTreeMap;

use nightferry::clock::Clock;
use nightferry::model::{Encryption, FailureCause, Side, StorageClassRule, Verified, WriteOptions};
use nightferry::s3::{Bucket, HttpClient};
use nightferry::transfer::ServerSide;

use super::{MIB, World, spec};
use crate::s3_server::{ACCESS_KEY, Fault, NewObject, S3Server, SECRET_KEY, StoredObject};

const KEY: &str = "night";

fn all_options() -> WriteOptions {
    WriteOptions {
        storage_class: StorageClassRule::Same,
        copy_tags: true,
        stamp_source: true,
    }
}

/// A world whose destination encrypts under a key and whose source tells no tag counts.
fn world() -> World {
    let mut world = World::with(S3Server::builder().tells_tag_counts(false), ACCESS_KEY);
    world.server.set_kms_key(KEY, true);
    let mut spec = spec(&world.server, "dst", ACCESS_KEY, SECRET_KEY);
    spec.encryption = Some(Encryption::SseKms(Some(KEY.to_owned())));
    let http = HttpClient::new(4).unwrap();
    let destination = Bucket::new(&http, Side::Destination, spec, Clock::system());
    world.transfer.destination = destination.unwrap();
    world.transfer.write_options = all_options();
    world.transfer.limits.multipart_above_bytes = 6 * MIB;
    world.transfer.limits.part_bytes = 5 * MIB;
    world
}

fn put(world: &World, name: &str, size_bytes: usize, tags: &str) {
    let headers = [
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-tagging", tags),
        ("cache-control", "no-cache"),
    ];
    let headers = headers
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let object = NewObject {
        body: (0..=250).cycle().take(size_bytes).collect(),
        content_type: Some("text/plain".to_owned()),
        headers: headers.collect(),
        metadata: BTreeMap::from([("berth".to_owned(), "7".to_owned())]),
        last_modified: None,
    };
    world.server.put("src", name, object);
}

/// That the copy has all that was asked for, and what travels.
fn check(world: &World, name: &str) -> StoredObject {
    let original = world.server.object("src", name).unwrap();
    let copy = world.server.object("dst", name).unwrap();
    assert_eq!(copy.sha256(), original.sha256(), "{name}");
    let mut headers = original.headers.clone();
    for (header, value) in [("", "aws:kms"), ("-aws-kms-key-id", KEY)] {
        let header = format!("x-amz-server-side-encryption{header}");
        headers.insert(header, value.to_owned());
    }
    assert_eq!(copy.headers, headers, "{name}");
    assert_eq!(copy.metadata["berth"], "7", "{name}");
    assert_eq!(copy.metadata["nightferry-source-etag"], original.etag);
    assert_eq!(copy.metadata.len(), 3, "{:?}", copy.metadata);
    copy
}

#[test]
fn all_options_at_once_hold_each_way() {
    let sizes = [("small", 3), ("whole", 2 * MIB), ("parts", 11 * MIB)];
    for server_side in [false, true] {
        let mut world = world();
        if server_side {
            world.transfer.server_side = ServerSide::auto();
            world.transfer.server_side.whole_up_to_bytes = 6 * MIB;
            world.transfer.server_side.part_bytes = 5 * MIB;
        }
        for (name, size) in sizes {
            put(&world, name, usize::try_from(size).unwrap(), "a=b");
            let arrival = world.copy_routed(name).unwrap();
            let copy = check(&world, name);
            assert_eq!(arrival.copied.copy_etag.as_str(), copy.etag);
            assert_ne!(arrival.copied.verified, Verified::EtagMd5, "{name}");
        }
        // The tag of a part under a key is no MD5, so parts are read and written.
        let copied = world.count("UploadPartCopy");
        assert_eq!(copied > 0, server_side);
        assert_eq!(world.count("CopyObject"), if server_side { 2 } else { 0 });
    }
}

#[test]
fn parts_that_the_server_copies_make_an_object_with_all_options() {
    let mut world = world();
    let spec = spec(&world.server, "dst", ACCESS_KEY, SECRET_KEY);
    let http = HttpClient::new(4).unwrap();
    let destination = Bucket::new(&http, Side::Destination, spec, Clock::system());
    world.transfer.destination = destination.unwrap();
    world.transfer.server_side = ServerSide::auto();
    world.transfer.server_side.whole_up_to_bytes = 6 * MIB;
    world.transfer.server_side.part_bytes = 5 * MIB;
    put(&world, "large", 11 << 20, "a=b");
    world.copy_routed("large").unwrap();
    assert_eq!(world.count("UploadPartCopy"), 3);
    assert_eq!(world.count("UploadPart"), 0);
    let [original, copy] = ["src", "dst"].map(|at| world.server.object(at, "large").unwrap());
    assert_eq!(copy.headers, original.headers);
    assert_eq!(copy.metadata["nightferry-source-etag"], original.etag);
}

#[test]
fn a_source_that_tells_no_tag_counts_is_asked_about_every_object() {
    for told in [true, false] {
        let mut world = World::with(S3Server::builder().tells_tag_counts(told), ACCESS_KEY);
        world.transfer.write_options = WriteOptions {
            copy_tags: true,
            ..WriteOptions::default()
        };
        put(&world, "tagged", 3, "a=b");
        put(&world, "plain", 3, "");
        for name in ["tagged", "plain"] {
            world.copy_routed(name).unwrap();
            let [original, copy] = ["src", "dst"].map(|at| world.server.object(at, name).unwrap());
            let tags = |object: &StoredObject| object.headers.get("x-amz-tagging").cloned();
            assert_eq!(tags(&copy), tags(&original), "{name}");
        }
        // Amazon is silent about no tags and about tags that may not be read alike.
        assert_eq!(world.count("GetObjectTagging"), 2, "{told}");
    }
}

#[test]
fn an_answer_that_tells_no_tags_is_no_answer() {
    for (fault, cause) in [
        (
            Fault::answer(501, "NotImplemented"),
            FailureCause::BadRequest,
        ),
        (
            Fault::answer(403, "AccessDenied"),
            FailureCause::SourceDenied,
        ),
        (
            Fault::answer(500, "InternalError"),
            FailureCause::ServerError,
        ),
        // It was deleted since.
        (Fault::answer(404, "NoSuchKey"), FailureCause::SourceChanged),
    ] {
        let mut world = World::new();
        world.transfer.write_options.copy_tags = true;
        for (name, size) in [("small", 3), ("large", 17 << 20)] {
            put(&world, name, size, "a=b");
            world.server.on(fault.clone().operation("GetObjectTagging"));
            let failure = world.copy_routed(name).unwrap_err();
            assert_eq!(failure.cause, cause, "{name}: {failure:?}");
            assert!(world.server.object("dst", name).is_none());
            assert_eq!(world.server.uploads("dst"), []);
        }
    }
}

#[test]
fn tags_that_come_at_the_second_try_are_written() {
    let mut world = World::new();
    world.transfer.write_options.copy_tags = true;
    put(&world, "a", 3, "a=b");
    let busy = Fault::answer(503, "SlowDown").operation("GetObjectTagging");
    world.server.on(busy.times(1));
    world.copy_routed("a").unwrap();
    let copy = world.server.object("dst", "a").unwrap();
    assert_eq!(copy.headers["x-amz-tagging"], "a=b");
    assert_eq!(world.count("GetObject"), 1, "the object is read once");
    assert_eq!(world.tally.throttled(), 1);
}
