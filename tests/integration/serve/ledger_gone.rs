//! The ledger is moved, deleted or replaced while `serve` is at work.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::{DEADLINE, House, OPERATOR, READER, Serving};

const TASK: &str = "/v2/p1/sync-tasks/photos?query_time=1";
const GONE: &str = "was moved, deleted or replaced while serve is at work";
const BACK: &str = "can be used again: what was recorded meanwhile is loaded";
const ANOTHER: &str = "again, another one, and it is in use";

impl House {
    fn ledger(&self) -> PathBuf {
        self.data().join("ledger.sqlite")
    }

    /// The ledger with what belongs to it, moved aside.
    fn take_ledger_away(&self) -> PathBuf {
        let aside = self.folder.path().join("aside");
        fs::create_dir_all(&aside).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            let name = format!("ledger.sqlite{suffix}");
            drop(fs::rename(self.data().join(&name), aside.join(&name)));
        }
        assert!(!self.ledger().exists());
        aside
    }
}

impl Serving {
    /// What a page says; it is shown to one who has signed in.
    fn page(&self, path: &str) -> (u16, String) {
        let form = format!("token={READER}");
        let signed_in = self.post("/sign-in", &[], &form);
        let cookie = signed_in.head.split("set-cookie: ").nth(1).unwrap();
        let cookie = cookie.split(';').next().unwrap();
        let answer = self.get_with(path, &[("Cookie", cookie)]);
        (answer.status, answer.body)
    }

