//! A night from the first call to the last figure: names come in by the events API,
//! a run carries them, and whoever asks `serve` is told what the ledger says.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{READER, SENDER, Shown, harbour, links, words};
use crate::night::Harbour;
use crate::s3_server::Fault;

const TASK: &str = "/v2/any/sync-tasks/photos";

/// Longer than an intake takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

impl Shown {
    /// Sends names as the source platform does; they have to be accepted.
    fn accepts(&self, names: &[&str]) {
        let body = serde_json::json!({ "object_keys": names }).to_string();
        let answer = self.send(&format!(
            "POST {TASK}/events HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             X-Auth-Token: {SENDER}\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ));
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, ""),
            "{answer:?}"
        );
    }

    /// What a path answers to one who may read.
    fn told(&self, path: &str) -> String {
        let answer = self.get_with(path, &format!("X-Auth-Token: {READER}\r\n"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.told(path)).unwrap()
    }
}

/// Waits until so many requests of `photos` are in the ledger.
fn wait_requested(harbour: &Harbour, count: u64) {
    let began = Instant::now();
    let asked = || harbour.rows("SELECT requested FROM books WHERE task = 'photos'");
    while asked() != [count.to_string()] {
        assert!(began.elapsed() < DEADLINE, "{:?}", asked());
        thread::sleep(Duration::from_millis(20));
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// The first row that the ledger answers, as numbers.
fn numbers(harbour: &Harbour, sql: &str) -> Vec<u64> {
    let row = harbour.rows(sql).into_iter().next().unwrap();
    row.split('|').map(|cell| cell.parse().unwrap()).collect()
}

#[test]
fn page_answers_and_metrics_say_of_a_night_what_the_ledger_says() {
    let harbour = harbour("");
    harbour.put("a.jpg", "12345");
    harbour.put("b/two words.jpg", "1234567");
    harbour.put("there.jpg", "123");
    harbour.put("refused.jpg", "1");
    harbour.server.put("dst", "there.jpg", "123");
    let refusal = Fault::answer(403, "AccessDenied").operation("GetObject");
    harbour.server.on(refusal.key("refused.jpg"));
    let shown = Shown::at(&harbour);
    shown.accepts(&["a.jpg", "b%2Ftwo%20words.jpg", "there.jpg"]);
    shown.accepts(&["refused.jpg", "a.jpg"]);
    wait_requested(&harbour, 5);
    assert_eq!(harbour.night().code, 4);
    // One more for the next night.
    shown.accepts(&["later.jpg"]);
    wait_requested(&harbour, 6);

    let month = "SELECT requested, synced, failed, ignored, synced_bytes FROM month_summary
                 WHERE task = 'photos' ORDER BY month DESC";
    assert_eq!(numbers(&harbour, month), [6, 2, 1, 2, 12]);
    let books = "SELECT requested, synced, failed, ignored, pending, balanced FROM books
                 WHERE task = 'photos'";
    assert_eq!(numbers(&harbour, books), [6, 2, 1, 2, 1, 1]);
    let run = "SELECT taken, synced, failed, ignored, deferred, synced_bytes FROM run_history";
    assert_eq!(numbers(&harbour, run), [5, 2, 1, 2, 0, 12]);
    the_page_says_so(&shown);
    the_answers_say_so(&shown);
    the_metrics_say_so(&shown);
}

fn the_page_says_so(shown: &Shown) {
    let strip = "Requested 6 Synced 2 Failed 1 Ignored 2 Pending now 1 Synced size 12 B";
    let tasks = words(&shown.page("/"));
    assert!(tasks.contains(strip), "{tasks}");
    let page = shown.page("/tasks/photos");
    let month = words(&page);
    for said in [
        "Requested Objects 6 Synced 2 Failed 1 Ignored 2 Synced Object Size 12 B",
        "Books: 0 pending at start + 6 requested = 2 synced + 1 failed + 2 ignored + 1 pending at end.",
        "source_denied 1 The source refuses",
    ] {
        assert!(month.contains(said), "{said}: {month}");
    }
    let run = words(&shown.page("/tasks/photos/runs/1"));
    let said = "Books: 5 taken = 2 synced + 1 failed + 2 ignored + 0 deferred.";
    assert!(run.contains(said), "{run}");
    let failed = shown.page(&links(&page, "cause=source_denied")[0]);
    assert_eq!(
        links(&failed, "/objects?name="),
        ["/tasks/photos/objects?name=refused%2Ejpg"]
    );
}

fn the_answers_say_so(shown: &Shown) {
    let month = shown.json(&format!("{TASK}?query_time={}", now_ms()));
    for (figure, count) in [
        ("monthly_acceptance_request", 6),
        ("monthly_success_object", 2),
        ("monthly_failure_object", 1),
        ("monthly_skip_object", 2),
        ("monthly_size", 12),
    ] {
        assert_eq!(month[figure], count, "{figure}: {month}");
    }
    let (start, end) = (now_ms() - 3_600_000, now_ms() + 1_000);
    let series = shown.json(&format!(
        "{TASK}/statistics?data_type=REQUEST,SUCCESS,FAILURE,SKIP,SIZE&start_time={start}&end_time={end}"
    ));
    let series = series["statistic_datas"].as_array().unwrap().iter();
    let sums: BTreeMap<&str, i64> = series
        .map(|series| {
            let places = series["data"].as_array().unwrap().iter();
            let counts = places.map(|place| place["statistic_num"].as_i64().unwrap());
            (series["data_type"].as_str().unwrap(), counts.sum())
        })
        .collect();
    let expected = [
        ("FAILURE", 1),
        ("REQUEST", 6),
        ("SIZE", 12),
        ("SKIP", 2),
        ("SUCCESS", 2),
    ];
    assert_eq!(sums, BTreeMap::from(expected));
}

fn the_metrics_say_so(shown: &Shown) {
    let metrics = shown.told("/metrics");
    for line in [
        "nightferry_requested_total{task=\"photos\"} 6",
        "nightferry_requests{state=\"synced\",task=\"photos\"} 2",
        "nightferry_requests{state=\"failed\",task=\"photos\"} 1",
        "nightferry_requests{state=\"ignored\",task=\"photos\"} 2",
        "nightferry_requests{state=\"pending\",task=\"photos\"} 1",
        "nightferry_synced_bytes_total{task=\"photos\"} 12",
        "nightferry_last_run_number{task=\"photos\"} 1",
        "nightferry_last_run_requests{outcome=\"synced\",task=\"photos\"} 2",
        "nightferry_last_run_requests{outcome=\"failed\",task=\"photos\"} 1",
        "nightferry_last_run_requests{outcome=\"ignored\",task=\"photos\"} 2",
        "nightferry_last_run_requests{outcome=\"deferred\",task=\"photos\"} 0",
        "nightferry_last_run_synced_bytes{task=\"photos\"} 12",
        "nightferry_last_run_exit_code{task=\"photos\"} 4",
        "nightferry_serve_accepted_names_total 6",
    ] {
        assert!(
            metrics.lines().any(|said| said == line),
            "{line}\n{metrics}"
        );
    }
}
