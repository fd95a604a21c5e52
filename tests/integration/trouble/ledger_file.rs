//! Ledgers and disks that cannot be used.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::Connection;

use super::{Setup, World};

/// A night that must not begin, and changes nothing.
fn unusable(world: &World, message: &str) {
    let path = world.ledger_file();
    let before = fs::read(&path).unwrap();
    let requests = world.server.requests().len();
    for command in [&["run"][..], &["status"], &["doctor"], &["ledger", "check"]] {
        let ended = world.does(command);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(message), "{command:?} {said}");
        assert!(said.contains(path.to_str().unwrap()), "{command:?} {said}");
        assert_eq!(ended.code, Some(3), "{command:?} {said}");
        if command == ["run"] {
            assert_eq!(world.server.requests().len(), requests);
            assert_eq!(said.matches(message).count(), 1, "{said}");
        }
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// A world with one good night behind it, and `b` asked for.
fn after_a_good_night() -> World {
    let world = World::asked_for(&["a"]);
    world.night(0);
    world.put(&["b"]);
    world.ask("second", &["b"]);
    world
}

/// All is as if nothing had been.
fn fine_again(world: &World) {
    world.night(0);
    assert_eq!(
        world.runs(),
        ["ended|1|1|0|0|0|0|done", "ended|1|1|0|0|0|0|done"]
    );
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_file_that_is_no_database() {
    let world = after_a_good_night();
    let kept = world.folder.path().join("kept");
    fs::rename(world.ledger_file(), &kept).unwrap();
    fs::write(
        world.ledger_file(),
        "a letter, and not a short one\n".repeat(99),
    )
    .unwrap();
    unusable(&world, "is no Nightferry ledger");
    fs::rename(kept, world.ledger_file()).unwrap();
    fine_again(&world);
}

#[test]
fn a_database_of_another_program() {
    let world = after_a_good_night();
    let kept = world.folder.path().join("kept");
    fs::rename(world.ledger_file(), &kept).unwrap();
    let other = Connection::open(world.ledger_file()).unwrap();
    other
        .execute_batch("CREATE TABLE song (title TEXT)")
        .unwrap();
    drop(other);
    unusable(&world, "is no Nightferry ledger");
    fs::rename(kept, world.ledger_file()).unwrap();
    fine_again(&world);
}

#[test]
fn a_ledger_of_a_newer_release() {
    let world = after_a_good_night();
    let version = |version: i64| {
        let ledger = Connection::open(world.ledger_file()).unwrap();
        let before = ledger
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        ledger.pragma_update(None, "user_version", version).unwrap();
        before
    };
    let ours: i64 = version(99);
    unusable(&world, "has ledger version 99");
    version(ours);
    fine_again(&world);
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_ledger_with_a_damaged_header() {
    let world = after_a_good_night();
    let whole = fs::read(world.ledger_file()).unwrap();
    overwrite(&world.ledger_file(), 0, &[0x55; 100]);
    unusable(&world, "is no Nightferry ledger");
    fs::write(world.ledger_file(), whole).unwrap();
    fine_again(&world);
}

#[test]
fn a_ledger_with_a_damaged_schema() {
    let world = after_a_good_night();
    let whole = fs::read(world.ledger_file()).unwrap();
    // The schema's first page, behind the header.
    overwrite(&world.ledger_file(), 100, &[0x55; 1000]);
    unusable(&world, "is damaged; restore a backup");
    fs::write(world.ledger_file(), whole).unwrap();
    fine_again(&world);
}

#[test]
fn a_data_directory_below_a_folder_that_is_not_there_is_refused() {
    let world = World::new();
    let text = world.setup().text();
    let text = text.replace("\"data\"", "\"not/there/yet\"");
    fs::write(world.config(), text).unwrap();
    for command in [
        &["run"][..],
        &["enqueue", "--task", "photos", "a"],
        &["doctor"],
    ] {
        let ended = world.does(command);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            said.contains("not/there is not there; mount its disk"),
            "{said}"
        );
        assert!(!said.contains("is made there"), "{said}");
    }
    assert!(!world.folder.path().join("not").exists());
}

#[test]
fn a_data_directory_that_is_new_or_empty_is_begun_with_a_word_and_once() {
    for is_there in [false, true] {
        let world = World::new();
        let place = world.folder.path().join("disk");
        if is_there {
            fs::create_dir(&place).unwrap();
        }
        let text = world.setup().text().replace("\"data\"", "\"disk\"");
        fs::write(world.config(), text).unwrap();
        let notice = format!("nothing is kept in {} yet", place.display());
        let status = world.does(&["status"]);
        assert!(!status.stderr.contains(&notice), "{status:?}");
        for (times, command) in [(0, &["run", "--dry-run"][..]), (1, &["run"]), (0, &["run"])] {
            let ended = world.does(command);
            let said = ended.stderr.matches(&notice).count();
            assert_eq!(said, times, "{command:?} {ended:?}");
        }
        assert!(place.join("ledger.sqlite").exists());
    }
}

#[test]
fn a_data_directory_below_a_file() {
    let world = World::new();
    let text = world.setup().text();
    fs::write(world.folder.path().join("file"), "").unwrap();
    fs::write(world.config(), text.replace("\"data\"", "\"file/data\"")).unwrap();
    for command in ["run", "doctor"] {
        let ended = world.does(&[command]);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("cannot prepare the folder"), "{said}");
        assert!(said.contains("check `data_dir` in the configuration"));
    }
}

#[test]
fn a_run_that_is_locked_out_of_the_ledger_for_a_moment_waits() {
    let world = after_a_good_night();
    world.configure(&Setup {
        workers: 1,
        ..world.setup()
    });
    let gate = world.server.gate("PutObject", "dst", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    // An operator's shell that is about to write keeps the recorder waiting.
    let shell = Connection::open(world.ledger_file()).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    gate.open();
    while world.copies() != ["a", "b"] {
        std::thread::yield_now();
    }
    shell.execute_batch("ROLLBACK").unwrap();
    assert_eq!(night.end().code, Some(0));
    assert_eq!(world.requests(), ["a|synced|", "b|synced|"]);
    world.check_books();
}
