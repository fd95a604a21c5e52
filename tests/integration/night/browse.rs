//! What the commands that only read show of a night.

use std::process::{Command, Stdio};

use nightferry::model::ObjectName;
use serde_json::Value;

use super::Harbour;

/// Steers a terminal, in one or two bytes, and turns the direction of writing.
const NASTY: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}\r";

/// A night with one request of each outcome, and a rejected line.
fn harbour() -> Harbour {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.put("b", "22");
    harbour.list("0.txt", "a\n");
    harbour.night();
    harbour.list("1.txt", "a\nb\ngone\n#note\n..\n");
    assert_eq!(harbour.night().code, 4);
    harbour
}

fn columns(harbour: &Harbour, view: &str) -> Vec<String> {
    harbour.rows(&format!(
        "SELECT name FROM pragma_table_info('{view}') ORDER BY cid"
    ))
}

fn json(harbour: &Harbour, arguments: &[&str]) -> Vec<Value> {
    let end = harbour.run(arguments);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""), "{arguments:?}");
    let value: Value = serde_json::from_str(&end.stdout).unwrap();
    value.as_array().unwrap().clone()
}

fn keys(object: &Value) -> Vec<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_keys_of_json_are_the_columns_of_the_view() {
    let harbour = harbour();
    for (arguments, view, rows) in [
        (&["status", "--json"][..], "books", 1),
        (&["runs", "--json"], "run_history", 2),
        (&["failed", "--json"], "failed_requests", 2),
        (&["lists", "--json"], "loaded_lists", 2),
        (
            &["why", "--task", "photos", "a", "--json"],
            "object_history",
            2,
        ),
        (&["summary", "--json"], "month_summary", 1),
        (&["summary", "--format", "json"], "month_summary", 1),
    ] {
        let objects = json(&harbour, arguments);
        assert_eq!(objects.len(), rows, "{arguments:?}");
        assert_eq!(keys(&objects[0]), columns(&harbour, view), "{arguments:?}");
    }
    let sheet = harbour.run(&["summary", "--format", "csv"]).stdout;
    assert_eq!(
        sheet.lines().next().unwrap(),
        columns(&harbour, "month_summary").join(",")
    );
    assert_eq!(
        sheet.lines().skip(1).collect::<Vec<_>>(),
        harbour
            .rows("SELECT * FROM month_summary")
            .iter()
            .map(|row| row.replace('|', ","))
            .collect::<Vec<_>>()
    );
}

#[test]
fn json_holds_what_the_view_holds() {
    let harbour = harbour();
    let runs = json(&harbour, &["runs", "--last", "1", "--json"]);
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (&runs[0]["run"], &runs[0]["failed"]),
        (&2.into(), &2.into())
    );
    assert_eq!(runs[0]["exit_reasons"], "failed,rejected");
    let failed = json(
        &harbour,
        &[
            "failed",
            "--cause",
            "source_missing",
            "--run",
            "2",
            "--json",
        ],
    );
    let names: Vec<&Value> = failed.iter().map(|row| &row["name"]).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&&"gone".into()) && names.contains(&&"#note".into()));
    assert!(json(&harbour, &["failed", "--cause", "network", "--json"]).is_empty());
    assert!(json(&harbour, &["failed", "--run", "1", "--json"]).is_empty());
}

#[test]
fn failed_names_come_ended_by_nul() {
    let harbour = Harbour::new();
    harbour.list("one.url.txt", "b%0Ab\na\n");
    harbour.night();
    let out = harbour.run(&["failed", "--task", "photos", "-0"]).stdout;
    let mut names: Vec<&str> = out.split_terminator('\0').collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b\nb"]);
}

