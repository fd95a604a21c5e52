//! The lists that `serve` writes, and what may become of them meanwhile.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use super::{House, Serving};

/// The only list, which holds these lines.
fn only_list(house: &House, lines: &str) -> PathBuf {
    let mut lists = house.lists().into_iter();
    let (path, text) = lists.next().unwrap();
    assert_eq!((text.as_str(), lists.next()), (lines, None));
    path
}

fn append(path: &PathBuf, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A process that was killed, and the list that it was writing.
fn killed() -> (House, PathBuf) {
    let house = House::new();
    let serving = house.serve();
    serving.accepts(&["a", "b"]);
    house.wait_requested(2);
    serving.process.kill();
    let list = only_list(&house, "a\nb\n");
    (house, list)
}

fn stop(serving: Serving) {
    let ended = serving.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn an_unfinished_line_of_a_killed_process_is_cut_off_at_the_next_start() {
    for unfinished in ["c", &"c".repeat(10_000)] {
        let (house, list) = killed();
        append(&list, unfinished);
        let serving = house.serve();
        only_list(&house, "a\nb\n");
        serving.accepts(&["d"]);
        assert_eq!(house.wait_requested(3), ["a", "b", "d"]);
        stop(serving);
        house.check_books();
    }
}

#[test]
fn whole_lines_of_a_killed_process_that_were_not_loaded_are_requested_at_the_next_start() {
    let (house, list) = killed();
    append(&list, "c\nd");
    let serving = house.serve();
    assert_eq!(house.wait_requested(3), ["a", "b", "c"]);
    stop(serving);
}

#[test]
fn a_list_of_somebody_else_is_never_cut() {
    let (house, list) = killed();
    // Another one, in the place of the one that was being written.
    fs::rename(&list, list.with_extension("old")).unwrap();
    fs::write(&list, "theirs\nunfinished").unwrap();
    let foreign = house.lists_folder().join("20261122000000000_1.url.txt");
    fs::write(&foreign, "foreign").unwrap();
    let serving = house.serve();
    serving.accepts(&["c"]);
    house.wait_requested(3);
    stop(serving);
    assert_eq!(fs::read_to_string(&list).unwrap(), "theirs\nunfinished");
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "foreign");
}

#[test]
fn a_list_that_a_start_finds_as_a_link_is_left_alone() {
    let (house, list) = killed();
    let elsewhere = house.folder.path().join("elsewhere");
    fs::write(&elsewhere, "unfinished").unwrap();
    fs::remove_file(&list).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &list).unwrap();
    stop(house.serve());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "unfinished");
}

#[test]
fn a_list_that_is_taken_away_or_written_into_is_followed_by_another() {
    let house = House::new();
    let serving = house.serve();
    serving.accepts(&["a"]);
    house.wait_requested(1);
    let first = only_list(&house, "a\n");
    fs::remove_file(&first).unwrap();
    serving.accepts(&["b"]);
    assert_eq!(house.wait_requested(2), ["a", "b"]);
    let second = only_list(&house, "b\n");
    append(&second, "by somebody else\n");
    serving.accepts(&["c"]);
    house.wait_requested(3);
    assert_eq!(
        fs::read_to_string(&second).unwrap(),
        "b\nby somebody else\n"
    );
    assert_eq!(house.lists().len(), 2);
    stop(serving);
    house.check_books();
}

#[test]
fn a_list_ends_with_its_last_line_once_it_is_closed_and_takes_no_more_of_the_disk() {
    let house = House::new();
    let serving = house.serve();
    serving.accepts(&["a"]);
    stop(serving);
    let list = only_list(&house, "a\n");
    let blocks = std::os::unix::fs::MetadataExt::blocks(&list.metadata().unwrap());
    assert!(blocks * 512 <= 64 << 10, "{blocks}");
    let left: Vec<_> = fs::read_dir(house.data().join("serve"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
}
