//! `check`: the destination against the ledger.

use serde_json::Value;

use super::{End, Harbour, files_in, lines};
use crate::s3_server::{Fault, FaultAction, NewObject};
use crate::trouble::process::Night;

/// The task `photos` with so many copies of a byte each, made in one night.
fn copied(harbour: &Harbour, count: u32) {
    let names: Vec<String> = (0..count)
        .map(|number| format!("{number:04}.jpg"))
        .collect();
    for name in &names {
        harbour.put(name, name.as_str());
    }
    harbour.list("a.txt", names.join("\n") + "\n");
    assert_eq!(harbour.night().code, 0);
}

/// Puts something else of the same length in place of a copy.
fn alter(harbour: &Harbour, name: &str) {
    harbour
        .server
        .put("dst", name, "x".repeat(name.len()).as_str());
}

/// What `check --json` says of the one task.
fn told(end: &End) -> Value {
    let mut told: Vec<Value> = serde_json::from_str(&end.stdout).unwrap();
    assert_eq!(told.len(), 1);
    told.remove(0)
}

/// Finding, name and difference of each finding.
fn findings(told: &Value) -> Vec<String> {
    let findings = told["findings"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    findings
        .iter()
        .map(|finding| {
            let [kind, name, differs] =
                ["finding", "name", "differs"].map(|key| text(&finding[key]));
            format!("{kind} {name} {differs}")
        })
        .collect()
}

/// Figures of a check by their names.
fn figures<const N: usize>(told: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| told[name].as_u64().unwrap())
}

#[test]
fn all_that_is_gone_changed_newer_or_foreign_is_found_and_nothing_else() {
    let harbour = Harbour::new();
    copied(&harbour, 2500);
    let mut expected = Vec::new();
    for number in (0..2500).step_by(50) {
        let name = format!("{number:04}.jpg");
        assert!(harbour.server.remove("dst", &name));
        expected.push(format!("gone {name} -"));
    }
    for number in (7..2500).step_by(100) {
        let name = format!("{number:04}.jpg");
        alter(&harbour, &name);
        expected.push(format!("changed {name} etag"));
    }
    harbour.server.put("dst", "0001.jpg", "of another length");
    harbour.server.put("src", "0002.jpg", "newer");
    // What is gone at both ends, and what only the source lost.
    assert!(harbour.server.remove("src", "0050.jpg") && harbour.server.remove("src", "0003.jpg"));
    for name in [
        "0002.jpg.bak",
        "zebra",
        "oms/sync_task",
        "oms/sync_task/photos/mine.txt",
    ] {
        harbour.server.put("dst", name, "theirs");
    }
    expected.extend([
        "changed 0001.jpg size_and_etag".to_owned(),
        "newer_at_source 0002.jpg -".to_owned(),
        "foreign 0002.jpg.bak -".to_owned(),
        "foreign oms/sync_task -".to_owned(),
        "foreign zebra -".to_owned(),
    ]);
    harbour.server.clear_requests();
    let end = harbour.run(&["check", "--json"]);
    assert_eq!((end.code, end.stderr.as_str()), (4, ""));
    let told = told(&end);
    let mut found = findings(&told);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let names = [
        "copies",
        "right",
        "gone",
        "changed",
        "newer_at_source",
        "foreign",
    ];
    assert_eq!(figures(&told, names), [2500, 2423, 50, 26, 1, 3]);
    assert_eq!(
        figures(&told, ["source_gone", "unsettled", "unanswered"]),
        [1, 0, 0]
    );
    let requests = harbour.server.requests().len() as u64;
    assert_eq!(figures(&told, ["requests"]), [requests]);
    // Two for a first look, three pages of each end, each finding by itself, and the
    // one newer at the source there too.
    assert!(requests <= 2 + 3 + 4 + 80 + 1, "{requests}");
    let list = std::fs::read_to_string(told["list"].as_str().unwrap()).unwrap();
    assert_eq!(lines(&list).len(), 80);
    let first = lines(&list)[0]
        .split('\t')
        .map(str::to_owned)
        .collect::<Vec<_>>();
    assert_eq!(
        (&*first[0], &*first[2], &*first[3], &*first[4]),
        ("gone", "0000.jpg", "0000.jpg", "")
    );
    assert_eq!(
        harbour.rows("SELECT requested, pending FROM books"),
        ["2500|0"]
    );
}

