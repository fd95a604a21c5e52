//! Runs that are asked to stop.

use std::process::Command;

use super::World;
use super::process::Night;
use crate::s3_server::Gate;

const NAMES: [&str; 5] = ["b1", "b2", "b3", "b4", "b5"];

/// A run that is carrying the first name.
fn held() -> (World, Night, Gate) {
    let world = World::one_by_one(&NAMES);
    let gate = world.server.gate("PutObject", "dst", Some("b1"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    (world, night, gate)
}

/// Carries what was left, beginning with `first`, though a name comes before it.
fn finishes_the_rest(world: &World, first: &str) {
    world.put(&["a"]);
    world.ask("second", &["a"]);
    world.server.clear_requests();
    world.night(0);
    let requests = world.server.requests();
    let looks = requests
        .iter()
        .filter(|r| r.operation == "HeadObject" && !r.key.starts_with("oms/"))
        .map(|r| r.key.as_str());
    let order: Vec<&str> = looks.collect();
    assert_eq!(order.first(), Some(&first), "{order:?}");
    assert_eq!(order.last(), Some(&"a"), "{order:?}");
    assert_eq!(world.copies(), ["a", "b1", "b2", "b3", "b4", "b5"]);
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_signal_lets_what_is_in_flight_end_and_defers_the_rest() {
    for signal in ["TERM", "INT"] {
        let (world, mut night, gate) = held();
        night.stop(signal);
        gate.open();
        let ended = night.end();
        assert_eq!(ended.code, Some(6), "{signal} {ended:?}");
        assert!(ended.stdout.contains("4 deferred: stopped"), "{ended:?}");
        assert!(ended.stdout.contains("THIS MONTH") || ended.stdout.contains("photos"));
        assert_eq!(world.runs(), ["ended|5|1|0|0|4|6|deferred"]);
        assert_eq!(
            world.rows("SELECT name, attempts, deferral FROM pending_requests ORDER BY name"),
            [
                "b2|0|stopped",
                "b3|0|stopped",
                "b4|0|stopped",
                "b5|0|stopped"
            ]
        );
        assert_eq!(world.copies(), ["b1"]);
        assert_eq!(world.listed("success", 1), ["b1"]);
        assert_eq!(world.manifests(), 1);
        world.check_delivered();
        finishes_the_rest(&world, "b2");
        assert_eq!(world.runs()[1], "ended|5|5|0|0|0|0|done");
    }
}

#[test]
fn a_terminal_that_goes_away_stops_a_run_once_unless_that_is_to_be_ignored() {
    let (world, mut night, gate) = held();
    night.stop("HUP");
    // The system and the shell each say so.
    night.signal("HUP");
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(world.runs(), ["ended|5|1|0|0|4|6|deferred"]);
    assert_eq!(world.manifests(), 1);
    finishes_the_rest(&world, "b2");

    let world = World::one_by_one(&NAMES);
    let gate = world.server.gate("PutObject", "dst", Some("b1"));
    let mut nohup = Command::new("sh");
    let program = assert_cmd::cargo::cargo_bin!("nightferry");
    let ignoring = "trap '' HUP; exec \"$0\" \"$@\"";
    nohup.args(["-c", ignoring]).arg(program).arg("--config");
    let night = Night::of({
        nohup.arg(world.config()).arg("run");
        nohup
    });
    gate.wait_arrived();
    night.signal("HUP");
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.runs(), ["ended|5|5|0|0|0|0|done"]);
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_in_flight() {
    let (world, mut night, gate) = held();
    night.stop("TERM");
    night.signal("TERM");
    // The gate is closed still.
    let ended = night.end();
    assert_eq!(ended.code, Some(6), "{ended:?}");
    // Nothing is delivered any more: that would be waiting too.
    assert_eq!(world.runs(), ["ended|5|0|0|0|5|6|deferred,owed"]);
    assert_eq!(
        world.rows("SELECT DISTINCT attempts, deferral FROM pending_requests"),
        ["0|stopped"]
    );
    assert_eq!(world.manifests(), 1);
    world.check_books();
    gate.open();
    finishes_the_rest(&world, "b1");
}

#[test]
fn an_object_in_parts_that_is_under_way_is_finished() {
    let world = World::one_by_one(&["z"]);
    world.server.put_random("src", "film", 12 << 20, 7);
    world.ask("second", &["film"]);
    let gate = world
        .server
        .gate("CreateMultipartUpload", "dst", Some("film"));
    let mut night = world.begins(&["run"]);
    gate.wait_arrived();
    night.stop("TERM");
    gate.open();
    assert_eq!(night.end().code, Some(6));
    assert_eq!(world.requests(), ["z|pending|", "film|synced|"]);
    assert_eq!(world.server.object("dst", "film").unwrap().size, 12 << 20);
    assert_eq!(world.server.uploads("dst"), []);
    world.night(0);
    world.check_books();
}

#[test]
fn a_signal_ends_a_pause_between_two_attempts() {
    let world = World::one_by_one(&["a", "b"]);
    let slow = crate::s3_server::FaultAction::Answer {
        status: 503,
        code: "SlowDown",
        message: "Please reduce your request rate.",
        headers: vec![("Retry-After".into(), "3".into())],
    };
    let fault = crate::s3_server::Fault::new(slow).operation("PutObject");
    world.server.on(fault.key("a"));
    let gate = world.server.gate("PutObject", "dst", Some("a"));
    let mut night = world.begins(&["run"]);
    gate.wait_arrived();
    night.stop("TERM");
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_eq!(world.requests(), ["a|failed|throttled", "b|pending|"]);
    assert_eq!(world.came("PutObject", "dst", "a"), 1);
    assert_eq!(world.runs(), ["ended|2|0|1|0|1|4|failed,deferred"]);
    world.check_books();
}

#[test]
fn a_signal_before_the_first_object_leaves_what_was_not_begun() {
    let world = World::one_by_one(&NAMES);
    let preflight = world.server.gate("ListObjectsV2", "src", None);
    let first = world.server.gate("PutObject", "dst", Some("b1"));
    let mut night = world.begins(&["run"]);
    preflight.wait_arrived();
    night.signal("TERM");
    preflight.open();
    // Only once it has understood may the first object go on, should it have begun.
    night.wait_until_says("asked to stop");
    first.open();
    assert_eq!(night.end().code, Some(6));
    assert_eq!(
        world.rows(
            "SELECT taken, synced + deferred, failed + ignored, exit_reasons FROM run_history"
        ),
        ["5|5|0|deferred"]
    );
    world.check_delivered();
    world.night(0);
    assert_eq!(world.copies(), NAMES);
    world.check_books();
}
