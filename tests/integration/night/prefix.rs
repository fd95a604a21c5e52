//! Copies that lie under a prefix: names as the source has them everywhere but there.

use std::fs;

use super::{End, Harbour, PHOTOS, hours_ago};
use crate::s3_server::{ACCESS_KEY, NewObject, Rights};

const MIB: u64 = 1024 * 1024;

const PLACES: &str = "SELECT name, destination_name, outcome, reason FROM object_history
                      ORDER BY request, attempt";

impl Harbour {
    /// Has the task `photos` put `prefix` before every name from now on.
    fn mirror(&self, prefix: &str, task_settings: &str) {
        let task = self.task("photos", task_settings, "src", "dst");
        self.configure(&format!("{task}prefix = \"{prefix}\"\n"));
    }
}

/// A harbour whose task puts `prefix` before every name.
fn mirroring(prefix: &str) -> Harbour {
    let harbour = Harbour::new();
    harbour.mirror(prefix, "");
    harbour
}

/// Puts objects at the source whose content is their name, and asks for them.
fn ask(harbour: &Harbour, list: &str, names: &[&str]) {
    for name in names {
        harbour.put(name, *name);
    }
    harbour.list(list, names.join("\n") + "\n");
}

fn said(end: &End, code: i32, parts: &[&str]) {
    assert_eq!(end.code, code, "{end:?}");
    for part in parts {
        assert!(
            end.stdout.contains(part) || end.stderr.contains(part),
            "{part}: {end:?}"
        );
    }
}

#[test]
fn copies_lie_under_the_prefix_and_lists_where_they_always_do() {
    let harbour = mirroring("mirror/ü");
    harbour.mirror("mirror/ü", "read_lists_from_destination = true");
    let names = ["a", "b/é+c d", "50%", "oms/sync_task/photos/x", "film"];
    ask(&harbour, "one.txt", &names);
    harbour.server.put_random("src", "film", 20 * MIB, 7);
    said(&harbour.night(), 0, &["5 taken = 5 synced"]);
    let places = names.map(|name| format!("mirror/ü{name}"));
    for (name, place) in names.iter().zip(&places) {
        let original = harbour.server.object("src", name).unwrap();
        assert_eq!(harbour.copy(place).unwrap().sha256(), original.sha256());
    }
    let mut sorted = places.to_vec();
    sorted.sort();
    assert_eq!(harbour.copies(), sorted);
    let rows = names
        .iter()
        .zip(&places)
        .map(|(name, place)| format!("{name}|{place}|synced|"));
    assert_eq!(harbour.rows(PLACES), rows.collect::<Vec<_>>());
    let mut listed: Vec<String> = harbour
        .list_of(1, "success")
        .iter()
        .map(|line| line.split('\t').nth(1).unwrap().to_owned())
        .collect();
    listed.sort();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert!(
        harbour
            .delivered()
            .iter()
            .any(|path| path.starts_with("manifests/"))
    );
    said(&harbour.run(&["verify", "--task", "photos"]), 0, &[]);
    said(
        &harbour.run(&["why", "--task", "photos", "b/é+c d"]),
        0,
        &["mirror/üb/é+c d"],
    );

    ask(&harbour, "two.txt", &names[..3]);
    said(&harbour.night(), 0, &["3 taken = 0 synced", "3 ignored"]);
    let again = "SELECT DISTINCT reason, destination_name LIKE 'mirror/ü%' FROM object_history
                 WHERE run = 2";
    assert_eq!(harbour.rows(again), ["already_copied|1"]);
    assert_eq!(harbour.copies(), sorted);
    touches_nothing_else(&harbour);
}

/// That every request to `dst` names or lists what lies behind the prefix, or lists
/// of the task.
fn touches_nothing_else(harbour: &Harbour) {
    let requests = harbour.server.requests();
    for request in requests.iter().filter(|request| request.bucket == "dst") {
        let is_ours = if request.operation == "ListObjectsV2" {
            let ours = [
                "prefix=mirror%2F%C3%BC",
                "prefix=oms%2Fsync_task%2Fphotos%2F",
            ];
            ours.iter().any(|ours| request.query.contains(ours))
        } else {
            let ours = ["mirror/ü", PHOTOS];
            ours.iter().any(|ours| request.key.starts_with(ours))
        };
        assert!(is_ours, "{request:?}");
    }
}

