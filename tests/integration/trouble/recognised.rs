//! Copies and uploads that a killed run left at the destination without having
//! written down what became of them.

use super::World;
use super::interrupted::wait_until;
use crate::s3_server::{Fault, FaultAction, NewObject};

const MIB: u64 = 1024 * 1024;

/// Kills the run once the destination has made the copy of `name`, before its
/// answer is on the way.
pub(super) fn killed_behind_the_copy(world: &World, operation: &'static str, name: &'static str) {
    let stalls = Fault::new(FaultAction::StallAnswer).operation(operation);
    world.server.on(stalls.key(name));
    let night = world.begins(&["run"]);
    // And what came before it is written down.
    wait_until("the copy", || {
        let made = world.server.object("dst", name).is_some();
        made && plans(world)
            .first()
            .is_some_and(|first| name.ends_with(first))
    });
    night.kill();
    world.server.clear_faults();
}

pub(super) fn plans(world: &World) -> Vec<String> {
    world.rows("SELECT name FROM planned_copy")
}

#[test]
fn a_copy_that_was_made_and_not_written_down_is_synced_by_the_next_run() {
    let world = World::asked_for(&["a"]);
    killed_behind_the_copy(&world, "PutObject", "a");
    assert_eq!(world.requests(), ["a|pending|"]);
    assert_eq!(plans(&world), ["a"]);
    let etag = world.server.object("dst", "a").unwrap().etag;
    world.night(0);
    assert_eq!(
        world.runs(),
        ["interrupted|1|0|0|0|1||", "ended|1|1|0|0|0|0|done"]
    );
    assert_eq!(world.requests(), ["a|synced|"]);
    assert_eq!(world.came("PutObject", "dst", "a"), 1);
    assert_eq!(
        world.rows("SELECT run, outcome, verified, copy_etag FROM object_history"),
        [format!("2|synced|etag_md5|{}", etag.trim_matches('"'))]
    );
    assert_eq!(plans(&world), [""; 0]);
    world.check_delivered();
    world.check_books();
    // The ledger knows it as its own copy from now on.
    world.ask("again", &["a"]);
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|", "a|ignored|already_copied"]);
}

/// Of the same length as what is at both ends, and older: only the plan can tell.
fn change_source(world: &World) {
    let changed = NewObject {
        body: b"b".to_vec(),
        last_modified: Some(std::time::SystemTime::now() - std::time::Duration::from_mins(30)),
        ..NewObject::default()
    };
    world.server.put("src", "a", changed);
}

#[test]
fn a_source_that_changed_after_the_copy_was_made_is_copied_again() {
    let world = World::asked_for(&["a"]);
    killed_behind_the_copy(&world, "PutObject", "a");
    change_source(&world);
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    assert_eq!(world.server.object("dst", "a").unwrap().body(), b"b");
    world.check_books();
}

