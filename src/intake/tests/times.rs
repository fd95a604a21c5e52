//! Unended last lines, lists that change under the reader, and when names were asked for.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use super::*;

#[test]
fn an_unended_last_line_counts_once_the_list_was_unchanged_for_two_seconds() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny");
    fixture.set_clock_after_change("a.txt", 500);
    let waited = Cell::new(Duration::ZERO);
    fixture.take_in_waiting(&|time| waited.set(waited.get() + time));
    assert_eq!(waited.get(), Duration::from_millis(1_500));
    assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 y"]);
}

#[test]
fn an_unended_last_line_of_an_old_list_counts_without_waiting() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny");
    fixture.set_clock_after_change("a.txt", 2_000);
    fixture.take_in();
    assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 y"]);
}

#[test]
fn a_clock_behind_the_file_waits_no_longer_than_two_seconds() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x");
    fixture.set_clock_after_change("a.txt", -HOUR);
    let waited = Cell::new(Duration::ZERO);
    fixture.take_in_waiting(&|time| waited.set(waited.get() + time));
    assert_eq!(waited.get(), Duration::from_secs(2));
    assert_eq!(fixture.requests(), ["a.txt:1 x"]);
}

#[test]
fn an_unended_line_that_goes_on_while_the_intake_waits_is_left_to_the_next_one() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny");
    fixture.set_clock_after_change("a.txt", 0);
    let list = fixture.file("a.txt");
    fixture.take_in_waiting(&|_| fs::write(&list, "x\nyy\nz\n").unwrap());
    assert_eq!(fixture.requests(), ["a.txt:1 x"]);
    fixture.clock.set(fixture.clock.now().plus_ms(HOUR));
    fixture.take_in();
    assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 yy", "a.txt:3 z"]);
    assert_eq!(fixture.loaded(), ["a.txt 3 3 0"]);
    fixture.assert_books_agree();
}

#[test]
fn an_unended_line_that_is_only_ended_later_is_not_loaded_again() {
    for end in ["\n", "\r\n"] {
        let mut fixture = Fixture::new();
        fixture.write("a.txt", "x\ny");
        fixture.take_in();
        fixture.append("a.txt", end);
        fixture.take_in();
        assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 y"]);
        fixture.append("a.txt", "z\n");
        fixture.take_in();
        assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 y", "a.txt:3 z"]);
        assert_eq!(fixture.loaded(), ["a.txt 3 3 0"]);
        fixture.assert_books_agree();
    }
}

#[test]
fn an_unended_line_that_counted_too_early_is_loaded_whole_when_it_is_ended() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "ph");
    fixture.take_in();
    fixture.append("a.txt", "oto.jpg\nz\n");
    fixture.take_in();
    assert_eq!(
        fixture.requests(),
        ["a.txt:1 ph", "a.txt:1 photo.jpg", "a.txt:2 z"]
    );
    assert_eq!(fixture.loaded(), ["a.txt 2 3 0"]);
    fs::rename(fixture.file("a.txt"), fixture.file("b.txt")).unwrap();
    assert_eq!(fixture.take_in().requests, 0);
    fixture.assert_books_agree();
}

/// Appends to a list whenever it is opened, as a writer does that is not done yet.
struct Growing(LocalLists, PathBuf);

impl ListSource for Growing {
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        self.0.walk()
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        self.0.stat(path)
    }

    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
        let opened = self.0.open(path)?;
        let mut file = File::options().append(true).open(&self.1)?;
        io::Write::write_all(&mut file, b"later\n")?;
        Ok(opened)
    }
}

#[test]
fn a_list_is_read_up_to_its_size_at_opening() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n");
    let growing = Growing(fixture.lists(), fixture.file("a.txt"));
    fixture.take_in_from(&[&growing], &|_| ()).unwrap();
    assert_eq!(fixture.requests(), ["a.txt:1 x"]);
    fixture.take_in();
    assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 later"]);
}

#[test]
fn an_unended_line_does_not_count_in_a_list_that_grows_while_it_is_read() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny_");
    let growing = Growing(fixture.lists(), fixture.file("a.txt"));
    fixture.take_in_from(&[&growing], &|_| ()).unwrap();
    assert_eq!(fixture.requests(), ["a.txt:1 x"]);
    fixture.take_in();
    assert_eq!(fixture.requests(), ["a.txt:1 x", "a.txt:2 y_later"]);
}

fn set_modified(fixture: &Fixture, path: &str, at: Timestamp) {
    let file = File::options()
        .write(true)
        .open(fixture.file(path))
        .unwrap();
    let since_epoch = Duration::from_millis(at.ms().unsigned_abs());
    let modified: SystemTime = UNIX_EPOCH + since_epoch;
    file.set_modified(modified).unwrap();
}

#[test]
fn a_name_was_asked_for_when_its_list_was_modified_if_that_was_since_the_previous_intake() {
    let mut fixture = Fixture::new();
    fixture.zone = "Asia/Shanghai".parse().unwrap();
    let first = Timestamp::from_ms(4_102_358_400_000); // 2099-12-31T00:00:00Z
    fixture.clock.set(first);
    fixture.write("a.txt", "a\n");
    set_modified(&fixture, "a.txt", first.plus_ms(-HOUR));
    fixture.take_in();
    fixture.write("b.txt", "b\n");
    set_modified(&fixture, "b.txt", first.plus_ms(-HOUR));
    fixture.write("c.txt", "c\n");
    set_modified(&fixture, "c.txt", first.plus_ms(HOUR));
    fixture.write("d.txt", "d\n");
    set_modified(&fixture, "d.txt", first.plus_ms(48 * HOUR));
    fixture.clock.set(first.plus_ms(24 * HOUR));
    fixture.take_in();
    assert_eq!(
        fixture.ask("SELECT name || ' ' || requested_at_local FROM requests ORDER BY request"),
        [
            "a 2099-12-31T08:00:00.000+08:00",
            "b 2100-01-01T08:00:00.000+08:00",
            "c 2099-12-31T09:00:00.000+08:00",
            "d 2100-01-01T08:00:00.000+08:00"
        ]
    );
    assert_eq!(
        fixture.ask("SELECT month || ' ' || requested FROM month_summary ORDER BY month"),
        ["2099-12 2", "2100-01 2"]
    );
    assert_eq!(
        fixture.ask(
            "SELECT list || ' ' || loaded_at_local FROM loaded_lists WHERE list LIKE '%c.txt'"
        ),
        ["object_lists/c.txt 2100-01-01T08:00:00.000+08:00"]
    );
    fixture.assert_books_agree();
}
