use proptest::prelude::*;
use rusqlite::types::Value;

use super::*;
use crate::ledger::fixture::{Fixture, failed, ignored, photos, synced};
use crate::model::FailureCause;

/// Everything that must read the same before and after.
fn figures(ledger: &Ledger) -> Vec<Vec<String>> {
    let queries = [
        "SELECT * FROM books",
        "SELECT * FROM month_summary",
        "SELECT * FROM day_summary",
        "SELECT * FROM month_close",
        "SELECT * FROM run_history ORDER BY run",
        "SELECT * FROM request_bill_days",
        "SELECT * FROM loaded_lists ORDER BY list",
        "SELECT * FROM pending_requests ORDER BY request",
        "SELECT * FROM failed_requests WHERE carried_over = 1 ORDER BY request",
        "SELECT * FROM last_copy",
        "SELECT * FROM task",
    ];
    queries.iter().map(|query| rows(ledger, query)).collect()
}

fn rows(ledger: &Ledger, query: &str) -> Vec<String> {
    let mut statement = ledger.connection.prepare(query).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells: Vec<Value> = (0..columns).map(|index| row.get(index).unwrap()).collect();
        Ok(format!("{cells:?}"))
    });
    rows.unwrap().map(rusqlite::Result::unwrap).collect()
}

