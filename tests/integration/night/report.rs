//! `nightferry report`, after real nights.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sha2::{Digest, Sha256};

use super::{Harbour, PHOTOS, files_in};

const HOSTILE: &str = "<script>alert(1)</script>\u{202e}gpj.exe";

/// A night with one request of each outcome.
fn harbour(task_settings: &str) -> Harbour {
    let harbour = Harbour::with("", task_settings);
    harbour.put("a.jpg", "12345");
    harbour.put(HOSTILE, "1234567");
    harbour.list("one.txt", format!("a.jpg\n{HOSTILE}\na.jpg\nmissing.jpg\n"));
    assert_eq!(harbour.night().code, 4);
    harbour
}

fn sha256(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

/// The report on stdout.
fn report(harbour: &Harbour, arguments: &[&str]) -> String {
    let mut all = vec!["report", "--out", "-"];
    all.extend(arguments);
    let end = harbour.run(&all);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""), "{arguments:?}");
    end.stdout
}

fn run_name(harbour: &Harbour) -> String {
    harbour.rows("SELECT run_name FROM run_history").remove(0)
}

#[test]
fn a_report_is_one_file_that_says_what_the_views_say_and_names_the_delivered_manifest() {
    let harbour = harbour("");
    let out = harbour.folder.path().join("november.html");
    let end = harbour.run(&["report", "--out", out.to_str().unwrap()]);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    let text = fs::read(&out).unwrap();
    assert_eq!(
        end.stdout,
        format!("{}  {}\n", sha256(&text), out.display())
    );
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = String::from_utf8(text).unwrap();

    let name = run_name(&harbour);
    let key = format!("{PHOTOS}manifests/{name}.manifest.json");
    let manifest = harbour.copy(&key).unwrap().body();
    let hash = sha256(&manifest);
    let figures = harbour.rows(
        "SELECT '<dt>Requested</dt><dd>' || requested || '</dd>' FROM month_summary UNION ALL
         SELECT '<dt>Synced</dt><dd>' || synced || '</dd>' FROM month_summary UNION ALL
         SELECT '<dt>Failed</dt><dd>' || failed || '</dd>' FROM month_summary UNION ALL
         SELECT '<dt>Ignored</dt><dd>' || ignored || '</dd>' FROM month_summary UNION ALL
         SELECT '<span title=\"' || synced_bytes || ' bytes\">' FROM month_summary",
    );
    for part in figures {
        assert!(text.contains(&part), "{part}");
    }
    assert!(text.contains(&format!(
        "<code>{hash}</code> <bdi class=\"name\">{name}</bdi>"
    )));
    let run = report(&harbour, &["--task", "photos", "--run", "1"]);
    assert!(run.contains(&format!("<code>{hash}</code>")), "{run}");
    for list in serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["lists"]
        .as_array()
        .unwrap()
    {
        let hash = list["sha256"].as_str().unwrap();
        assert!(run.contains(&format!("<code>{hash}</code>")), "{list}");
    }
    for text in [text, run] {
        assert!(text.contains(
            "&lt;script&gt;alert(1)&lt;/script&gt;<span class=\"mark\">\\u{202e}</span>gpj.exe"
        ));
        assert!(!text.contains("<script") && !text.contains('\u{202e}'));
    }
}

#[test]
fn a_manifest_that_is_not_delivered_is_named_by_the_hash_that_it_has() {
    let harbour = harbour("deliver_lists = false");
    let manifest = format!("manifests/{}.manifest.json", run_name(&harbour));
    let hash = sha256(&fs::read(harbour.photos().join(manifest)).unwrap());
    let text = report(&harbour, &["--month", "this"]);
    let said = format!("<code>{hash}</code> (not to be delivered)");
    assert!(text.contains(&said), "{text}");
}

#[test]
fn what_cannot_be_reported_or_written_is_refused_before_anything_is_done() {
    let harbour = Harbour::new();
    let folder = harbour.folder.path().join("reports");
    fs::create_dir(&folder).unwrap();
    let out = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    assert_eq!(harbour.run(&["report", "--out", &out("a.html")]).code, 3);
    harbour.night();
    std::os::unix::fs::symlink("/dev/null", folder.join("link")).unwrap();
    let (good, gone, link) = (out("a.html"), out("none/a.html"), out("link"));
    let here = folder.to_str().unwrap();
    for (arguments, said) in [
        (
            &["--out", &good, "--task", "films"][..],
            "has no task `films`",
        ),
        (&["--out", &good, "--run", "2"], "there is no run 2"),
        (&["--out", &good, "--month", "2026-13"], "is no month"),
        (
            &["--out", &good, "--month", "1999-12"],
            "nothing is known of the month 1999-12",
        ),
        (
            &["--out", &good, "--month", "2026-11", "--run", "1"],
            "cannot be used with",
        ),
        (&["--out", &gone], "there is no such folder"),
        (&["--out", &link], "what is there is no file"),
        (&["--out", here], "what is there is no file"),
        (&["--out", ".."], "it names no file"),
        (&[], "--out <FILE>"),
    ] {
        let end = harbour.run(&[&["report"], arguments].concat());
        assert_eq!((end.code, end.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(end.stderr.contains(said), "{arguments:?}: {}", end.stderr);
    }
    assert_eq!(files_in(&folder), [] as [std::path::PathBuf; 0]);
    let empty = report(&harbour, &["--month", "last"]);
    assert!(empty.contains("No run began in the month."), "{empty}");
}
