//! `enqueue --from-source`: what the destination lacks is asked for.

use std::fs;

use chrono::{DateTime, Utc};

use super::{End, Harbour, files_in, hours_ago};
use crate::s3_server::{Fault, FaultAction, NewObject};

fn fill(harbour: &Harbour, arguments: &[&str]) -> End {
    let mut all = vec!["enqueue", "--task", "photos", "--from-source"];
    all.extend(arguments);
    harbour.run(&all)
}

fn aged(body: &str, hours: u64) -> NewObject {
    NewObject {
        last_modified: Some(hours_ago(hours)),
        ..body.into()
    }
}

/// The names in all lists, and the files beside them.
fn asked_for(harbour: &Harbour) -> Vec<String> {
    let mut names = Vec::new();
    for list in files_in(&harbour.photos().join("object_lists")) {
        let path = list.to_str().unwrap().to_owned();
        assert!(path.ends_with(".url.txt"), "{path}");
        let content = fs::read_to_string(&list).unwrap();
        assert!(content.ends_with('\n'));
        names.extend(content.lines().map(str::to_owned));
    }
    names
}

#[test]
fn a_first_fill_asks_for_everything_and_a_second_for_nothing() {
    let harbour = Harbour::new().begun();
    for name in ["a", "b c", "d/e+f", "line\nbreak", "ü%41", "x//y", "/z"] {
        harbour.put(name, "12");
    }
    let end = fill(&harbour, &[]);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""), "{end:?}");
    let first = "photos: the source lists 7 objects, the destination 0 (2 HTTP requests)\n  \
                 7 names to ask for (14 B): 7 not at the destination\n\
                 photos: 7 names in object_lists/";
    assert!(end.stdout.starts_with(first), "{}", end.stdout);
    assert_eq!(
        asked_for(&harbour),
        [
            "%2Fz",
            "a",
            "b%20c",
            "d%2Fe%2Bf",
            "line%0Abreak",
            "x%2F%2Fy",
            "%C3%BC%2541"
        ]
    );
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.runs(), ["7|7|0|0|0|0"]);
    let end = fill(&harbour, &[]);
    assert_eq!(end.code, 0, "{end:?}");
    assert!(
        end.stdout
            .contains("  0 names to ask for (0 B)\n  left: 7 as it is\nphotos: no names, so no list was written\n"),
        "{}",
        end.stdout
    );
    assert_eq!(asked_for(&harbour).len(), 7);
}

#[test]
fn every_object_is_counted_once_for_what_it_is() {
    let harbour = Harbour::with(
        "",
        "exclude = [\"*.tmp\"]\nmax_size = \"5B\"\ntime_zone = \"Asia/Shanghai\"",
    )
    .begun();
    // Our own copy, since changed at the source to one of the same size and an older time.
    harbour.server.put("src", "ours changed", aged("new", 9));
    harbour.server.put("src", "waits", aged("1", 9));
    harbour.list("one.txt", "ours changed\nours\nwaits\n");
    harbour.server.put("src", "ours", aged("1", 9));
    let refused = harbour.server.on(Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("waits"));
    assert_eq!(harbour.night().code, 4);
    harbour.server.remove_fault(refused);
    assert_eq!(harbour.run(&["retry", "--all"]).code, 0);
    harbour.server.put("src", "ours changed", aged("old", 99));
    for (name, source, destination) in [
        ("gone", aged("1", 9), None),
        ("as it is", aged("1", 9), Some(aged("2", 5))),
        ("older", aged("1", 5), Some(aged("2", 9))),
        ("other", aged("11", 9), Some(aged("2", 5))),
        ("x.tmp", aged("1", 9), None),
        ("large", aged("123456", 9), None),
        ("before", aged("1", 999), None),
        ("a/../b", aged("1", 9), None),
        ("oms/sync_task/photos/x", aged("1", 9), None),
    ] {
        harbour.server.put("src", name, source);
        if let Some(object) = destination {
            harbour.server.put("dst", name, object);
        }
    }
    harbour.server.put("dst", "foreign", aged("1", 9));
    let since = DateTime::<Utc>::from(hours_ago(200)).to_rfc3339();
    let end = fill(&harbour, &["--since", &since, "--json"]);
    assert_eq!(end.code, 4, "{end:?}");
    assert!(
        end.stderr.contains("not asked for: a/../b (dot_segment)"),
        "{}",
        end.stderr
    );
    let json: serde_json::Value = serde_json::from_str(&end.stdout).unwrap();
    let figures = json[0].as_object().unwrap();
    let said: Vec<String> = figures
        .iter()
        .filter(|(key, _)| {
            !["task", "list", "requests", "destination_objects"].contains(&key.as_str())
        })
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    assert_eq!(
        said,
        [
            "source_objects 12",
            "names 4",
            "lacking 1",
            "different 3",
            "undecided 0",
            "bytes 7",
            "as_it_is 2",
            "earlier 1",
            "excluded 2",
            "pending 1",
            "invalid 1",
            "reserved 1",
        ]
    );
    let list = figures["list"].as_str().unwrap();
    assert_eq!(
        fs::read_to_string(harbour.photos().join(list)).unwrap(),
        "gone\nolder\nother\nours%20changed\n"
    );
}

