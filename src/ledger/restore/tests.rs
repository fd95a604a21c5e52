use super::*;
use crate::ledger::fixture::{Fixture, at, synced};
use crate::ledger::{Filter, View};

const ASKED: &str = "2026-10-02T00:00:00Z";

/// The names that a ledger has requests for.
fn names(path: &Path) -> Vec<String> {
    let ledger = Ledger::open_read_only(path).unwrap();
    let mut names = Vec::new();
    ledger
        .for_each_row::<LedgerError>(View::Requests, &["name"], &Filter::default(), |cells| {
            names.push(format!("{:?}", cells[0]));
            Ok(())
        })
        .unwrap();
    names
}

/// A ledger with the request `old`, a backup of it, and a request `new` after it.
fn backed_up() -> (Fixture, PathBuf) {
    let mut fixture = Fixture::new("UTC");
    fixture.ask("object_lists/old.txt", ASKED, &["old"]);
    let backup = fixture.folder.path().join("backup");
    fixture.ledger.back_up(&backup, 0o600).unwrap();
    fixture.ask("object_lists/new.txt", ASKED, &["new"]);
    (fixture, backup)
}

#[test]
fn a_backup_takes_the_place_and_the_present_ledger_is_kept() {
    let (fixture, backup) = backed_up();
    let place = fixture.ledger.path().to_owned();
    let before = fs::read(&backup).unwrap();
    drop(fixture.ledger);
    let kept = Ledger::restore(&backup, &place, "1", 0o600)
        .unwrap()
        .unwrap();
    assert_eq!(names(&place), ["Text(\"old\")"]);
    assert_eq!(names(&kept), ["Text(\"old\")", "Text(\"new\")"]);
    assert_eq!(fs::read(&backup).unwrap(), before);
    // And back again.
    Ledger::restore(&kept, &place, "2", 0o600).unwrap();
    assert_eq!(names(&place), ["Text(\"old\")", "Text(\"new\")"]);
}

#[test]
fn the_log_of_the_old_ledger_never_meets_the_new_one() {
    let (mut fixture, backup) = backed_up();
    let place = fixture.ledger.path().to_owned();
    // What a process that was killed leaves: a log that is in no ledger yet.
    let night = fixture.begin(ASKED);
    fixture.settle(&night, synced("new", ASKED, 1));
    let log = beside(&place, "-wal");
    assert!(log.metadata().unwrap().len() > 0);
    let kept = Ledger::restore(&backup, &place, "1", 0o600)
        .unwrap()
        .unwrap();
    assert!(!log.exists());
    assert_eq!(names(&place), ["Text(\"old\")"]);
    let kept = Ledger::open_read_only(&kept).unwrap();
    assert_eq!(kept.check().unwrap(), [""; 0]);
}

#[test]
fn a_damaged_ledger_and_its_log_are_kept_as_they_are() {
    let (fixture, backup) = backed_up();
    let place = fixture.ledger.path().to_owned();
    drop(fixture.ledger);
    fs::write(
        &place,
        "no ledger at all, whatever may be in its log".repeat(99),
    )
    .unwrap();
    fs::write(beside(&place, "-wal"), "a log").unwrap();
    let kept = Ledger::restore(&backup, &place, "1", 0o600)
        .unwrap()
        .unwrap();
    assert_eq!(names(&place), ["Text(\"old\")"]);
    assert!(fs::read(&kept).unwrap().starts_with(b"no ledger"));
    assert_eq!(fs::read(beside(&kept, "-wal")).unwrap(), b"a log");
}

#[test]
fn a_log_that_a_lost_ledger_left_is_not_read_either() {
    let (mut fixture, backup) = backed_up();
    let place = fixture.ledger.path().to_owned();
    fixture.ask("object_lists/log.txt", ASKED, &["only in the log"]);
    let log = fs::read(beside(&place, "-wal")).unwrap();
    drop(fixture.ledger);
    fs::remove_file(&place).unwrap();
    fs::write(beside(&place, "-wal"), log).unwrap();
    assert_eq!(Ledger::restore(&backup, &place, "1", 0o600).unwrap(), None);
    assert_eq!(names(&place), ["Text(\"old\")"]);
}

#[test]
fn a_ledger_in_use_is_not_replaced() {
    let (mut fixture, backup) = backed_up();
    let place = fixture.ledger.path().to_owned();
    let reader = Connection::open(&place).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM books").unwrap();
    fixture.ask("object_lists/more.txt", ASKED, &["more"]);
    let refused = Ledger::restore(&backup, &place, "1", 0o600).unwrap_err();
    assert!(
        matches!(refused, RestoreError::Present(LedgerError::Busy(_))),
        "{refused}"
    );
    drop(reader);
    assert_eq!(names(&place).len(), 3);
}

#[test]
fn what_is_no_sound_ledger_is_refused_and_changes_nothing() {
    let (fixture, backup) = backed_up();
    let place = fixture.ledger.path().to_owned();
    drop(fixture.ledger);
    let whole = fs::read(&backup).unwrap();
    let mut middle = whole.clone();
    let page = middle.len() / 2 / 4096 * 4096;
    middle[page..page + 4096].fill(0x55);
    let half = whole[..whole.len() / 2].to_vec();
    let mut newer = whole.clone();
    newer[63] = 99;
    let cases = [
        (
            b"a letter".repeat(99),
            "is no backup of a Nightferry ledger",
        ),
        (Vec::new(), "is no backup of a Nightferry ledger"),
        (middle, "is damaged"),
        (half, "is damaged"),
        (newer, "has ledger version 99"),
    ];
    for (content, message) in cases {
        fs::write(&backup, content).unwrap();
        let refused = Ledger::restore(&backup, &place, "1", 0o600)
            .unwrap_err()
            .to_string();
        assert!(refused.contains(message), "{refused}");
        assert!(refused.contains(backup.to_str().unwrap()), "{refused}");
        assert_eq!(names(&place).len(), 2);
    }
    let refused = Ledger::restore(&place, &place, "1", 0o600).unwrap_err();
    assert!(matches!(refused, RestoreError::Itself(_)), "{refused}");
    let left: Vec<_> = fs::read_dir(place.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("restore") || name.contains("replaced"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn what_a_killed_restore_left_is_cleared_away() {
    let (fixture, backup) = backed_up();
    let place = fixture.ledger.path().to_owned();
    drop(fixture.ledger);
    let scratch = place.with_file_name(".restore-killed");
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join("ledger.sqlite"), "half").unwrap();
    let second_name = beside(&place, ".replaced-0");
    fs::hard_link(&place, &second_name).unwrap();
    Ledger::restore(&backup, &place, "1", 0o600).unwrap();
    assert!(!scratch.exists() && !second_name.exists());
    assert_eq!(names(&place), ["Text(\"old\")"]);
}

#[test]
fn an_older_version_is_brought_up_at_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, place) = (
        folder.path().join("backup"),
        folder.path().join("ledger.sqlite"),
    );
    let old = Connection::open(&backup).unwrap();
    old.execute_batch(super::super::schema::MIGRATIONS[0])
        .unwrap();
    old.pragma_update(None, "application_id", super::super::schema::APPLICATION_ID)
        .unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    assert_eq!(Ledger::restore(&backup, &place, "1", 0o600).unwrap(), None);
    let mut ledger = Ledger::open(&place, 0o600).unwrap();
    let zone = "UTC".parse().unwrap();
    let now = crate::model::Zone::local(zone, at(ASKED));
    ledger
        .enter_task(&"photos".parse().unwrap(), zone, 7, now)
        .unwrap();
    assert_eq!(ledger.check().unwrap(), [""; 0]);
}
