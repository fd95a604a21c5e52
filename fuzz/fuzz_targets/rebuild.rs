//! What a ledger is made from again: manifests, journals and lists. Their lines
//! go into a real ledger, which forgets them after each input.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use nightferry::ledger::{Ledger, RebuildError, RebuiltRun, TaskKey};
use nightferry::model::{JournalEntry, LocalTime, RunBooks, RunNotes, Zone};
use nightferry::report::{ListKind, Manifest, manifest_of, read_listed};
use tempfile::TempDir;

struct Books {
    ledger: Ledger,
    task: TaskKey,
    _folder: TempDir,
}

const AT: &str = "2026-11-22T10:55:00.123+08:00";

fn begun() -> RefCell<Books> {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite"), 0o600).unwrap();
    let (id, zone): (_, Zone) = ("t".parse().unwrap(), Zone::UTC);
    let at: LocalTime = AT.parse().unwrap();
    let task = ledger.enter_task(&id, zone, 7, at).unwrap();
    RefCell::new(Books {
        ledger,
        task,
        _folder: folder,
    })
}

thread_local! {
    static BOOKS: RefCell<Books> = begun();
}

fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = Manifest::read(data, "t", "n") {
        let text = serde_json::to_vec(&manifest).unwrap();
        assert_eq!(Manifest::read(&text, "t", "n"), Ok(manifest));
    }
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    if let Some((run_name, _)) = manifest_of(text) {
        assert_eq!(format!("manifests/{run_name}.manifest.json"), text);
    }
    let _ = ListKind::of(text);
    BOOKS.with_borrow_mut(|books| enter(books, text));
});

/// Enters a run of which the lines of `text` are told.
fn enter(books: &mut Books, text: &str) {
    let at = AT.parse().unwrap();
    let run = RebuiltRun {
        task: books.task,
        number: 1,
        run_id: "6740a1b20123456789abcdef",
        run_name: "a-b-20261122105500123_1",
        state: "ended",
        zone: "Asia/Shanghai",
        started: at,
        ended: at,
        books: RunBooks::default(),
        notes: &RunNotes::default(),
    };
    // Never kept: the next input shall find the same ledger.
    let entered = books.ledger.rebuild_run(&run, |rebuilding| {
        for line in text.lines() {
            if let Ok(entry) = serde_json::from_str::<JournalEntry>(line) {
                let again = serde_json::to_string(&entry).unwrap();
                assert_eq!(serde_json::from_str::<JournalEntry>(&again).unwrap(), entry);
                rebuilding.tell(&entry)?;
            }
        }
        rebuilding.take()?;
        let kinds = [ListKind::Success, ListKind::Failed, ListKind::Skip];
        for kind in kinds {
            for listed in text.lines().filter_map(|line| read_listed(kind, line)) {
                let escaped = listed.name.escaped();
                assert!(text.contains(&escaped));
                rebuilding.settle(&listed)?;
            }
        }
        Err::<(), _>(RebuildError::Journal)
    });
    assert!(entered.is_err());
    // A run that is not kept leaves nothing.
    assert!(books.ledger.is_blank().unwrap());
}
