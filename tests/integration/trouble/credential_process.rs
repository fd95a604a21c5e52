//! Keys that a program prints: at the start of a night, in the middle of one, and
//! when it prints none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::outage::Outage;
use super::process::Night;
use super::{SOURCE_KEY, SOURCE_SECRET, World};
use crate::s3_server::{Fault, FaultAction, Rights};

const FIRST: &str = "ASIAIOSFODNN7FIRST00";
const SECOND: &str = "ASIAIOSFODNN7SECOND0";
const HUSH: &str = "hushHush/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// What the program is to print, as a line of a shell script.
fn prints(key: &str, secret: &str, more: &str) -> String {
    format!(
        "echo '{{\"Version\": 1, \"AccessKeyId\": \"{key}\", \"SecretAccessKey\": \"{secret}\"{more}}}'"
    )
}

impl World {
    fn program(&self) -> PathBuf {
        self.folder.path().join("a program")
    }

    /// How often the program was run.
    fn program_runs(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("program.log"));
        log.map_or(0, |log| log.lines().count())
    }

    /// Has the program do this, and note that it was run. `$n` is for the how many-th time.
    fn program_does(&self, script: &str) {
        let log = self.folder.path().join("program.log");
        let log = log.display();
        let text = format!("#!/bin/sh\necho \"$*\" >> {log}\nn=$(wc -l < {log})\n{script}\n");
        fs::write(self.program(), text).unwrap();
        fs::set_permissions(self.program(), fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// Has the source's keys come from the program.
    fn asks_program(&self) {
        let line = format!(
            "credential_process = '\"{}\" --for \"two words\"'\n",
            self.program().display()
        );
        self.signs_source_with(&line);
    }

    /// Has the source's section say this instead of keys.
    fn signs_source_with(&self, line: &str) {
        let keys =
            format!("access_key_id = \"{SOURCE_KEY}\"\nsecret_access_key = \"{SOURCE_SECRET}\"\n");
        let text = self.setup().text();
        assert!(text.contains(&keys), "{text}");
        fs::write(self.config(), text.replace(&keys, line)).unwrap();
    }

    /// That none of these stands in any file but the program, nor in what was said.
    fn check_hidden(&self, said: &str, secrets: &[&str]) {
        for secret in secrets {
            assert!(!said.contains(secret), "{said}");
            for entry in walkdir::WalkDir::new(self.folder.path()) {
                let path = entry.unwrap().into_path();
                if path.is_file() && path != self.program() {
                    let bytes = fs::read(&path).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!text.contains(secret), "{}", path.display());
                }
            }
        }
    }
}

/// The source's keys are these two, once the server is told so.
fn with_two_keys(names: &[&str]) -> World {
    let world = World::one_by_one(names);
    for key in [FIRST, SECOND] {
        world.server.add_credentials(key, HUSH, Rights::READ_ONLY);
    }
    world
}

#[test]
fn a_night_is_signed_with_what_the_program_prints() {
    let world = with_two_keys(&["a", "b"]);
    world.asks_program();
    world.program_does(&prints(FIRST, HUSH, ", \"SessionToken\": \"hushToken\""));
    let ended = world.night(0);
    assert_eq!(world.copies(), ["a", "b"]);
    assert_eq!(world.program_runs(), 1);
    let log = fs::read_to_string(world.folder.path().join("program.log")).unwrap();
    assert_eq!(log, "--for two words\n");
    let said = ended.stdout + &ended.stderr;
    world.check_hidden(&said, &[HUSH, FIRST, "hushToken"]);
}

#[test]
fn a_profile_of_the_shared_config_file_names_the_program() {
    let world = with_two_keys(&["a"]);
    world.program_does(&prints(FIRST, HUSH, ""));
    world.signs_source_with("profile = \"photos\"\n");
    let config = world.folder.path().join("aws config");
    let line = format!(
        "credential_process = '{}' --for p",
        world.program().display()
    );
    fs::write(&config, format!("[profile photos]\n{line}\n")).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nightferry"));
    command.arg("--config").arg(world.config()).arg("run");
    command.env("AWS_CONFIG_FILE", &config);
    command.env(
        "AWS_SHARED_CREDENTIALS_FILE",
        world.folder.path().join("none"),
    );
    let ended = Night::of(command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.copies(), ["a"]);
}

