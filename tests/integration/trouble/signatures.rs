//! What signs requests, and the signatures that were sent, are found nowhere,
//! whichever request fails, and however.

use std::collections::HashSet;
use std::fs;

use super::{DESTINATION_KEY, DESTINATION_SECRET, Ended, SOURCE_KEY, SOURCE_SECRET, World};
use crate::s3_server::{Fault, FaultAction};

const TOKEN: &str = "FwoGZXIvYXdzEExampleSessionToken//////////wEaDEXAMPLE";
const WRONG_SECRET: &str = "wrongSecret/K7MDENG/bPxRfiCYEXAMPLEKEY";

const MIB: u64 = 1024 * 1024;

/// What must not be found, in lower case.
fn never() -> Vec<String> {
    [
        SOURCE_KEY,
        DESTINATION_KEY,
        SOURCE_SECRET,
        DESTINATION_SECRET,
        WRONG_SECRET,
        TOKEN,
        "x-amz-signature",
        "x-amz-credential",
        "x-amz-security-token",
    ]
    .map(str::to_lowercase)
    .to_vec()
}

/// Everything that was said so far, to be searched once all signatures are known.
#[derive(Default)]
struct Said(Vec<(String, Vec<u8>)>);

impl Said {
    fn hear(&mut self, command: &str, ended: Ended) {
        assert!(
            ended.code.is_some() && !ended.stderr.contains("panicked"),
            "{command}: {ended:?}"
        );
        self.0
            .push((format!("stdout of {command}"), ended.stdout.into()));
        self.0
            .push((format!("stderr of {command}"), ended.stderr.into()));
    }

    /// Does every command, as talkative as can be.
    fn hear_all_commands(&mut self, world: &World, out: &str) {
        for arguments in [
            &["run", "--dry-run", "-vv"][..],
            &["run", "-vv", "--log-format", "json"],
            &["doctor", "-vv"],
            &["verify", "--task", "photos"],
            &["export", "--task", "photos", "--run", "1", "--out", out],
            &["failed"],
            &["failed", "--json"],
            &["status", "--json"],
            &["runs", "--json"],
            &["lists"],
            &["summary", "--format", "csv"],
            &["why", "--task", "photos", "GetObject quoted"],
            &["why", "--task", "photos", "PutObject quoted", "--json"],
            &["ledger", "check"],
            &["retry", "--all"],
        ] {
            self.hear(&arguments.join(" "), world.does(arguments));
        }
    }

    fn read_files(&mut self, folder: &std::path::Path) {
        for entry in walkdir::WalkDir::new(folder) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let bytes = fs::read(entry.path()).unwrap();
                self.0.push((entry.path().display().to_string(), bytes));
            }
        }
    }

    fn read_buckets(&mut self, world: &World) {
        for bucket in ["src", "dst"] {
            for key in world.server.keys(bucket) {
                let object = world.server.object(bucket, &key).unwrap();
                // The large ones are random bytes of the test's own.
                if !key.contains("Upload") {
                    self.0.push((format!("{bucket}: {key}"), object.body()));
                }
            }
        }
    }

    fn check(&self, signatures: &HashSet<String>) {
        for (place, bytes) in &self.0 {
            let text = String::from_utf8_lossy(bytes).to_lowercase();
            for secret in never() {
                assert!(!text.contains(&secret), "{secret} in {place}");
            }
            let words = text.split(|c: char| !c.is_ascii_hexdigit());
            for word in words.filter(|word| word.len() == 64) {
                assert!(!signatures.contains(word), "a signature in {place}");
            }
        }
    }
}

/// All signatures that the server was shown.
fn signatures(world: &World) -> HashSet<String> {
    let requests = world.server.requests();
    let signed = requests
        .iter()
        .filter_map(|request| request.parameter("X-Amz-Signature"));
    signed.collect()
}

/// Answers that quote what was asked for, wherever a server may.
fn quoting(status: u16, code: &'static str) -> FaultAction {
    FaultAction::Answer {
        status,
        code,
        message: "you asked for https://s3.example.com{url}",
        headers: vec![
            ("Location".to_owned(), "http://127.0.0.1:1{url}".to_owned()),
            ("x-amz-request-id".to_owned(), "{url}".to_owned()),
            ("x-amz-id-2".to_owned(), "{url}".to_owned()),
        ],
    }
}

