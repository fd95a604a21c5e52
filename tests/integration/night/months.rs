//! Months, days and times of asking, by clocks that stand where the test puts them.

use chrono::{DateTime, Utc};
use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::model::Timestamp;
use nightferry::run::{Engine, NightReport, Options, StopSignal, run_task};

use super::{Harbour, PHOTOS};
use crate::s3_server::{Fault, FaultAction, NewObject};

fn at(time: &str) -> Timestamp {
    time.parse::<DateTime<Utc>>().unwrap().into()
}

/// A night within this process, by `clock`, which the server's clock follows.
fn night(harbour: &Harbour, clock: &Clock) -> NightReport {
    let offset = clock.now().seconds() - Utc::now().timestamp();
    harbour.server.set_clock_offset(offset);
    let config = Config::load(&harbour.config()).unwrap();
    let signal = StopSignal::default();
    let engine = Engine::new(&config, clock.clone(), signal, Options::default()).unwrap();
    run_task(&engine, &config.tasks[0]).unwrap()
}

fn night_at(harbour: &Harbour, time: &str) -> NightReport {
    night(harbour, &Clock::fixed(at(time)))
}

fn old(body: &str, modified: &str) -> NewObject {
    NewObject {
        last_modified: Some(at(modified).utc().into()),
        ..body.into()
    }
}

/// Writes a list that was last modified at `time`.
fn list_of(harbour: &Harbour, path: &str, content: &str, time: &str) {
    let list = harbour.list(path, content);
    let file = std::fs::File::options().append(true).open(list).unwrap();
    file.set_modified(at(time).utc().into()).unwrap();
}

#[test]
fn what_is_settled_around_midnight_falls_into_its_own_month() {
    // In the last two the clocks change in the very night before.
    for (zone, midnight, before, after) in [
        (
            "Asia/Shanghai",
            "2026-10-31T16:00:00Z",
            "2026-10-31|+08:00",
            "2026-11-01|+08:00",
        ),
        (
            "Europe/Berlin",
            "2024-03-31T22:00:00Z",
            "2024-03-31|+02:00",
            "2024-04-01|+02:00",
        ),
        (
            "Europe/Berlin",
            "2027-10-31T23:00:00Z",
            "2027-10-31|+01:00",
            "2027-11-01|+01:00",
        ),
    ] {
        let harbour = Harbour::with(&format!("time_zone = \"{zone}\"\nworkers = 1"), "");
        for name in ["a", "b"] {
            harbour
                .server
                .put("src", name, old(name, "2024-01-01T00:00:00Z"));
        }
        harbour.list("one.txt", "a\nb\n");
        let clock = Clock::fixed(at(midnight).plus_ms(-1));
        let turned = clock.clone();
        let turn = FaultAction::call_back(move |_| turned.set(at(midnight)));
        harbour
            .server
            .on(Fault::new(turn).operation("PutObject").key("b"));
        let report = night(&harbour, &clock);
        assert_eq!((report.books.synced, report.books.deferred), (2, 0));

        let settled = "SELECT date(settled_at_local), substr(settled_at_local, -6) FROM requests
                       ORDER BY name";
        let day = "substr(settled_at_local, 1, 10)";
        let settled = settled.replace("date(settled_at_local)", day);
        assert_eq!(harbour.rows(&settled), [before, after], "{zone}");
        let (first, second) = (&before[..10], &after[..10]);
        assert_eq!(
            harbour.rows("SELECT * FROM day_summary ORDER BY day"),
            [
                format!("photos|{first}|2|1|0|0|1"),
                format!("photos|{second}|0|1|0|0|1")
            ]
        );
        assert_eq!(
            harbour.rows("SELECT * FROM month_summary ORDER BY month"),
            [
                format!("photos|{}|0|2|1|0|0|1|1", &first[..7]),
                format!("photos|{}|1|0|1|0|0|0|1", &second[..7]),
            ]
        );
    }
}

#[test]
fn a_night_through_the_change_of_the_clocks_keeps_local_times_and_names() {
    let harbour = Harbour::with("time_zone = \"Europe/Berlin\"\nworkers = 1", "");
    harbour
        .server
        .put("src", "a", old("1", "2024-01-01T00:00:00Z"));
    harbour.list("one.txt", "a\n");
    let clock = Clock::fixed(at("2024-03-31T00:59:59.500Z"));
    let turned = clock.clone();
    let turn = FaultAction::call_back(move |_| turned.set(at("2024-03-31T01:00:00.250Z")));
    harbour
        .server
        .on(Fault::new(turn).operation("PutObject").key("a"));
    night(&harbour, &clock);
    assert_eq!(
        harbour.rows("SELECT run_name, started_at_local, ended_at_local FROM run_history"),
        ["src-dst-20240331015959500_1|2024-03-31T01:59:59.500+01:00|2024-03-31T03:00:00.250+02:00"]
    );
    assert_eq!(
        harbour.list_of(1, "success"),
        ["2024-03-31T03:00:00.250+02:00\ta\t1"]
    );
    assert!(
        harbour.delivered().contains(
            &"success_object_lists/src-dst-20240331015959500_1/20240331030000250.success_list.txt"
                .to_owned()
        )
    );
}

