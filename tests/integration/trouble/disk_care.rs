//! Looking after the ledger on disks that are full or cannot be written, and a
//! ledger that is taken away under a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::{DESTINATION_KEY, DESTINATION_SECRET, World};

/// What answers differ in if anything was lost.
const ANSWERS: [&str; 4] = [
    "SELECT * FROM books",
    "SELECT * FROM month_summary",
    "SELECT task, run, state, taken, synced, failed, ignored, deferred FROM run_history",
    "SELECT name, state, reason FROM requests ORDER BY request",
];

fn answers(world: &World) -> Vec<Vec<String>> {
    ANSWERS.iter().map(|query| world.rows(query)).collect()
}

fn many() -> Vec<String> {
    (0..400)
        .map(|n| format!("{n:03}-{}", "name".repeat(20)))
        .collect()
}

/// A world with a disk of its own for its data, a backup folder and a backup
/// bucket beside it, and two nights behind it.
fn lived_in(size: &str) -> Option<(World, Disk)> {
    let world = World::new();
    let disk = Disk::mount_at(world.data(), size)?;
    world.server.create_bucket("bak");
    fs::create_dir(backups(&world)).unwrap();
    let section = format!(
        "[backup]\npath = \"backups\"\n[backup.bucket]\nendpoint = \"{}\"\nbucket = \"bak\"\n\
         access_key_id = \"{DESTINATION_KEY}\"\nsecret_access_key = \"{DESTINATION_SECRET}\"\n",
        world.server.endpoint()
    );
    fs::write(world.config(), world.setup().text() + &section).unwrap();
    let names = many();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.put(&names);
    world.ask("many", &names);
    world.night(0);
    world.put(&["late"]);
    world.ask("late", &["late"]);
    world.night(0);
    Some((world, disk))
}

fn backups(world: &World) -> PathBuf {
    world.folder.path().join("backups")
}

/// Names and content of the files directly in `folder`, but for what fills the disk.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_name() != "filler")
        .map(|entry| {
            let content = fs::read(entry.path()).unwrap_or_default();
            (entry.file_name().into_string().unwrap(), content)
        })
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

/// Does it while the disk is full: it fails, says so, and changes nothing. Then
/// there is room, and it succeeds.
fn while_full(world: &World, disk: &Disk, arguments: &[&str]) {
    let before = (answers(world), names(&world.data()), files(&backups(world)));
    disk.fill();
    let ended = world.does(arguments);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("is full") || ended.stderr.contains("room"),
        "{ended:?}"
    );
    disk.make_room();
    let after = (answers(world), names(&world.data()), files(&backups(world)));
    assert!(before == after, "{ended:?}\n{:?} {:?}", before.1, after.1);
    world.check_books();
    let ended = world.does(arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    world.check_books();
    let left = names(&world.data());
    assert!(!left.iter().any(|name| name.starts_with('.')), "{left:?}");
}