#[test]
fn a_listing_under_the_prefix_saves_asking_for_each_name() {
    let harbour = mirroring("mirror/");
    let names: Vec<String> = (0..200).map(|number| format!("{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // What lies around the prefix is not asked for, and a folder is no name.
    for other in ["mirror", "mirror/", "mirror.", "mirror0", "zz", "000"] {
        harbour.server.put("dst", other, "other");
    }
    ask(&harbour, "one.txt", &names);
    said(&harbour.night(), 0, &["200 taken = 200 synced"]);
    ask(&harbour, "two.txt", &names[..150]);
    harbour.server.clear_requests();
    said(&harbour.night(), 0, &["150 ignored"]);
    let requests = harbour.server.requests();
    let asked: Vec<&str> = requests
        .iter()
        .filter(|request| request.operation == "HeadObject" && request.bucket == "dst")
        .filter(|request| !request.key.starts_with("oms/"))
        .map(|request| request.key.as_str())
        .collect();
    assert_eq!(asked, [""; 0]);
}

#[test]
fn a_prefix_with_which_servers_list_names_in_different_ways_is_asked_name_by_name() {
    let harbour = mirroring("my +copies//");
    let names: Vec<String> = (0..40).map(|number| format!("{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    ask(&harbour, "one.txt", &names);
    said(&harbour.night(), 0, &["40 taken = 40 synced"]);
    ask(&harbour, "two.txt", &names);
    said(&harbour.night(), 0, &["40 ignored"]);
}

#[test]
fn the_server_copies_by_itself_to_under_the_prefix() {
    let harbour = Harbour::new();
    let task = harbour.task("photos", "", "src", "dst");
    let task = task.replace("server_side_copy = \"never\"\n", "");
    harbour.configure(&format!("{task}prefix = \"mirror/\"\n"));
    ask(&harbour, "one.txt", &["a", "b c"]);
    said(&harbour.night(), 0, &["2 taken = 2 synced"]);
    assert_eq!(harbour.copies(), ["mirror/a", "mirror/b c"]);
    let copied = harbour.server.requests();
    let copied = copied.iter().filter(|it| it.operation == "CopyObject");
    assert_eq!(copied.count(), 2);
}

#[test]
fn our_last_copy_under_another_prefix_is_none_of_ours_here() {
    let harbour = mirroring("one/");
    ask(&harbour, "one.txt", &["a", "b"]);
    harbour.night();
    // The same bytes lie there too: with the tag of our copy, and older than the source.
    let other = NewObject {
        last_modified: Some(hours_ago(5)),
        ..NewObject::from("a")
    };
    harbour.server.put("dst", "two/a", other);
    harbour.mirror("two/", "");
    harbour.list("two.txt", "a\nb\n");
    let rehearsed = harbour.run(&["run", "--dry-run"]);
    said(&rehearsed, 0, &["2 names: 2 to copy", "0 to ignore"]);
    said(&harbour.night(), 0, &["2 taken = 2 synced"]);
    assert_eq!(harbour.copies(), ["one/a", "one/b", "two/a", "two/b"]);
    assert_eq!(
        harbour.rows(PLACES),
        [
            "a|one/a|synced|",
            "b|one/b|synced|",
            "a|two/a|synced|",
            "b|two/b|synced|"
        ]
    );
    // And back: the ledger knows the newest copy alone, so that the times decide.
    harbour.mirror("one/", "");
    harbour.list("three.txt", "a\n");
    harbour.night();
    assert_eq!(
        harbour.rows("SELECT reason FROM requests ORDER BY request DESC LIMIT 1"),
        ["newer_at_destination"]
    );
}

#[test]
fn a_name_whose_copy_could_not_be_called_so_is_rejected_wherever_it_comes_in() {
    let harbour = mirroring("oms/sync_");
    let (fits, over) = ("x".repeat(1015), "x".repeat(1016));
    harbour.put(&fits, "1");
    harbour.list("one.txt", format!("{fits}\n{over}\ntask/a\ntask\n"));
    harbour.put("task", "2");
    said(&harbour.night(), 4, &["2 taken = 2 synced"]);
    assert_eq!(
        harbour.rows("SELECT line, reason FROM rejected_lines ORDER BY line"),
        ["2|too_long", "3|reserved_prefix"]
    );
    for (name, reason) in [(over.as_str(), "too_long"), ("task/a", "reserved_prefix")] {
        let refused = harbour.run(&["enqueue", "--task", "photos", name]);
        said(&refused, 2, &[reason]);
    }
    let taken = harbour.run(&["enqueue", "--task", "photos", "oms/sync_task/a"]);
    said(&taken, 0, &[]);
}

#[test]
fn a_prefix_that_is_none_is_one_mistake_with_its_line_and_key() {
    let too_long = "x".repeat(1024);
    for (prefix, why) in [
        ("a/../b/", "has a segment `.` or `..` in it"),
        ("a\\u0000b", "has a NUL character in it"),
        (too_long.as_str(), "is 1024 bytes long"),
        ("oms/sync_task/photos/", "lies under oms/sync_task/"),
        ("", "is empty"),
    ] {
        let harbour = mirroring(prefix);
        let lines = fs::read_to_string(harbour.config()).unwrap();
        let line = lines.lines().count();
        let end = harbour.night();
        let place = format!(":{line}: task \"photos\", destination.prefix: {why}");
        said(&end, 3, &[&place]);
        assert_eq!(end.stderr.lines().count(), 1, "{end:?}");
    }
    let harbour = mirroring("mirror/");
    let text = fs::read_to_string(harbour.config()).unwrap();
    let text = text.replace("[task.destination]", "prefix = \"a/\"\n[task.destination]");
    fs::write(harbour.config(), text).unwrap();
    said(&harbour.night(), 3, &["source.prefix: unknown key"]);
}

#[test]
fn a_queued_name_that_another_prefix_makes_impossible_fails_for_good_and_is_not_lost() {
    let harbour = mirroring("m/");
    let long = "x".repeat(1020);
    ask(&harbour, "one.txt", &["a", "oms/sync_task/photos/b", &long]);
    let limited = harbour.run(&["run", "--limit", "1"]);
    said(&limited, 6, &["1 synced"]);
    let task = harbour.task("photos", "", "src", "dst");
    harbour.configure(&task);
    said(&harbour.run(&["run", "--dry-run"]), 4, &["1 would fail"]);
    harbour.server.clear_requests();
    said(&harbour.night(), 4, &["1 synced", "1 failed"]);
    let failed = "SELECT name, cause, carried_over, error_code, message FROM failed_requests";
    let reserved = "oms/sync_task/photos/b|bad_request|0||the destination cannot have \
                    \"oms/sync_task/photos/b\" behind the prefix \"\" (reserved_prefix)";
    assert_eq!(harbour.rows(failed), [reserved]);
    let touched = harbour.server.requests();
    let touched = touched.iter().filter(|it| it.key.ends_with("photos/b"));
    assert_eq!(touched.count(), 0);
    assert!(harbour.copy("oms/sync_task/photos/b").is_none());

    // Too long now, and asked for again once the prefix is right.
    harbour.mirror("longer/", "");
    harbour.list("two.txt", format!("{long}\n"));
    said(&harbour.night(), 4, &["two.txt:1 rejected: too_long"]);
    said(
        &harbour.run(&["retry", "--task", "photos"]),
        0,
        &["1 request"],
    );
    said(&harbour.night(), 0, &["1 synced"]);
    assert!(harbour.copy("longer/oms/sync_task/photos/b").is_some());
    said(&harbour.run(&["ledger", "check"]), 0, &[]);
}

#[test]
fn two_tasks_may_copy_into_one_bucket_under_a_prefix_each() {
    let harbour = Harbour::new();
    harbour.server.create_bucket("films");
    let photos = harbour.task("photos", "", "src", "dst");
    let films = harbour.task("films", "", "films", "dst");
    harbour.configure(&format!(
        "{photos}prefix = \"photos/\"\n{films}prefix = \"films/\"\n"
    ));
    ask(&harbour, "one.txt", &["a", "b"]);
    harbour.server.put("films", "a", "a film");
    said(&harbour.run(&["enqueue", "--task", "films", "a"]), 0, &[]);
    said(&harbour.night(), 0, &[]);
    assert_eq!(harbour.copies(), ["films/a", "photos/a", "photos/b"]);
    assert_eq!(harbour.copy("films/a").unwrap().body(), b"a film");
    assert_eq!(
        harbour.rows("SELECT task, destination_name FROM object_history ORDER BY 1, 2"),
        ["films|films/a", "photos|photos/a", "photos|photos/b"]
    );
    said(&harbour.run(&["verify", "--task", "films"]), 0, &[]);
}

#[test]
fn keys_that_may_do_nothing_outside_of_the_prefix_are_enough_for_copies() {
    let key = "AKMIRROR";
    let rights = Rights {
        prefix: Some("mirror/".to_owned()),
        ..Rights::FULL
    };
    let server = crate::s3_server::S3Server::builder()
        .credentials(ACCESS_KEY, crate::s3_server::SECRET_KEY, Rights::FULL)
        .credentials(key, "secret", rights);
    let harbour = Harbour::at(server, "", "");
    let task = harbour.task("photos", "deliver_lists = false", "src", "dst");
    let (before, destination) = task.split_once("[task.destination]").unwrap();
    let destination = destination
        .replace(ACCESS_KEY, key)
        .replace(crate::s3_server::SECRET_KEY, "secret");
    harbour.configure(&format!(
        "{before}[task.destination]{destination}prefix = \"mirror/\"\n"
    ));
    let names: Vec<String> = (0..40).map(|number| format!("{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seen = "destination list       can be listed behind \"mirror/\"; it is empty";
    said(&harbour.run(&["doctor"]), 0, &[seen, "destination write"]);
    for list in ["one.txt", "two.txt"] {
        ask(&harbour, list, &names);
        said(&harbour.night(), 0, &["40 taken"]);
    }
    assert_eq!(harbour.copies().len(), 40);

    // Lists lie elsewhere, and doctor says that they cannot be delivered there.
    let delivering = format!("{before}[task.destination]{destination}prefix = \"mirror/\"\n");
    harbour.configure(&delivering.replace("deliver_lists = false", "deliver_lists = true"));
    let doctor = harbour.run(&["doctor"]);
    let denied = [
        "lists list             permission_missing: ",
        "lists write            ",
    ];
    said(&doctor, 9, &denied);
    ask(&harbour, "three.txt", &names);
    said(&harbour.night(), 9, &["permission_missing"]);

    // Without the prefix the same keys are refused before anything is tried.
    harbour.configure(&format!("{before}[task.destination]{destination}"));
    said(&harbour.night(), 9, &[]);
}

#[test]
fn a_spot_check_compares_each_copy_where_it_was_put() {
    let harbour = mirroring("one/");
    for name in ["a", "b", "c"] {
        harbour.put(name, name);
    }
    harbour.list("first.txt", "a\nb\n");
    assert_eq!(harbour.night().code, 0);
    harbour.mirror("two/", "spot_check = 9");
    harbour.list("second.txt", "c\n");
    assert_eq!(harbour.night().code, 0);
    harbour.server.remove("dst", "one/b");
    assert_eq!(harbour.night().code, 4);
    let checks = "SELECT run, copies, copies_drifted FROM spot_checks ORDER BY run";
    assert_eq!(harbour.rows(checks), ["2|3|0", "3|3|1"]);
    let findings = "SELECT name, destination_name, finding FROM spot_findings";
    assert_eq!(harbour.rows(findings), ["b|one/b|gone"]);
}
