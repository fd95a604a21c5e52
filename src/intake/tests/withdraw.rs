//! Requests taken back, in the ledger that the intake filled.

use super::*;
use crate::ledger::Selection;
use crate::model::ObjectName;

fn withdraw(fixture: &mut Fixture, selection: Selection<'_>) -> u64 {
    let now = fixture.zone.local(fixture.clock.now());
    fixture
        .ledger
        .withdraw(fixture.task, selection, now)
        .unwrap()
}

fn states(fixture: &Fixture) -> Vec<String> {
    fixture.ask(
        "SELECT name || ' ' || state || ' ' || coalesce(reason, '') FROM requests ORDER BY request",
    )
}

#[test]
fn pending_requests_of_a_list_are_withdrawn_and_counted() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny\n");
    fixture.write("b.txt", "x\n");
    fixture.take_in();
    assert_eq!(
        withdraw(&mut fixture, Selection::List("object_lists/a.txt")),
        2
    );
    assert_eq!(
        withdraw(&mut fixture, Selection::List("object_lists/a.txt")),
        0
    );
    assert_eq!(
        withdraw(&mut fixture, Selection::List("object_lists/c.txt")),
        0
    );
    assert_eq!(
        states(&fixture),
        ["x ignored withdrawn", "y ignored withdrawn", "x pending "]
    );
    assert_eq!(
        fixture.ask(
            "SELECT requested || ' ' || ignored || ' ' || pending || ' ' || balanced FROM books"
        ),
        ["3 2 1 1"]
    );
    assert_eq!(
        fixture
            .ask("SELECT day || ' ' || requested || ' ' || ignored FROM day_summary")
            .len(),
        1
    );
    assert_eq!(fixture.take_in().requests, 0);
}

#[test]
fn pending_requests_for_a_name_are_withdrawn_wherever_they_came_from() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\ny\nx\n");
    fixture.write("b.txt", "x\n");
    fixture.take_in();
    let name = ObjectName::new("x").unwrap();
    assert_eq!(withdraw(&mut fixture, Selection::Name(&name)), 3);
    assert_eq!(
        states(&fixture),
        [
            "x ignored withdrawn",
            "y pending ",
            "x ignored withdrawn",
            "x ignored withdrawn"
        ]
    );
    fixture.assert_books_agree();
}

#[test]
fn a_great_list_is_withdrawn_whole() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n".repeat(45_000));
    fixture.write("b.txt", "x\n");
    fixture.take_in();
    assert_eq!(
        withdraw(&mut fixture, Selection::List("object_lists/a.txt")),
        45_000
    );
    assert_eq!(
        fixture.ask("SELECT ignored || ' ' || pending || ' ' || balanced FROM books"),
        ["45000 1 1"]
    );
    fixture.assert_books_agree();
}
