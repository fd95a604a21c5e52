//! What people and programs read, from a ledger of three nights.

use std::time::Duration;

use super::outlook::Schedule;
use super::*;
use crate::ledger::fixture::{Fixture, at, failed, photos, synced};
use crate::ledger::{Filter, View};
use crate::model::{FailureCause, Timestamp};

fn friday() -> Timestamp {
    at("2026-10-09T12:00:00+08:00")
}

fn month(fixture: &Fixture, month: &str) -> Summary {
    let choice = month.parse().unwrap();
    Summary::read(&fixture.ledger, Some(&photos()), choice, friday()).unwrap()
}

/// What `write` writes.
fn written(write: impl FnOnce(&mut Vec<u8>) -> Result<(), ReportError>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn why(fixture: &Fixture, name: &str) -> String {
    written(|out| write_why(&fixture.ledger, &photos(), name, out).map(|_| ()))
}

#[test]
fn a_month_is_shown_with_its_reasons_and_what_to_do() {
    let text = month(&Fixture::three_nights(), "this").render_table();
    assert_eq!(
        text,
        "\
photos, 2026-10

  Pending at start        0
  Requested               7
  Synced                  3  8.0 MiB
  Failed                  1
    source_missing        1
  Ignored                 2
    duplicate             1
    newer_at_destination  1
  Pending at end          1
  Pending now             1  the oldest waits for 3 days

  source_missing: The source has no object of this name: compare it byte for
  byte with the source, then ask again under the right name.

  source_missing: `#c.jpg` begins with `#`: was it meant as a comment? Lists
  have no comments.
"
    );
}

#[test]
fn everything_a_summary_can_say_fits_80_columns() {
    let mut fixture = Fixture::new("UTC");
    let causes: Vec<String> = FailureCause::ALL.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = causes.iter().map(String::as_str).collect();
    fixture.ask("object_lists/a.txt", "2026-10-08T12:00:00Z", &names);
    let night = fixture.begin("2026-10-09T01:00:00Z");
    for cause in FailureCause::ALL {
        let attempt = failed(cause.as_str(), "2026-10-09T01:00:01Z", *cause, "", 500);
        fixture.settle(&night, attempt);
    }
    let text = month(&fixture, "2026-10").render_table();
    for cause in FailureCause::ALL {
        assert!(
            text.contains(&format!("  {cause}: ")),
            "{cause} has no hint"
        );
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn json_and_csv_have_the_columns_of_month_summary() {
    let fixture = Fixture::three_nights();
    let summary = month(&fixture, "this");
    let columns = fixture.ledger.columns(View::MonthSummary).unwrap();
    assert_eq!(
        summary.render_csv().unwrap(),
        format!(
            "{}\nphotos,2026-10,0,7,3,1,2,1,8389608\n",
            columns.join(",")
        )
    );
    let rows: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(&summary.render_json().unwrap()).unwrap();
    assert_eq!(
        rows[0].keys().collect::<Vec<_>>(),
        columns.iter().collect::<Vec<_>>()
    );
    let view = written(|out| {
        view::write_json(
            &fixture.ledger,
            View::MonthSummary,
            &[Filter::default()],
            out,
        )
    });
    let of_view: serde_json::Value = serde_json::from_str(&view).unwrap();
    assert_eq!(serde_json::to_value(&rows).unwrap(), of_view);
}

#[test]
fn a_month_in_which_nothing_happened_is_zero_but_for_what_waits() {
    let fixture = Fixture::three_nights();
    let row = |name: &str| month(&fixture, name).months[0].row.clone();
    let november = row("2026-11");
    assert_eq!((november.pending_at_start, november.pending_at_end), (1, 1));
    assert_eq!(
        (november.requested, november.synced, november.synced_bytes),
        (0, 0, 0)
    );
    let september = row("last");
    assert_eq!(september.month, "2026-09");
    assert_eq!(
        (september.pending_at_start, september.pending_at_end),
        (0, 0)
    );
}

#[test]
fn each_request_counts_in_the_month_of_its_own_clock() {
    // Berlin leaves summer time on 2026-10-25: midnight of November is 23:00Z.
    let mut fixture = Fixture::new("Europe/Berlin");
    fixture.ask(
        "object_lists/a.txt",
        "2026-10-31T22:59:59.999Z",
        &["october"],
    );
    fixture.ask("object_lists/b.txt", "2026-10-31T23:00:00Z", &["november"]);
    let csv = |name: &str| month(&fixture, name).render_csv().unwrap();
    assert!(csv("2026-10").ends_with("\nphotos,2026-10,0,1,0,0,0,1,0\n"));
    assert!(csv("2026-11").ends_with("\nphotos,2026-11,1,1,0,0,0,2,0\n"));
    let choose = |now| {
        let summary = Summary::read(&fixture.ledger, None, MonthChoice::This, at(now)).unwrap();
        summary.months[0].row.month.clone()
    };
    assert_eq!(choose("2026-10-31T22:59:59.999Z"), "2026-10");
    assert_eq!(choose("2026-10-31T23:00:00Z"), "2026-11");
}

#[test]
fn a_month_that_was_closed_says_where_it_differs_now() {
    let mut fixture = Fixture::new("UTC");
    fixture.ask("object_lists/a.txt", "2026-09-29T12:00:00Z", &["a"]);
    let night = fixture.begin("2026-09-30T01:00:00Z");
    let timeout = FailureCause::Timeout;
    fixture.settle(
        &night,
        failed("a", "2026-09-30T01:00:01Z", timeout, "", 500),
    );
    fixture.end(&night, "2026-09-30T01:00:02Z", 4, "failed");
    let night = fixture.begin("2026-10-02T01:00:00Z");
    fixture.settle(&night, synced("a", "2026-10-02T01:00:01Z", 5));
    fixture.end(&night, "2026-10-02T01:00:02Z", 0, "done");
    let text = month(&fixture, "2026-09").render_table();
    assert!(
        text.ends_with(
            "\n  Restated since the month was closed (2026-10-02T01:00:00.000+00:00): Failed 1\n  \
             then, 0 now.\n"
        ),
        "{text}"
    );
}

#[test]
fn an_unknown_task_is_an_error() {
    let fixture = Fixture::three_nights();
    let unknown = "films".parse().unwrap();
    let error = Summary::read(&fixture.ledger, Some(&unknown), MonthChoice::This, friday());
    assert!(matches!(error, Err(ReportError::UnknownTask(task)) if task == unknown));
}

#[test]
fn runs_are_a_table_and_the_last_ones_can_be_had_alone() {
    let fixture = Fixture::three_nights();
    let last = Filter {
        last: Some(2),
        ..Filter::default()
    };
    assert_eq!(
        written(|out| view::write_runs(&fixture.ledger, &last, out)),
        "\
Task    Run  Started           Ended  Taken  Synced  Failed  Ignored  Deferred  Rejected     Size  State  Because
photos    2  2026-10-07 01:00  01:00      3       2       0        0         1         0  5.0 MiB  ended  deferred
photos    3  2026-10-09 01:00  01:00      1       0       0        0         1         0      0 B  ended  could_not_begin
"
    );
}

#[test]
fn failed_requests_are_filtered_and_escaped_for_the_terminal() {
    let forged = "a\nphotos    9  \u{1b}[31mforged";
    let mut fixture = Fixture::new("UTC");
    fixture.ask(
        "object_lists/a.txt",
        "2026-10-05T12:00:00Z",
        &[forged, "slow"],
    );
    let night = fixture.begin("2026-10-06T01:00:00Z");
    let missing = FailureCause::SourceMissing;
    fixture.settle(
        &night,
        failed(forged, "2026-10-06T01:00:01Z", missing, "NoSuchKey", 404),
    );
    let throttled = FailureCause::Throttled;
    fixture.settle(
        &night,
        failed("slow", "2026-10-06T01:00:02Z", throttled, "SlowDown", 503),
    );
    fixture.end(&night, "2026-10-06T01:00:03Z", 4, "failed");
    let filter = |cause| Filter {
        task: None,
        run: Some(1),
        cause: Some(cause),
        ..Filter::default()
    };
    assert_eq!(
        written(|out| view::write_failed(&fixture.ledger, &filter(missing), out)),
        "\
Task    Run  Failed            Cause           Code       Attempts  Days left  Name
photos    1  2026-10-06 01:00  source_missing  NoSuchKey         1          0  a\\nphotos    9  \\u{1b}[31mforged

source_missing: The source has no object of this name: compare it byte for byte
with the source, then ask again under the right name.
"
    );
    let names =
        |filter: &Filter<'_>| written(|out| view::write_failed_names(&fixture.ledger, filter, out));
    assert_eq!(names(&Filter::default()), format!("{forged}\0slow\0"));
    assert_eq!(names(&filter(throttled)), "slow\0");
    assert_eq!(names(&filter(FailureCause::Timeout)), "");
}

#[test]
fn json_is_an_array_of_the_views_columns_even_when_empty() {
    let fixture = Fixture::three_nights();
    let json = |view, run| {
        let filter = Filter {
            run,
            ..Filter::default()
        };
        written(|out| view::write_json(&fixture.ledger, view, &[filter], out))
    };
    assert_eq!(
        json(View::Books, None),
        "[\n  {\"task\":\"photos\",\"requested\":7,\"synced\":3,\"failed\":1,\"ignored\":2,\
         \"pending\":1,\"balanced\":1}\n]\n"
    );
    assert_eq!(json(View::RunHistory, Some(99)), "[]\n");
    let rows: serde_json::Value = serde_json::from_str(&json(View::RunHistory, None)).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert_eq!(rows[2]["run"], 3);
}

#[test]
fn input_lists_are_shown_with_their_rejected_lines() {
    let fixture = Fixture::three_nights();
    assert_eq!(
        written(|out| view::write_lists(&fixture.ledger, &Filter::default(), out)),
        "\
Task    Loaded            Lines  Requests  Rejected  List
photos  2026-10-05 12:00      6         5         1  object_lists/monday.txt
photos  2026-10-06 12:00      2         2         0  object_lists/tuesday.txt

Task    List                     Line  Reason       Excerpt
photos  object_lists/monday.txt     6  dot_segment  x/../y.jpg

dot_segment: A `.` or `..` stands between slashes, which HTTP resolves away:
carry such an object by other means.
"
    );
}

#[test]
fn why_tells_each_attempt_with_its_facts() {
    assert_eq!(
        why(&Fixture::three_nights(), "d.jpg"),
        "\
photos: d.jpg

Request 4, asked for at 2026-10-05T12:00:00.000+08:00
  by line 4 of object_lists/monday.txt
  Attempt 1 in run 1, 2026-10-06T01:00:04.000+08:00, 120 ms
    failed (throttled)
    source       not there, or not looked at
    destination  not there, or not looked at
    answer       503, SlowDown, request id RQ1
    message      failed to read d.jpg at the source
  Attempt 2 in run 2, 2026-10-07T01:00:01.000+08:00, 120 ms
    synced
    source       5,242,880 bytes (5.0 MiB), modified 2026-10-04T09:30:00.000+00:00, ETag 5e
    destination  not there
    copy         ETag c0, proven by etag_md5
    answer       request id RQ1
  Now: synced
"
    );
}

#[test]
fn why_says_what_to_do_and_what_an_operator_did() {
    let mut fixture = Fixture::three_nights();
    let missing = why(&fixture, "#c.jpg");
    assert!(
        missing.ends_with(
            "  Now: failed\n  The source has no object of this name: compare it byte for byte \
             with the\n  source, then ask again under the right name.\n  The name begins with `#`: \
             was it meant as a comment? Lists have no comments.\n"
        ),
        "{missing}"
    );
    let waiting = why(&fixture, "f.jpg");
    assert!(waiting.ends_with("\n  Now: pending; the last run left it (could_not_begin)\n"));
    fixture.withdraw("f.jpg", "2026-10-09T13:00:00+08:00");
    let withdrawn = why(&fixture, "f.jpg");
    assert!(withdrawn.ends_with("\n  Now: ignored (withdrawn) at 2026-10-09T13:00:00.000+08:00\n"));
    assert_eq!(
        why(&fixture, "A.JPG"),
        "photos: A.JPG\n\nNever asked for. Names are compared byte for byte.\n"
    );
}

#[test]
fn status_shows_the_books_the_last_run_and_what_to_look_at() {
    let fixture = Fixture::three_nights();
    assert_eq!(
        written(|out| write_status(
            &fixture.ledger,
            None,
            &[],
            |_| BesideLedger {
                passed_over: 2,
                unloaded: 1,
                at_work: true,
                schedule: Some(Schedule {
                    window: None,
                    zone: fixture.zone,
                }),
                ..BesideLedger::default()
            },
            friday(),
            out
        )),
        "\
photos

  Requested             7  the books balance
  Synced                3
  Failed                1
  Ignored               2
  Pending               1  the oldest waits for 3 days
  Lists not loaded yet  1  the next run takes in what is new
  Rejected lines        1  `nightferry lists` shows them
  Files passed over     2  in object_lists/, but no lists
  Last run              3  11 hours ago, could_not_begin
  Run 3: the source refused
  Forecast for the next run, as though it began now: too little history (2 of 3
  past runs that are needed)
"
    );
}

#[test]
fn status_says_that_no_list_came_for_longer_than_is_expected() {
    let fixture = Fixture::three_nights();
    let expecting = |hours| {
        written(|out| {
            write_status(
                &fixture.ledger,
                None,
                &[],
                |_| BesideLedger {
                    expect_list_within: Some(Duration::from_hours(hours)),
                    ..BesideLedger::default()
                },
                friday(),
                out,
            )
        })
    };
    let shown = expecting(26);
    let silent = shown
        .lines()
        .find(|line| line.starts_with("  No list for "));
    let said = "3 days  one is expected within 1day 2h: look at what writes or sends them";
    assert!(silent.unwrap_or(&shown).ends_with(said), "{shown}");
    let shown = expecting(366 * 24);
    assert!(!shown.contains("No list"), "{shown}");
}

#[test]
fn runs_say_how_many_failures_were_tolerated() {
    let mut fixture = Fixture::three_nights();
    let shown = |fixture: &Fixture| {
        let all = Filter::default();
        written(|out| view::write_runs(&fixture.ledger, &all, out))
    };
    assert!(!shown(&fixture).contains("tolerated"));
    let runs = fixture.ledger.ended_runs(&photos()).unwrap();
    let causes = FailureCause::ALL;
    let tolerated: Vec<String> = runs
        .into_iter()
        .map(|(number, run)| (number, fixture.ledger.note_tolerated(run, causes).unwrap()))
        .filter(|(_, tolerated)| *tolerated > 0)
        .map(|(number, tolerated)| {
            format!("photos, run {number}: {tolerated} of {tolerated} failed tolerated\n")
        })
        .collect();
    assert_ne!(tolerated, [""; 0]);
    let shown = shown(&fixture);
    assert!(shown.contains(&tolerated.concat()), "{shown}");
}

#[test]
fn status_tells_of_tasks_that_had_no_run_yet() {
    let fixture = Fixture::three_nights();
    let films: TaskId = "films".parse().unwrap();
    let told = |unloaded| {
        written(|out| {
            write_status(
                &fixture.ledger,
                Some(&films),
                &[&films],
                |_| BesideLedger {
                    unloaded,
                    ..BesideLedger::default()
                },
                friday(),
                out,
            )
        })
    };
    assert_eq!(told(0), "films: no run yet, and no list waits for one\n");
    assert_eq!(told(2), "films: no run yet, 2 lists not loaded yet\n");
}
