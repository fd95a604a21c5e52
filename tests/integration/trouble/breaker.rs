//! One side goes on refusing or failing: the rest of the night is deferred, and
//! a few bad objects, or a bad prefix, are not taken for it.

use super::{CANARY_PUTS, DESTINATION_KEY, DESTINATION_SECRET, SOURCE_KEY, Setup, World};
use crate::s3_server::{Fault, FaultAction, LoggedRequest, Rights, S3Server};

const OPEN: &str = "SELECT run, side, cause, failures FROM open_breakers";

/// `count` names in this folder, in byte order.
fn names(folder: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{folder}{number:03}"))
        .collect()
}

/// A world in which these objects are asked for, with so many workers.
fn asked_for(names: &[String], workers: u32) -> World {
    let world = World::asked_for(&borrowed(names));
    world.configure(&Setup {
        workers,
        ..world.setup()
    });
    world
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// Does this to the server at the `after`th PUT of an object, before it is handled.
fn at_put(world: &World, after: usize, does: impl Fn(&S3Server) + Send + Sync + 'static) {
    let fault = Fault::new(FaultAction::call_back(does))
        .operation("PutObject")
        .bucket("dst");
    world
        .server
        .on(fault.after(CANARY_PUTS + after - 1).times(1));
}

/// A night in which a side goes on failing until the breaker opens, and the one
/// after, when it is well again.
struct Outage {
    side: &'static str,
    cause: &'static str,
    /// What arrived before.
    synced: usize,
    /// What the run says beside `deferred`.
    reasons: &'static str,
}

impl Outage {
    fn passes(&self, world: &World, all: usize, mends: impl FnOnce()) {
        let ended = world.night(6);
        let (synced, left) = (self.synced, all - self.synced);
        let books = format!("ended|{all}|{synced}|0|0|{left}|6|deferred{}", self.reasons);
        assert_eq!(world.runs(), [books]);
        assert_eq!(world.copies().len(), synced);
        // The streak is not recorded as failed either.
        assert_eq!(
            world.rows("SELECT deferral, attempts, count(*) FROM pending_requests GROUP BY 1, 2"),
            [format!("breaker_open|0|{left}")]
        );
        assert_eq!(world.rows("SELECT * FROM failed_requests"), [""; 0]);
        assert_eq!(world.listed("failed", 1), [""; 0]);
        self.is_said(world, &ended.stderr);
        world.check_books();
        mends();
        let ended = world.night(0);
        assert!(!ended.stderr.contains("in a row"), "{ended:?}");
        assert_eq!(world.runs()[1], format!("ended|{left}|{left}|0|0|0|0|done"));
        assert_eq!(world.copies().len(), all);
        world.check_delivered();
        world.check_books();
    }

    fn is_said(&self, world: &World, stderr: &str) {
        let open = world.rows(OPEN);
        let said = format!("1|{}|{}|", self.side, self.cause);
        assert!(open.len() == 1 && open[0].starts_with(&said), "{open:?}");
        let failures = open[0].strip_prefix(&said).unwrap();
        assert!(failures.parse::<u64>().unwrap() >= 20);
        let message = &world.rows("SELECT message FROM open_breakers")[0];
        let why = format!("the {} failed {failures} objects in a row", self.side);
        let message = message.trim_end_matches('.');
        let because = format!("the last for {}: {message}", self.cause);
        for text in [&why, &because, "they and the rest are deferred"] {
            assert!(stderr.contains(text), "{text}\n{stderr}");
        }
        // The lines are broken into several.
        let status = world.does(&["status"]).stdout;
        let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(status.contains(&format!("{why}: {message}")), "{status}");
        let runs = world.does(&["runs"]).stdout;
        let runs = runs.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            runs.contains(&format!("photos, run 1: {why} since")),
            "{runs}"
        );
        assert!(
            runs.contains(&format!("the last for {}", self.cause)),
            "{runs}"
        );
    }
}

#[test]
fn a_destination_that_denies_from_the_eleventh_object_on() {
    let world = asked_for(&names("n", 60), 1);
    at_put(&world, 10, |server| {
        server.set_rights(DESTINATION_KEY, Rights::READ_ONLY);
    });
    let outage = Outage {
        side: "destination",
        cause: "destination_denied",
        synced: 10,
        reasons: ",owed",
    };
    outage.passes(&world, 60, || {
        let asked = world.came("PutObject", "dst", "n030");
        assert_eq!(asked, 0, "nothing new begins");
        world.server.set_rights(DESTINATION_KEY, Rights::FULL);
        world.server.clear_requests();
    });
    assert_eq!(first_written(&world), "n010", "it begins with the streak");
}

/// The first object that the last night wrote.
fn first_written(world: &World) -> String {
    let requests = world.server.requests();
    let written =
        |request: &&LoggedRequest| request.operation == "PutObject" && request.key.starts_with('n');
    requests.iter().find(written).unwrap().key.clone()
}

