//! Input lists over several nights: grown, renamed, replaced, truncated, in the bucket.

use std::fs;
use std::io::Write;

use super::{Harbour, PHOTOS, hours_ago};
use crate::s3_server::NewObject;

/// Names `a` to `z` at the source.
fn harbour(task_settings: &str) -> Harbour {
    let harbour = Harbour::with("", task_settings);
    for name in 'a'..='z' {
        harbour.put(&name.to_string(), "1");
    }
    harbour
}

/// Name, list and line of the requests that a run settled.
fn settled_by(harbour: &Harbour, run: u64) -> Vec<String> {
    harbour.rows(&format!(
        "SELECT name, substr(list, 14), line FROM requests WHERE run = {run} ORDER BY request"
    ))
}

fn append(path: &std::path::Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn of_a_grown_list_only_the_rest_is_loaded() {
    let harbour = harbour("");
    let list = harbour.list("one.txt", "a\nb\n");
    harbour.night();
    append(&list, "c\na\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(settled_by(&harbour, 2), ["c|one.txt|3", "a|one.txt|4"]);
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        harbour.runs(),
        ["2|2|0|0|0|0", "2|1|0|1|0|0", "0|0|0|0|0|0"]
    );
    assert_eq!(
        harbour.rows("SELECT list, lines, requests FROM loaded_lists"),
        ["object_lists/one.txt|4|4"]
    );
    let delivered = harbour
        .copy(&format!("{PHOTOS}object_lists/one.txt"))
        .unwrap();
    assert_eq!(delivered.body(), b"a\nb\nc\na\n");
}

#[test]
fn a_renamed_list_is_the_same_list_and_may_grow_under_its_new_name() {
    let harbour = harbour("");
    let list = harbour.list("one.txt", "a\nb\n");
    harbour.night();
    let renamed = list.with_file_name("done.txt");
    fs::rename(&list, &renamed).unwrap();
    harbour.night();
    append(&renamed, "c\n");
    harbour.night();
    assert_eq!(
        harbour.runs(),
        ["2|2|0|0|0|0", "0|0|0|0|0|0", "1|1|0|0|0|0"]
    );
    assert_eq!(
        harbour.rows("SELECT list, lines, requests FROM loaded_lists"),
        ["object_lists/done.txt|3|3"]
    );
}

#[test]
fn a_copied_list_is_a_new_list() {
    let harbour = harbour("");
    let list = harbour.list("one.txt", "a\nb\n");
    harbour.night();
    fs::copy(&list, list.with_file_name("two.txt")).unwrap();
    harbour.night();
    assert_eq!(settled_by(&harbour, 2), ["a|two.txt|1", "b|two.txt|2"]);
}

#[test]
fn a_replaced_and_a_truncated_list_are_new_lists_with_all_lines() {
    let harbour = harbour("");
    harbour.list("one.txt", "a\nb\nc\n");
    harbour.list("two.txt", "d\ne\nf\n");
    harbour.night();
    harbour.list("one.txt", "x\nb\nc\n");
    harbour.list("two.txt", "d\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        settled_by(&harbour, 2),
        ["x|one.txt|1", "b|one.txt|2", "c|one.txt|3", "d|two.txt|1"]
    );
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        harbour.runs(),
        ["6|6|0|0|0|0", "4|1|0|3|0|0", "0|0|0|0|0|0"]
    );
}

#[test]
fn a_list_may_go_once_it_is_loaded() {
    let harbour = harbour("");
    let list = harbour.list("one.txt", "a\n");
    harbour.night();
    fs::remove_file(&list).unwrap();
    assert_eq!(harbour.night().code, 0);
    assert!(!list.exists());
    harbour.list("one.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.requests(), ["a|synced|"]);
}

#[test]
fn an_unended_last_line_counts_once_the_list_was_left_alone() {
    let harbour = harbour("");
    let list = harbour.list("one.txt", "a\nb");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(settled_by(&harbour, 1), ["a|one.txt|1", "b|one.txt|2"]);
    append(&list, "\nc\n");
    harbour.night();
    assert_eq!(settled_by(&harbour, 2), ["c|one.txt|3"]);
}

#[test]
fn what_comes_while_a_run_is_at_work_belongs_to_the_next_run() {
    let harbour = harbour("");
    let list = harbour.list("one.txt", "a\n");
    let gate = harbour.server.gate("GetObject", "src", Some("a"));
    std::thread::scope(|scope| {
        let night = scope.spawn(|| harbour.night());
        gate.wait_arrived();
        append(&list, "b\n");
        harbour.list("two.txt", "c\n");
        gate.open();
        assert_eq!(night.join().unwrap().code, 0);
    });
    assert_eq!(harbour.runs(), ["1|1|0|0|0|0"]);
    harbour.night();
    assert_eq!(settled_by(&harbour, 2), ["b|one.txt|2", "c|two.txt|1"]);
    assert_eq!(
        harbour.rows("SELECT balanced, requested FROM books"),
        ["1|3"]
    );
}

#[test]
fn what_a_killed_run_took_in_is_delivered_by_the_next() {
    let harbour = harbour("");
    harbour.list("one.txt", "a\n");
    harbour.night();
    harbour.list("two.txt", "b\n");
    let gate = harbour.server.gate("GetObject", "src", Some("b"));
    let mut night = std::process::Command::new(assert_cmd::cargo::cargo_bin!("nightferry"))
        .arg("--config")
        .arg(harbour.config())
        .arg("run")
        .spawn()
        .unwrap();
    gate.wait_arrived();
    night.kill().unwrap();
    night.wait().unwrap();
    gate.open();
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        harbour.rows("SELECT run, state, taken, synced, deferred FROM run_history"),
        ["1|ended|1|1|0", "2|interrupted|1|0|1", "3|ended|1|1|0"]
    );
    let lists = harbour.delivered();
    assert!(
        lists.contains(&"object_lists/two.txt".to_owned()),
        "{lists:?}"
    );
}

