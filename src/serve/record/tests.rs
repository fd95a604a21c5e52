//! Lists as they follow each other, on a clock that is set by hand.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::config::Config;
use crate::model::Timestamp;
use crate::serve::in_use::InUse;

const MINUTE: i64 = 60_000;

struct Fixture {
    folder: TempDir,
    clock: Clock,
    began_at: Timestamp,
    recording: Recording,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let end = "endpoint = 'http://127.0.0.1'\nprofile = 'p'\nbucket";
        let text = format!(
            "data_dir = 'data'\n[[task]]\nid = 'photos'\n\
             [task.source]\n{end} = 'src'\n[task.destination]\n{end} = 'dst'\n"
        );
        let config = Config::parse(&text, &folder.path().join("nightferry.toml")).unwrap();
        let data_dir = DataDir::new(config.data_dir.clone(), None).unwrap();
        data_dir
            .prepare(config.tasks.iter().map(|task| &task.id))
            .unwrap();
        let began_at = Clock::system().now();
        let clock = Clock::fixed(began_at);
        let speech = Speech {
            in_use: Arc::new(InUse::new(data_dir.ledger())),
            notices: Arc::default(),
        };
        let recording = begin(&config.tasks, &data_dir, &clock, speech).unwrap();
        Self {
            folder,
            clock,
            began_at,
            recording,
        }
    }

    /// Has `lines` written, which count as so many names.
    fn record(&self, lines: &str, names: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let recorded = self.recording.recorder.record(0, lines.into(), names, None);
        runtime.block_on(recorded).unwrap();
    }

    /// What stands in the lists, the oldest first.
    fn lists(&self) -> Vec<String> {
        lists(self.folder.path())
    }
}

fn lists(folder: &Path) -> Vec<String> {
    walkdir::WalkDir::new(folder.join("data/oms"))
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| fs::read_to_string(entry.path()).unwrap())
        .collect()
}

#[test]
fn a_list_is_followed_by_another_once_it_is_five_minutes_old() {
    let fixture = Fixture::new();
    fixture.record("a\n", 1);
    fixture.clock.set(fixture.began_at.plus_ms(5 * MINUTE - 1));
    fixture.record("b\n", 1);
    fixture.clock.set(fixture.began_at.plus_ms(5 * MINUTE));
    fixture.record("c\n", 1);
    assert_eq!(fixture.lists(), ["a\nb\n", "c\n"]);
}

#[test]
fn a_list_is_followed_by_another_once_it_has_a_million_names() {
    let fixture = Fixture::new();
    fixture.record("a\n", 999_999);
    fixture.record("b\n", 1);
    fixture.record("c\n", 1);
    assert_eq!(fixture.lists(), ["a\nb\n", "c\n"]);
}

#[test]
fn nothing_is_lost_or_left_open_at_the_end() {
    let fixture = Fixture::new();
    fixture.record("a\n", 1);
    fixture.record("b%20c\n", 1);
    let folder = fixture.folder;
    fixture.recording.end();
    assert_eq!(lists(folder.path()), ["a\nb%20c\n"]);
    let ledger = rusqlite::Connection::open(folder.path().join("data/ledger.sqlite")).unwrap();
    let mut names = ledger
        .prepare("SELECT name FROM requests ORDER BY request")
        .unwrap();
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(names, ["a", "b c"]);
    let marks: Vec<_> = fs::read_dir(folder.path().join("data/serve"))
        .unwrap()
        .collect();
    assert_eq!(marks.len(), 1, "the lock alone");
}