#[test]
fn a_program_that_prints_no_keys_is_an_outage() {
    let outage = Outage {
        cause: "credentials_refused",
        error_code: "",
        subject: "source list",
    };
    let no_version = prints("A", HUSH, "").replace("\"Version\": 1, ", "");
    let expired = prints("A", HUSH, ", \"Expiration\": \"2020-01-01T00:00:00Z\"");
    for script in ["echo hush", &no_version, &expired] {
        outage.passes(
            |world| {
                world.program_does(script);
                world.asks_program();
            },
            |world| {
                world.program_does(&prints(SOURCE_KEY, SOURCE_SECRET, ""));
            },
        );
    }
}

#[test]
fn what_a_program_that_fails_says_is_passed_on_and_what_it_printed_is_not() {
    let world = with_two_keys(&["a"]);
    world.asks_program();
    world.program_does(&format!("echo {HUSH}; echo 'log in first' >&2; exit 4"));
    for (command, says) in [
        (
            "doctor",
            "PROBLEM  photos       source list            credentials_refused: ",
        ),
        (
            "run",
            "photos: the run could not begin (credentials_refused): ",
        ),
    ] {
        let before = world.program_runs();
        let ended = world.does(&[command]);
        assert_eq!(ended.code, Some(9), "{ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        for part in [
            says,
            "a program\" ended with exit status: 4; what it says of that is on stderr",
            "\nlog in first\n",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        // It may be for want of a network, so it is asked again.
        assert_eq!(world.program_runs() - before, 3);
        world.check_hidden(&said, &[HUSH]);
    }
    assert_eq!(world.requests(), ["a|pending|"]);
    world.check_books();
}

/// Once `key` has begun to be read, `FIRST` is good no more.
fn expires_at(world: &World, key: &'static str) {
    let expires = FaultAction::call_back(|server| server.expire(FIRST));
    world
        .server
        .on(Fault::new(expires).operation("GetObject").key(key));
}

#[test]
fn keys_that_the_server_takes_for_expired_in_the_middle_of_a_night_are_renewed_once() {
    let names: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = with_two_keys(&names);
    world.asks_program();
    let script = format!(
        "if [ $n = 1 ]; then {}; else {}; fi",
        prints(FIRST, HUSH, ""),
        prints(SECOND, HUSH, "")
    );
    world.program_does(&script);
    expires_at(&world, "10");
    world.night(0);
    assert_eq!(world.copies(), names);
    assert_eq!(world.program_runs(), 2);
    world.check_books();
    world.check_delivered();
}

#[test]
fn a_night_whose_keys_cannot_be_renewed_leaves_the_rest_and_loses_nothing() {
    let names: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = with_two_keys(&names);
    world.asks_program();
    world.program_does(&format!(
        "if [ $n = 1 ]; then {}; else echo 'no more' >&2; exit 7; fi",
        prints(FIRST, HUSH, "")
    ));
    expires_at(&world, "10");
    let ended = world.night(6);
    assert!(
        ended.stderr.contains("source_denied")
            && ended
                .stderr
                .contains("no keys to sign with: credential_process"),
        "{ended:?}"
    );
    world.check_hidden(&(ended.stdout + &ended.stderr), &[HUSH, FIRST]);
    let runs = world.runs();
    assert!(runs[0].ends_with("|6|deferred"), "{runs:?}");
    let states = "SELECT DISTINCT state FROM requests ORDER BY state";
    assert_eq!(world.rows(states), ["pending", "synced"]);
    world.check_books();
    world.program_does(&prints(SECOND, HUSH, ""));
    world.night(0);
    assert_eq!(world.copies(), names);
    world.check_books();
}
