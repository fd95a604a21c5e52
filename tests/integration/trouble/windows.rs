//! Runs outside their window, runs that it overtakes, and what is given up then.

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::model::Deferral;
use nightferry::run::{Engine, NightReport, Options, StopSignal, run_task};

use super::World;
use crate::s3_server::{Fault, FaultAction};

/// The window from so many minutes after `now` to so many, in UTC.
fn window(now: DateTime<Utc>, from: i64, to: i64) -> &'static str {
    let time = |minutes| (now + TimeDelta::minutes(minutes)).format("%H:%M");
    format!("window = \"{}-{}\"", time(from), time(to)).leak()
}

/// That the task of this world may only move objects in this window.
fn limit(world: &World, window: &'static str) {
    world.configure(&super::Setup {
        task_lines: window,
        workers: 1,
        ..world.setup()
    });
}

#[test]
fn outside_its_window_a_run_takes_lists_in_and_defers_everything() {
    let world = World::asked_for(&["a", "b"]);
    limit(&world, window(Utc::now(), 120, 180));
    let ended = world.night(6);
    assert!(ended.stdout.contains("2 deferred: window_ended"));
    assert!(
        ended.stderr.contains("photos: begun outside its window "),
        "{ended:?}"
    );
    assert_eq!(world.runs(), ["ended|2|0|0|0|2|6|deferred"]);
    assert_eq!(
        world.rows("SELECT name, deferral FROM pending_requests ORDER BY name"),
        ["a|window_ended", "b|window_ended"]
    );
    let asked = world.server.requests();
    assert!(asked.iter().all(|request| request.bucket != "src"));
    assert_eq!(world.copies(), [""; 0]);
    assert_eq!(world.manifests(), 1);
    world.check_delivered();

    assert_eq!(world.does(&["run", "--ignore-window"]).code, Some(0));
    assert_eq!(world.copies(), ["a", "b"]);
    world.check_delivered();
    world.check_books();
}

#[test]
fn lists_in_the_bucket_are_taken_in_outside_the_window_too() {
    let world = World::new();
    let setting = window(Utc::now(), 120, 180);
    limit(
        &world,
        format!("{setting}\nread_lists_from_destination = true").leak(),
    );
    let list = "oms/sync_task/photos/object_lists/list.txt";
    world.server.put("dst", list, "a\nb\n");
    world.night(6);
    assert_eq!(world.runs(), ["ended|2|0|0|0|2|6|deferred"]);
}

#[test]
fn an_empty_queue_outside_the_window_is_done() {
    let world = World::new();
    limit(&world, window(Utc::now(), 120, 180));
    world.night(0);
    assert_eq!(world.runs(), ["ended|0|0|0|0|0|0|done"]);
}

#[test]
fn within_its_window_a_run_does_everything() {
    let world = World::asked_for(&["a", "b"]);
    limit(&world, window(Utc::now(), -120, 120));
    world.night(0);
    assert_eq!(world.copies(), ["a", "b"]);
}

/// A night in the process, in a window that ends while `a` is carried. The
/// server allows its clock to be 15 minutes off.
fn overtaken(world: &World, grace: Duration) -> NightReport {
    let start = Utc::now().duration_trunc(TimeDelta::minutes(1)).unwrap();
    limit(world, window(start, -1, 5));
    let clock = Clock::fixed(start.into());
    let (moved, end) = (clock.clone(), start + TimeDelta::minutes(5));
    let passes = FaultAction::call_back(move |_| moved.set(end.into()));
    // Both ends are asked about what is there already, before it is read. The
    // first to read it is the check of the source.
    world.server.put("dst", "a", "");
    let read = Fault::new(passes).operation("GetObject").key("a").after(1);
    world.server.on(read);
    let config = Config::load(&world.config()).unwrap();
    let options = Options {
        grace,
        ..Options::default()
    };
    let engine = Engine::new(&config, clock, StopSignal::default(), options).unwrap();
    let night = run_task(&engine, &config.tasks[0]).unwrap();
    assert_eq!(night.deferral, Some(Deferral::WindowEnded));
    world.server.clear_faults();
    night
}

#[test]
fn at_the_end_of_the_window_what_is_in_flight_ends_and_nothing_new_begins() {
    let world = World::asked_for(&["a", "b", "c"]);
    let night = overtaken(&world, Options::GRACE);
    assert_eq!((night.books.synced, night.books.deferred), (1, 2));
    assert_eq!(world.copies(), ["a"]);
    world.check_delivered();
    world.does(&["run", "--ignore-window"]);
    assert_eq!(world.copies(), ["a", "b", "c"]);
    world.check_books();
}

#[test]
fn what_does_not_end_within_the_grace_is_given_up_and_the_task_stays_locked_meanwhile() {
    let world = World::asked_for(&["a"]);
    let gate = world.server.gate("PutObject", "dst", Some("a"));
    // The server does not answer before the run has ended.
    let night = overtaken(&world, Duration::from_millis(200));
    assert_eq!((night.books.synced, night.books.deferred), (0, 1));
    assert_eq!(world.runs(), ["ended|1|0|0|0|1|6|deferred"]);
    assert_eq!(
        world.rows("SELECT deferral FROM pending_requests"),
        ["window_ended"]
    );
    assert_eq!(world.manifests(), 1);
    world.check_delivered();
    // It may still arrive: nobody else is to work on the same name meanwhile.
    assert_eq!(world.does(&["run", "--ignore-window"]).code, Some(5));
    let mut waiting = world.begins(&["run", "--ignore-window", "--wait"]);
    waiting.wait_until_says("waits until another run of this task has ended");
    gate.open();
    let ended = waiting.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.copies(), ["a"]);
    assert_eq!(world.rows("SELECT pending FROM books"), ["0"]);
    world.check_books();
}

#[test]
fn a_look_that_is_never_answered_is_given_up_too() {
    let world = World::one_by_one(&["a", "b"]);
    let gate = world.server.gate("HeadObject", "dst", Some("a"));
    let config = Config::load(&world.config()).unwrap();
    let options = Options {
        grace: Duration::from_millis(200),
        ..Options::default()
    };
    let signal = StopSignal::default();
    let engine = Engine::new(&config, Clock::system(), signal.clone(), options).unwrap();
    let night = std::thread::scope(|scope| {
        let night = scope.spawn(|| run_task(&engine, &config.tasks[0]).unwrap());
        gate.wait_arrived();
        signal.request();
        night.join().unwrap()
    });
    assert_eq!(
        (night.books.deferred, night.deferral),
        (2, Some(Deferral::Stopped))
    );
    assert_eq!(world.manifests(), 1);
    world.check_delivered();
}
