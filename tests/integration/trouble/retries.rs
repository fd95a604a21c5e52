//! What is tried again within a run, and what a run never believes.

use std::time::{Duration, SystemTime};

use super::World;
use crate::s3_server::{Fault, FaultAction, NewObject};

const MIB: u64 = 1024 * 1024;

fn counts(world: &World, run: u32) -> Vec<String> {
    world.rows(&format!(
        "SELECT retries, throttled FROM run_history WHERE run = {run}"
    ))
}

#[test]
fn an_object_that_is_throttled_twice_arrives() {
    let world = World::asked_for(&["a", "b"]);
    let fault = Fault::answer(503, "SlowDown").operation("PutObject");
    world.server.on(fault.key("a").times(2));
    world.night(0);
    assert_eq!(world.runs(), ["ended|2|2|0|0|0|0|done"]);
    assert_eq!(counts(&world, 1), ["2|2"]);
    assert_eq!(world.came("GetObject", "src", "a"), 2, "preflight and copy");
    world.check_books();
}

#[test]
fn an_object_that_is_throttled_always_fails_and_is_carried_over() {
    let world = World::asked_for(&["a", "b"]);
    let fault = Fault::answer(503, "SlowDown").operation("PutObject");
    world.server.on(fault.key("a"));
    world.night(4);
    assert_eq!(world.runs(), ["ended|2|1|1|0|0|4|failed"]);
    assert_eq!(counts(&world, 1), ["3|4"]);
    assert_eq!(
        world.rows("SELECT name, cause, carried_over, days_left, error_code, http_status FROM failed_requests"),
        ["a|throttled|1|7|SlowDown|503"]
    );
    world.server.clear_faults();
    world.night(0);
    assert_eq!(world.runs()[1], "ended|1|1|0|0|0|0|done");
    assert_eq!(counts(&world, 2), ["0|0"]);
    assert_eq!(
        world.rows("SELECT run, attempt, outcome, reason FROM object_history WHERE name = 'a'"),
        ["1|1|failed|throttled", "2|2|synced|"]
    );
    world.check_books();
}

#[test]
fn a_night_begins_although_each_check_is_throttled_three_times() {
    let world = World::asked_for(&["a"]);
    let canary = "oms/sync_task/photos/.canary";
    for (operation, bucket, key) in [
        ("ListObjectsV2", "src", None),
        ("GetObject", "src", None),
        ("PutObject", "dst", Some(canary)),
        ("GetObject", "dst", Some(canary)),
        ("DeleteObject", "dst", Some(canary)),
    ] {
        let fault = Fault::answer(503, "SlowDown").operation(operation);
        let fault = fault.bucket(bucket).times(3);
        world.server.on(match key {
            Some(key) => fault.key(key),
            None => fault,
        });
    }
    world.night(0);
    assert_eq!(world.runs(), ["ended|1|1|0|0|0|0|done"]);
    assert!(!world.server.keys("dst").contains(&canary.to_owned()));
}

#[test]
fn bytes_that_are_not_those_of_the_source_are_never_synced() {
    let names = ["corrupted", "flipped", "truncated", "whole", "wrong-tag"];
    let world = World::asked_for(&names);
    for (operation, key, action) in [
        ("GetObject", "flipped", FaultAction::FlipByte { at: 3 }),
        (
            "GetObject",
            "truncated",
            FaultAction::TruncateBody { after_bytes: 4 },
        ),
        ("PutObject", "corrupted", FaultAction::StoreCorrupted),
        ("PutObject", "wrong-tag", FaultAction::WrongEtag),
    ] {
        world
            .server
            .on(Fault::new(action).operation(operation).key(key));
    }
    world.night(4);
    assert_eq!(world.runs(), ["ended|5|2|3|0|0|4|failed"]);
    assert_eq!(
        world.requests(),
        [
            "corrupted|failed|integrity",
            "flipped|failed|integrity",
            "truncated|failed|network",
            "whole|synced|",
            "wrong-tag|synced|"
        ]
    );
    // What the destination altered was removed; what only its answer belied
    // turned out to be right when it was looked at again.
    assert_eq!(world.copies(), ["whole", "wrong-tag"]);
    world.server.clear_faults();
    world.night(0);
    assert_eq!(
        world.requests(),
        [
            "corrupted|synced|",
            "flipped|synced|",
            "truncated|synced|",
            "whole|synced|",
            "wrong-tag|synced|"
        ]
    );
    for name in names {
        let copy = world.server.object("dst", name).unwrap();
        assert_eq!(copy.body(), name.as_bytes());
    }
    world.check_books();
}

