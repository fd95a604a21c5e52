//! What the documents say: every command they show is run as it stands there.

mod shown;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use clap::Parser;
use clap::error::ErrorKind;
use nightferry::cli::Arguments;
use nightferry::model::FailureCause;
use nightferry::report::hints::hint;

use self::shown::documents;
use self::table::{CHANGED, ENDS_WITH, LEFT_OUT};
use super::Harbour;
use crate::s3_server::{ACCESS_KEY, SECRET_KEY};
use crate::trouble::process::Night;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// A task as the documents have it, with a night behind it: two objects were copied,
/// one is not there.
fn world() -> Harbour {
    let harbour = Harbour::new();
    harbour.server.create_bucket("backup");
    for name in ["2026/11/a.jpg", "2026/11/b.jpg", "2026/11/c.jpg"] {
        harbour.put(name, "a picture");
    }
    let folder = harbour.folder.path();
    fs::create_dir_all(folder.join("backup/nightferry")).unwrap();
    fs::write(folder.join("failed-names.txt"), "2026%2F11%2Fa.jpg\n").unwrap();
    symlink(Path::new(REPOSITORY).join("sql"), folder.join("sql")).unwrap();
    let backup = format!(
        "[backup]\npath = \"backup/nightferry\"\n[backup.bucket]\nendpoint = \"{}\"\n\
         bucket = \"backup\"\naccess_key_id = \"{ACCESS_KEY}\"\nsecret_access_key = \"{SECRET_KEY}\"\n",
        harbour.server.endpoint()
    );
    let serve = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\n[[serve.token]]\nid = \"one\"\nsha256 = \"{}\"\n\
         send = \"all\"\n",
        "0".repeat(64)
    );
    let task = harbour.task("photos", "", "src", "dst");
    harbour.configure(&format!("{backup}{serve}{task}"));
    let names = "2026/11/a.jpg\n2026/11/b.jpg\n2026/11/never-existed.jpg\n";
    harbour.list("first.txt", names);
    let night = harbour.night();
    assert_eq!(night.code, 4, "{night:?}");
    harbour
}

/// What a reader who types `command` starts, in the folder of `world`.
fn typed(world: &Harbour, command: &str) -> Process {
    let program = assert_cmd::cargo::cargo_bin!("nightferry");
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Process::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", command])
        .current_dir(world.folder.path())
        .env_remove("NIGHTFERRY_CONFIG")
        .env("PATH", path)
        .stdin(Stdio::null());
    shell
}

/// Runs a command of the document at `place` as the table changes it; says what is
/// wrong with it.
fn trouble(world: &Harbour, place: &str, command: &str) -> Option<String> {
    let changed = CHANGED.iter().fold(command.to_owned(), |text, (from, to)| {
        text.replace(from, to)
    });
    if changed == "nightferry serve" {
        let mut serving = Night::of(typed(world, "exec nightferry serve"));
        serving.wait_until_says("listening on ");
        serving.stop("TERM");
        let code = serving.end().code;
        return (code != Some(0)).then(|| format!("ended with {code:?}"));
    }
    let expected = ENDS_WITH
        .iter()
        .find(|(document, known, _)| place.starts_with(document) && *known == command)
        .map_or(0, |(_, _, code)| *code);
    let output = typed(world, &changed).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    (output.status.code() != Some(expected))
        .then(|| format!("run as `{changed}`: {}: {said}", output.status))
}

fn left_out(command: &str) -> Option<&'static str> {
    let entries = LEFT_OUT.iter().map(|(begins, _)| *begins);
    let command = command.strip_prefix("sudo ").unwrap_or(command);
    entries
        .into_iter()
        .find(|begins| command.starts_with(begins))
}

