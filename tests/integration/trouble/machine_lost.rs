//! The machine is lost, or the ledger alone, or an old backup took its place:
//! no night over it, and a ledger made again from what was delivered.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{World, wait_until};
use crate::s3_server::{Fault, NewObject};

/// What a rebuilt ledger must answer as the lost one did.
const ANSWERS: &[&str] = &[
    "SELECT * FROM books",
    "SELECT * FROM month_summary ORDER BY task, month",
    "SELECT * FROM day_summary ORDER BY task, day",
    "SELECT * FROM month_close ORDER BY task, month",
    "SELECT * FROM run_history ORDER BY task, run",
    "SELECT * FROM requests ORDER BY request",
    "SELECT * FROM pending_requests ORDER BY request",
    "SELECT task, request, name, run, failed_at, failed_at_local, attempts, cause, carried_over,
            days_left, error_code FROM failed_requests ORDER BY request",
    "SELECT task, name, request, run, attempt, at, at_local, outcome, reason
     FROM object_history ORDER BY request, run",
    "SELECT * FROM loaded_lists ORDER BY task, list, loaded_at, sha256",
    "SELECT * FROM rejected_lines ORDER BY task, list, line",
    "SELECT * FROM manifests ORDER BY task, run",
];

fn answers(world: &World) -> Vec<Vec<String>> {
    ANSWERS.iter().map(|query| world.rows(query)).collect()
}

/// Fails a test at the first row in which the two differ.
fn compare(before: &[Vec<String>], after: &[Vec<String>]) {
    for ((before, after), query) in before.iter().zip(after).zip(ANSWERS) {
        for (before, after) in before.iter().zip(after) {
            assert_eq!(before, after, "{query}");
        }
        assert_eq!(before.len(), after.len(), "{query}");
    }
}

fn write_list(world: &World, path: &str, content: &str) {
    let place = world.task_folder().join("object_lists").join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, content).unwrap();
}

