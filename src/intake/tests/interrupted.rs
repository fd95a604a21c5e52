//! Intakes that end early.

use super::*;

const LINES: usize = 230_000;

fn long_list() -> String {
    (1..=LINES).fold(String::new(), |list, number| list + &format!("{number}\n"))
}

fn assert_every_line_once(fixture: &Fixture) {
    let exact = "SELECT count(*) || ' ' || min(line) || ' ' || max(line) || ' '
                     || count(DISTINCT line) || ' ' || total(name <> line) || ' '
                     || total(request <> line)
                 FROM request";
    let expected = format!("{LINES} 1 {LINES} {LINES} 0.0 0.0");
    assert_eq!(fixture.ask(exact), [expected]);
    assert_eq!(fixture.loaded(), [format!("a.txt {LINES} {LINES} 0")]);
    fixture.assert_books_agree();
}

#[test]
fn an_intake_stopped_between_parts_loses_and_doubles_nothing() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", long_list());
    fixture.write("b.txt", "");
    let fail = "CREATE TRIGGER fail BEFORE INSERT ON request WHEN NEW.line = 220000
                BEGIN SELECT RAISE(ABORT, 'no more today'); END";
    fixture.sql().execute_batch(fail).unwrap();
    let lists = fixture.lists();
    let error = fixture.take_in_from(&[&lists], &|_| ()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("object_lists/a.txt was not loaded to its end: the ledger"),
        "{text}"
    );
    assert_eq!(fixture.loaded(), ["a.txt 200000 200000 0"]);
    assert_eq!(
        fixture.ask("SELECT id FROM task WHERE last_intake_at IS NOT NULL"),
        [""; 0]
    );
    fixture.assert_books_agree();
    fixture.sql().execute_batch("DROP TRIGGER fail").unwrap();
    fs::remove_file(fixture.file("b.txt")).unwrap();
    assert_eq!(fixture.take_in().requests, 30_000);
    assert_every_line_once(&fixture);
}

#[test]
fn a_list_that_breaks_off_while_it_is_read_goes_on_where_it_was_committed() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", long_list());
    let lists = Failing {
        lists: fixture.lists(),
        path: "object_lists/a.txt",
        after: 900_000,
    };
    let intake = fixture.take_in_from(&[&lists], &|_| ()).unwrap();
    assert_eq!((intake.seen.problems.len(), intake.requests), (1, 100_000));
    assert_eq!(fixture.take_in().requests, 130_000);
    assert_every_line_once(&fixture);
}

#[test]
fn a_list_cut_short_while_it_is_read_is_loaded_as_far_as_it_goes() {
    struct Cut(LocalLists);
    impl ListSource for Cut {
        fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
            self.0.walk()
        }
        fn stat(&self, path: &str) -> io::Result<Stat> {
            self.0.stat(path)
        }
        fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
            let (mut stat, content) = self.0.open(path)?;
            stat.size += 10;
            stat.fingerprint += "before";
            Ok((stat, content))
        }
    }
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\nunend");
    let cut = Cut(fixture.lists());
    fixture.take_in_from(&[&cut], &|_| ()).unwrap();
    assert_eq!(fixture.requests(), ["a.txt:1 x"]);
    assert_eq!(fixture.take_in().requests, 1);
}
