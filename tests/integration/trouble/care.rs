//! Backups, and ledgers that are put in their place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{DESTINATION_KEY, DESTINATION_SECRET, World};

/// A world whose ledger is backed up into the folder `backups` and the bucket `bak`.
fn backed_up(keep: u32) -> World {
    let world = World::asked_for(&["a"]);
    world.server.create_bucket("bak");
    fs::create_dir(folder(&world)).unwrap();
    let section = format!(
        "[backup]\npath = \"backups\"\nkeep = {keep}\n[backup.bucket]\nendpoint = \"{}\"\n\
         bucket = \"bak\"\nprefix = \"night/ly\"\naccess_key_id = \"{DESTINATION_KEY}\"\n\
         secret_access_key = \"{DESTINATION_SECRET}\"\n",
        world.server.endpoint()
    );
    let text = world.setup().text() + &section;
    fs::write(world.config(), text).unwrap();
    world
}

fn folder(world: &World) -> PathBuf {
    world.folder.path().join("backups")
}

fn in_folder(world: &World) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder(world))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn in_bucket(world: &World) -> Vec<String> {
    let keys = world.server.keys("bak");
    let ours = keys
        .iter()
        .map(|key| key.strip_prefix("night/ly/").unwrap());
    ours.map(str::to_owned).collect()
}

#[test]
fn a_night_ends_with_a_backup_and_only_so_many_stay() {
    let world = backed_up(2);
    world.night(0);
    let first = in_folder(&world);
    assert_eq!(first.len(), 1);
    assert_eq!(in_bucket(&world), first);
    let copy = folder(&world).join(&first[0]);
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        super::rows(&copy, "SELECT exit_code FROM run_history"),
        ["0"]
    );
    fs::write(folder(&world).join("ledger-of-another.sqlite"), "").unwrap();
    world
        .server
        .put("bak", "night/ly/ledger-x.sqlite", "not ours");
    world.night(0);
    world.night(0);
    assert_eq!(in_folder(&world).len(), 3);
    assert_eq!(in_bucket(&world).len(), 3);
    assert!(!in_folder(&world).contains(&first[0]));
    // What is not changed is not copied again.
    let before = in_folder(&world);
    let ended = world.does(&["ledger", "backup"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(in_folder(&world), before);
    assert!(world.does(&["run", "--dry-run"]).code == Some(0));
    assert_eq!(in_folder(&world), before);
}

#[test]
fn a_backup_that_fails_is_said_and_takes_nothing_from_the_night() {
    let world = backed_up(2);
    fs::remove_dir(folder(&world)).unwrap();
    let ended = world.night(7);
    assert!(
        ended.stderr.contains("no backup of the ledger was made"),
        "{ended:?}"
    );
    assert_eq!(world.runs(), ["ended|1|1|0|0|0|0|done"]);
    // The other place has its copy all the same.
    assert_eq!(in_bucket(&world).len(), 1);
    fs::create_dir(folder(&world)).unwrap();
    world.night(0);
    assert_eq!(in_folder(&world).len(), 1);
    world.check_books();
}

#[test]
fn a_restored_ledger_goes_on_from_where_it_was() {
    let world = backed_up(5);
    world.night(0);
    world.put(&["b"]);
    world.ask("second", &["b"]);
    world.night(0);
    let newest = in_bucket(&world);
    let ended = world.does(&["ledger", "restore", "--from-bucket", &newest[0]]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("photos: the last it knows is run 1"),
        "{ended:?}"
    );
    assert_eq!(world.requests(), ["a|synced|"]);
    world.check_books();
    let unknown = world.does(&["ledger", "restore", "--from-bucket", "x"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains(&newest[1]), "{unknown:?}");
    // The newest of the folder knows both.
    let backups = folder(&world);
    let ended = world.does(&["ledger", "restore", backups.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.requests(), ["a|synced|", "b|synced|"]);
    let left = fs::read_dir(world.data()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    let hidden = |name: &&std::ffi::OsString| name.to_string_lossy().starts_with('.');
    assert_eq!(left.iter().filter(hidden).count(), 0, "{left:?}");
}

#[test]
fn a_ledger_is_not_replaced_under_a_run() {
    let world = backed_up(5);
    world.night(0);
    world.put(&["b"]);
    world.ask("second", &["b"]);
    let gate = world.server.gate("PutObject", "dst", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    let backups = folder(&world);
    let ended = world.does(&["ledger", "restore", backups.to_str().unwrap()]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    gate.open();
    assert_eq!(night.end().code, Some(0));
    assert_eq!(world.requests(), ["a|synced|", "b|synced|"]);
    world.check_books();
}

#[test]
fn a_damaged_ledger_is_not_backed_up_and_can_be_replaced() {
    let world = backed_up(5);
    world.night(0);
    let before = in_folder(&world);
    let mut bytes = fs::read(world.ledger_file()).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(world.ledger_file(), bytes).unwrap();
    let ended = world.does(&["ledger", "backup"]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert_eq!(in_folder(&world), before);
    let ended = world.does(&["ledger", "restore", "--from-bucket"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    world.put(&["b"]);
    world.ask("second", &["b"]);
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|", "b|synced|"]);
    world.check_books();
}

#[test]
fn what_was_pruned_is_said() {
    let world = World::asked_for(&["a", "b"]);
    world.night(0);
    // The night was long ago.
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
    drop(ledger);
    world.check_books();
    let rehearsed = world.does(&["ledger", "prune", "--keep-months", "3", "--dry-run"]);
    assert!(
        rehearsed.stdout.contains("would take away 1 request"),
        "{rehearsed:?}"
    );
    let pruned = world.does(&["ledger", "prune", "--keep-months", "3"]);
    assert_eq!(pruned.code, Some(0), "{pruned:?}");
    assert!(pruned.stdout.contains("took away 1 request "), "{pruned:?}");
    world.check_books();
    let out = world.folder.path().join("out");
    let out = out.to_str().unwrap();
    let export = world.does(&["export", "--task", "photos", "--run", "1", "--out", out]);
    assert_eq!(export.code, Some(2), "{export:?}");
    assert!(export.stderr.contains("was pruned"), "{export:?}");
    let verify = world.does(&["verify", "--task", "photos"]);
    assert_eq!(verify.code, Some(0), "{verify:?}");
    assert!(verify.stdout.contains("3 files compared"), "{verify:?}");
    let why = world.does(&["why", "--task", "photos", "a"]);
    assert!(
        why.stdout.contains("requests of that time were pruned"),
        "{why:?}"
    );
    let ahead = world.does(&["ledger", "prune", "--before", "2999-01"]);
    assert_eq!(ahead.code, Some(2), "{ahead:?}");
}

#[test]
fn a_folder_that_takes_no_backup_is_said_by_status() {
    let world = backed_up(2);
    fs::remove_dir(folder(&world)).unwrap();
    let night = world.does(&["run"]);
    assert_eq!(night.code, Some(7), "{night:?}");
    assert_eq!(world.runs(), ["ended|1|1|0|0|0|0|done"]);
    let status = world.does(&["status"]).stdout;
    let said = format!(
        "No backup can be made: {}: No such file",
        folder(&world).display()
    );
    assert!(status.starts_with(&said), "{status}");
    fs::create_dir(folder(&world)).unwrap();
    let status = world.does(&["status"]).stdout;
    assert!(status.starts_with("photos\n"), "{status}");
    world.night(0);
}