#[test]
fn foreign_objects_alone_are_no_failure_and_a_right_bucket_leaves_no_list() {
    let harbour = Harbour::new();
    copied(&harbour, 3);
    let end = harbour.run(&["check"]);
    assert_eq!(end.code, 0, "{}", end.stderr);
    let said =
        "photos: 3 copies = 3 right + 0 gone + 0 changed + 0 newer at the source; 0 foreign\n";
    assert!(end.stdout.starts_with(said), "{}", end.stdout);
    assert!(!harbour.data_dir().join("checks").exists());
    harbour.server.put("dst", "theirs\u{1b}[2J", "x");
    let end = harbour.run(&["check"]);
    assert_eq!(end.code, 0, "{}", end.stderr);
    assert!(end.stdout.contains("; 1 foreign\n"), "{}", end.stdout);
    assert!(!end.stdout.contains('\u{1b}'));
    let files = files_in(&harbour.data_dir().join("checks"));
    assert_eq!(files.len(), 1);
    let csv = harbour.run(&["check", "--format", "csv"]);
    let rows = lines(&csv.stdout);
    assert_eq!(rows.len(), 2);
    assert!(
        rows[0].starts_with("task,finding,differs,name,"),
        "{}",
        rows[0]
    );
    assert!(rows[1].starts_with("photos,foreign,,theirs"), "{}", rows[1]);
}

#[test]
fn what_is_asked_for_again_is_carried_whatever_the_rule_says() {
    for (mode, settled) in [
        ("size_last_modified", "ignored|already_copied"),
        ("never", "ignored|exists"),
        ("always", "synced|"),
        ("checksum", "ignored|same_checksum"),
    ] {
        let harbour = Harbour::with("", &format!("overwrite = \"{mode}\""));
        copied(&harbour, 6);
        harbour.server.remove("dst", "0000.jpg");
        alter(&harbour, "0001.jpg");
        harbour.server.put("src", "0002.jpg", "newer");
        harbour.server.put("dst", "foreign", "x");
        let end = harbour.run(&["check", "--requeue"]);
        assert_eq!(end.code, 4, "{}", end.stderr);
        assert!(
            end.stdout
                .contains("3 names asked for again in object_lists/"),
            "{}",
            end.stdout
        );
        harbour.list("b.txt", "0003.jpg\n");
        assert_eq!(harbour.night().code, 0, "{mode}");
        let carried = if mode == "always" {
            "4|4|0|0|0|0"
        } else {
            "4|3|0|1|0|0"
        };
        assert_eq!(harbour.runs()[1..], [carried], "{mode}");
        let third =
            harbour.rows("SELECT state, reason FROM requests WHERE list = 'object_lists/b.txt'");
        assert_eq!(third, [settled], "{mode}");
        assert_eq!(harbour.run(&["check"]).code, 0, "{mode}");
        let mends = harbour.rows("SELECT name, finding, run FROM mends ORDER BY name");
        let expected = [
            "0000.jpg|gone|2",
            "0001.jpg|changed|2",
            "0002.jpg|newer_at_source|2",
        ];
        assert_eq!(mends, expected, "{mode}");
        assert_eq!(harbour.copy("0002.jpg").unwrap().body(), b"newer");
        assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
    }
}

#[test]
fn what_somebody_put_there_after_the_check_is_left_to_the_rule() {
    let harbour = Harbour::new();
    copied(&harbour, 2);
    alter(&harbour, "0000.jpg");
    assert_eq!(harbour.run(&["check", "--requeue"]).code, 4);
    harbour.server.put("dst", "0000.jpg", "restored");
    assert_eq!(harbour.night().code, 0);
    let again = harbour.rows("SELECT state, reason FROM requests WHERE request = 3");
    assert_eq!(again, ["ignored|newer_at_destination"]);
    assert_eq!(harbour.copy("0000.jpg").unwrap().body(), b"restored");
    assert_eq!(harbour.rows("SELECT run FROM mends"), ["2"]);
}

#[test]
fn what_waits_for_a_run_already_is_not_asked_for_twice() {
    let harbour = Harbour::new();
    copied(&harbour, 2);
    harbour.server.remove("dst", "0000.jpg");
    harbour.server.remove("dst", "0001.jpg");
    harbour.run(&["enqueue", "--task", "photos", "0000.jpg", "0001.jpg"]);
    assert_eq!(harbour.run(&["run", "--limit", "1"]).code, 6);
    harbour.server.remove("dst", "0000.jpg");
    let end = harbour.run(&["check", "--requeue"]);
    assert!(
        end.stdout
            .contains("1 name asked for again in object_lists/"),
        "{}",
        end.stdout
    );
    assert!(
        end.stdout.contains(", 1 waited for a run already\n"),
        "{}",
        end.stdout
    );
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.run(&["check"]).code, 0);
    assert_eq!(harbour.rows("SELECT count(*) FROM requests"), ["5"]);
}

