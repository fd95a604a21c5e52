//! `enqueue` and `withdraw`, and the books after them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{End, Harbour, end, files_in};

fn enqueue(harbour: &Harbour, arguments: &[&str]) -> End {
    let mut all = vec!["enqueue", "--task", "photos"];
    all.extend(arguments);
    harbour.run(&all)
}

/// The names of all requests once a night has taken them in.
fn requested(harbour: &Harbour) -> Vec<String> {
    harbour.night();
    harbour.rows("SELECT name FROM requests ORDER BY request")
}

#[test]
fn names_in_arguments_become_a_list_of_their_own() {
    let harbour = Harbour::new().begun();
    let names = ["a b", "50%", "+", "line\nbreak", "ü", "%41"];
    for name in names {
        harbour.put(name, "1");
    }
    let end = enqueue(&harbour, &names);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    let lists = files_in(&harbour.photos());
    let [list] = lists.as_slice() else {
        panic!("{lists:?}");
    };
    let path = list
        .strip_prefix(harbour.photos())
        .unwrap()
        .to_str()
        .unwrap();
    assert_eq!(end.stdout, format!("photos: 6 names in {path}\n"));
    assert!(path.ends_with("_1.url.txt"), "{path}");
    assert_eq!(
        path.split('/').count(),
        5,
        "object_lists/yyyy/mm/dd/… is {path}"
    );
    assert_eq!(
        std::fs::read_to_string(list).unwrap(),
        "a%20b\n50%25\n%2B\nline%0Abreak\n%C3%BC\n%2541\n"
    );
    assert_eq!(requested(&harbour), names);
    assert_eq!(harbour.runs(), ["6|6|0|0|0|0"]);
}

#[test]
fn names_come_from_a_file_or_from_stdin() {
    let harbour = Harbour::new();
    let file = harbour.folder.path().join("names");
    std::fs::write(&file, "\u{feff}a\r\n\nb c\r\n%41").unwrap();
    let place = file.to_str().unwrap();
    assert!(
        enqueue(&harbour, &["--file", place])
            .stdout
            .starts_with("photos: 3 names in ")
    );
    let mut command = harbour.command(&["enqueue", "--task", "photos", "--file", "-", "--url"]);
    let from_stdin = end(command.write_stdin("%64%0A\ne+f\n"));
    assert!(
        from_stdin.stdout.starts_with("photos: 2 names in "),
        "{from_stdin:?}"
    );
    assert_eq!(requested(&harbour), ["a", "b c", "%41", "d\n", "e+f"]);
}

#[test]
fn no_names_are_no_list() {
    let harbour = Harbour::new();
    let nothing = end(harbour
        .command(&["enqueue", "--task", "photos", "--file", "-"])
        .write_stdin("\n\r\n"));
    assert_eq!(
        (nothing.code, nothing.stdout.as_str()),
        (0, "photos: no names, so no list was written\n")
    );
    assert!(files_in(&harbour.photos()).is_empty());
}

#[test]
fn with_one_invalid_name_nothing_is_written_and_all_invalid_ones_are_named() {
    let harbour = Harbour::new().begun();
    let long = "x".repeat(1025);
    let end = enqueue(
        &harbour,
        &[
            "good",
            "a/../b",
            "",
            &long,
            "oms/sync_task/x",
            "\u{1b}[2J/.",
            "good too",
        ],
    );
    assert_eq!((end.code, end.stdout.as_str()), (2, ""));
    let said: Vec<&str> = end.stderr.lines().collect();
    assert_eq!(
        said,
        [
            "name 2: dot_segment a/../b".to_owned(),
            "name 3: empty_name ".to_owned(),
            format!("name 4: too_long {}…", &long[..80]),
            "name 5: reserved_prefix oms/sync_task/x".to_owned(),
            "name 6: dot_segment \\u{1b}[2J/.".to_owned(),
            "nightferry: 5 of the names cannot be requested, so none was enqueued; \
             correct them, beginning with number 2"
                .to_owned(),
        ]
    );
    assert!(files_in(&harbour.photos()).is_empty());
    assert!(requested(&harbour).is_empty());
}

#[test]
fn invalid_lines_of_a_file_are_named_by_their_numbers() {
    let harbour = Harbour::new().begun();
    let mut command = harbour.command(&["enqueue", "--task", "photos", "--url", "--file", "-"]);
    let refused = end(command.write_stdin("good\n\n%zz\n%00\n"));
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .stderr
            .starts_with("name 3: bad_percent_encoding %zz\nname 4: nul %00\n")
    );
    let missing = enqueue(&harbour, &["--file", "/nowhere/names"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.stderr.contains("cannot read /nowhere/names"),
        "{}",
        missing.stderr
    );
    let mut command = harbour.command(&["enqueue", "--task", "photos"]);
    let not_text = end(command.arg(OsStr::from_bytes(b"\xff")));
    assert_eq!(not_text.code, 2);
    assert!(
        not_text.stderr.starts_with("name 1: not_utf8 \\xff\n"),
        "{}",
        not_text.stderr
    );
    assert!(files_in(&harbour.photos()).is_empty());
}

