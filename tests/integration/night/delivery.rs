//! Lists at the destination: manifest, export, verify, and nothing overwritten.

use std::fs;

use serde_json::Value;

use super::{Harbour, PHOTOS, files_in};

/// A night with one success, one skip and one failed list.
fn harbour() -> Harbour {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.put("b", "22");
    harbour.list("0.txt", "a\n");
    harbour.night();
    harbour.list("1.txt", "a\nb\ngone\n");
    assert_eq!(harbour.night().code, 4);
    harbour
}

fn run_name(harbour: &Harbour, run: u64) -> String {
    harbour
        .rows(&format!(
            "SELECT run_name FROM run_history WHERE run = {run}"
        ))
        .remove(0)
}

fn manifest(harbour: &Harbour, run: u64) -> Value {
    let name = format!("{PHOTOS}manifests/{}.manifest.json", run_name(harbour, run));
    serde_json::from_slice(&harbour.copy(&name).unwrap().body()).unwrap()
}

#[test]
fn lists_lie_under_the_run_and_the_time_of_its_end() {
    let harbour = harbour();
    let name = run_name(&harbour, 2);
    let stamp = "strftime('%Y%m%d%H%M%f', started_at / 1000.0, 'unixepoch')";
    let from = format!("SELECT 'src-dst-' || replace({stamp}, '.', '') || '_2' FROM run_history");
    assert_eq!(name, harbour.rows(&format!("{from} WHERE run = 2"))[0]);
    let end = harbour
        .rows(
            "SELECT replace(strftime('%Y%m%d%H%M%f', ended_at / 1000.0, 'unixepoch'), '.', '')
             FROM run_history WHERE run = 2",
        )
        .remove(0);
    let mut of_run = harbour.delivered();
    of_run.retain(|path| path.contains(&name));
    assert_eq!(
        of_run,
        [
            format!("failed_object_lists/{name}/{end}.failed_list.txt"),
            format!("journals/{name}/{end}.journal.jsonl"),
            format!("manifests/{name}.manifest.json"),
            format!("skip_object_lists/{name}/{end}.skip_list.txt"),
            format!("success_object_lists/{name}/{end}.success_list.txt"),
        ]
    );
}

#[test]
fn every_file_is_at_the_destination_as_it_is_on_disk() {
    let harbour = harbour();
    let mut local = Vec::new();
    for file in files_in(&harbour.photos()) {
        let path = file
            .strip_prefix(harbour.photos())
            .unwrap()
            .to_str()
            .unwrap();
        let delivered = harbour.copy(&format!("{PHOTOS}{path}")).unwrap();
        assert_eq!(delivered.body(), fs::read(&file).unwrap(), "{path}");
        local.push(path.to_owned());
    }
    local.sort_unstable();
    assert_eq!(harbour.delivered(), local);
    assert_eq!(
        local
            .iter()
            .filter(|path| path.starts_with("object_lists/"))
            .count(),
        2
    );
}

#[test]
fn the_manifest_vouches_for_the_delivered_lists_and_states_the_books() {
    let harbour = harbour();
    let manifest = manifest(&harbour, 2);
    let lists = manifest["lists"].as_array().unwrap();
    assert_eq!(lists.len(), 3);
    for list in lists {
        let path = list["path"].as_str().unwrap();
        let delivered = harbour.copy(&format!("{PHOTOS}{path}")).unwrap();
        assert_eq!(list["sha256"], delivered.sha256(), "{path}");
        assert_eq!(list["bytes"], delivered.size, "{path}");
        assert_eq!(list["lines"], 1, "{path}");
    }
    // Answered, loaded, three times requested, ignored.
    assert_eq!(manifest["journals"][0]["lines"], 6);
    assert_eq!(
        manifest["books"],
        serde_json::json!({
            "taken": 3, "synced": 1, "failed": 1, "ignored": 1, "deferred": 0,
            "synced_bytes": 2, "balanced": true,
        })
    );
    assert_eq!(manifest["run_name"], run_name(&harbour, 2));
    assert_eq!(
        (&manifest["task"], &manifest["run"], &manifest["zone"]),
        (&"photos".into(), &2.into(), &"UTC".into())
    );
}

