//! The rule for ignoring, through whole nights.

use super::{Harbour, hours_ago};
use crate::s3_server::{Fault, NewObject};

fn aged(body: &str, hours: u64) -> NewObject {
    NewObject {
        last_modified: Some(hours_ago(hours)),
        ..body.into()
    }
}

/// Names with what is at the source and at the destination, and what each mode makes of it.
fn in_mode(mode: &str) -> Vec<String> {
    let harbour = Harbour::with("", &format!("overwrite = \"{mode}\""));
    for (name, source, destination) in [
        ("1 not there", aged("new", 2), None),
        ("2 later there", aged("one", 2), Some(aged("two", 1))),
        ("3 earlier there", aged("one", 1), Some(aged("two", 2))),
        ("4 other size", aged("long", 2), Some(aged("two", 1))),
        (
            "5 same bytes, earlier",
            aged("one", 1),
            Some(aged("one", 2)),
        ),
    ] {
        harbour.server.put("src", name, source);
        if let Some(object) = destination {
            harbour.server.put("dst", name, object);
        }
        harbour.list(&format!("{name}.txt"), format!("{name}\n"));
    }
    assert_eq!(harbour.night().code, 0);
    harbour.rows("SELECT substr(name, 1, 1), state, reason FROM requests ORDER BY name")
}

#[test]
fn by_size_and_time() {
    assert_eq!(
        in_mode("size_last_modified"),
        [
            "1|synced|",
            "2|ignored|newer_at_destination",
            "3|synced|",
            "4|synced|",
            "5|synced|"
        ]
    );
}

#[test]
fn never_overwriting() {
    assert_eq!(
        in_mode("never"),
        [
            "1|synced|",
            "2|ignored|exists",
            "3|ignored|exists",
            "4|ignored|exists",
            "5|ignored|exists",
        ]
    );
}

#[test]
fn always_overwriting() {
    assert_eq!(
        in_mode("always"),
        [
            "1|synced|",
            "2|synced|",
            "3|synced|",
            "4|synced|",
            "5|synced|"
        ]
    );
}

#[test]
fn by_checksum() {
    assert_eq!(
        in_mode("checksum"),
        [
            "1|synced|",
            "2|synced|",
            "3|synced|",
            "4|synced|",
            "5|ignored|same_checksum"
        ]
    );
}

#[test]
fn checksums_that_cannot_be_compared_leave_it_to_size_and_time() {
    let mib = 1024 * 1024;
    let harbour = Harbour::with("memory = \"16MiB\"", "overwrite = \"checksum\"");
    harbour.server.put_random("src", "parts", 6 * mib, 1);
    harbour.list("one.txt", "parts\n");
    harbour.night();
    harbour.list("two.txt", "parts\n");
    harbour.night();
    assert_eq!(
        harbour.requests(),
        ["parts|synced|", "parts|ignored|already_copied"]
    );
}

#[test]
fn a_source_that_changed_since_our_copy_is_copied_again_whatever_the_clocks_say() {
    let harbour = Harbour::new();
    harbour.put("a", "one");
    harbour.list("one.txt", "a\n");
    harbour.night();
    harbour.server.put("src", "a", aged("two", 48));
    harbour.list("two.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.copy("a").unwrap().body(), b"two");
    assert_eq!(harbour.requests(), ["a|synced|", "a|synced|"]);
}

#[test]
fn a_source_that_only_looks_newer_is_still_our_copy() {
    let harbour = Harbour::new();
    harbour.put("a", "one");
    harbour.list("one.txt", "a\n");
    harbour.night();
    harbour
        .server
        .set_last_modified("src", "a", std::time::SystemTime::now());
    harbour.server.set_last_modified("dst", "a", hours_ago(5));
    harbour.list("two.txt", "a\n");
    harbour.night();
    assert_eq!(harbour.requests()[1], "a|ignored|already_copied");
}

#[test]
fn what_someone_else_put_over_our_copy_counts_by_size_and_time() {
    let harbour = Harbour::new();
    for name in ["later", "earlier", "longer"] {
        harbour.put(name, "ours");
    }
    harbour.list("one.txt", "later\nearlier\nlonger\n");
    harbour.night();
    harbour.server.put("dst", "later", aged("them", 0));
    harbour.server.put("dst", "earlier", aged("them", 3));
    harbour.server.put("dst", "longer", aged("theirs", 0));
    harbour.list("two.txt", "later\nearlier\nlonger\n");
    harbour.night();
    assert_eq!(
        harbour.requests()[3..],
        [
            "later|ignored|newer_at_destination",
            "earlier|synced|",
            "longer|synced|"
        ]
    );
    assert_eq!(harbour.copy("later").unwrap().body(), b"them");
}

#[test]
fn duplicates_follow_the_first_request_for_the_name() {
    let harbour = Harbour::new();
    for name in ["new", "known"] {
        harbour.put(name, "1");
    }
    harbour.list("0.txt", "known\n");
    harbour.night();
    harbour.list("1.txt", "new\nknown\nnew\ngone\n");
    harbour.list("2.txt", "gone\nknown\nnew\n");
    assert_eq!(harbour.night().code, 4);
    assert_eq!(
        harbour.requests()[1..],
        [
            "new|synced|",
            "known|ignored|already_copied",
            "new|ignored|duplicate",
            "gone|failed|source_missing",
            "gone|failed|source_missing",
            "known|ignored|duplicate",
            "new|ignored|duplicate",
        ]
    );
    assert_eq!(harbour.runs()[1], "7|1|2|4|0|4");
    assert_eq!(
        harbour.rows("SELECT synced_bytes FROM run_history WHERE run = 2"),
        ["1"]
    );
    let copies = harbour.writes().into_iter().filter(|put| put.key == "new");
    assert_eq!(copies.count(), 1);
}

#[test]
fn even_a_task_that_always_overwrites_copies_a_duplicate_once() {
    let harbour = Harbour::with("", "overwrite = \"always\"");
    harbour.put("a", "1");
    harbour.list("one.txt", "a\na\n");
    harbour.night();
    assert_eq!(harbour.requests(), ["a|synced|", "a|ignored|duplicate"]);
}

#[test]
fn what_the_source_does_not_have_fails_for_good() {
    let harbour = Harbour::new();
    harbour.list("one.txt", "gone\n");
    assert_eq!(harbour.night().code, 4);
    let row = "SELECT name, run, attempts, cause, carried_over, days_left, error_code, http_status,
                      message FROM failed_requests";
    let expected =
        ["gone|1|1|source_missing|0|0|NoSuchKey|404|the source bucket has no object \"gone\""];
    assert_eq!(harbour.rows(row), expected);
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.runs(), ["1|0|1|0|0|4", "0|0|0|0|0|0"]);
    assert_eq!(harbour.rows(row), expected);
}

#[test]
fn a_refused_write_fails_with_the_servers_code_and_is_carried_over() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.server.on(Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("a"));
    harbour.list("one.txt", "a\n");
    assert_eq!(harbour.night().code, 4);
    assert_eq!(
        harbour.rows(
            "SELECT cause, carried_over, days_left, error_code, http_status FROM failed_requests"
        ),
        ["destination_denied|1|7|AccessDenied|403"]
    );
    // Once a day: what was carried over today already waits for tomorrow.
    assert_eq!(harbour.night().code, 4);
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        harbour.runs(),
        ["1|0|1|0|0|4", "1|0|1|0|0|4", "0|0|0|0|0|0"]
    );
    assert_eq!(harbour.rows("SELECT attempts FROM requests"), ["2"]);
}
