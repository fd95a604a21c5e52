//! What is known of objects before they are carried: from listings where names
//! lie close together, name by name where they do not, and the same either way.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::Utc;
use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::run::{Engine, Options, StopSignal, run_task};

use super::outage::CREATION_FAILURES;
use super::{DESTINATION_KEY, World};
use crate::s3_server::{Fault, FaultAction, NewObject, Rights};

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("k/{number:04}")).collect()
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// How often each operation came for names that begin with `k/`, and how often a
/// bucket was listed on from somewhere, as a run does and a preflight does not.
fn counts(world: &World) -> [usize; 4] {
    let requests = world.server.requests();
    let about = |operation: &str| {
        let is_about = |r: &&crate::s3_server::LoggedRequest| {
            r.operation == operation && r.key.starts_with("k/")
        };
        requests.iter().filter(is_about).count()
    };
    let listed = requests
        .iter()
        .filter(|r| r.operation == "ListObjectsV2" && r.query.contains("start-after="))
        .filter(|r| !r.query.contains("prefix="))
        .count();
    [
        listed,
        about("HeadObject"),
        about("GetObject"),
        about("PutObject"),
    ]
}

/// How often each operation came to each bucket.
fn operations(world: &World) -> BTreeMap<String, usize> {
    let mut operations = BTreeMap::new();
    for request in world.server.requests() {
        let operation = format!("{} {}", request.operation, request.bucket);
        *operations.entry(operation).or_default() += 1;
    }
    operations
}

#[test]
fn a_dense_queue_costs_two_requests_an_object_and_hardly_any_if_all_is_there() {
    let names = numbered(200);
    let world = World::asked_for(&borrowed(&names));
    world.night(0);
    // One more is read before the first is carried, to see whether it can be.
    assert_eq!(counts(&world), [2, 0, 201, 200]);
    world.ask("again", &borrowed(&names));
    world.server.clear_requests();
    world.night(0);
    assert_eq!(counts(&world), [2, 0, 0, 0]);
    assert_eq!(
        operations(&world),
        [
            // The manifests, both buckets at all, and both along the names.
            ("ListObjectsV2 dst", 3),
            ("ListObjectsV2 src", 2),
            // The input list may meet another's object; the skip list, the journal
            // and the manifest cannot.
            ("HeadObject dst", 1),
            ("PutObject dst", 4),
        ]
        .map(|(operation, times)| (operation.to_owned(), times))
        .into()
    );
    assert_eq!(
        world.rows("SELECT state, reason, count(*) FROM requests GROUP BY 1, 2 ORDER BY 3, 1"),
        ["ignored|already_copied|200", "synced||200"]
    );
    world.check_books();
}

#[test]
fn a_destination_that_may_not_be_written_still_shows_what_is_there() {
    let names = numbered(100);
    let world = World::asked_for(&borrowed(&names[..60]));
    world.night(0);
    world.put(&borrowed(&names));
    world.ask("all", &borrowed(&names));
    world.server.set_rights(DESTINATION_KEY, Rights::READ_ONLY);
    world.server.clear_requests();
    let ended = world.night(9);
    let said = "the run could not begin (permission_missing): ";
    assert!(ended.stderr.contains(said), "{ended:?}");
    assert!(ended.stderr.contains("its 40 requests stay pending"));
    assert_eq!(
        world.runs()[1],
        "ended|100|0|0|60|40|9|could_not_begin,deferred,owed"
    );
    assert_eq!(counts(&world), [2, 0, 1, 0], "the source is tried out too");
    assert_eq!(world.listed("skip", 2), names[..60]);
    let [list] = &world
        .files(CREATION_FAILURES)
        .into_values()
        .collect::<Vec<_>>()[..]
    else {
        panic!("one list");
    };
    assert_eq!(list.lines().count(), 40);
    world.check_books();

    world.server.set_rights(DESTINATION_KEY, Rights::FULL);
    world.night(0);
    assert_eq!(world.runs()[2], "ended|40|40|0|0|0|0|done");
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_short_list_never_lists_a_bucket() {
    let names = numbered(20);
    let world = World::asked_for(&borrowed(&names));
    world.night(0);
    assert_eq!(counts(&world), [0, 20, 21, 20], "three for a new object");
    world.ask("again", &borrowed(&names));
    world.server.clear_requests();
    world.night(0);
    assert_eq!(counts(&world), [0, 40, 1, 0], "two for what is there");
}

#[test]
fn a_listing_that_holds_few_of_the_names_is_left() {
    let all = numbered(3000);
    let world = World::new();
    world.put(&borrowed(&all));
    let asked: Vec<&str> = all.iter().step_by(75).map(String::as_str).collect();
    world.ask("list", &asked);
    world.night(0);
    // A page of each; that of the destination says that nothing is there.
    assert_eq!(counts(&world), [2, 0, 41, 40]);
    assert_eq!(world.copies().len(), 40);
}

/// Objects in all the states that the rule tells apart, and awkward names among
/// many plain ones. A first night copies some of them.
fn every_state(mode: &str) -> World {
    let world = World::new();
    world.configure(&super::Setup {
        task_lines: format!("overwrite = \"{mode}\"").leak(),
        ..world.setup()
    });
    let at = |hour: u64, body: &str| NewObject {
        body: body.as_bytes().to_vec(),
        last_modified: Some(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000 + hour)),
        ..NewObject::default()
    };
    let mut names = numbered(60);
    names.extend(["a b", "a+b", "a%2Bb", "k//x", "kü", "k/"].map(str::to_owned));
    for name in &names {
        world.server.put("src", name, at(5, "same"));
    }
    world.ask("first", &borrowed(&names[..20]));
    world.night(0);
    // Ours, and the source has changed since.
    world.server.put("src", "k/0003", at(2, "diff"));
    for (number, object) in [
        (30, at(1, "same")),
        (31, at(9, "same")),
        (32, at(9, "else")),
        (33, at(1, "other size")),
        (34, at(5, "same")),
    ] {
        world.server.put("dst", &names[number], object);
    }
    for name in &names[60..63] {
        world.server.put("dst", name, at(9, "some"));
    }
    names.extend(["k/0004x", "zzz"].map(str::to_owned));
    world.ask("second", &borrowed(&names));
    world
}

