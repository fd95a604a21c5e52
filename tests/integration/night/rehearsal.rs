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
