//! Copies that the server makes by itself.

use std::collections::BTreeMap;

use nightferry::model::{
    CarriedHeaders, Checksum, ChecksumAlgorithm, ETag, FailureCause, ObjectFacts, Verified,
};
use nightferry::s3::{Body, Condition, CopySource, Upload, UploadedPart};
use nightferry::transfer::{Route, ServerSide};

use super::{MIB, World, object};
use crate::s3_server::{Fault, FaultAction, NewObject};

/// A world in which the server is asked; what is above 6 MiB goes in parts.
fn world() -> World {
    let mut world = World::new();
    world.transfer.limits.multipart_above_bytes = 6 * MIB;
    world.transfer.limits.part_bytes = 5 * MIB;
    let server_side = &mut world.transfer.server_side;
    *server_side = ServerSide::auto();
    server_side.whole_up_to_bytes = 6 * MIB;
    server_side.part_bytes = 5 * MIB;
    world
}

/// What came to the server since the facts were asked for, in order.
fn operations(world: &World) -> Vec<String> {
    let requests = world.server.requests();
    requests.into_iter().skip(1).map(|r| r.operation).collect()
}

fn check_same(world: &World, name: &str) {
    let original = world.server.object("src", name).unwrap();
    let copy = world.server.object("dst", name).unwrap();
    assert_eq!(original.sha256(), copy.sha256(), "{name}");
    assert_eq!(original.headers, copy.headers, "{name}");
    assert_eq!(original.metadata, copy.metadata, "{name}");
}

#[test]
fn a_copy_is_one_request_and_metadata_arrives() {
    let world = world();
    let new = NewObject {
        body: b"abc".to_vec(),
        content_type: Some("text/plain".into()),
        headers: BTreeMap::from([("cache-control".into(), "no-cache".into())]),
        metadata: BTreeMap::from([("berth".into(), "7".into())]),
        ..NewObject::default()
    };
    world.server.put("src", "a", new);
    let arrival = world.copy_routed("a").unwrap();
    assert_eq!(operations(&world), ["CopyObject"]);
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert_eq!(arrival.copied.size_bytes, 3);
    assert_eq!(
        arrival.copied.copy_etag.as_str(),
        world.server.object("dst", "a").unwrap().etag
    );
    assert!(arrival.server_request_id.is_some());
    check_same(&world, "a");
    let request = world.server.requests().pop().unwrap();
    assert_eq!(
        request.header("x-amz-copy-source-if-match"),
        Some("\"900150983cd24fb0d6963f7d28e17f72\"")
    );
    assert_eq!(request.header("x-amz-metadata-directive"), Some("COPY"));
}

#[test]
fn awkward_names_are_copied_under_the_very_same_name() {
    let world = world();
    for name in [
        "a+b c",
        "50%/%41%2B",
        "what?versionId=null#x&y=z",
        "/leading//double/",
        "Straße 🛳",
        "line\nbreak\ttab",
        "back\\slash'\"<>",
        "~-._",
    ] {
        world.server.put("src", name, name);
        let before = world.count("CopyObject");
        world.copy_routed(name).unwrap();
        assert_eq!(world.count("CopyObject"), before + 1, "{name:?}");
        let copy = world.server.object("dst", name);
        assert_eq!(copy.unwrap().body(), name.as_bytes(), "{name:?}");
    }
    assert_eq!(world.count("GetObject"), 0);
}