/// A night in which `outcome` chooses what becomes of each name; 0 leaves it.
fn night(fixture: &mut Fixture, when: &str, outcomes: &[(&str, u8)]) -> RunKey {
    let night = fixture.begin(when);
    for &(name, outcome) in outcomes {
        match outcome {
            1 => fixture.settle(&night, synced(name, when, 7)),
            2 => fixture.settle(&night, ignored(name, when, 7)),
            3 => {
                let missing = FailureCause::SourceMissing;
                fixture.settle(&night, failed(name, when, missing, "NoSuchKey", 404));
            }
            4 => {
                let slow = FailureCause::Throttled;
                fixture.settle(&night, failed(name, when, slow, "SlowDown", 503));
            }
            _ => {}
        }
    }
    fixture.end(&night, when, 0, "done")
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// Three months with a night each; all lists are written.
fn three_months() -> Fixture {
    let mut fixture = Fixture::new("Asia/Shanghai");
    for number in 8..11 {
        let asked = format!("2026-{number:02}-05T12:00:00Z");
        let names = ["a", "b", "c", "d", "a"];
        fixture.ask(&format!("object_lists/{number}.txt"), &asked, &names[..]);
        fixture.reject(&format!("object_lists/{number}.txt"), 6, "nul", "x");
        let when = format!("2026-{number:02}-06T01:00:00Z");
        let outcomes = [("a", 1), ("b", 2), ("c", 3), ("d", 1)];
        let run = night(&mut fixture, &when, &outcomes);
        fixture.ledger.note_listed(run).unwrap();
    }
    fixture
}

#[test]
fn detail_of_past_months_goes_and_every_figure_stays() {
    let mut fixture = three_months();
    let before = figures(&fixture.ledger);
    assert_eq!(fixture.ledger.prunable(month("2026-10")).unwrap(), 10);
    let pruned = fixture.ledger.prune(month("2026-10")).unwrap();
    assert_eq!((pruned.requests, pruned.rejected), (10, 2));
    assert_eq!(figures(&fixture.ledger), before);
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
    assert_eq!(rows(&fixture.ledger, "SELECT * FROM requests").len(), 5);
    assert_eq!(
        rows(&fixture.ledger, "SELECT * FROM object_history").len(),
        5
    );
    assert_eq!(
        rows(&fixture.ledger, "SELECT * FROM rejected_lines").len(),
        1
    );
    let run = |number| {
        fixture
            .ledger
            .run_numbered(&photos(), number)
            .unwrap()
            .unwrap()
    };
    assert!(fixture.ledger.is_pruned(run(1)).unwrap());
    assert!(!fixture.ledger.is_pruned(run(3)).unwrap());
    let said = fixture.ledger.pruned_before(&photos()).unwrap();
    assert_eq!(said.as_deref(), Some("2026-10"));
    assert_eq!(
        fixture.ledger.prune(month("2026-10")).unwrap(),
        Pruned::default()
    );
}

#[test]
fn what_was_falsified_is_found_behind_a_prune_too() {
    let mut fixture = three_months();
    fixture.ledger.prune(month("2026-10")).unwrap();
    for falsify in [
        "UPDATE pruned_count SET requests = requests + 1 WHERE kind = 'synced'",
        "UPDATE pruned_run SET failed = failed + 1 WHERE run = 1",
        "DELETE FROM pruned_count WHERE kind = 'ignored'",
    ] {
        let savepoint = fixture.ledger.connection.savepoint().unwrap();
        savepoint.execute(falsify, []).unwrap();
        savepoint.commit().unwrap();
        assert_ne!(fixture.ledger.check().unwrap(), [""; 0], "{falsify}");
    }
}

#[test]
fn what_a_coming_night_needs_stays() {
    let mut fixture = Fixture::new("UTC");
    let asked = "2026-08-01T00:00:00Z";
    fixture.ask("object_lists/a.txt", asked, &["left", "slow", "unlisted"]);
    let run = night(&mut fixture, "2026-08-02T00:00:00Z", &[("slow", 4)]);
    fixture.ledger.note_listed(run).unwrap();
    // Its lists are not written.
    night(&mut fixture, "2026-08-02T01:00:00Z", &[("unlisted", 1)]);
    // Written, but not delivered.
    fixture.ask("object_lists/b.txt", asked, &["owed"]);
    let owing = night(&mut fixture, "2026-08-02T02:00:00Z", &[("owed", 1)]);
    fixture.ledger.note_listed(owing).unwrap();
    let list = Deliverable {
        path: "success_object_lists/x.txt".to_owned(),
        run: Some(owing),
        lines: 1,
        bytes: 1,
        sha256: "00".to_owned(),
        etag: None,
    };
    fixture.ledger.owe(fixture.task, &list).unwrap();
    fixture.ask("object_lists/c.txt", asked, &["newest"]);
    let newest = night(&mut fixture, "2026-08-02T03:00:00Z", &[("newest", 1)]);
    fixture.ledger.note_listed(newest).unwrap();
    assert_eq!(
        fixture.ledger.prune(month("2026-10")).unwrap(),
        Pruned::default()
    );
    assert_eq!(rows(&fixture.ledger, "SELECT * FROM requests").len(), 5);
}

#[test]
fn a_request_settled_at_midnight_belongs_to_its_own_clocks_month() {
    let mut fixture = Fixture::new("Asia/Shanghai");
    fixture.ask(
        "object_lists/a.txt",
        "2026-08-01T00:00:00Z",
        &["july", "august", "z"],
    );
    // 23:59:59 of July and 00:00 of August in Shanghai.
    for (name, when) in [
        ("july", "2026-08-31T15:59:59Z"),
        ("august", "2026-08-31T16:00:00Z"),
        ("z", "2026-08-31T16:00:01Z"),
    ] {
        let run = night(&mut fixture, when, &[(name, 1)]);
        fixture.ledger.note_listed(run).unwrap();
    }
    assert_eq!(fixture.ledger.prune(month("2026-09")).unwrap().requests, 1);
    assert_eq!(rows(&fixture.ledger, "SELECT name FROM requests").len(), 2);
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
}

#[test]
fn numbers_are_not_given_away_a_second_time() {
    let mut fixture = three_months();
    fixture.ledger.prune(month("2027-01")).unwrap();
    fixture.ask("object_lists/new.txt", "2026-11-01T00:00:00Z", &["new"]);
    let requests = rows(
        &fixture.ledger,
        "SELECT request FROM requests ORDER BY request",
    );
    assert_eq!(requests, ["[Integer(15)]", "[Integer(16)]"]);
}

#[test]
fn room_is_given_back() {
    let mut fixture = Fixture::new("UTC");
    let names: Vec<String> = (0..20_000)
        .map(|n| format!("{n:05}-{}", "n".repeat(60)))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fixture.ask("object_lists/a.txt", "2026-08-01T00:00:00Z", &names);
    fixture.ledger.withdraw_all("2026-08-02");
    let pages = |ledger: &Ledger| -> i64 {
        let connection = &ledger.connection;
        connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap()
    };
    let before = pages(&fixture.ledger);
    assert_eq!(
        fixture.ledger.prune(month("2026-10")).unwrap().requests,
        19_999
    );
    assert!(pages(&fixture.ledger) * 10 < before, "{before}");
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
}

impl Ledger {
    /// Settles everything as withdrawn at noon of `day`.
    fn withdraw_all(&mut self, day: &str) {
        self.write(|transaction| {
            let requests = transaction.execute(
                "UPDATE request SET state = 'ignored', reason = 'withdrawn',
                     settled_at = strftime('%s', ?1) * 1000, settled_offset = 0",
                [day],
            )?;
            transaction.execute(
                "INSERT INTO day_count VALUES (1, ?1, 'ignored', 'withdrawn', ?2, 0)",
                params![day, requests],
            )?;
            transaction.execute("DELETE FROM pending_count", [])?;
            transaction.execute(
                "INSERT INTO slot_count VALUES (1, 'ignored', strftime('%s', ?1) * 1000, ?2, 0)",
                params![day, requests],
            )?;
            transaction.execute("UPDATE task SET ignored = ?1", [requests])
        })
        .unwrap();
    }
}

/// One step of a history: names to ask for, and what a night does about each.
type Step = (Vec<u8>, Vec<u8>, bool, bool);

fn history() -> impl Strategy<Value = Vec<Step>> {
    let names = prop::collection::vec(0..6_u8, 0..6);
    let outcomes = prop::collection::vec(0..5_u8, 6);
    let step = (names, outcomes, prop::bool::weighted(0.8), any::<bool>());
    prop::collection::vec(step, 1..10)
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Plays a history, two steps a month from January 2026 on.
fn play(fixture: &mut Fixture, first: usize, steps: &[Step]) {
    for (index, (names, outcomes, listed, withdrawn)) in steps.iter().enumerate() {
        let index = first + index;
        let (month, day) = (1 + index / 2, 1 + 14 * (index % 2));
        let asked = format!("2026-{month:02}-{day:02}T10:00:00Z");
        let names: Vec<&str> = names.iter().map(|&n| NAMES[usize::from(n)]).collect();
        fixture.ask(&format!("object_lists/{index}.txt"), &asked, &names);
        if *withdrawn {
            fixture.withdraw("a", &asked);
        }
        let outcomes: Vec<(&str, u8)> = NAMES.into_iter().zip(outcomes.iter().copied()).collect();
        let when = format!("2026-{month:02}-{day:02}T20:00:00Z");
        let run = night(fixture, &when, &outcomes);
        if *listed {
            fixture.ledger.note_listed(run).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_history_shows_that_it_was_pruned(
        past in history(),
        months in prop::collection::vec(1..8_u8, 1..3),
        coming in history(),
    ) {
        let mut pruned = Fixture::new("Asia/Shanghai");
        let mut whole = Fixture::new("Asia/Shanghai");
        play(&mut pruned, 0, &past);
        play(&mut whole, 0, &past);
        for before in months {
            let before = month(&format!("2026-{before:02}"));
            let expected = pruned.ledger.prunable(before).unwrap();
            prop_assert_eq!(pruned.ledger.prune(before).unwrap().requests, expected);
            prop_assert_eq!(figures(&pruned.ledger), figures(&whole.ledger));
            prop_assert_eq!(pruned.ledger.check().unwrap(), Vec::<String>::new());
        }
        // Nor do the nights that follow.
        play(&mut pruned, 10, &coming);
        play(&mut whole, 10, &coming);
        let without_ids = |ledger: &Ledger| {
            let mut figures = figures(ledger);
            figures.remove(4);
            figures
        };
        prop_assert_eq!(without_ids(&pruned.ledger), without_ids(&whole.ledger));
        prop_assert_eq!(pruned.ledger.check().unwrap(), Vec::<String>::new());
    }
}
