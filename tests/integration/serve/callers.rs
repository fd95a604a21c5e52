//! Who calls.

use super::{ALL, EVENTS, House, PHOTOS, READER, event};

#[test]
fn a_token_is_taken_in_each_place_where_a_sender_can_put_it() {
    let house = House::new();
    let serving = house.serve();
    let bearer = format!("Bearer {PHOTOS}");
    let hook = format!("/hooks/{PHOTOS}{EVENTS}");
    for (path, fields, name) in [
        (EVENTS, vec![("Authorization", bearer.as_str())], "bearer"),
        (EVENTS, vec![("x-auth-token", PHOTOS)], "x-auth-token"),
        (hook.as_str(), vec![], "hook"),
    ] {
        let answer = serving.post(path, &fields, &event(&[name]));
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{name}");
    }
    assert_eq!(house.wait_requested(3), ["bearer", "x-auth-token", "hook"]);
}

#[test]
fn who_is_not_known_learns_nothing() {
    let house = House::new();
    let serving = house.serve();
    let nowhere = "/v2/p1/sync-tasks/nope/events";
    let hook = format!("/hooks/wrong{EVENTS}");
    let mut answers = Vec::new();
    for path in [EVENTS, nowhere, &hook] {
        for fields in [
            vec![],
            vec![("Authorization", "Bearer wrong")],
            vec![
                (
                    "Authorization",
                    "SDK-HMAC-SHA256 Access=AKSENDER, SignedHeaders=host;x-sdk-date, Signature=00",
                ),
                ("X-Sdk-Date", "20261122T120000Z"),
            ],
            vec![("X-Auth-Token", "")],
        ] {
            let answer = serving.post(path, &fields, &event(&["a"]));
            answers.push((answer.status, answer.body));
        }
    }
    answers.dedup();
    let body =
        "{\"error_code\":\"APIGW.0301\",\"error_msg\":\"Incorrect authentication information.\"}";
    assert_eq!(answers, [(401, body.to_owned())]);
    serving.stop();
    assert_eq!(house.lines(), [""; 0]);
}

#[test]
fn who_is_known_may_do_what_the_configuration_says() {
    let house = House::new();
    let serving = house.serve();
    for (token, task, status) in [
        (ALL, "photos", 200),
        (ALL, "films", 200),
        (ALL, "nope", 404),
        (PHOTOS, "photos", 200),
        (PHOTOS, "films", 403),
        (PHOTOS, "nope", 404),
        (READER, "photos", 403),
    ] {
        let path = format!("/v2/p1/sync-tasks/{task}/events");
        let answer = serving.post(&path, &[("X-Auth-Token", token)], &event(&["a"]));
        assert_eq!(answer.status, status, "{token} {task}");
    }
}

#[test]
fn no_token_and_no_key_is_ever_said() {
    let house = House::new();
    let mut process = crate::trouble::process::Night::begin(&house.config(), &["-vv", "serve"]);
    let line = process.wait_until_says("listening on ");
    let address = line
        .split_once("listening on ")
        .unwrap()
        .1
        .trim()
        .parse()
        .unwrap();
    let serving = super::Serving { process, address };
    let hook = format!("/hooks/{PHOTOS}{EVENTS}");
    assert_eq!(serving.post(&hook, &[], &event(&["a"])).status, 200);
    assert_eq!(
        serving
            .post(&format!("/hooks/{PHOTOS}/nope"), &[], "")
            .status,
        404
    );
    assert_eq!(
        serving.post(&format!("/hooks/{PHOTOS} /x"), &[], "").status,
        400
    );
    serving.post(EVENTS, &[("Authorization", PHOTOS)], "");
    let ended = serving.stop();
    assert_eq!(ended.code, Some(0));
    for secret in [PHOTOS, ALL, "secret-of-the-sender"] {
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
        assert!(!ended.stdout.contains(secret));
    }
}

#[test]
fn a_token_that_is_made_can_be_put_into_the_configuration_and_used() {
    let house = House::new();
    let ended = house.does(&["token", "a \"new\" one", "--send", "films", "--read"]);
    assert_eq!(ended.code, Some(0));
    let (comment, section) = ended.stdout.split_once("\n\n").unwrap();
    let token = comment.lines().nth(1).unwrap().trim_start_matches("# ");
    let mut text = std::fs::read_to_string(house.config()).unwrap();
    text += section;
    std::fs::write(house.config(), text).unwrap();
    let serving = house.serve();
    let films = "/v2/p1/sync-tasks/films/events";
    let answer = serving.post(films, &[("X-Auth-Token", token)], &event(&["a"]));
    assert_eq!(answer.status, 200);
}

#[test]
fn a_token_is_made_for_what_was_asked_and_no_more() {
    let house = House::new();
    for (asked, sends) in [
        (&["--read"][..], None),
        (&["--control"], None),
        (&[], Some("send = \"all\"")),
        (&["--send", "all", "--read"], Some("send = \"all\"")),
        (&["--send", "photos"], Some("send = [\"photos\"]")),
    ] {
        let ended = house.does(&[&["token", "one"], asked].concat());
        let line = ended.stdout.lines().find(|line| line.starts_with("send"));
        assert_eq!((ended.code, line), (Some(0), sends), "{asked:?}");
    }
    for asked in [&["token", ""][..], &["token", "one", "--send", "a b"]] {
        let ended = house.does(asked);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{asked:?}"
        );
    }
}

#[test]
fn who_is_refused_reads_so_even_if_much_was_sent() {
    let house = House::with("most_body = \"64KiB\"", "");
    let serving = house.serve();
    let much = event(&[&"x".repeat(500_000)]);
    for (path, fields, status) in [
        (EVENTS, vec![], 401),
        (EVENTS, vec![("X-Auth-Token", READER)], 403),
        (EVENTS, vec![("X-Auth-Token", PHOTOS)], 413),
        ("/nowhere", vec![], 404),
    ] {
        for _ in 0..5 {
            assert_eq!(serving.post(path, &fields, &much).status, status, "{path}");
        }
    }
}
