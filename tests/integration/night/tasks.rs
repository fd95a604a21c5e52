//! Several tasks in one night, and those that cannot begin.

use std::fs;

use super::{Harbour, files_in, lines};

/// Besides `photos` a task `films`, which comes first and whose source is not there.
fn harbour() -> Harbour {
    let harbour = Harbour::new();
    harbour.server.create_bucket("screen");
    let films = harbour.task("films", "", "vault", "screen");
    let photos = harbour.task("photos", "", "src", "dst");
    harbour.configure(&format!("{films}{photos}"));
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    let inbox = harbour.data_dir().join("oms/sync_task/films/object_lists");
    fs::create_dir_all(&inbox).unwrap();
    fs::write(inbox.join("one.txt"), "x\ny\n").unwrap();
    harbour
}

#[test]
fn a_task_that_cannot_begin_does_not_stop_the_others() {
    let harbour = harbour();
    let end = harbour.night();
    assert_eq!(end.code, 9);
    assert!(
        end.stderr
            .contains("films: the run could not begin (bucket_missing): "),
        "{}",
        end.stderr
    );
    assert!(
        end.stderr.contains("; its 2 requests stay pending"),
        "{}",
        end.stderr
    );
    assert_eq!(
        harbour.rows(
            "SELECT task, taken, synced, failed, deferred, exit_code, exit_reasons FROM run_history
             ORDER BY task"
        ),
        [
            "films|2|0|0|2|9|could_not_begin,deferred,owed",
            "photos|1|1|0|0|0|done"
        ]
    );
    assert_eq!(
        harbour.rows("SELECT name, attempts, last_cause, deferral FROM pending_requests"),
        ["x|0||could_not_begin", "y|0||could_not_begin"]
    );
    assert_eq!(
        harbour.rows("SELECT * FROM books ORDER BY task"),
        ["films|2|0|0|0|2|1", "photos|1|1|0|0|0|1"]
    );
    assert_eq!(harbour.copies(), ["a"]);
}

#[test]
fn what_could_not_begin_is_listed_once_in_an_outage_and_delivered_after_it() {
    let harbour = harbour();
    harbour.night();
    let films = harbour.data_dir().join("oms/sync_task/films");
    let lists = || files_in(&films.join("failed_object_lists/creation_failures"));
    let content = |index: usize| lines(&fs::read_to_string(&lists()[index]).unwrap());
    let ended = "SELECT ended_at_local, ended_at, run_id FROM run_history WHERE task = 'films'
                 ORDER BY run DESC LIMIT 1";
    let row = harbour.rows(ended).remove(0);
    let [local, ended_at, run_id] = row.split('|').collect::<Vec<_>>()[..] else {
        panic!("{row}");
    };
    assert_eq!(
        lists()[0].file_name().unwrap().to_str().unwrap(),
        format!("{ended_at}_{run_id}_1.failed_list.txt")
    );
    assert_eq!(
        content(0),
        [
            format!("bucket_missing\t{local}\tx\tx\tNoSuchBucket"),
            format!("bucket_missing\t{local}\ty\ty\tNoSuchBucket"),
        ]
    );
    fs::write(films.join("object_lists/two.txt"), "z\n").unwrap();
    assert_eq!(harbour.night().code, 9);
    assert_eq!(lists().len(), 2);
    assert!(content(1)[0].ends_with("\tz\tz\tNoSuchBucket") && content(1).len() == 1);
    assert_eq!(harbour.night().code, 9);
    assert_eq!(lists().len(), 2);
    assert!(harbour.server.keys("screen").is_empty());

    harbour.server.create_bucket("vault");
    for name in ["x", "y", "z"] {
        harbour.server.put("vault", name, "1");
    }
    assert_eq!(harbour.night().code, 0);
    let keys = harbour.server.keys("screen");
    let owed = keys
        .iter()
        .filter(|key| key.contains("/creation_failures/"));
    assert_eq!(owed.count(), 2);
    assert_eq!(
        keys.iter()
            .filter(|key| key.contains("/manifests/"))
            .count(),
        4
    );
    assert_eq!(&keys[keys.len() - 3..], ["x", "y", "z"]);
    let verified = harbour.run(&["verify", "--task", "films"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

#[test]
fn only_the_named_tasks_run() {
    let harbour = harbour();
    let end = harbour.run(&["run", "--task", "photos", "--task", "photos"]);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    assert_eq!(
        harbour.rows("SELECT task, run FROM run_history"),
        ["photos|1"]
    );
    assert_eq!(harbour.run(&["run", "--task", "films"]).code, 9);
}

#[test]
fn an_unknown_task_is_wrong_usage_and_runs_nothing() {
    let harbour = harbour();
    for arguments in [
        &["run", "--task", "photos", "--task", "phottos"][..],
        &["summary", "--task", "phottos"],
        &["enqueue", "--task", "phottos", "a"],
        &["why", "--task", "phottos", "a"],
    ] {
        let end = harbour.run(arguments);
        assert_eq!((end.code, end.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(
            end.stderr
                .ends_with("has no task `phottos`; its tasks are: films, photos\n"),
            "{}",
            end.stderr
        );
    }
    assert!(!harbour.data_dir().join("ledger.sqlite").exists());
    assert!(harbour.server.requests().is_empty());
}

#[test]
fn a_task_without_its_credentials_does_not_stop_the_others_either() {
    let harbour = harbour();
    let films = harbour.task("films", "", "src", "screen");
    let unset = "access_key_id = { env = \"NIGHTFERRY_TEST_UNSET\" }";
    let key = format!("access_key_id = \"{}\"", crate::s3_server::ACCESS_KEY);
    let photos = harbour.task("photos", "", "src", "dst");
    harbour.configure(&format!("{}{photos}", films.replace(&key, unset)));
    let end = harbour.night();
    assert_eq!(end.code, 3);
    assert!(
        end.stderr
            .contains("the environment variable NIGHTFERRY_TEST_UNSET is not set"),
        "{}",
        end.stderr
    );
    assert_eq!(
        harbour.rows("SELECT task, synced FROM run_history"),
        ["photos|1"]
    );
}

#[test]
fn the_books_of_just_these_runs_are_printed_as_json() {
    let harbour = harbour();
    harbour.run(&["run", "--task", "photos"]);
    let end = harbour.run(&["run", "--task", "films", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&end.stdout).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert_eq!(runs[0]["task"], "films");
    assert_eq!(runs[0]["exit_code"], 9);
}