#[test]
fn a_copy_that_was_made_is_known_even_if_the_run_that_was_to_replace_it_died_too() {
    let world = World::asked_for(&["a"]);
    killed_behind_the_copy(&world, "PutObject", "a");
    change_source(&world);
    let gate = world.server.gate("PutObject", "dst", Some("a"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    night.kill();
    gate.open();
    assert_eq!(world.server.object("dst", "a").unwrap().body(), b"a");
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    assert_eq!(world.server.object("dst", "a").unwrap().body(), b"b");
    world.check_books();
}

#[test]
fn what_others_put_there_meanwhile_is_not_taken_for_the_copy() {
    let world = World::asked_for(&["a"]);
    let gate = world.server.gate("PutObject", "dst", Some("a"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    night.kill();
    world.server.put("dst", "a", "x");
    gate.open();
    world.night(0);
    assert_eq!(world.requests(), ["a|ignored|newer_at_destination"]);
    assert_eq!(world.server.object("dst", "a").unwrap().body(), b"x");
    assert_eq!(plans(&world), [""; 0]);
    world.check_books();
}

#[test]
fn a_copy_whose_tag_says_nothing_is_known_by_its_bytes() {
    for (same, expected) in [
        (true, "a|synced|"),
        (false, "a|ignored|newer_at_destination"),
    ] {
        let world = World::asked_for(&["a"]);
        // An object of parts: its tag is no MD5.
        world
            .server
            .set_etag("src", "a", "9ed1514d1be2cb3ee3ac9b43ec9a1a4c-1");
        killed_behind_the_copy(&world, "PutObject", "a");
        if !same {
            world.server.put("dst", "a", "b");
        }
        world.night(0);
        assert_eq!(world.requests(), [expected]);
        let verified = world.rows("SELECT verified FROM object_history");
        assert_eq!(verified, [if same { "sha256" } else { "" }]);
        assert_eq!(world.came("PutObject", "dst", "a"), 1);
        world.check_books();
    }
}

#[test]
fn a_copy_whose_answer_was_lost_is_found_by_the_same_run() {
    let world = World::asked_for(&["a"]);
    let lost = Fault::new(FaultAction::DropAnswer).operation("PutObject");
    world.server.on(lost.key("a").times(1));
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    // The second attempt was refused, since the destination keeps the condition
    // that there was nothing: so the run looked again.
    assert_eq!(world.came("PutObject", "dst", "a"), 2);
    assert_eq!(world.came("HeadObject", "dst", "a"), 2);
    world.check_books();
}

#[test]
fn a_copy_whose_answers_were_all_lost_is_synced_the_next_day() {
    let world = World::asked_for(&["a"]);
    let lost = Fault::new(FaultAction::DropAnswer).operation("PutObject");
    world.server.on(lost.key("a").times(1));
    let unreachable = Fault::new(FaultAction::DropConnection).operation("PutObject");
    world.server.on(unreachable.key("a"));
    world.night(4);
    assert_eq!(world.requests(), ["a|failed|network"]);
    assert_eq!(plans(&world), ["a"]);
    world.server.clear_faults();
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    assert_eq!(plans(&world), [""; 0]);
}

#[test]
fn what_others_write_between_the_look_and_the_copy_is_not_overwritten() {
    for there_before in [false, true] {
        let world = World::asked_for(&["a"]);
        if there_before {
            let old = NewObject {
                last_modified: Some(
                    std::time::SystemTime::now() - std::time::Duration::from_hours(9),
                ),
                body: b"o".to_vec(),
                ..NewObject::default()
            };
            world.server.put("dst", "a", old);
        }
        let meanwhile = FaultAction::call_back(|server| {
            server.put("dst", "a", "x");
        });
        let fault = Fault::new(meanwhile).operation("GetObject").key("a");
        // The first read is the preflight's.
        world.server.on(fault.after(1).times(1));
        world.night(0);
        assert_eq!(world.requests(), ["a|ignored|newer_at_destination"]);
        assert_eq!(world.server.object("dst", "a").unwrap().body(), b"x");
        assert_eq!(world.came("PutObject", "dst", "a"), 1, "it was refused");
        world.check_books();
    }
}

/// A world with a film of three parts, of which the destination has the first
/// when the run is killed.
fn killed_in_a_film() -> World {
    let world = World::one_by_one(&[]);
    world.server.put_random("src", "film", 12 * MIB, 7);
    world.ask("list", &["film"]);
    let gate = world.server.gate("UploadPart", "dst", Some("film"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    gate.let_pass(1);
    wait_until("the record of the first part", || {
        world.rows("SELECT part FROM upload_part") == ["1"]
    });
    night.kill();
    gate.open();
    world
}

fn check_film(world: &World) {
    let copy = world.server.object("dst", "film").unwrap();
    let original = world.server.object("src", "film").unwrap();
    assert_eq!(copy.sha256(), original.sha256());
    assert_eq!(world.server.uploads("dst"), []);
    assert_eq!(world.rows("SELECT name FROM upload"), [""; 0]);
    assert_eq!(world.rows("SELECT part FROM upload_part"), [""; 0]);
    world.check_books();
}

#[test]
fn an_upload_of_a_killed_run_goes_on_with_the_parts_that_are_missing() {
    let world = killed_in_a_film();
    let before = world.came("UploadPart", "dst", "film");
    world.night(0);
    assert_eq!(world.requests(), ["film|synced|"]);
    assert_eq!(world.came("CreateMultipartUpload", "dst", "film"), 1);
    assert_eq!(world.came("UploadPart", "dst", "film") - before, 2);
    check_film(&world);
}

#[test]
fn an_object_longer_than_a_night_arrives_in_several() {
    let world = World::one_by_one(&[]);
    world.server.put_random("src", "film", 22 * MIB, 7);
    world.ask("list", &["film"]);
    for _night in 0..4 {
        let gate = world.server.gate("UploadPart", "dst", Some("film"));
        let night = world.begins(&["run"]);
        gate.wait_arrived();
        let before = world.rows("SELECT part FROM upload_part").len();
        gate.let_pass(1);
        wait_until("the record of a part", || {
            world.rows("SELECT part FROM upload_part").len() > before
        });
        night.kill();
        gate.open();
    }
    world.night(0);
    assert_eq!(world.requests(), ["film|synced|"]);
    assert_eq!(world.came("CreateMultipartUpload", "dst", "film"), 1);
    check_film(&world);
}

#[test]
fn an_upload_whose_source_changed_is_aborted_and_begun_anew() {
    let world = killed_in_a_film();
    world.server.put_random("src", "film", 12 * MIB, 8);
    world.night(0);
    assert_eq!(world.came("CreateMultipartUpload", "dst", "film"), 2);
    check_film(&world);
}

#[test]
fn an_upload_that_nobody_asks_for_any_more_is_aborted() {
    let world = killed_in_a_film();
    assert_eq!(
        world
            .does(&["withdraw", "--task", "photos", "--name", "film"])
            .code,
        Some(0)
    );
    world.put(&["a"]);
    world.ask("other", &["a"]);
    world.night(0);
    assert_eq!(world.server.uploads("dst"), []);
    assert_eq!(world.rows("SELECT name FROM upload"), [""; 0]);
    assert_eq!(world.copies(), ["a"]);
    world.check_books();
}

#[test]
fn an_upload_that_was_completed_and_not_written_down_is_synced_by_the_next_run() {
    let world = World::one_by_one(&[]);
    world.server.put_random("src", "film", 12 * MIB, 7);
    world.ask("list", &["film"]);
    killed_behind_the_copy(&world, "CompleteMultipartUpload", "film");
    let reads = world.came("GetObject", "src", "film");
    world.night(0);
    assert_eq!(world.requests(), ["film|synced|"]);
    assert_eq!(
        world.rows("SELECT verified FROM object_history"),
        ["etag_md5"]
    );
    // One read is the preflight's.
    assert_eq!(world.came("GetObject", "src", "film") - reads, 1);
    check_film(&world);
}

#[test]
fn settling_completes_what_a_killed_run_left_and_moves_nothing() {
    let world = World::one_by_one(&["a", "b", "c"]);
    killed_behind_the_copy(&world, "PutObject", "b");
    world.ask("later", &["a"]);
    let settled = world.does(&["run", "--settle-only"]);
    assert_eq!(settled.code, Some(6), "{settled:?}");
    assert_eq!(
        world.runs(),
        ["interrupted|3|1|0|0|2||", "ended|2|1|0|0|1|6|deferred"]
    );
    // The new list was not taken in.
    assert_eq!(world.requests(), ["a|synced|", "b|synced|", "c|pending|"]);
    assert_eq!(
        world.rows("SELECT DISTINCT deferral FROM pending_requests"),
        ["limit"]
    );
    assert_eq!(world.copies(), ["a", "b"]);
    assert_eq!(world.came("PutObject", "dst", "c"), 0);
    assert_eq!(world.manifests(), 2);
    assert_eq!(world.listed("success", 1), ["a"]);
    assert_eq!(world.listed("success", 2), ["b"]);
    world.check_books();
    world.night(0);
    assert_eq!(
        world.requests(),
        [
            "a|synced|",
            "b|synced|",
            "c|synced|",
            "a|ignored|already_copied"
        ]
    );
    world.check_delivered();
    world.check_books();
}

#[test]
fn settling_when_nothing_is_left_is_done_at_once() {
    let world = World::asked_for(&["a"]);
    world.night(0);
    assert_eq!(world.does(&["run", "--settle-only"]).code, Some(0));
    assert_eq!(world.runs()[1], "ended|0|0|0|0|0|0|done");
}
