//! What a dry run shows.

use super::*;

fn scanned(fixture: &Fixture, ledger: Option<&Ledger>) -> (Vec<String>, Scan) {
    let lists = fixture.lists();
    let settings = IntakeSettings {
        form: fixture.encoding.into(),
        zone: fixture.zone,
        clock: &fixture.clock,
        wait: &|_| panic!("nothing to wait for"),
    };
    let mut names = Vec::new();
    let ledger = ledger.map(|ledger| (ledger, fixture.task));
    let scan = scan(ledger, &[&lists], &settings, |name| {
        names.push(name.to_string());
    })
    .unwrap();
    (names, scan)
}

#[test]
fn a_scan_names_what_an_intake_would_load_and_writes_nothing() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "a\nb\n");
    fixture.write("m.txt", "m\n");
    let (names, scan) = scanned(&fixture, None);
    assert_eq!(names, ["a", "b", "m"]);
    assert_eq!((scan.seen.lists, scan.requests, scan.rejected), (2, 3, 0));
    fixture.take_in();
    fixture.append("a.txt", "c\n.\nd");
    fs::remove_file(fixture.file("m.txt")).unwrap();
    // Both begin with what is gone, but one list cannot have become two.
    fixture.write("n.txt", "m\n1\n");
    fixture.write("o.txt", "m\n2\n");
    let before = fs::read(fixture.ledger.path()).unwrap();
    let reader = fixture.ledger.reader().unwrap();
    let (names, scan) = scanned(&fixture, Some(&reader));
    assert_eq!(names, ["c", "d", "1", "m", "2"]);
    assert_eq!((scan.requests, scan.rejected), (5, 1));
    assert_eq!(fs::read(fixture.ledger.path()).unwrap(), before);
    assert_eq!(fixture.take_in().requests, 5);
    assert_eq!(scanned(&fixture, Some(&reader)).0, [""; 0]);
}
