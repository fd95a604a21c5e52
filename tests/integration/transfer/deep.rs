//! Copies compared with their sources byte by byte.

use std::sync::Arc;

use nightferry::model::{Comparison, ETag, FailureCause, Timestamp};
use nightferry::transfer::{Compared, Pair};

use super::{MIB, World, object, stopped};
use crate::s3_server::{ACCESS_KEY, Fault, FaultAction, Rights};

/// An object at both ends, whose copy is right.
fn copied() -> World {
    let world = World::new();
    world.server.put("src", "a", object("some text"));
    world.copy("a").unwrap();
    world.server.clear_requests();
    world
}

/// `a` as it was copied.
fn pair(world: &World) -> Pair {
    let source = world.server.object("src", "a").unwrap();
    Pair {
        name: "a".to_owned(),
        destination_name: "a".to_owned(),
        source_etag: Some(ETag::new(&source.etag)),
        recorded_at: Timestamp::from_ms(i64::MAX / 2),
    }
}

fn compare(world: &World, pair: &Pair) -> Compared {
    world.transfer.compare(pair, &world.tally).unwrap()
}

fn found(world: &World, pair: &Pair) -> Comparison {
    compare(world, pair).finding
}

#[test]
fn a_copy_is_the_same_until_it_is_altered_shortened_or_gone() {
    let world = copied();
    let pair = pair(&world);
    assert_eq!(found(&world, &pair), Comparison::Same);
    assert_eq!(
        [world.count("HeadObject"), world.count("GetObject")],
        [2, 2]
    );
    world.server.put("dst", "a", object("some tent"));
    assert_eq!(found(&world, &pair), Comparison::Differs);
    world.server.clear_requests();
    world.server.put("dst", "a", object("some"));
    assert_eq!(found(&world, &pair), Comparison::Differs);
    assert_eq!(world.count("GetObject"), 0, "its length is enough");
    world.server.remove("dst", "a");
    assert_eq!(found(&world, &pair), Comparison::Gone);
    world.server.remove("src", "a");
    assert_eq!(
        found(&world, &pair),
        Comparison::Gone,
        "whatever the source has"
    );
}

#[test]
fn a_source_that_is_another_or_gone_says_nothing_of_the_copy() {
    let world = copied();
    let pair = pair(&world);
    world.server.put("src", "a", object("some more"));
    assert_eq!(found(&world, &pair), Comparison::SourceChanged);
    let unknown = |recorded_at| Pair {
        source_etag: None,
        recorded_at,
        ..pair.clone()
    };
    assert_eq!(
        found(&world, &unknown(Timestamp::from_ms(0))),
        Comparison::SourceChanged
    );
    let later = Timestamp::from_ms(i64::MAX / 2);
    assert_eq!(found(&world, &unknown(later)), Comparison::Differs);
    world.server.remove("src", "a");
    assert_eq!(found(&world, &pair), Comparison::SourceGone);
}

#[test]
fn a_copy_under_another_name_is_compared_there() {
    let world = copied();
    let pair = Pair {
        destination_name: "mirror/a".to_owned(),
        ..pair(&world)
    };
    assert_eq!(found(&world, &pair), Comparison::Gone);
    world.server.put("dst", "mirror/a", object("some text"));
    assert_eq!(found(&world, &pair), Comparison::Same);
}

#[test]
fn what_breaks_or_turns_on_its_way_is_read_again() {
    let of_get = |action| Fault::new(action).operation("GetObject");
    for (fault, gets) in [
        (of_get(FaultAction::DropConnection), 3),
        (of_get(FaultAction::TruncateBody { after_bytes: 4 }), 3),
        (Fault::answer(503, "SlowDown").operation("GetObject"), 3),
        (of_get(FaultAction::FlipByte { at: 3 }), 4),
    ] {
        let said = format!("{fault:?}");
        let world = copied();
        world.server.on(fault.times(1));
        assert_eq!(found(&world, &pair(&world)), Comparison::Same, "{said}");
        assert_eq!(world.count("GetObject"), gets, "{said}");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let world = copied();
    let pair = pair(&world);
    world.server.on(Fault::answer(403, "AccessDenied")
        .operation("GetObject")
        .bucket("dst"));
    let compared = compare(&world, &pair);
    assert_eq!(compared.finding, Comparison::Unreadable);
    let failure = compared.failure.unwrap();
    assert_eq!(failure.cause, FailureCause::DestinationDenied);
    world.server.clear_faults();
    world.server.set_rights(ACCESS_KEY, Rights::NONE);
    assert_eq!(found(&world, &pair), Comparison::Unreadable);
}

#[test]
fn a_copy_that_is_replaced_while_it_is_read_is_looked_at_anew() {
    let world = copied();
    let replace = FaultAction::call_back(|server| {
        server.put("dst", "a", object("some tent"));
    });
    world.server.on(Fault::new(replace)
        .operation("GetObject")
        .bucket("src")
        .times(1));
    assert_eq!(found(&world, &pair(&world)), Comparison::Differs);
    let world = copied();
    let remove = FaultAction::call_back(|server| {
        server.remove("dst", "a");
    });
    world.server.on(Fault::new(remove)
        .operation("GetObject")
        .bucket("src")
        .times(1));
    assert_eq!(found(&world, &pair(&world)), Comparison::Gone);
}

#[test]
fn one_that_is_stopped_says_nothing() {
    let mut world = copied();
    world.server.put_random("src", "a", 2 * MIB, 7);
    world.server.put_random("dst", "a", 2 * MIB, 7);
    let pair = pair(&world);
    world.transfer.stop = stopped();
    assert_eq!(world.transfer.compare(&pair, &world.tally), None);
    world.transfer.stop = Arc::default();
    assert_eq!(found(&world, &pair), Comparison::Same);
}
