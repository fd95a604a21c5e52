//! An outage of three nights: two in it, and the one after.

use std::collections::BTreeMap;

use super::{Ended, SOURCE_KEY, Setup, World};
use crate::s3_server::Rights;

/// Where the lists of runs that could not begin are.
pub const CREATION_FAILURES: &str = "failed_object_lists/creation_failures";

/// What is wrong, and what a run and `doctor` are to say of it.
pub struct Outage {
    pub cause: &'static str,
    pub error_code: &'static str,
    /// The check of `doctor` that fails.
    pub subject: &'static str,
}

impl Outage {
    /// Three nights: two in the outage that `breaks` makes, one after `mends`.
    pub fn passes(&self, breaks: impl FnOnce(&World), mends: impl FnOnce(&World)) {
        let world = World::asked_for(&["a", "b/ü 1"]);
        breaks(&world);
        self.doctor_says(&world.does(&["doctor"]));
        self.first_night(&world);
        self.second_night(&world);
        world.check_books();
        mends(&world);
        good_night(&world);
    }

    pub fn passes_with(&self, wrong: impl FnOnce(&mut Setup)) {
        self.passes(
            |world| {
                let mut setup = world.setup();
                wrong(&mut setup);
                world.configure(&setup);
            },
            |world| world.configure(&world.setup()),
        );
    }

    pub fn passes_without(&self, key: &'static str, right: impl FnOnce(&mut Rights)) {
        let full = match key {
            SOURCE_KEY => Rights::READ_ONLY,
            _ => Rights::FULL,
        };
        let mut rights = full.clone();
        right(&mut rights);
        self.passes(
            |world| world.server.set_rights(key, rights),
            |world| world.server.set_rights(key, full),
        );
    }

    fn doctor_says(&self, ended: &Ended) {
        assert_eq!(ended.code, Some(9), "{ended:?}");
        let problem = format!("PROBLEM  photos       {:22} {}: ", self.subject, self.cause);
        assert!(ended.stdout.contains(&problem), "{ended:?}");
    }

    fn first_night(&self, world: &World) {
        let ended = world.night(9);
        let said = format!("photos: the run could not begin ({}): ", self.cause);
        assert!(ended.stderr.contains(&said), "{ended:?}");
        assert!(ended.stderr.contains("its 2 requests stay pending"));
        assert_eq!(
            world.runs(),
            ["ended|2|0|0|0|2|9|could_not_begin,deferred,owed"]
        );
        assert_eq!(
            world.rows("SELECT name, attempts, last_cause, deferral FROM pending_requests"),
            ["a|0||could_not_begin", "b/ü 1|0||could_not_begin"]
        );
        assert_eq!(world.copies(), [""; 0]);
        let lists = world.files(CREATION_FAILURES);
        assert_eq!(
            lists,
            self.list(world, 1, &[("a", "a"), ("b%2F%C3%BC%201", "b/ü 1")])
        );
    }

    /// Only what is new is listed, and the first list stays as it was.
    fn second_night(&self, world: &World) {
        let first = world.files(CREATION_FAILURES);
        world.put(&["c"]);
        world.ask("second", &["c"]);
        world.night(9);
        assert_eq!(
            world.runs()[1],
            "ended|3|0|0|0|3|9|could_not_begin,deferred,owed"
        );
        let mut expected = self.list(world, 2, &[("c", "c")]);
        expected.extend(first);
        assert_eq!(world.files(CREATION_FAILURES), expected);
        assert_eq!(world.manifests(), 2);
    }

    /// The list of a run by its path, as the contract has both.
    fn list(&self, world: &World, run: u32, names: &[(&str, &str)]) -> BTreeMap<String, String> {
        let facts = world.rows(&format!(
            "SELECT ended_at, run_id, ended_at_local FROM run_history WHERE run = {run}"
        ));
        let facts: Vec<&str> = facts[0].split('|').collect();
        let [ended_at, run_id, time] = facts[..] else {
            panic!("{facts:?}")
        };
        let (cause, code) = (self.cause, self.error_code);
        let lines = names
            .iter()
            .map(|(encoded, name)| format!("{cause}\t{time}\t{encoded}\t{name}\t{code}\n"));
        let path = format!("{CREATION_FAILURES}/{ended_at}_{run_id}_1.failed_list.txt");
        [(path, lines.collect())].into()
    }
}

/// Carries everything and delivers what three nights owe.
fn good_night(world: &World) {
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    world.night(0);
    assert_eq!(world.runs()[2], "ended|3|3|0|0|0|0|done");
    assert_eq!(
        world.requests(),
        ["a|synced|", "b/ü 1|synced|", "c|synced|"]
    );
    assert_eq!(world.copies(), ["a", "b/ü 1", "c"]);
    assert_eq!(world.manifests(), 3);
    assert_eq!(world.files(CREATION_FAILURES).len(), 2);
    world.check_delivered();
    world.check_books();
}