    /// Waits until it is well.
    fn wait_well(&self) {
        let began = Instant::now();
        while self.get("/healthz", "").status != 200 {
            assert!(began.elapsed() < DEADLINE);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// That nothing is answered that needs the ledger, and names are taken.
    fn is_without_ledger(&self) {
        for path in [TASK, "/v2/p1/sync-tasks"] {
            let answer = self.get(path, READER);
            assert_eq!(answer.status, 503, "{answer:?}");
            let (code, message) = answer.error();
            assert_eq!(code, "NIGHTFERRY.0503");
            assert!(
                message.starts_with("The ledger is not in its place;"),
                "{message}"
            );
            assert!(answer.head.contains("retry-after: 30"), "{answer:?}");
        }
        let stopped = self.post(
            "/v2/p1/sync-tasks/photos/stop",
            &[("X-Auth-Token", OPERATOR)],
            "",
        );
        assert_eq!(stopped.status, 503);
        let ill = self.get("/healthz", "");
        assert_eq!(ill.status, 503);
        assert_eq!(
            ill.error().1,
            "Something is wrong: the ledger is not in its place."
        );
        for path in ["/", "/tasks/photos"] {
            let (status, text) = self.page(path);
            assert_eq!(status, 503, "{path}");
            assert!(text.contains("The ledger is not in its place"), "{text}");
        }
        let metrics = self.get("/metrics", READER);
        assert_eq!(metrics.status, 200);
        assert!(
            metrics
                .body
                .contains("nightferry_serve_ledger_in_place 0\n")
        );
        assert!(!metrics.body.contains("nightferry_requested_total{"));
    }
}

#[test]
fn while_the_ledger_is_gone_names_are_taken_and_once_it_is_back_they_are_in_it() {
    let house = House::new();
    let mut serving = house.serve();
    serving.accepts(&["a"]);
    house.wait_requested(1);
    let aside = house.take_ledger_away();
    serving.is_without_ledger();
    serving.process.wait_until_says(GONE);
    serving.accepts(&["b"]);
    assert_eq!(house.lines(), ["a", "b"]);
    assert!(!house.ledger().exists(), "it is not made anew");
    for file in fs::read_dir(aside).unwrap() {
        let file = file.unwrap();
        fs::rename(file.path(), house.data().join(file.file_name())).unwrap();
    }
    serving.process.wait_until_says(BACK);
    assert_eq!(house.requested(), ["a", "b"]);
    assert_eq!(serving.get(TASK, READER).status, 200);
    serving.accepts(&["c"]);
    house.wait_requested(3);
    let said = serving.stop().stderr;
    for (text, times) in [
        (GONE, 1),
        (BACK, 1),
        ("ERROR", 1),
        ("first `nightferry run`", 0),
    ] {
        assert_eq!(said.matches(text).count(), times, "{text}\n{said}");
    }
    house.check_books();
}

#[test]
fn a_backup_that_is_restored_is_used_and_has_what_was_recorded_since() {
    let house = House::new();
    let mut serving = house.serve();
    serving.accepts(&["a"]);
    house.wait_requested(1);
    let backup = house.folder.path().join("backup.sqlite");
    let backup = backup.to_str().unwrap();
    assert_eq!(house.does(&["ledger", "backup", backup]).code, Some(0));
    serving.accepts(&["b"]);
    house.wait_requested(2);
    drop(house.take_ledger_away());
    serving.process.wait_until_says(GONE);
    serving.accepts(&["c"]);
    let restored = house.does(&["ledger", "restore", backup]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    serving.process.wait_until_says(ANOTHER);
    // It had been in the list that is being written, and not in the backup.
    assert_eq!(house.requested(), ["a", "b", "c"]);
    serving.wait_well();
    assert_eq!(serving.page("/tasks/photos").0, 200);
    let said = serving.stop().stderr;
    for (text, times) in [(GONE, 1), (ANOTHER, 1)] {
        assert_eq!(said.matches(text).count(), times, "{text}\n{said}");
    }
    house.check_books();
}

#[test]
fn a_ledger_that_is_replaced_in_one_step_is_seen_too() {
    let house = House::new();
    let mut serving = house.serve();
    serving.accepts(&["a"]);
    house.wait_requested(1);
    let backup = house.folder.path().join("backup.sqlite");
    let backup = backup.to_str().unwrap();
    assert_eq!(house.does(&["ledger", "backup", backup]).code, Some(0));
    serving.accepts(&["b"]);
    house.wait_requested(2);
    assert_eq!(house.does(&["ledger", "restore", backup]).code, Some(0));
    serving.process.wait_until_says(ANOTHER);
    assert_eq!(house.requested(), ["a", "b"]);
    serving.accepts(&["c"]);
    assert_eq!(house.wait_requested(3), ["a", "b", "c"]);
    assert_eq!(serving.stop().code, Some(0));
    house.check_books();
}

#[test]
fn what_is_no_ledger_in_its_place_is_left_alone_and_said_to_be_none() {
    let house = House::new();
    let mut serving = house.serve();
    serving.accepts(&["a"]);
    house.wait_requested(1);
    let aside = house.take_ledger_away();
    fs::write(
        house.ledger(),
        "no ledger at all, and long enough to be seen to be none",
    )
    .unwrap();
    serving.process.wait_until_says("is no Nightferry ledger");
    serving.is_without_ledger();
    serving.accepts(&["b"]);
    fs::rename(aside.join("ledger.sqlite"), house.ledger()).unwrap();
    serving.process.wait_until_says(BACK);
    assert_eq!(house.requested(), ["a", "b"]);
    let said = serving.stop().stderr;
    assert_eq!(said.matches("is no Nightferry ledger").count(), 1, "{said}");
}

#[test]
fn what_was_recorded_while_the_ledger_was_gone_is_loaded_by_the_next_start_at_the_latest() {
    let house = House::new();
    let mut serving = house.serve();
    serving.accepts(&["a"]);
    house.wait_requested(1);
    let aside = house.take_ledger_away();
    serving.process.wait_until_says(GONE);
    serving.accepts(&["b"]);
    assert_eq!(serving.stop().code, Some(0));
    for file in fs::read_dir(aside).unwrap() {
        let file = file.unwrap();
        fs::rename(file.path(), house.data().join(file.file_name())).unwrap();
    }
    let serving = house.serve();
    assert_eq!(house.wait_requested(2), ["a", "b"]);
    assert_eq!(serving.stop().code, Some(0));
    house.check_books();
}

#[test]
fn a_fresh_installation_has_nothing_yet_and_is_well() {
    let house = House::new();
    let serving = house.serve();
    let lost = "there is no ledger in";
    let (status, text) = serving.page("/tasks/photos");
    assert_eq!(status, 200);
    let nothing = "Nothing was asked for or settled in this month.";
    assert!(text.contains(nothing), "{text}");
    assert_eq!(serving.get("/healthz", "").status, 200);
    assert_eq!(serving.get(TASK, READER).status, 200);
    assert!(!serving.stop().stderr.contains(lost));
    // Gone while nobody was at work: that is seen at the next start.
    drop(house.take_ledger_away());
    let said = house.serve().stop().stderr;
    assert!(said.contains(lost), "{said}");
}
