//! Runs that are changed while they are at work.

use chrono::Utc;
use nightferry::ledger::Ledger;
use nightferry::model::{Tuning, Zone};

use super::{CANARY_PUTS, Setup, World, wait_until};

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// What was changed: setting, old and new value.
fn tunings(world: &World) -> Vec<String> {
    world.rows("SELECT run, setting, old_value, new_value FROM run_tuning ORDER BY at, run")
}

#[test]
fn a_run_that_is_held_to_fewer_workers_has_no_more_in_flight() {
    let world = World::asked_for(&NAMES);
    let puts = world.server.gate("PutObject", "dst", None);
    puts.let_pass(CANARY_PUTS);
    let mut night = world.begins(&["run"]);
    puts.wait_arrivals(CANARY_PUTS + 4);

    let tuned = world.does(&["tune", "--workers", "2"]);
    assert_eq!(tuned.code, Some(0), "{tuned:?}");
    assert_eq!(tuned.stdout, "photos: run 1: workers 4 → 2\n");
    night.wait_until_says("photos: workers is 2 from now on");
    for settled in 1..=NAMES.len() {
        puts.let_pass(1);
        let synced = || world.rows("SELECT synced FROM run_history") == [settled.to_string()];
        wait_until("the outcome", synced);
        // The four that were under way go on; then there are two at a time.
        let begun = CANARY_PUTS + (settled + 2).clamp(4, NAMES.len());
        puts.wait_arrivals(begun);
        assert!(puts.arrived() <= begun || settled == NAMES.len());
    }
    puts.open();
    assert_eq!(night.end().code, Some(0));

    assert_eq!(tunings(&world), ["1|workers|4|2"]);
    let runs = world.does(&["runs"]).stdout;
    let note = runs.lines().last().unwrap();
    assert!(
        note.starts_with("photos, run 1: ") && note.ends_with(" workers 4 → 2"),
        "{runs}"
    );
    let alone = world.does(&["runs", "--tuning", "--json"]).stdout;
    assert!(
        alone.contains("\"setting\":\"workers\",\"old_value\":4,\"new_value\":2,"),
        "{alone}"
    );
    world.check_books();
}

#[test]
fn a_run_whose_time_is_cut_short_defers_the_rest_and_one_whose_is_not_goes_on() {
    let world = World::one_by_one(&["a", "b", "c"]);
    let put = world.server.gate("PutObject", "dst", Some("a"));
    let mut night = world.begins(&["run", "--max-duration", "6h"]);
    put.wait_arrived();

    let none = world.does(&["tune", "--task", "photos", "--until", "none"]);
    assert_eq!(none.code, Some(0), "{none:?}");
    night.wait_until_says("photos: until is none from now on");
    // On the command line it is a time to come.
    let id = "photos".parse().unwrap();
    let mut ledger = Ledger::open(&world.ledger_file(), 0o600).unwrap();
    let run = ledger.run_at_work(&id).unwrap().unwrap();
    let now = Zone::UTC.local(Utc::now().into());
    let changed = ledger.tune(&run, None, &[Tuning::Until(Some(now))], now);
    assert_eq!(changed.unwrap().unwrap()[0].old, Tuning::Until(None));
    night.wait_until_says("photos: its time is up");
    put.open();

    let ended = night.end();
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(world.runs(), ["ended|3|1|0|0|2|6|deferred"]);
    assert_eq!(
        world.rows("SELECT name, deferral FROM pending_requests ORDER BY name"),
        ["b|window_ended", "c|window_ended"]
    );
    let limits = "SELECT old_value - (SELECT started_at FROM run_history) > 21000000, new_value
                  FROM run_tuning ORDER BY at LIMIT 1";
    assert_eq!(world.rows(limits), ["1|"]);
    world.check_books();
}

#[test]
fn a_time_is_the_next_such_by_the_clocks_of_the_task() {
    let world = World::one_by_one(&["a"]);
    world.configure(&Setup {
        task_lines: "time_zone = \"Asia/Shanghai\"",
        ..world.setup()
    });
    let put = world.server.gate("PutObject", "dst", Some("a"));
    let mut night = world.begins(&["run"]);
    put.wait_arrived();
    let tuned = world.does(&["tune", "--until", "05:30"]);
    assert_eq!(tuned.stdout, "photos: run 1: until none → 05:30\n");
    night.wait_until_says("photos: until is 05:30 from now on");
    let shown = "SELECT substr(new_value_local, 12), new_value > at, new_value - at <= 86400000
                 FROM run_tuning";
    assert_eq!(world.rows(shown), ["05:30:00.000+08:00|1|1"]);
    drop(put);
    // It may be that time, should this be a slow machine.
    night.end();
}

