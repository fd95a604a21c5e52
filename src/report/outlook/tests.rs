use super::*;
use crate::ledger::fixture::{Fixture, Night, at, photos, synced};
use crate::model::FailureCause;

/// An evening, on the clocks of Shanghai.
const EVENING: &str = "2026-10-09T18:00:00+08:00";

/// Asks for so many names before the night `number`.
fn ask(fixture: &mut Fixture, number: usize, names: usize) -> Vec<String> {
    let names: Vec<String> = (0..names).map(|name| format!("{number}/{name}")).collect();
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let day = format!("2026-10-{number:02}T12:00:00+08:00");
    fixture.ask(&format!("object_lists/{number}.txt"), &day, &asked);
    names
}

/// The night after: it begins at two, takes six minutes for each of the first so
/// many names, a GiB each, and leaves the rest.
fn night(fixture: &mut Fixture, number: usize, names: &[String]) {
    let begun = begin(fixture, number);
    let end = settle(fixture, &begun, number, names);
    fixture.end(&begun, &end, 0, "done");
}

fn begin(fixture: &mut Fixture, number: usize) -> Night {
    fixture.begin(&format!("2026-10-{number:02}T02:00:00+08:00"))
}

fn settle(fixture: &mut Fixture, night: &Night, number: usize, names: &[String]) -> String {
    let mut end = String::new();
    for (index, name) in names.iter().enumerate() {
        let minutes = (index + 1) * 6;
        let (hour, minute) = (2 + minutes / 60, minutes % 60);
        end = format!("2026-10-{number:02}T{hour:02}:{minute:02}:00+08:00");
        fixture.settle(night, synced(name, &end, 1 << 30));
    }
    end
}

/// Four nights of 8 to 12 names, the last of which left the last two; one that
/// could not begin; and three names that came in by the evening.
fn four_nights() -> Fixture {
    let mut fixture = Fixture::new("Asia/Shanghai");
    for (number, names) in [(5, 10), (6, 8), (7, 12), (8, 10)] {
        let names = ask(&mut fixture, number - 1, names);
        let left = if number == 8 { 2 } else { 0 };
        night(&mut fixture, number, &names[..names.len() - left]);
    }
    let refused = FailureCause::BucketMissing;
    fixture.refused("2026-10-09T02:00:00+08:00", refused, "NoSuchBucket");
    ask(&mut fixture, 9, 3);
    fixture
}

fn outlook(fixture: &Fixture, window: Option<&str>, at_work: bool, now: &str) -> Option<Outlook> {
    let schedule = Schedule {
        window: window.map(|window| window.parse().unwrap()),
        zone: fixture.zone,
    };
    Outlook::read(&fixture.ledger, &photos(), schedule, at_work, at(now)).unwrap()
}

/// The figures of the next run.
fn outlook_of(fixture: &Fixture) -> serde_json::Value {
    let outlook = outlook(fixture, None, false, EVENING).unwrap();
    serde_json::to_value(outlook.figures()).unwrap()
}

fn evening(window: Option<&str>) -> Outlook {
    outlook(&four_nights(), window, false, EVENING).unwrap()
}

#[test]
fn without_a_window_the_next_run_is_foretold_as_though_it_began_now() {
    let outlook = evening(None);
    assert_eq!(
        outlook.sentence(),
        "Forecast for the next run, as though it began now: about 11 names and 10.5 GiB; likely \
         done by 19:02, nine times in ten by 19:43 (from 4 past runs)"
    );
    assert_eq!(
        outlook.of_deferred().unwrap(),
        "likely to be done 1 h 02 min after the next run begins, nine times in ten after 1 h 43 min"
    );
}

