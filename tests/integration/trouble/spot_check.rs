//! Spot checks: what lies at the destination, against the source, byte by byte.

use std::time::SystemTime;

use super::process::Ended;
use super::setup::Setup;
use super::{DESTINATION_KEY, World};
use crate::s3_server::{Fault, FaultAction, NewObject, Rights};

const CHECKS: &str =
    "SELECT run, copies, copies_drifted, ignored, ignored_drifted, undecided, skipped
                      FROM spot_checks ORDER BY run";
const FINDINGS: &str = "SELECT name, kind, finding, cause FROM spot_findings ORDER BY run, name";

/// A task that wants more compared than there is, so that all of it is.
fn checked(names: &[&str]) -> World {
    checking(World::asked_for(names), "spot_check = 50")
}

fn checking(world: World, task_lines: &'static str) -> World {
    world.configure(&Setup {
        task_lines,
        ..world.setup()
    });
    world
}

/// Alters the copy of `name`, and leaves its length.
fn alter(world: &World, name: &str) {
    world
        .server
        .put("dst", name, "#".repeat(name.len()).as_str());
}

fn says(ended: &Ended, parts: &[&str]) {
    for part in parts {
        let said = [&ended.stdout, &ended.stderr];
        assert!(
            said.iter().any(|text| text.contains(part)),
            "{part}: {ended:?}"
        );
    }
}

