//! Runs that cannot begin, and the night after.

use std::collections::BTreeMap;

use super::outage::{CREATION_FAILURES, Outage};
use super::{DESTINATION_KEY, End, SOURCE_KEY, Setup, World};
use crate::s3_server::Fault;

#[test]
fn a_missing_source_bucket() {
    let outage = Outage {
        cause: "bucket_missing",
        error_code: "NoSuchBucket",
        subject: "source list",
    };
    outage.passes_with(|setup| setup.source.bucket = "nowhere".into());
}

#[test]
fn a_missing_destination_bucket() {
    let outage = Outage {
        cause: "bucket_missing",
        error_code: "NoSuchBucket",
        subject: "destination list",
    };
    outage.passes_with(|setup| setup.destination.bucket = "nowhere".into());
}

#[test]
fn a_wrong_secret() {
    let outage = Outage {
        cause: "credentials_refused",
        error_code: "SignatureDoesNotMatch",
        subject: "source list",
    };
    outage.passes_with(|setup| setup.source.secret = "wrong".into());
}

#[test]
fn an_unknown_access_key() {
    let outage = Outage {
        cause: "credentials_refused",
        error_code: "InvalidAccessKeyId",
        subject: "destination list",
    };
    outage.passes_with(|setup| setup.destination.access_key = "AKIAIOSFODNN7UNKNOWN".into());
}

#[test]
fn an_endpoint_that_does_not_answer() {
    let outage = Outage {
        cause: "endpoint_unreachable",
        error_code: "",
        subject: "destination list",
    };
    // Nothing listens on the port of a service that nobody has run for decades.
    outage.passes_with(|setup| setup.destination.endpoint = "http://127.0.0.1:1".into());
}

#[test]
fn a_server_that_is_down() {
    let outage = Outage {
        cause: "endpoint_unreachable",
        error_code: "ServiceUnavailable",
        subject: "source list",
    };
    let fault = Fault::answer(503, "ServiceUnavailable").bucket("src");
    outage.passes(
        |world| {
            world.server.on(fault);
        },
        |world| world.server.clear_faults(),
    );
}

#[test]
fn a_source_that_may_not_be_listed() {
    denied("source list").passes_without(SOURCE_KEY, |rights| rights.list = false);
}

#[test]
fn a_source_that_may_not_be_read() {
    denied("source read").passes_without(SOURCE_KEY, |rights| rights.read = false);
}

#[test]
fn a_destination_that_may_not_be_listed() {
    denied("destination list").passes_without(DESTINATION_KEY, |rights| rights.list = false);
}

#[test]
fn a_destination_that_may_not_be_read() {
    denied("destination read").passes_without(DESTINATION_KEY, |rights| rights.read = false);
}

#[test]
fn a_destination_that_may_not_be_written() {
    denied("destination write").passes_without(DESTINATION_KEY, |rights| rights.write = false);
}

fn denied(subject: &'static str) -> Outage {
    Outage {
        cause: "permission_missing",
        error_code: "AccessDenied",
        subject,
    }
}

#[test]
fn a_clock_that_is_an_hour_off() {
    // The same skew has two names: a request of the past, and one of the future.
    for (offset, error_code) in [(3600, "AccessDenied"), (-3600, "RequestTimeTooSkewed")] {
        let outage = Outage {
            cause: "clock_skew",
            error_code,
            subject: "source list",
        };
        outage.passes(
            |world| world.server.set_clock_offset(offset),
            |world| world.server.set_clock_offset(0),
        );
    }
}

#[test]
fn a_request_from_before_the_outage_is_listed_in_the_next_outage_again() {
    let world = World::asked_for(&["a"]);
    let wrong = Setup {
        source: End {
            secret: "wrong".into(),
            ..world.setup().source
        },
        ..world.setup()
    };
    world.configure(&wrong);
    world.night(9);
    world.configure(&world.setup());
    // A night that begins but reaches only one of two names ends the outage.
    world.put(&["b"]);
    world.ask("second", &["b"]);
    assert_eq!(world.does(&["run", "--limit", "1"]).code, Some(6));
    world.configure(&wrong);
    world.night(9);
    let lists = world.files(CREATION_FAILURES);
    let names: Vec<&str> = lists
        .values()
        .map(|text| text.split('\t').nth(3).unwrap())
        .collect();
    assert_eq!(names, ["a", "b"]);
    world.check_books();
}

#[test]
fn a_task_that_cannot_begin_does_not_stop_the_others() {
    let world = World::new();
    world.put(&["a", "b"]);
    let mut setup = world.setup();
    setup.tasks = vec!["photos", "films"];
    // The second task gets its own, whole, ends.
    let whole = setup.text();
    let (_, films) = whole.split_once("[[task]]\nid = \"films\"").unwrap();
    setup.tasks = vec!["photos"];
    setup.source.bucket = "nowhere".into();
    let text = format!("{}[[task]]\nid = \"films\"{films}", setup.text());
    std::fs::write(world.config(), text).unwrap();
    world.ask_of("photos", "list", &["a"]);
    world.ask_of("films", "list", &["b"]);
    world.night(9);
    assert_eq!(
        world.rows("SELECT task, state, reason FROM requests ORDER BY task"),
        ["films|synced|", "photos|pending|"]
    );
    world.check_books();
}

#[test]
fn a_rehearsal_in_an_outage_says_so_and_leaves_nothing_behind() {
    let world = World::asked_for(&["a"]);
    let mut setup = world.setup();
    setup.source.bucket = "nowhere".into();
    world.configure(&setup);
    let ended = world.does(&["run", "--dry-run"]);
    assert_eq!(ended.code, Some(9), "{ended:?}");
    assert!(ended.stdout.contains("bucket_missing"), "{ended:?}");
    assert!(!world.ledger_file().exists());
    assert_eq!(world.server.keys("dst"), [""; 0]);
}

#[test]
fn an_outage_without_anything_to_carry_is_none() {
    let world = World::new();
    let mut setup = world.setup();
    setup.source.bucket = "nowhere".into();
    world.configure(&setup);
    world.night(0);
    assert_eq!(world.runs(), ["ended|0|0|0|0|0|0|done"]);
    assert_eq!(world.files(""), BTreeMap::new());
    // Only whether the ledger is as new as what was delivered.
    assert_eq!(world.server.requests().len(), 1);
}

#[test]
fn a_carried_over_request_is_not_lost_in_an_outage() {
    let world = World::asked_for(&["a"]);
    world.server.on(Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("a"));
    world.night(4);
    world.server.clear_faults();
    let mut setup = world.setup();
    setup.source.bucket = "nowhere".into();
    world.configure(&setup);
    world.night(9);
    assert_eq!(
        world.rows("SELECT name, attempts, last_cause, deferral FROM pending_requests"),
        ["a|1|destination_denied|could_not_begin"]
    );
    world.configure(&world.setup());
    world.night(0);
    assert_eq!(world.requests(), ["a|synced|"]);
    world.check_books();
}

#[test]
fn a_first_object_that_may_not_be_read_fails_alone() {
    let world = World::asked_for(&["a", "b"]);
    let fault = Fault::answer(403, "AccessDenied");
    world.server.on(fault.operation("GetObject").key("a"));
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert!(
        doctor
            .stdout
            .contains("can be read, but for its first object"),
        "{doctor:?}"
    );
    world.night(4);
    assert_eq!(world.requests(), ["a|failed|source_denied", "b|synced|"]);
    world.check_books();
}
