//! Secrets, signatures and presigned URLs reach nothing that is kept or shown.

use std::fs;

use super::{DESTINATION_SECRET, Ended, SOURCE_SECRET, World};
use crate::s3_server::{Fault, FaultAction};

const WRONG_SECRET: &str = "wrongSecret/K7MDENG/bPxRfiCYEXAMPLEKEY";

const NEVER: [&str; 7] = [
    SOURCE_SECRET,
    DESTINATION_SECRET,
    WRONG_SECRET,
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-signedheaders",
    "x-amz-expires",
];

fn look_for_secrets(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for secret in NEVER {
        assert!(
            !text.contains(&secret.to_lowercase()),
            "{secret} in {place}"
        );
    }
}

fn look_at(ended: &Ended) {
    look_for_secrets("stdout", ended.stdout.as_bytes());
    look_for_secrets("stderr", ended.stderr.as_bytes());
}

/// Does a run in both forms of the log, as talkative as can be.
fn loud_nights(world: &World) {
    look_at(&world.does(&["run", "-vv", "--log-format", "json"]));
    look_at(&world.does(&["run", "-vv", "--json"]));
    look_at(&world.does(&["doctor", "-vv"]));
}

/// A server that repeats the presigned URL in its answer.
fn echo() -> Fault {
    let answer = FaultAction::Answer {
        status: 400,
        code: "InvalidRequest",
        message: "bad request: /dst/b-echo?X-Amz-Credential=AKIA&X-Amz-Signature=0123456789abcdef",
        headers: Vec::new(),
    };
    Fault::new(answer).operation("PutObject")
}

/// Every kind of failure of which a message may tell more than it should.
fn all_kinds_of_failures(world: &World) {
    let answer = |status, code| Fault::answer(status, code).operation("PutObject");
    let get = |action| Fault::new(action).operation("GetObject").bucket("src");
    let put = |action| Fault::new(action).operation("PutObject");
    for (key, fault) in [
        ("b-denied", answer(403, "AccessDenied")),
        ("b-throttled", answer(503, "SlowDown")),
        ("b-signature", answer(403, "SignatureDoesNotMatch")),
        ("b-redirect", answer(301, "PermanentRedirect")),
        ("b-echo", echo()),
        (
            "b-truncated",
            get(FaultAction::TruncateBody { after_bytes: 1 }),
        ),
        ("b-dropped-get", get(FaultAction::DropConnection)),
        ("b-dropped-put", put(FaultAction::DropConnection)),
        ("b-no-answer", put(FaultAction::DropAnswer)),
        ("b-corrupted", put(FaultAction::StoreCorrupted)),
        ("b-flipped", get(FaultAction::FlipByte { at: 0 })),
    ] {
        world.put(&[key]);
        world.server.on(fault.key(key));
    }
    world.put(&["a"]);
    let mut names = world.server.keys("src");
    names.push("missing".to_owned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.ask("list", &names);
    loud_nights(world);
    // All but `a`, and the one whose copy arrived though no answer told so.
    let failed = world.rows("SELECT count(*), count(DISTINCT cause) > 4 FROM failed_requests");
    assert_eq!(failed, ["11|1"]);
}

#[test]
fn nothing_secret_is_shown_or_kept_whatever_fails() {
    let world = World::new();
    all_kinds_of_failures(&world);

    world.ask("second", &["a"]);
    let mut setup = world.setup();
    setup.source.secret = WRONG_SECRET.to_owned();
    setup.destination.endpoint = "http://127.0.0.1:1".to_owned();
    world.configure(&setup);
    loud_nights(&world);
    world.configure(&world.setup());
    world.server.set_clock_offset(7200);
    loud_nights(&world);
    world.server.set_clock_offset(0);
    world.server.delete_bucket("src");
    loud_nights(&world);
    world.server.create_bucket("src");
    loud_nights(&world);
    for command in [
        &["failed", "--json"][..],
        &["failed"],
        &["status"],
        &["why", "--task", "photos", "b-dropped-put"],
        &["why", "--task", "photos", "b-signature", "--json"],
    ] {
        look_at(&world.does(command));
    }

    let mut files = 0;
    for entry in walkdir::WalkDir::new(world.data()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            look_for_secrets(&entry.path().display().to_string(), &bytes);
            files += 1;
        }
    }
    assert!(files > 10, "ledger, lists and manifests");
    for key in world.server.keys("dst") {
        look_for_secrets(&key, &world.server.object("dst", &key).unwrap().body());
    }
    world.check_books();
}
