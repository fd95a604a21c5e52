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
    for secret in [PHOTOS, ALL, "secret-of-the-one-who-signs"] {
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

#[test]
fn calls_that_are_refused_are_said_and_counted_by_why_and_no_log_is_filled() {
    let house = House::with("project_id = \"p1\"", "");
    let serving = house.serve();
    let send = |path: &str, token: &str, body: &str| {
        serving.post(path, &[("X-Auth-Token", token)], body).status
    };
    for _ in 0..30 {
        assert_eq!(send(EVENTS, "wrong-token-of-one-who-guesses", "{}"), 401);
    }
    assert_eq!(send("/v2/p1/sync-tasks/films/events", PHOTOS, "{}"), 403);
    assert_eq!(send(EVENTS, READER, "{}"), 403);
    assert_eq!(send(EVENTS, PHOTOS, "{}"), 400);
    assert_eq!(send(EVENTS, PHOTOS, "{}"), 400);
    assert_eq!(send("/v2/p2/sync-tasks/photos/events", PHOTOS, "{}"), 404);
    assert_eq!(send("/v2/p1/sync-tasks/nope/events", PHOTOS, "{}"), 404);
    assert_eq!(send(&format!("/hooks/{PHOTOS}"), "", "{}"), 404);
    let form = format!("next=%2F&token={PHOTOS}");
    assert_eq!(send("/sign-in", "", &form), 403);
    let metrics = serving.get("/metrics", ALL).body;
    for (reason, count) in [
        ("unknown_caller", 30),
        ("not_allowed", 3),
        ("wrong", 2),
        ("unknown_project", 1),
        ("unknown_task", 1),
        ("no_such_path", 1),
        ("too_large", 0),
    ] {
        let line = format!("nightferry_serve_refused_total{{reason=\"{reason}\"}} {count}");
        assert!(
            metrics.lines().any(|said| said == line),
            "{line}\n{metrics}"
        );
    }
    let said = serving.stop().stderr;
    for line in [
        "a call from 127.0.0.1 was refused: Incorrect authentication information. (401)\n",
        "a call from 127.0.0.1 was refused: Incorrect authentication information. (401) (the last of 29)",
        "films: a call from 127.0.0.1, token \"photos\" was refused: The caller may not do this. (403)\n",
        "photos: a call from 127.0.0.1, token \"reader\" was refused: The caller may not do this. (403)\n",
        "a call from 127.0.0.1 was refused: The caller may not do this. (403)\n",
        "photos: a call from 127.0.0.1, token \"photos\" was refused: Invalid request parameters: the body is not",
        "photos: a call from 127.0.0.1, token \"photos\" was refused: Invalid project ID: ",
        "a call from 127.0.0.1, token \"photos\" was refused: Invalid task ID: ",
        "a call from 127.0.0.1 was refused: The API does not exist. (404)\n",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert_eq!(said.matches("was refused").count(), 10, "{said}");
    for secret in [PHOTOS, READER, ALL, "wrong-token"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn however_many_wrong_tokens_are_shown_the_right_one_is_taken_at_once_everywhere() {
    let house = House::new();
    let serving = house.serve();
    for n in 0..50 {
        let wrong = format!("wrong-token-of-one-who-guesses-{n}");
        let form = format!("token={wrong}");
        assert_eq!(serving.post("/sign-in", &[], &form).status, 403);
        let fields = [("X-Auth-Token", wrong.as_str())];
        assert_eq!(serving.post(EVENTS, &fields, "{}").status, 401);
    }
    serving.accepts(&["a"]);
    let form = format!("token={READER}");
    assert_eq!(serving.post("/sign-in", &[], &form).status, 303);
}

#[test]
fn a_token_that_could_be_guessed_is_taken_nowhere_and_its_owner_is_told() {
    let house = House::new();
    let hash = base16ct::lower::encode_string(&sha2::Digest::finalize(
        <sha2::Sha256 as sha2::Digest>::new_with_prefix("open sesame"),
    ));
    let section = format!(
        "[[serve.token]]\nid = \"weak\"\nsha256 = \"{hash}\"\nread = true\nsend = \"all\"\n"
    );
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.clone() + &section).unwrap();
    let serving = house.serve();
    let weak = serving.post(EVENTS, &[("X-Auth-Token", "open sesame")], &event(&["a"]));
    let wrong = serving.post(EVENTS, &[("X-Auth-Token", "open says me")], &event(&["a"]));
    assert_eq!((weak.status, weak.body), (401, wrong.body));
    let form = serving.post("/sign-in", &[], "token=open+sesame");
    assert_eq!(form.status, 403);
    let said = serving.stop().stderr;
    let line = "was refused: The token \"weak\" has fewer than 22 characters and could be guessed";
    assert!(said.contains(line) && !said.contains("sesame"), "{said}");
    let keys = text.replace("secret-of-the-one-who-signs", "open sesame");
    std::fs::write(house.config(), keys).unwrap();
    let ended = house.does(&["serve"]);
    assert_eq!(ended.code, Some(3));
    let line = "serve.token \"sdk\": its secret_access_key has fewer than 22 characters";
    assert!(ended.stderr.contains(line), "{ended:?}");
    assert!(!ended.stderr.contains("sesame"));
}
