//! Objects that change or vanish between the look at them and the copy.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::World;
use super::interrupted::wait_until;
use crate::s3_server::{Fault, FaultAction, S3Server};

const MIB: u64 = 1024 * 1024;

/// Does `change` just before the copy of `key` is read, so many times. An older
/// object at the destination has the source asked about it before.
fn before_reading(world: &World, key: &str, times: usize, change: fn(&S3Server)) {
    world.server.put("dst", key, "");
    let fault = Fault::new(FaultAction::call_back(change));
    world.server.on(fault
        .operation("GetObject")
        .bucket("src")
        .key(key)
        .times(times));
}

#[test]
fn an_object_that_changes_meanwhile_is_copied_in_its_new_form() {
    let world = World::asked_for(&["a", "b"]);
    // Not `a`, which the preflight reads.
    before_reading(&world, "b", 1, |server| {
        server.put("src", "b", "the new form");
    });
    world.night(0);
    let source = world.server.object("src", "b").unwrap();
    let copy = world.server.object("dst", "b").unwrap();
    assert_eq!(copy.body(), b"the new form");
    assert_eq!(
        world.rows(
            "SELECT attempt, outcome, source_etag, source_size_bytes, copy_etag, verified
             FROM object_history WHERE name = 'b'"
        ),
        [format!(
            "1|synced|{}|12|{}|etag_md5",
            source.etag, copy.etag
        )]
    );
    assert_eq!(
        world.rows("SELECT retries, throttled, synced_bytes FROM run_history"),
        ["1|0|13"]
    );
    world.check_books();
}

#[test]
fn an_object_that_never_stands_still_fails_and_is_carried_over() {
    let world = World::asked_for(&["a", "b"]);
    before_reading(&world, "b", 9, |server| {
        let longer = [server.object("src", "b").unwrap().body(), b"+".to_vec()].concat();
        server.put("src", "b", longer);
    });
    world.night(4);
    assert_eq!(world.requests(), ["a|synced|", "b|failed|source_changed"]);
    assert_eq!(
        world.rows("SELECT carried_over, days_left, http_status FROM failed_requests"),
        ["1|7|412"]
    );
    // Three looks, the two after the first count as retries.
    assert_eq!(world.came("GetObject", "src", "b"), 3);
    assert_eq!(world.rows("SELECT retries FROM run_history"), ["2"]);
    world.server.clear_faults();
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|", "b|synced|"]);
    world.check_books();
}

#[test]
fn an_object_that_is_deleted_meanwhile_is_missing() {
    let world = World::asked_for(&["a", "b"]);
    before_reading(&world, "b", 1, |server| {
        server.remove("src", "b");
    });
    world.night(4);
    assert_eq!(world.requests(), ["a|synced|", "b|failed|source_missing"]);
    assert_eq!(
        world.rows("SELECT carried_over, error_code, http_status FROM failed_requests"),
        ["0|NoSuchKey|404"]
    );
    assert_eq!(world.server.object("dst", "b").unwrap().body(), b"");
}

/// A world with an object of three parts that changes when the second is read.
fn with_a_film_that_changes() -> World {
    let world = World::asked_for(&["a"]);
    world.server.put_random("src", "film", 12 * MIB, 1);
    world.ask("second", &["film"]);
    let change = |server: &S3Server| server.put_random("src", "film", 11 * MIB, 2);
    let fault = Fault::new(FaultAction::call_back(change)).operation("GetObject");
    world.server.on(fault.key("film").after(1).times(1));
    world
}

#[test]
fn an_object_in_parts_that_changes_meanwhile_is_copied_in_its_new_form() {
    let world = with_a_film_that_changes();
    world.night(0);
    let source = world.server.object("src", "film").unwrap();
    let copy = world.server.object("dst", "film").unwrap();
    assert_eq!(copy.sha256(), source.sha256());
    assert_eq!(world.server.uploads("dst"), []);
    assert_eq!(
        world.rows("SELECT source_etag, source_size_bytes FROM object_history WHERE name = 'film'"),
        [format!("{}|{}", source.etag, 11 * MIB)]
    );
    world.check_books();
}

#[test]
fn what_the_ledger_says_late_of_an_upload_given_up_is_not_taken_for_the_next_one() {
    let world = with_a_film_that_changes();
    // The only part that is sent arrives last, while the ledger is locked...
    let ledger = world.ledger_file();
    let locked = Arc::new(Mutex::new(None));
    let lock = Arc::clone(&locked);
    let locks = FaultAction::call_back(move |server| {
        wait_until("the other parts", || {
            let all = server.requests();
            let mut reads = all
                .iter()
                .filter(|r| r.operation == "GetObject" && r.key == "film");
            reads.nth(2).is_some()
        });
        let connection = Connection::open(&ledger).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        *lock.lock().unwrap() = Some(connection);
    });
    let fault = Fault::new(locks).operation("UploadPart").key("film");
    world.server.on(fault.times(1));
    // ...until the object has been looked at again.
    let frees = FaultAction::call_back(move |_| {
        let locked = Arc::clone(&locked);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            locked.lock().unwrap().take();
        });
    });
    let fault = Fault::new(frees).operation("HeadObject").bucket("dst");
    world.server.on(fault.key("film").after(1).times(1));
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|", "film|synced|"]);
    assert_eq!(world.came("CreateMultipartUpload", "dst", "film"), 2);
    world.check_books();
}
