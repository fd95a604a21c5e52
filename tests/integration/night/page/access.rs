//! Who sees the page, and what browsers are told.

use std::os::unix::fs::symlink;

use super::{READER, SENDER, Shown, harbour};

#[test]
fn nobody_sees_anything_without_a_session() {
    let harbour = harbour("");
    harbour.list("a.txt", "a.jpg\n");
    harbour.night();
    let shown = Shown::without_session(&harbour);
    for path in [
        "/",
        "/tasks/photos",
        "/tasks/none",
        "/tasks/photos/progress",
        "/tasks/photos/runs/1",
        "/tasks/photos/objects?name=a.jpg",
        "/tasks/photos/rejected",
        "/tasks/photos/files/object_lists/a.txt",
    ] {
        for fields in ["", "Cookie: nightferry=0000\r\n", "Cookie: nightferry=\r\n"] {
            let answer = shown.get_with(path, fields);
            assert_eq!((answer.status, answer.body.as_str()), (303, ""), "{path}");
            assert!(
                answer.field("location").starts_with("/sign-in?next=%2F"),
                "{answer:?}"
            );
        }
    }
    assert_eq!(shown.post("/sign-out", "").status, 401);
    assert_eq!(shown.get("/sign-in?next=%2Ftasks").status, 200);
}

#[test]
fn a_token_that_may_read_begins_a_session_which_signing_out_ends() {
    let harbour = harbour("");
    let mut shown = Shown::without_session(&harbour);
    for token in ["", "wrong", SENDER] {
        let answer = shown.sign_in(token, "/");
        assert_eq!(answer.status, 403, "{token}");
        assert!(
            answer
                .body
                .contains("This token is not known, or may not read.")
        );
        assert_eq!(answer.field("set-cookie"), "");
    }
    let answer = shown.sign_in(READER, "/tasks/photos?month=2026-10");
    assert_eq!(answer.status, 303);
    assert_eq!(answer.field("location"), "/tasks/photos?month=2026-10");
    let (cookie, rules) = answer.field("set-cookie").split_once("; ").unwrap();
    assert_eq!(rules, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    assert!(
        !cookie.contains(READER) && cookie.len() == "nightferry=".len() + 64,
        "{cookie}"
    );
    shown.session = cookie.to_owned();
    assert_eq!(shown.get("/").status, 200);
    let answer = shown.post("/sign-out", "");
    assert_eq!((answer.status, answer.field("location")), (303, "/sign-in"));
    assert_eq!(
        answer.field("set-cookie"),
        "nightferry=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    );
    assert_eq!(shown.get("/").status, 303);
}

#[test]
fn signing_in_leads_nowhere_else() {
    let harbour = harbour("public_url = \"https://nightferry.example.com\"");
    let shown = Shown::without_session(&harbour);
    for next in [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "",
    ] {
        let answer = shown.sign_in(READER, next);
        assert_eq!(
            (answer.status, answer.field("location")),
            (303, "/"),
            "{next}"
        );
        assert!(
            answer.field("set-cookie").ends_with("; Secure"),
            "{answer:?}"
        );
    }
}

#[test]
fn however_many_wrong_tokens_are_tried_the_right_one_signs_in() {
    let harbour = harbour("");
    let shown = Shown::without_session(&harbour);
    for _ in 0..30 {
        assert_eq!(shown.sign_in("wrong", "/").status, 403);
    }
    assert_eq!(shown.sign_in(READER, "/").status, 303);
}

#[test]
fn browsers_are_told_what_they_may_do() {
    let harbour = harbour("");
    let shown = Shown::at(&harbour);
    let answers = ["/", "/sign-in", "/tasks/none", "/static/style.css"].map(|path| shown.get(path));
    for answer in &answers {
        assert_eq!(
            answer.field("content-security-policy"),
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        assert_eq!(answer.field("x-content-type-options"), "nosniff");
        assert_eq!(answer.field("x-frame-options"), "DENY");
        assert_eq!(answer.field("referrer-policy"), "no-referrer");
        assert_eq!(answer.field("cross-origin-opener-policy"), "same-origin");
    }
    assert_eq!(answers[0].field("cache-control"), "no-store");
    let kept = answers[3].field("cache-control");
    assert_eq!(kept, "public, max-age=31536000, immutable");
}

#[test]
fn an_open_page_is_for_this_machine_alone() {
    let harbour = harbour("open_page = true");
    let shown = Shown::without_session(&harbour);
    let page = shown.page("/");
    assert!(!page.contains("Sign out"), "{page}");
    let foreign = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(shown.send(foreign).status, 403);
    let named = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(shown.send(named).status, 200);
}

#[test]
fn a_page_that_would_be_open_to_other_machines_is_a_mistake() {
    let harbour = harbour("open_page = true");
    let text = std::fs::read_to_string(harbour.config()).unwrap();
    let text = text.replace("127.0.0.1:0\"", "0.0.0.0:0\"\nallow_http = true");
    std::fs::write(harbour.config(), text).unwrap();
    let end = harbour.run(&["serve"]);
    assert_eq!(end.code, 3, "{end:?}");
    assert!(
        end.stderr
            .contains("open_page: would show the page to whoever reaches 0.0.0.0:0"),
        "{end:?}"
    );
}

#[test]
fn only_lists_are_sent_and_only_from_their_folders() {
    let harbour = harbour("");
    harbour.list("a.txt", "a.jpg\n");
    harbour.night();
    harbour.list("later.txt", "b.jpg\n");
    let lists = harbour.photos().join("object_lists");
    symlink("../../../../ledger.sqlite", lists.join("link.txt")).unwrap();
    symlink("../../../..", harbour.photos().join("manifests/up")).unwrap();
    let shown = Shown::at(&harbour);
    let files = "/tasks/photos/files/";
    assert_eq!(
        shown.get(&format!("{files}object_lists/a.txt")).body,
        "a.jpg\n"
    );
    for path in [
        // Not loaded, so perhaps not a list.
        "object_lists/later.txt",
        "object_lists/link.txt",
        "manifests/up/ledger.sqlite",
        "manifests/up/nightferry.toml",
        "../../../ledger.sqlite",
        "%2e%2e/%2e%2e/%2e%2e/ledger.sqlite",
        "object_lists/..%2f..%2f..%2f..%2fledger.sqlite",
        "object_lists/%2e%2e/object_lists/a.txt",
        "object_lists//a.txt",
        "object_lists/./a.txt",
        "object_lists",
        "object_lists/a.txt%00",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        ".",
    ] {
        let answer = shown.get(&format!("{files}{path}"));
        assert!(answer.status >= 400, "{path}: {answer:?}");
        assert!(!answer.body.contains("SQLite"), "{path}");
    }
}
