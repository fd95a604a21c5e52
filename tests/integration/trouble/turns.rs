//! Several tasks in one process: none waits for another to end.

use std::thread;
use std::time::{Duration, Instant};

use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::model::Deferral;
use nightferry::run::{Engine, Options, StopSignal, run_tasks};
use rusqlite::{Connection, OpenFlags};

use super::World;
use super::interrupted::wait_until;

const FILMS: [&str; 4] = ["f1", "f2", "f3", "f4"];

/// The tasks `photos`, which is asked for these names, and `films`.
fn two_tasks(photos: &[&str], workers: u32) -> World {
    let world = World::asked_for(photos);
    let mut setup = world.setup();
    setup.tasks.push("films");
    setup.workers = workers;
    world.configure(&setup);
    world.put(&FILMS);
    world.ask_of("films", "list", &FILMS);
    world
}

/// Waits until the first run of `films` has ended well.
fn wait_for_films(world: &World) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let ended_well = || {
        // There is no ledger to be read at first.
        let ledger = Connection::open_with_flags(world.ledger_file(), flags).ok()?;
        let query = "SELECT synced = 4 AND exit_code = 0 FROM run_history WHERE task = 'films'";
        ledger.query_row(query, [], |row| row.get(0)).ok()
    };
    let deadline = Instant::now() + Duration::from_mins(1);
    while ended_well() != Some(true) {
        assert!(Instant::now() < deadline, "films had to wait for photos");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_task_whose_server_stalls_does_not_hold_up_another() {
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (operation, bucket) in [("HeadObject", "dst"), ("GetObject", "src")] {
        let world = two_tasks(&names, 2);
        let gate = |name: &&str| world.server.gate(operation, bucket, Some(name));
        let gates: Vec<_> = names.iter().map(gate).collect();
        let mut night = world.begins(&["run"]);
        wait_for_films(&world);
        night.stop("TERM");
        for gate in &gates {
            gate.open();
        }
        let ended = night.end();
        assert_eq!(ended.code, Some(6), "{ended:?}");
        // As the configuration has them, though the second one ended first.
        let photos = ended.stdout.find("photos: run 1").unwrap();
        assert!(photos < ended.stdout.find("films: run 1").unwrap());
        world.check_books();
    }
}

#[test]
fn a_limit_of_one_task_leaves_the_other_whole() {
    let names: Vec<String> = (0..30).map(|number| format!("p{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = two_tasks(&names, 1);
    assert_eq!(world.does(&["run", "--limit", "4"]).code, Some(6));
    assert_eq!(
        world.rows("SELECT task, synced, deferred, exit_code FROM run_history ORDER BY task"),
        ["films|4|0|0", "photos|4|26|6"]
    );
    world.night(0);
    world.check_books();
}

#[test]
fn with_one_worker_tasks_take_turns() {
    let names: Vec<String> = (0..300).map(|number| format!("p{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = two_tasks(&names, 1);
    // The first task holds the worker until the second one has begun.
    let gate = world.server.gate("PutObject", "dst", Some("p005"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    wait_until("the second task", || {
        world.rows("SELECT taken FROM run_history WHERE task = 'films'") == ["4"]
    });
    gate.open();
    assert_eq!(night.end().code, Some(0));
    let first = |name: &str| {
        let requests = world.server.requests();
        let position = requests
            .iter()
            .position(|r| r.operation == "PutObject" && r.key == name);
        position.unwrap_or(usize::MAX)
    };
    assert!(first("f1") < first("p299"), "films had to wait for photos");
    world.check_books();
}

#[test]
fn a_task_that_cannot_begin_does_not_stop_the_other() {
    let world = two_tasks(&["a"], 2);
    let lock = world.data().join("locks/photos.lock");
    std::fs::create_dir_all(&lock).unwrap();
    let ended = world.night(3);
    assert!(ended.stderr.contains("photos.lock"), "{ended:?}");
    assert_eq!(
        world.rows("SELECT task, synced FROM run_history"),
        ["films|4"]
    );
}

#[test]
fn tasks_that_were_not_begun_before_a_signal_are_not_begun() {
    let world = two_tasks(&["a"], 2);
    let config = Config::load(&world.config()).unwrap();
    let signal = StopSignal::default();
    signal.request();
    let engine = Engine::new(&config, Clock::system(), signal, Options::default()).unwrap();
    let tasks: Vec<_> = config.tasks.iter().collect();
    let mut ends = Vec::new();
    run_tasks(&engine, &tasks, |task, end| {
        let end = end.map(|night| night.unwrap().deferral);
        ends.push((task.id.to_string(), end));
    });
    let expected = [
        ("photos".to_owned(), Some(Some(Deferral::Stopped))),
        ("films".to_owned(), None),
    ];
    assert_eq!(ends, expected);
    world.night(0);
    assert_eq!(world.copies(), ["a", "f1", "f2", "f3", "f4"]);
    world.check_books();
}
