//! Copies in parts.

use nightferry::model::{
    CarriedHeaders, Checksum, ChecksumAlgorithm, ChecksumMode, FailureCause, ObjectFacts,
    OpenUpload, Verified,
};
use nightferry::s3::{Body, Condition, Upload, UploadedPart};
use nightferry::transfer::{Limits, PartPlan, Route, Transfer};

use super::{MIB, World, object};
use crate::s3_server::{Fault, FaultAction};

/// A world that carries 11 MiB in parts of 5, 5 and 1 MiB.
fn world() -> World {
    let mut world = World::new();
    world.transfer.limits = Limits {
        part_bytes: 5 * MIB,
        multipart_above_bytes: MIB,
        share_bytes: 5 * MIB,
    };
    world.server.put_random("src", "large", 11 * MIB, 7);
    world
}

fn same(world: &World, name: &str) -> bool {
    let source = world.server.object("src", name).unwrap();
    let copy = world.server.object("dst", name).unwrap();
    source.sha256() == copy.sha256()
}

#[test]
fn a_large_object_arrives_in_parts_with_its_metadata() {
    let world = world();
    let mut original = object(vec![b'x'; 6 << 20]);
    original.content_type = Some("video/mp4".into());
    original.metadata.insert("owner".into(), "me".into());
    world.server.put("src", "film", original);
    let arrival = world.copy_routed("film").unwrap();
    let copy = world.server.object("dst", "film").unwrap();
    assert_eq!(copy.part_sizes, [5 * MIB, MIB]);
    assert_eq!(copy.headers["content-type"], "video/mp4");
    assert_eq!(copy.metadata["owner"], "me");
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert_eq!(arrival.copied.copy_etag.as_str(), copy.etag);
    assert_eq!(arrival.copied.size_bytes, 6 * MIB);
    assert!(copy.etag.ends_with("-2"));
    assert!(same(&world, "film"));
    for part in world.server.requests() {
        if part.operation == "UploadPart" {
            assert!(part.header("content-md5").is_some());
        }
    }
}

#[test]
fn a_part_beyond_its_share_is_streamed_and_proven_by_its_tag() {
    let mut world = world();
    world.transfer.limits.share_bytes = 2 * MIB;
    let arrival = world.copy_routed("large").unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert!(same(&world, "large"));
    for part in world.server.requests() {
        if part.operation == "UploadPart" {
            assert!(part.header("content-md5").is_none());
            assert!(part.header("content-length").is_some());
        }
    }
}

#[test]
fn parts_that_fail_once_are_tried_again() {
    for share_bytes in [2 * MIB, 5 * MIB] {
        for fault in [
            Fault::new(FaultAction::TruncateBody { after_bytes: 9 }).operation("GetObject"),
            Fault::new(FaultAction::StoreCorrupted).operation("UploadPart"),
            Fault::new(FaultAction::DropConnection).operation("UploadPart"),
            Fault::answer(500, "InternalError").operation("UploadPart"),
            Fault::answer(500, "InternalError").operation("CompleteMultipartUpload"),
        ] {
            let said = format!("{fault:?} {share_bytes}");
            let mut world = world();
            world.transfer.limits.share_bytes = share_bytes;
            world.server.on(fault.times(1));
            let arrival = world.copy_routed("large").unwrap();
            assert_eq!(arrival.copied.verified, Verified::EtagMd5, "{said}");
            assert_eq!(world.tally.retries(), 1, "{said}");
            assert!(same(&world, "large"), "{said}");
        }
    }
}

#[test]
fn a_streamed_part_fails_for_the_sources_cause_when_the_source_breaks_off() {
    let mut world = world();
    world.transfer.limits.share_bytes = 2 * MIB;
    let fault = FaultAction::TruncateBody { after_bytes: 9 };
    world.server.on(Fault::new(fault).operation("GetObject"));
    let failure = world.copy_routed("large").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Network);
    assert!(
        failure.message.contains("source bucket \"src\""),
        "{failure:?}"
    );
    assert!(world.server.uploads("dst").is_empty());
}

