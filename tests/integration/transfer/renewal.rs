//! Keys that are renewed while objects are carried.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use nightferry::clock::Clock;
use nightferry::model::{Side, Timestamp};
use nightferry::s3::{Bucket, HttpClient, KeySupply};
use nightferry::secret::{AccessKeys, Secret};
use nightferry::transfer::{Limits, Route};

use super::{MIB, World, spec};
use crate::s3_server::{ACCESS_KEY, Rights, SECRET_KEY};

const MINUTE_MS: i64 = 60_000;

/// The destination's keys live an hour each, and are told apart by their number.
fn world_of_an_hour(clock: &Clock) -> World {
    let mut world = World::new();
    for number in 1..=4 {
        let id = format!("ASIA{number}");
        world.server.add_credentials(&id, SECRET_KEY, Rights::FULL);
    }
    let (issued, now) = (AtomicI64::new(0), clock.clone());
    let issue = move || {
        let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(AccessKeys {
            access_key_id: format!("ASIA{number}"),
            secret_access_key: Secret::new(SECRET_KEY.into()),
            session_token: Some(Secret::new("token".into())),
            expires_at: Some(now.now().plus_ms(60 * MINUTE_MS)),
        })
    };
    let bucket = |side, name: &str, keys: Option<KeySupply>| {
        let mut spec = spec(&world.server, name, ACCESS_KEY, SECRET_KEY);
        spec.keys = keys.unwrap_or(spec.keys);
        Bucket::new(&HttpClient::new(4).unwrap(), side, spec, clock.clone()).unwrap()
    };
    let issued = Some(KeySupply::Issued(Arc::new(issue)));
    let (source, destination) = (
        bucket(Side::Source, "src", None),
        bucket(Side::Destination, "dst", issued),
    );
    world.transfer.source = source;
    world.transfer.destination = destination;
    world
}

#[test]
fn an_upload_that_lasts_for_hours_is_signed_with_keys_that_follow_each_other() {
    let began = Timestamp::from(chrono::Utc::now());
    let clock = Clock::fixed(began);
    let mut world = world_of_an_hour(&clock);
    world.transfer.limits = Limits {
        part_bytes: 5 * MIB,
        multipart_above_bytes: MIB,
        share_bytes: 5 * MIB,
    };
    world.server.put_random("src", "large", 16 * MIB, 7);
    let planned = world.planned("large");
    let Route::Parts(plan) = world.transfer.route(planned.size_bytes).unwrap() else {
        panic!("it goes in parts");
    };
    let (transfer, tally) = (&world.transfer, &world.tally);
    let parts = transfer
        .begin_parts("large", &planned, plan, None, tally)
        .unwrap();
    // After 56 minutes the keys are good for four more, and renewed; after 130 they
    // have been of no use for a while.
    for (index, minute) in [(0, 0), (1, 54), (2, 56), (3, 130)] {
        clock.set(began.plus_ms(minute * MINUTE_MS));
        world.server.set_clock_offset(minute * 60);
        parts.copy_part(index, tally).unwrap();
    }
    parts.finish(None, tally).unwrap();
    let requests = world.server.requests();
    let keys_of = |operation: &str| {
        let of_it = requests.iter().filter(|r| r.operation == operation);
        let keys = of_it.map(|request| request.access_key.clone().unwrap());
        keys.collect::<Vec<String>>()
    };
    assert_eq!(keys_of("UploadPart"), ["ASIA1", "ASIA1", "ASIA2", "ASIA3"]);
    assert_eq!(keys_of("CompleteMultipartUpload"), ["ASIA3"]);
    let source = world.server.object("src", "large").unwrap();
    let copy = world.server.object("dst", "large").unwrap();
    assert_eq!(copy.sha256(), source.sha256());
}
