//! Lists that change between intakes.

use super::*;

#[test]
fn each_line_is_a_request_and_duplicates_are_separate_ones() {
    let mut fixture = Fixture::new();
    fixture.write("b.txt", "x\n\ny\nx\n");
    fixture.write("a/1.txt", "z\n");
    let intake = fixture.take_in();
    assert_eq!(
        fixture.requests(),
        ["a/1.txt:1 z", "b.txt:1 x", "b.txt:3 y", "b.txt:4 x"]
    );
    assert_eq!(fixture.loaded(), ["a/1.txt 1 1 0", "b.txt 4 3 0"]);
    assert_eq!((intake.seen.lists, intake.loaded, intake.lines), (2, 2, 5));
    assert_eq!((intake.requests, intake.rejected), (4, 0));
    fixture.assert_books_agree();
}

#[test]
fn an_unchanged_list_is_not_even_opened_again() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny\n");
    fixture.take_in();
    let closed = Failing {
        lists: fixture.lists(),
        path: "object_lists/a.txt",
        after: 0,
    };
    let intake = fixture.take_in_from(&[&closed], &|_| ()).unwrap();
    assert!(intake.seen.problems.is_empty());
    assert_eq!((intake.seen.lists, intake.requests), (1, 0));
    assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 y"]);
}

#[test]
fn of_a_list_that_has_grown_only_the_rest_is_loaded() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny\n");
    fixture.take_in();
    fixture.append("a.txt", "x\r\nz\n");
    let intake = fixture.take_in();
    assert_eq!(
        fixture.requests(),
        ["a.txt:1 x", "a.txt:2 y", "a.txt:3 x", "a.txt:4 z"]
    );
    assert_eq!(intake.requests, 2);
    assert_eq!(fixture.loaded(), ["a.txt 4 4 0"]);
    fixture.assert_books_agree();
}

#[test]
fn a_list_replaced_by_another_of_the_same_length_and_time_is_new() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny\n");
    let modified = fixture
        .file("a.txt")
        .metadata()
        .unwrap()
        .modified()
        .unwrap();
    // So soon after the change its times prove nothing.
    fixture.set_clock_after_change("a.txt", 1_999);
    fixture.take_in();
    fixture.write("a.txt", "x\nz\n");
    let file = File::options()
        .write(true)
        .open(fixture.file("a.txt"))
        .unwrap();
    file.set_modified(modified).unwrap();
    fixture.take_in();
    assert_eq!(
        fixture.requests(),
        ["a.txt:1 x", "a.txt:2 y", "a.txt:1 x", "a.txt:2 z"]
    );
    assert_eq!(fixture.loaded(), ["a.txt (was) 2 2 0", "a.txt 2 2 0"]);
    fixture.assert_books_agree();
}

#[test]
fn a_fingerprint_is_kept_only_once_the_list_was_left_alone_for_two_seconds() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n");
    fixture.set_clock_after_change("a.txt", 2_000);
    fixture.take_in();
    assert_eq!(
        fixture.ask("SELECT path FROM list WHERE fingerprint IS NULL"),
        ["object_lists/a.txt"]
    );
    fixture.set_clock_after_change("a.txt", 2_001);
    fixture.take_in();
    assert_eq!(
        fixture.ask("SELECT path FROM list WHERE fingerprint IS NULL"),
        [""; 0]
    );
    assert_eq!(fixture.requests(), ["a.txt:1 x"]);
}

#[test]
fn a_truncated_list_is_new() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny\nz\n");
    fixture.take_in();
    fixture.write("a.txt", "x\ny\n");
    fixture.take_in();
    assert_eq!(fixture.loaded(), ["a.txt (was) 3 3 0", "a.txt 2 2 0"]);
    fixture.write("a.txt", "");
    fixture.take_in();
    assert_eq!(
        fixture.loaded(),
        ["a.txt (was) 3 3 0", "a.txt (was) 2 2 0", "a.txt 0 0 0"]
    );
    fixture.assert_books_agree();
}

#[test]
fn a_renamed_list_is_the_same_list() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny\n");
    fixture.take_in();
    fs::create_dir(fixture.file("done")).unwrap();
    fs::rename(fixture.file("a.txt"), fixture.file("done/a.txt")).unwrap();
    let intake = fixture.take_in();
    assert_eq!(intake.requests, 0);
    assert_eq!(fixture.requests(), ["done/a.txt:1 x", "done/a.txt:2 y"]);
    fixture.assert_books_agree();
}