#[test]
fn a_good_status_with_an_error_inside_is_a_failure_and_the_upload_is_aborted() {
    let world = world();
    let fault = FaultAction::CompleteAnswers200WithError {
        code: "InternalError",
    };
    world
        .server
        .on(Fault::new(fault).operation("CompleteMultipartUpload"));
    let failure = world.copy_routed("large").unwrap_err();
    assert_eq!(failure.cause, FailureCause::ServerError);
    assert_eq!(failure.error_code.as_deref(), Some("InternalError"));
    assert_eq!(world.count("CompleteMultipartUpload"), 4);
    assert!(world.server.uploads("dst").is_empty());
    assert!(world.server.object("dst", "large").is_none());
}

#[test]
fn an_upload_that_was_completed_without_an_answer_is_found() {
    let world = world();
    let fault = Fault::new(FaultAction::DropAnswer).operation("CompleteMultipartUpload");
    world.server.on(fault.times(1));
    let arrival = world.copy_routed("large").unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert!(same(&world, "large"));
}

#[test]
fn a_whole_with_a_foreign_tag_is_proven_by_its_parts_and_its_length() {
    for (share_bytes, verified) in [
        (5 * MIB, Verified::ContentMd5),
        (2 * MIB, Verified::EtagMd5),
    ] {
        let mut world = world();
        world.transfer.limits.share_bytes = share_bytes;
        let fault = Fault::new(FaultAction::WrongEtag).operation("CompleteMultipartUpload");
        world.server.on(fault);
        let arrival = world.copy_routed("large").unwrap();
        assert_eq!(arrival.copied.verified, verified);
        assert_eq!(world.transfer.destination.counters().head, 1);
    }
}

