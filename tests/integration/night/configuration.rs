//! The configuration file as the program meets it, and who may read what it writes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use assert_cmd::Command;
use nix::unistd::{Group, getgid};
use walkdir::DirEntry;

use super::{End, Harbour, end, program};

#[test]
fn all_mistakes_are_said_at_once_each_with_file_line_and_key() {
    let harbour = Harbour::new();
    let config = harbour.config();
    let text = "data_dir = \"data\"\ntime_zone = \"Asia/Shangri-La\"\nworkers = 0\nmemmory = \"1GiB\"\n\
                [[task]]\nid = \"pho/tos\"\noverwrite = \"newer\"\n\
                [task.source]\nendpoint = \"http://127.0.0.1:1\"\nbucket = \"src\"\nprofile = \"a\"\n\
                [task.destination]\nendpoint = \"http://127.0.0.1:1\"\nbucket = \"src\"\nprofile = \"b\"\n";
    fs::write(&config, text).unwrap();
    let end = harbour.night();
    assert_eq!((end.code, end.stdout.as_str()), (3, ""));
    let file = config.display().to_string();
    let places: Vec<String> = end
        .stderr
        .lines()
        .map(|line| {
            let line = line.strip_prefix("nightferry: ").unwrap_or(line);
            let line = line.strip_prefix(&file).unwrap_or_else(|| panic!("{line}"));
            line.splitn(4, ": ").take(2).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(
        places,
        [
            ":2 time_zone",
            ":3 workers",
            ":4 memmory",
            ":6 task 1, id",
            ":7 task 1, overwrite",
            ":12 task 1, destination",
        ]
    );
    assert!(
        end.stderr.contains("did you mean `memory`?"),
        "{}",
        end.stderr
    );
    assert!(!harbour.data_dir().exists());
}

#[test]
fn a_configuration_named_by_its_file_alone_keeps_its_data_beside_it() {
    let harbour = Harbour::new();
    let bare = harbour.folder.path().join("bare.toml");
    fs::rename(harbour.config(), &bare).unwrap();
    for arguments in [&["enqueue", "--task", "photos", "a"][..], &["run"]] {
        let mut command = program();
        command.current_dir(&harbour.folder);
        let ended = end(command.args(["--config", "bare.toml"]).args(arguments));
        assert_ne!(ended.code, 3, "{ended:?}");
    }
    assert!(harbour.data_dir().join("ledger.sqlite").exists());
}

#[test]
fn without_a_configuration_it_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let found = end(program().current_dir(&folder).arg("run"));
    assert_eq!(found.code, 3);
    assert_eq!(
        found.stderr,
        "nightferry: no configuration file; looked for ./nightferry.toml, \
         /etc/nightferry/nightferry.toml; `nightferry init` prints one to begin with\n"
    );
    let named = end(program()
        .env("NIGHTFERRY_CONFIG", "/nowhere/n.toml")
        .arg("run"));
    assert_eq!(named.code, 3);
    assert!(
        named
            .stderr
            .contains("/nowhere/n.toml (named by NIGHTFERRY_CONFIG);"),
        "{}",
        named.stderr
    );
}

#[test]
fn a_configuration_is_found_in_the_working_folder_and_by_the_variable() {
    let harbour = Harbour::new();
    let in_folder = end(program().current_dir(harbour.folder.path()).arg("run"));
    assert_eq!(in_folder.code, 0, "{}", in_folder.stderr);
    let by_variable = end(program()
        .env("NIGHTFERRY_CONFIG", harbour.config())
        .arg("run"));
    assert_eq!(by_variable.code, 0, "{}", by_variable.stderr);
    assert_eq!(harbour.runs().len(), 2);
}

#[test]
fn what_init_prints_is_a_configuration() {
    let init = end(program().arg("init"));
    assert_eq!((init.code, init.stderr.as_str()), (0, ""));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("nightferry.toml");
    fs::write(&config, init.stdout).unwrap();
    let status = end(program().arg("--config").arg(&config).arg("status"));
    assert!(
        !status.stderr.contains(config.to_str().unwrap()),
        "{}",
        status.stderr
    );
    assert!(
        status.code == 0 || status.stderr.contains("/var/lib/nightferry/ledger.sqlite"),
        "{status:?}"
    );
}

#[test]
fn before_the_first_run_there_is_no_ledger_to_ask() {
    let harbour = Harbour::new();
    for arguments in [
        &["status"][..],
        &["failed"],
        &["summary"],
        &["ledger", "check"],
    ] {
        let end = harbour.run(arguments);
        assert_eq!(end.code, 3, "{arguments:?}");
        assert!(end.stderr.contains("ledger.sqlite"), "{}", end.stderr);
        assert!(!harbour.data_dir().exists());
    }
}

#[test]
fn wrong_usage_is_two() {
    let harbour = Harbour::new();
    harbour.night();
    for arguments in [
        &["summary", "--month", "2026-13"][..],
        &["summary", "--month", "november"],
        &["failed", "--cause", "bad_luck"],
        &["run", "--until", "25:00"],
        &["run", "--max-duration", "soon"],
        &["enqueue", "--task", "photos"],
        &["withdraw", "--task", "photos"],
        &["withdraw", "--task", "photos", "--name", "a", "--list", "b"],
        &["runs", "--last", "0"],
        &["run", "--limit", "x"],
        &["ledger", "prune"],
        &[
            "ledger",
            "prune",
            "--before",
            "2026-01",
            "--keep-months",
            "2",
        ],
        &["ledger", "restore"],
        &["ledger", "restore", "file", "--from-bucket"],
        &["enqueue", "--task", "photos", "a", "--file", "-"],
        &["sail"],
        &[],
    ] {
        let end = harbour.run(arguments);
        assert_eq!((end.code, end.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!end.stderr.is_empty());
    }
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"]] {
        assert_eq!(harbour.run(arguments).code, 0, "{arguments:?}");
    }
}

/// Runs the program under a umask.
fn run_under(umask: &str, harbour: &Harbour, arguments: &[&str]) -> End {
    let script = format!("umask {umask}; exec \"$0\" --config \"$@\"");
    let mut command = Command::new("sh");
    let program = assert_cmd::cargo::cargo_bin!("nightferry");
    command
        .arg("-c")
        .arg(script)
        .arg(program)
        .arg(harbour.config())
        .args(arguments);
    end(&mut command)
}

/// The modes below the data directory, each once, with what has them.
fn modes(harbour: &Harbour) -> BTreeSet<(&'static str, String)> {
    let entries = walkdir::WalkDir::new(harbour.data_dir()).into_iter();
    let mode = |entry: DirEntry| {
        let metadata = entry.metadata().unwrap();
        let inbox = entry
            .path()
            .starts_with(harbour.photos().join("object_lists"));
        let kind = match (metadata.is_file(), inbox) {
            (true, _) => "file",
            (false, true) => "folder of input lists",
            (false, false) => "folder",
        };
        (
            kind,
            format!("{:o}", metadata.permissions().mode() & 0o7777),
        )
    };
    entries.map(Result::unwrap).map(mode).collect()
}

fn expected(modes: [(&'static str, &str); 3]) -> BTreeSet<(&'static str, String)> {
    modes.map(|(kind, mode)| (kind, mode.to_owned())).into()
}

fn night_of_everything(harbour: &Harbour, umask: &str) {
    harbour.put("a", "1");
    let enqueue = run_under(
        umask,
        harbour,
        &["enqueue", "--task", "photos", "a", "gone"],
    );
    assert_eq!(enqueue.code, 0, "{}", enqueue.stderr);
    let run = run_under(umask, harbour, &["run"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
}

#[test]
fn all_is_for_the_owner_alone_whatever_the_umask() {
    let harbour = Harbour::new();
    night_of_everything(&harbour, "000");
    assert_eq!(
        modes(&harbour),
        expected([
            ("folder", "700"),
            ("folder of input lists", "700"),
            ("file", "600")
        ])
    );
}

#[test]
fn a_group_may_read_and_put_lists_whatever_the_umask() {
    let group = Group::from_gid(getgid()).unwrap().unwrap();
    let harbour = Harbour::with(&format!("group = \"{}\"", group.name), "");
    night_of_everything(&harbour, "077");
    assert_eq!(
        modes(&harbour),
        expected([
            ("folder", "2750"),
            ("folder of input lists", "2770"),
            ("file", "640")
        ])
    );
    for entry in walkdir::WalkDir::new(harbour.data_dir()) {
        assert_eq!(entry.unwrap().metadata().unwrap().gid(), group.gid.as_raw());
    }
}

#[test]
fn an_unknown_group_is_a_configuration_that_cannot_be_used() {
    let harbour = Harbour::with("group = \"no-such-group\"", "");
    let end = harbour.night();
    assert_eq!(end.code, 3);
    assert!(
        end.stderr.contains("group = \"no-such-group\""),
        "{}",
        end.stderr
    );
}

#[test]
fn wrong_usage_names_all_that_would_be_right() {
    let harbour = Harbour::new();
    for (arguments, said) in [
        (
            &["ledger", "prune"][..],
            "<--before <YYYY-MM>|--keep-months <N>>",
        ),
        (&["ledger", "restore"], "<PATH|--from-bucket [<NAME>]>"),
        (&["run", "--limit", "x"], "written in digits, such as 1000"),
    ] {
        let end = harbour.run(arguments);
        assert_eq!(end.code, 2, "{arguments:?}");
        assert!(end.stderr.contains(said), "{said}: {}", end.stderr);
    }
}

#[test]
fn what_fits_nothing_is_said() {
    let harbour = Harbour::new();
    harbour.night();
    for (arguments, said) in [
        (
            &["retry", "--name", "nope"][..],
            "no request for \"nope\" that fits has failed",
        ),
        (
            &["withdraw", "--task", "photos", "--name", "nope"],
            "no request for \"nope\" is pending",
        ),
        (
            &["token", "x", "--send", "fotos"],
            "has no task \"fotos\" yet",
        ),
    ] {
        let end = harbour.run(arguments);
        assert_eq!(end.code, 0, "{arguments:?}");
        assert!(end.stderr.contains(said), "{said}: {}", end.stderr);
    }
    let end = harbour.run(&["token", "x", "--send", "photos", "--send", "all"]);
    assert!(!end.stderr.contains("no task"), "{}", end.stderr);
}
