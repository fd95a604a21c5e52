//! `retry`, and the books after it.

use std::fs::File;

use super::Harbour;
use crate::s3_server::Fault;

/// After a night in which `slow` and `full` failed at the destination and `gone`
/// was missing; `good` arrived.
fn failed_night() -> Harbour {
    let harbour = Harbour::with("[retry]\nattempts = 1", "");
    for name in ["slow", "full", "good"] {
        harbour.put(name, "1");
    }
    harbour.list("one.txt", "slow\nfull\ngood\ngone\n");
    for (key, fault) in [
        ("slow", Fault::answer(503, "SlowDown")),
        ("full", Fault::answer(507, "XMinioStorageFull")),
    ] {
        harbour.server.on(fault.operation("PutObject").key(key));
    }
    assert_eq!(harbour.night().code, 4);
    assert_eq!(harbour.runs(), ["4|1|3|0|0|4"]);
    harbour
}

fn retry(harbour: &Harbour, arguments: &[&str]) -> (i32, String, String) {
    let end = harbour.run(&[&["retry"], arguments].concat());
    (end.code, end.stdout, end.stderr)
}

fn pending(harbour: &Harbour) -> Vec<String> {
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
    harbour.rows("SELECT name, attempts, last_cause FROM pending_requests ORDER BY request")
}

#[test]
fn failed_requests_are_taken_up_by_task_cause_run_and_name() {
    for (arguments, retried) in [
        (
            &["--all"][..],
            &[
                "slow|1|throttled",
                "full|1|destination_full",
                "gone|1|source_missing",
            ][..],
        ),
        (
            &["--task", "photos"],
            &[
                "slow|1|throttled",
                "full|1|destination_full",
                "gone|1|source_missing",
            ],
        ),
        (
            &["--run", "1", "--cause", "source_missing"],
            &["gone|1|source_missing"],
        ),
        (
            &["--cause", "destination_full"],
            &["full|1|destination_full"],
        ),
        (&["--cause", "integrity"], &[]),
        (
            &["--task", "photos", "--name", "slow"],
            &["slow|1|throttled"],
        ),
        (&["--name", "good"], &[]),
        (&["--name", "never heard of"], &[]),
    ] {
        let harbour = failed_night();
        let plural = if retried.len() == 1 { "" } else { "s" };
        let said = format!("photos: {} request{plural} pending again\n", retried.len());
        let (code, stdout, stderr) = retry(&harbour, arguments);
        assert_eq!((code, stdout), (0, said), "{arguments:?}");
        let says_none = stderr.contains("that fits has failed");
        let is_wanted = retried.is_empty() && arguments.contains(&"--name");
        assert_eq!(says_none, is_wanted, "{arguments:?} {stderr}");
        assert_eq!(pending(&harbour), retried, "{arguments:?}");
    }
}

#[test]
fn a_final_failure_that_is_retried_arrives_once_its_cause_is_gone() {
    let harbour = failed_night();
    harbour.server.clear_faults();
    // Without being asked the next night takes up only what may pass by itself.
    harbour.put("gone", "1");
    assert_eq!(retry(&harbour, &["--cause", "source_missing"]).0, 0);
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|4|1|2|0|1|1"]);
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.copies(), ["full", "gone", "good", "slow"]);
    assert_eq!(harbour.rows("SELECT * FROM books"), ["photos|4|4|0|0|0|1"]);
    assert_eq!(
        harbour.rows("SELECT run, outcome, reason FROM object_history WHERE name = 'gone'"),
        ["1|failed|source_missing", "2|synced|"]
    );
    assert_eq!(pending(&harbour), [""; 0]);
}

#[test]
fn nothing_is_retried_unless_it_is_said_what() {
    let harbour = failed_night();
    let (code, stdout, stderr) = retry(&harbour, &[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("--all"), "{stderr}");
    for (arguments, said) in [
        (
            &["--run", "7"][..],
            "nightferry: task `photos` has no run 7; `nightferry runs` shows them\n",
        ),
        (&["--task", "nobody"], "has no task `nobody`"),
        (&["--cause", "bad_luck"], "bad_luck"),
        (&["--all", "--run", "1"], "cannot be used with"),
        (&["--name", "a/../b"], "no object can have that name"),
    ] {
        let (code, stdout, stderr) = retry(&harbour, arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    assert_eq!(pending(&harbour), [""; 0]);
}

#[test]
fn nothing_is_retried_beside_a_run() {
    let harbour = failed_night();
    let lock = harbour.data_dir().join("locks/photos.lock");
    let held = File::open(&lock).unwrap_or_else(|error| panic!("{}: {error}", lock.display()));
    held.lock().unwrap();
    let (code, stdout, stderr) = retry(&harbour, &["--all"]);
    assert_eq!((code, stdout.as_str()), (5, ""), "{stderr}");
    drop(held);
    assert_eq!(retry(&harbour, &["--all"]).0, 0);
}

#[test]
fn failures_of_a_run_that_never_was_are_a_wrong_question() {
    let harbour = failed_night();
    assert_eq!(harbour.run(&["failed", "--run", "1"]).code, 0);
    let end = harbour.run(&["failed", "--run", "77"]);
    assert_eq!(
        (end.code, end.stdout.as_str(), end.stderr.as_str()),
        (
            2,
            "",
            "nightferry: task `photos` has no run 77; `nightferry runs` shows them\n"
        )
    );
}
