//! `run --dry-run`: everything is decided, nothing is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::Harbour;
use crate::s3_server::Fault;

type Snapshot = BTreeMap<PathBuf, (SystemTime, Vec<u8>)>;

/// Every file and folder of the data directory with its time and content.
fn assert_unchanged(before: &Snapshot, after: &Snapshot) {
    let paths = |all: &Snapshot| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(after), paths(before));
    for (path, found) in after {
        assert!(*found == before[path], "{} was changed", path.display());
    }
}

fn snapshot(harbour: &Harbour) -> Snapshot {
    walkdir::WalkDir::new(harbour.folder.path())
        .into_iter()
        .map(Result::unwrap)
        // By which connections to the ledger know of each other; it holds nothing.
        .filter(|entry| !entry.path().ends_with("ledger.sqlite-shm"))
        .map(|entry| {
            let modified = entry.metadata().unwrap().modified().unwrap();
            let content = fs::read(entry.path()).unwrap_or_default();
            (entry.into_path(), (modified, content))
        })
        .collect()
}

/// Something of everything: carried over, pending, in lists, rejected.
fn harbour() -> Harbour {
    let harbour = Harbour::new();
    for name in ["a", "b", "refused"] {
        harbour.put(name, "1");
    }
    let refusal = Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("refused");
    harbour.server.on(refusal);
    harbour.list("one.txt", "a\nrefused\n");
    harbour.night();
    harbour.put("c", "22");
    harbour.list("two.txt", "a\nb\nc\nc\ngone\n..\n");
    harbour
}

#[test]
fn a_rehearsal_counts_and_decides_everything() {
    let harbour = harbour();
    let end = harbour.run(&["run", "--dry-run"]);
    assert_eq!((end.code, end.stderr.as_str()), (4, ""));
    assert_eq!(
        end.stdout,
        "photos: would take 6 requests (5 of them in lists not loaded yet, 1 line rejected)\n  \
         5 names: 3 to copy (4 B), 1 to ignore, 1 would fail\n  \
         about 13 HTTP requests for objects, besides lists\n    \
         source: 1 HEAD, 4 GET; 4 B read\n    \
         destination: 5 HEAD, 3 PUT; 4 B written\n  \
          forecast: too little history (1 of 3 past runs that are needed)\n"
    );
    // As it comes, but for the refusal, which only trying can show.
    assert_eq!(harbour.night().code, 4);
    assert_eq!(harbour.runs()[1], "6|2|2|2|0|4");
}

#[test]
fn a_rehearsal_writes_nothing_at_all() {
    let harbour = harbour();
    harbour.server.clear_requests();
    let before = snapshot(&harbour);
    harbour.run(&["run", "--dry-run"]);
    let after = snapshot(&harbour);
    assert_unchanged(&before, &after);
    let requests = harbour.server.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(
            ["GET", "HEAD"].contains(&request.method.as_str()),
            "{request:?}"
        );
    }
}

#[test]
fn a_rehearsal_before_the_first_run_leaves_no_trace() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    let list = harbour.folder.path().join("a.txt");
    fs::write(&list, "a\n").unwrap();
    let nothing = harbour.run(&["run", "--dry-run"]);
    assert_eq!(nothing.code, 0, "{}", nothing.stderr);
    assert!(
        nothing
            .stdout
            .starts_with("photos: would take 0 requests (0 of them")
    );
    assert!(!harbour.data_dir().exists());

    harbour.list("one.txt", "a\n");
    let before = snapshot(&harbour);
    let end = harbour.run(&["run", "--dry-run"]);
    assert_eq!(end.code, 0, "{}", end.stderr);
    assert!(
        end.stdout
            .starts_with("photos: would take 1 request (1 of them"),
        "{}",
        end.stdout
    );
    assert_unchanged(&before, &snapshot(&harbour));
}

#[test]
fn a_rehearsal_minds_the_limit() {
    let harbour = harbour();
    let end = harbour.run(&["run", "--dry-run", "--limit", "2"]);
    assert!(
        end.stdout
            .contains("\n  2 names: 1 to copy (1 B), 1 to ignore, 0 would fail\n"),
        "{}",
        end.stdout
    );
}

#[test]
fn a_rehearsal_says_that_the_run_could_not_begin() {
    let harbour = harbour();
    harbour.server.delete_bucket("dst");
    let before = snapshot(&harbour);
    let end = harbour.run(&["run", "--dry-run"]);
    assert_eq!(end.code, 9);
    let lines: Vec<&str> = end.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "photos: would take 6 requests (5 of them in lists not loaded yet, 1 line rejected)"
    );
    assert!(
        lines[1].starts_with("  could not begin (bucket_missing): "),
        "{}",
        end.stdout
    );
    assert_eq!(lines.len(), 2);
    assert_unchanged(&before, &snapshot(&harbour));
}

#[test]
fn a_rehearsal_names_what_would_become_of_each_and_why_if_it_is_asked_to() {
    let harbour = harbour();
    harbour.put("b", "longer");
    harbour.server.put("dst", "b", "1");
    let end = harbour.run(&["run", "--dry-run", "-v"]);
    let mut said: Vec<&str> = end.stderr.lines().map(str::trim_start).collect();
    said.sort_unstable();
    assert_eq!(
        said,
        [
            "INFO photos: \"a\" would be ignored (already_copied): the destination still holds our own copy of this very source object",
            "INFO photos: \"b\" would be copied, in place of what is at the destination",
            "INFO photos: \"c\" would be copied: it is not at the destination",
            "INFO photos: \"gone\" would fail (source_missing): the source bucket has no object \"gone\"",
            "INFO photos: \"refused\" would be copied: it is not at the destination",
        ]
    );
}

#[test]
fn a_rehearsal_is_json_if_that_is_asked_for() {
    let harbour = harbour();
    let end = harbour.run(&["run", "--dry-run", "--json"]);
    assert_eq!((end.code, end.stderr.as_str()), (4, ""));
    let rows: serde_json::Value = serde_json::from_str(&end.stdout).unwrap();
    let [row] = rows.as_array().unwrap().as_slice() else {
        panic!("{rows}");
    };
    for (key, value) in [
        ("taken", 6),
        ("in_lists", 5),
        ("rejected", 1),
        ("names", 5),
        ("copy", 3),
        ("copy_bytes", 4),
        ("ignore", 1),
        ("fail", 1),
        ("source_requests", 5),
        ("destination_requests", 8),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    assert_eq!(row["task"], "photos");
    assert!(row["begin_cause"].is_null());
    assert!(row["forecast"].as_str().unwrap().starts_with("forecast: "));
    let wrong = harbour.run(&["run", "--dry-run", "--json", "--task", "nope"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""));
}