#[test]
fn a_source_that_changed_is_not_copied() {
    let world = world();
    world.server.put("src", "a", "old");
    let changes = FaultAction::call_back(|server| server.put("src", "a", "new"));
    world.server.on(Fault::new(changes).operation("CopyObject"));
    let failure = world.copy_routed("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceChanged);
    assert!(world.server.object("dst", "a").is_none());
}

#[test]
fn a_source_that_changed_is_found_out_where_conditions_are_not_heeded() {
    for (old, new) in [("old", "new"), ("old", "longer")] {
        let world = world();
        world.server.put("src", "a", old);
        let changes = FaultAction::call_back(move |server| server.put("src", "a", new));
        let careless = FaultAction::IgnoreCopySourceConditions;
        for action in [changes, careless] {
            world.server.on(Fault::new(action).operation("CopyObject"));
        }
        let failure = world.copy_routed("a").unwrap_err();
        assert_eq!(failure.cause, FailureCause::SourceChanged, "{failure:?}");
        assert!(failure.message.ends_with("the wrong copy was removed"));
        assert!(world.server.object("dst", "a").is_none());
        // The server has done what it was asked to.
        assert!(is_asked(&world));
    }
}

fn is_asked(world: &World) -> bool {
    matches!(world.transfer.route(1).unwrap(), Route::ServerSide { .. })
}

#[test]
fn a_source_that_is_gone_is_missing() {
    let world = world();
    world.server.put("src", "a", "old");
    let goes = FaultAction::call_back(|server| assert!(server.remove("src", "a")));
    world.server.on(Fault::new(goes).operation("CopyObject"));
    let failure = world.copy_routed("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceMissing);
}

#[test]
fn what_the_server_refuses_is_read_and_written_and_so_is_the_rest() {
    for (status, code) in [
        (403, "AccessDenied"),
        (501, "NotImplemented"),
        (405, "MethodNotAllowed"),
        (400, "InvalidRequest"),
        (404, "NoSuchKey"),
        (403, "SignatureDoesNotMatch"),
        (500, "InternalError"),
    ] {
        let world = world();
        world.server.put("src", "a", "abc");
        world.server.put("src", "b", "b");
        let refused = Fault::answer(status, code).operation("CopyObject");
        world.server.on(refused);
        let arrival = world.copy_routed("a").unwrap();
        assert_eq!(arrival.copied.verified, Verified::EtagMd5, "{code}");
        check_same(&world, "a");
        let asked = world.count("CopyObject");
        assert_eq!(asked, if status == 500 { 4 } else { 1 }, "{code}");
        world.copy_routed("b").unwrap();
        assert_eq!(world.count("CopyObject"), asked, "{code}");
        check_same(&world, "b");
    }
}

#[test]
fn one_refused_object_among_others_goes_its_own_way() {
    let world = world();
    for name in ["a", "b", "c"] {
        world.server.put("src", name, name);
    }
    let refused = Fault::answer(403, "AccessDenied").operation("CopyObject");
    world.server.on(refused.key("b"));
    for name in ["a", "b", "c"] {
        world.copy_routed(name).unwrap();
        check_same(&world, name);
    }
    assert_eq!(world.count("CopyObject"), 3);
    assert_eq!(world.count("PutObject"), 1);
}

#[test]
fn what_may_pass_is_tried_again_and_then_fails() {
    for (status, code, cause) in [
        (503, "SlowDown", FailureCause::Throttled),
        (400, "RequestTimeout", FailureCause::Timeout),
    ] {
        let world = world();
        world.server.put("src", "a", "abc");
        let refused = Fault::answer(status, code).operation("CopyObject");
        world.server.on(refused.times(5));
        assert_eq!(world.copy_routed("a").unwrap_err().cause, cause);
        assert_eq!(world.count("CopyObject"), 4);
        // The next night.
        world.copy_routed("a").unwrap();
        assert_eq!(world.count("CopyObject"), 6);
        assert_eq!(world.count("GetObject"), 0);
    }
}

#[test]
fn a_copy_whose_connection_broke_is_made_again() {
    for action in [FaultAction::DropConnection, FaultAction::DropAnswer] {
        let world = world();
        world.server.put("src", "a", "abc");
        let broken = Fault::new(action).operation("CopyObject");
        world.server.on(broken.times(1));
        world.copy_routed("a").unwrap();
        assert_eq!(world.count("CopyObject"), 2);
        assert_eq!(world.tally.retries(), 1);
        check_same(&world, "a");
    }
}

#[test]
fn an_error_in_a_good_answer_is_an_error() {
    let error = |operation, code| {
        Fault::new(FaultAction::CompleteAnswers200WithError { code }).operation(operation)
    };
    let world = world();
    world.server.put("src", "a", "abc");
    world
        .server
        .on(error("CopyObject", "InternalError").times(2));
    let arrival = world.copy_routed("a").unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert_eq!(world.count("CopyObject"), 3);
    assert_eq!(world.count("GetObject"), 0);
    world.server.put("src", "b", "b");
    world
        .server
        .on(error("CopyObject", "AccessDenied").key("b"));
    world.copy_routed("b").unwrap();
    assert_eq!(world.count("PutObject"), 1);
    // Parts, and what is made of them.
    world.server.put_random("src", "film", 12 * MIB, 7);
    world
        .server
        .on(error("UploadPartCopy", "InternalError").times(2));
    world
        .server
        .on(error("CompleteMultipartUpload", "InternalError").times(2));
    world.copy_routed("film").unwrap();
    assert_eq!(world.count("UploadPartCopy"), 5);
    assert_eq!(world.count("CompleteMultipartUpload"), 3);
    assert_eq!(world.count("UploadPart"), 0);
    for name in ["a", "b", "film"] {
        check_same(&world, name);
    }
}

#[test]
fn what_others_wrote_meanwhile_is_kept() {
    for there_before in [false, true] {
        let world = world();
        let kept = ETag::new("x");
        world.transfer.destination.keeps(Condition::Nothing);
        world.transfer.destination.keeps(Condition::Tag(&kept));
        world.server.put("src", "a", "abc");
        let mut replaces = None;
        if there_before {
            world.server.put("dst", "a", "old");
            let facts = world.transfer.destination_facts("a", &world.tally).unwrap();
            replaces = facts.map(|facts| facts.etag);
        }
        let planned = world.planned("a");
        world.server.put("dst", "a", "theirs");
        let transfer = &world.transfer;
        let failure = transfer.copy_server_side("a", &planned, replaces.as_ref(), &world.tally);
        assert!(failure.unwrap_err().is_refused_condition());
        assert_eq!(world.server.object("dst", "a").unwrap().body(), b"theirs");
        assert!(is_asked(&world));
    }
}

#[test]
fn a_server_that_sees_changes_where_there_are_none_is_not_asked_again() {
    let world = world();
    world.server.put("src", "a", "abc");
    let refused = Fault::answer(412, "PreconditionFailed").operation("CopyObject");
    world.server.on(refused);
    world.copy_routed("a").unwrap();
    check_same(&world, "a");
    assert!(!is_asked(&world));
}

#[test]
fn a_tag_that_is_no_md5_has_the_copy_looked_at() {
    let world = world();
    world.server.put("src", "a", "abc");
    world
        .server
        .set_etag("src", "a", "9ed1514d1be2cb3ee3ac9b43ec9a1a4c-1");
    let untold = Fault::new(FaultAction::EmptyEtag).operation("CopyObject");
    world.server.on(untold.times(1));
    // The server takes the tag over.
    let arrival = world.copy_routed("a").unwrap();
    assert_eq!(operations(&world), ["CopyObject", "HeadObject"]);
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert_eq!(
        arrival.copied.copy_etag.as_str(),
        "9ed1514d1be2cb3ee3ac9b43ec9a1a4c-1"
    );
    world.server.set_etag("src", "a", "opaque");
    let arrival = world.copy_routed("a").unwrap();
    assert_eq!(arrival.copied.verified, Verified::SizeOnly);
}

/// The source's facts as a listing tells them: whether a key lies over the object it
/// does not say.
fn listed(world: &World, name: &str) -> ObjectFacts {
    let page = world.transfer.source.list(name, None, None, 1).unwrap();
    page.objects[0].facts.clone()
}

#[test]
fn after_a_listing_too_an_md5_that_both_have_is_the_proof() {
    let world = world();
    world.server.put("src", "a", "abc");
    let planned = listed(&world, "a");
    let copied = world
        .transfer
        .copy_server_side("a", &planned, None, &world.tally);
    let arrival = copied.unwrap().unwrap();
    assert_eq!(operations(&world), ["CopyObject"]);
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
}

#[test]
fn after_a_listing_too_another_md5_is_another_object() {
    let world = world();
    world.server.put("src", "a", "abc");
    let planned = listed(&world, "a");
    let spoils = Fault::new(FaultAction::StoreCorrupted).operation("CopyObject");
    world.server.on(spoils);
    let copied = world
        .transfer
        .copy_server_side("a", &planned, None, &world.tally);
    let failure = copied.unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity, "{failure:?}");
    assert!(world.server.object("dst", "a").is_none());
    assert!(!is_asked(&world));
}

#[test]
fn a_checksum_that_both_state_is_the_proof_where_tags_are_none() {
    let world = world();
    let checksum = Checksum {
        algorithm: ChecksumAlgorithm::Crc64nvme,
        base64: "rosUhgp5mIg=".into(),
    };
    let upload = Upload {
        body: Body::Bytes("123456789".into()),
        headers: &CarriedHeaders::default(),
        content_md5: None,
        checksum: Some(&checksum),
        condition: Condition::Anything,
    };
    world.transfer.source.put("a", upload).unwrap();
    world.server.set_etag("src", "a", "opaque");
    let arrival = world.copy_routed("a").unwrap();
    assert_eq!(arrival.copied.verified, Verified::Crc64nvme);
    assert_eq!(arrival.copied.copy_etag.as_str(), "opaque");
}

#[test]
fn a_wrong_copy_is_removed_and_the_server_is_not_asked_again() {
    let world = world();
    world.server.put("src", "a", "abc");
    let spoils = Fault::new(FaultAction::StoreCorrupted).operation("CopyObject");
    world.server.on(spoils);
    let failure = world.copy_routed("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(world.server.object("dst", "a").is_none(), "{failure:?}");
    assert!(!is_asked(&world));
    world.copy_routed("a").unwrap();
    check_same(&world, "a");
}

#[test]
fn a_large_object_is_copied_by_parts_with_its_metadata() {
    let world = world();
    let new = NewObject {
        content_type: Some("video/mp4".into()),
        metadata: BTreeMap::from([("berth".into(), "7".into())]),
        ..object(vec![7; 12 << 20])
    };
    world.server.put("src", "film", new);
    let arrival = world.copy_routed("film").unwrap();
    // Begun with facts afresh; in the end both are looked at.
    assert_eq!(
        operations(&world),
        [
            "HeadObject",
            "CreateMultipartUpload",
            "UploadPartCopy",
            "UploadPartCopy",
            "UploadPartCopy",
            "CompleteMultipartUpload",
            "HeadObject",
            "HeadObject"
        ]
    );
    assert_eq!(arrival.copied.verified, Verified::SizeOnly);
    check_same(&world, "film");
    let copy = world.server.object("dst", "film").unwrap();
    assert_eq!(copy.part_sizes, [5 * MIB, 5 * MIB, 2 * MIB]);
    assert_eq!(arrival.copied.copy_etag.as_str(), copy.etag);
}

#[test]
fn a_large_object_of_parts_gets_the_sources_tag() {
    let world = world();
    world.server.put_random("src", "film", 12 * MIB, 7);
    copy_in_parts_of(&world, "film", 6 * MIB);
    let planned = world.planned("film");
    assert_eq!(planned.etag.parts(), Some(2));
    let arrival = world.copy_routed("film").unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert_eq!(arrival.copied.copy_etag, planned.etag);
    assert_eq!(world.count("UploadPartCopy"), 4);
    check_same(&world, "film");
}

/// Makes the source's object anew from parts of this size, by the server itself.
fn copy_in_parts_of(world: &World, name: &str, part_bytes: u64) {
    let bucket = &world.transfer.source;
    let planned = world.planned(name);
    let id = bucket
        .create_upload(name, &CarriedHeaders::default(), None)
        .unwrap();
    let source = CopySource {
        bucket,
        name,
        if_match: &planned.etag,
        size_bytes: part_bytes,
    };
    let parts: Vec<UploadedPart> = (0..u32::try_from(planned.size_bytes / part_bytes).unwrap())
        .map(|index| {
            let first = u64::from(index) * part_bytes;
            let range = (first, first + part_bytes - 1);
            let answer = bucket.copy_part_from(name, (&id, index + 1), source, range);
            UploadedPart {
                number: index + 1,
                etag: answer.unwrap().etag,
            }
        })
        .collect();
    bucket
        .complete_upload(name, &id, &parts, Condition::Anything)
        .unwrap();
}

#[test]
fn parts_that_the_server_does_not_copy_are_streamed() {
    let world = world();
    for name in ["film", "next"] {
        world.server.put_random("src", name, 12 * MIB, 7);
    }
    let refused = Fault::answer(403, "AccessDenied").operation("UploadPartCopy");
    world.server.on(refused);
    world.copy_routed("film").unwrap();
    assert_eq!(world.count("UploadPart"), 3);
    let asked = world.count("UploadPartCopy");
    assert!((1..=3).contains(&asked));
    check_same(&world, "film");
    // From then on as if the server had never been asked.
    let arrival = world.copy_routed("next").unwrap();
    assert_eq!(world.count("UploadPartCopy"), asked);
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    check_same(&world, "next");
}

#[test]
fn an_upload_goes_on_the_way_it_was_begun() {
    for begun_server_side in [true, false] {
        let mut world = world();
        world.server.put_random("src", "film", 12 * MIB, 7);
        let planned = world.planned("film");
        let Route::Parts(plan) = world.transfer.route(planned.size_bytes).unwrap() else {
            panic!("it goes in parts");
        };
        world.transfer.server_side.part_bytes = 6 * MIB;
        let mut first = world.transfer.clone();
        if !begun_server_side {
            first.server_side = ServerSide::never();
        }
        let copy = first.begin_parts("film", &planned, plan, None, &world.tally);
        let copy = copy.unwrap();
        let mut open = copy.open_upload();
        open.parts.push(copy.copy_part(0, &world.tally).unwrap());
        drop(copy);
        let transfer = &world.transfer;
        let copy = transfer.begin_parts("film", &planned, plan, Some(&open), &world.tally);
        let copy = copy.unwrap();
        assert!(copy.is_resumed() && copy.has_part(0) && !copy.has_part(1));
        for part in 1..copy.plan().count {
            copy.copy_part(part, &world.tally).unwrap();
        }
        copy.finish(None, &world.tally).unwrap();
        let copied = if begun_server_side { 2 } else { 0 };
        assert_eq!(world.count("UploadPartCopy"), copied);
        assert_eq!(
            world.count("UploadPart"),
            3 * usize::from(!begun_server_side)
        );
        check_same(&world, "film");
    }
}

#[test]
fn a_part_of_a_source_that_changed_is_not_copied() {
    let world = world();
    world.server.put_random("src", "film", 12 * MIB, 7);
    let changes = FaultAction::call_back(|server| server.put_random("src", "film", 12 << 20, 8));
    let changes = Fault::new(changes).operation("UploadPartCopy");
    world.server.on(changes.after(1).times(1));
    let failure = world.copy_routed("film").unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceChanged);
    assert!(world.server.object("dst", "film").is_none());
    assert_eq!(world.server.uploads("dst"), []);
}

#[test]
fn parts_of_two_versions_make_no_copy_where_conditions_are_not_heeded() {
    let world = world();
    world.server.put_random("src", "film", 12 * MIB, 7);
    let changes = FaultAction::call_back(|server| server.put_random("src", "film", 12 << 20, 8));
    let changes = Fault::new(changes).operation("UploadPartCopy");
    world.server.on(changes.after(1).times(1));
    let careless = Fault::new(FaultAction::IgnoreCopySourceConditions);
    world.server.on(careless.operation("UploadPartCopy"));
    let failure = world.copy_routed("film").unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceChanged);
    assert!(world.server.object("dst", "film").is_none());
}

#[test]
fn a_copy_that_cannot_be_looked_at_is_neither_proven_nor_forgotten() {
    for (status, code) in [(403, "AccessDenied"), (503, "SlowDown")] {
        let world = world();
        world.server.put("src", "a", "abc");
        world.server.set_etag("src", "a", "opaque");
        let refused = Fault::answer(status, code).operation("HeadObject");
        world.server.on(refused.bucket("dst"));
        let refused = Fault::answer(status, code).operation("GetObject");
        world.server.on(refused.bucket("dst"));
        let failure = world.copy_routed("a").unwrap_err();
        assert!(failure.may_have_landed(), "{failure:?}");
        assert!(world.server.object("dst", "a").is_some());
    }
}

#[test]
fn a_wrong_part_spoils_the_proof_of_an_object_cut_as_at_the_source() {
    let world = world();
    world.server.put_random("src", "film", 12 * MIB, 7);
    copy_in_parts_of(&world, "film", 6 * MIB);
    let spoils = Fault::new(FaultAction::StoreCorrupted).operation("UploadPartCopy");
    world.server.on(spoils.times(1));
    let failure = world.copy_routed("film").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(world.server.object("dst", "film").is_none());
    assert_eq!(world.server.uploads("dst"), []);
}