/// Nights with every outcome, a run that could not begin, one that was killed,
/// one without work, and lists that grow and are replaced.
fn lived_in() -> World {
    let world = World::one_by_one(&["a", "b"]);
    world.put(&[
        "c",
        "d",
        "e",
        "f",
        "g",
        "slow",
        "x\ty",
        "line\nend",
        "back\\slash",
    ]);
    let newer = NewObject {
        body: b"there".to_vec(),
        last_modified: Some(SystemTime::now() - Duration::from_mins(1)),
        ..NewObject::default()
    };
    world.put(&["there"]);
    world.server.put("dst", "there", newer);
    let slow = Fault::answer(503, "SlowDown").operation("PutObject");
    world.server.on(slow.key("slow"));
    write_list(
        &world,
        "first.txt",
        "a\nb\ngone\n../bad\n\na\nslow\nthere\n",
    );
    let many = "./\n".repeat(1_005);
    write_list(
        &world,
        "awkward.url.txt",
        &format!("x%09y\nline%0Aend\nback%5Cslash\n{many}"),
    );
    world.night(4);

    // A carried-over failure, an empty night, then a list that grows, and one
    // that is taken back.
    world.night(4);
    world.night(0);
    world.server.clear_faults();
    write_list(&world, "wrong.txt", "c\nd\n");
    let withdrawn = world.does(&[
        "withdraw",
        "--task",
        "photos",
        "--list",
        "object_lists/wrong.txt",
    ]);
    assert_eq!(withdrawn.code, Some(0), "{withdrawn:?}");
    write_list(
        &world,
        "first.txt",
        "a\nb\ngone\n../bad\n\na\nslow\nthere\nc\na\n",
    );
    write_list(
        &world,
        "awkward.url.txt",
        &format!("x%09y\nline%0Aend\nback%5Cslash\n{many}{many}"),
    );
    world.night(4);

    let mut refused = world.setup();
    refused.destination.secret = "wrong".into();
    write_list(&world, "third.txt", "d\ne\nf\n");
    world.configure(&refused);
    world.night(9);
    let mut alone = world.setup();
    alone.workers = 1;
    world.configure(&alone);
    let gate = world.server.gate("PutObject", "dst", Some("e"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    wait_until("the record of d", || {
        !world
            .rows("SELECT 1 FROM requests WHERE state = 'synced' AND name = 'd'")
            .is_empty()
    });
    night.kill();
    gate.open();
    // Another list under an old path.
    write_list(&world, "first.txt", "g\ngone\n");
    world.night(4);
    let limited = world.does(&["run", "--limit", "1"]);
    assert_eq!(limited.code, Some(0), "{limited:?}");
    write_list(&world, "last.txt", "a\nb\nc\n");
    let limited = world.does(&["run", "--limit", "1"]);
    assert_eq!(limited.code, Some(6), "{limited:?}");
    world.check_books();
    world
}

pub(super) fn lose(world: &World) {
    fs::remove_dir_all(world.data()).unwrap();
}

pub(super) fn rebuild(world: &World) {
    let rebuilt = world.does(&["ledger", "rebuild"]);
    assert_eq!(rebuilt.code, Some(0), "{rebuilt:?}");
}

/// A night that is refused before anything is tried.
fn refused(world: &World) {
    let copies = world.copies();
    let night = world.night(3);
    for part in [
        "is older than the lists in the destination",
        "oms/sync_task/photos/manifests/src-dst-",
        "nightferry ledger rebuild",
    ] {
        assert!(night.stderr.contains(part), "{part}: {}", night.stderr);
    }
    assert_eq!(world.copies(), copies);
}

#[test]
fn a_rebuilt_ledger_answers_as_the_lost_one_and_nothing_is_done_twice() {
    let world = lived_in();
    let before = answers(&world);
    lose(&world);
    world.ask("new", &["h", "a"]);
    world.put(&["h"]);
    refused(&world);
    rebuild(&world);
    compare(&before, &answers(&world));
    world.check_books();
    let verified = world.does(&["verify", "--task", "photos"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");

    world.server.clear_requests();
    // A copy of an old list, put there again.
    write_list(&world, "third.txt", "d\ne\nf\n");
    let night = world.night(0);
    assert!(
        night.stdout.contains("photos: run 10: 4 taken"),
        "{night:?}"
    );
    let asked =
        "SELECT name, state, reason, attempts FROM requests WHERE run = 10 ORDER BY request";
    // Of copies that the lost ledger made it is known only that they are newer.
    assert_eq!(
        world.rows(asked),
        [
            "b|ignored|newer_at_destination|1",
            "c|ignored|newer_at_destination|1",
            "h|synced||1",
            "a|ignored|newer_at_destination|1"
        ]
    );
    let requests = world.server.requests();
    let puts = requests.iter().filter(|it| it.operation == "PutObject");
    let copied: Vec<&str> = puts
        .map(|it| it.key.as_str())
        .filter(|key| !key.starts_with("oms/"))
        .collect();
    assert_eq!(copied, ["h"]);
    world.check_books();
    assert_eq!(world.does(&["verify", "--task", "photos"]).code, Some(0));
    let doctor = world.does(&["doctor"]);
    assert!(
        doctor.stdout.contains("knows the newest lists"),
        "{doctor:?}"
    );
}

#[test]
fn a_ledger_rebuilt_twice_is_the_same_and_the_old_one_is_kept_aside() {
    let world = lived_in();
    let before = answers(&world);
    let occupied = world.does(&["ledger", "rebuild"]);
    assert_eq!(occupied.code, Some(2), "{occupied:?}");
    for _ in 0..2 {
        let rebuilt = world.does(&["ledger", "rebuild", "--replace"]);
        assert_eq!(rebuilt.code, Some(0), "{rebuilt:?}");
        let books = &world.rows(
            "SELECT format('%d synced + %d failed + %d ignored + %d pending',
                           synced, failed, ignored, pending) FROM books",
        )[0];
        for said in [books, "the one before is kept as ", ".replaced-"] {
            assert!(rebuilt.stdout.contains(said), "{said}: {rebuilt:?}");
        }
        compare(&before, &answers(&world));
    }
    let aside = fs::read_dir(world.data()).unwrap();
    let aside = aside.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        let name = name.to_string_lossy();
        name.contains(".replaced-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    });
    assert_eq!(aside.count(), 2);
    // The lists are still there, and all of them known.
    let night = world.night(0);
    assert!(night.stdout.contains("2 taken"), "{night:?}");
    world.check_books();
}

#[test]
fn an_older_backup_is_refused() {
    let world = World::asked_for(&["a", "b"]);
    world.night(0);
    let backup = world.folder.path().join("backup.sqlite");
    let path = backup.to_str().unwrap();
    assert_eq!(world.does(&["ledger", "backup", path]).code, Some(0));
    world.put(&["c"]);
    world.ask("second", &["c"]);
    world.night(0);
    for side in ["-wal", "-shm"] {
        drop(fs::remove_file(
            world.data().join(format!("ledger.sqlite{side}")),
        ));
    }
    fs::copy(&backup, world.ledger_file()).unwrap();
    refused(&world);
    assert_eq!(world.runs().len(), 1, "no run was begun");
    let rehearsed = world.does(&["run", "--dry-run"]);
    assert_eq!(rehearsed.code, Some(3), "{rehearsed:?}");
    assert!(rehearsed.stderr.contains("is older than"), "{rehearsed:?}");
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(3), "{doctor:?}");
    assert!(doctor.stdout.contains("is older than"), "{doctor:?}");
}

#[test]
fn a_second_ledger_that_reads_another_source_is_refused() {
    let world = World::asked_for(&["a"]);
    world.night(0);
    world.night(0);
    let aside = world.folder.path().join("aside");
    fs::rename(world.data(), &aside).unwrap();
    // One that sorts before the first one's source, and one behind it.
    for other in ["qrc", "zrc"] {
        world.server.create_bucket(other);
        let mut setup = world.setup();
        setup.source.bucket = other.to_owned();
        world.configure(&setup);
        world.server.put(other, "b", "b");
        world.ask("first", &["b"]);
        refused(&world);
        let doctor = world.does(&["doctor"]);
        assert_eq!(doctor.code, Some(3), "{doctor:?}");
        assert!(doctor.stdout.contains("is older than"), "{doctor:?}");
        lose(&world);
    }
    // The ledger that was there first goes on, with another source, too.
    fs::rename(&aside, world.data()).unwrap();
    world.ask("second", &["b"]);
    world.night(0);
    world.ask("third", &["b"]);
    world.night(0);
    world.configure(&world.setup());
    world.ask("fourth", &["a"]);
    world.server.clear_requests();
    world.night(0);
    // Past the other history it is asked once more.
    let requests = world.server.requests();
    let looks = requests
        .iter()
        .filter(|it| it.operation == "ListObjectsV2" && it.query.contains("manifests"));
    assert_eq!(looks.count(), 2);
    let rebuilt = world.does(&["ledger", "rebuild", "--replace"]);
    assert_eq!(rebuilt.code, Some(0), "{rebuilt:?}");
}

#[test]
fn what_is_missing_or_damaged_in_the_bucket_is_named_and_no_ledger_is_made() {
    let world = World::asked_for(&["a", "b"]);
    world.night(0);
    world.put(&["c", "d"]);
    for name in ["c", "d"] {
        world.ask(name, &[name]);
        world.night(0);
    }
    lose(&world);
    let keys = world.server.keys("dst");
    let of = |folder: &str, run: u32| {
        let wanted = format!("_{run}");
        let mut keys = keys.iter().filter(|key| {
            key.contains(folder)
                && (key.contains(&format!("{wanted}/")) || key.contains(&format!("{wanted}.")))
        });
        keys.next().unwrap().clone()
    };
    let (list, journal, manifest) = (of("success", 2), of("journals", 3), of("manifests", 2));
    for (key, change, said) in [
        (&list, None, "is not in the destination bucket"),
        (&journal, None, "is not in the destination bucket"),
        (
            &manifest,
            None,
            "the manifest of run 2 of task photos is not",
        ),
        (&list, Some("shorter"), "its manifest says"),
        (&list, Some("altered"), "its SHA-256 is not the manifest's"),
        (&manifest, Some("altered"), "is not what was delivered"),
    ] {
        let object = world.server.object("dst", key).unwrap();
        let whole = object.body();
        match change {
            None => assert!(world.server.remove("dst", key)),
            Some("shorter") => world.server.put("dst", key, whole[1..].to_vec()),
            Some(_) => {
                let mut altered = whole.clone();
                altered[0] = b'x';
                world.server.put("dst", key, altered);
            }
        }
        let rebuilt = world.does(&["ledger", "rebuild"]);
        assert_eq!(rebuilt.code, Some(3), "{key}: {rebuilt:?}");
        assert!(rebuilt.stderr.contains(said), "{said}: {rebuilt:?}");
        let left = fs::read_dir(world.data()).unwrap();
        let left = left.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("ledger")
        });
        assert_eq!(left.count(), 0, "{key}");
        world.server.put("dst", key, whole);
    }
    rebuild(&world);
    world.night(0);
    world.check_books();
}

#[test]
fn without_a_network_no_ledger_is_made_and_none_is_refused() {
    let world = World::asked_for(&["a"]);
    world.night(0);
    lose(&world);
    let mut nowhere = world.setup();
    nowhere.destination.endpoint = "http://127.0.0.1:9".into();
    world.configure(&nowhere);
    let rebuilt = world.does(&["ledger", "rebuild"]);
    assert_eq!(rebuilt.code, Some(9), "{rebuilt:?}");
    assert!(!world.ledger_file().exists());
    // What cannot be compared cannot begin either.
    world.ask("second", &["a"]);
    world.night(9);
    world.configure(&world.setup());
    refused(&world);
}

/// `NAMES=100000 cargo test -- --ignored --nocapture seconds_until`
#[test]
#[ignore = "measures"]
fn seconds_until_the_fourth_night_runs() {
    let world = World::new();
    let names = std::env::var("NAMES").map_or(10_000, |names| names.parse().unwrap());
    let all: Vec<String> = (0..names).map(|it| format!("2026/{it:06}.jpg")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    // One in ten is there: what counts here is the books.
    let there: Vec<&str> = all.iter().copied().step_by(10).collect();
    world.put(&there);
    for (night, names) in ["1", "2", "3"].into_iter().zip(all.chunks(names / 3 + 1)) {
        world.ask(night, names);
        world.night(4);
    }
    let before = answers(&world);
    lose(&world);
    let began = std::time::Instant::now();
    rebuild(&world);
    let rebuilt = began.elapsed();
    compare(&before, &answers(&world));
    world.put(&["new"]);
    world.ask("4", &["new"]);
    let began = std::time::Instant::now();
    world.night(0);
    eprintln!(
        "rebuilt in {:.1} s, fourth night in {:.1} s",
        rebuilt.as_secs_f64(),
        began.elapsed().as_secs_f64()
    );
}