fn in_bucket(harbour: &Harbour, name: &str, content: &str, hours: u64) {
    let object = NewObject {
        last_modified: Some(hours_ago(hours)),
        ..content.into()
    };
    harbour
        .server
        .put("dst", &format!("{PHOTOS}object_lists/{name}"), object);
}

#[test]
fn lists_in_the_destination_bucket_are_read_only_where_the_task_says_so() {
    let closed = harbour("");
    in_bucket(&closed, "there.txt", "a\n", 1);
    closed.list("here.txt", "b\n");
    closed.night();
    assert_eq!(closed.requests(), ["b|synced|"]);

    let open = harbour("read_lists_from_destination = true");
    in_bucket(&open, "there.txt", "a\n", 1);
    in_bucket(&open, "deep/there.url.txt", "%62\n", 1);
    in_bucket(&open, "note.md", "never\n", 1);
    in_bucket(&open, ".hidden.txt", "never\n", 1);
    open.list("here.txt", "c\n");
    assert_eq!(open.night().code, 0);
    assert_eq!(
        settled_by(&open, 1),
        ["c|here.txt|1", "b|deep/there.url.txt|1", "a|there.txt|1"]
    );
    assert!(!open.photos().join("object_lists/there.txt").exists());
    let there = open
        .copy(&format!("{PHOTOS}object_lists/there.txt"))
        .unwrap();
    assert_eq!(there.body(), b"a\n");

    in_bucket(&open, "there.txt", "a\nd\n", 0);
    open.night();
    assert_eq!(settled_by(&open, 2), ["d|there.txt|2"]);
    assert_eq!(open.runs(), ["3|3|0|0|0|0", "1|1|0|0|0|0"]);
}

#[test]
fn a_local_list_hides_one_of_the_same_path_in_the_bucket_and_neither_is_overwritten() {
    let harbour = harbour("read_lists_from_destination = true");
    in_bucket(&harbour, "one.txt", "x\n", 1);
    let list = harbour.list("one.txt", "a\n");
    let end = harbour.night();
    assert_eq!(end.code, 0);
    assert!(
        end.stderr.contains(
            "photos: not delivered: object_lists/one.txt: the destination bucket has a different \
             object of this name (2 bytes); both stay"
        ),
        "{}",
        end.stderr
    );
    assert_eq!(harbour.requests(), ["a|synced|"]);
    assert_eq!(fs::read(list).unwrap(), b"a\n");
    let there = harbour
        .copy(&format!("{PHOTOS}object_lists/one.txt"))
        .unwrap();
    assert_eq!(there.body(), b"x\n");
}

#[test]
fn rejected_lines_of_local_lists_are_said_where_the_bucket_is_read_too() {
    let harbour = harbour("read_lists_from_destination = true");
    harbour.list("here.txt", "a\n..\n");
    in_bucket(&harbour, "there.txt", "b\n.\n", 1);
    let end = harbour.night();
    assert_eq!(end.code, 4);
    for line in [
        "object_lists/here.txt:2 rejected: dot_segment ..",
        "object_lists/there.txt:2 rejected: dot_segment .",
    ] {
        assert!(end.stderr.contains(line), "{}", end.stderr);
    }
    assert!(!end.stderr.contains("more lines"), "{}", end.stderr);
    assert_eq!(harbour.rows("SELECT rejected FROM run_history"), ["2"]);
}
