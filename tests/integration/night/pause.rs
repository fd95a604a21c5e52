//! `pause` and `resume`, and the runs after them.

use super::Harbour;

/// Lists wait for `films` and for `photos`, and `photos` is paused.
fn harbour() -> Harbour {
    let harbour = Harbour::new();
    harbour.server.create_bucket("screen");
    let films = harbour.task("films", "", "src", "screen");
    let photos = harbour.task("photos", "", "src", "dst");
    harbour.configure(&format!("{photos}{films}"));
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    let enqueued = harbour.run(&["enqueue", "--task", "films", "a"]);
    assert_eq!(enqueued.code, 0, "{enqueued:?}");
    let paused = harbour.run(&["pause", "--task", "photos"]);
    assert_eq!(
        (paused.code, paused.stdout.as_str()),
        (0, "photos: paused\n")
    );
    harbour
}

#[test]
fn a_run_leaves_a_paused_task_alone_says_so_and_sees_to_the_others() {
    let harbour = harbour();
    let end = harbour.night();
    assert_eq!(end.code, 0, "{end:?}");
    let said = "photos: paused since 2";
    assert!(end.stderr.contains(said), "{}", end.stderr);
    assert!(!end.stdout.contains("photos: run"), "{}", end.stdout);
    assert_eq!(
        harbour.rows("SELECT task, run, synced FROM run_history"),
        ["films|1|1"]
    );
    assert_eq!(harbour.copies(), [""; 0]);
}

#[test]
fn a_run_of_a_paused_task_alone_has_nothing_to_do() {
    let harbour = harbour();
    harbour.server.clear_requests();
    for arguments in [
        &["run", "--task", "photos"][..],
        &["run", "--task", "photos", "--settle-only"],
    ] {
        let end = harbour.run(arguments);
        assert_eq!((end.code, end.stdout.as_str()), (0, ""), "{end:?}");
        let said = "so there is nothing to do; `nightferry resume --task photos`";
        assert!(end.stderr.contains(said), "{}", end.stderr);
    }
    let json = harbour.run(&["run", "--task", "photos", "--json"]);
    assert_eq!((json.code, json.stdout.as_str()), (0, "[]\n"));
    let rehearsed = harbour.run(&["run", "--task", "photos", "--dry-run"]);
    assert_eq!(rehearsed.code, 0, "{rehearsed:?}");
    assert!(
        rehearsed.stdout.starts_with("photos: paused since 2"),
        "{rehearsed:?}"
    );
    assert_eq!(harbour.server.requests().len(), 0);
    assert_eq!(harbour.rows("SELECT count(*) FROM run_history"), ["0"]);
}

#[test]
fn a_task_is_paused_until_it_is_resumed_and_then_takes_all_that_waited() {
    let harbour = harbour();
    let again = harbour.run(&["pause", "--task", "photos"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (0, "photos: is paused already\n")
    );
    assert_eq!(harbour.rows("SELECT task FROM paused_tasks"), ["photos"]);
    let status = harbour.run(&["status", "--task", "photos"]).stdout;
    assert!(status.contains("  Paused"), "{status}");
    assert!(
        status.contains("until `nightferry resume --task photos`"),
        "{status}"
    );
    harbour.put("b", "2");
    harbour.list("two.txt", "b\n");
    harbour.night();
    let resumed = harbour.run(&["resume", "--task", "photos"]);
    assert_eq!(
        (resumed.code, resumed.stdout.as_str()),
        (0, "photos: resumed; the next run takes it up\n")
    );
    let again = harbour.run(&["resume", "--task", "photos"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (0, "photos: is not paused\n")
    );
    assert!(!harbour.run(&["status"]).stdout.contains("Paused"));
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.copies(), ["a", "b"]);
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
}

#[test]
fn a_task_that_is_not_configured_can_be_neither_paused_nor_resumed() {
    let harbour = Harbour::new();
    for command in ["pause", "resume"] {
        let end = harbour.run(&[command, "--task", "nobody"]);
        assert_eq!(end.code, 2, "{end:?}");
        assert!(
            end.stderr.contains("has no task `nobody`"),
            "{}",
            end.stderr
        );
    }
    assert!(!harbour.data_dir().join("ledger.sqlite").exists());
}

#[test]
fn a_backup_keeps_what_was_paused() {
    let harbour = harbour();
    let copy = harbour.folder.path().join("copy.sqlite");
    let copy = copy.to_str().unwrap();
    assert_eq!(harbour.run(&["ledger", "backup", copy]).code, 0);
    harbour.run(&["resume", "--task", "photos"]);
    assert_eq!(harbour.run(&["ledger", "restore", copy]).code, 0);
    assert_eq!(harbour.rows("SELECT task FROM paused_tasks"), ["photos"]);
}