#[test]
fn an_upload_in_parts_that_fails_is_given_up_or_left_for_the_next_night() {
    for (fault, cause, left) in [
        (
            Fault::answer(403, "AccessDenied").operation("UploadPart"),
            "destination_denied",
            false,
        ),
        (
            Fault::answer(503, "SlowDown").operation("UploadPart"),
            "throttled",
            true,
        ),
        (
            Fault::new(FaultAction::StoreCorrupted).operation("UploadPart"),
            "integrity",
            false,
        ),
        (
            Fault::new(FaultAction::TruncateBody { after_bytes: 4 })
                .operation("GetObject")
                .after(1),
            "network",
            true,
        ),
        (
            Fault::new(FaultAction::CompleteAnswers200WithError {
                code: "InternalError",
            })
            .operation("CompleteMultipartUpload"),
            "server_error",
            true,
        ),
    ] {
        let said = format!("{fault:?}");
        let world = World::new();
        world.server.put_random("src", "film", 12 * MIB, 7);
        world.ask("list", &["film"]);
        // The one read that may pass is the preflight's.
        world.server.on(fault.key("film"));
        world.night(4);
        assert_eq!(world.requests(), [format!("film|failed|{cause}")], "{said}");
        assert_eq!(!world.server.uploads("dst").is_empty(), left, "{said}");
        assert_eq!(world.copies(), [""; 0], "{said}");

        world.server.clear_faults();
        world.night(0);
        let copy = world.server.object("dst", "film").unwrap();
        let original = world.server.object("src", "film").unwrap();
        assert_eq!(copy.sha256(), original.sha256(), "{said}");
        assert_eq!(copy.part_sizes, [5 * MIB, 5 * MIB, 2 * MIB], "{said}");
        assert_eq!(world.server.uploads("dst"), [], "{said}");
        world.check_books();
    }
}

#[test]
fn a_part_that_fails_once_does_not_fail_the_object() {
    let world = World::new();
    world.server.put_random("src", "film", 12 * MIB, 7);
    world.ask("list", &["film"]);
    world.server.on(Fault::new(FaultAction::DropConnection)
        .operation("UploadPart")
        .times(2));
    world.night(0);
    assert_eq!(counts(&world, 1), ["2|0"]);
    let copy = world.server.object("dst", "film").unwrap();
    assert_eq!(copy.part_sizes, [5 * MIB, 5 * MIB, 2 * MIB]);
    assert_eq!(world.server.uploads("dst"), []);
}

#[test]
fn parts_that_do_not_make_the_whole_are_carried_again() {
    let world = World::new();
    world.server.put_random("src", "film", 12 * MIB, 7);
    world.ask("list", &["film"]);
    let altered = Fault::new(FaultAction::FlipByte { at: 3 }).operation("GetObject");
    // The one read that may pass is the preflight's.
    world.server.on(altered.key("film").after(1).times(1));
    world.night(0);
    assert_eq!(world.requests(), ["film|synced|"]);
    let copy = world.server.object("dst", "film").unwrap();
    let original = world.server.object("src", "film").unwrap();
    assert_eq!(copy.sha256(), original.sha256());
    assert_eq!(world.server.uploads("dst"), []);
    world.check_books();
}

#[test]
fn a_server_that_refuses_the_right_tag_too_is_written_to_without_it() {
    let world = World::asked_for(&["a"]);
    world.night(0);
    let misreads = Fault::new(FaultAction::MisreadIfMatch).operation("PutObject");
    world.server.on(misreads);
    let newer = SystemTime::now() + Duration::from_mins(1);
    let object = NewObject {
        body: b"longer than before".to_vec(),
        last_modified: Some(newer),
        ..NewObject::default()
    };
    world.server.put("src", "a", object);
    world.ask("second", &["a"]);
    world.night(0);
    assert_eq!(world.runs().last().unwrap(), "ended|1|1|0|0|0|0|done");
    let copy = world.server.object("dst", "a").unwrap();
    assert_eq!(copy.body(), b"longer than before");
    let doctor = world.does(&["doctor"]);
    assert!(
        doctor.stdout.contains("keeps If-None-Match\n"),
        "{doctor:?}"
    );
    world.check_books();
}