#[test]
fn a_dry_run_knows_what_is_to_be_mended() {
    let harbour = Harbour::new();
    copied(&harbour, 2);
    alter(&harbour, "0000.jpg");
    harbour.run(&["check", "--requeue"]);
    let end = harbour.run(&["run", "--dry-run"]);
    assert!(end.stdout.contains("1 to copy"), "{}", end.stdout);
}

#[test]
fn names_of_other_tasks_in_the_bucket_and_names_never_copied_are_not_foreign() {
    let harbour = Harbour::new();
    harbour.server.create_bucket("src2");
    let tasks = [
        harbour.task("photos", "", "src", "dst"),
        harbour.task("films", "", "src2", "dst"),
    ];
    harbour.configure(&tasks.concat());
    harbour.server.put("src2", "film", "x");
    harbour.run(&["enqueue", "--task", "films", "film"]);
    harbour.server.put(
        "dst",
        "0000.jpg",
        NewObject {
            last_modified: None,
            ..NewObject::from("0000.jpg")
        },
    );
    copied(&harbour, 2);
    let first = "SELECT state, reason FROM requests WHERE task = 'photos' AND name = '0000.jpg'";
    assert_eq!(harbour.rows(first), ["ignored|newer_at_destination"]);
    let end = harbour.run(&["check", "--task", "photos", "--json"]);
    let told = told(&end);
    assert_eq!((end.code, findings(&told).len()), (0, 0), "{}", end.stdout);
    assert_eq!(figures(&told, ["copies", "foreign"]), [1, 0]);
}

#[test]
fn only_what_lies_under_the_prefix_is_looked_at() {
    let harbour = Harbour::new();
    let source = harbour.task("photos", "", "src", "dst");
    let under = |prefix: &str| format!("{source}prefix = \"{prefix}\"\n");
    harbour.configure(&under("old/"));
    copied(&harbour, 3);
    harbour.configure(&under("oms/"));
    harbour.list("b.txt", "0000.jpg\n0001.jpg\n");
    assert_eq!(harbour.night().code, 0);
    harbour.server.remove("dst", "old/0000.jpg");
    harbour.server.remove("dst", "oms/0001.jpg");
    harbour.server.put("dst", "oms/theirs", "x");
    harbour.server.put("dst", "theirs", "x");
    let end = harbour.run(&["check", "--json", "--requeue"]);
    let told = told(&end);
    assert_eq!(end.code, 4, "{}", end.stderr);
    assert_eq!(findings(&told), ["gone 0001.jpg -", "foreign oms/theirs -"]);
    assert_eq!(figures(&told, ["copies", "right"]), [2, 1]);
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.run(&["check"]).code, 0);
    // What lies under an earlier prefix is known.
    harbour.configure(&under("o"));
    let none = harbour.run(&["check", "--json"]);
    let foreign = findings(&self::told(&none));
    assert_eq!(
        (none.code, foreign),
        (0, vec!["foreign oms/theirs -".to_owned()])
    );
}

#[test]
fn a_sample_asks_for_as_many_copies_and_never_lists_them() {
    let harbour = Harbour::new();
    copied(&harbour, 200);
    for number in 0..100 {
        harbour.server.remove("dst", &format!("{number:04}.jpg"));
    }
    harbour.server.clear_requests();
    let end = harbour.run(&["check", "--sample", "40", "--json"]);
    let told = told(&end);
    assert_eq!(end.code, 4, "{}", end.stderr);
    let [copies, right, gone, changed] = figures(&told, ["copies", "right", "gone", "changed"]);
    assert_eq!((copies, right + gone, changed), (40, 40, 0));
    let part = format!("{:.4}", told["drift_rate"].as_f64().unwrap());
    assert_eq!(
        part,
        format!("{:.4}", f64::from(u32::try_from(gone).unwrap()) / 40.0)
    );
    let requests = harbour.server.requests();
    let lists = requests
        .iter()
        .filter(|request| request.operation == "ListObjectsV2")
        .count();
    assert_eq!(lists, 2, "the first look at each end");
    assert_eq!(requests.len() as u64, 2 + 40 + right);
    let names: std::collections::BTreeSet<_> = requests
        .iter()
        .filter(|request| request.bucket == "dst")
        .map(|request| &request.key)
        .collect();
    assert_eq!(names.len(), 41, "each once");
    let whole = harbour.run(&["check", "--sample", "500"]);
    assert!(
        whole
            .stdout
            .contains("200 copies drawn at random = 100 right + 100 gone"),
        "{}",
        whole.stdout
    );
    assert!(whole.stdout.contains("drift 50.00 %"), "{}", whole.stdout);
}

