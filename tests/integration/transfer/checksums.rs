//! Copies that are proven by a checksum other than MD5.

use nightferry::model::{
    CarriedHeaders, Checksum, ChecksumAlgorithm, ChecksumMode, FailureCause, OpenUpload, Verified,
};
use nightferry::s3::{Body, Condition, Piece, Upload};
use nightferry::transfer::{Limits, PartPlan, Route};

use super::{MIB, World, object};
use crate::s3_server::{Fault, FaultAction};

const CRC64NVME: ChecksumAlgorithm = ChecksumAlgorithm::Crc64nvme;

/// A world that carries 11 MiB in parts of 5, 5 and 1 MiB to a destination that
/// was seen to check `algorithm`.
fn world_checking(algorithm: ChecksumAlgorithm) -> World {
    let mut world = World::new();
    world.transfer.limits = Limits {
        part_bytes: 5 * MIB,
        multipart_above_bytes: 2 * MIB,
        share_bytes: 5 * MIB,
    };
    world.server.put_random("src", "large", 11 * MIB, 7);
    world.transfer.destination.checks(algorithm);
    world
}

fn same(world: &World, name: &str) -> bool {
    let source = world.server.object("src", name).unwrap();
    let copy = world.server.object("dst", name).unwrap();
    source.sha256() == copy.sha256()
}

/// The headers of this name that requests of this operation came with, or not.
fn sent(world: &World, operation: &str, header: &str) -> Vec<Option<String>> {
    let requests = world.server.requests();
    let requests = requests.iter().filter(|r| r.operation == operation);
    requests
        .map(|request| request.header(header).map(str::to_owned))
        .collect()
}

