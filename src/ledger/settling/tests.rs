use crate::ledger::fixture::{Fixture, failed, photos, synced};
use crate::ledger::{Queued, Recording, Stretch};
use crate::model::{
    ArrivedPart, DestinationPrefix, ETag, FailureCause, LastCopy, Note, ObjectName, OpenUpload,
    Outcome, PlannedCopy, Traffic, UploadId, Verified,
};

const ASKED: &str = "2026-11-20T12:00:00Z";
const SETTLED: &str = "2026-11-21T01:00:00Z";

fn record(fixture: &mut Fixture, notes: &[Note]) {
    record_at(fixture, SETTLED, notes);
}

/// Records `notes` in a run that begins at `when`.
fn record_at(fixture: &mut Fixture, when: &str, notes: &[Note]) {
    let night = fixture.begin(when);
    let recording = Recording {
        task: fixture.task,
        run: night.run.key,
        through: i64::MAX,
        zone: fixture.zone,
    };
    let traffic = Traffic {
        requests_sent: 0,
        throttled: Vec::new(),
        asked: Vec::new(),
    };
    fixture.ledger.record(&recording, notes, &traffic).unwrap();
}

fn pending(fixture: &Fixture) -> Vec<Queued> {
    let everything = Stretch::From("");
    let names = fixture
        .ledger
        .next_names(fixture.task, i64::MAX, &everything, 1000);
    names.unwrap()
}

fn count(fixture: &Fixture, sql: &str) -> i64 {
    let read = |connection: &rusqlite::Connection| connection.query_row(sql, [], |row| row.get(0));
    fixture.ledger.read(read).unwrap()
}

fn planned(tag: &str, md5: Option<&str>) -> PlannedCopy {
    PlannedCopy {
        source_etag: ETag::new(tag),
        source_md5_hex: md5.map(str::to_owned),
        size_bytes: 7,
        replaces: None,
    }
}

fn copied_as(name: &str, copy_etag: &str) -> Note {
    let mut attempt = synced(name, SETTLED, 7);
    if let Outcome::Synced(copied) = &mut attempt.outcome {
        copied.copy_etag = ETag::new(copy_etag);
    }
    Note::Settled(Box::new(attempt))
}

fn name(name: &str) -> ObjectName {
    ObjectName::new(name).unwrap()
}

#[test]
fn a_copy_with_the_sources_tag_and_one_with_its_own_are_remembered_and_shown() {
    let mut fixture = Fixture::new("UTC");
    fixture.ask("object_lists/a.txt", ASKED, &["own", "same"]);
    // Every object of the fixture has the tag 5e at the source.
    record(
        &mut fixture,
        &[copied_as("own", "c0"), copied_as("same", "5e")],
    );
    fixture.ask("object_lists/b.txt", ASKED, &["own", "same"]);
    let remembered: Vec<_> = pending(&fixture)
        .into_iter()
        .map(|queued| queued.last_copy.unwrap())
        .collect();
    let copy = |copy_etag: &str| LastCopy {
        source_etag: ETag::new("5e"),
        copy_etag: ETag::new(copy_etag),
    };
    assert_eq!(remembered, [copy("c0"), copy("5e")]);
    let mut told = Vec::new();
    for name in ["own", "same"] {
        fixture
            .ledger
            .for_each_request_for(&photos(), name, |story| {
                told.extend(
                    story
                        .attempts
                        .iter()
                        .map(|attempt| attempt.copy_etag.clone()),
                );
                Ok::<(), crate::ledger::LedgerError>(())
            })
            .unwrap();
    }
    assert_eq!(told, [Some("c0".to_owned()), Some("5e".to_owned())]);
    let shown = "SELECT count(*) FROM object_history
                 WHERE (name, copy_etag) IN (VALUES ('own', 'c0'), ('same', '5e'))";
    assert_eq!(count(&fixture, shown), 2);
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
}