#[test]
fn a_tag_that_is_left_out_of_the_answer_is_looked_up() {
    let world = world();
    let fault = Fault::new(FaultAction::EmptyEtag).operation("CompleteMultipartUpload");
    world.server.on(fault);
    let arrival = world.copy_routed("large").unwrap();
    let there = world.server.object("dst", "large").unwrap();
    assert_eq!(
        arrival.copied.copy_etag.as_str(),
        there.etag.trim_matches('"')
    );
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing_behind() {
    let world = world();
    let planned = world.planned("large");
    let Route::Parts(plan) = world.transfer.route(planned.size_bytes).unwrap() else {
        panic!("11 MiB go in parts");
    };
    let parts = world
        .transfer
        .begin_parts("large", &planned, plan, None, &world.tally)
        .unwrap();
    parts.copy_part(0, &world.tally).unwrap();
    assert_eq!(world.server.uploads("dst").len(), 1);
    let unfinished = parts.finish(None, &world.tally).unwrap_err();
    assert_eq!(unfinished.cause, FailureCause::Internal);
    parts.abort(&world.tally).unwrap();
    assert!(world.server.uploads("dst").is_empty());
}

/// Begins `large` in parts, carries its first part, and forgets all but what the
/// ledger would keep.
fn interrupted(world: &World) -> (ObjectFacts, PartPlan, OpenUpload) {
    let planned = world.planned("large");
    let Route::Parts(plan) = world.transfer.route(planned.size_bytes).unwrap() else {
        panic!("11 MiB go in parts");
    };
    let parts = world
        .transfer
        .begin_parts("large", &planned, plan, None, &world.tally)
        .unwrap();
    let mut open = parts.open_upload();
    open.parts.push(parts.copy_part(0, &world.tally).unwrap());
    (planned, plan, open)
}

#[test]
fn an_upload_of_an_earlier_run_goes_on_with_what_has_not_arrived() {
    let world = world();
    let (planned, plan, open) = interrupted(&world);
    let resumed = world
        .transfer
        .begin_parts("large", &planned, plan, Some(&open), &world.tally)
        .unwrap();
    assert!(resumed.is_resumed() && resumed.has_part(0) && !resumed.has_part(1));
    resumed.copy_part(1, &world.tally).unwrap();
    resumed.copy_part(2, &world.tally).unwrap();
    let arrival = resumed.finish(None, &world.tally).unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert!(same(&world, "large"));
    assert_eq!(world.count("CreateMultipartUpload"), 1);
    assert_eq!(world.count("UploadPart"), 3);
}

#[test]
fn a_part_that_the_destination_has_otherwise_is_carried_again() {
    let world = world();
    let (planned, plan, mut open) = interrupted(&world);
    open.parts[0].etag = nightferry::model::ETag::new("another");
    let resumed = world
        .transfer
        .begin_parts("large", &planned, plan, Some(&open), &world.tally)
        .unwrap();
    assert!(resumed.is_resumed() && !resumed.has_part(0));
}

#[test]
fn an_upload_that_does_not_fit_any_more_is_aborted_and_begun_anew() {
    for change in ["size of parts", "source", "gone"] {
        let world = world();
        let (mut planned, plan, mut open) = interrupted(&world);
        match change {
            "size of parts" => open.part_bytes = 6 * MIB,
            "source" => {
                world.server.put_random("src", "large", 11 * MIB, 8);
                planned = world.planned("large");
            }
            _ => world
                .transfer
                .destination
                .abort_upload("large", &open.id)
                .unwrap(),
        }
        let begun = world
            .transfer
            .begin_parts("large", &planned, plan, Some(&open), &world.tally)
            .unwrap();
        assert!(!begun.is_resumed(), "{change}");
        assert_eq!(world.count("AbortMultipartUpload"), 1, "{change}");
        assert_eq!(world.server.uploads("dst").len(), 1, "{change}");
    }
}

#[test]
fn an_upload_that_may_not_be_aborted_does_not_keep_its_object_from_being_copied() {
    let world = world();
    let (planned, plan, mut open) = interrupted(&world);
    open.part_bytes = 6 * MIB;
    world
        .server
        .on(Fault::answer(403, "AccessDenied").operation("AbortMultipartUpload"));
    let begun = world
        .transfer
        .begin_parts("large", &planned, plan, Some(&open), &world.tally)
        .unwrap();
    assert!(!begun.is_resumed());
}

#[test]
fn a_source_that_changes_between_its_parts_is_not_copied() {
    let world = world();
    let planned = world.planned("large");
    let Route::Parts(plan) = world.transfer.route(planned.size_bytes).unwrap() else {
        panic!("11 MiB go in parts");
    };
    let parts = world
        .transfer
        .begin_parts("large", &planned, plan, None, &world.tally)
        .unwrap();
    parts.copy_part(0, &world.tally).unwrap();
    world.server.put_random("src", "large", 11 * MIB, 8);
    let failure = parts.copy_part(1, &world.tally).unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceChanged);
    parts.abort(&world.tally).unwrap();
    let begun = world
        .transfer
        .begin_parts("large", &planned, plan, None, &world.tally);
    assert_eq!(begun.unwrap_err().cause, FailureCause::SourceChanged);
    world.server.remove("src", "large");
    let begun = world
        .transfer
        .begin_parts("large", &planned, plan, None, &world.tally);
    assert_eq!(begun.unwrap_err().cause, FailureCause::SourceMissing);
    assert!(world.server.uploads("dst").is_empty());
}

#[test]
fn a_byte_altered_on_the_way_into_a_part_shows_in_the_whole() {
    let mut world = world();
    world.transfer.checksum = ChecksumMode::Md5;
    let fault = FaultAction::FlipByte { at: 100 };
    world
        .server
        .on(Fault::new(fault).operation("GetObject").times(1));
    let failure = world.copy_routed("large").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(
        failure.message.contains("the source's MD5 is"),
        "{failure:?}"
    );
    assert!(world.server.object("dst", "large").is_none());
    world.copy_routed("large").unwrap();
    assert!(same(&world, "large"));
}

