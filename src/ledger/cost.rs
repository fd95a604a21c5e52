//! What a run costs does not depend on how many nights went before it.
//!
//! SQLite counts the steps of its virtual machine while a night does all that
//! `run` asks of the ledger, on a young ledger and on an old one. A statement
//! that walks through what is past shows at once, whatever its plan looks like.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fixture::{Fixture, failed, photos, synced};
use super::{
    Counted, Deliverable, Delivery, Failures, Filter, ListPlace, LoadedPart, SLOT_MS, Stretch, View,
};
use crate::model::{FailureCause, Month, ObjectName, RequestState, Tuning};

/// When the night of which the cost is asked begins.
const TONIGHT: &str = "2026-11-22T01:00:00Z";

/// Names of a night.
const NAMES: usize = 1_000;

/// So many nights before tonight, of so many requests each: of ten one failed
/// for good, the others were copied. Lists are delivered, months are closed.
fn past(fixture: &mut Fixture, nights: i64, requests: i64) {
    fixture
        .ledger
        .write(|ledger| {
            ledger.execute_batch(&format!(
                "CREATE TEMP TABLE night AS
                 WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {nights})
                 SELECT n, 1795309200000 - ({nights} - n + 1) * 86400000 AS at FROM n;
                 CREATE TEMP TABLE asked AS
                 WITH RECURSIVE k (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM k WHERE k < {requests} - 1)
                 SELECT (n - 1) * {requests} + k + 1 AS request, n, k, at,
                        printf('past/%05d/%07d.jpg', k % 997, (n - 1) * {requests} + k) AS name
                 FROM night, k;"
            ))?;
            ledger.execute_batch(PAST)?;
            ledger.execute(include_str!("../../sql/statements/rebuild_slots.sql"), [1])
        })
        .unwrap();
}

const PAST: &str = "
    INSERT INTO list (task, path, first_line_sha256, sha256, loaded_bytes, lines, requests,
                      rejected, loaded_at, loaded_offset, zone)
    SELECT 1, printf('object_lists/past-%d.txt', n), printf('%064d', n), printf('%064d', n), 100,
           1, 1, 0, at - 3600000, 0, 'UTC' FROM night;
    INSERT INTO run (task, number, run_id, run_name, state, zone, started_at, started_offset,
                     ended_at, ended_offset, taken_through, taken, synced, failed, deferred,
                     synced_bytes, listed, exit_code, exit_reasons)
    SELECT 1, n, printf('%024x', n), printf('past_%d', n), 'ended', 'UTC', at, 0, at + 60000, 0,
           max(request), count(*), sum(k % 10 <> 0), sum(k % 10 = 0), 0, 7 * sum(k % 10 <> 0), 1,
           0, 'done' FROM asked GROUP BY n, at;
    INSERT INTO request (request, task, name, list, line, requested_at, requested_offset, state,
                         reason, settled_at, settled_offset, run, attempts, size_bytes, last_cause,
                         first_failed_day)
    SELECT request, 1, name, n, k + 1, at, 0, iif(k % 10, 'synced', 'failed'),
           iif(k % 10, NULL, 'source_missing'), at + 1000, 0, n, 1, iif(k % 10, 7, NULL),
           iif(k % 10, NULL, 'source_missing'), iif(k % 10, NULL, at / 86400000) FROM asked;
    INSERT INTO attempt (request, run, attempt, at, offset_minutes, outcome, reason, source_etag,
                         source_size_bytes, source_modified_at, copy_etag, verified, duration_ms)
    SELECT request, n, 1, at + 1000, 0, iif(k % 10, 'synced', 'failed'),
           iif(k % 10, NULL, 'source_missing'), '5e', 7, at, 'c0', 'etag_md5', 5 FROM asked;
    INSERT INTO last_copy SELECT 1, name, '5e', 'c0', '' FROM asked WHERE k % 10;
    INSERT INTO day_count
    SELECT 1, date(at / 1000, 'unixepoch'), 'requested', '', count(*), 0 FROM asked GROUP BY 2;
    INSERT INTO day_count
    SELECT 1, date(at / 1000, 'unixepoch'), 'synced', '', count(*), 7 * count(*) FROM asked
    WHERE k % 10 GROUP BY 2;
    INSERT INTO day_count
    SELECT 1, date(at / 1000, 'unixepoch'), 'failed', 'source_missing', count(*), 0 FROM asked
    WHERE k % 10 = 0 GROUP BY 2;
    UPDATE task SET requested = (SELECT count(*) FROM asked),
                    synced = (SELECT count(*) FROM asked WHERE k % 10),
                    failed = (SELECT count(*) FROM asked WHERE k % 10 = 0);
    INSERT INTO month_closed
    SELECT 1, month, 0, requested, synced, failed, ignored, synced_bytes FROM month_summary
    WHERE month < '2026-11';
    INSERT INTO delivery (task, path, run, lines, bytes, sha256, state)
    SELECT 1, printf('success_object_lists/past_%d', n), n, 1, 1, '', 'delivered' FROM night
    UNION ALL
    SELECT 1, printf('manifests/past_%d.manifest.json', n), n, 1, 1, '', 'delivered' FROM night
    UNION ALL
    SELECT 1, printf('object_lists/past-%d.txt', n), NULL, 1, 1, printf('%064d', n), 'delivered'
    FROM night;
    INSERT INTO traffic
    SELECT n, side, date(at / 1000, 'unixepoch'), 1, 0, 50, 50, 0, 0, 0, 0, 0, 350, 350
    FROM night, (SELECT 'source' AS side UNION ALL SELECT 'destination');
    INSERT INTO tuning (run, at, offset_minutes, setting, old_value, new_value)
    SELECT n, at, 0, 'workers', 64, 16 FROM night;
    DROP TABLE temp.asked;
    DROP TABLE temp.night;";