#[test]
fn a_destination_bucket_that_is_deleted() {
    let world = asked_for(&names("n", 60), 1);
    at_put(&world, 11, |server| server.delete_bucket("dst"));
    world.night(6);
    assert_eq!(world.runs(), ["ended|60|10|0|0|50|6|deferred,owed"]);
    assert_eq!(world.rows(OPEN), ["1|destination|bucket_missing|20"]);
    world.server.create_bucket("dst");
    world.night(0);
    assert_eq!(world.runs()[1], "ended|50|50|0|0|0|0|done");
    assert_eq!(world.copies().len(), 50, "the others went with the bucket");
    world.check_books();
}

#[test]
fn a_destination_that_is_full() {
    let world = asked_for(&names("n", 60), 1);
    for name in names("n", 60) {
        let fault = Fault::answer(403, "QuotaExceeded").operation("PutObject");
        world.server.on(fault.key(&name));
    }
    let outage = Outage {
        side: "destination",
        cause: "destination_full",
        synced: 0,
        reasons: "",
    };
    // The canary and the lists still fit.
    outage.passes(&world, 60, || world.server.clear_faults());
}

#[test]
fn a_destination_that_answers_503_for_ever() {
    let world = asked_for(&names("n", 60), 16);
    let fault = Fault::answer(503, "ServiceUnavailable").bucket("dst");
    world
        .server
        .on(fault.operation("PutObject").after(CANARY_PUTS));
    let outage = Outage {
        side: "destination",
        cause: "server_error",
        synced: 0,
        reasons: ",owed",
    };
    outage.passes(&world, 60, || world.server.clear_faults());
}

#[test]
fn a_destination_that_throttles_for_good() {
    let world = asked_for(&names("n", 60), 16);
    // Each attempt waits for an endpoint that is asked ever more slowly.
    let text = std::fs::read_to_string(world.config()).unwrap();
    let once = text.replacen("[[task]]", "[retry]\nattempts = 1\n[[task]]", 1);
    std::fs::write(world.config(), once).unwrap();
    let fault = Fault::answer(503, "SlowDown").bucket("dst");
    world
        .server
        .on(fault.operation("PutObject").after(CANARY_PUTS));
    let outage = Outage {
        side: "destination",
        cause: "throttled",
        synced: 0,
        reasons: ",owed",
    };
    outage.passes(&world, 60, || world.server.clear_faults());
}

