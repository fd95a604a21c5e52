//! `sql/README.md` and `sql/operator/` say what is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::VIEWS;
use super::fixture::Fixture;
use crate::model::{
    Comparison, Deferral, FailureCause, FindingKind, IgnoreReason, RejectReason, RequestState,
    RestoreTier, RunState, Sampled, Setting, Side, Verified,
};

const README: &str = include_str!("../../sql/README.md");

/// The closed word lists as README and schema must have them.
fn word_lists() -> Vec<(&'static str, Vec<&'static str>)> {
    fn words<T: Copy>(all: &[T], as_str: fn(T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|word| as_str(*word)).collect()
    }
    vec![
        (
            "request state",
            words(RequestState::ALL, RequestState::as_str),
        ),
        ("run state", words(RunState::ALL, RunState::as_str)),
        (
            "failure cause",
            words(FailureCause::ALL, FailureCause::as_str),
        ),
        (
            "ignore reason",
            words(IgnoreReason::ALL, IgnoreReason::as_str),
        ),
        ("deferral", words(Deferral::ALL, Deferral::as_str)),
        (
            "reason for a rejected line",
            words(RejectReason::ALL, RejectReason::as_str),
        ),
        ("comparison", words(Comparison::ALL, Comparison::as_str)),
        ("kind of sample", words(Sampled::ALL, Sampled::as_str)),
        ("side", words(Side::ALL, Side::as_str)),
        ("setting", words(Setting::ALL, Setting::as_str)),
        ("finding", words(FindingKind::ALL, FindingKind::as_str)),
        ("restore tier", words(RestoreTier::ALL, RestoreTier::as_str)),
        ("kind of proof", words(Verified::ALL, Verified::as_str)),
    ]
}

/// The word in backticks with which a row of a table begins.
fn first_code(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?
        .split_once('`')
        .map(|(word, _)| word)
}

#[test]
fn the_readme_describes_every_view_and_column_and_no_other() {
    let fixture = Fixture::new("UTC");
    let described = README.split_once("\n## Views\n").unwrap().1;
    let described = described.split_once("\n## Words\n").unwrap().0;
    let mut views = BTreeSet::new();
    for section in described.split("\n### ").skip(1) {
        let (view, text) = section.split_once('\n').unwrap();
        let columns: Vec<&str> = text.lines().filter_map(first_code).collect();
        let query = format!("SELECT * FROM {view}");
        let statement = fixture.ledger.connection.prepare(&query).unwrap();
        let actual: Vec<&str> = statement.column_names().collect();
        assert_eq!(columns, actual, "{view}");
        views.insert(view);
    }
    let known: BTreeSet<&str> = VIEWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(views, known);
}

#[test]
fn the_words_of_rust_readme_and_schema_are_the_same() {
    let checked = checked_lists();
    let words = README.split_once("\n## Words\n").unwrap().1;
    for (list, expected) in word_lists() {
        assert!(
            checked.iter().any(|words| *words == expected),
            "the schema has no CHECK of {list}"
        );
        let line = words
            .lines()
            .find(|line| line.starts_with(&format!("| {list} |")));
        let documented: Vec<&str> = line.unwrap_or(list).split('`').skip(1).step_by(2).collect();
        assert_eq!(documented, expected, "README, {list}");
    }
    // And the other way: every CHECK holds one of these lists, or a private one.
    let private: [&[&str]; 3] = [
        &["synced", "failed", "ignored"],
        &["requested", "synced", "failed", "ignored"],
        &["owed", "delivered", "local", "conflict"],
    ];
    for list in checked {
        let public = word_lists().iter().any(|(_, words)| *words == list);
        assert!(
            public || private.iter().any(|words| list == *words),
            "{list:?}"
        );
    }
}

/// The lists of words that the schema's CHECKs hold, as `x IN ('a', 'b')` or as
/// `x = 'a' OR x = 'b'`.
fn checked_lists() -> Vec<Vec<String>> {
    let fixture = Fixture::new("UTC");
    let schema: String = fixture
        .ledger
        .connection
        .query_row(
            "SELECT group_concat(sql, ';') FROM sqlite_schema WHERE type = 'table'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let mut lists: Vec<Vec<String>> = Vec::new();
    let mut parts = schema.split('\'');
    while let (Some(before), Some(word)) = (parts.next(), parts.next()) {
        let before = before.trim();
        let goes_on = before == "," || (before.starts_with("OR ") && before.ends_with(" ="));
        match lists.last_mut() {
            Some(list) if goes_on => list.push(word.to_owned()),
            _ => lists.push(vec![word.to_owned()]),
        }
    }
    let is_word = |word: &String| {
        word.chars()
            .all(|char| char == '_' || char.is_alphanumeric())
    };
    lists.retain(|list| list.len() > 1 && list.iter().all(is_word));
    lists
}

/// A ready question: the lines of its header behind `title`.
fn header(sql: &str, title: &str) -> String {
    let mut text = String::new();
    let lines = sql
        .lines()
        .skip_while(|line| *line != format!("-- {title}:"));
    for line in lines.skip(1) {
        let Some(line) = line.strip_prefix("--   ") else {
            break;
        };
        writeln!(text, "{line}").unwrap();
    }
    text
}

fn name_of(file: &Path) -> std::borrow::Cow<'_, str> {
    file.file_name().unwrap().to_string_lossy()
}

/// What the `sqlite3` shell answers to `commands`; `None` if there is no shell.
fn shell(ledger: &Path, commands: &str) -> Option<String> {
    let shell = Command::new("sqlite3")
        .args(["-readonly", "-column", "-header", "-bail"])
        .arg(ledger)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut shell = match shell {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        other => other.unwrap(),
    };
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(commands.as_bytes())
        .unwrap();
    let output = shell.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{commands}");
    let mut answer = String::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        writeln!(answer, "{}", line.trim_end()).unwrap();
    }
    Some(answer)
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a test that checks nothing must say so"
)]
fn every_ready_question_gets_the_answer_that_its_header_shows() {
    let mut fixture = Fixture::three_nights();
    let closed =
        "INSERT INTO month_closed VALUES (1, '2026-10', 1793462400000, 7, 3, 2, 2, 8389608)";
    fixture
        .ledger
        .write(|ledger| ledger.execute(closed, []))
        .unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/operator");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 11);
    for file in files {
        let sql = std::fs::read_to_string(&file).unwrap();
        let path = file.display();
        assert!(sql.starts_with("-- Question: "), "{path}");
        assert!(sql.contains("\n-- Parameters: "), "{path}");
        let question = sql.lines().next().unwrap().replace("-- Question: ", "");
        let row = format!("| `{}` | {question} |", name_of(&file));
        assert!(README.contains(&row), "README, {path}");
        let commands = format!("{}.read {path}\n", header(&sql, "Try"));
        let Some(answer) = shell(fixture.ledger.path(), &commands) else {
            eprintln!("skipped: there is no `sqlite3` shell on this machine");
            return;
        };
        assert!(!answer.is_empty(), "{path}");
        assert_eq!(answer, header(&sql, "Answer"), "{path}");
        // It must also stand without any parameter.
        shell(fixture.ledger.path(), &format!(".read {path}\n"));
    }
}
