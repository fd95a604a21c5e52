//! `run --wait`: a task that another run is at work on is waited for.

use super::World;
use super::process::Night;
use crate::s3_server::Gate;

const SAYS: &str = "photos: waits until another run of this task has ended";

/// A run that is carrying `a`, and one that waits for it.
fn one_waits() -> (World, Night, Gate, Night) {
    let world = World::one_by_one(&["a", "b"]);
    let gate = world.server.gate("PutObject", "dst", Some("a"));
    let first = world.begins(&["run"]);
    gate.wait_arrived();
    let mut second = world.begins(&["run", "--wait"]);
    second.wait_until_says(SAYS);
    (world, first, gate, second)
}

#[test]
fn the_run_that_waits_begins_when_the_other_has_ended() {
    let (world, first, gate, second) = one_waits();
    world.put(&["c"]);
    world.ask("second", &["c"]);
    gate.open();
    assert_eq!(first.end().code, Some(0));
    let ended = second.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr.matches(SAYS).count(), 1, "{ended:?}");
    assert_eq!(
        world.runs(),
        ["ended|2|2|0|0|0|0|done", "ended|1|1|0|0|0|0|done"]
    );
    world.check_books();
}

#[test]
fn a_signal_ends_the_waiting() {
    let (world, first, gate, second) = one_waits();
    second.signal("TERM");
    let ended = second.end();
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.stderr.contains("nothing was begun"), "{ended:?}");
    gate.open();
    assert_eq!(first.end().code, Some(0));
    assert_eq!(world.runs(), ["ended|2|2|0|0|0|0|done"]);
}

#[test]
fn so_does_the_end_of_the_time_that_was_given() {
    let (world, first, gate, second) = one_waits();
    let ended = world.does(&["run", "--wait", "--max-duration", "300ms"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    gate.open();
    assert_eq!((first.end().code, second.end().code), (Some(0), Some(0)));
}

#[test]
fn nobody_waits_where_nothing_is_locked() {
    let world = World::asked_for(&["a"]);
    let ended = world.does(&["run", "--wait"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}