/// A world whose source was itself put together from parts of 6 MiB.
fn world_of_parts() -> World {
    let world = world();
    let body = world.server.object("src", "large").unwrap().body();
    let source = &world.transfer.source;
    let id = source.create_upload("large", &CarriedHeaders::default(), None);
    let id = id.unwrap();
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(body.chunks(6 << 20)) {
        let upload = Upload {
            body: Body::Bytes(part.to_vec().into()),
            headers: &CarriedHeaders::default(),
            content_md5: None,
            checksum: None,
            condition: Condition::Anything,
        };
        let etag = source
            .upload_part("large", &id, number, upload)
            .unwrap()
            .etag;
        parts.push(UploadedPart { number, etag });
    }
    source
        .complete_upload("large", &id, &parts, Condition::Anything)
        .unwrap();
    World {
        transfer: Transfer {
            limits: Limits {
                share_bytes: 6 * MIB,
                ..world.transfer.limits
            },
            ..world.transfer
        },
        ..world
    }
}

#[test]
fn an_object_of_parts_is_cut_as_at_the_source_and_gets_its_tag() {
    let world = world_of_parts();
    let planned = world.planned("large");
    let arrival = world.copy_routed("large").unwrap();
    assert_eq!(arrival.copied.copy_etag, planned.etag);
    assert_eq!(
        world.server.object("dst", "large").unwrap().part_sizes,
        [6 * MIB, 5 * MIB]
    );
    assert!(same(&world, "large"));
}

#[test]
fn an_object_whose_parts_are_not_told_apart_is_cut_as_it_suits() {
    for (status, code) in [(412, "PreconditionFailed"), (416, "InvalidPartNumber")] {
        let world = world_of_parts();
        // The first two are the decision's and the copy's own.
        let refused = Fault::answer(status, code).operation("HeadObject");
        world.server.on(refused.bucket("src").after(2).times(1));
        world.copy_routed("large").unwrap();
        let copy = world.server.object("dst", "large").unwrap();
        assert_eq!(copy.part_sizes, [5 * MIB, 5 * MIB, MIB]);
        assert!(same(&world, "large"));
    }
}

#[test]
fn a_byte_altered_on_the_way_from_an_object_of_parts_shows_in_its_tag() {
    let world = world_of_parts();
    let fault = FaultAction::FlipByte { at: 100 };
    world
        .server
        .on(Fault::new(fault).operation("GetObject").times(1));
    let failure = world.copy_routed("large").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(failure.message.contains("read again"), "{failure:?}");
    assert!(world.server.object("dst", "large").is_none());
}

#[test]
fn a_source_that_makes_its_tags_otherwise_is_read_twice() {
    let world = world_of_parts();
    world
        .server
        .set_etag("src", "large", "0123456789abcdef0123456789abcdef-2");
    world.copy_routed("large").unwrap();
    assert_eq!(world.count("GetObject"), 4);
    assert!(same(&world, "large"));
}

#[test]
fn the_parts_make_the_checksum_that_the_source_states_of_the_whole() {
    let world = world();
    let body = world.server.object("src", "large").unwrap().body();
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &body);
    let checksum = Checksum {
        algorithm: ChecksumAlgorithm::Crc64nvme,
        base64: base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            crc.to_be_bytes(),
        ),
    };
    let upload = nightferry::s3::Upload {
        body: nightferry::s3::Body::Bytes(body.into()),
        headers: &nightferry::model::CarriedHeaders::default(),
        content_md5: None,
        checksum: Some(&checksum),
        condition: nightferry::s3::Condition::Anything,
    };
    world.transfer.source.put("large", upload).unwrap();
    assert_eq!(world.planned("large").checksums, [checksum]);
    world.copy_routed("large").unwrap();
    assert!(same(&world, "large"));
    // A byte that changes on the way into a part shows in the whole.
    let fault = FaultAction::FlipByte { at: 100 };
    world
        .server
        .on(Fault::new(fault).operation("GetObject").times(1));
    let failure = world.copy_routed("large").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(failure.message.contains("crc64nvme"), "{failure:?}");
}