#[test]
fn many_objects_are_compared_page_by_page() {
    let harbour = Harbour::new();
    let mut missing = Vec::new();
    for number in 0..2_500 {
        let name = format!("n{number:04}");
        harbour.server.put("src", &name, aged("1", 9));
        if number % 100 == 7 {
            missing.push(name);
        } else {
            harbour.server.put("dst", &name, aged("1", 5));
        }
    }
    for number in 0..1_200 {
        harbour
            .server
            .put("dst", &format!("m{number:04}"), aged("1", 5));
    }
    let end = fill(&harbour, &[]);
    assert_eq!(end.code, 0, "{end:?}");
    // Three pages of the source, four of the destination.
    assert!(
        end.stdout.starts_with(
            "photos: the source lists 2,500 objects, the destination 3,675 (7 HTTP requests)\n"
        ),
        "{}",
        end.stdout
    );
    assert_eq!(asked_for(&harbour), missing);
}

#[test]
fn a_prefix_and_a_day_narrow_what_is_looked_at() {
    let harbour = Harbour::new();
    harbour.server.put("src", "a/new", aged("1", 1));
    harbour.server.put("src", "a/old", aged("1", 24 * 40));
    harbour.server.put("src", "b/new", aged("1", 1));
    let day = DateTime::<Utc>::from(hours_ago(24 * 20));
    let day = day.format("%Y-%m-%d").to_string();
    let end = fill(&harbour, &["--prefix", "a/", "--since", &day]);
    assert_eq!(end.code, 0, "{end:?}");
    assert!(end.stdout.contains("the source lists 2 objects"), "{end:?}");
    assert_eq!(asked_for(&harbour), ["a%2Fnew"]);
}

#[test]
fn a_rehearsal_counts_and_makes_nothing() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    let end = fill(&harbour, &["--dry-run"]);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    assert_eq!(
        end.stdout,
        "photos: the source lists 1 object, the destination 0 (2 HTTP requests)\n  \
         1 name to ask for (1 B): 1 not at the destination\n"
    );
    assert!(!harbour.data_dir().exists());
}

/// What was left in the folder of the task's lists.
fn left_behind(harbour: &Harbour) -> Vec<std::path::PathBuf> {
    files_in(&harbour.photos().join("object_lists"))
}