#[test]
fn a_bucket_that_cannot_be_looked_at_tells_nothing() {
    let harbour = Harbour::new();
    copied(&harbour, 3);
    harbour.server.delete_bucket("dst");
    let end = harbour.run(&["check"]);
    assert_eq!((end.code, end.stdout.as_str()), (9, ""));
    assert!(end.stderr.contains("NoSuchBucket"), "{}", end.stderr);
    let end = harbour.run(&["check", "--sample", "2"]);
    assert_eq!((end.code, end.stdout.as_str()), (9, ""));
    assert_eq!(harbour.run(&["check", "--task", "films"]).code, 2);
    assert_eq!(harbour.run(&["check", "--sample", "0"]).code, 2);
}

#[test]
fn without_the_source_the_copies_are_compared_all_the_same() {
    let harbour = Harbour::new();
    copied(&harbour, 3);
    harbour.server.delete_bucket("src");
    harbour.server.remove("dst", "0001.jpg");
    let end = harbour.run(&["check"]);
    assert_eq!(end.code, 9);
    assert!(end.stdout.contains("2 right + 1 gone"), "{}", end.stdout);
    assert!(
        end.stdout.contains("the source was left aside"),
        "{}",
        end.stdout
    );
}

#[test]
fn an_emptied_bucket_is_said_in_a_line() {
    let harbour = Harbour::new();
    copied(&harbour, 30);
    for key in harbour.server.keys("dst") {
        harbour.server.remove("dst", &key);
    }
    let end = harbour.run(&["check"]);
    assert_eq!(end.code, 4);
    assert!(
        end.stdout.contains("no copy is there any more"),
        "{}",
        end.stdout
    );
    assert!(
        end.stdout.contains("… and 10 more in the list"),
        "{}",
        end.stdout
    );
}

#[test]
fn a_listing_out_of_byte_order_tells_nothing() {
    let harbour = Harbour::new();
    copied(&harbour, 3);
    harbour
        .server
        .on(Fault::new(FaultAction::ListBackwards).bucket("dst"));
    let end = harbour.run(&["check", "--requeue"]);
    assert_eq!((end.code, end.stdout.as_str()), (9, ""));
    assert!(
        end.stderr
            .contains("not list its objects in the order of bytes"),
        "{}",
        end.stderr
    );
    assert!(!harbour.data_dir().join("checks").exists());
    assert_eq!(harbour.run(&["check", "--sample", "3"]).code, 0);
}

#[test]
fn nothing_was_copied_yet() {
    let harbour = Harbour::new();
    let end = harbour.run(&["check"]);
    assert_eq!(end.code, 3, "there is no ledger: {}", end.stderr);
    harbour.list("a.txt", "missing\n");
    assert_eq!(harbour.night().code, 4);
    for arguments in [
        &["check"][..],
        &["check", "--sample", "5"],
        &["check", "--requeue"],
    ] {
        let end = harbour.run(arguments);
        assert_eq!(end.code, 0, "{}", end.stderr);
        assert!(end.stdout.starts_with("photos: 0 copies"), "{}", end.stdout);
    }
}

#[test]
fn copies_that_are_changed_back_before_they_are_asked_about_raise_no_alarm() {
    let harbour = Harbour::new();
    copied(&harbour, 3);
    let copy = harbour.copy("0001.jpg").unwrap();
    harbour.server.remove("dst", "0001.jpg");
    // The listing lags: what it does not show is there.
    let body = String::from_utf8(copy.body()).unwrap();
    harbour
        .server
        .on(Fault::new(FaultAction::call_back(move |server| {
            server.put("dst", "0001.jpg", body.as_str());
        }))
        .operation("HeadObject")
        .bucket("dst")
        .key("0001.jpg")
        .times(1));
    let end = harbour.run(&["check", "--json"]);
    assert_eq!(end.code, 0, "{}", end.stdout);
    assert_eq!(figures(&told(&end), ["copies", "right"]), [3, 3]);
}