/// All that a run of one task asks of the ledger, in its order.
fn night(fixture: &mut Fixture) {
    let now = fixture.zone.local(super::fixture::at(TONIGHT));
    let (task, zone) = (fixture.task, fixture.zone);
    fixture.ledger.enter_task(&photos(), zone, 7, now).unwrap();
    fixture.ledger.interrupt_runs(task, now).unwrap();
    load(fixture);
    let night = fixture.begin(TONIGHT);
    fixture.ledger.pending_count(task).unwrap();
    fixture.ledger.note_rejected(night.run.key, 0).unwrap();
    fixture.ledger.past_runs(&photos(), None, 60).unwrap();
    let start = fixture
        .ledger
        .resume_name(task)
        .unwrap()
        .unwrap_or_default();
    let stretch = Stretch::From(&start);
    let names = fixture
        .ledger
        .next_names(task, i64::MAX, &stretch, NAMES)
        .unwrap();
    assert_eq!(names.len(), NAMES);
    for (index, queued) in names.iter().enumerate() {
        let name = queued.name.as_str();
        fixture.settle(
            &night,
            if index % 10 == 0 {
                failed(name, TONIGHT, FailureCause::SourceMissing, "NoSuchKey", 404)
            } else {
                synced(name, TONIGHT, 7)
            },
        );
    }
    change(fixture);
    let run = fixture.end(&night, TONIGHT, 4, "failed");
    fixture.ledger.run_books(run).unwrap();
    fixture.ledger.recount_run(run).unwrap();
    assert!(fixture.ledger.task_balanced(task).unwrap());
    report(fixture, run);
    summarise(fixture);
    tell(fixture, run);
}