#[test]
fn tables_show_the_books() {
    let harbour = harbour();
    let words = |arguments: &[&str]| {
        let end = harbour.run(arguments);
        assert_eq!((end.code, end.stderr.as_str()), (0, ""), "{arguments:?}");
        end.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let status = words(&["status"]);
    assert!(
        status.starts_with(
            "photos Requested 5 the books balance Synced 2 Failed 2 Ignored 1 Pending 0 \
             Rejected lines 1 `nightferry lists` shows them Last run 2 "
        ),
        "{status}"
    );
    let summary = words(&["summary"]);
    assert!(
        summary.contains(
            "Pending at start 0 Requested 5 Synced 2 3 B Failed 2 source_missing 2 Ignored 1 \
             already_copied 1 Pending at end 0 Pending now 0"
        ),
        "{summary}"
    );
    assert!(summary.contains("`#note` begins with `#`"), "{summary}");
    let lists = words(&["lists"]);
    assert!(
        lists.contains("object_lists/1.txt 5 dot_segment .."),
        "{lists}"
    );
    let why = words(&["why", "--task", "photos", "gone"]);
    assert!(why.contains("by line 3 of object_lists/1.txt"), "{why}");
    assert!(why.contains("failed (source_missing)"), "{why}");
    let never = words(&["why", "--task", "photos", "never"]);
    assert!(
        never.ends_with("Never asked for. Names are compared byte for byte."),
        "{never}"
    );
}

#[test]
fn months_are_this_last_or_named() {
    let harbour = harbour();
    let month = harbour.rows("SELECT month FROM month_summary").remove(0);
    let shown = |month: &str| json(&harbour, &["summary", "--month", month, "--json"]).remove(0);
    assert_eq!(shown("this"), shown(&month));
    assert_eq!(shown("this")["requested"], 5);
    let last = harbour.rows("SELECT strftime('%Y-%m', 'now', 'start of month', '-1 day')");
    assert_eq!(shown("last")["month"], last[0]);
    assert_eq!(shown("last")["requested"], 0);
}

#[test]
fn no_name_steers_a_terminal() {
    let harbour = Harbour::new();
    let name = format!("{NASTY}name");
    harbour.put(&name, "1");
    let encoded = |name: &str| ObjectName::new(name).unwrap().url_encoded();
    let gone = format!("#{NASTY}gone");
    let file = format!("{NASTY}.url.txt").replace('\r', "");
    harbour.server.put(
        "dst",
        &format!("{}object_lists/{file}", super::PHOTOS),
        "theirs",
    );
    harbour.list(&file, format!("{}\n{}\n", encoded(&name), encoded(&gone)));
    harbour.list("plain.txt", format!("{NASTY}/..\n"));
    let mut ends = vec![harbour.run(&["run", "-vv"])];
    for arguments in [
        &["status"][..],
        &["runs"],
        &["failed"],
        &["failed", "--json"],
        &["lists"],
        &["lists", "--json"],
        &["summary"],
        &["report", "--out", "-"],
        &["report", "--out", "-", "--run", "1"],
        &["why", "--task", "photos", &name],
        &["why", "--task", "photos", &gone],
        &["why", "--task", "photos", &gone, "--json"],
        &["verify", "--task", "photos"],
        &["run", "--dry-run"],
        &["enqueue", "--task", "photos", &format!("{NASTY}/..")],
        &["enqueue", "--task", NASTY, "a"],
        &[
            "withdraw",
            "--task",
            "photos",
            "--name",
            &format!("{NASTY}/.."),
        ],
    ] {
        ends.push(harbour.run(arguments));
    }
    for end in ends {
        for text in [end.stdout, end.stderr] {
            let raw = text
                .chars()
                .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
            assert_eq!(raw, None, "{text}");
        }
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let harbour = harbour();
    for arguments in [
        &["failed"][..],
        &["failed", "-0"],
        &["failed", "--json"],
        &["runs"],
        &["lists"],
        &["status"],
        &["summary"],
        &["report", "--out", "-"],
        &["why", "--task", "photos", "a"],
        &["verify", "--task", "photos"],
        &["run"],
        &["init"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(assert_cmd::cargo::cargo_bin!("nightferry"))
            .arg("--config")
            .arg(harbour.config())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}