#[test]
fn the_manifest_is_delivered_last() {
    let harbour = harbour();
    harbour.list("2.txt", "a\nb\ngone\n");
    harbour.put("b", "333");
    harbour.server.clear_requests();
    harbour.night();
    let puts: Vec<String> = harbour
        .writes()
        .into_iter()
        .filter_map(|put| put.key.strip_prefix(PHOTOS).map(str::to_owned))
        .map(|path| path.split('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        puts,
        [
            "object_lists",
            "failed_object_lists",
            "journals",
            "skip_object_lists",
            "success_object_lists",
            "manifests",
        ]
    );
}

#[test]
fn export_makes_every_list_again_byte_for_byte() {
    let harbour = harbour();
    for run in ["1", "2"] {
        let out = harbour.folder.path().join("export").join(run);
        let place = out.to_str().unwrap();
        let end = harbour.run(&["export", "--task", "photos", "--run", run, "--out", place]);
        assert_eq!((end.code, end.stderr.as_str()), (0, ""));
        let files = files_in(&out);
        assert_eq!(end.stdout.lines().count(), files.len());
        for file in files {
            let path = file.strip_prefix(&out).unwrap().to_str().unwrap();
            let bytes = fs::read(&file).unwrap();
            assert_eq!(bytes, fs::read(harbour.photos().join(path)).unwrap());
            let delivered = harbour.copy(&format!("{PHOTOS}{path}")).unwrap();
            assert_eq!(bytes, delivered.body());
            let line = format!("{}  {}", delivered.sha256(), file.display());
            assert!(
                end.stdout.lines().any(|said| said == line),
                "{}",
                end.stdout
            );
        }
    }
    let end = harbour.run(&["export", "--task", "photos", "--run", "9"]);
    assert_eq!(end.code, 2);
    assert!(end.stderr.contains("no run 9"), "{}", end.stderr);
}

#[test]
fn verify_tells_same_from_missing_from_different() {
    let harbour = harbour();
    let verify = || harbour.run(&["verify", "--task", "photos", "--run", "2"]);
    let end = verify();
    assert_eq!(end.code, 0);
    assert_eq!(
        end.stdout.matches("same     run 2").count(),
        5,
        "{}",
        end.stdout
    );
    assert!(end.stdout.ends_with("5 files compared\n"));

    let lists = harbour.delivered();
    let of_run = |kind: &str| {
        let found = lists
            .iter()
            .find(|path| path.starts_with(kind) && path.contains("_2/"));
        found.unwrap().clone()
    };
    let skip = of_run("skip_object_lists");
    assert!(harbour.server.remove("dst", &format!("{PHOTOS}{skip}")));
    let end = verify();
    assert_eq!(end.code, 7);
    assert!(
        end.stdout.contains(&format!("missing  run 2     {skip}\n")),
        "{}",
        end.stdout
    );

    let success = of_run("success_object_lists");
    let key = format!("{PHOTOS}{success}");
    let mut bytes = harbour.copy(&key).unwrap().body();
    bytes[0] ^= 1;
    harbour.server.put("dst", &key, bytes);
    let end = verify();
    assert_eq!(end.code, 8);
    assert!(
        end.stdout
            .contains(&format!("different run 2     {success}\n")),
        "{}",
        end.stdout
    );

    let all: Value = serde_json::from_str(
        &harbour
            .run(&["verify", "--task", "photos", "--json"])
            .stdout,
    )
    .unwrap();
    let states: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["state"])
        .collect();
    assert_eq!(
        states,
        [
            "same",
            "same",
            "same",
            "same",
            "same",
            "missing",
            "different",
            "same"
        ]
    );

    // What is missing is owed from then on.
    harbour.night();
    assert!(harbour.delivered().contains(&skip));
}

#[test]
fn delivery_never_overwrites_what_is_not_ours() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    let theirs = format!("{PHOTOS}object_lists/one.txt");
    harbour.server.put("dst", &theirs, "their list");
    harbour.list("one.txt", "a\n");
    let end = harbour.night();
    assert_eq!(end.code, 0);
    assert!(
        end.stderr
            .contains("object_lists/one.txt: the destination bucket has a different object"),
        "{}",
        end.stderr
    );
    assert_eq!(harbour.copy(&theirs).unwrap().body(), b"their list");
    assert_eq!(
        fs::read(harbour.photos().join("object_lists/one.txt")).unwrap(),
        b"a\n"
    );
    let status = harbour.run(&["status"]).stdout;
    assert!(status.contains("Lists in conflict"), "{status}");
    // It is said once, and is not tried again.
    assert_eq!(harbour.night().stderr, "");
}

#[test]
fn a_list_that_is_there_already_with_the_same_bytes_is_delivered() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour
        .server
        .put("dst", &format!("{PHOTOS}object_lists/one.txt"), "a\n");
    harbour.list("one.txt", "a\n");
    let end = harbour.night();
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    assert!(
        harbour
            .writes()
            .iter()
            .all(|put| !put.key.ends_with("one.txt"))
    );
}

#[test]
fn a_task_may_keep_its_lists_to_itself() {
    let harbour = Harbour::with("", "deliver_lists = false");
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    assert!(harbour.delivered().is_empty());
    assert_eq!(harbour.list_of(1, "success").len(), 1);
}