/// What its mail says, and that it is owed until it is taken.
fn tell(fixture: &mut Fixture, run: super::RunKey) {
    let task = photos();
    let past = &fixture.ledger.past_runs(&task, None, 1).unwrap()[0];
    let row = fixture.ledger.night_row(&task, past.number).unwrap();
    assert_eq!(row.unwrap().key, run);
    fixture.ledger.run_failures(run).unwrap();
    let compared = fixture.ledger.compare_failures(run).unwrap().unwrap();
    assert_eq!((compared.new, compared.recurring), (100, 0));
    let visit = |_: super::FailedName| Ok::<(), super::LedgerError>(());
    fixture.ledger.for_each_failed_name(run, 9, visit).unwrap();
    let mail = crate::model::Mail {
        id: "tonight".to_owned(),
        made: fixture.zone.local(super::fixture::at(TONIGHT)),
        subject: String::new(),
        text: String::new(),
        html: String::new(),
        attachment: None,
    };
    fixture.ledger.owe_mail(&mail).unwrap();
    let owed = fixture.ledger.next_owed_mail(None).unwrap().unwrap();
    fixture.ledger.forget_owed_mail(&owed.mail.id).unwrap();
    assert_eq!(fixture.ledger.owed_mails().unwrap(), (0, None));
}

/// What an operator changes of it, and how it learns of that.
fn change(fixture: &mut Fixture) {
    let now = fixture.zone.local(super::fixture::at(TONIGHT));
    let run = fixture.ledger.run_at_work(&photos()).unwrap().unwrap();
    let changes = [Tuning::Workers(4)];
    let made = fixture.ledger.tune(&run, None, &changes, now).unwrap();
    assert_eq!(made.unwrap().len(), 1);
    let seen = fixture.ledger.tunings_after(run.key, 0).unwrap();
    assert_eq!(seen.len(), 1);
}

/// The list of the night.
fn load(fixture: &mut Fixture) {
    let now = fixture.zone.local(super::fixture::at(TONIGHT));
    let ledger = &mut fixture.ledger;
    let path = "object_lists/tonight.txt";
    ledger.last_intake_at(fixture.task).unwrap();
    assert_eq!(ledger.current_list(fixture.task, path).unwrap(), None);
    assert!(
        ledger
            .lists_by_first_line(fixture.task, "new", 1 << 20)
            .unwrap()
            .is_empty()
    );
    let names: Vec<(u64, ObjectName)> = (1..=NAMES as u64)
        .map(|line| {
            (
                line,
                ObjectName::from_checked(format!("tonight/{line:05}.jpg")),
            )
        })
        .collect();
    let part = LoadedPart {
        path,
        first_line_sha256: "new",
        sha256: "new".to_owned(),
        loaded_bytes: 100,
        lines: NAMES as u64,
        requests: &names,
        rejected: &[],
        requested_at: now,
        loaded_at: now,
        zone: fixture.zone,
        fingerprint: None,
        current: None,
    };
    let list = ledger
        .load_list(fixture.task, ListPlace::New, &part)
        .unwrap()
        .unwrap();
    ledger.note_fingerprint(list, "1").unwrap();
    ledger.end_intake(fixture.task, now.at).unwrap();
}

/// Its lists, and their delivery.
fn report(fixture: &mut Fixture, run: super::RunKey) {
    let task = fixture.task;
    assert_eq!(fixture.ledger.unlisted_runs(task).unwrap(), [run]);
    fixture.ledger.ended_run(run).unwrap();
    assert!(!fixture.ledger.is_pruned(run).unwrap());
    let visit = |_: &super::Listed| Ok::<(), super::LedgerError>(());
    fixture.ledger.for_each_outcome(run, visit).unwrap();
    for path in [
        "success_object_lists/tonight",
        "manifests/tonight.manifest.json",
    ] {
        let list = Deliverable {
            path: path.to_owned(),
            run: Some(run),
            lines: 1,
            bytes: 1,
            sha256: "00".to_owned(),
            etag: None,
        };
        fixture.ledger.owe(task, &list).unwrap();
    }
    fixture.ledger.note_listed(run).unwrap();
    fixture.ledger.owe_input_lists(task).unwrap();
    let owed = fixture.ledger.owed(task).unwrap();
    assert_eq!(owed.len(), 3);
    for file in owed {
        assert!(fixture.ledger.may_be_delivered(task, &file).unwrap());
        let delivered = Delivery::Delivered {
            etag: "e".to_owned(),
            at: super::fixture::at(TONIGHT),
        };
        fixture
            .ledger
            .note_delivery(task, &file.path, &delivered)
            .unwrap();
    }
    assert!(!fixture.ledger.owes(task).unwrap());
}

