//! How long servers are waited for, and that our own caps are not held against them.

use std::thread;
use std::time::{Duration, Instant};

use nightferry::clock::Clock;
use nightferry::model::{FailureCause, Timetable, Zone};
use nightferry::s3::{Bandwidth, GetOptions};

use super::{World, object};
use crate::s3_server::{ACCESS_KEY, Fault, FaultAction, S3Server};

/// A world that waits no longer than `timeout_ms` for an answer, and tries once.
fn impatient(timeout_ms: u64) -> World {
    let timeout = Duration::from_millis(timeout_ms);
    let mut world = World::waiting(S3Server::builder(), ACCESS_KEY, timeout);
    world.transfer.retry.attempts = 1;
    world.server.put("src", "a", object("some text"));
    world
}

/// Answers to this operation come a byte at a time, each well in time.
fn trickle(world: &World, operation: &'static str) {
    let action = FaultAction::TrickleBody {
        after_bytes: 2,
        pause: Duration::from_millis(150),
    };
    world.server.on(Fault::new(action).operation(operation));
}

#[test]
fn a_body_that_trickles_is_a_timeout() {
    let world = impatient(300);
    trickle(&world, "GetObject");
    let failure = world.copy("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Timeout, "{failure:?}");
}

#[test]
fn a_listing_that_trickles_is_a_timeout() {
    let world = impatient(300);
    trickle(&world, "ListObjectsV2");
    let failure = world.transfer.source.list("", None, None, 5).unwrap_err();
    assert_eq!(failure.cause, FailureCause::Timeout, "{failure:?}");
}

#[test]
fn an_upload_whose_beginning_trickles_is_a_timeout() {
    let world = impatient(300);
    trickle(&world, "CreateMultipartUpload");
    let headers = nightferry::model::CarriedHeaders(Vec::new());
    let begun = world
        .transfer
        .destination
        .create_upload("a", &headers, None);
    assert_eq!(begun.unwrap_err().cause, FailureCause::Timeout);
}

#[test]
fn a_refusal_that_trickles_is_a_timeout_not_a_refusal() {
    let world = impatient(300);
    trickle(&world, "GetObject");
    let got = world.transfer.source.get("missing", GetOptions::default());
    assert_eq!(got.unwrap_err().cause, FailureCause::Timeout);
}

#[test]
fn a_head_that_is_never_answered_is_a_timeout() {
    let world = impatient(300);
    let stalls = Fault::new(FaultAction::StallForever).operation("HeadObject");
    world.server.on(stalls);
    let failure = world.transfer.source_head("a", &world.tally).unwrap_err();
    assert_eq!(failure.cause, FailureCause::Timeout);
}

#[test]
fn waiting_for_bandwidth_is_not_held_against_the_server() {
    let mut world = impatient(900);
    let timetable = Timetable::always(Zone::UTC, 64 * 1024);
    let bandwidth = Bandwidth::new(timetable, Clock::system(), 4);
    world.transfer.source = world.transfer.source.clone().within(bandwidth);
    // At this cap each takes longer than an answer may, and only one body is open at
    // once: the last one waits three times as long before it begins.
    let names = ["w", "x", "y", "z"];
    for name in names {
        world.server.put("src", name, object(vec![7; 63 * 1024]));
    }
    let began = Instant::now();
    thread::scope(|scope| {
        for name in names {
            let world = &world;
            scope.spawn(move || world.copy(name).unwrap());
        }
    });
    // 252 KiB at 64 KiB a second.
    assert!(began.elapsed() >= Duration::from_millis(3930));
    for name in names {
        assert_eq!(
            world.server.object("dst", name).unwrap().body().len(),
            63 * 1024
        );
    }
}
