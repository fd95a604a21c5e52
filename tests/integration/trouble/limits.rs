//! Runs that may not do everything: a number of names, a time.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::model::Deferral;
use nightferry::run::{Engine, Options, StopSignal, run_task};

use super::World;
use crate::s3_server::{Fault, FaultAction};

/// The names that each run settled, run by run.
fn settled(world: &World) -> Vec<String> {
    world.rows("SELECT run, name FROM requests WHERE run IS NOT NULL ORDER BY run, name")
}

#[test]
fn a_limit_defers_the_rest_and_the_next_run_goes_on_behind_it() {
    let world = World::one_by_one(&["a", "b", "c", "d", "e"]);
    let limited = || world.does(&["run", "--limit", "2"]);
    assert_eq!(limited().code, Some(6));
    assert_eq!(world.runs(), ["ended|5|2|0|0|3|6|deferred"]);
    assert_eq!(
        world.rows("SELECT name, deferral FROM pending_requests ORDER BY name"),
        ["c|limit", "d|limit", "e|limit"]
    );
    assert_eq!(limited().code, Some(6));
    assert_eq!(limited().code, Some(0));
    assert_eq!(settled(&world), ["1|a", "1|b", "2|c", "2|d", "3|e"]);
    assert_eq!(world.manifests(), 3);
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_limit_counts_names_not_requests() {
    let world = World::one_by_one(&["a", "b"]);
    world.ask("again", &["a", "a"]);
    assert_eq!(world.does(&["run", "--limit", "1"]).code, Some(6));
    assert_eq!(world.runs(), ["ended|4|1|0|2|1|6|deferred"]);
    world.check_books();
}

#[test]
fn late_names_have_their_turn_though_early_ones_arrive_each_night() {
    let world = World::one_by_one(&["x1", "x2", "x3"]);
    for night in 1..=5 {
        let early = [format!("a{night}1"), format!("a{night}2")];
        let early: Vec<&str> = early.iter().map(String::as_str).collect();
        world.put(&early);
        world.ask(&format!("night-{night}"), &early);
        let ended = world.does(&["run", "--limit", "2"]);
        assert_eq!(ended.code, Some(6), "{ended:?}");
    }
    assert_eq!(
        settled(&world),
        [
            "1|a11", "1|a12", // the first night begins at the beginning
            "2|x1", "2|x2", // the next ones where the last one left off
            "3|a21", "3|x3", // x3, then from the beginning again
            "4|a22", "4|a31", "5|a32", "5|a41"
        ]
    );
    world.night(0);
    assert_eq!(world.copies().len(), 13);
    world.check_books();
}

#[test]
fn a_limit_of_nothing_looks_at_nothing() {
    let world = World::one_by_one(&["a", "b"]);
    assert_eq!(world.does(&["run", "--limit", "0"]).code, Some(6));
    assert_eq!(world.runs(), ["ended|2|0|0|0|2|6|deferred"]);
    assert_eq!(world.copies(), [""; 0]);
    world.night(0);
}

#[test]
fn a_run_without_time_defers_everything() {
    let world = World::one_by_one(&["a", "b"]);
    let ended = world.does(&["run", "--max-duration", "0s"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.stdout.contains("2 deferred: window_ended"));
    assert_eq!(world.runs(), ["ended|2|0|0|0|2|6|deferred"]);
    assert_eq!(
        world.rows("SELECT name, deferral FROM pending_requests ORDER BY name"),
        ["a|window_ended", "b|window_ended"]
    );
    assert_eq!(world.manifests(), 1);
    world.check_delivered();
    world.night(0);
    world.check_books();
}

/// A night in the process whose clock goes on by five minutes while `a` is carried.
fn night_ends_while_a_is_carried(options: fn(DateTime<Utc>) -> Options) {
    let world = World::one_by_one(&["a", "b", "c"]);
    // Whole minutes: `--until` has no others. The server allows 15 minutes.
    let start = Utc::now().duration_trunc(TimeDelta::minutes(1)).unwrap();
    let end = start + TimeDelta::minutes(5);
    let clock = Clock::fixed(start.into());
    let moved = clock.clone();
    let passes = FaultAction::call_back(move |_| moved.set(end.into()));
    world
        .server
        .on(Fault::new(passes).operation("PutObject").key("a"));
    let config = Config::load(&world.config()).unwrap();
    let engine = Engine::new(&config, clock, StopSignal::default(), options(end)).unwrap();
    let night = run_task(&engine, &config.tasks[0]).unwrap();
    assert_eq!(night.deferral, Some(Deferral::WindowEnded));
    assert_eq!(world.runs(), ["ended|3|1|0|0|2|6|deferred"]);
    assert_eq!(world.copies(), ["a"]);
    world.night(0);
    assert_eq!(settled(&world), ["1|a", "2|b", "2|c"]);
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_duration_that_is_over_begins_nothing_new() {
    night_ends_while_a_is_carried(|_| Options {
        max_duration_ms: Some(5 * 60_000),
        ..Options::default()
    });
}

#[test]
fn a_time_of_day_that_has_come_begins_nothing_new() {
    night_ends_while_a_is_carried(|end| Options {
        until: Some(end.time()),
        ..Options::default()
    });
}