/// After a night that looked at one name only: `a` is synced, the others pend.
fn with_pending() -> Harbour {
    let harbour = Harbour::new();
    for name in ["a", "b", "c"] {
        harbour.put(name, "1");
    }
    harbour.list("one.txt", "a\nb\n");
    harbour.list("two.txt", "b\nc\nb\n");
    let end = harbour.run(&["run", "--limit", "1"]);
    assert_eq!(end.code, 6);
    assert_eq!(harbour.runs(), ["5|1|0|0|4|6"]);
    assert_eq!(
        harbour.rows("SELECT name, deferral FROM pending_requests ORDER BY request"),
        ["b|limit", "b|limit", "c|limit", "b|limit"]
    );
    harbour
}

#[test]
fn a_list_is_withdrawn() {
    let harbour = with_pending();
    let end = harbour.run(&[
        "withdraw",
        "--task",
        "photos",
        "--list",
        "object_lists/two.txt",
    ]);
    assert_eq!(
        (end.code, end.stdout.as_str()),
        (0, "photos: 3 requests withdrawn\n")
    );
    assert_eq!(
        harbour.requests(),
        [
            "a|synced|",
            "b|pending|",
            "b|ignored|withdrawn",
            "c|ignored|withdrawn",
            "b|ignored|withdrawn",
        ]
    );
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|5|1|0|3|1|1"]);
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.runs()[1], "1|1|0|0|0|0");
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|5|2|0|3|0|1"]);
    assert_eq!(
        harbour
            .rows("SELECT requested, synced, failed, ignored, pending_at_end FROM month_summary"),
        ["5|2|0|3|0"]
    );
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
    let why = harbour.run(&["why", "--task", "photos", "c"]).stdout;
    assert!(why.contains("ignored (withdrawn) at "), "{why}");
}

#[test]
fn what_was_just_enqueued_is_withdrawn_before_any_run() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    assert_eq!(enqueue(&harbour, &["a", "b"]).code, 0);
    let end = harbour.run(&["withdraw", "--task", "photos", "--name", "b"]);
    assert_eq!(
        (end.code, end.stdout.as_str()),
        (0, "photos: 1 request withdrawn\n")
    );
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.requests(), ["a|synced|", "b|ignored|withdrawn"]);
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|2|1|0|1|0|1"]);
}

#[test]
fn a_name_is_withdrawn_wherever_it_was_asked_for() {
    let harbour = with_pending();
    let withdraw = ["withdraw", "--task", "photos", "--name", "b"];
    assert_eq!(
        harbour.run(&withdraw).stdout,
        "photos: 3 requests withdrawn\n"
    );
    assert_eq!(
        harbour.run(&withdraw).stdout,
        "photos: 0 requests withdrawn\n"
    );
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.copies(), ["a", "c"]);
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|5|2|0|3|0|1"]);
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
}

#[test]
fn what_is_settled_cannot_be_withdrawn() {
    let harbour = with_pending();
    let withdraw = ["withdraw", "--task", "photos"];
    let settled = harbour.run(&[&withdraw[..], &["--name", "a"]].concat());
    assert_eq!(settled.stdout, "photos: 0 requests withdrawn\n");
    let unknown = harbour.run(&[&withdraw[..], &["--list", "object_lists/never.txt"]].concat());
    assert_eq!(
        (unknown.code, unknown.stderr.as_str()),
        (
            2,
            "nightferry: task `photos` has no list `object_lists/never.txt`; \
             `nightferry lists` shows their paths\n"
        )
    );
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|5|1|0|0|4|1"]);
}

#[test]
fn a_limit_goes_on_where_the_last_night_left_off() {
    let harbour = with_pending();
    assert_eq!(harbour.run(&["run", "--limit", "1"]).code, 6);
    assert_eq!(harbour.run(&["run", "--limit", "1"]).code, 0);
    assert_eq!(
        harbour.runs(),
        ["5|1|0|0|4|6", "4|1|0|2|1|6", "1|1|0|0|0|0"]
    );
    assert_eq!(
        harbour.requests(),
        [
            "a|synced|",
            "b|synced|",
            "b|ignored|duplicate",
            "c|synced|",
            "b|ignored|duplicate"
        ]
    );
}