/// What is printed at its end.
fn summarise(fixture: &Fixture) {
    let (ledger, task) = (&fixture.ledger, photos());
    let month: Month = "2026-11".parse().unwrap();
    ledger.known_tasks().unwrap();
    ledger.month_figures(&task, month).unwrap();
    ledger
        .month_reasons::<FailureCause>(&task, month, RequestState::Failed)
        .unwrap();
    ledger
        .month_reasons::<FailureCause>(&task, month, RequestState::Ignored)
        .unwrap();
    ledger.odd_names(&task, month).unwrap();
    ledger.pending(&task).unwrap();
    ledger.closed_month(&task, month).unwrap();
    let run = Filter {
        task: Some(&task),
        run: Some(1),
        ..Filter::default()
    };
    let visit = |_| Ok::<(), super::LedgerError>(());
    ledger
        .for_each_row(View::RunHistory, &["run"], &run, visit)
        .unwrap();
}

/// The failed requests of last night, shown and taken up again.
fn failed_last_night(fixture: &mut Fixture) {
    let (ledger, task, id) = (&mut fixture.ledger, fixture.task, photos());
    let last = ledger.ended_runs(&id).unwrap().last().unwrap().0;
    for task in [Some(&id), None] {
        let filter = Filter {
            task,
            run: Some(last),
            ..Filter::default()
        };
        let mut rows = 0;
        let visit = |_| {
            rows += 1;
            Ok::<(), super::LedgerError>(())
        };
        ledger
            .for_each_row(View::FailedRequests, &["name", "message"], &filter, visit)
            .unwrap();
        assert_eq!(rows, 5);
    }
    let failures = Failures {
        run: Some(last),
        ..Failures::default()
    };
    assert_eq!(ledger.retry(task, &failures).unwrap(), 5);
}

/// The steps that SQLite makes for `work` after so many nights.
fn steps_after(nights: i64, requests: i64, work: impl FnOnce(&mut Fixture)) -> u64 {
    let mut fixture = Fixture::new("UTC");
    past(&mut fixture, nights, requests);
    let steps = steps_of(&mut fixture, work);
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
    steps
}

/// The steps that SQLite makes for `work`.
fn steps_of(fixture: &mut Fixture, work: impl FnOnce(&mut Fixture)) -> u64 {
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    fixture
        .ledger
        .connection
        .progress_handler(1, Some(count))
        .unwrap();
    work(fixture);
    fixture
        .ledger
        .connection
        .progress_handler(0, None::<fn() -> bool>)
        .unwrap();
    steps.load(Ordering::Relaxed)
}

#[test]
fn a_night_after_four_hundred_costs_what_the_first_weeks_did() {
    // As many days in the month and as many failures in it, so that its summary
    // has the same to count.
    let young = steps_after(22, 50, night);
    let old = steps_after(400, 50, night);
    assert!(
        old <= young + young / 50,
        "{old} steps after 400 nights, {young} after 22"
    );
}

/// What `status` and `summary` ask.
fn look(fixture: &mut Fixture) {
    let visit = |_| Ok::<(), super::LedgerError>(());
    let (ledger, all) = (&fixture.ledger, Filter::default());
    ledger.task_status(None).unwrap();
    ledger
        .for_each_row(View::Books, &["pending"], &all, visit)
        .unwrap();
    summarise(fixture);
}

