//! What is a list and what is not.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::*;

fn make_pipe(path: &std::path::Path) {
    mkfifo(path, Mode::S_IRWXU).unwrap();
}

#[test]
fn only_regular_txt_files_are_lists_and_the_rest_is_counted() {
    let mut fixture = Fixture::new();
    let content = "x\n";
    for list in [
        "b.txt",
        "b/c/d.txt",
        "b-.txt",
        "dir.tmp/e.txt",
        ".txt.txt/no.txt",
        ".git/f.txt",
    ] {
        fixture.write(list, content);
    }
    for other in [
        ".hidden.txt",
        "a.txt~",
        "a.txt.tmp",
        "a.txt.part",
        "README",
        "a.TXT",
        "a.csv",
    ] {
        fixture.write(other, content);
    }
    fs::create_dir(fixture.file("folder.txt")).unwrap();
    symlink(fixture.file("b.txt"), fixture.file("link.txt")).unwrap();
    symlink(fixture.file("b"), fixture.file("linked")).unwrap();
    symlink("nowhere", fixture.file("broken.txt")).unwrap();
    make_pipe(&fixture.file("pipe.txt"));
    std::os::unix::net::UnixListener::bind(fixture.file("socket.txt")).unwrap();
    fs::write(
        fixture.file("").join(OsStr::from_bytes(b"\xff.txt")),
        content,
    )
    .unwrap();
    let intake = fixture.take_in();
    assert_eq!(
        fixture.requests(),
        [
            "b-.txt:1 x",
            "b.txt:1 x",
            "b/c/d.txt:1 x",
            "dir.tmp/e.txt:1 x"
        ]
    );
    let counts: Vec<_> = intake
        .seen
        .passed_over
        .iter()
        .map(|(kind, count)| (*kind, *count))
        .collect();
    assert_eq!(
        counts,
        [
            (PassedOver::Link, 3),
            (PassedOver::Special, 2),
            (PassedOver::Hidden, 3),
            (PassedOver::Unfinished, 3),
            (PassedOver::NameNotUtf8, 1),
            (PassedOver::NotTxt, 3)
        ]
    );
    assert_eq!(passed_over(&fixture.lists()), intake.seen.passed_over);
    assert!(intake.seen.problems.is_empty());
}

#[test]
fn a_pipe_or_link_in_the_place_of_a_list_neither_blocks_nor_is_followed() {
    let fixture = Fixture::new();
    fixture.write("real.txt", "x\n");
    make_pipe(&fixture.file("pipe.txt"));
    symlink(fixture.file("real.txt"), fixture.file("link.txt")).unwrap();
    for path in [
        "object_lists/pipe.txt",
        "object_lists/link.txt",
        "object_lists/",
    ] {
        assert!(fixture.lists().open(path).is_err(), "{path}");
        assert!(fixture.lists().stat(path).is_err(), "{path}");
    }
    assert!(fixture.lists().open("object_lists/real.txt").is_ok());
}

#[test]
fn a_task_without_a_folder_for_lists_has_none() {
    let mut fixture = Fixture::new();
    fs::remove_dir(fixture.file("")).unwrap();
    let intake = fixture.take_in();
    assert_eq!(intake.seen.lists, 0);
    assert!(intake.seen.problems.is_empty());
}

#[test]
fn an_unreadable_list_is_reported_and_does_not_stop_the_others() {
    let mut fixture = Fixture::new();
    for list in ["a.txt", "b.txt", "c.txt"] {
        fixture.write(list, "x\ny\n");
    }
    let lists = Failing {
        lists: fixture.lists(),
        path: "object_lists/b.txt",
        after: 2,
    };
    let intake = fixture.take_in_from(&[&lists], &|_| ()).unwrap();
    assert_eq!(
        fixture.requests(),
        ["a.txt:1 x", "a.txt:2 y", "c.txt:1 x", "c.txt:2 y"]
    );
    let problems: Vec<_> = intake
        .seen
        .problems
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        problems,
        [
            "object_lists/b.txt cannot be read: permission denied; its lines that are not loaded yet wait for the next intake"
        ]
    );
    assert_eq!(fixture.take_in().requests, 2);
}

#[test]
fn what_an_earlier_source_has_at_a_path_hides_what_a_later_one_has() {
    let mut fixture = Fixture::new();
    let other = Fixture::new();
    fixture.write("a.txt", "x\n");
    other.write("a.txt", "other\n");
    other.write("b.txt", "y\n");
    let (first, second) = (fixture.lists(), other.lists());
    fixture.take_in_from(&[&first, &second], &|_| ()).unwrap();
    assert_eq!(fixture.requests(), ["a.txt:1 x", "b.txt:1 y"]);
    // The same list from another source is the same list.
    fs::remove_file(fixture.file("a.txt")).unwrap();
    other.write("a.txt", "x\nz\n");
    fixture.take_in_from(&[&first, &second], &|_| ()).unwrap();
    assert_eq!(fixture.requests(), ["a.txt:1 x", "b.txt:1 y", "a.txt:2 z"]);
}