#[test]
fn copies_are_compared_every_night_and_what_has_drifted_is_loud() {
    let world = checked(&["a", "b", "c", "d"]);
    let ended = world.night(0);
    says(
        &ended,
        &["  spot check: 4 copies compared, none drifted; no ignored objects compared\n"],
    );
    alter(&world, "b");
    world.server.remove("dst", "c");
    // Nothing was asked for since, and the books are what they were.
    let ended = world.night(4);
    says(
        &ended,
        &[
            "  spot check: 4 copies compared, 2 drifted (50.0 %); no ignored objects compared\n",
            "spot check: the copy `b` differs from the source's",
            "spot check: the copy `c` is not at the destination any more",
            "2 objects are not as the source's: the view spot_findings",
        ],
    );
    assert_eq!(world.runs()[1], "ended|0|0|0|0|0|4|drifted");
    assert_eq!(world.rows(CHECKS), ["1|4|0|0|0|0|", "2|4|2|0|0|0|"]);
    assert_eq!(world.rows(FINDINGS), ["b|copy|differs|", "c|copy|gone|"]);
    let status = world.does(&["status"]);
    says(&status, &["4 copies compared, 2 drifted (50.0 %)"]);
    let runs = world.does(&["runs"]);
    says(
        &runs,
        &["photos, run 2: spot check: 4 copies compared, 2 drifted (50.0 %)"],
    );
    let report = world.folder.path().join("report.html");
    let report = report.to_str().unwrap();
    let written = world.does(&["report", "--task", "photos", "--run", "2", "--out", report]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let html = std::fs::read_to_string(report).unwrap();
    assert!(html.contains("Spot check: 4 copies compared, 2 drifted (50.0 %)"));
    // What is asked for and copied again is well again.
    world.server.remove("dst", "b");
    world.ask("again", &["b", "c"]);
    world.night(0);
    assert_eq!(world.rows(CHECKS)[2], "3|4|0|0|0|0|");
    world.check_books();
}

#[test]
fn what_was_left_alone_is_compared_in_the_night_that_left_it_alone() {
    let world = checked(&["a", "b", "c"]);
    world.server.put("dst", "a", "a");
    alter(&world, "b");
    let ended = world.night(4);
    says(
        &ended,
        &[
            "1 copy compared, none drifted; 2 ignored objects compared, 1 drifted (50.0 %)",
            "spot check: the ignored object `b` differs from the source's",
        ],
    );
    assert_eq!(world.runs(), ["ended|3|1|0|2|0|4|drifted"]);
    assert_eq!(world.rows(FINDINGS), ["b|ignored|differs|"]);
    assert_eq!(world.rows("SELECT name FROM suspect_objects"), ["b"]);
    world.check_books();
}

#[test]
fn a_source_that_has_changed_or_is_gone_is_no_fault_of_the_copy() {
    let world = checked(&["a", "b", "c"]);
    world.night(0);
    world.server.put("src", "a", "A");
    world.server.remove("src", "b");
    let ended = world.night(0);
    says(
        &ended,
        &[
            "1 copy compared, none drifted; no ignored objects compared; 2 could not be compared",
            "the copy `a` could not be compared, as the source has changed since",
        ],
    );
    assert_eq!(
        world.rows(FINDINGS),
        ["a|copy|source_changed|", "b|copy|source_gone|"]
    );
    world.check_books();
}

#[test]
fn what_cannot_be_read_is_said_and_soon_not_asked_for_any_more() {
    let names: Vec<String> = (10..40).map(|number| format!("{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = checked(&names);
    world.night(0);
    let one = Fault::answer(403, "AccessDenied")
        .operation("GetObject")
        .bucket("dst")
        .key("20");
    world.server.on(one);
    let ended = world.night(0);
    says(
        &ended,
        &[
            "29 copies compared, none drifted",
            "`20` could not be compared (destination_denied): ",
        ],
    );
    assert_eq!(
        world.rows(FINDINGS),
        ["20|copy|unreadable|destination_denied"]
    );
    let all = Fault::answer(403, "AccessDenied")
        .operation("GetObject")
        .bucket("dst");
    world.server.replace_faults(vec![all]);
    world.server.clear_requests();
    world.night(0);
    let requests = world.server.requests();
    let reads = requests
        .iter()
        .filter(|r| r.operation == "GetObject" && r.bucket == "dst");
    let reads = reads.count();
    // Those that were under way by then, one for each worker.
    assert!((8..=12).contains(&reads), "{reads}");
    world.server.clear_faults();
    world.server.set_rights(DESTINATION_KEY, Rights::FULL);
    world.night(0);
    assert_eq!(world.rows(CHECKS)[3], "4|30|0|0|0|0|");
    world.check_books();
}

#[test]
fn what_an_end_throttles_or_breaks_off_is_asked_for_again() {
    let world = checked(&["a", "b", "c"]);
    world.night(0);
    let get = |fault: Fault| fault.operation("GetObject").bucket("dst").times(1);
    world.server.on(get(Fault::answer(503, "SlowDown")));
    world
        .server
        .on(get(Fault::new(FaultAction::DropConnection)));
    world.server.clear_requests();
    world.night(0);
    assert_eq!(world.rows(CHECKS)[1], "2|3|0|0|0|0|");
    // All of it stands in the bill.
    let bill = "SELECT side, heads, gets, read_bytes FROM request_bill WHERE run = 2 ORDER BY side";
    assert_eq!(world.rows(bill), ["destination|3|5|3", "source|3|3|3"]);
    world.check_books();
}

#[test]
fn a_night_whose_time_is_up_or_that_could_not_begin_makes_no_spot_check() {
    let world = checked(&["a"]);
    world.night(0);
    world.server.clear_requests();
    let ended = world.does(&["run", "--max-duration", "1ms"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    says(&ended, &["  spot check: skipped (window_ended)\n"]);
    let requests = world.server.requests();
    assert!(
        requests.iter().all(|r| r.operation != "GetObject"),
        "{requests:?}"
    );
    let mut refused = world.setup();
    refused.task_lines = "spot_check = 50";
    refused.destination.secret = "wrong".into();
    world.configure(&refused);
    world.ask("second", &["a"]);
    let ended = world.night(9);
    says(&ended, &["  spot check: skipped (could_not_begin)\n"]);
    let settled = world.does(&["run", "--settle-only"]);
    assert_ne!(settled.code, Some(1), "{settled:?}");
    let checks = world.rows(CHECKS);
    assert_eq!(
        checks[1..],
        ["2|0|0|0|0|0|window_ended", "3|0|0|0|0|0|could_not_begin"]
    );
    world.check_books();
}

#[test]
fn a_stop_ends_it_in_the_midst_of_an_object() {
    let world = World::one_by_one(&["a", "b", "c"]);
    let setup = Setup {
        workers: 1,
        task_lines: "spot_check = 50",
        ..world.setup()
    };
    world.configure(&setup);
    world.night(0);
    let gate = world.server.gate("GetObject", "dst", Some("b"));
    let mut night = world.begins(&["run"]);
    gate.wait_arrived();
    night.stop("TERM");
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    says(
        &ended,
        &["1 copy compared, none drifted; no ignored objects compared; cut short (stopped)"],
    );
    assert_eq!(world.rows(CHECKS)[1], "2|1|0|0|0|0|stopped");
    world.check_books();
}

#[test]
fn a_rehearsal_says_what_it_will_read_and_nothing_is_noted() {
    let world = checked(&["a", "bb"]);
    let rehearsed = world.does(&["run", "--dry-run"]);
    says(
        &rehearsed,
        &["  besides a spot check of 2 objects: about 8 HTTP requests, 2 B read at each end\n"],
    );
    world.night(0);
    let rehearsed = world.does(&["run", "--dry-run"]);
    says(
        &rehearsed,
        &["  besides a spot check of 2 objects: about 8 HTTP requests, 3 B read at each end\n"],
    );
    assert_eq!(world.rows(CHECKS).len(), 1);
    let none = checking(world, "");
    let rehearsed = none.does(&["run", "--dry-run"]);
    assert!(!rehearsed.stdout.contains("spot check"), "{rehearsed:?}");
}

#[test]
fn no_more_are_compared_than_the_task_wants() {
    let world = checking(
        World::asked_for(&["a", "b", "c", "d", "e"]),
        "spot_check = 2",
    );
    let old = NewObject {
        last_modified: Some(SystemTime::now()),
        ..NewObject::from("a")
    };
    world.server.put("dst", "a", old);
    world.night(0);
    assert_eq!(world.rows(CHECKS), ["1|2|0|1|0|0|"]);
}