#[test]
fn how_a_task_stands_is_seen_without_a_look_at_all_that_is_pending() {
    let asked = "2026-11-21T12:00:00Z";
    let [some, many] = [1, 2_000].map(|count| {
        let names: Vec<String> = (0..count).map(|name| name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", asked, &names);
        let (pending, oldest) = fixture.ledger.pending(&photos()).unwrap();
        assert_eq!(
            (pending, oldest.unwrap().at),
            (count, super::fixture::at(asked))
        );
        steps_of(&mut fixture, look)
    });
    assert_eq!(some, many);
}

#[test]
fn failures_of_one_night_cost_what_it_had_of_them() {
    // But for the list of all runs.
    let young = steps_after(22, 50, failed_last_night);
    let old = steps_after(400, 50, failed_last_night);
    assert!(
        old <= young + 10 * (400 - 22),
        "{old} steps after 400 nights, {young} after 22"
    );
}

/// What `serve` is asked again and again: a task, its month, its last two days,
/// whether a list is one of its.
fn answer(fixture: &mut Fixture) {
    let (ledger, task) = (&fixture.ledger, photos());
    ledger.standing(&task).unwrap();
    ledger
        .month_figures(&task, "2026-11".parse().unwrap())
        .unwrap();
    let tonight = super::fixture::at(TONIGHT);
    let range = (tonight.plus_ms(-2 * 86_400_000), tonight);
    let synced = Counted::Settled(RequestState::Synced);
    for (kind, step_ms) in [(Counted::Requested, SLOT_MS), (synced, 12 * SLOT_MS)] {
        let places = ledger.series(&task, kind, range, step_ms).unwrap();
        assert_eq!(places.len(), 2);
    }
    for (path, known) in [
        ("object_lists/past-7.txt", true),
        ("object_lists/none.txt", false),
    ] {
        assert_eq!(ledger.knows_list(fixture.task, path).unwrap(), known);
    }
}

#[test]
fn what_serve_answers_costs_the_same_however_many_nights_there_were() {
    let young = steps_after(22, 50, answer);
    let old = steps_after(400, 50, answer);
    assert!(
        old <= young + young / 50,
        "{old} steps after 400 nights, {young} after 22"
    );
}

/// What the month's report is made of.
fn month_report(fixture: &mut Fixture) {
    let (ledger, task, month) = (&fixture.ledger, photos(), "2026-11".parse().unwrap());
    let runs = ledger.month_runs(&task, month).unwrap();
    assert_eq!(runs.len(), 21);
    for run in &runs {
        let audited = ledger.audited_run(*run).unwrap();
        assert!(audited.manifest.is_some());
        ledger.size_classes(*run).unwrap();
        ledger.slowest(*run, 10, 0).unwrap();
        ledger.throttled_places(*run, 3_600_000, 0).unwrap();
    }
    ledger.month_days(&task, month).unwrap();
    ledger.failed_lines(&task, month).unwrap();
    ledger.closed_month(&task, month).unwrap();
    ledger.pruned_before(&task).unwrap();
    let tonight = super::fixture::at(TONIGHT);
    let range = (tonight.plus_ms(-21 * 86_400_000), tonight);
    let failed = Counted::Settled(RequestState::Failed);
    ledger.series(&task, failed, range, 3 * SLOT_MS).unwrap();
    ledger.settled_places(runs[0], 60_000, 0).unwrap();
    summarise(fixture);
}

#[test]
fn a_report_costs_what_its_month_did_and_not_what_was_before() {
    let young = steps_after(22, 50, month_report);
    let old = steps_after(400, 50, month_report);
    assert!(
        old <= young + young / 50,
        "{old} steps after 400 nights, {young} after 22"
    );
}

#[test]
#[ignore = "a measurement"]
#[expect(clippy::print_stderr, reason = "that is what a measurement is for")]
fn a_year_of_five_thousand_a_night() {
    for (nights, requests) in [(22, 50), (365, 5_000)] {
        let mut fixture = Fixture::new("UTC");
        past(&mut fixture, nights, requests);
        let size = fixture.ledger.path().metadata().unwrap().len();
        let began = std::time::Instant::now();
        night(&mut fixture);
        eprintln!(
            "after {nights} nights of {requests} requests ({} MiB): {:?} for {NAMES} names",
            size >> 20,
            began.elapsed()
        );
    }
}