#[test]
fn a_destination_that_is_gone() {
    let world = asked_for(&names("n", 60), 16);
    let start = |builder: crate::s3_server::S3ServerBuilder| {
        let server = builder
            .credentials(DESTINATION_KEY, DESTINATION_SECRET, Rights::FULL)
            .start();
        server.create_bucket("dst");
        server
    };
    let other = start(S3Server::builder());
    let endpoint = other.endpoint();
    let mut setup = world.setup();
    setup.destination.endpoint.clone_from(&endpoint);
    setup.workers = 16;
    world.configure(&setup);
    let gate = other.gate("PutObject", "dst", Some("n015"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    drop(other);
    let ended = night.end();
    assert_eq!(ended.code, Some(6), "{ended:?}");
    let open = world.rows("SELECT side, cause FROM open_breakers");
    assert_eq!(open, ["destination|network"]);
    assert_eq!(world.rows("SELECT * FROM failed_requests"), [""; 0]);
    world.check_books();

    let address = endpoint.strip_prefix("http://").unwrap();
    let _other = start(S3Server::builder().address(address));
    world.night(0);
    assert_eq!(
        world.rows("SELECT state, count(*) FROM requests GROUP BY 1"),
        ["synced|60"]
    );
    world.check_books();
}

#[test]
fn a_source_that_denies_everything() {
    let world = asked_for(&names("n", 60), 1);
    at_put(&world, 10, |server| {
        let list_only = Rights {
            read: false,
            ..Rights::READ_ONLY
        };
        server.set_rights(SOURCE_KEY, list_only);
    });
    let outage = Outage {
        side: "source",
        cause: "source_denied",
        synced: 10,
        reasons: "",
    };
    outage.passes(&world, 60, || {
        world.server.set_rights(SOURCE_KEY, Rights::READ_ONLY);
    });
}

/// As when the key that encrypts them is disabled: names that are missing are
/// still said to be missing.
#[test]
fn a_source_that_denies_all_objects_it_has() {
    let all = [names("a/", 30), names("b/", 30)].concat();
    let world = asked_for(&all, 1);
    for name in &all {
        let fault = Fault::answer(403, "AccessDenied").operation("GetObject");
        // The preflight may read the first.
        let passing = usize::from(name == "a/000");
        world
            .server
            .on(fault.bucket("src").key(name).after(passing));
    }
    let outage = Outage {
        side: "source",
        cause: "source_denied",
        synced: 0,
        reasons: "",
    };
    outage.passes(&world, 60, || world.server.clear_faults());
}

#[test]
fn a_source_that_denies_one_prefix_fails_that_prefix_alone() {
    let bad = names("bad/", 200);
    for good in ["also-good/", "good/"] {
        let all = [bad.clone(), names(good, 200)].concat();
        let world = asked_for(&all, 4);
        for name in &bad {
            let fault = Fault::answer(403, "AccessDenied").bucket("src");
            world.server.on(fault.key(name));
        }
        world.night(4);
        assert_eq!(world.runs(), ["ended|400|200|200|0|0|4|failed"], "{good}");
        assert_eq!(
            world.rows(
                "SELECT substr(name, 1, 3), state, reason, count(*) FROM requests GROUP BY 1, 2, 3
                 ORDER BY state"
            ),
            [
                "bad|failed|source_denied|200".to_owned(),
                format!("{}|synced||200", &good[..3])
            ]
        );
        assert_eq!(world.rows(OPEN), [""; 0]);
        world.server.clear_faults();
        world.night(0);
        assert_eq!(world.copies().len(), 400);
        world.check_delivered();
        world.check_books();
    }
}

#[test]
fn a_destination_that_denies_one_prefix_fails_that_prefix_alone() {
    let bad = names("bad/", 100);
    let all = [bad.clone(), names("good/", 20)].concat();
    let world = asked_for(&all, 4);
    for name in &bad {
        let fault = Fault::answer(403, "AccessDenied").operation("PutObject");
        world.server.on(fault.key(name));
    }
    world.night(4);
    assert_eq!(world.runs(), ["ended|120|20|100|0|0|4|failed"]);
    assert_eq!(world.rows(OPEN), [""; 0]);
    let probes = world.came("PutObject", "dst", "oms/sync_task/photos/.canary");
    assert_eq!(
        probes,
        CANARY_PUTS + 2,
        "the preflight's, then after 20 and after 40 more"
    );
    world.check_books();
}

#[test]
fn one_object_that_always_answers_500_opens_nothing() {
    let world = asked_for(&names("n", 30), 4);
    let fault = Fault::answer(500, "InternalError");
    world.server.on(fault.operation("PutObject").key("n007"));
    world.night(4);
    assert_eq!(world.runs(), ["ended|30|29|1|0|0|4|failed"]);
    assert_eq!(world.listed("failed", 1), ["n007"]);
    assert_eq!(world.rows(OPEN), [""; 0]);
    world.check_books();
}

#[test]
fn three_hundred_missing_names_open_nothing() {
    let world = World::new();
    let all = names("missing", 300);
    world.ask("list", &borrowed(&all));
    world.night(4);
    assert_eq!(world.runs(), ["ended|300|0|300|0|0|4|failed"]);
    assert_eq!(
        world.rows("SELECT DISTINCT reason FROM requests"),
        ["source_missing"]
    );
    assert_eq!(world.rows(OPEN), [""; 0]);
    world.check_books();
}

#[test]
fn a_fault_that_passes_before_the_twentieth_fails_what_it_met() {
    let world = asked_for(&names("n", 60), 1);
    let fault = Fault::answer(403, "AccessDenied").bucket("dst");
    world.server.on(fault
        .operation("PutObject")
        .after(CANARY_PUTS + 10)
        .times(15));
    world.night(4);
    assert_eq!(world.runs(), ["ended|60|45|15|0|0|4|failed"]);
    assert_eq!(world.listed("failed", 1), names("n", 25)[10..]);
    assert_eq!(world.rows(OPEN), [""; 0]);
    world.night(0);
    assert_eq!(world.runs()[1], "ended|15|15|0|0|0|0|done");
    world.check_books();
}

#[test]
fn a_fault_that_passes_before_the_probe_fails_what_it_met() {
    let world = asked_for(&names("n", 60), 1);
    let fault = Fault::answer(403, "AccessDenied").bucket("dst");
    world
        .server
        .on(fault.operation("PutObject").after(CANARY_PUTS).times(20));
    world.night(4);
    assert_eq!(world.runs(), ["ended|60|40|20|0|0|4|failed"]);
    assert_eq!(world.rows(OPEN), [""; 0]);
    world.check_books();
}

#[test]
fn a_night_of_five_names_whose_destination_goes_away_is_deferred() {
    let world = asked_for(&names("n", 5), 1);
    at_put(&world, 2, |server| {
        server.set_rights(DESTINATION_KEY, Rights::READ_ONLY);
    });
    world.night(6);
    assert_eq!(world.runs(), ["ended|5|2|0|0|3|6|deferred,owed"]);
    assert_eq!(world.rows(OPEN), ["1|destination|destination_denied|3"]);
    world.server.set_rights(DESTINATION_KEY, Rights::FULL);
    world.night(0);
    assert_eq!(world.copies(), names("n", 5));
    world.check_books();
}

#[test]
fn a_breaker_opens_in_a_night_in_which_others_failed_for_their_own_causes() {
    let world = asked_for(&names("n", 40), 1);
    world.ask("second", &["a-missing", "n000"]);
    at_put(&world, 10, |server| {
        server.set_rights(DESTINATION_KEY, Rights::READ_ONLY);
    });
    world.night(4);
    assert_eq!(world.runs(), ["ended|42|10|1|1|30|4|failed,deferred,owed"]);
    assert_eq!(world.listed("failed", 1), ["a-missing"]);
    assert_eq!(world.listed("success", 1), names("n", 10));
    world.server.set_rights(DESTINATION_KEY, Rights::FULL);
    world.night(0);
    assert_eq!(world.copies(), names("n", 40));
    world.check_delivered();
    world.check_books();
}