#[test]
fn with_a_window_the_next_one_is_foretold_and_what_it_leaves() {
    let long = evening(Some("02:00-06:00"));
    assert_eq!(
        long.sentence(),
        "Forecast for the next run, from 2026-10-10 02:00 on: about 11 names and 10.5 GiB; likely \
         done by 03:02, nine times in ten by 03:43; time is up at 06:00 (from 4 past runs)"
    );
    assert_eq!(
        long.of_deferred().unwrap(),
        "likely to be done by about 2026-10-10 03:02"
    );
    let short = evening(Some("02:00-02:30"));
    assert!(
        short
            .sentence()
            .contains("; time is up at 02:30: about 6 deferred, nine times in ten up to 11 (from"),
        "{}",
        short.sentence()
    );
    assert_eq!(
        short.of_deferred().unwrap(),
        "likely to be done within 4 nights"
    );
    let middling = evening(Some("02:00-03:20"));
    assert!(
        middling
            .sentence()
            .contains("; time is up at 03:20: one time in ten over 3 are deferred (from"),
        "{}",
        middling.sentence()
    );
    let hopeless = evening(Some("02:00-02:01"));
    assert_eq!(
        hopeless.of_deferred().unwrap(),
        "more comes in than the nights can settle"
    );
}

#[test]
fn a_run_at_work_is_foretold_by_what_it_has_taken() {
    let mut fixture = four_nights();
    let names = ask(&mut fixture, 10, 6);
    let night = begin(&mut fixture, 10);
    settle(&mut fixture, &night, 10, &names[..3]);
    let now = "2026-10-10T02:18:00+08:00";
    let at_work = outlook(&fixture, Some("02:00-06:00"), true, now).unwrap();
    assert_eq!(
        at_work.sentence(),
        "Forecast for the run at work: 11 names and about 11.0 GiB; likely done by 03:03, nine \
         times in ten by 03:21; time is up at 06:00 (from 4 past runs)"
    );
    // Its process is gone: another run will take what it left.
    let gone = outlook(&fixture, None, false, now).unwrap();
    let next = "Forecast for the next run, as though it began now: ";
    assert!(gone.sentence().starts_with(next));
}

#[test]
fn nothing_is_foretold_of_a_paused_task_nor_of_one_that_is_not_known() {
    let mut fixture = four_nights();
    let now = fixture.zone.local(at(EVENING));
    fixture.ledger.pause(fixture.task, now).unwrap();
    assert!(outlook(&fixture, None, false, EVENING).is_none());
}

#[test]
fn runs_that_tell_too_little_are_said_to() {
    let fixture = Fixture::three_nights();
    let outlook = outlook(&fixture, None, false, EVENING).unwrap();
    assert_eq!(
        outlook.sentence(),
        "Forecast for the next run, as though it began now: too little history (2 of 3 past runs that \
         are needed)"
    );
    assert_eq!(outlook.of_deferred(), None);
}

#[test]
fn the_figures_are_an_array_of_objects() {
    let outlook = evening(Some("02:00-06:00"));
    let mut json = Vec::new();
    write(&[outlook], true, &mut json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let [figures] = json.as_array().unwrap().as_slice() else {
        panic!("{json}");
    };
    let keys: Vec<&str> = figures
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = "task begins begins_at begins_at_local time_is_up_at time_is_up_at_local nights \
                    names_p50 names_p90 bytes_p50 bytes_p90 done_at_p50 done_at_p50_local \
                    done_at_p90 done_at_p90_local deferred_p50 deferred_p90";
    assert_eq!(keys, expected.split(' ').collect::<Vec<_>>());
    assert_eq!(figures["begins"], "with_window");
    assert_eq!(figures["begins_at_local"], "2026-10-10T02:00:00.000+08:00");
    assert_eq!(figures["time_is_up_at"], at("2026-10-09T22:00:00Z").ms());
    assert_eq!(
        (&figures["nights"], &figures["names_p90"]),
        (&4.into(), &15.into())
    );
    assert_eq!(figures["deferred_p90"], 0);
    let young = outlook_of(&Fixture::three_nights());
    assert_eq!(young["nights"], 2);
    assert_eq!(young["names_p50"], serde_json::Value::Null);
    let mut none = Vec::new();
    write(&[], true, &mut none).unwrap();
    assert_eq!(none, b"[]\n");
}

#[test]
fn times_are_said_as_exactly_as_they_are_near() {
    let shanghai = "Asia/Shanghai".parse().unwrap();
    let now = at(EVENING);
    for (ms, said) in [
        (0, "18:00:00"),
        (599_999, "18:09:59"),
        (600_000, "18:10"),
        (6 * 3_600_000, "2026-10-10 00:00"),
        (FAR_MS + 1, "more than a year from then"),
        (i64::MAX, "more than a year from then"),
    ] {
        assert_eq!(moment(now.plus_ms(ms), shanghai, now), said);
    }
}