#[test]
fn a_list_renamed_and_grown_is_the_same_list() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\r\ny\n");
    fixture.take_in();
    fs::rename(fixture.file("a.txt"), fixture.file("b.txt")).unwrap();
    fixture.append("b.txt", "z\n");
    fixture.take_in();
    assert_eq!(fixture.requests(), ["b.txt:1 x", "b.txt:2 y", "b.txt:3 z"]);
    assert_eq!(fixture.loaded(), ["b.txt 3 3 0"]);
    fixture.assert_books_agree();
}

#[test]
fn of_several_lists_that_are_gone_the_longest_beginning_is_the_renamed_one() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n");
    fixture.write("b.txt", "x\ny\n");
    fixture.write("c.txt", "x\nother and longer than the new one\n");
    fixture.write("d.txt", "x\nq\n");
    fixture.take_in();
    for gone in ["a.txt", "b.txt", "c.txt", "d.txt"] {
        fs::remove_file(fixture.file(gone)).unwrap();
    }
    fixture.write("e.txt", "x\ny\nz\n");
    assert_eq!(fixture.take_in().requests, 1);
    assert_eq!(
        fixture.loaded(),
        ["a.txt 1 1 0", "e.txt 3 3 0", "c.txt 2 2 0", "d.txt 2 2 0"]
    );
    // The shorter one matches too, but a longer one that does not is asked after it.
    fixture.write("f.txt", "x\nr\n");
    assert_eq!(fixture.take_in().requests, 1);
    assert_eq!(fixture.loaded()[0], "f.txt 2 2 0");
    fixture.assert_books_agree();
}

#[test]
fn a_copy_of_a_list_that_is_still_there_is_a_new_list() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n");
    fixture.take_in();
    fixture.write("b.txt", "x\n");
    assert_eq!(fixture.take_in().requests, 1);
    assert_eq!(fixture.loaded(), ["a.txt 1 1 0", "b.txt 1 1 0"]);
}

#[test]
fn a_list_moved_onto_the_path_of_another_stays_itself() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n");
    fixture.write("b.txt", "y\n");
    fixture.take_in();
    fs::rename(fixture.file("a.txt"), fixture.file("b.txt")).unwrap();
    assert_eq!(fixture.take_in().requests, 0);
    assert_eq!(fixture.loaded(), ["b.txt 1 1 0", "b.txt (was) 1 1 0"]);
    fixture.assert_books_agree();
}

#[test]
fn a_loaded_list_may_be_deleted_and_come_back() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n");
    fixture.take_in();
    fs::remove_file(fixture.file("a.txt")).unwrap();
    assert_eq!(fixture.take_in().requests, 0);
    fixture.write("a.txt", "x\ny\n");
    assert_eq!(fixture.take_in().requests, 1);
    assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 y"]);
    assert!(fixture.file("a.txt").exists());
}

#[test]
fn an_empty_list_is_known_and_may_grow_but_is_nobodys_former_name() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "");
    fixture.take_in();
    fixture.take_in();
    assert_eq!(fixture.loaded(), ["a.txt 0 0 0"]);
    fixture.append("a.txt", "x\n");
    fixture.write("b.txt", "");
    fixture.take_in();
    fs::remove_file(fixture.file("b.txt")).unwrap();
    fixture.write("c.txt", "y\n");
    fixture.take_in();
    assert_eq!(
        fixture.loaded(),
        ["a.txt 1 1 0", "b.txt 0 0 0", "c.txt 1 1 0"]
    );
    assert_eq!(fixture.requests(), ["a.txt:1 x", "c.txt:1 y"]);
}

#[test]
fn the_same_content_under_another_encoding_is_decoded_by_its_file_name() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "a%20b\n");
    fixture.write("b.url.txt", "a%20b\n");
    fixture.take_in();
    assert_eq!(fixture.requests(), ["a.txt:1 a%20b", "b.url.txt:1 a b"]);
    fixture.encoding = ListEncoding::Url;
    fixture.write("c.txt", "c%2Bd+\n");
    fixture.take_in();
    assert_eq!(fixture.requests()[2], "c.txt:1 c+d+");
}