#[test]
fn the_bandwidth_of_a_run_is_changed_whatever_its_timetable_says() {
    let world = World::new();
    world.configure(&Setup {
        task_lines: "bandwidth = \"64KiB/s\"",
        ..world.setup()
    });
    // More than a quarter of an hour at that pace.
    world.server.put_random("src", "large", 64 << 20, 7);
    world.ask("first", &["large"]);
    let mut night = world.begins(&["run"]);
    wait_until("the upload", || {
        world.came("CreateMultipartUpload", "dst", "large") > 0
    });
    let tuned = world.does(&["tune", "--bandwidth", "none"]);
    assert_eq!(tuned.stdout, "photos: run 1: bandwidth 65.5 kB/s → none\n");
    night.wait_until_says("photos: bandwidth is none from now on");
    assert_eq!(night.end().code, Some(0));
    assert_eq!(tunings(&world), ["1|bandwidth|65536|"]);
    world.check_books();
}

#[test]
fn a_run_without_a_cap_gets_one_and_several_changes_are_made_at_once() {
    let world = World::one_by_one(&["a"]);
    let put = world.server.gate("PutObject", "dst", Some("a"));
    let mut night = world.begins(&["run"]);
    put.wait_arrived();
    let tuned = world.does(&["tune", "--bandwidth", "50MB/s", "--workers", "1"]);
    assert_eq!(
        tuned.stdout,
        "photos: run 1: workers 1 → 1, bandwidth none → 50.0 MB/s\n"
    );
    night.wait_until_says("photos: bandwidth is 50.0 MB/s from now on");
    put.open();
    assert_eq!(night.end().code, Some(0));
    assert_eq!(tunings(&world), ["1|workers|1|1", "1|bandwidth||50000000"]);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let world = World::one_by_one(&["a"]);
    let refused = |arguments: &[&str], why: &str| {
        let ended = world.does(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    };
    refused(
        &["tune", "--workers", "1"],
        "no run is at work, so there is nothing to change",
    );
    assert!(!world.ledger_file().exists());
    let put = world.server.gate("PutObject", "dst", Some("a"));
    let night = world.begins(&["run"]);
    put.wait_arrived();
    refused(
        &["tune", "--workers", "2"],
        "photos: run 1 began with 1 worker, and threads are made as a run begins: ask for 1 to 1",
    );
    refused(
        &["tune"],
        "--workers <N>|--bandwidth <RATE>|--until <HH:MM>",
    );
    refused(&["tune", "--workers", "0"], "0 is not in 1..");
    refused(
        &["tune", "--bandwidth", "1KB/s"],
        "write \"64KiB/s\" or more",
    );
    refused(&["tune", "--until", "6"], "a time of day is written HH:MM");
    refused(
        &["tune", "--task", "nobody", "--workers", "1"],
        "has no task `nobody`",
    );
    assert_eq!(tunings(&world), [""; 0]);

    // A process that is gone left a run that the ledger takes for running.
    night.kill();
    drop(put);
    assert_eq!(world.rows("SELECT state FROM run_history"), ["running"]);
    refused(
        &["tune", "--task", "photos", "--until", "none"],
        "no run of task `photos` is at work",
    );
    world.night(0);
    refused(&["tune", "--until", "none"], "no run is at work");
    assert_eq!(tunings(&world), [""; 0]);
}

#[test]
fn of_two_tasks_the_one_that_is_meant_is_changed() {
    let world = World::one_by_one(&["a"]);
    world.configure(&Setup {
        tasks: vec!["photos", "other"],
        workers: 4,
        ..world.setup()
    });
    world.ask_of("other", "first", &["a"]);
    let gets = world.server.gate("PutObject", "dst", Some("a"));
    let mut night = world.begins(&["run"]);
    gets.wait_arrivals(2);
    let one = world.does(&["tune", "--task", "other", "--workers", "1"]);
    assert_eq!(one.stdout, "other: run 1: workers 4 → 1\n");
    night.wait_until_says("other: workers is 1 from now on");
    let both = world.does(&["tune", "--workers", "3"]);
    assert_eq!(
        both.stdout,
        "photos: run 1: workers 4 → 3\nother: run 1: workers 1 → 3\n"
    );
    gets.open();
    night.end();
    world.check_books();
}