#[test]
fn plans_of_many_names_are_found_again_until_each_has_its_outcome() {
    let mut fixture = Fixture::new("UTC");
    let names: Vec<String> = (0..100).map(|number| format!("{number:03}")).collect();
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    fixture.ask("object_lists/a.txt", ASKED, &asked);
    let plans: Vec<_> = names
        .iter()
        .map(|text| (name(text), planned("5e", Some("5e"))))
        .collect();
    let mut notes = vec![Note::Planned(plans)];
    notes.extend(names[..67].iter().map(|name| copied_as(name, "5e")));
    record(&mut fixture, &notes);
    let left = pending(&fixture);
    assert_eq!(left.len(), 33);
    for (queued, text) in left.iter().zip(&names[67..]) {
        assert_eq!(queued.name, name(text));
        assert_eq!(queued.planned, Some(planned("5e", Some("5e"))));
    }
    assert_eq!(count(&fixture, "SELECT count(*) FROM planned_copy"), 33);
}

#[test]
fn a_plan_without_an_md5_or_with_another_one_stays_as_it_was() {
    let mut fixture = Fixture::new("UTC");
    fixture.ask("object_lists/a.txt", ASKED, &["a", "b"]);
    let plans = vec![
        (name("a"), planned("5e", None)),
        (name("b"), planned("5e-2", Some("d4"))),
    ];
    record(&mut fixture, &[Note::Planned(plans)]);
    let left = pending(&fixture);
    assert_eq!(left[0].planned, Some(planned("5e", None)));
    assert_eq!(left[1].planned, Some(planned("5e-2", Some("d4"))));
}

#[test]
fn an_outcome_in_the_batch_of_its_upload_ends_the_upload_and_its_parts() {
    let mut fixture = Fixture::new("UTC");
    fixture.ask("object_lists/a.txt", ASKED, &["a", "b"]);
    let upload = || OpenUpload {
        destination_prefix: DestinationPrefix::default(),
        id: UploadId::new("u1".to_owned()),
        source_etag: ETag::new("5e"),
        size_bytes: 7,
        part_bytes: 7,
        begun_with: Some("5e".to_owned()),
        parts: Vec::new(),
    };
    let part = ArrivedPart {
        number: 1,
        etag: ETag::new("5e"),
        md5: Some([0; 16]),
        crc: None,
        whole_md5: None,
        verified: Verified::EtagMd5,
    };
    let unclear = failed("b", SETTLED, FailureCause::Throttled, "SlowDown", 503);
    let notes = [
        Note::UploadBegun(name("a"), upload()),
        Note::PartArrived(name("a"), part.clone()),
        Note::UploadBegun(name("b"), upload()),
        Note::PartArrived(name("b"), part),
        copied_as("a", "c0"),
        Note::Settled(Box::new(unclear)),
    ];
    record(&mut fixture, &notes);
    assert_eq!(count(&fixture, "SELECT count(*) FROM upload"), 1);
    assert_eq!(count(&fixture, "SELECT count(*) FROM upload_part"), 1);
}

#[test]
fn a_name_asked_for_more_often_than_a_step_is_settled_whole() {
    let mut fixture = Fixture::new("UTC");
    fixture.ask(
        "object_lists/a.txt",
        ASKED,
        &vec!["again"; 2 * super::STEP + 1],
    );
    record(&mut fixture, &[copied_as("again", "5e")]);
    assert!(pending(&fixture).is_empty());
    let duplicates = "SELECT count(*) FROM attempt WHERE reason = 'duplicate'";
    assert_eq!(count(&fixture, duplicates), 2 * 1000);
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
}

#[test]
fn of_two_outcomes_of_one_name_in_one_batch_the_first_stands() {
    let mut fixture = Fixture::new("UTC");
    fixture.ask("object_lists/a.txt", ASKED, &["a", "b"]);
    let lost = failed("a", SETTLED, FailureCause::Network, "", 500);
    record(
        &mut fixture,
        &[
            copied_as("a", "c0"),
            copied_as("b", "c0"),
            Note::Settled(Box::new(lost)),
        ],
    );
    assert_eq!(count(&fixture, "SELECT count(*) FROM attempt"), 2);
    let synced = "SELECT count(*) FROM request WHERE state = 'synced' AND attempts = 1";
    assert_eq!(count(&fixture, synced), 2);
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
}

