//! Runs whose process dies, as by a power failure.

use std::thread;
use std::time::{Duration, Instant};

use super::{CANARY_PUTS, World};
use crate::s3_server::{Fault, FaultAction};

const HISTORY: &str = "SELECT request, name, run, attempt, outcome, reason FROM object_history
     ORDER BY request, run";

/// Waits for what nothing in the process could tell the test.
pub(super) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come about");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A run that was killed while it wrote `b`, after `a` was written down as synced.
fn killed_while_it_wrote_b() -> World {
    let world = World::one_by_one(&["a", "b", "c"]);
    let gate = world.server.gate("PutObject", "dst", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    wait_until("the record of a", || {
        !world
            .rows("SELECT 1 FROM requests WHERE state = 'synced'")
            .is_empty()
    });
    night.kill();
    world
}

#[test]
fn a_killed_run_keeps_the_bill_that_was_committed_with_its_outcomes() {
    let world = killed_while_it_wrote_b();
    let billed = |kind: &str, side: &str| {
        let sum = format!("SELECT {kind} FROM request_bill WHERE run = 1 AND side = '{side}'");
        world.rows(&sum)[0].parse::<usize>().unwrap()
    };
    // The trial, `a`, and perhaps `b`.
    assert!((CANARY_PUTS + 1..=CANARY_PUTS + 2).contains(&billed("puts", "destination")));
    assert!((2..=4).contains(&billed("gets", "source")));
    let before = billed("requests", "source");
    world.night(0);
    assert_eq!(billed("requests", "source"), before);
    assert_eq!(
        world.rows("SELECT count(*) FROM request_bill WHERE run = 2"),
        ["2"]
    );
}

#[test]
fn the_next_run_makes_up_for_a_run_that_was_killed() {
    let world = killed_while_it_wrote_b();
    assert_eq!(world.runs(), ["running|3|1|0|0|2||"]);
    world.check_books();
    for command in [&["status"][..], &["summary"], &["runs"], &["failed"]] {
        assert_eq!(world.does(command).code, Some(0), "{command:?}");
    }
    assert_eq!(world.manifests(), 0);

    world.night(0);
    assert_eq!(
        world.runs(),
        ["interrupted|3|1|0|0|2||", "ended|2|2|0|0|0|0|done"]
    );
    assert_eq!(
        world.rows(HISTORY),
        ["1|a|1|1|synced|", "2|b|2|1|synced|", "3|c|2|1|synced|"]
    );
    assert_eq!(world.listed("success", 1), ["a"]);
    assert_eq!(world.listed("success", 2), ["b", "c"]);
    assert_eq!(world.manifests(), 2);
    world.check_delivered();
    world.check_books();
}

#[test]
fn status_tells_a_run_that_is_at_work_from_one_whose_process_is_gone() {
    let world = World::asked_for(&["a"]);
    let gate = world.server.gate("GetObject", "src", Some("a"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    let last_run = || {
        let ended = world.does(&["status"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let mut lines = ended.stdout.lines();
        let line = lines.find(|line| line.starts_with("  Last run"));
        line.unwrap().to_owned()
    };
    assert!(last_run().ends_with(", at work"), "{}", last_run());
    night.kill();
    assert!(
        last_run().ends_with(", its process is gone"),
        "{}",
        last_run()
    );
    let advice = "Run 1 ended without a word: the next run takes up what it left, ";
    let status = world.does(&["status"]);
    assert!(status.stdout.contains(advice), "{status:?}");
    gate.open();
    world.night(0);
    assert!(last_run().ends_with(", done"), "{}", last_run());
}

#[test]
fn what_a_killed_run_was_to_do_can_be_withdrawn_and_its_books_balance() {
    let world = killed_while_it_wrote_b();
    let ended = world.does(&["withdraw", "--task", "photos", "--name", "b"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "photos: 1 request withdrawn\n");
    world.check_books();
    world.night(0);
    assert_eq!(
        world.runs(),
        ["interrupted|3|1|0|0|2||", "ended|1|1|0|0|0|0|done"]
    );
    assert_eq!(
        world.requests(),
        ["a|synced|", "b|ignored|withdrawn", "c|synced|"]
    );
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_copy_that_arrived_but_was_not_written_down_is_not_lost() {
    let world = World::one_by_one(&["a", "b"]);
    // The copy is stored, its answer is held back for ever.
    world.server.on(Fault::new(FaultAction::StallForever)
        .operation("PutObject")
        .bucket("dst")
        .key("b"));
    let night = world.begins(&["run"]);
    wait_until("the copy of a", || world.copies() == ["a"]);
    // Whether it was written down yet is open: both must do.
    night.kill();
    world.server.clear_faults();
    world.night(0);
    assert_eq!(
        world.rows("SELECT name FROM requests WHERE state IN ('synced', 'ignored') ORDER BY name"),
        ["a", "b"]
    );
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_run_that_was_killed_at_its_first_request_took_nothing() {
    let world = World::asked_for(&["a"]);
    let gate = world.server.gate("ListObjectsV2", "src", None);
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    night.kill();
    gate.open();
    assert_eq!(world.runs(), ["running|0|0|0|0|0||"]);
    world.night(0);
    assert_eq!(
        world.runs(),
        ["interrupted|0|0|0|0|0||", "ended|1|1|0|0|0|0|done"]
    );
    // A run that took nothing has a row and no manifest.
    assert_eq!(world.manifests(), 1);
    world.check_delivered();
    world.check_books();
}

#[test]
fn lists_that_a_killed_run_was_delivering_are_delivered_by_the_next() {
    let world = World::asked_for(&["a", "b"]);
    // The canary and both objects pass, then come the lists.
    let stalls = Fault::new(FaultAction::StallForever).operation("PutObject");
    world.server.on(stalls.after(CANARY_PUTS + 2));
    let night = world.begins(&["run"]);
    wait_until("the delivery", || {
        let requests = world.server.requests();
        let puts = requests.iter().filter(|r| r.operation == "PutObject");
        puts.count() == CANARY_PUTS + 3
    });
    night.kill();
    world.server.clear_faults();
    assert_eq!(world.runs(), ["ended|2|2|0|0|0||"]);
    world.night(0);
    assert_eq!(world.runs()[1], "ended|0|0|0|0|0|0|done");
    assert_eq!(world.manifests(), 1);
    world.check_delivered();
    world.check_books();
}

#[test]
fn five_killed_runs_in_a_row_leave_balanced_books() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let world = World::one_by_one(&names);
    for (index, name) in names[..5].iter().enumerate() {
        let gate = world.server.gate("PutObject", "dst", Some(name));
        let night = world.begins(&["run"]);
        gate.wait_arrived();
        wait_until("the record of those before", || {
            let synced = world.rows("SELECT 1 FROM requests WHERE state = 'synced'");
            synced.len() >= index
        });
        night.kill();
        gate.open();
        world.check_books();
    }
    world.night(0);
    assert_eq!(world.copies(), names);
    assert_eq!(
        world.rows("SELECT count(*), count(DISTINCT request) FROM object_history"),
        ["6|6"]
    );
    assert_eq!(
        world.rows("SELECT state, count(*) FROM run_history GROUP BY 1"),
        ["ended|1", "interrupted|5"]
    );
    world.check_delivered();
    world.check_books();
}
