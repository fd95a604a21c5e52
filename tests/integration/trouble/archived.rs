//! Nights whose objects lie in an archive: they fail, or are brought back and carried by
//! a later night.

use std::time::{Duration, SystemTime};

use super::interrupted::wait_until;
use super::setup::Setup;
use super::{SOURCE_KEY, World};
use crate::s3_server::{Fault, FaultAction, LoggedRequest, NewObject, Rights};

const RESTORE: &str = "restore = { days = 3 }";

/// The key of the source may also have objects brought back.
const RESTORER: Rights = Rights {
    restore: true,
    ..Rights::READ_ONLY
};

/// A world in which these objects are archived and asked for, with more lines in its task.
fn world(names: &[&str], task_lines: &'static str) -> World {
    let world = World::new();
    world.server.set_rights(SOURCE_KEY, RESTORER);
    world.configure(&Setup {
        task_lines,
        ..world.setup()
    });
    for name in names {
        archive(&world, name, "GLACIER");
    }
    world.ask("first", names);
    world
}

fn archive(world: &World, name: &str, class: &str) {
    let mut object = NewObject::from(name);
    let class = ("x-amz-storage-class".to_owned(), class.to_owned());
    object.headers.extend([class]);
    object.last_modified = Some(SystemTime::now() - Duration::from_hours(1));
    world.server.put("src", name, object);
}

/// How many objects the source was asked for.
fn asked(world: &World) -> usize {
    let requests = world.server.requests();
    let of = |request: &&LoggedRequest| request.operation == "RestoreObject";
    requests.iter().filter(of).count()
}

fn pending(world: &World) -> Vec<String> {
    world.rows("SELECT name, deferral FROM pending_requests ORDER BY request")
}

#[test]
fn without_restore_an_archived_object_fails_at_once_and_nothing_is_written() {
    let world = world(&["a", "b"], "");
    archive(&world, "b", "DEEP_ARCHIVE");
    archive(&world, "instant", "GLACIER_IR");
    world.ask("second", &["instant"]);
    let ended = world.night(4);
    assert_eq!(world.runs(), ["ended|3|1|2|0|0|4|failed"]);
    assert_eq!(
        world.requests(),
        [
            "a|failed|source_archived",
            "b|failed|source_archived",
            "instant|synced|"
        ]
    );
    assert_eq!(world.copies(), ["instant"]);
    assert_eq!(asked(&world), 0);
    assert!(
        ended.stderr.contains("`restore`") || ended.stdout.contains("`restore`"),
        "{ended:?}"
    );
    world.night(0);
    assert_eq!(world.runs()[1], "ended|0|0|0|0|0|0|done");
    world.check_books();
}

#[test]
fn an_archived_object_is_asked_for_once_awaited_and_carried_by_the_night_that_finds_it() {
    let world = world(&["a"], RESTORE);
    // The first that is listed is read by the preflight.
    world.put(&["0", "b"]);
    world.ask("second", &["b", "a"]);
    // Asked.
    let ended = world.night(0);
    assert_eq!(world.runs(), ["ended|3|1|0|0|2|0|done"]);
    assert!(
        ended.stdout.contains("2 deferred: awaiting_restore"),
        "{ended:?}"
    );
    assert_eq!(
        pending(&world),
        ["a|awaiting_restore", "a|awaiting_restore"]
    );
    let restores = "SELECT name, run, tier, days, size_bytes, awaited FROM archive_restores";
    assert_eq!(world.rows(restores), ["a|1|Standard|3|1|1"]);
    let status = world.does(&["status"]).stdout;
    assert!(status.contains("Awaiting restore"), "{status}");
    // Waiting.
    world.server.clear_requests();
    world.night(0);
    assert_eq!(world.runs()[1], "ended|2|0|0|0|2|0|done");
    assert_eq!((asked(&world), world.came("GetObject", "src", "a")), (0, 0));
    assert_eq!(world.came("HeadObject", "src", "a"), 1);
    assert_eq!(world.rows(restores), ["a|1|Standard|3|1|1"]);
    let why = world.does(&["why", "--task", "photos", "a"]).stdout;
    assert!(
        why.contains("pending; the last run left it (awaiting_restore)"),
        "{why}"
    );
    assert!(
        why.contains("to bring it back (Standard, for 3 days)"),
        "{why}"
    );
    // There.
    world.server.finish_restores("src");
    world.night(0);
    assert_eq!(world.runs()[2], "ended|2|1|0|1|0|0|done");
    assert_eq!(
        world.requests(),
        ["a|synced|", "b|synced|", "a|ignored|duplicate"]
    );
    assert_eq!(world.server.object("dst", "a").unwrap().body(), b"a");
    assert_eq!(world.rows(restores), ["a|1|Standard|3|1|0"]);
    assert_eq!(asked(&world), 0);
    world.check_delivered();
    world.check_books();
}

