//! What is expected of a task, and what is borne: `expect_list_within`, `tolerate`.

use rusqlite::Connection;

use super::Harbour;

const EXPECTING: &str = "expect_list_within = \"26h\"";

/// Puts all that the ledger knows of the feed of `photos` so many hours into the past.
fn age(harbour: &Harbour, hours: i64) {
    let ledger = Connection::open(harbour.data_dir().join("ledger.sqlite")).unwrap();
    let ms = hours * 3_600_000;
    let moved = ledger.execute(
        "UPDATE task SET last_requested_at = last_requested_at - ?1,
             entered_at = entered_at - ?1, resumed_at = resumed_at - ?1",
        [ms],
    );
    assert_eq!(moved.unwrap(), 1);
}

fn reasons(harbour: &Harbour) -> Vec<String> {
    harbour.rows("SELECT exit_code, exit_reasons FROM run_history ORDER BY run")
}

#[test]
fn a_night_after_a_feed_that_died_is_not_good_though_there_was_nothing_to_do() {
    let harbour = Harbour::with("", EXPECTING);
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    age(&harbour, 25);
    assert_eq!(harbour.night().code, 0);
    assert!(!harbour.run(&["status"]).stdout.contains("No list"));
    age(&harbour, 2);
    let status = harbour.run(&["status"]).stdout;
    assert!(status.contains("  No list for"), "{status}");
    let end = harbour.night();
    assert_eq!(end.code, 4, "{end:?}");
    let said = "photos: no list has brought a name for 1 day, and one is expected within 1day 2h";
    assert!(end.stderr.contains(said), "{}", end.stderr);
    // What comes in now is carried, and all is well again.
    harbour.list("two.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        reasons(&harbour),
        ["0|done", "0|done", "4|no_list", "0|done"]
    );
}

#[test]
fn a_list_without_a_name_is_no_sign_of_a_feed_that_lives() {
    let harbour = Harbour::with("", EXPECTING);
    assert_eq!(harbour.night().code, 0);
    age(&harbour, 27);
    harbour.list("blank.txt", "\n\n");
    let end = harbour.night();
    assert_eq!(end.code, 4, "{end:?}");
    assert!(
        end.stderr.contains("no list has ever brought a name"),
        "{end:?}"
    );
}

#[test]
fn a_task_that_rests_or_takes_nothing_in_does_not_complain() {
    let harbour = Harbour::with("", EXPECTING);
    assert_eq!(harbour.night().code, 0);
    age(&harbour, 27);
    assert_eq!(harbour.run(&["run", "--settle-only"]).code, 0);
    assert_eq!(harbour.run(&["pause", "--task", "photos"]).code, 0);
    assert_eq!(harbour.night().code, 0);
    assert!(!harbour.run(&["status"]).stdout.contains("No list"));
    assert_eq!(harbour.run(&["resume", "--task", "photos"]).code, 0);
    // It has a whole such time from here on.
    assert_eq!(harbour.night().code, 0);
    age(&harbour, 27);
    assert_eq!(harbour.night().code, 4);
}

const TOLERATED: &str = "SELECT failed, tolerated, exit_reasons
    FROM tolerated_failures JOIN run_history USING (task, run, failed) ORDER BY run";

#[test]
fn tolerated_failures_are_failed_and_do_not_count_for_the_exit_code() {
    let harbour = Harbour::with("", "tolerate = [\"source_missing\"]");
    harbour.put("a", "1");
    harbour.list("one.txt", "a\ngone\nlost\n");
    let end = harbour.night();
    assert_eq!(end.code, 0, "{end:?}");
    let said = "1 synced + 2 failed";
    assert!(end.stdout.contains(said), "{}", end.stdout);
    let said = "  2 of the failed tolerated: source_missing\n";
    assert!(end.stdout.contains(said), "{}", end.stdout);
    assert_eq!(harbour.list_of(1, "failed").len(), 2);
    assert_eq!(harbour.rows("SELECT failed, balanced FROM books"), ["2|1"]);
    let runs = harbour.run(&["runs"]).stdout;
    assert!(
        runs.contains("photos, run 1: 2 of 2 failed tolerated\n"),
        "{runs}"
    );
    // Others still count, beside them.
    harbour.list("two.txt", "gone\na/../b\n");
    assert_eq!(harbour.night().code, 4);
    assert_eq!(harbour.rows(TOLERATED), ["2|2|done", "1|1|rejected"]);
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
    // A rebuilt ledger knows it too, and judges the last run by what is tolerated now.
    let rebuilt = harbour.run(&["ledger", "rebuild", "--replace"]);
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    assert_eq!(harbour.rows(TOLERATED), ["2|2|done", "1|1|rejected"]);
    let loaded = harbour.rows("SELECT max(loaded_at) FROM loaded_lists");
    assert_eq!(harbour.rows("SELECT last_requested_at FROM task"), loaded);
}

#[test]
fn a_rehearsal_tolerates_what_the_night_will() {
    let harbour = Harbour::with("", "tolerate = [\"source_missing\"]");
    harbour.list("one.txt", "gone\n");
    let end = harbour.run(&["run", "--dry-run"]);
    assert_eq!(end.code, 0, "{end:?}");
    assert!(end.stdout.contains("1 would fail"), "{end:?}");
}
