//! What is asked rather than told: as OMS answers it, and for those who watch.

use std::fs;
use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{ALL, Answer, House, OPERATOR, PHOTOS, READER, Serving};

const TASKS: &str = "/v2/p1/sync-tasks";
const TASK: &str = "/v2/p1/sync-tasks/photos";

impl Serving {
    /// Asks with this token.
    fn ask(&self, method: &str, path: &str, token: &str) -> Answer {
        let mut stream = self.connect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             X-Auth-Token: {token}\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Answer::parse(&answer)
    }

    /// What is answered to one who may read.
    fn read(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, READER);
        assert_eq!(answer.status, 200, "{path} {answer:?}");
        assert!(
            answer.head.contains("content-type: application/json"),
            "{answer:?}"
        );
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The month of `photos`.
    fn month(&self) -> Value {
        self.read(&format!("{TASK}?query_time={}", now_ms()))
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

#[test]
fn a_task_and_its_month_are_shown_as_oms_shows_them() {
    let house = House::with("", "time_zone = \"Asia/Shanghai\"\noverwrite = \"never\"");
    let before = now_ms();
    let serving = house.serve();
    serving.accepts(&["a", "b", "a"]);
    house.wait_requested(3);
    let mut month = serving.month();
    let created = month["create_time"].take().as_i64().unwrap();
    let started = month["last_start_time"].take().as_i64().unwrap();
    assert!((before..=now_ms()).contains(&created) && started == created);
    assert_eq!(
        month,
        json!({
            "sync_task_id": "photos", "src_cloud_type": "AWS", "src_region": "us-east-1",
            "src_bucket": "src", "create_time": null, "last_start_time": null,
            "dst_bucket": "dst", "dst_region": "us-east-1", "description": "",
            "status": "SYNCHRONIZING", "enable_metadata_migration": true,
            "enable_restore": false, "app_id": "", "object_overwrite_mode": "NO_OVERWRITE",
            "dst_storage_policy": null, "consistency_check": "crc64",
            "monthly_acceptance_request": 3, "monthly_success_object": 0,
            "monthly_failure_object": 0, "monthly_skip_object": 0, "monthly_size": 0
        })
    );
    // What comes to an end is seen at once.
    let withdrawn = house.does(&["withdraw", "--task", "photos", "--name", "a"]);
    assert_eq!(withdrawn.code, Some(0), "{withdrawn:?}");
    assert_eq!(serving.month()["monthly_skip_object"], 2);
    let earlier = serving.read(&format!("{TASK}?query_time=1609833838031"));
    assert_eq!(earlier["monthly_acceptance_request"], 0);
}

#[test]
fn series_are_by_five_minutes_or_by_hours_without_empty_places() {
    let house = House::new();
    let serving = house.serve();
    serving.accepts(&["a", "b"]);
    house.wait_requested(2);
    house.does(&["withdraw", "--task", "photos", "--name", "a"]);
    for (days, time_type, step_ms) in [(1, "FIVE_MINUTES", 300_000), (30, "ONE_HOUR", 3_600_000)] {
        let (start, end) = (now_ms() - days * 86_400_000, now_ms() + 1_000);
        let answer = serving.read(&format!(
            "{TASK}/statistics?data_type=REQUEST,SKIP,SIZE&start_time={start}&end_time={end}"
        ));
        assert_eq!(answer["sync_task_id"], "photos");
        assert_eq!(answer["statistic_time_type"], time_type);
        let series = answer["statistic_datas"].as_array().unwrap();
        for (series, (data_type, count)) in
            series
                .iter()
                .zip([("REQUEST", 2), ("SKIP", 1), ("SIZE", 0)])
        {
            assert_eq!(series["data_type"], data_type);
            let places = series["data"].as_array().unwrap();
            let counts = places
                .iter()
                .map(|place| place["statistic_num"].as_i64().unwrap());
            assert_eq!(counts.sum::<i64>(), count);
            for place in places {
                let at = place["time_stamp"].as_i64().unwrap();
                assert_eq!(at % step_ms, 0);
                assert!((start - step_ms..end).contains(&at));
                assert_ne!(place["statistic_num"], 0);
            }
        }
        assert_eq!(series.len(), 3);
    }
}

#[test]
fn a_task_that_is_stopped_is_left_alone_and_its_names_are_taken_in_all_the_same() {
    let house = House::new();
    let serving = house.serve();
    let post = |path: &str| serving.ask("POST", path, OPERATOR);
    let (start, stop) = (format!("{TASK}/start"), format!("{TASK}/stop"));
    let refused = post(&start);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.error().0, "NIGHTFERRY.0400");
    let stopped = post(&stop);
    assert_eq!((stopped.status, stopped.body.as_str()), (200, ""));
    assert_eq!(post(&stop).status, 400);
    assert_eq!(serving.month()["status"], "STOPPED");
    let stopped = serving.read(&format!("{TASKS}?status=STOPPED"));
    assert_eq!(stopped["count"], 1);
    assert_eq!(stopped["tasks"][0]["sync_task_id"], "photos");
    serving.accepts(&["a"]);
    house.wait_requested(1);
    let run = house.does(&["run", "--task", "photos"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("photos: paused since "), "{run:?}");
    let body = r#"{"src_ak":"x","src_sk":"y","dst_ak":"x","dst_sk":"y"}"#;
    let started = serving.post(&start, &[("X-Auth-Token", OPERATOR)], body);
    assert_eq!((started.status, started.body.as_str()), (200, ""));
    let month = serving.month();
    assert_eq!(month["status"], "SYNCHRONIZING");
    assert!(month["last_start_time"].as_i64() > month["create_time"].as_i64());
    assert_eq!(house.ask("SELECT task FROM paused_tasks"), [""; 0]);
}

#[test]
fn tasks_are_shown_some_at_a_time_in_the_order_of_the_configuration() {
    let house = House::new();
    let serving = house.serve();
    for (query, count, expected) in [
        ("", 2, &["photos", "films"][..]),
        ("?limit=1", 2, &["photos"]),
        ("?limit=1&offset=1", 2, &["films"]),
        ("?offset=2", 2, &[]),
        ("?status=SYNCHRONIZING", 2, &["photos", "films"]),
        ("?status=STOPPED", 0, &[]),
    ] {
        let list = serving.read(&format!("{TASKS}{query}"));
        let tasks = list["tasks"].as_array().unwrap().iter();
        let ids: Vec<&str> = tasks
            .map(|task| task["sync_task_id"].as_str().unwrap())
            .collect();
        assert_eq!(
            (list["count"].as_i64(), ids.as_slice()),
            (Some(count), expected),
            "{query}"
        );
    }
}

#[test]
fn each_wrong_question_is_told_what_is_wrong_with_it() {
    let house = House::with("project_id = \"p1\"", "");
    let serving = house.serve();
    for (path, status, code, said) in [
        (TASK.to_owned(), 400, "OMS.0064", "query_time is missing."),
        (
            format!("{TASK}?query_time=now"),
            400,
            "OMS.0064",
            "query_time is no time",
        ),
        (
            format!("{TASKS}?limit=101"),
            400,
            "OMS.0064",
            "limit is no number from 1 to 100.",
        ),
        (
            format!("{TASKS}?status=RUNNING"),
            400,
            "OMS.0064",
            "status is neither",
        ),
        (
            format!("{TASK}/statistics?data_type=TOTAL&start_time=1&end_time=2"),
            400,
            "OMS.0064",
            "data_type is no list of REQUEST",
        ),
        (
            format!("{TASK}/statistics?data_type=SIZE&start_time=2&end_time=2"),
            400,
            "OMS.0064",
            "end_time is not after start_time.",
        ),
        (
            format!("{TASK}/statistics?data_type=SIZE&start_time=1&end_time=3600000001"),
            400,
            "OMS.0064",
            "more than 1000 hours",
        ),
        (
            format!("{TASKS}/nope?query_time=1"),
            404,
            "OMS.0054",
            "no such task",
        ),
        (
            format!("{TASKS}/%ff?query_time=1"),
            404,
            "APIGW.0101",
            "does not exist",
        ),
        (
            "/v2/p2/sync-tasks".to_owned(),
            404,
            "NIGHTFERRY.0404",
            "another project",
        ),
    ] {
        let answer = serving.ask("GET", &path, ALL);
        let (its_code, message) = answer.error();
        assert_eq!(
            (answer.status, its_code.as_str()),
            (status, code),
            "{path} {message}"
        );
        assert!(message.contains(said), "{path} {message}");
    }
    for (method, path) in [("POST", TASKS), ("DELETE", TASK)] {
        let answer = serving.ask(method, path, OPERATOR);
        assert_eq!(answer.status, 403);
        let (code, message) = answer.error();
        assert_eq!(code, "NIGHTFERRY.0403");
        assert!(
            message.starts_with("Tasks stand in the configuration"),
            "{message}"
        );
    }
}

#[test]
fn who_may_not_is_told_nothing() {
    let house = House::new();
    let serving = house.serve();
    let month = format!("{TASK}?query_time=1");
    let stop = format!("{TASK}/stop");
    for (method, path, token, status) in [
        ("GET", TASKS, "", 401),
        ("GET", TASKS, "wrong", 401),
        ("GET", TASKS, PHOTOS, 403),
        ("GET", month.as_str(), PHOTOS, 403),
        ("GET", "/metrics", "", 401),
        ("GET", "/metrics", PHOTOS, 403),
        ("POST", stop.as_str(), "", 401),
        ("POST", stop.as_str(), ALL, 403),
        ("POST", stop.as_str(), READER, 403),
        ("POST", TASKS, READER, 403),
        ("DELETE", TASK, "", 401),
        ("GET", "/healthz", "", 200),
        ("GET", "/openapi.json", "", 200),
    ] {
        let answer = serving.ask(method, path, token);
        assert_eq!(answer.status, status, "{method} {path} {token} {answer:?}");
    }
    assert_eq!(house.ask("SELECT task FROM paused_tasks"), [""; 0]);
}

#[test]
fn metrics_say_where_each_task_stands_and_what_was_taken_in() {
    let house = House::new();
    let serving = house.serve();
    serving.accepts(&["a", "b"]);
    house.wait_requested(2);
    house.does(&["withdraw", "--task", "photos", "--name", "a"]);
    house.does(&["pause", "--task", "photos"]);
    let answer = serving.ask("GET", "/metrics", READER);
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{answer:?}"
    );
    for line in [
        "# TYPE nightferry_requests gauge",
        "# TYPE nightferry_requested_total counter",
        "nightferry_requested_total{task=\"photos\"} 2",
        "nightferry_requests{state=\"ignored\",task=\"photos\"} 1",
        "nightferry_requests{state=\"pending\",task=\"photos\"} 1",
        "nightferry_requests{state=\"synced\",task=\"photos\"} 0",
        "nightferry_pending_requests{task=\"photos\"} 1",
        "nightferry_pending_requests{task=\"films\"} 0",
        "nightferry_synced_bytes_total{task=\"photos\"} 0",
        "nightferry_paused{task=\"photos\"} 1",
        "nightferry_paused{task=\"films\"} 0",
        "nightferry_serve_calls_total{answer=\"accepted\"} 1",
        "nightferry_serve_accepted_names_total 2",
        "nightferry_serve_ledger_in_place 1",
    ] {
        assert!(
            answer.body.lines().any(|said| said == line),
            "{line}\n{}",
            answer.body
        );
    }
    let oldest = "nightferry_oldest_pending_timestamp_seconds{task=";
    let oldest: Vec<&str> = answer
        .body
        .lines()
        .filter(|line| line.starts_with(oldest))
        .collect();
    let [photos] = oldest.as_slice() else {
        panic!("{oldest:?}");
    };
    let seconds: f64 = photos.split(' ').nth(1).unwrap().parse().unwrap();
    let asked = house.ask("SELECT CAST(requested_at AS TEXT) FROM pending_requests");
    assert_eq!(format!("{:.0}", seconds * 1000.0), asked[0]);
    assert!(
        !answer.body.contains("last_run_number{"),
        "no run has begun"
    );
}

#[test]
fn it_is_well_as_long_as_lists_can_be_written() {
    let house = House::new();
    let serving = house.serve();
    let health = || serving.ask("GET", "/healthz", "");
    let well = health();
    assert_eq!(
        (well.status, well.body.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    let (folder, aside) = (house.lists_folder(), house.data().join("aside"));
    fs::rename(&folder, &aside).unwrap();
    let ill = health();
    assert_eq!(ill.status, 503);
    assert_eq!(
        ill.error().1,
        "Something is wrong: lists cannot be written."
    );
    fs::rename(&aside, &folder).unwrap();
    assert_eq!(health().status, 200);
}

#[test]
fn all_that_is_described_is_answered_and_no_other_method() {
    let house = House::new();
    let serving = house.serve();
    let described = serving.read("/openapi.json");
    for (path, methods) in described["paths"].as_object().unwrap() {
        let place = path.replace("{project}", "p1").replace("{task}", "photos");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = serving.ask(method, &place, "");
            let is_described = methods.get(method.to_lowercase()).is_some();
            assert_eq!(
                answer.status != 405,
                is_described,
                "{method} {path} {answer:?}"
            );
            assert_ne!(answer.status, 404, "{method} {path}");
            let is_open = answer.status == 200;
            let says_open = methods[method.to_lowercase()]["security"] == json!([]);
            assert_eq!(is_open, says_open, "{method} {path}");
        }
    }
}