#[test]
fn whatever_goes_wrong_nothing_is_asked_for() {
    for (bucket, pages, action, says) in [
        ("src", 0, Fault::answer(404, "NoSuchBucket").action, "src"),
        ("dst", 0, Fault::answer(403, "AccessDenied").action, "dst"),
        (
            "src",
            1,
            Fault::answer(403, "InvalidAccessKeyId").action,
            "src",
        ),
        ("dst", 1, Fault::answer(500, "InternalError").action, "dst"),
        (
            "src",
            1,
            FaultAction::ListBackwards,
            "the source does not list its objects in the order of bytes: \"n1998\" comes behind \"n1999\"",
        ),
        (
            "dst",
            0,
            FaultAction::ListBackwards,
            "the destination does not list its objects in the order of bytes",
        ),
    ] {
        let harbour = Harbour::with("[retry]\nattempts = 2\nbase = \"1ms\"", "");
        for number in 0..2_500 {
            let name = format!("n{number:04}");
            harbour.server.put("src", &name, aged("1", 9));
            harbour.server.put("dst", &name, aged("2", 99));
        }
        let fault = Fault::new(action).operation("ListObjectsV2").bucket(bucket);
        harbour.server.on(fault.after(pages));
        let end = fill(&harbour, &[]);
        assert_eq!(end.code, 9, "{bucket} {end:?}");
        assert!(end.stderr.contains(says), "{}", end.stderr);
        assert!(
            end.stderr.contains("nothing was enqueued"),
            "{}",
            end.stderr
        );
        assert_eq!(end.stdout, "");
        assert!(left_behind(&harbour).is_empty());
    }
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again() {
    let harbour = Harbour::with("[retry]\nbase = \"1ms\"", "");
    harbour.put("a", "1");
    let fault = Fault::answer(503, "SlowDown").operation("ListObjectsV2");
    harbour.server.on(fault.times(2));
    assert_eq!(fill(&harbour, &[]).code, 0);
    assert_eq!(asked_for(&harbour), ["a"]);
}

#[test]
fn nobody_who_answers_is_said_and_nothing_is_asked_for() {
    let harbour = Harbour::with("[retry]\nattempts = 1", "");
    let text = fs::read_to_string(harbour.config()).unwrap();
    let nowhere = text.replace(&harbour.server.endpoint(), "http://127.0.0.1:9");
    fs::write(harbour.config(), nowhere).unwrap();
    let end = fill(&harbour, &[]);
    assert_eq!(end.code, 9, "{end:?}");
    assert!(left_behind(&harbour).is_empty());
}

#[test]
fn by_checksum_only_a_run_can_decide_about_what_is_as_long() {
    let harbour = Harbour::with("", "overwrite = \"checksum\"");
    for (name, body) in [("same", "1"), ("other", "2"), ("longer", "22")] {
        harbour.server.put("src", name, aged(body, 9));
        harbour.server.put("dst", name, aged("1", 5));
    }
    let end = fill(&harbour, &[]);
    assert!(
        end.stdout.contains(
            "  3 names to ask for (4 B): 1 other or older there, 2 on which only a run can decide\n"
        ),
        "{}",
        end.stdout
    );
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        harbour.requests(),
        [
            "longer|synced|",
            "other|synced|",
            "same|ignored|same_checksum"
        ]
    );
}

#[test]
fn what_does_not_go_together_is_wrong_usage() {
    let harbour = Harbour::new();
    for arguments in [
        &["a"][..],
        &["--file", "-"],
        &["--url"],
        &["--since", "yesterday"],
    ] {
        let end = fill(&harbour, arguments);
        assert_eq!(end.code, 2, "{arguments:?} {end:?}");
    }
    for alone in ["--prefix=a", "--since=2026-11-01", "--dry-run", "--json"] {
        let end = harbour.run(&["enqueue", "--task", "photos", "a", alone]);
        assert_eq!(end.code, 2, "{alone} {end:?}");
    }
    assert!(harbour.server.requests().is_empty());
}

#[test]
fn under_a_prefix_only_what_lies_there_is_a_copy() {
    let harbour = Harbour::new().begun();
    let task = harbour.task("photos", "", "src", "dst");
    harbour.configure(&format!("{task}prefix = \"mirror/\"\n"));
    let long = "x".repeat(1018);
    for name in ["a", "b", "mirror/c", &long] {
        harbour.server.put("src", name, aged("1", 9));
    }
    // Of another task, or of nobody.
    for name in ["a", "mirrors", "mirror/", "mirror/b", "mirror/zz"] {
        harbour.server.put("dst", name, aged("2", 5));
    }
    let end = fill(&harbour, &[]);
    assert_eq!(end.code, 4, "{end:?}");
    assert!(end.stderr.contains("(too_long)"), "{}", end.stderr);
    assert_eq!(asked_for(&harbour), ["a", "mirror%2Fc"]);
    assert_eq!(harbour.night().code, 0);
    // Our own copies are known again, wherever a listing was wrong about the time.
    harbour
        .server
        .set_last_modified("dst", "mirror/a", hours_ago(99));
    assert_eq!(fill(&harbour, &[]).code, 4);
    assert_eq!(asked_for(&harbour).len(), 2);
    // Elsewhere they are no copies.
    harbour.configure(&format!("{task}prefix = \"other/\"\n"));
    assert!(
        fill(&harbour, &["--dry-run"])
            .stdout
            .contains("  4 names to ask for")
    );
}