#[test]
fn a_closed_month_keeps_what_was_said_when_a_later_success_restates_it() {
    let harbour = Harbour::with("time_zone = \"Asia/Shanghai\"", "");
    harbour
        .server
        .put("src", "a", old("1", "2024-01-01T00:00:00Z"));
    let denied = Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("a");
    let denied = harbour.server.on(denied);
    harbour.list("one.txt", "a\n");
    let report = night_at(&harbour, "2026-10-31T15:30:00Z");
    assert_eq!(report.books.failed, 1);
    assert_eq!(
        harbour.rows("SELECT * FROM month_summary"),
        ["photos|2026-10|0|1|0|1|0|0|0"]
    );
    assert!(harbour.rows("SELECT * FROM month_close").is_empty());

    harbour.server.remove_fault(denied);
    let report = night_at(&harbour, "2026-10-31T16:30:00Z");
    assert_eq!((report.carried_over, report.books.synced), (1, 1));
    let closed_at = at("2026-10-31T16:30:00Z").ms();
    assert_eq!(
        harbour.rows("SELECT * FROM month_close"),
        [format!("photos|2026-10|{closed_at}|1|0|1|0|0")]
    );
    assert_eq!(
        harbour.rows("SELECT * FROM month_summary ORDER BY month"),
        [
            "photos|2026-10|0|1|0|0|0|1|0",
            "photos|2026-11|1|0|1|0|0|0|1"
        ]
    );
    let table = harbour.run(&["summary", "--month", "2026-10"]).stdout;
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "Restated since the month was closed (2026-11-01T00:30:00.000+08:00): Failed 1 then, 0 now."
        ),
        "{table}"
    );
    let balance = "SELECT min(pending_at_start + requested
                              = synced + failed + ignored + pending_at_end) FROM month_summary";
    assert_eq!(harbour.rows(balance), ["1"]);
}

#[test]
fn carrying_over_ends_with_the_days_of_the_task() {
    let harbour = Harbour::with("", "carry_over_days = 1");
    harbour
        .server
        .put("src", "a", old("1", "2024-01-01T00:00:00Z"));
    harbour.server.on(Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("a"));
    harbour.list("one.txt", "a\n");
    for day in ["01", "02", "03", "04"] {
        night_at(&harbour, &format!("2026-10-{day}T02:00:00Z"));
    }
    assert_eq!(
        harbour.rows("SELECT taken, failed FROM run_history ORDER BY run"),
        ["1|1", "1|1", "0|0", "0|0"]
    );
    assert_eq!(
        harbour.rows("SELECT attempts, carried_over, days_left FROM failed_requests"),
        ["2|0|0"]
    );
}

#[test]
fn a_request_is_of_the_time_at_which_its_list_was_modified() {
    let harbour = Harbour::with("", "");
    harbour
        .server
        .put("src", "a", old("1", "2024-01-01T00:00:00Z"));
    // Nothing is known of the time before the first intake.
    list_of(&harbour, "0 first.txt", "a\n", "2026-10-30T02:00:00Z");
    night_at(&harbour, "2026-10-31T02:00:00Z");
    list_of(&harbour, "1 since.txt", "a\n", "2026-10-31T20:00:00.123Z");
    list_of(&harbour, "2 before.txt", "a\n", "2026-10-31T01:59:59Z");
    list_of(&harbour, "3 ahead.txt", "a\n", "2026-11-01T02:00:00.001Z");
    night_at(&harbour, "2026-11-01T02:00:00Z");
    assert_eq!(
        harbour.rows("SELECT substr(list, 14, 1), requested_at_local FROM requests ORDER BY list"),
        [
            "0|2026-10-31T02:00:00.000+00:00",
            "1|2026-10-31T20:00:00.123+00:00",
            "2|2026-11-01T02:00:00.000+00:00",
            "3|2026-11-01T02:00:00.000+00:00",
        ]
    );
    assert_eq!(
        harbour.rows("SELECT month, requested FROM month_summary ORDER BY month"),
        ["2026-10|2", "2026-11|2"]
    );
}

#[test]
fn so_is_a_request_of_a_list_in_the_bucket() {
    let harbour = Harbour::with("", "read_lists_from_destination = true");
    harbour
        .server
        .put("src", "a", old("1", "2024-01-01T00:00:00Z"));
    night_at(&harbour, "2026-10-31T02:00:00Z");
    let list = format!("{PHOTOS}object_lists/there.txt");
    harbour
        .server
        .put("dst", &list, old("a\n", "2026-10-31T20:00:00Z"));
    list_of(&harbour, "here.txt", "a\n", "2026-10-31T21:00:00Z");
    night_at(&harbour, "2026-11-01T02:00:00Z");
    assert_eq!(
        harbour.rows("SELECT requested_at_local FROM requests ORDER BY list"),
        [
            "2026-10-31T21:00:00.000+00:00",
            "2026-10-31T20:00:00.000+00:00"
        ]
    );
}

#[test]
fn a_month_of_which_nothing_can_be_known_is_wrong_usage() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    night_at(&harbour, "2026-03-10T02:00:00Z");
    let out = harbour.folder.path().join("out.html");
    let out = out.to_str().unwrap();
    for (month, code, said) in [
        (
            "2026-02",
            2,
            "nothing is known of the month 2026-02: the figures begin with 2026-03",
        ),
        (
            "2999-01",
            2,
            "nothing is known of the month 2999-01: it has not begun",
        ),
        ("2026-03", 0, ""),
        ("2026-04", 0, ""),
        ("this", 0, ""),
        ("last", 0, ""),
    ] {
        for command in [
            &["summary", "--month", month][..],
            &["summary", "--json", "--month", month],
            &["report", "--out", out, "--month", month],
        ] {
            let end = harbour.run(command);
            assert_eq!(end.code, code, "{command:?} {end:?}");
            assert!(end.stderr.contains(said), "{command:?} {end:?}");
        }
    }
}