#[test]
fn decisions_are_the_same_by_listing_and_name_by_name() {
    for mode in ["size_last_modified", "never", "always", "checksum"] {
        let [by_listing, by_name] = [false, true].map(|by_name| {
            let world = every_state(mode);
            if by_name {
                let backwards = Fault::new(FaultAction::ListBackwards);
                world.server.on(backwards.operation("ListObjectsV2"));
            }
            world.server.clear_requests();
            world.night(4);
            let heads = counts(&world)[1];
            let all = if mode == "checksum" { 50 } else { 60 };
            assert!(heads >= if by_name { all } else { 2 }, "{mode} {heads}");
            assert!(
                by_name || mode == "checksum" || heads < 30,
                "{mode} {heads}"
            );
            world.check_books();
            world.rows(
                "SELECT name, request, run, attempt, outcome, reason, source_etag,
                        source_size_bytes, source_modified_at, destination_etag,
                        destination_size_bytes, copy_etag, verified, error_code, http_status
                 FROM object_history ORDER BY name, request",
            )
        });
        assert!(by_listing.len() > 80);
        for (listed, named) in by_listing.iter().zip(&by_name) {
            assert_eq!(listed, named, "{mode}");
        }
        assert_eq!(by_listing.len(), by_name.len());
    }
}

#[test]
fn a_source_that_lists_other_tags_than_it_gives_is_asked_name_by_name() {
    let names = numbered(100);
    let world = World::asked_for(&borrowed(&names));
    let wrong = Fault::new(FaultAction::WrongEtag).operation("ListObjectsV2");
    world.server.on(wrong.bucket("src"));
    let ended = world.night(0);
    assert!(
        ended.stderr.contains("the source does not list"),
        "{ended:?}"
    );
    assert_eq!(world.copies(), names);
    world.check_books();
}

#[test]
fn a_source_that_does_not_list_what_it_has_is_asked_before_a_name_fails() {
    let names = numbered(100);
    let world = World::asked_for(&borrowed(&names));
    world.ask("more", &["k/0041x"]);
    // Nothing is listed of what is there.
    world.server.create_bucket("empty");
    let elsewhere = Fault::answer(403, "AccessDenied").operation("ListObjectsV2");
    world.server.on(elsewhere.bucket("src").after(1));
    world.night(4);
    assert_eq!(world.copies(), names);
    assert_eq!(
        world.rows("SELECT name, cause FROM failed_requests"),
        ["k/0041x|source_missing"]
    );
    world.check_books();
}

#[test]
fn facts_that_are_older_than_a_minute_are_read_afresh() {
    let names = numbered(40);
    let world = World::one_by_one(&borrowed(&names));
    let clock = Clock::fixed(Utc::now().into());
    let later = clock.clone();
    let passes = FaultAction::call_back(move |server| {
        later.set((Utc::now() + chrono::TimeDelta::minutes(2)).into());
        server.put("dst", "k/0030", "newer");
        server.remove("src", "k/0031");
    });
    let fault = Fault::new(passes).operation("PutObject").key("k/0002");
    world.server.on(fault.times(1));
    let config = Config::load(&world.config()).unwrap();
    let signal = StopSignal::default();
    let engine = Engine::new(&config, clock, signal, Options::default()).unwrap();
    let night = run_task(&engine, &config.tasks[0]).unwrap();
    assert_eq!((night.books.synced, night.books.failed), (39, 1));
    assert_eq!(
        world.rows("SELECT name, cause FROM failed_requests"),
        ["k/0031|source_missing"]
    );
    // The other size is seen before anything is written.
    assert_eq!(world.came("HeadObject", "dst", "k/0030"), 1);
    assert_eq!(world.came("PutObject", "dst", "k/0030"), 1);
    assert_eq!(world.came("HeadObject", "dst", "k/0001"), 0);
    // Nothing failed and was tried again.
    assert_eq!(world.rows("SELECT retries FROM run_history"), ["0"]);
    world.check_books();
}
