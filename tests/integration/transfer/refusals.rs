//! Servers that refuse: the cause is the right one, on the right side.

use nightferry::clock::Clock;
use nightferry::model::FailureCause;
use nightferry::model::Side;
use nightferry::s3::{Bucket, HttpClient};

use super::{World, object, spec};
use crate::s3_server::{ACCESS_KEY, Fault, Rights, S3Server, SECRET_KEY};

const READER: &str = "AKIAIOSFODNN7READER0";

fn world_with_rights(rights: Rights) -> World {
    let builder = S3Server::builder().credentials(READER, SECRET_KEY, rights);
    let world = World::with(builder, READER);
    world.server.put("src", "a", object("text"));
    world
}

fn head(server: &S3Server, bucket: &str, key: &str, secret: &str) -> FailureCause {
    let http = HttpClient::new(1).unwrap();
    let spec = spec(server, bucket, key, secret);
    let bucket = Bucket::new(&http, Side::Source, spec, Clock::system()).unwrap();
    bucket.head("a").unwrap_err().cause
}

#[test]
fn a_missing_object_is_no_missing_bucket() {
    let world = World::new();
    let found = world.transfer.source_head("a", &world.tally).unwrap();
    assert!(found.is_none());
    let operations: Vec<_> = world
        .server
        .requests()
        .into_iter()
        .map(|r| r.operation)
        .collect();
    assert_eq!(operations, ["HeadObject", "GetObject"]);
    let cause = head(&world.server, "nowhere", ACCESS_KEY, SECRET_KEY);
    assert_eq!(cause, FailureCause::BucketMissing);
}

#[test]
fn a_missing_destination_bucket_shows_when_the_object_is_put() {
    let world = World::new();
    world.server.put("src", "a", object("text"));
    world.server.delete_bucket("dst");
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::BucketMissing);
    assert_eq!(world.tally.retries(), 0);
}

#[test]
fn wrong_credentials_are_refused() {
    let world = World::new();
    let of = |key, secret| head(&world.server, "src", key, secret);
    assert_eq!(of(ACCESS_KEY, "wrong"), FailureCause::CredentialsRefused);
    assert_eq!(of("unknown", SECRET_KEY), FailureCause::CredentialsRefused);
}

#[test]
fn a_clock_that_is_wrong_is_told_as_such() {
    let world = World::new();
    world.server.put("src", "a", object("text"));
    for offset in [-7200, 7200] {
        world.server.set_clock_offset(offset);
        let cause = head(&world.server, "src", ACCESS_KEY, SECRET_KEY);
        assert_eq!(cause, FailureCause::ClockSkew, "{offset}");
    }
}

#[test]
fn a_source_that_may_not_be_read_is_denied() {
    let world = world_with_rights(Rights::NONE);
    let failure = world.transfer.source_head("a", &world.tally).unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceDenied);
    assert_eq!(failure.http_status, Some(403));
    assert_eq!(failure.error_code.as_deref(), Some("AccessDenied"));
}

#[test]
fn a_destination_that_may_not_be_written_is_denied() {
    let world = world_with_rights(Rights::FULL);
    world.server.set_rights(ACCESS_KEY, Rights::READ_ONLY);
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::DestinationDenied);
    assert!(failure.message.contains("destination bucket \"dst\""));
}

#[test]
fn metadata_that_the_destination_refuses_is_told_as_such() {
    let world = World::new();
    world.server.put("src", "a", object("text"));
    world
        .server
        .on(Fault::answer(400, "MetadataTooLarge").operation("PutObject"));
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::MetadataRefused);
    assert_eq!(world.count("PutObject"), 1);
}

#[test]
fn a_signature_over_text_beyond_ascii_that_is_refused_is_no_wrong_secret() {
    let world = World::new();
    let mut original = object("text");
    original.metadata.insert("place".into(), "Zürich".into());
    world.server.put("src", "a", original);
    world
        .server
        .on(Fault::answer(403, "SignatureDoesNotMatch").operation("PutObject"));
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::MetadataRefused);
}

#[test]
fn an_archived_object_is_told_as_such() {
    let world = World::new();
    world.server.put("src", "a", object("text"));
    world
        .server
        .on(Fault::answer(403, "InvalidObjectState").operation("GetObject"));
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceArchived);
}
