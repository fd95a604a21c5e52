//! Permissions that are lost while a run is at work, and how long it is tried again.

use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::model::Timestamp;
use nightferry::run::{Engine, NightReport, Options, StopSignal, run_task};

use super::{DESTINATION_KEY, SOURCE_KEY, Setup, World};
use crate::s3_server::{Fault, Rights};

const FAILED: &str =
    "SELECT name, attempts, cause, carried_over, days_left, error_code, http_status
     FROM failed_requests ORDER BY name";

#[test]
fn a_source_that_withdraws_its_permission_in_the_middle() {
    let world = World::one_by_one(&["a", "b", "c"]);
    let gate = world.server.gate("GetObject", "src", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    let list_only = Rights {
        read: false,
        ..Rights::READ_ONLY
    };
    world.server.set_rights(SOURCE_KEY, list_only);
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_eq!(world.runs(), ["ended|3|1|2|0|0|4|failed"]);
    assert_eq!(
        world.rows(FAILED),
        [
            "b|1|source_denied|1|7|AccessDenied|403",
            "c|1|source_denied|1|7|AccessDenied|403"
        ]
    );
    assert_eq!(world.listed("success", 1), ["a"]);
    assert_eq!(world.listed("failed", 1), ["b", "c"]);
    world.check_delivered();

    world.server.set_rights(SOURCE_KEY, Rights::READ_ONLY);
    let ended = world.night(0);
    assert!(ended.stdout.contains("2 carried over from earlier nights"));
    assert_eq!(world.runs()[1], "ended|2|2|0|0|0|0|done");
    assert_eq!(world.copies(), ["a", "b", "c"]);
    world.check_books();
}

#[test]
fn a_destination_that_withdraws_its_permission_in_the_middle() {
    let world = World::one_by_one(&["a", "b", "c"]);
    let gate = world.server.gate("PutObject", "dst", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    world.server.set_rights(DESTINATION_KEY, Rights::READ_ONLY);
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(
        ended.stderr.contains("owed to the destination"),
        "{ended:?}"
    );
    // The lists cannot be put there either.
    assert_eq!(world.runs(), ["ended|3|1|2|0|0|4|failed,owed"]);
    assert_eq!(
        world.rows(FAILED),
        [
            "b|1|destination_denied|1|7|AccessDenied|403",
            "c|1|destination_denied|1|7|AccessDenied|403"
        ]
    );

    world.server.set_rights(DESTINATION_KEY, Rights::FULL);
    world.night(0);
    assert_eq!(world.copies(), ["a", "b", "c"]);
    world.check_delivered();
    world.check_books();
}

/// A world whose nights begin when the test says so.
struct Calendar {
    world: World,
    clock: Clock,
    began: i64,
}

impl Calendar {
    fn new(world: World) -> Self {
        let began = chrono::Utc::now().timestamp_millis();
        Self {
            world,
            clock: Clock::fixed(Timestamp::from_ms(began)),
            began,
        }
    }

    /// A run, so many days after the first one.
    fn night(&self, day: i64) -> NightReport {
        let seconds = day * 86_400;
        self.world.server.set_clock_offset(seconds);
        self.clock
            .set(Timestamp::from_ms(self.began + seconds * 1000));
        let config = Config::load(&self.world.config()).unwrap();
        let engine = Engine::new(
            &config,
            self.clock.clone(),
            StopSignal::default(),
            Options::default(),
        );
        run_task(&engine.unwrap(), &config.tasks[0]).unwrap()
    }

    /// For how many days more a request is tried, counted from today as the view does.
    fn days_left(&self, days: i64) -> String {
        let day = |ms: i64| ms.div_euclid(86_400_000);
        let passed = day(chrono::Utc::now().timestamp_millis()) - day(self.began);
        (days - passed).to_string()
    }
}

/// What a night took, and how many of it were carried over and failed.
fn took(night: &NightReport) -> (u64, u64, u64) {
    (night.books.taken, night.carried_over, night.books.failed)
}

fn denies(world: &World, key: &str) {
    let fault = Fault::answer(403, "AccessDenied");
    world.server.on(fault.operation("PutObject").key(key));
}

#[test]
fn what_failed_is_taken_up_once_a_day_for_carry_over_days() {
    let world = World::asked_for(&["a", "b"]);
    world.configure(&Setup {
        task_lines: "carry_over_days = 2",
        ..world.setup()
    });
    denies(&world, "b");
    let calendar = Calendar::new(world);
    let world = &calendar.world;
    assert_eq!(took(&calendar.night(0)), (2, 0, 1));
    let failed = format!(
        "b|1|destination_denied|1|{}|AccessDenied|403",
        calendar.days_left(2)
    );
    assert_eq!(world.rows(FAILED), [failed]);
    // On the same day once more, then not again before the next day.
    assert_eq!(took(&calendar.night(0)), (1, 1, 1));
    assert_eq!(took(&calendar.night(0)), (0, 0, 0));
    assert_eq!(took(&calendar.night(1)), (1, 1, 1));
    assert_eq!(took(&calendar.night(1)), (0, 0, 0));
    assert_eq!(took(&calendar.night(2)), (1, 1, 1));
    // The days are over.
    assert_eq!(took(&calendar.night(3)), (0, 0, 0));
    assert_eq!(
        world.rows(FAILED),
        ["b|4|destination_denied|0|0|AccessDenied|403"]
    );
    let attempts = "SELECT run, attempt, outcome, reason FROM object_history WHERE name = 'b'";
    assert_eq!(
        world.rows(attempts),
        [
            "1|1|failed|destination_denied",
            "2|2|failed|destination_denied",
            "4|3|failed|destination_denied",
            "6|4|failed|destination_denied"
        ]
    );
    world.check_books();
}

#[test]
fn a_night_that_was_left_out_does_not_shorten_the_days() {
    let world = World::asked_for(&["b"]);
    denies(&world, "b");
    let calendar = Calendar::new(world);
    assert_eq!(took(&calendar.night(0)), (1, 0, 1));
    assert_eq!(took(&calendar.night(7)), (1, 1, 1));
    assert_eq!(took(&calendar.night(8)), (0, 0, 0));
    calendar.world.check_books();
}

#[test]
fn no_day_at_all_is_carried_over_if_the_task_says_so() {
    let world = World::asked_for(&["b"]);
    world.configure(&Setup {
        task_lines: "carry_over_days = 0",
        ..world.setup()
    });
    denies(&world, "b");
    let calendar = Calendar::new(world);
    assert_eq!(took(&calendar.night(0)), (1, 0, 1));
    assert_eq!(took(&calendar.night(1)), (0, 0, 0));
}

#[test]
fn final_causes_are_never_taken_up_again() {
    let world = World::new();
    world.put(&["archived", "refused", "wrong"]);
    world.ask("list", &["archived", "missing", "refused", "wrong"]);
    for (operation, key, status, code) in [
        ("GetObject", "archived", 403, "InvalidObjectState"),
        ("PutObject", "refused", 400, "MetadataTooLarge"),
        ("PutObject", "wrong", 400, "InvalidRequest"),
    ] {
        let fault = Fault::answer(status, code);
        world.server.on(fault.operation(operation).key(key));
    }
    let calendar = Calendar::new(world);
    let world = &calendar.world;
    assert_eq!(took(&calendar.night(0)), (4, 0, 4));
    assert_eq!(
        world
            .rows("SELECT name, cause, carried_over, days_left FROM failed_requests ORDER BY name"),
        [
            "archived|source_archived|0|0",
            "missing|source_missing|0|0",
            "refused|metadata_refused|0|0",
            "wrong|bad_request|0|0"
        ]
    );
    world.server.clear_faults();
    assert_eq!(took(&calendar.night(0)), (0, 0, 0));
    assert_eq!(took(&calendar.night(1)), (0, 0, 0));
    world.check_books();
}

#[test]
fn a_refused_head_is_believed_only_if_a_request_with_a_body_says_the_same() {
    let world = World::one_by_one(&["denied", "hidden", "refused"]);
    world.ask("second", &["missing"]);
    for (operation, key, status, code) in [
        ("HeadObject", "hidden", 404, "NoSuchKey"),
        ("HeadObject", "refused", 403, "AccessDenied"),
        ("HeadObject", "denied", 403, "AccessDenied"),
        ("GetObject", "denied", 403, "AccessDenied"),
    ] {
        let fault = Fault::answer(status, code).bucket("src");
        world.server.on(fault.operation(operation).key(key));
    }
    world.night(4);
    assert_eq!(
        world.requests(),
        [
            "denied|failed|source_denied",
            "hidden|synced|",
            "refused|synced|",
            "missing|failed|source_missing"
        ]
    );
    // The code of each failure is one that only a body can have told.
    assert_eq!(
        world.rows("SELECT name, error_code, http_status FROM failed_requests ORDER BY name"),
        ["denied|AccessDenied|403", "missing|NoSuchKey|404"]
    );
    assert_eq!(world.came("GetObject", "src", "missing"), 1);
}
