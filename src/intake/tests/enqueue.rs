//! Lists that Nightferry writes itself.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::model::RejectReason;

fn put(
    fixture: &Fixture,
    names: impl IntoIterator<Item = io::Result<(u64, Line)>>,
) -> Result<Enqueued, EnqueueError> {
    let target = EnqueueTarget {
        task_folder: fixture.folder.path(),
        file_mode: 0o640,
        folder_mode: 0o750,
    };
    let zone: Zone = "Asia/Shanghai".parse().unwrap();
    enqueue(
        names,
        &target,
        zone.local(Timestamp::from_ms(1_793_463_000_000)),
    )
}

fn files_in(folder: &std::path::Path) -> usize {
    walkdir::WalkDir::new(folder)
        .min_depth(1)
        .into_iter()
        .count()
}

#[test]
fn awkward_names_come_back_from_the_list_as_they_were_given() {
    let mut fixture = Fixture::new();
    let names = [
        "a b",
        "\n",
        "a\r",
        "%41",
        "+",
        "ü/😀\\",
        " ",
        "\u{feff}x",
        "/",
        "a\tb\u{7f}",
    ];
    let enqueued = put(&fixture, names_in_arguments(names, ListEncoding::Plain)).unwrap();
    let path = "object_lists/2026/11/01/20261101001000000_1.url.txt";
    assert_eq!(
        enqueued,
        Enqueued {
            path: Some(path.to_owned()),
            names: 10
        }
    );
    let file = fixture.folder.path().join(path);
    assert_eq!(
        file.metadata().unwrap().permissions().mode() & 0o7777,
        0o640
    );
    assert_eq!(
        fs::read_to_string(file).unwrap(),
        "a%20b\n%0A\na%0D\n%2541\n%2B\n%C3%BC%2F%F0%9F%98%80%5C\n%20\n%EF%BB%BFx\n%2F\na%09b%7F\n"
    );
    let intake = fixture.take_in();
    assert!(intake.seen.passed_over.is_empty());
    assert_eq!(
        fixture.ask("SELECT name FROM requests ORDER BY request"),
        names
    );
}

#[test]
fn lists_of_the_same_millisecond_get_names_of_their_own() {
    let fixture = Fixture::new();
    put(&fixture, names_in_arguments(["a"], ListEncoding::Plain)).unwrap();
    let second = put(&fixture, names_in_arguments(["a%20b"], ListEncoding::Url)).unwrap();
    let path = "object_lists/2026/11/01/20261101001000000_2.url.txt";
    assert_eq!(second.path.as_deref(), Some(path));
    assert_eq!(
        fs::read_to_string(fixture.folder.path().join(path)).unwrap(),
        "a%20b\n"
    );
}

#[test]
fn with_any_invalid_name_nothing_is_written_and_all_of_them_are_named() {
    let fixture = Fixture::new();
    let names: [&[u8]; 5] = [b"good", b"", b"../x", b"also good", b"\xff"];
    let Err(EnqueueError::Invalid { shown, total }) =
        put(&fixture, names_in_arguments(names, ListEncoding::Plain))
    else {
        panic!("written")
    };
    let invalid = |number, reason, excerpt: &str| InvalidName {
        number,
        reason,
        excerpt: excerpt.to_owned(),
    };
    assert_eq!(
        shown,
        [
            invalid(2, RejectReason::EmptyName, ""),
            invalid(3, RejectReason::DotSegment, "../x"),
            invalid(5, RejectReason::NotUtf8, "\\xff")
        ]
    );
    assert_eq!(total, 3);
    assert_eq!(files_in(&fixture.file("")), 0);
}

#[test]
fn names_are_read_from_a_file_line_by_line_and_a_thousand_invalid_ones_are_shown() {
    let fixture = Fixture::new();
    let content = "a b\n\n%41\r\nlast".as_bytes();
    let enqueued = put(&fixture, names_in_lines(content, ListEncoding::Plain)).unwrap();
    assert_eq!(enqueued.names, 3);
    let written = fs::read_to_string(fixture.folder.path().join(enqueued.path.unwrap())).unwrap();
    assert_eq!(written, "a%20b\n%2541\nlast\n");
    let wrong = "ok\n%\n".repeat(1_500);
    let Err(EnqueueError::Invalid { shown, total }) = put(
        &fixture,
        names_in_lines(wrong.as_bytes(), ListEncoding::Url),
    ) else {
        panic!("written")
    };
    assert_eq!((shown.len(), total), (1_000, 1_500));
    assert_eq!(shown[999].number, 2_000);
}

#[test]
fn without_names_nothing_is_written() {
    let fixture = Fixture::new();
    let enqueued = put(
        &fixture,
        names_in_lines("\n\n".as_bytes(), ListEncoding::Plain),
    )
    .unwrap();
    assert_eq!(
        enqueued,
        Enqueued {
            path: None,
            names: 0
        }
    );
    assert_eq!(files_in(&fixture.file("")), 0);
}

#[test]
fn names_that_cannot_be_read_leave_nothing_behind() {
    let fixture = Fixture::new();
    let content = "a\nb\n".as_bytes().chain(Denied);
    let error = put(&fixture, names_in_lines(content, ListEncoding::Plain)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the names cannot be read: permission denied; nothing was enqueued"
    );
    assert_eq!(files_in(&fixture.file("")), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let fixture = Fixture::new();
    fs::remove_dir(fixture.file("")).unwrap();
    fs::write(fixture.folder.path().join("object_lists"), "in the way").unwrap();
    let error = put(&fixture, names_in_arguments(["a"], ListEncoding::Plain)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a list cannot be written in "),
        "{error}"
    );
}