fn actions() -> Vec<(&'static str, FaultAction)> {
    vec![
        ("quoted", quoting(400, "InvalidRequest")),
        ("denied", quoting(403, "AccessDenied")),
        ("signature", quoting(403, "SignatureDoesNotMatch")),
        ("moved", quoting(301, "PermanentRedirect")),
        ("elsewhere", quoting(307, "TemporaryRedirect")),
        ("slow", quoting(503, "SlowDown")),
        ("failing", quoting(500, "InternalError")),
        (
            "error in 200",
            FaultAction::CompleteAnswers200WithError {
                code: "InternalError",
            },
        ),
        ("dropped", FaultAction::DropConnection),
        ("unanswered", FaultAction::DropAnswer),
        ("cut", FaultAction::TruncateBody { after_bytes: 1 }),
        ("flipped", FaultAction::FlipByte { at: 0 }),
        ("corrupted", FaultAction::StoreCorrupted),
        ("other tag", FaultAction::WrongEtag),
        ("no tag", FaultAction::EmptyEtag),
    ]
}

/// A world whose source is read with a session token, and where nothing is tried twice.
fn world() -> World {
    let world = World::new();
    configure(&world, &world.setup().text());
    world
}

fn configure(world: &World, text: &str) {
    let token = format!("[task.source]\nsession_token = \"{TOKEN}\"\n");
    let text = text.replace("[task.source]\n", &token);
    let text = text.replacen("[[task]]", "[retry]\nattempts = 1\n[[task]]", 1);
    fs::write(world.config(), text).unwrap();
}

#[test]
fn no_signature_is_shown_or_kept_whichever_request_fails_and_however() {
    let world = world();
    let mut said = Said::default();
    let mut names = Vec::new();
    for operation in [
        "HeadObject",
        "GetObject",
        "PutObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
    ] {
        let in_parts = operation.contains("Upload");
        for (kind, action) in actions() {
            if in_parts && !["quoted", "denied", "slow", "dropped", "cut"].contains(&kind) {
                continue;
            }
            let name = format!("{operation} {kind}");
            if in_parts {
                world.server.put_random("src", &name, 6 * MIB, 7);
            } else {
                world.put(&[&name]);
            }
            world
                .server
                .on(Fault::new(action).operation(operation).key(&name));
            names.push(name);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.ask("list", &names);
    let out = world.folder.path().join("data/exported");
    said.hear_all_commands(&world, out.to_str().unwrap());
    let failed =
        world.rows("SELECT count(DISTINCT name) FROM object_history WHERE outcome = 'failed'");
    assert!(failed[0].parse::<u32>().unwrap() > 25, "{failed:?}");
    world.check_books();

    said.read_files(&world.data());
    said.read_buckets(&world);
    let signatures = signatures(&world);
    assert!(signatures.len() > 300, "{}", signatures.len());
    said.check(&signatures);
}

#[test]
fn no_signature_is_shown_or_kept_when_the_night_cannot_begin() {
    let world = world();
    let mut said = Said::default();
    world.put(&["a"]);
    world.ask("list", &["a"]);
    let out = world.folder.path().join("data/exported");
    let out = out.to_str().unwrap();
    for (_, action) in actions() {
        // Those that only alter a body are met by many nights elsewhere.
        if matches!(
            action,
            FaultAction::Answer { .. } | FaultAction::DropConnection
        ) {
            let fault = world
                .server
                .on(Fault::new(action).operation("ListObjectsV2"));
            said.hear("doctor", world.does(&["doctor", "-vv"]));
            said.hear("run", world.does(&["run", "-vv"]));
            world.server.remove_fault(fault);
        }
    }
    let mut setup = world.setup();
    setup.source.secret = WRONG_SECRET.to_owned();
    setup.destination.endpoint = "http://127.0.0.1:1".to_owned();
    configure(&world, &setup.text());
    said.hear_all_commands(&world, out);
    configure(&world, &world.setup().text());
    world.server.set_clock_offset(7200);
    said.hear_all_commands(&world, out);
    world.check_books();

    said.read_files(&world.data());
    said.read_buckets(&world);
    said.check(&signatures(&world));
}
