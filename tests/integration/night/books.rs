//! A night and the one after it, to the last row.

use super::Harbour;

/// Three objects of 1, 2 and 3 bytes, asked for by two lists.
fn first_night() -> Harbour {
    let harbour = Harbour::new();
    for (name, body) in [("a", "1"), ("b/c", "22"), ("d", "333")] {
        harbour.put(name, body);
    }
    harbour.list("one.txt", "a\nb/c\n");
    harbour.list("2026/11/two.txt", "d\n");
    let end = harbour.night();
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    harbour
}

#[test]
fn a_night_copies_what_is_asked_for_and_the_next_ignores_it() {
    let harbour = first_night();
    assert_eq!(harbour.copies(), ["a", "b/c", "d"]);
    assert_eq!(harbour.copy("d").unwrap().body(), b"333");
    harbour.list("again.txt", "a\nb/c\nd\n");
    harbour.server.clear_requests();
    assert_eq!(harbour.night().code, 0);
    assert!(
        harbour
            .writes()
            .iter()
            .all(|put| put.key.starts_with("oms/"))
    );
    assert_eq!(harbour.runs(), ["3|3|0|0|0|0", "3|0|0|3|0|0"]);
    assert_eq!(
        harbour.requests(),
        [
            "d|synced|",
            "a|synced|",
            "b/c|synced|",
            "a|ignored|already_copied",
            "b/c|ignored|already_copied",
            "d|ignored|already_copied",
        ]
    );
}

#[test]
fn what_the_run_prints_is_its_books_and_the_month() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    let end = harbour.night();
    let first_lines: Vec<&str> = end.stdout.lines().take(2).collect();
    assert_eq!(
        first_lines,
        [
            "photos: run 1: 1 taken = 1 synced + 0 failed + 0 ignored + 0 deferred (balanced), 1 B",
            "  4 lists delivered",
        ]
    );
    let month = harbour.rows("SELECT strftime('%Y-%m', 'now')").remove(0);
    assert!(
        end.stdout.contains(&format!("\nphotos, {month}\n")),
        "{}",
        end.stdout
    );
    assert_eq!(harbour.run(&["run", "--quiet"]).stdout, "");
}

#[test]
fn every_view_says_the_same_of_a_night() {
    let harbour = first_night();
    let settled = "settled_at BETWEEN requested_at AND requested_at + 60000";
    assert_eq!(
        harbour.rows(&format!(
            "SELECT task, request, name, list, line, state, reason, run, attempts, size_bytes, {settled}
             FROM requests ORDER BY request"
        )),
        [
            "photos|1|d|object_lists/2026/11/two.txt|1|synced||1|1|3|1",
            "photos|2|a|object_lists/one.txt|1|synced||1|1|1|1",
            "photos|3|b/c|object_lists/one.txt|2|synced||1|1|2|1",
        ]
    );
    assert_eq!(
        harbour.rows(
            "SELECT task, run, state, taken, synced, failed, ignored, deferred, rejected,
                    synced_bytes, retries, throttled, exit_code, exit_reasons,
                    run_id GLOB printf('%08x*', started_at / 1000) AND length(run_id) = 24,
                    ended_at >= started_at
             FROM run_history"
        ),
        ["photos|1|ended|3|3|0|0|0|0|6|0|0|0|done|1|1"]
    );
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|3|3|0|0|0|1"]);
    let today = harbour.rows("SELECT date('now')").remove(0);
    assert_eq!(
        harbour.rows("SELECT * FROM day_summary"),
        [format!("photos|{today}|3|3|0|0|6")]
    );
    assert_eq!(
        harbour.rows("SELECT * FROM month_summary"),
        [format!("photos|{}|0|3|3|0|0|0|6", &today[..7])]
    );
    assert_eq!(
        harbour.rows(
            "SELECT list, lines, requests, rejected, length(sha256) FROM loaded_lists ORDER BY list"
        ),
        [
            "object_lists/2026/11/two.txt|1|1|0|64",
            "object_lists/one.txt|2|2|0|64",
        ]
    );
}

#[test]
fn the_history_of_an_object_keeps_the_facts_on_which_was_decided() {
    let harbour = first_night();
    harbour.list("again.txt", "a\n");
    harbour.night();
    let original = harbour.server.object("src", "a").unwrap();
    let etag = original.etag;
    assert_eq!(
        harbour.rows(
            "SELECT run, attempt, outcome, reason, source_etag, source_size_bytes, destination_etag,
                    destination_size_bytes, destination_modified_at > source_modified_at, copy_etag,
                    verified, error_code, http_status, destination_name
             FROM object_history WHERE name = 'a' ORDER BY run"
        ),
        [
            format!("1|1|synced||{etag}|1||||{etag}|etag_md5|||a"),
            format!("2|1|ignored|already_copied|{etag}|1|{etag}|1|1|||||a"),
        ]
    );
}