/// Whether there is a `sqlite3` shell here; a test must not need one.
fn has_sqlite3() -> bool {
    Process::new("sqlite3").arg("--version").output().is_ok()
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a test that leaves something out must say so"
)]
fn every_command_in_a_block_is_run_or_stands_in_the_list_of_those_that_are_not() {
    let has_sqlite3 = has_sqlite3();
    let mut used = BTreeSet::new();
    let mut troubles = Vec::new();
    for document in documents() {
        // What a document does before is there when it goes on.
        let mut here = None;
        for (place, command) in document.commands() {
            let trouble = if let Some(begins) = left_out(&command) {
                used.insert(begins);
                names_what_is_there(&command).err()
            } else if command.contains("sqlite3 ") && !has_sqlite3 {
                eprintln!("skipped: there is no `sqlite3` shell here for: {command}");
                None
            } else {
                trouble(here.get_or_insert_with(world), &place, &command)
            };
            troubles.extend(trouble.map(|trouble| format!("{place}: {command}\n  {trouble}")));
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
    for (begins, reason) in LEFT_OUT {
        assert!(
            used.contains(begins),
            "no command is left out because it {reason}"
        );
    }
}

/// Of what is not run at least the script, example or bench must exist.
fn names_what_is_there(command: &str) -> Result<(), String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut paths = Vec::new();
    if command.starts_with("scripts/") {
        paths.push(words[0].to_owned());
    }
    for pair in words.windows(2) {
        match pair[0] {
            "--example" => paths.push(format!("examples/{}", pair[1])),
            "--bench" => paths.push(format!("benches/{}", pair[1])),
            _ => {}
        }
    }
    for path in paths {
        let found = Path::new(REPOSITORY).join(&path);
        if !found.exists() && !found.with_extension("rs").exists() {
            return Err(format!("there is no {path}"));
        }
    }
    Ok(())
}

#[test]
fn every_cause_has_a_section_that_says_what_its_hint_says() {
    let guide = include_str!("../../../../docs/guide/failures.md");
    let sections = guide.split("\n### `").skip(1);
    let sections: Vec<(&str, &str)> = sections
        .map(|section| section.split_once("`\n\n").unwrap())
        .collect();
    let causes: Vec<&str> = sections.iter().map(|(cause, _)| *cause).collect();
    let known: Vec<&str> = FailureCause::ALL
        .iter()
        .map(|cause| cause.as_str())
        .collect();
    assert_eq!(causes, known);
    for (cause, (_, text)) in FailureCause::ALL.iter().zip(sections) {
        let end = if cause.is_final() {
            "Final"
        } else {
            "Carried over"
        };
        let begins = format!("{} {end}", hint(*cause));
        assert!(text.starts_with(&begins), "{cause}: {begins}");
    }
}

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    for document in documents() {
        let root = Path::new(REPOSITORY);
        let folder = root.join(&document.path);
        let folder = folder.parent().unwrap();
        for target in document.links() {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() {
                root.join(&document.path)
            } else {
                folder.join(path)
            };
            assert!(file.exists(), "{}: {target}", document.path);
            if !anchor.is_empty() {
                let text = fs::read_to_string(&file).unwrap();
                let there = shown::anchors(&text).any(|known| known == anchor);
                assert!(there, "{}: {target}", document.path);
            }
        }
    }
}

#[test]
fn every_question_in_a_block_is_answered_by_a_ledger() {
    let world = world();
    let ledger = rusqlite::Connection::open(world.data_dir().join("ledger.sqlite")).unwrap();
    let mut questions = 0;
    for block in documents().iter().flat_map(shown::Document::blocks) {
        if block.language == "sql" {
            let found = ledger.prepare(&block.text);
            let statement = found.unwrap_or_else(|error| panic!("{}: {error}", block.place));
            assert!(statement.readonly(), "{}", block.place);
            questions += 1;
        }
    }
    assert!(questions >= 3);
}

/// A command that is mentioned may leave out what it needs, but nothing in it may be
/// unknown.
#[test]
fn every_command_in_a_sentence_is_one_that_there_is() {
    for document in documents() {
        for command in document.mentioned() {
            let known = match Arguments::try_parse_from(command.split(' ')) {
                Ok(_) => true,
                Err(error) => matches!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::MissingSubcommand
                        | ErrorKind::DisplayHelp
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                ),
            };
            assert!(known, "{}: `{command}`", document.path);
        }
    }
}

/// The lines of unit files and crontabs that start the program, and where they stand.
fn started_elsewhere() -> Vec<(String, String)> {
    let packaging = walkdir::WalkDir::new(Path::new(REPOSITORY).join("packaging"));
    let files = packaging.into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let texts = files.map(|file| {
        let text = fs::read_to_string(file.path()).unwrap();
        (file.path().display().to_string(), text)
    });
    let cron = documents();
    let cron = cron.iter().flat_map(shown::Document::blocks);
    let cron = cron.filter(|block| block.language == "cron");
    texts
        .chain(cron.map(|block| (block.place, block.text)))
        .flat_map(|(place, text)| {
            let starts = text
                .lines()
                .filter(|line| !line.starts_with('#') && line.contains("nightferry --config "));
            let starts: Vec<String> = starts.map(str::to_owned).collect();
            starts.into_iter().map(move |line| (place.clone(), line))
        })
        .collect()
}

#[test]
fn what_systemd_and_cron_start_is_known_to_the_command_line() {
    let started = started_elsewhere();
    assert!(started.len() >= 4, "{started:?}");
    for (place, line) in started {
        let (_, command) = line.split_once("nightferry --config ").unwrap();
        let (command, _) = command.split_once(" || ").unwrap_or((command, ""));
        let words = ["nightferry", "--config"].into_iter();
        let parsed = Arguments::try_parse_from(words.chain(command.split_whitespace()));
        assert!(parsed.is_ok(), "{place}: {line}");
    }
}
