//! What killed runs and lost ledgers left under one prefix, once the task has another.

use super::interrupted::wait_until;
use super::recognised::{killed_behind_the_copy, plans};
use super::setup::Setup;
use super::{World, machine_lost};

const MIB: u64 = 1024 * 1024;

fn set_prefix(world: &World, destination_lines: &'static str) {
    world.configure(&Setup {
        workers: 1,
        destination_lines,
        ..world.setup()
    });
}

/// A run that was killed while it put a film into parts under `one/`.
fn killed_in_a_film() -> World {
    let world = World::one_by_one(&[]);
    set_prefix(&world, "prefix = \"one/\"\n");
    world.server.put_random("src", "film", 22 * MIB, 7);
    world.ask("list", &["film"]);
    let gate = world.server.gate("UploadPart", "dst", Some("one/film"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    gate.let_pass(1);
    wait_until("the record of a part", || {
        !world.rows("SELECT part FROM upload_part").is_empty()
    });
    night.kill();
    gate.open();
    world
}

fn check_film(world: &World, place: &str) {
    let copy = world.server.object("dst", place).unwrap();
    let original = world.server.object("src", "film").unwrap();
    assert_eq!(copy.sha256(), original.sha256());
    assert_eq!(world.copies(), [place]);
    assert_eq!(world.server.uploads("dst"), []);
    assert_eq!(world.rows("SELECT name FROM upload"), [""; 0]);
    world.check_books();
}

#[test]
fn an_upload_under_the_same_prefix_goes_on() {
    let world = killed_in_a_film();
    world.night(0);
    assert_eq!(world.came("CreateMultipartUpload", "dst", "one/film"), 1);
    check_film(&world, "one/film");
}

#[test]
fn an_upload_under_another_prefix_is_aborted_there_and_begun_anew_here() {
    let world = killed_in_a_film();
    set_prefix(&world, "prefix = \"two/\"\n");
    world.night(0);
    assert_eq!(world.came("AbortMultipartUpload", "dst", "one/film"), 1);
    assert_eq!(world.came("CreateMultipartUpload", "dst", "two/film"), 1);
    check_film(&world, "two/film");
    assert_eq!(
        world.rows("SELECT destination_name FROM object_history"),
        ["two/film"]
    );
}

#[test]
fn an_upload_under_another_prefix_that_nobody_asks_for_any_more_is_aborted_there() {
    let world = killed_in_a_film();
    set_prefix(&world, "");
    let withdrawn = world.does(&["withdraw", "--task", "photos", "--name", "film"]);
    assert_eq!(withdrawn.code, Some(0), "{withdrawn:?}");
    world.put(&["a"]);
    world.ask("other", &["a"]);
    world.night(0);
    assert_eq!(world.came("AbortMultipartUpload", "dst", "one/film"), 1);
    assert_eq!(world.server.uploads("dst"), []);
    assert_eq!(world.rows("SELECT name FROM upload"), [""; 0]);
}

#[test]
fn a_copy_that_was_planned_under_the_prefix_is_recognised_there_and_not_elsewhere() {
    let world = World::one_by_one(&["a"]);
    set_prefix(&world, "prefix = \"one/\"\n");
    killed_behind_the_copy(&world, "PutObject", "one/a");
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    assert_eq!(world.came("PutObject", "dst", "one/a"), 1);

    world.put(&["b"]);
    world.ask("more", &["b"]);
    killed_behind_the_copy(&world, "PutObject", "one/b");
    set_prefix(&world, "prefix = \"two/\"\n");
    world.night(0);
    assert_eq!(world.came("PutObject", "dst", "two/b"), 1);
    assert_eq!(world.copies(), ["one/a", "one/b", "two/b"]);
    assert_eq!(plans(&world), [""; 0]);
    world.check_books();
}

#[test]
fn a_rebuilt_ledger_knows_where_each_copy_was_put() {
    let world = World::one_by_one(&["a"]);
    world.night(0);
    set_prefix(&world, "prefix = \"mirror/\"\n");
    world.night(0);
    world.put(&["b"]);
    world.ask("more", &["a", "b"]);
    world.night(0);
    let places = "SELECT run, name, destination_name, outcome FROM object_history ORDER BY request";
    let prefixes = "SELECT number, destination_prefix FROM run ORDER BY number";
    let before = (world.rows(places), world.rows(prefixes));
    assert_eq!(before.1, ["1|", "2|mirror/", "3|mirror/"]);
    machine_lost::lose(&world);
    machine_lost::rebuild(&world);
    assert_eq!((world.rows(places), world.rows(prefixes)), before);
    assert_eq!(
        before.0,
        ["1|a|a|synced", "3|a|mirror/a|synced", "3|b|mirror/b|synced"]
    );
    world.put(&["c"]);
    world.ask("again", &["c", "a"]);
    world.night(0);
    assert_eq!(
        world.rows(&format!("SELECT * FROM ({places}) WHERE run = 4")),
        ["4|c|mirror/c|synced", "4|a|mirror/a|ignored"]
    );
    world.check_delivered();
    world.check_books();
}