#[test]
fn lists_hold_time_name_and_size_in_the_order_of_settling() {
    let harbour = Harbour::with("time_zone = \"Asia/Shanghai\"\nworkers = 1", "");
    harbour.put("a b", "1");
    harbour.put("é", "22");
    harbour.list("one.txt", "é\na b\ngone\n");
    assert_eq!(harbour.night().code, 4);
    harbour.list("two.txt", "a b\n");
    harbour.night();
    let time = |name: &str, run: u64| {
        let of = format!("name = '{name}' AND run = {run}");
        harbour
            .rows(&format!("SELECT at_local FROM object_history WHERE {of}"))
            .remove(0)
    };
    let first = time("a b", 1);
    assert!(first.ends_with("+08:00") && first.len() == 29, "{first}");
    assert_eq!(
        harbour.list_of(1, "success"),
        [
            format!("{first}\ta b\t1"),
            format!("{}\té\t2", time("é", 1))
        ]
    );
    assert_eq!(
        harbour.list_of(1, "failed"),
        [format!(
            "source_missing\t{}\tgone\tgone\tNoSuchKey",
            time("gone", 1)
        )]
    );
    assert_eq!(
        harbour.list_of(2, "skip"),
        [format!("{}\ta b\t1", time("a b", 2))]
    );
}

#[test]
fn an_empty_queue_is_a_run_without_lists_that_asks_only_for_manifests() {
    let harbour = Harbour::new().begun();
    let end = harbour.night();
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    assert_eq!(harbour.runs(), ["0|0|0|0|0|0"]);
    let requests = harbour.server.requests();
    let asked: Vec<_> = requests
        .iter()
        .map(|it| (it.operation.as_str(), it.bucket.as_str()))
        .collect();
    assert_eq!(asked, [("ListObjectsV2", "dst")]);
    assert!(super::files_in(&harbour.photos()).is_empty());
    assert_eq!(
        harbour.rows("SELECT exit_reasons, requests_sent FROM run_history"),
        ["done|1"]
    );
}

#[test]
fn an_object_in_parts_arrives_in_the_parts_that_the_memory_allows() {
    const MIB: u64 = 1024 * 1024;
    let harbour = Harbour::with("memory = \"16MiB\"", "");
    harbour.server.put_random("src", "whole", 5 * MIB, 1);
    harbour.server.put_random("src", "parts", 12 * MIB + 1, 2);
    harbour.list("one.txt", "parts\nwhole\n");
    assert_eq!(harbour.night().code, 0);
    let copy = harbour.copy("parts").unwrap();
    assert_eq!(copy.part_sizes, [5 * MIB, 5 * MIB, 2 * MIB + 1]);
    let original = harbour.server.object("src", "parts").unwrap();
    assert_eq!(copy.sha256(), original.sha256());
    assert!(harbour.copy("whole").unwrap().part_sizes.is_empty());
    assert!(harbour.server.uploads("dst").is_empty());
    assert_eq!(
        harbour.rows("SELECT name, size_bytes, state FROM requests ORDER BY name"),
        ["parts|12582913|synced", "whole|5242880|synced"]
    );
    harbour.list("two.txt", "parts\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.runs()[1], "1|0|0|1|0|0");
}

#[test]
fn a_backup_never_replaces_the_ledger_or_what_is_no_ledger() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.list("a.txt", "a\n");
    harbour.night();
    let back_up =
        |path: &std::path::Path| harbour.run(&["ledger", "backup", path.to_str().unwrap()]);
    let ledger = harbour.data_dir().join("ledger.sqlite");
    let letter = harbour.data_dir().join("letter");
    std::fs::write(&letter, "not a ledger").unwrap();
    let link = harbour.data_dir().join("link");
    std::os::unix::fs::symlink(&ledger, &link).unwrap();
    for path in [&ledger, &letter, &link] {
        assert_eq!(back_up(path).code, 2, "{path:?}");
    }
    assert_eq!(std::fs::read(&letter).unwrap(), b"not a ledger");
    let copy = harbour.data_dir().join("copy.sqlite");
    assert_eq!(back_up(&copy).code, 0);
    assert_eq!(back_up(&copy).code, 0, "an older backup is replaced");
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
}
