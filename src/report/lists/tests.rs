//! Lists and manifests of one run, byte for byte.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::data_dir::Modes;
use crate::ledger::fixture::{Fixture, failed, ignored, synced};
use crate::model::{FailureCause, IgnoreReason, Outcome};
use crate::report::{ListFile, ReportError, write_run, write_run_split};

const NIGHT: &str = "camera-archive-20261006010000000_1";
const MORNING: &str = "2026-10-06T01:30:00.5+08:00";

fn shanghai(names: &[&str]) -> Fixture {
    let mut fixture = Fixture::new("Asia/Shanghai");
    fixture.ask("object_lists/a.txt", "2026-10-05T12:00:00+08:00", names);
    fixture
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn paths(files: &[ListFile]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn each_list_holds_its_outcomes_by_time_then_name() {
    let mut fixture = shanghai(&["c", "b", "a", "missing", "same"]);
    let night = fixture.begin("2026-10-06T01:00:00+08:00");
    for name in ["c", "a"] {
        fixture.settle(&night, synced(name, "2026-10-06T01:00:02.25+08:00", 12));
    }
    fixture.settle(&night, synced("b", "2026-10-06T01:00:01+08:00", 0));
    fixture.settle(&night, ignored("same", "2026-10-06T01:00:03+08:00", 7));
    let missing = FailureCause::SourceMissing;
    let at = "2026-10-06T01:00:04+08:00";
    fixture.settle(&night, failed("missing", at, missing, "NoSuchKey", 404));
    let run = fixture.end(&night, MORNING, 4, "failed");
    let root = fixture.folder.path().join("lists");
    let files = write_run(&fixture.ledger, run, &root, Modes::PRIVATE).unwrap();

    let success = format!("success_object_lists/{NIGHT}/20261006013000500.success_list.txt");
    let skip = format!("skip_object_lists/{NIGHT}/20261006013000500.skip_list.txt");
    let failed = format!("failed_object_lists/{NIGHT}/20261006013000500.failed_list.txt");
    let manifest = format!("manifests/{NIGHT}.manifest.json");
    let journal = format!("journals/{NIGHT}/20261006013000500.journal.jsonl");
    assert_eq!(
        paths(&files),
        [&failed, &journal, &skip, &success, &manifest]
    );
    assert_eq!(
        read(&root, &journal),
        "{\"ignored\":[5,\"newer_at_destination\"]}\n"
    );
    assert_eq!(
        read(&root, &success),
        "2026-10-06T01:00:01.000+08:00\tb\t0\n\
         2026-10-06T01:00:02.250+08:00\ta\t12\n\
         2026-10-06T01:00:02.250+08:00\tc\t12\n"
    );
    assert_eq!(
        read(&root, &skip),
        "2026-10-06T01:00:03.000+08:00\tsame\t7\n"
    );
    assert_eq!(
        read(&root, &failed),
        "source_missing\t2026-10-06T01:00:04.000+08:00\tmissing\tmissing\tNoSuchKey\n"
    );
}

#[test]
fn awkward_names_stay_on_their_line_and_in_their_field() {
    let name = "tab\there\nline\\n\r ü%#";
    let mut fixture = shanghai(&[name]);
    let night = fixture.begin("2026-10-06T01:00:00+08:00");
    let at = "2026-10-06T01:00:04+08:00";
    fixture.settle(
        &night,
        failed(name, at, FailureCause::Internal, "Odd\tCode\n", 500),
    );
    let run = fixture.end(&night, MORNING, 4, "failed");
    let root = fixture.folder.path();
    let files = write_run(&fixture.ledger, run, root, Modes::PRIVATE).unwrap();
    assert_eq!(
        read(root, &files[0].path),
        "internal\t2026-10-06T01:00:04.000+08:00\ttab%09here%0Aline%5Cn%0D%20%C3%BC%25%23\t\
         tab\\there\\nline\\\\n\\r ü%#\tOdd Code \n"
    );
}

#[test]
fn a_size_that_was_never_asked_for_is_empty() {
    let mut fixture = shanghai(&["thumbs.db"]);
    let night = fixture.begin("2026-10-06T01:00:00+08:00");
    let mut excluded = ignored("thumbs.db", "2026-10-06T01:00:03+08:00", 1);
    excluded.outcome = Outcome::Ignored(IgnoreReason::Excluded);
    excluded.source = None;
    fixture.settle(&night, excluded);
    let run = fixture.end(&night, MORNING, 0, "done");
    let root = fixture.folder.path();
    let files = write_run(&fixture.ledger, run, root, Modes::PRIVATE).unwrap();
    assert_eq!(
        read(root, &files[1].path),
        "2026-10-06T01:00:03.000+08:00\tthumbs.db\t\n"
    );
}

#[test]
fn each_line_keeps_the_offset_of_its_own_moment() {
    // Berlin's clocks go from 03:00 +02:00 back to 02:00 +01:00 in this night.
    let mut fixture = Fixture::new("Europe/Berlin");
    fixture.ask(
        "object_lists/a.txt",
        "2026-10-24T12:00:00+02:00",
        &["early", "late"],
    );
    let night = fixture.begin("2026-10-25T02:30:00+02:00");
    fixture.settle(&night, synced("early", "2026-10-25T02:59:59+02:00", 1));
    fixture.settle(&night, synced("late", "2026-10-25T02:00:00+01:00", 1));
    let run = fixture.end(&night, "2026-10-25T02:10:00+01:00", 0, "done");
    let root = fixture.folder.path();
    let files = write_run(&fixture.ledger, run, root, Modes::PRIVATE).unwrap();
    assert_eq!(
        files[0].path,
        "success_object_lists/camera-archive-20261025023000000_1/20261025021000000.success_list.txt"
    );
    assert_eq!(
        read(root, &files[0].path),
        "2026-10-25T02:59:59.000+02:00\tearly\t1\n2026-10-25T02:00:00.000+01:00\tlate\t1\n"
    );
}

#[test]
fn a_full_list_goes_on_in_a_file_one_millisecond_later() {
    let names = ["a", "b", "c", "d", "e"];
    let mut fixture = shanghai(&names);
    let night = fixture.begin("2026-10-06T01:00:00+08:00");
    for name in names {
        fixture.settle(&night, synced(name, "2026-10-06T01:00:02+08:00", 1));
    }
    let run = fixture.end(&night, "2026-10-06T01:00:59.999+08:00", 0, "done");
    let root = fixture.folder.path();
    let files = write_run_split(&fixture.ledger, run, root, Modes::PRIVATE, 2).unwrap();
    let folder = format!("success_object_lists/{NIGHT}");
    assert_eq!(
        paths(&files),
        [
            format!("{folder}/20261006010059999.success_list.txt"),
            format!("{folder}/20261006010100000.success_list.txt"),
            format!("{folder}/20261006010100001.success_list.txt"),
            format!("manifests/{NIGHT}.manifest.json"),
        ]
    );
    assert_eq!(
        files.iter().map(|file| file.lines).collect::<Vec<_>>()[..3],
        [2, 2, 1]
    );
    assert_eq!(
        read(root, &files[2].path),
        "2026-10-06T01:00:02.000+08:00\te\t1\n"
    );
}

#[test]
fn the_manifest_holds_the_books_and_the_hash_of_each_list() {
    let mut fixture = shanghai(&["a", "left"]);
    let night = fixture.begin("2026-10-06T01:00:00+08:00");
    fixture.settle(&night, synced("a", "2026-10-06T01:00:02+08:00", 12));
    let run = fixture.end(&night, MORNING, 6, "deferred");
    let root = fixture.folder.path();
    let files = write_run(&fixture.ledger, run, root, Modes::PRIVATE).unwrap();
    let list = read(root, &files[0].path);
    let sha256 = base16ct::lower::encode_string(&Sha256::digest(list.as_bytes()));
    assert_eq!(files[0].sha256, sha256);
    assert_eq!(
        read(root, &files[1].path),
        format!(
            r#"{{
  "format": 1,
  "task": "photos",
  "run": 1,
  "run_id": "6ac3d7900000000000000007",
  "run_name": "camera-archive-20261006010000000_1",
  "state": "ended",
  "zone": "Asia/Shanghai",
  "started_at": "2026-10-06T01:00:00.000+08:00",
  "ended_at": "2026-10-06T01:30:00.500+08:00",
  "books": {{
    "taken": 2,
    "synced": 1,
    "failed": 0,
    "ignored": 0,
    "deferred": 1,
    "synced_bytes": 12,
    "balanced": true
  }},
  "previous_run": null,
  "deferral": "window_ended",
  "resume_name": null,
  "rejected": 0,
  "retries": 0,
  "throttled": 0,
  "requests_sent": 4,
  "begin_cause": null,
  "begin_error_code": null,
  "lists": [
    {{
      "path": "success_object_lists/camera-archive-20261006010000000_1/20261006013000500.success_list.txt",
      "lines": 1,
      "bytes": 35,
      "sha256": "{sha256}"
    }}
  ],
  "journals": []
}}
"#
        )
    );
}

