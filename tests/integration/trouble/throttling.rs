//! Servers that ask for a slower pace, caps, and what is said about both.

use std::time::Duration;

use super::World;
use super::interrupted::wait_until;
use crate::s3_server::Fault;

fn names(count: u32) -> Vec<String> {
    (0..count).map(|number| format!("{number:03}")).collect()
}

/// So many objects, carried by 16 workers.
fn busy(count: u32, source_lines: &str) -> World {
    let names = names(count);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::asked_for(&names);
    let mut setup = world.setup();
    setup.workers = 16;
    world.configure(&setup);
    let text = std::fs::read_to_string(world.config()).unwrap();
    let text = text.replace(
        "[task.source]\n",
        &format!("[task.source]\n{source_lines}\n"),
    );
    std::fs::write(world.config(), text).unwrap();
    world
}

#[test]
fn a_server_with_a_limit_gets_every_object_and_is_not_hammered() {
    let world = busy(100, "");
    let limit = Fault::answer(503, "SlowDown").beyond(25, Duration::from_millis(250));
    world.server.on(limit);
    world.night(0);
    assert_eq!(world.runs(), ["ended|100|100|0|0|0|0|done"]);
    let requests = world.server.requests();
    let throttled = requests.iter().filter(|r| r.status == Some(503)).count();
    assert!(throttled > 0, "the limit was never met");
    assert!(
        throttled * 5 < requests.len(),
        "{throttled} of {}",
        requests.len()
    );
    // Every throttled answer is in the ledger, minute by minute.
    let recorded = world.rows("SELECT sum(times) FROM throttling WHERE run = 1");
    assert_eq!(recorded, [throttled.to_string()]);
    world.check_books();
}

#[test]
fn a_pause_that_the_server_asks_for_holds_for_all() {
    let world = busy(20, "");
    let mut fault = Fault::answer(429, "TooManyRequests")
        .operation("GetObject")
        .key("005")
        .times(1);
    if let crate::s3_server::FaultAction::Answer { headers, .. } = &mut fault.action {
        headers.push(("Retry-After".to_owned(), "1".to_owned()));
    }
    world.server.on(fault);
    world.night(0);
    assert_eq!(world.runs(), ["ended|20|20|0|0|0|0|done"]);
    assert_eq!(
        world.rows("SELECT task, run, side, times FROM throttling"),
        ["photos|1|source|1"]
    );
    assert_eq!(
        world.rows("SELECT strftime('%S', at / 1000, 'unixepoch') FROM throttling"),
        ["00"]
    );
    let runs = world.does(&["runs"]).stdout;
    assert!(
        runs.contains("\nphotos, run 1: source throttled 1× "),
        "{runs}"
    );
    let why = world.does(&["why", "--task", "photos", "005"]).stdout;
    assert!(
        why.contains("tries        retried 1×, throttled 1×, source throttled 1× meanwhile"),
        "{why}"
    );
    world.check_books();
}

#[test]
fn what_a_killed_run_was_throttled_stays_in_the_ledger() {
    let world = World::one_by_one(&["a", "b"]);
    world.server.on(Fault::answer(503, "SlowDown")
        .operation("PutObject")
        .key("a")
        .times(2));
    let gate = world.server.gate("PutObject", "dst", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    wait_until("the record of a", || {
        !world
            .rows("SELECT 1 FROM requests WHERE state = 'synced'")
            .is_empty()
    });
    night.kill();
    gate.open();
    assert_eq!(
        world.rows("SELECT side, sum(times) FROM throttling"),
        ["destination|2"]
    );
}

#[test]
fn a_configured_cap_is_kept_by_both_ends_of_one_endpoint() {
    let world = busy(10, "requests_per_second = 20");
    let began = std::time::Instant::now();
    world.night(0);
    let sent = u32::try_from(world.server.requests().len()).unwrap();
    // An allowance of a tenth of a second, and the first one, are free.
    let allowed = (began.elapsed().as_secs_f64() + 0.1) * 20.0 + 1.0;
    assert!(sent > 40, "{sent} requests");
    assert!(
        f64::from(sent) <= allowed,
        "{sent} requests, {allowed} allowed"
    );
    assert_eq!(world.runs(), ["ended|10|10|0|0|0|0|done"]);
}
