//! What is sent, and what is answered.

use std::os::unix::fs::PermissionsExt;

use super::{ALL, EVENTS, House, NOTIFICATIONS, PHOTOS, event};

#[test]
fn names_that_are_accepted_stand_in_a_list_of_today_and_are_requested() {
    let house = House::with("", "time_zone = \"Pacific/Kiritimati\"");
    let serving = house.serve();
    serving.accepts(&["photos%2F001.jpg", "a b"]);
    serving.accepts(&["%C3%BC+"]);
    assert_eq!(house.wait_requested(3), ["photos/001.jpg", "a b", "ü+"]);
    let lists = house.lists();
    let (path, text) = lists.first_key_value().unwrap();
    assert_eq!(
        (lists.len(), text.as_str()),
        (1, "photos%2F001.jpg\na%20b\n%C3%BC%2B\n")
    );
    assert_eq!(
        path.metadata().unwrap().permissions().mode() & 0o7777,
        0o600
    );
    let path = path.strip_prefix(house.lists_folder()).unwrap();
    let path = path.to_str().unwrap();
    // The day is the task's: its clocks are fourteen hours ahead.
    let stamp = path.rsplit('/').next().unwrap();
    let day = format!("{}/{}/{}/", &stamp[..4], &stamp[4..6], &stamp[6..8]);
    assert!(
        path.starts_with(&day) && path.ends_with("_1.url.txt"),
        "{path}"
    );
    let ended = serving.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(house.requested().len(), 3);
    house.check_books();
}

#[test]
fn a_plus_is_a_space_if_the_task_says_so() {
    let house = House::with("", "plus_is_space = true");
    let serving = house.serve();
    serving.accepts(&["red+flower", "a%2Bb"]);
    assert_eq!(house.wait_requested(2), ["red flower", "a+b"]);
}

#[test]
fn each_mistake_has_its_status_and_code_and_records_nothing() {
    let house = House::with("most_names = 3\nmost_body = \"16KiB\"", "");
    let serving = house.serve();
    let large = event(&[&"x".repeat(20_000)]);
    for (path, body, status, code, said) in [
        (EVENTS, "{}", 400, "OMS.0064", "the body is not"),
        (
            EVENTS,
            &event(&[]),
            400,
            "OMS.0064",
            "object_keys has 0 names",
        ),
        (
            EVENTS,
            &event(&["a", "b", "c", "d"]),
            400,
            "OMS.0064",
            "send 1 to 3",
        ),
        (
            EVENTS,
            &event(&["a", "b%zz"]),
            400,
            "OMS.0064",
            "(bad_percent_encoding): b%zz",
        ),
        (EVENTS, &large, 413, "APIGW.0201", "more than 16384 bytes"),
        (
            "/v2/p/sync-tasks/nope/events",
            "{}",
            404,
            "OMS.0054",
            "no such task",
        ),
        (
            "/v2/p/sync-tasks/photos/nope",
            "{}",
            404,
            "APIGW.0101",
            "does not exist",
        ),
        ("/v1/tasks", "{}", 404, "APIGW.0101", "does not exist"),
        (NOTIFICATIONS, "{}", 400, "OMS.0064", "it has no Records"),
    ] {
        let answer = serving.post(path, &[("X-Auth-Token", ALL)], body);
        let (its_code, message) = answer.error();
        assert_eq!(
            (answer.status, its_code.as_str()),
            (status, code),
            "{path} {message}"
        );
        assert!(message.contains(said), "{message}");
    }
    serving.accepts(&["good"]);
    assert_eq!(house.wait_requested(1), ["good"]);
    assert_eq!(house.lines(), ["good"]);
}

#[test]
fn the_project_is_any_word_or_the_one_of_the_configuration() {
    let house = House::with("project_id = \"p1\"", "");
    let serving = house.serve();
    serving.accepts(&["a"]);
    let other = serving.post(
        "/v2/p2/sync-tasks/photos/events",
        &[("X-Auth-Token", PHOTOS)],
        &event(&["b"]),
    );
    let (code, message) = other.error();
    assert_eq!((other.status, code.as_str()), (404, "NIGHTFERRY.0404"));
    assert!(message.starts_with("Invalid project ID: "), "{message}");
    let unknown = serving.post(
        "/v2/p2/sync-tasks/nope/events",
        &[("X-Auth-Token", PHOTOS)],
        &event(&["b"]),
    );
    assert_eq!((unknown.status, unknown.body), (404, other.body));
    assert_eq!(house.wait_requested(1), ["a"]);
}

