//! Other processes while a run is at work.

use std::process::Command;

use rusqlite::Connection;

use super::process::Night;
use super::{World, rows};
use crate::s3_server::Gate;

/// A run that is carrying `a`; another name waits.
fn held() -> (World, Night, Gate) {
    let world = World::one_by_one(&["a", "b"]);
    let mut setup = world.setup();
    setup.workers = 1;
    setup.tasks.push("films");
    world.configure(&setup);
    let gate = world.server.gate("PutObject", "dst", Some("a"));
    let night = world.begins(&["run", "--task", "photos"]);
    gate.wait_arrived();
    (world, night, gate)
}

/// That the held run was not disturbed.
fn ends_well(world: &World, night: Night, gate: &Gate) {
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.runs(), ["ended|2|2|0|0|0|0|done"]);
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_second_run_of_the_task_is_refused_and_the_first_goes_on() {
    let (world, night, gate) = held();
    let second = world.does(&["run", "--task", "photos"]);
    assert_eq!(second.code, Some(5), "{second:?}");
    assert!(
        second
            .stderr
            .contains("another run of this task is at work")
    );
    ends_well(&world, night, &gate);
}

#[test]
fn nothing_is_withdrawn_under_the_hands_of_a_run() {
    let (world, night, gate) = held();
    for selection in [["--name", "b"], ["--list", "object_lists/first.txt"]] {
        let ended = world.does(&["withdraw", "--task", "photos", selection[0], selection[1]]);
        assert_eq!(ended.code, Some(5), "{ended:?}");
    }
    ends_well(&world, night, &gate);
}

#[test]
fn another_task_runs_in_another_process() {
    let (world, night, gate) = held();
    world.put(&["film"]);
    world.ask_of("films", "list", &["film"]);
    // All tasks are asked for: the one is locked, the other one is carried.
    let second = world.does(&["run"]);
    assert_eq!(second.code, Some(5), "{second:?}");
    assert_eq!(
        world.rows("SELECT name, state FROM requests WHERE task = 'films'"),
        ["film|synced"]
    );
    let third = world.does(&["run", "--task", "films"]);
    assert_eq!(third.code, Some(0), "{third:?}");
    ends_well(&world, night, &gate);
}

#[test]
fn the_lock_of_a_dead_process_does_not_hold() {
    let (world, night, gate) = held();
    night.kill();
    gate.open();
    world.night(0);
    assert_eq!(world.copies(), ["a", "b"]);
    world.check_books();
}

#[test]
fn what_is_asked_for_during_a_run_belongs_to_the_next() {
    let (world, night, gate) = held();
    world.put(&["c"]);
    let ended = world.does(&["enqueue", "--task", "photos", "c"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    gate.open();
    assert_eq!(night.end().code, Some(0));
    world.night(0);
    assert_eq!(
        world.runs(),
        ["ended|2|2|0|0|0|0|done", "ended|1|1|0|0|0|0|done"]
    );
    world.check_delivered();
}

#[test]
fn the_ledger_can_be_read_during_a_run() {
    let (world, night, gate) = held();
    for command in [
        &["status"][..],
        &["runs"],
        &["summary"],
        &["failed"],
        &["lists"],
        &["why", "--task", "photos", "a"],
        &["ledger", "check"],
    ] {
        let ended = world.does(command);
        assert_eq!(ended.code, Some(0), "{command:?} {ended:?}");
    }
    // The shell that operators use, as it comes with the system.
    let shell = Command::new("sqlite3")
        .arg("-readonly")
        .arg(world.ledger_file())
        .arg("SELECT state, taken, deferred FROM run_history")
        .output();
    match shell {
        Ok(output) => assert_eq!(output.stdout, b"running|2|2\n", "{output:?}"),
        Err(_) => eprintln!("skipped: there is no sqlite3 shell here"),
    }
    ends_well(&world, night, &gate);
}

#[test]
fn an_open_transaction_of_a_reader_does_not_hold_up_the_run() {
    let (world, night, gate) = held();
    let reader = Connection::open(world.ledger_file()).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let pending = || -> u64 {
        let query = "SELECT count(*) FROM pending_requests";
        reader.query_row(query, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(pending(), 2);
    ends_well(&world, night, &gate);
    // The reader sees one instant until its transaction ends.
    assert_eq!(pending(), 2);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(pending(), 0);
}

#[test]
fn a_backup_during_a_run_is_a_whole_ledger() {
    let (world, night, gate) = held();
    let restored = World::new();
    std::fs::create_dir_all(restored.data()).unwrap();
    let copy = restored.ledger_file();
    let ended = world.does(&["ledger", "backup", copy.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ends_well(&world, night, &gate);

    assert_eq!(
        rows(&copy, "SELECT state, taken, synced FROM run_history"),
        ["running|2|0"]
    );
    restored.check_books();
    // A night on it finishes what the run in the backup had begun.
    restored.put(&["a", "b"]);
    restored.night(0);
    assert_eq!(
        restored.runs(),
        ["interrupted|2|0|0|0|2||", "ended|2|2|0|0|0|0|done"]
    );
    restored.check_books();
}

#[test]
fn two_tasks_in_two_processes_that_begin_at_once_share_one_ledger() {
    let names: Vec<String> = (0..200).map(|number| format!("n{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::asked_for(&names);
    let mut setup = world.setup();
    setup.tasks.push("films");
    world.configure(&setup);
    world.ask_of("films", "list", &names);
    // Neither the folders nor the ledger are there: both make them.
    let nights = ["photos", "films"].map(|task| world.begins(&["run", "--task", task]));
    for night in nights {
        let ended = night.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }
    assert_eq!(
        world.rows("SELECT requested, synced + ignored, pending FROM books"),
        ["200|200|0", "200|200|0"]
    );
    world.check_delivered();
    world.check_books();
}