#[test]
fn an_object_whose_days_are_over_before_it_was_carried_is_asked_for_again() {
    let world = world(&["a"], "restore = { days = 1, tier = \"Bulk\" }");
    world.night(0);
    world.server.finish_restores("src");
    world.server.expire_restores("src");
    world.night(0);
    assert_eq!(asked(&world), 2);
    let restores = "SELECT run, tier, days, awaited FROM archive_restores ORDER BY run";
    assert_eq!(world.rows(restores), ["1|Bulk|1|0", "2|Bulk|1|1"]);
    assert_eq!(pending(&world), ["a|awaiting_restore"]);
    world.server.finish_restores("src");
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    world.check_books();
}

#[test]
fn what_a_killed_night_has_asked_for_is_awaited_by_the_next() {
    let world = world(&["a"], RESTORE);
    let stall = Fault::new(FaultAction::StallAnswer).operation("RestoreObject");
    world.server.on(stall);
    let night = world.begins(&["run"]);
    wait_until("it was asked for", || {
        world.server.is_being_restored("src", "a")
    });
    night.kill();
    world.server.clear_faults();
    world.night(0);
    assert_eq!(asked(&world), 1);
    assert_eq!(
        world.rows("SELECT run, tier, days, awaited FROM archive_restores"),
        ["2|||1"]
    );
    assert_eq!(pending(&world), ["a|awaiting_restore"]);
    let why = world.does(&["why", "--task", "photos", "a"]).stdout;
    assert!(why.contains("found at"), "{why}");
    world.server.finish_restores("src");
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    world.check_books();
}

#[test]
fn only_what_the_rule_says_to_copy_is_asked_for() {
    let world = world(&["a", "b"], RESTORE);
    world.server.put("dst", "a", "a");
    world.night(0);
    assert_eq!(asked(&world), 1);
    assert_eq!(
        world.requests(),
        ["a|ignored|newer_at_destination", "b|pending|"]
    );
    world.check_books();
}