#[test]
fn notifications_ask_for_what_was_created_in_the_source_bucket() {
    let house = House::new();
    let serving = house.serve();
    let notify = |event: &str, bucket: &str, key: &str| {
        let body = serde_json::json!({ "EventName": event, "Key": "", "Records": [{
            "eventName": event, "eventSource": "minio:s3",
            "s3": { "bucket": { "name": bucket }, "object": { "key": key } }
        }]});
        serving.post(
            NOTIFICATIONS,
            &[("Authorization", &format!("Bearer {PHOTOS}"))],
            &body.to_string(),
        )
    };
    assert_eq!(
        notify("s3:ObjectCreated:Put", "src", "2026%2Fred+flower.jpg").status,
        200
    );
    assert_eq!(notify("s3:ObjectRemoved:Delete", "src", "b").status, 200);
    assert_eq!(house.wait_requested(1), ["2026/red flower.jpg"]);
    assert_eq!(house.lines(), ["2026%2Fred%20flower.jpg"]);
}

#[test]
fn what_is_right_in_a_notification_is_taken_and_what_is_not_is_told() {
    let house = House::new();
    let serving = house.serve();
    let record = |bucket: &str, key: &str| {
        serde_json::json!({
            "eventName": "ObjectCreated:Put", "eventSource": "aws:s3",
            "s3": { "bucket": { "name": bucket }, "object": { "key": key } }
        })
    };
    let records = [
        record("films", "theirs"),
        record("src", "a"),
        record("src", "b%zz"),
        record("films", "theirs"),
        serde_json::json!({ "eventName": "ObjectCreated:Put" }),
        record("src", "c"),
    ];
    let body = serde_json::json!({ "Records": records }).to_string();
    let answer = serving.post(NOTIFICATIONS, &[("X-Auth-Token", PHOTOS)], &body);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(house.wait_requested(2), ["a", "c"]);
    assert_eq!(
        house.ask("SELECT reason || ' ' || excerpt FROM rejected_lines"),
        ["bad_percent_encoding b%zz"]
    );
    let metrics = serving.get("/metrics", ALL).body;
    for line in [
        "nightferry_serve_left_out_records_total{reason=\"other_bucket\"} 2",
        "nightferry_serve_left_out_records_total{reason=\"unreadable\"} 1",
        "nightferry_rejected_lines_total{task=\"photos\"} 1",
    ] {
        assert!(
            metrics.lines().any(|said| said == line),
            "{line}\n{metrics}"
        );
    }
    let said = serving.stop().stderr;
    for line in [
        "photos: an event of the bucket films is left out: the task copies from src; correct the \
         notification of that bucket (the last of 2)",
        "photos: a record of a notification is left out: it lacks s3; nothing is asked for by it",
        "_1.url.txt:2 rejected: bad_percent_encoding b%zz",
    ] {
        assert_eq!(said.matches(line).count(), 1, "{line}\n{said}");
    }
}

#[test]
fn a_subscription_of_sns_can_be_confirmed_by_what_the_log_says() {
    let house = House::new();
    let serving = house.serve();
    let topic = "arn:aws:sns:eu-west-1:123456789012:photos";
    let url = format!(
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token=hush"
    );
    let send = |kind: &str, url: &str, message: &str| {
        let body = serde_json::json!({
            "Type": kind, "TopicArn": topic, "Message": message, "SubscribeURL": url
        });
        let path = format!("/hooks/{PHOTOS}{NOTIFICATIONS}");
        let answer = serving.post(&path, &[], &body.to_string());
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    };
    let waiting = || -> Vec<_> {
        let files = std::fs::read_dir(house.data().join("serve/sns")).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    };
    send("SubscriptionConfirmation", &url, "You have chosen …");
    let [file] = waiting().try_into().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().last(), Some(url.as_str()));
    assert_eq!(
        file.metadata().unwrap().permissions().mode() & 0o7777,
        0o600
    );
    send("SubscriptionConfirmation", "https://169.254.169.254/", "");
    send("Notification", "", "{\"Records\":[]}");
    assert!(waiting().is_empty());
    let said = serving.stop().stderr;
    let command = format!("curl -fsS \"$(tail -n 1 '{}')\"", file.display());
    assert!(said.contains(&command), "{said}");
    assert!(
        said.contains("and not by an address of Amazon SNS"),
        "{said}"
    );
    assert!(
        !said.contains("hush") && !said.contains("169.254"),
        "{said}"
    );
    assert_eq!(house.lines(), [""; 0]);
}

#[test]
fn each_task_has_lists_of_its_own() {
    let house = House::new();
    let serving = house.serve();
    serving.accepts(&["a"]);
    let films = "/v2/p1/sync-tasks/films/events";
    let answer = serving.post(films, &[("X-Auth-Token", ALL)], &event(&["b"]));
    assert_eq!(answer.status, 200);
    house.wait_requested(1);
    serving.stop();
    assert_eq!(
        house.ask("SELECT task || ' ' || name FROM requests ORDER BY name"),
        ["photos a", "films b"]
    );
}