#[test]
fn lists_made_again_later_are_the_same_bytes_and_untouched_files() {
    let fixture = Fixture::three_nights();
    let run = fixture
        .ledger
        .run_numbered(&crate::ledger::fixture::photos(), 1);
    let run = run.unwrap().unwrap();
    let (first, second) = (
        fixture.folder.path().join("1"),
        fixture.folder.path().join("2"),
    );
    let files = write_run(&fixture.ledger, run, &first, Modes::PRIVATE).unwrap();
    let inode = |file: &ListFile| fs::metadata(first.join(&file.path)).unwrap().ino();
    let before: Vec<u64> = files.iter().map(inode).collect();
    assert_eq!(
        write_run(&fixture.ledger, run, &first, Modes::PRIVATE).unwrap(),
        files
    );
    assert_eq!(files.iter().map(inode).collect::<Vec<_>>(), before);

    assert_eq!(
        write_run(&fixture.ledger, run, &second, Modes::PRIVATE).unwrap(),
        files
    );
    for file in &files {
        assert_eq!(read(&first, &file.path), read(&second, &file.path));
    }
}

#[test]
fn an_altered_list_is_put_right_and_nothing_else_is_left_behind() {
    let mut fixture = shanghai(&["a"]);
    let night = fixture.begin("2026-10-06T01:00:00+08:00");
    fixture.settle(&night, synced("a", "2026-10-06T01:00:02+08:00", 1));
    let run = fixture.end(&night, MORNING, 0, "done");
    let root = fixture.folder.path();
    let files = write_run(&fixture.ledger, run, root, Modes::PRIVATE).unwrap();
    let right = read(root, &files[0].path);
    fs::write(root.join(&files[0].path), right.replace('a', "b")).unwrap();
    write_run(&fixture.ledger, run, root, Modes::PRIVATE).unwrap();
    assert_eq!(read(root, &files[0].path), right);
    let folder = root.join(&files[0].path);
    assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn files_and_folders_have_the_given_modes() {
    let mut fixture = shanghai(&["a"]);
    let night = fixture.begin("2026-10-06T01:00:00+08:00");
    fixture.settle(&night, synced("a", "2026-10-06T01:00:02+08:00", 1));
    let run = fixture.end(&night, MORNING, 0, "done");
    for modes in [Modes::PRIVATE, Modes::GROUP] {
        let root = fixture.folder.path().join(format!("{:o}", modes.file));
        let files = write_run(&fixture.ledger, run, &root, modes).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let file = root.join(&files[0].path);
        assert_eq!(mode(&file), modes.file);
        assert_eq!(mode(file.parent().unwrap()), modes.folder);
        assert_eq!(mode(&root), modes.folder);
    }
}

#[test]
fn a_run_that_took_nothing_has_no_list_and_no_manifest() {
    let mut fixture = Fixture::new("UTC");
    let night = fixture.begin("2026-10-06T01:00:00Z");
    let run = fixture.end(&night, "2026-10-06T01:00:01Z", 0, "done");
    let root = fixture.folder.path().join("lists");
    assert_eq!(
        write_run(&fixture.ledger, run, &root, Modes::PRIVATE).unwrap(),
        []
    );
    assert!(!root.exists());
}

#[test]
fn a_run_at_work_has_no_lists_yet() {
    let mut fixture = Fixture::new("UTC");
    let night = fixture.begin("2026-10-06T01:00:00Z");
    let root = fixture.folder.path();
    let error = write_run(&fixture.ledger, night.run.key, root, Modes::PRIVATE).unwrap_err();
    assert!(matches!(error, ReportError::StillRunning));
}

#[test]
fn an_outage_names_each_request_once_and_says_so_again_later() {
    let blocked = FailureCause::AccountBlocked;
    let mut fixture = shanghai(&["b", "a"]);
    let first = fixture.refused("2026-10-06T01:00:00+08:00", blocked, "AccessDenied");
    fixture.ask("object_lists/new.txt", "2026-10-06T12:00:00+08:00", &["c"]);
    let second = fixture.refused("2026-10-07T01:00:00+08:00", blocked, "AccessDenied");
    let third = fixture.refused("2026-10-08T01:00:00+08:00", blocked, "AccessDenied");

    // The outage is over: all is settled, and the lists must not change.
    let night = fixture.begin("2026-10-09T01:00:00+08:00");
    for name in ["a", "b"] {
        fixture.settle(&night, synced(name, "2026-10-09T01:00:01+08:00", 1));
    }
    let timeout = FailureCause::Timeout;
    fixture.settle(
        &night,
        failed("c", "2026-10-09T01:00:01+08:00", timeout, "", 500),
    );
    fixture.end(&night, "2026-10-09T01:00:09+08:00", 0, "done");
    // A new outage names again what it would have taken: `c` was carried over.
    let fifth = fixture.refused("2026-10-10T01:00:00+08:00", blocked, "AccessDenied");

    let root = fixture.folder.path();
    let list = |run, max_lines| {
        let files = write_run_split(&fixture.ledger, run, root, Modes::PRIVATE, max_lines).unwrap();
        let lists: Vec<&ListFile> = files
            .iter()
            .filter(|file| file.path.starts_with("failed_object_lists/"))
            .collect();
        let name = |file: &ListFile| file.path.rsplit_once('/').unwrap().1.to_owned();
        let text = |file: &ListFile| read(root, &file.path);
        (
            lists.iter().copied().map(name).collect::<Vec<_>>(),
            lists.iter().copied().map(text).collect::<String>(),
        )
    };
    let (names, text) = list(first, 1);
    assert_eq!(
        names,
        [
            "1791219600000_6ac3d7900000000000000007_1.failed_list.txt",
            "1791219600000_6ac3d7900000000000000007_2.failed_list.txt",
        ]
    );
    assert_eq!(
        text,
        "account_blocked\t2026-10-06T01:00:00.000+08:00\ta\ta\tAccessDenied\n\
         account_blocked\t2026-10-06T01:00:00.000+08:00\tb\tb\tAccessDenied\n"
    );
    let line = |day: &str| {
        format!("account_blocked\t2026-10-{day}T01:00:00.000+08:00\tc\tc\tAccessDenied\n")
    };
    assert_eq!(list(second, 9).1, line("07"));
    assert_eq!(list(third, 9).1, "");
    assert_eq!(list(fifth, 9).1, line("10"));
}