/// The next night goes on as if nothing had been.
fn goes_on(world: &World) {
    world.put(&["more"]);
    world.ask("more", &["more"]);
    world.night(0);
    assert_eq!(
        world.rows("SELECT state FROM requests WHERE name = 'more'"),
        ["synced"]
    );
    let verified = world.does(&["verify", "--task", "photos", "--run", "3"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    world.check_books();
}

#[test]
fn a_backup_that_finds_no_room() {
    let Some((world, disk)) = lived_in("8m") else {
        return;
    };
    fs::remove_dir_all(backups(&world)).unwrap();
    fs::create_dir(backups(&world)).unwrap();
    while_full(&world, &disk, &["ledger", "backup"]);
    assert_eq!(files(&backups(&world)).len(), 1);
    goes_on(&world);
}

#[test]
fn a_backup_whose_place_is_full() {
    let Some((world, _data)) = lived_in("8m") else {
        return;
    };
    let Some(disk) = Disk::mount_at(world.folder.path().join("small"), "1m") else {
        return;
    };
    let copy = world.folder.path().join("small/copy.sqlite");
    let asked = ["ledger", "backup", copy.to_str().unwrap()];
    disk.fill();
    let ended = world.does(&asked);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("room"), "{ended:?}");
    assert_eq!(names(copy.parent().unwrap()), [""; 0]);
    disk.make_room();
    assert_eq!(world.does(&asked).code, Some(0));
    let whole = fs::read(&copy).unwrap();
    disk.fill();
    assert_eq!(world.does(&asked).code, Some(1));
    assert!(fs::read(&copy).unwrap() == whole, "the older one is gone");
}

#[test]
fn a_restore_that_finds_no_room() {
    let Some((world, disk)) = lived_in("8m") else {
        return;
    };
    let folder = backups(&world);
    while_full(
        &world,
        &disk,
        &["ledger", "restore", folder.to_str().unwrap()],
    );
    while_full(&world, &disk, &["ledger", "restore", "--from-bucket"]);
    goes_on(&world);
}

#[test]
fn a_rebuild_that_finds_no_room() {
    let Some((world, disk)) = lived_in("12m") else {
        return;
    };
    while_full(&world, &disk, &["ledger", "rebuild", "--replace"]);
    goes_on(&world);
}

#[test]
fn a_prune_that_finds_no_room() {
    let Some((world, disk)) = lived_in("8m") else {
        return;
    };
    let ledger = rusqlite::Connection::open(world.ledger_file()).unwrap();
    let year_ms: i64 = 400 * 86_400_000;
    ledger
        .execute_batch(&format!(
            "UPDATE request SET requested_at = requested_at - {year_ms},
                                settled_at = settled_at - {year_ms};
             UPDATE attempt SET at = at - {year_ms};
             UPDATE day_count SET day = date(day, '-400 days');
             UPDATE slot_count SET slot_at = slot_at - {year_ms};"
        ))
        .unwrap();
    ledger.close().unwrap();
    while_full(&world, &disk, &["ledger", "prune", "--keep-months", "3"]);
    goes_on(&world);
}

#[test]
fn a_disk_that_cannot_be_written_is_said_by_all_that_look_after_the_ledger() {
    let Some((world, disk)) = lived_in("8m") else {
        return;
    };
    let before = (answers(&world), files(&backups(&world)));
    disk.seal();
    let folder = backups(&world);
    let folder = folder.to_str().unwrap();
    for command in [
        &["ledger", "restore", folder][..],
        &["ledger", "restore", "--from-bucket"],
        &["ledger", "rebuild", "--replace"],
        &["ledger", "prune", "--keep-months", "0"],
        &["ledger", "backup"],
    ] {
        let ended = world.does(command);
        assert!(
            matches!(ended.code, Some(1 | 3)) && ended.stderr.contains("Read-only file system"),
            "{command:?} {ended:?}"
        );
        assert!(
            ended.stderr.contains(world.data().to_str().unwrap()),
            "{ended:?}"
        );
    }
    // What only reads does its work.
    let copy = world.folder.path().join("copy.sqlite");
    for command in [
        &["ledger", "check"][..],
        &["ledger", "backup", copy.to_str().unwrap()],
        &["ledger", "prune", "--keep-months", "0", "--dry-run"],
    ] {
        let ended = world.does(command);
        assert_eq!(ended.code, Some(0), "{command:?} {ended:?}");
    }
    assert!(before == (answers(&world), files(&backups(&world))));
    assert!(disk.mounted_with(&["-o", "remount,rw"]));
    goes_on(&world);
}

#[test]
fn a_ledger_that_is_deleted_under_a_run() {
    let world = World::one_by_one(&["a", "b"]);
    world.night(0);
    let kept = world.folder.path().join("kept.sqlite");
    let copied = world.does(&["ledger", "backup", kept.to_str().unwrap()]);
    assert_eq!(copied.code, Some(0), "{copied:?}");
    world.put(&["c", "d"]);
    world.ask("second", &["c", "d"]);
    let gate = world.server.gate("PutObject", "dst", Some("c"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    for suffix in ["", "-wal", "-shm"] {
        let path = world.data().join(format!("ledger.sqlite{suffix}"));
        fs::remove_file(path).unwrap();
    }
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("was moved or deleted while it was in use"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    // Nothing goes on over the gap, and with a ledger all does.
    let refused = world.night(3);
    assert!(refused.stderr.contains("ledger rebuild"), "{refused:?}");
    let restored = world.does(&["ledger", "restore", kept.to_str().unwrap()]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    world.night(0);
    assert_eq!(world.rows("SELECT pending, balanced FROM books"), ["0|1"]);
    assert_eq!(world.copies(), ["a", "b", "c", "d"]);
    world.check_delivered();
    world.check_books();
}
