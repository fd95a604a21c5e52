//! Servers and connections that fail: what is tried again, and what is not believed.

use std::time::Duration;

use nightferry::model::{FailureCause, Verified};

use super::{World, object, stopped};
use crate::s3_server::{ACCESS_KEY, Fault, FaultAction, S3Server};

fn world_with(fault: Fault) -> World {
    let world = World::new();
    world.server.put("src", "a", object("some text"));
    world.server.on(fault);
    world
}

fn on(operation: &'static str, action: FaultAction) -> Fault {
    Fault::new(action).operation(operation)
}

#[test]
fn what_fails_once_is_tried_again() {
    for fault in [
        on("GetObject", FaultAction::TruncateBody { after_bytes: 4 }),
        on("GetObject", FaultAction::FlipByte { at: 3 }),
        on("GetObject", FaultAction::DropConnection),
        on("PutObject", FaultAction::DropConnection),
        on("PutObject", FaultAction::DropAnswer),
        on("PutObject", FaultAction::StoreCorrupted),
        on("PutObject", FaultAction::WrongEtag),
        Fault::answer(503, "SlowDown").operation("GetObject"),
        Fault::answer(500, "InternalError").operation("PutObject"),
        Fault::answer(400, "BadDigest").operation("PutObject"),
        Fault::answer(400, "RequestTimeout").operation("PutObject"),
    ] {
        let said = format!("{fault:?}");
        let world = world_with(fault.times(1));
        let arrival = world.copy("a").unwrap();
        assert_eq!(arrival.copied.verified, Verified::EtagMd5, "{said}");
        assert_eq!(world.tally.retries(), 1, "{said}");
        let copy = world.server.object("dst", "a").unwrap();
        assert_eq!(copy.body(), b"some text", "{said}");
    }
}

#[test]
fn what_fails_always_fails_for_its_cause_and_leaves_no_copy() {
    for (fault, cause) in [
        (
            on("GetObject", FaultAction::TruncateBody { after_bytes: 4 }),
            FailureCause::Network,
        ),
        (
            on("GetObject", FaultAction::FlipByte { at: 3 }),
            FailureCause::Integrity,
        ),
        (
            on("PutObject", FaultAction::StoreCorrupted),
            FailureCause::Integrity,
        ),
        (
            Fault::answer(400, "BadDigest").operation("PutObject"),
            FailureCause::Integrity,
        ),
        (
            Fault::answer(503, "SlowDown").operation("PutObject"),
            FailureCause::Throttled,
        ),
        (
            Fault::answer(507, "InsufficientStorage").operation("PutObject"),
            FailureCause::DestinationFull,
        ),
    ] {
        let said = format!("{fault:?}");
        let world = world_with(fault);
        let failure = world.copy("a").unwrap_err();
        assert_eq!(failure.cause, cause, "{said}");
        assert!(world.server.object("dst", "a").is_none(), "{said}");
    }
}

#[test]
fn a_copy_that_the_destination_altered_is_removed_and_said_to_be() {
    let world = world_with(on("PutObject", FaultAction::StoreCorrupted));
    let failure = world.copy("a").unwrap_err();
    assert!(
        failure.message.ends_with("; the wrong copy was removed"),
        "{failure:?}"
    );
    assert_eq!(world.count("PutObject"), 4);
    assert_eq!(world.count("GetObject"), 1);
}

#[test]
fn an_answer_with_a_wrong_tag_never_removes_what_is_right() {
    let world = world_with(on("PutObject", FaultAction::WrongEtag));
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Integrity);
    assert!(
        failure.message.ends_with("not there any more"),
        "{failure:?}"
    );
    let copy = world.server.object("dst", "a").unwrap();
    assert_eq!(copy.body(), b"some text");
}

#[test]
fn answers_that_ask_for_a_slower_pace_are_counted_and_heeded() {
    let world = world_with(
        Fault::new(FaultAction::Answer {
            status: 503,
            code: "SlowDown",
            message: "Please reduce your request rate.",
            headers: vec![("Retry-After".into(), "1".into())],
        })
        .operation("PutObject")
        .times(2),
    );
    world.copy("a").unwrap();
    assert_eq!(world.tally.throttled(), 2);
    assert_eq!(world.tally.retries(), 2);
    assert_eq!(world.transfer.destination.counters().throttled, 2);
}

#[test]
fn a_server_that_stands_still_is_not_waited_for_for_ever() {
    for (operation, action) in [
        ("GetObject", FaultAction::StallForever),
        ("GetObject", FaultAction::StallBody { after_bytes: 4 }),
        ("PutObject", FaultAction::StallForever),
    ] {
        let timeout = Duration::from_millis(500);
        let mut world = World::waiting(S3Server::builder(), ACCESS_KEY, timeout);
        world.transfer.retry.attempts = 1;
        world.server.put("src", "a", object("some text"));
        world.server.on(on(operation, action));
        let failure = world.copy("a").unwrap_err();
        assert_eq!(failure.cause, FailureCause::Timeout, "{failure:?}");
    }
}

#[test]
fn nothing_is_tried_again_once_the_run_is_stopped() {
    let mut world = world_with(Fault::answer(500, "InternalError").operation("PutObject"));
    world.transfer.stop = stopped();
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::ServerError);
    assert_eq!(world.count("PutObject"), 1);
    assert_eq!(world.tally.retries(), 0);
}

#[test]
fn a_pause_ends_when_the_run_is_stopped() {
    let mut world = world_with(Fault::answer(500, "InternalError").operation("PutObject"));
    world.transfer.retry.base_ms = 3_600_000;
    world.transfer.retry.cap_ms = 3_600_000;
    let planned = world.planned("a");
    std::thread::scope(|scope| {
        let copying = scope.spawn(|| world.copy_as("a", &planned));
        while world.count("PutObject") == 0 {
            std::thread::yield_now();
        }
        world.stop();
        assert!(copying.join().unwrap().is_err());
    });
}

#[test]
fn a_source_that_changes_after_the_plan_is_not_copied() {
    let world = World::new();
    world.server.put("src", "a", object("before"));
    let planned = world.planned("a");
    world.server.put("src", "a", object("after!"));
    let failure = world.copy_as("a", &planned).unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceChanged);
    assert_eq!(failure.http_status, Some(412));
    assert_eq!(world.tally.retries(), 0);
    assert!(world.server.object("dst", "a").is_none());
    // The facts asked for afresh lead to the new object.
    world.copy("a").unwrap();
    assert_eq!(world.server.object("dst", "a").unwrap().body(), b"after!");
}

#[test]
fn a_source_that_gives_another_object_is_not_believed() {
    let world = world_with(on("GetObject", FaultAction::WrongEtag));
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceChanged);
    assert_eq!(world.count("PutObject"), 0);
}

#[test]
fn a_source_that_vanishes_after_the_plan_is_missing() {
    let world = World::new();
    world.server.put("src", "a", object("text"));
    let planned = world.planned("a");
    world.server.remove("src", "a");
    let failure = world.copy_as("a", &planned).unwrap_err();
    assert_eq!(failure.cause, FailureCause::SourceMissing);
    assert_eq!(failure.error_code.as_deref(), Some("NoSuchKey"));
}
