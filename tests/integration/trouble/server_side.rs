//! Nights in which the server copies by itself, until it does not.

use super::World;
use super::recognised::{killed_behind_the_copy, plans};
use super::setup::Setup;
use crate::s3_server::{Fault, FaultAction};

const MIB: u64 = 1024 * 1024;

/// A world in which these objects are asked for and the server may copy them.
fn world(names: &[&str]) -> World {
    let world = World::asked_for(names);
    world.configure(&Setup {
        server_side: true,
        ..world.setup()
    });
    world
}

fn check_same(world: &World, names: &[&str]) {
    for name in names {
        let copy = world.server.object("dst", name).unwrap();
        let original = world.server.object("src", name).unwrap();
        assert_eq!(copy.sha256(), original.sha256(), "{name}");
    }
    world.check_delivered();
    world.check_books();
}

/// How many requests of this operation came about these names in the bucket.
fn came(world: &World, operation: &str, bucket: &str, names: &[&str]) -> usize {
    let of = |name: &&str| world.came(operation, bucket, name);
    names.iter().map(of).sum()
}

#[test]
fn a_night_at_one_endpoint_reads_and_writes_no_object() {
    let names = ["a", "b/ü+c d", "50%?x#y", "/lead//ing/", "film"];
    let world = world(&names);
    world.server.put_random("src", "film", 40 * MIB, 7);
    world.night(0);
    assert_eq!(world.runs(), ["ended|5|5|0|0|0|0|done"]);
    assert_eq!(came(&world, "CopyObject", "dst", &names), 5);
    assert_eq!(came(&world, "PutObject", "dst", &names), 0);
    assert_eq!(came(&world, "CreateMultipartUpload", "dst", &names), 0);
    // The preflight begins to read the first object that it finds.
    assert_eq!(came(&world, "GetObject", "src", &names), 1);
    assert_eq!(
        world.rows("SELECT DISTINCT outcome, verified FROM object_history"),
        ["synced|etag_md5"]
    );
    check_same(&world, &names);
    world.ask("again", &names);
    world.night(0);
    assert_eq!(came(&world, "CopyObject", "dst", &names), 5);
    assert_eq!(world.runs()[1], "ended|5|0|0|5|0|0|done");
}

#[test]
fn a_night_of_neighbours_is_one_copy_an_object_and_all_are_proven() {
    let names: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world(&names);
    world.night(0);
    assert_eq!(
        world.rows("SELECT verified, count(*) FROM object_history GROUP BY 1"),
        ["etag_md5|300"]
    );
    assert_eq!(came(&world, "CopyObject", "dst", &names), 300);
    // They were found by listings, once those were worth it.
    let heads = came(&world, "HeadObject", "src", &names);
    let seen = came(&world, "HeadObject", "dst", &names);
    assert!(heads < 10 && seen < 10, "{heads} {seen}");
}

#[test]
fn a_task_that_says_never_reads_and_writes() {
    let world = World::asked_for(&["a"]);
    world.night(0);
    assert_eq!(world.came("CopyObject", "dst", "a"), 0);
    assert_eq!(world.came("PutObject", "dst", "a"), 1);
}

#[test]
fn a_night_whose_copies_are_forbidden_reads_and_writes() {
    let names: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world(&names);
    world.server.put_random("src", "00", 12 * MIB, 7);
    let forbidden = Fault::answer(403, "AccessDenied").operation("CopyObject");
    world.server.on(forbidden);
    let ended = world.does(&["run", "-v"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.runs(), ["ended|40|40|0|0|0|0|done"]);
    // No more than had been sent before the first answer came, by four workers.
    assert!((1..=8).contains(&came(&world, "CopyObject", "dst", &names)));
    let said = "what the server could copy by itself is read and written: CopyObject";
    assert_eq!(ended.stderr.matches(said).count(), 1, "{ended:?}");
    check_same(&world, &names);
}

#[test]
fn a_server_side_copy_that_was_not_written_down_is_synced_by_the_next_run() {
    for (etag, verified) in [
        (None, "etag_md5"),
        // Of parts: the copy gets another tag, and its bytes are compared.
        (Some("9ed1514d1be2cb3ee3ac9b43ec9a1a4c-1"), "sha256"),
    ] {
        let world = world(&["a"]);
        if let Some(etag) = etag {
            world.server.set_etag("src", "a", etag);
        }
        killed_behind_the_copy(&world, "CopyObject", "a");
        if etag.is_some() {
            world
                .server
                .set_etag("dst", "a", "0cc175b9c0f1b6a831c399e269772661");
        }
        world.night(0);
        assert_eq!(
            world.runs(),
            ["interrupted|1|0|0|0|1||", "ended|1|1|0|0|0|0|done"]
        );
        assert_eq!(world.requests(), ["a|synced|"]);
        assert_eq!(world.came("CopyObject", "dst", "a"), 1);
        assert_eq!(world.came("PutObject", "dst", "a"), 0);
        assert_eq!(
            world.rows("SELECT verified FROM object_history"),
            [verified]
        );
        assert_eq!(plans(&world), [""; 0]);
        check_same(&world, &["a"]);
    }
}

#[test]
fn a_server_side_copy_whose_answer_was_lost_is_found_by_the_same_run() {
    let world = world(&["a"]);
    let lost = Fault::new(FaultAction::DropAnswer).operation("CopyObject");
    world.server.on(lost.key("a").times(1));
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    assert_eq!(world.came("CopyObject", "dst", "a"), 2);
    assert_eq!(world.came("PutObject", "dst", "a"), 0);
    check_same(&world, &["a"]);
}

#[test]
fn what_others_write_before_the_server_copies_is_not_overwritten() {
    let world = world(&["a"]);
    let meanwhile = FaultAction::call_back(|server| server.put("dst", "a", "x"));
    let meanwhile = Fault::new(meanwhile).operation("CopyObject");
    world.server.on(meanwhile.times(1));
    world.night(0);
    assert_eq!(world.requests(), ["a|ignored|newer_at_destination"]);
    assert_eq!(world.server.object("dst", "a").unwrap().body(), b"x");
    world.check_books();
}

#[test]
fn a_source_that_changes_before_the_server_copies_is_looked_at_anew() {
    for heeds in [true, false] {
        let world = world(&["a"]);
        let changes = FaultAction::call_back(|server| server.put("src", "a", "other"));
        let changes = Fault::new(changes).operation("CopyObject");
        world.server.on(changes.times(1));
        if !heeds {
            let careless = Fault::new(FaultAction::IgnoreCopySourceConditions);
            world.server.on(careless.operation("CopyObject"));
        }
        world.night(0);
        assert_eq!(world.requests(), ["a|synced|"]);
        assert_eq!(world.came("CopyObject", "dst", "a"), 2);
        check_same(&world, &["a"]);
    }
}

#[test]
fn what_the_server_copied_wrong_is_read_and_written() {
    let names = ["a", "b", "c"];
    let world = world(&names);
    let spoils = Fault::new(FaultAction::StoreCorrupted).operation("CopyObject");
    world.server.on(spoils);
    world.night(0);
    assert_eq!(world.runs(), ["ended|3|3|0|0|0|0|done"]);
    assert_eq!(came(&world, "PutObject", "dst", &names), 3);
    check_same(&world, &names);
}

#[test]
fn a_missing_source_fails_as_such() {
    let world = world(&["a"]);
    world.ask("more", &["gone"]);
    world.night(4);
    assert_eq!(
        world.requests(),
        ["a|synced|", "gone|failed|source_missing"]
    );
    world.check_books();
}