#[test]
fn a_name_asked_for_thousands_of_times_among_others_is_settled_in_steps() {
    let mut fixture = Fixture::new("UTC");
    let names: Vec<String> = (0..100).map(|number| format!("{number:03}")).collect();
    let mut asked: Vec<&str> = names.iter().map(String::as_str).collect();
    asked.extend(vec!["007"; 2_500]);
    fixture.ask("object_lists/a.txt", ASKED, &asked);
    let notes: Vec<Note> = names.iter().map(|name| copied_as(name, "c0")).collect();
    record(&mut fixture, &notes);
    assert_eq!(pending(&fixture), []);
    let first = "SELECT request FROM request WHERE name = '007' AND state = 'synced'";
    assert_eq!(count(&fixture, first), 8);
    let further = "SELECT count(*) FROM request JOIN attempt USING (request)
                   WHERE name = '007' AND attempt.reason = 'duplicate' AND attempt = 1
                     AND attempts = 1";
    assert_eq!(count(&fixture, further), 2_500);
    assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
}

#[test]
fn what_lies_under_another_prefix_is_not_taken_for_what_is_here() {
    let mut fixture = Fixture::new("UTC");
    let mirror: DestinationPrefix = "mirror/".parse().unwrap();
    fixture.ask("object_lists/a.txt", ASKED, &["a", "b"]);
    let upload = OpenUpload {
        destination_prefix: DestinationPrefix::default(),
        id: UploadId::new("u1".to_owned()),
        source_etag: ETag::new("5e"),
        size_bytes: 7,
        part_bytes: 7,
        begun_with: None,
        parts: Vec::new(),
    };
    let notes = [
        copied_as("a", "c0"),
        Note::Planned(vec![(name("b"), planned("5e", None))]),
        Note::UploadBegun(name("b"), upload.clone()),
    ];
    record(&mut fixture, &notes);
    fixture.ask("object_lists/b.txt", ASKED, &["a"]);
    let known = |fixture: &Fixture| {
        let left = pending(fixture);
        let known = (left[0].last_copy.is_some(), left[1].planned.is_some());
        assert_eq!(left[1].upload.as_ref(), Some(&upload));
        let planned =
            fixture
                .ledger
                .next_planned_names(fixture.task, i64::MAX, &Stretch::From(""), 1000);
        assert_eq!(planned.unwrap().len(), usize::from(known.1));
        known
    };
    let nothing = DestinationPrefix::default();
    for (prefix, when, expected) in [
        (&mirror, "2026-11-22T01:00:00Z", (false, false)),
        (&nothing, "2026-11-23T01:00:00Z", (true, true)),
    ] {
        fixture.destination_prefix = prefix.clone();
        fixture.begin(when);
        assert_eq!(known(&fixture), expected, "{prefix:?}");
    }
    fixture.destination_prefix = mirror;
    let notes = [copied_as("a", "c1"), copied_as("b", "c1")];
    record_at(&mut fixture, "2026-11-24T01:00:00Z", &notes);
    let places = "SELECT group_concat(destination_name, ' ' ORDER BY request) FROM object_history";
    let read =
        |connection: &rusqlite::Connection| connection.query_row(places, [], |row| row.get(0));
    let places: String = fixture.ledger.read(read).unwrap();
    assert_eq!(places, "a mirror/b mirror/a");
    fixture.ask("object_lists/c.txt", ASKED, &["a"]);
    assert!(pending(&fixture)[0].last_copy.is_some());
    fixture.destination_prefix = nothing;
    fixture.begin("2026-11-25T01:00:00Z");
    assert_eq!(pending(&fixture)[0].last_copy, None);
}