fn checksum(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Checksum {
    let (kind, skipped) = match algorithm {
        CRC64NVME => (crc_fast::CrcAlgorithm::Crc64Nvme, 0),
        _ => (crc_fast::CrcAlgorithm::Crc32Iscsi, 4),
    };
    let value = crc_fast::checksum(kind, bytes).to_be_bytes();
    let engine = base64::engine::general_purpose::STANDARD;
    Checksum {
        algorithm,
        base64: base64::Engine::encode(&engine, &value[skipped..]),
    }
}

/// Has the source state this checksum of the whole of `name`.
fn state(world: &World, name: &str, algorithm: ChecksumAlgorithm) {
    let body = world.server.object("src", name).unwrap().body();
    let stated = checksum(algorithm, &body);
    let upload = Upload {
        body: Body::Bytes(body.into()),
        headers: &CarriedHeaders::default(),
        content_md5: None,
        checksum: Some(&stated),
        condition: Condition::Anything,
    };
    world.transfer.source.put(name, upload).unwrap();
    assert_eq!(world.planned(name).checksums, [stated]);
    world.server.clear_requests();
}

#[test]
fn parts_are_proven_by_the_checksum_that_the_destination_checks() {
    for (algorithm, header, verified) in [
        (CRC64NVME, "x-amz-checksum-crc64nvme", Verified::Crc64nvme),
        (
            ChecksumAlgorithm::Crc32c,
            "x-amz-checksum-crc32c",
            Verified::Crc32c,
        ),
        (
            ChecksumAlgorithm::Sha256,
            "x-amz-checksum-sha256",
            Verified::Sha256,
        ),
    ] {
        let world = world_checking(algorithm);
        let arrival = world.copy_routed("large").unwrap();
        assert_eq!(arrival.copied.verified, verified);
        assert!(same(&world, "large"));
        assert_eq!(world.tally.retries(), 0);
        let sums = sent(&world, "UploadPart", header);
        assert!(
            sums.len() == 3 && sums.iter().all(Option::is_some),
            "{header}"
        );
        let md5s = sent(&world, "UploadPart", "content-md5");
        assert_eq!(md5s, [None, None, None], "{header}");
        // What the parts make is proven by the tag: nothing is asked for.
        assert_eq!(world.transfer.destination.counters().head, 0, "{header}");
        let begun = sent(&world, "CreateMultipartUpload", "x-amz-checksum-algorithm");
        let crc = (algorithm != ChecksumAlgorithm::Sha256).then(|| algorithm.as_str().to_owned());
        assert_eq!(begun, [crc]);
    }
}

#[test]
fn the_task_may_ask_for_md5_throughout() {
    let mut world = world_checking(CRC64NVME);
    world.transfer.checksum = ChecksumMode::Md5;
    let arrival = world.copy_routed("large").unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    let header = "x-amz-checksum-crc64nvme";
    assert_eq!(sent(&world, "UploadPart", header), [None, None, None]);
}

#[test]
fn a_part_that_arrives_wrong_is_refused_and_sent_again() {
    let world = world_checking(CRC64NVME);
    let fault = Fault::answer(400, "BadDigest").operation("UploadPart");
    world.server.on(fault.times(1));
    let arrival = world.copy_routed("large").unwrap();
    assert_eq!(arrival.copied.verified, Verified::Crc64nvme);
    assert_eq!(world.tally.retries(), 1);
    assert!(same(&world, "large"));
}

#[test]
fn a_wrong_echo_of_a_part_is_an_integrity_failure_and_tried_again() {
    let world = world_checking(CRC64NVME);
    let fault = Fault::new(FaultAction::WrongChecksums).operation("UploadPart");
    let fault = world.server.on(fault);
    let failure = world.copy_routed("large").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(failure.message.contains("crc64nvme"), "{failure:?}");
    assert!(world.server.uploads("dst").is_empty());
    world.server.remove_fault(fault);
    let fault = Fault::new(FaultAction::WrongChecksums).operation("UploadPart");
    world.server.on(fault.times(1));
    let arrival = world.copy_routed("large").unwrap();
    assert_eq!(arrival.copied.verified, Verified::Crc64nvme);
}

#[test]
fn a_part_that_is_stored_wrong_shows_in_the_checksum_of_the_whole() {
    let world = world_checking(CRC64NVME);
    let fault = Fault::new(FaultAction::StoreCorrupted).operation("UploadPart");
    world.server.on(fault.times(1));
    let failure = world.copy_routed("large").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(failure.message.contains("crc64nvme"), "{failure:?}");
    assert!(failure.message.contains("was removed"), "{failure:?}");
    assert!(world.server.object("dst", "large").is_none());
}

#[test]
fn a_server_that_ignores_the_checksums_of_parts_is_met_with_md5() {
    let world = world_checking(CRC64NVME);
    let action = FaultAction::IgnoreChecksums { md5_tags: true };
    world.server.on(Fault::new(action).operation("UploadPart"));
    let arrival = world.copy_routed("large").unwrap();
    // The parts whose checksum was ignored are proven by their tags all the same.
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert_eq!((world.tally.retries(), world.count("UploadPart")), (0, 3));
    assert!(same(&world, "large"));
    let destination = &world.transfer.destination;
    assert!(!destination.is_checking(CRC64NVME, Piece::Part));
    assert!(destination.is_checking(CRC64NVME, Piece::Object));
    world.server.clear_requests();
    world.copy_routed("large").unwrap();
    let md5s = sent(&world, "UploadPart", "content-md5");
    assert!(md5s.len() == 3 && md5s.iter().all(Option::is_some));
}

#[test]
fn a_server_that_neither_echoes_nor_tags_by_md5_gets_the_part_again_with_its_md5() {
    let world = world_checking(CRC64NVME);
    let action = FaultAction::IgnoreChecksums { md5_tags: false };
    world.server.on(Fault::new(action).operation("UploadPart"));
    let arrival = world.copy_routed("large").unwrap();
    // The MD5s that were sent along make the tag of the whole.
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    assert!(world.tally.retries() > 0);
    assert!(same(&world, "large"));
}

#[test]
fn a_server_that_refuses_the_kind_of_upload_is_met_with_md5() {
    for (status, code) in [(400, "InvalidRequest"), (501, "NotImplemented")] {
        let world = world_checking(CRC64NVME);
        let fault = Fault::answer(status, code).operation("CreateMultipartUpload");
        world.server.on(fault.times(1));
        let arrival = world.copy_routed("large").unwrap();
        assert_eq!(arrival.copied.verified, Verified::EtagMd5, "{code}");
        assert_eq!(
            sent(&world, "UploadPart", "x-amz-checksum-crc64nvme"),
            [None, None, None]
        );
        let begun = sent(&world, "CreateMultipartUpload", "x-amz-checksum-algorithm");
        assert_eq!(begun.last(), Some(&None), "{code}");
    }
}

#[test]
fn a_part_whose_checksum_is_refused_for_its_kind_goes_with_md5_and_so_do_the_others() {
    let world = world_checking(CRC64NVME);
    let (planned, plan) = large(&world);
    let fault = Fault::answer(400, "InvalidRequest").operation("UploadPart");
    world.server.on(fault.times(1));
    let begun = world
        .transfer
        .begin_parts("large", &planned, plan, None, &world.tally);
    let parts = begun.unwrap();
    for index in 0..3 {
        parts.copy_part(index, &world.tally).unwrap();
    }
    let arrival = parts.finish(None, &world.tally).unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    let with_crc = sent(&world, "UploadPart", "x-amz-checksum-crc64nvme");
    assert_eq!(with_crc.iter().filter(|sent| sent.is_some()).count(), 1);
    assert_eq!(world.tally.retries(), 0);
}

fn large(world: &World) -> (nightferry::model::ObjectFacts, PartPlan) {
    let planned = world.planned("large");
    let Route::Parts(plan) = world.transfer.route(planned.size_bytes).unwrap() else {
        panic!("11 MiB go in parts");
    };
    (planned, plan)
}

/// Carries the first part of `large` and forgets all but what the ledger would keep.
fn interrupted(world: &World) -> OpenUpload {
    let (planned, plan) = large(world);
    let begun = world
        .transfer
        .begin_parts("large", &planned, plan, None, &world.tally);
    let parts = begun.unwrap();
    let mut open = parts.open_upload();
    open.parts.push(parts.copy_part(0, &world.tally).unwrap());
    open
}

#[test]
fn an_upload_of_an_earlier_run_goes_on_whatever_proved_its_parts() {
    // What the earlier run had sent along, what this one has, and what proves the whole.
    let kinds = [None, Some(CRC64NVME), Some(ChecksumAlgorithm::Crc32c)];
    for (earlier, now) in kinds
        .iter()
        .flat_map(|earlier| kinds.map(|now| (*earlier, now)))
    {
        let world = world_checking(ChecksumAlgorithm::Crc32);
        let destination = &world.transfer.destination;
        earlier.inspect(|kind| destination.checks(*kind));
        let open = interrupted(&world);
        earlier.inspect(|kind| destination.ignores(*kind, Piece::Part));
        now.inspect(|kind| destination.checks(*kind));
        let (planned, plan) = large(&world);
        let resumed = world
            .transfer
            .begin_parts("large", &planned, plan, Some(&open), &world.tally)
            .unwrap();
        assert!(resumed.is_resumed() && resumed.has_part(0));
        resumed.copy_part(1, &world.tally).unwrap();
        resumed.copy_part(2, &world.tally).unwrap();
        let arrival = resumed.finish(None, &world.tally).unwrap();
        let verified = match (earlier, now) {
            (None, _) | (_, None) => Verified::EtagMd5,
            (Some(CRC64NVME), Some(CRC64NVME)) => Verified::Crc64nvme,
            _ => Verified::Crc32c,
        };
        assert_eq!(arrival.copied.verified, verified, "{earlier:?} {now:?}");
        assert!(same(&world, "large"));
        assert_eq!(world.count("UploadPart"), 3);
    }
}

#[test]
fn an_upload_that_will_not_take_further_parts_is_no_reason_to_fail_for_good() {
    let world = world_checking(CRC64NVME);
    let open = interrupted(&world);
    let (planned, plan) = large(&world);
    let resumed = world
        .transfer
        .begin_parts("large", &planned, plan, Some(&open), &world.tally)
        .unwrap();
    world
        .server
        .on(Fault::answer(400, "InvalidRequest").operation("UploadPart"));
    let failure = resumed.copy_part(1, &world.tally).unwrap_err();
    // The run gives the upload up and looks at the object anew.
    assert_eq!(failure.cause, FailureCause::Integrity);
}

#[test]
fn the_parts_make_the_crc_that_the_source_states_whatever_the_destination_checks() {
    for stated in [CRC64NVME, ChecksumAlgorithm::Crc32c] {
        let world = world_checking(CRC64NVME);
        state(&world, "large", stated);
        let arrival = world.copy_routed("large").unwrap();
        assert_eq!(arrival.copied.verified, Verified::Crc64nvme);
        assert!(same(&world, "large"));
        // A byte that changes on the way into a part shows in the whole.
        let fault = Fault::new(FaultAction::FlipByte { at: 100 }).operation("GetObject");
        world.server.on(fault.times(1));
        let failure = world.copy_routed("large").unwrap_err();
        assert_eq!(failure.cause, FailureCause::Integrity);
        let said = format!("the source's {} is", stated.header());
        assert!(failure.message.contains(&said), "{failure:?}");
    }
}

#[test]
fn a_whole_object_whose_tag_is_no_md5_is_proven_by_a_checksum() {
    let world = world_checking(CRC64NVME);
    world.server.put("src", "a", object(vec![b'x'; 3000]));
    world.server.set_etag("src", "a", "0123-2");
    let arrival = world.copy("a").unwrap();
    assert_eq!(arrival.copied.verified, Verified::Crc64nvme);
    assert_eq!(sent(&world, "PutObject", "content-md5"), [None]);
    // Where the tag is one it tells what went wrong on the way here.
    world.server.put("src", "b", object(vec![b'x'; 2 << 20]));
    let arrival = world.copy("b").unwrap();
    assert_eq!(arrival.copied.verified, Verified::EtagMd5);
    let flipped = Fault::new(FaultAction::FlipByte { at: 100 }).operation("GetObject");
    world.server.on(flipped);
    let failure = world.copy("b").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    let said = "the source's MD5 is";
    assert!(failure.message.contains(said), "{failure:?}");
}

#[test]
fn a_whole_object_whose_checksum_is_not_echoed_is_proven_by_md5() {
    for (md5_tags, verified) in [(true, Verified::EtagMd5), (false, Verified::ContentMd5)] {
        let world = world_checking(CRC64NVME);
        let action = FaultAction::IgnoreChecksums { md5_tags };
        world.server.on(Fault::new(action).operation("PutObject"));
        world.server.put("src", "a", object(vec![b'x'; 3000]));
        world.server.set_etag("src", "a", "0123-2");
        let arrival = world.copy("a").unwrap();
        assert_eq!(arrival.copied.verified, verified);
        assert!(same(&world, "a"));
    }
}

#[test]
fn a_wrong_echo_of_a_whole_object_removes_the_copy() {
    let world = world_checking(CRC64NVME);
    world.server.put("src", "a", object(vec![b'x'; 3000]));
    world.server.set_etag("src", "a", "0123-2");
    world
        .server
        .on(Fault::new(FaultAction::WrongChecksums).operation("PutObject"));
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(world.server.object("dst", "a").is_none());
}