#[test]
fn a_mass_of_archived_objects_opens_no_breaker_and_hides_nothing_that_can_be_read() {
    let names: Vec<String> = (0..100).map(|number| format!("{number:03}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world(&names, RESTORE);
    world.put(&["zz"]);
    names.push("zz");
    world.ask("second", &["zz"]);
    world.night(0);
    assert_eq!(world.runs(), ["ended|101|1|0|0|100|0|done"]);
    assert_eq!(asked(&world), 100);
    world.night(0);
    assert_eq!(asked(&world), 100);
    world.server.finish_restores("src");
    world.night(0);
    assert_eq!(world.runs()[2], "ended|100|100|0|0|0|0|done");
    // In the bill of the source they are among the puts.
    let puts = "SELECT run, puts FROM request_bill WHERE side = 'source' AND puts > 0";
    assert_eq!(world.rows(puts), ["1|100"]);
    world.check_books();
}

#[test]
fn the_server_is_not_asked_to_copy_what_is_archived() {
    let world = world(&["a"], RESTORE);
    world.configure(&Setup {
        server_side: true,
        task_lines: RESTORE,
        ..world.setup()
    });
    world.night(0);
    assert_eq!(world.came("CopyObject", "dst", "a"), 0);
    assert_eq!(pending(&world), ["a|awaiting_restore"]);
    world.server.finish_restores("src");
    world.night(0);
    assert_eq!(world.came("CopyObject", "dst", "a"), 1);
    assert_eq!(world.requests(), ["a|synced|"]);
}

#[test]
fn a_copy_that_the_server_refuses_for_the_archive_is_that_cause_and_is_brought_back() {
    for (task_lines, code, state) in [
        ("", 4, "a|failed|source_archived"),
        (RESTORE, 0, "a|pending|"),
    ] {
        let world = world(&[], task_lines);
        world.configure(&Setup {
            server_side: true,
            task_lines,
            ..world.setup()
        });
        // By its name nobody knows that this is an archive's class.
        archive(&world, "a", "FROZEN");
        world.ask("first", &["a"]);
        let refused = Fault::answer(403, "ObjectNotInActiveTierError");
        world.server.on(refused.operation("CopyObject").key("a"));
        world.night(code);
        assert_eq!(world.requests(), [state]);
        assert_eq!(asked(&world), usize::from(code == 0));
    }
}

#[test]
fn without_the_permission_it_fails_and_says_which_one_is_missing() {
    let names: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world(&names, RESTORE);
    world.server.set_rights(SOURCE_KEY, Rights::READ_ONLY);
    world.night(4);
    assert_eq!(world.runs(), ["ended|30|0|30|0|0|4|failed"]);
    let failed = world.rows(
        "SELECT DISTINCT cause, carried_over, error_code, message LIKE '%s3:RestoreObject%'
         FROM failed_requests",
    );
    assert_eq!(failed, ["source_denied|1|AccessDenied|1"]);
    world.check_books();
}

#[test]
fn a_tier_without_room_fails_for_this_night_and_is_not_insisted_upon() {
    let world = world(&["a"], "restore = { days = 1, tier = \"Expedited\" }");
    world
        .server
        .on(Fault::answer(503, "GlacierExpeditedRetrievalNotAvailable").operation("RestoreObject"));
    world.night(4);
    assert_eq!(asked(&world), 1);
    let failed = world.rows(
        "SELECT cause, carried_over, error_code, message LIKE '%Standard%' FROM failed_requests",
    );
    assert_eq!(
        failed,
        ["server_error|1|GlacierExpeditedRetrievalNotAvailable|1"]
    );
    world.check_books();
}

#[test]
fn a_rehearsal_says_how_many_it_would_ask_for_and_asks_for_none() {
    let world = world(&["a", "b", "c"], RESTORE);
    let said = world.does(&["run", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stdout
            .contains("3 objects archived: would ask for them (Standard, for 3 days)"),
        "{said:?}"
    );
    assert_eq!(asked(&world), 0);
    world.night(0);
    let said = world.does(&["run", "--dry-run"]);
    assert!(
        said.stdout
            .contains("3 objects archived: the source is bringing them back"),
        "{said:?}"
    );
    assert_eq!(asked(&world), 3);
}

#[test]
fn what_else_was_left_still_counts_for_the_exit_code() {
    let world = world(&["a"], RESTORE);
    world.put(&["b", "c"]);
    world.ask("second", &["b", "c"]);
    let ended = world.does(&["run", "--limit", "2"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(world.runs(), ["ended|3|1|0|0|2|6|deferred"]);
    assert_eq!(pending(&world), ["a|awaiting_restore", "c|limit"]);
    assert!(
        ended
            .stdout
            .contains("2 deferred: limit, 1 of them awaiting_restore"),
        "{ended:?}"
    );
}

#[test]
fn an_archive_that_only_a_refusal_tells_of_is_asked_for_too() {
    let world = world(&[], RESTORE);
    archive(&world, "a", "FROZEN");
    world.ask("first", &["a"]);
    world.night(0);
    assert_eq!((asked(&world), world.copies().len()), (1, 0));
    world.night(0);
    assert_eq!(asked(&world), 1);
    world.server.finish_restores("src");
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
}

#[test]
fn a_dense_listing_that_shows_the_class_is_not_taken_for_the_last_word() {
    let names: Vec<String> = (0..64).map(|number| format!("{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world(&names, RESTORE);
    world.night(0);
    assert_eq!(asked(&world), 64);
    world.server.finish_restores("src");
    world.server.clear_requests();
    world.night(0);
    assert_eq!(world.runs()[1], "ended|64|64|0|0|0|0|done");
    assert_eq!(world.came("GetObject", "src", "007"), 1);
    assert_eq!(asked(&world), 0);
}
