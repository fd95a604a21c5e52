//! Lists that are loaded while they are written, and by two processes at a time.

use std::cell::RefCell;
use std::sync::Arc;

use super::*;

const LIST: &str = "1.url.txt";

/// The list, as the one that writes it loads it.
fn growing(fixture: &Fixture) -> GrowingList {
    let file = File::open(fixture.file(LIST)).unwrap();
    GrowingList::new(format!("object_lists/{LIST}"), Arc::new(file))
}

/// Loads what is new of the first `safe_bytes` bytes, and answers how many requests that is.
fn load(fixture: &Fixture, list: &mut GrowingList, safe_bytes: u64) -> u64 {
    let mut ledger = Ledger::open(fixture.ledger.path(), 0o600).unwrap();
    let settings = IntakeSettings {
        form: ListEncoding::Plain.into(),
        zone: fixture.zone,
        clock: &fixture.clock,
        wait: &|_| panic!("nothing to wait for"),
    };
    let intake = list.load(&mut ledger, fixture.task, safe_bytes, &settings);
    intake.unwrap().requests
}

#[test]
fn of_a_growing_list_each_line_is_loaded_once_and_only_once_it_is_safe() {
    let mut fixture = Fixture::new();
    fixture.write(LIST, "a\nb%20c\nd\n");
    let mut list = growing(&fixture);
    assert_eq!(load(&fixture, &mut list, 8), 2);
    assert_eq!(load(&fixture, &mut list, 8), 0);
    fixture.append(LIST, "e\n");
    assert_eq!(load(&fixture, &mut list, 12), 2);
    assert_eq!(
        fixture.requests(),
        [
            "1.url.txt:1 a",
            "1.url.txt:2 b c",
            "1.url.txt:3 d",
            "1.url.txt:4 e"
        ]
    );
    assert_eq!(fixture.take_in().requests, 0);
    assert_eq!(load(&fixture, &mut growing(&fixture), 12), 0);
    assert_eq!(fixture.loaded(), ["1.url.txt 4 4 0"]);
    fixture.assert_books_agree();
}

#[test]
fn what_a_run_has_loaded_of_a_growing_list_is_not_loaded_again() {
    let mut fixture = Fixture::new();
    fixture.write(LIST, "a\n");
    let mut list = growing(&fixture);
    assert_eq!(load(&fixture, &mut list, 2), 1);
    fixture.append(LIST, "b\n");
    assert_eq!(fixture.take_in().requests, 1);
    fixture.append(LIST, "c\n");
    assert_eq!(load(&fixture, &mut list, 6), 1);
    assert_eq!(
        fixture.requests(),
        ["1.url.txt:1 a", "1.url.txt:2 b", "1.url.txt:3 c"]
    );
    fixture.assert_books_agree();
}

#[test]
fn a_run_that_has_loaded_more_than_is_safe_is_not_taken_for_another_list() {
    let mut fixture = Fixture::new();
    fixture.write(LIST, "a\n");
    let mut list = growing(&fixture);
    assert_eq!(load(&fixture, &mut list, 2), 1);
    fixture.append(LIST, "b\nc\n");
    assert_eq!(fixture.take_in().requests, 2);
    // So far only the second line is safe.
    assert_eq!(load(&fixture, &mut list, 4), 0);
    assert_eq!(load(&fixture, &mut growing(&fixture), 4), 0);
    fixture.append(LIST, "d\n");
    assert_eq!(load(&fixture, &mut list, 8), 1);
    assert_eq!(fixture.loaded(), ["1.url.txt 4 4 0"]);
    fixture.assert_books_agree();
}

#[test]
fn a_new_list_that_begins_like_one_that_is_gone_is_loaded_from_its_first_line() {
    let mut fixture = Fixture::new();
    fixture.write("old.url.txt", "a\n");
    fixture.take_in();
    fs::remove_file(fixture.file("old.url.txt")).unwrap();
    fixture.write(LIST, "a\nb\n");
    assert_eq!(load(&fixture, &mut growing(&fixture), 4), 2);
    assert_eq!(fixture.requests().len(), 3);
}

/// Real lists, of which one is loaded by somebody else once it has been opened here.
struct Overtaken<'f> {
    lists: LocalLists,
    other: RefCell<Option<Box<dyn FnOnce() + 'f>>>,
}

impl ListSource for Overtaken<'_> {
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        self.lists.walk()
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        self.lists.stat(path)
    }

    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
        let opened = self.lists.open(path)?;
        if let Some(other) = self.other.borrow_mut().take() {
            other();
        }
        Ok(opened)
    }
}

#[test]
fn of_two_who_load_a_list_at_the_same_time_the_second_loads_what_the_first_left() {
    for known in [false, true] {
        let mut fixture = Fixture::new();
        fixture.write(LIST, "a\n");
        if known {
            assert_eq!(fixture.take_in().requests, 1);
        }
        fixture.append(LIST, "b\nc\n");
        let mut ledger = Ledger::open(fixture.ledger.path(), 0o600).unwrap();
        let source = Overtaken {
            lists: fixture.lists(),
            other: RefCell::new(Some(Box::new(|| {
                let loaded = load(&fixture, &mut growing(&fixture), 4);
                assert_eq!(loaded, 2 - u64::from(known));
            }))),
        };
        let settings = IntakeSettings {
            form: ListEncoding::Plain.into(),
            zone: fixture.zone,
            clock: &fixture.clock,
            wait: &|_| panic!("nothing to wait for"),
        };
        let intake = take_in(&mut ledger, fixture.task, &[&source], &settings).unwrap();
        assert_eq!((intake.requests, intake.lines), (1, 1));
        drop(source);
        assert_eq!(
            fixture.requests(),
            ["1.url.txt:1 a", "1.url.txt:2 b", "1.url.txt:3 c"]
        );
        assert_eq!(fixture.loaded(), ["1.url.txt 3 3 0"]);
        fixture.assert_books_agree();
    }
}
