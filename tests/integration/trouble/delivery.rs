//! A destination that takes the objects but not the lists.

use super::{CANARY_PUTS, World};
use crate::s3_server::{Fault, FaultAction};

/// Two objects, of which each run's canary and copies pass, but no list.
fn refuses_lists(fault: Fault) -> World {
    let world = World::asked_for(&["a", "b"]);
    world
        .server
        .on(fault.operation("PutObject").after(CANARY_PUTS + 2));
    world
}

#[test]
fn lists_that_are_refused_are_owed_until_a_run_can_deliver_them() {
    let world = refuses_lists(Fault::answer(403, "AccessDenied"));
    let ended = world.night(7);
    assert!(
        ended.stderr.contains("owed to the destination: manifests/"),
        "{ended:?}"
    );
    assert_eq!(world.runs(), ["ended|2|2|0|0|0|7|owed"]);
    assert_eq!(world.copies(), ["a", "b"]);
    assert_eq!(world.listed("success", 1).len(), 2);
    assert_eq!(world.manifests(), 1);
    assert_eq!(world.does(&["verify", "--task", "photos"]).code, Some(7));

    // There is nothing else to do, and the lists are refused still.
    let before = world.files("");
    world.night(7);
    assert_eq!(world.runs()[1], "ended|0|0|0|0|0|7|owed");

    world.server.clear_faults();
    world.night(0);
    assert_eq!(world.runs()[2], "ended|0|0|0|0|0|0|done");
    assert_eq!(world.files(""), before);
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_server_that_fails_for_a_moment_gets_the_lists_at_once() {
    let world = refuses_lists(Fault::answer(503, "SlowDown").times(2));
    world.night(0);
    world.check_delivered();
}

#[test]
fn lists_that_arrive_altered_are_owed_and_put_right() {
    let world = refuses_lists(Fault::new(FaultAction::StoreCorrupted));
    world.night(7);
    let keys = world.server.keys("dst");
    assert_eq!(keys, ["a", "b"], "altered lists are removed");
    world.server.clear_faults();
    world.night(0);
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_task_that_delivers_no_lists_owes_none() {
    let world = refuses_lists(Fault::answer(403, "AccessDenied"));
    world.configure(&super::Setup {
        task_lines: "deliver_lists = false",
        ..world.setup()
    });
    world.night(0);
    assert_eq!(world.server.keys("dst"), ["a", "b"]);
    assert_eq!(world.listed("success", 1).len(), 2);
}

#[test]
fn failed_objects_are_more_serious_than_owed_lists() {
    let world = World::asked_for(&["a", "b"]);
    world.ask("second", &["missing"]);
    let refused = Fault::answer(403, "AccessDenied").operation("PutObject");
    world.server.on(refused.after(CANARY_PUTS + 2));
    world.night(4);
    assert_eq!(world.runs(), ["ended|3|2|1|0|0|4|failed,owed"]);
    world.server.clear_faults();
    world.night(0);
    world.check_delivered();
}