#[test]
fn what_a_run_is_at_is_without_a_verdict() {
    let harbour = Harbour::new();
    copied(&harbour, 3);
    harbour.server.put("src", "0001.jpg", "newer");
    harbour.server.remove("dst", "0002.jpg");
    harbour.run(&["enqueue", "--task", "photos", "0001.jpg"]);
    let put = harbour.server.gate("PutObject", "dst", Some("0001.jpg"));
    let night = Night::begin(&harbour.config(), &["run"]);
    put.wait_arrived();
    let end = harbour.run(&["check", "--json"]);
    let told = told(&end);
    assert_eq!(findings(&told), ["gone 0002.jpg -"], "{}", end.stderr);
    assert_eq!(figures(&told, ["copies", "right", "unsettled"]), [3, 1, 1]);
    put.open();
    assert_eq!(night.end().code, Some(0));
    let end = harbour.run(&["check"]);
    assert!(end.stdout.contains("2 right + 1 gone"), "{}", end.stdout);
}

#[test]
fn a_check_that_is_stopped_tells_nothing() {
    let harbour = Harbour::new();
    copied(&harbour, 3);
    harbour.server.remove("dst", "0002.jpg");
    let head = harbour.server.gate("HeadObject", "dst", Some("0002.jpg"));
    let check = Night::begin(&harbour.config(), &["check", "--requeue"]);
    head.wait_arrived();
    check.signal("INT");
    let end = check.end();
    assert_eq!((end.code, end.stdout.as_str()), (Some(6), ""));
    assert!(end.stderr.contains("stopped"), "{}", end.stderr);
    assert!(!harbour.data_dir().join("checks").exists());
    assert_eq!(harbour.rows("SELECT count(*) FROM mends"), ["0"]);
}

#[test]
fn copies_that_are_read_whole_show_what_no_listing_does() {
    let harbour = Harbour::new();
    copied(&harbour, 12);
    let right = harbour.run(&["check", "--deep", "50", "--json"]);
    assert_eq!(right.code, 0, "{right:?}");
    let said = told(&right);
    let all = [
        "copies",
        "same",
        "drifted",
        "undecided",
        "requests",
        "read_bytes",
    ];
    assert_eq!(figures(&said, all), [12, 12, 0, 0, 48, 2 * 12 * 8]);
    // As a disk alters it: other bytes, and neither size nor tag nor time shows it.
    let copy = harbour.copy("0003.jpg").unwrap();
    alter(&harbour, "0003.jpg");
    harbour.server.set_etag("dst", "0003.jpg", &copy.etag);
    harbour
        .server
        .set_last_modified("dst", "0003.jpg", copy.last_modified);
    harbour.server.remove("dst", "0004.jpg");
    harbour.server.put("src", "0005.jpg", "another!");
    let listed = told(&harbour.run(&["check", "--json"]));
    assert_eq!(figures(&listed, ["gone", "changed"]), [1, 0], "by listing");
    let end = harbour.run(&["check", "--deep", "50", "--json"]);
    assert_eq!(end.code, 4, "{end:?}");
    let said = told(&end);
    assert_eq!(figures(&said, all)[..4], [11, 9, 2, 1]);
    let found: Vec<String> = said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            format!(
                "{} {}",
                found["finding"].as_str().unwrap(),
                found["name"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        "differs 0003.jpg",
        "gone 0004.jpg",
        "source_changed 0005.jpg",
    ];
    assert_eq!(found, expected);
    let table = harbour.run(&["check", "--task", "photos", "--deep", "50"]);
    for part in [
        "photos: 12 copies drawn at random and read whole = 9 the same + 2 drifted + 1 not compared\n",
        "  drift 18.18 %; of all copies between ",
        "  the copy `0003.jpg` differs from the source's\n",
    ] {
        assert!(table.stdout.contains(part), "{part}: {table:?}");
    }
    let csv = harbour.run(&["check", "--deep", "50", "--format", "csv"]);
    assert!(
        csv.stdout.contains("photos,gone,0004.jpg,0004.jpg,,,"),
        "{csv:?}"
    );
    let few = told(&harbour.run(&["check", "--deep", "5", "--json"]));
    let [copies, undecided] = figures(&few, ["copies", "undecided"]);
    assert_eq!(copies + undecided, 5);
    let fault = Fault::answer(403, "AccessDenied")
        .operation("GetObject")
        .bucket("dst");
    harbour.server.on(fault);
    let unread = harbour.run(&["check", "--deep", "50"]);
    assert_eq!(unread.code, 9, "{unread:?}");
    let refused = harbour.run(&["check", "--deep", "5", "--sample", "5"]);
    assert_eq!(refused.code, 2, "{refused:?}");
}
