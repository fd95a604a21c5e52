//! Names and outcomes such as many months have them, made up.

use nightferry::ledger::Queued;
use nightferry::model::{
    Attempt, Copied, ETag, Failure, FailureCause, IgnoreReason, ObjectFacts, ObjectName, Outcome,
    Side, Timestamp, Verified,
};

/// Names that a page must not stumble over.
const ODD: [&str; 8] = [
    "press/<script>alert(1)</script>.html",
    "press/\"quoted\" & 'single' <b>.jpg",
    "press/two\nlines.jpg",
    "press/תמונה-עברית.jpg",
    "press/صورة.jpg",
    "press/invoice\u{202e}gpj.exe",
    "press/ends in a blank ",
    "press/日本/写真 📷.jpg",
];

/// Lines that cannot be requests.
const BAD: [&str; 8] = [
    "press/100%/IMG_0001.jpg",
    "press/%3Cscript%3Ealert(1)%3C/script%3E%zz",
    "press/<img src=x onerror=alert(1)>%",
    "press/caf%E9.jpg",
    "press/%00.jpg",
    "press/two%0Alines/../up.jpg",
    "press/invoice%E2%80%AEgpj.exe/./x",
    "oms/sync_task/photos/manifests/x.json",
];

/// Names, and bad lines, that one of many lists has.
const MANY: usize = 1_000;

/// How many names a night has: fewer at weekends, more by and by, and once a lot.
fn count(task: &str, night: i64) -> i64 {
    let weekly = match night.rem_euclid(7) {
        5 => 4,
        6 => 3,
        _ => 10,
    };
    let drift = 60 + (night * 37).rem_euclid(41) + night / 2;
    let many = if night == 51 { 2 } else { 1 };
    let films = if task == "films" { 5 } else { 1 };
    3 * weekly * drift * many / films
}

/// The list of one night.
pub fn list(task: &str, night: i64) -> String {
    let mut lines: Vec<String> = names(task, night)
        .iter()
        .map(|name| url_encoded(name))
        .collect();
    if night % 10 == 4 && task == "photos" {
        lines.extend(BAD.map(str::to_owned));
        lines.push("press/".to_owned() + &"long/".repeat(300));
    }
    lines.iter().map(|line| line.clone() + "\n").collect()
}

/// Lists of so many names that are nowhere, and of as many bad lines.
pub fn many(failed: usize) -> Vec<String> {
    let list = |first: usize| {
        let lines = first..(first + MANY).min(failed);
        let lines = lines.map(|line| format!("press/{line:08}.jpg\npress/{line:08}%.jpg\n"));
        lines.collect()
    };
    (0..failed).step_by(MANY).map(list).collect()
}

/// The names of one night.
fn names(task: &str, night: i64) -> Vec<String> {
    let kind = if task == "films" { "mov" } else { "jpg" };
    let mut names: Vec<String> = (0..count(task, night))
        .map(|place| {
            let album = (place * 7 + night) % 23;
            format!("albums/{album:02}/IMG_{:06}.{kind}", night * 12_000 + place)
        })
        .collect();
    if night % 10 == 4 && task == "photos" {
        names.extend(ODD.map(str::to_owned));
    }
    names
}

/// A name as it stands in a percent-encoded list.
fn url_encoded(name: &str) -> String {
    ObjectName::from_checked(name.to_owned()).url_encoded()
}

/// What became of it: by far the most were copied.
pub fn attempt(queued: &Queued, at: Timestamp) -> Attempt {
    let name = queued.name.as_str();
    let mixed = name.bytes().fold(0_u64, |mixed, byte| {
        mixed
            .wrapping_mul(0x0100_0000_01b3)
            .wrapping_add(u64::from(byte) ^ 0x9e37)
    });
    let facts = ObjectFacts {
        etag: ETag::new(&format!("{:032x}", u128::from(mixed) << 19)),
        size_bytes: size_bytes(mixed),
        modified_at: at.plus_ms(-40_000_000),
        md5_hex: None,
        checksums: Vec::new(),
        readiness: nightferry::model::Readiness::Ready,
    };
    let failure = failure(name, mixed);
    let ignored = mixed % 100 >= 93;
    let destination = ignored.then(|| facts.clone());
    Attempt {
        name: queued.name.clone(),
        at,
        source: failure.is_none().then(|| facts.clone()),
        destination,
        suspect: false,
        server_request_id: Some(format!("{mixed:016X}")),
        duration_ms: 20 + mixed % 400 + size_bytes(mixed) / 20_000,
        retries: u32::from(mixed % 50 == 0),
        throttled: 0,
        outcome: match failure {
            Some(failure) => Outcome::Failed(failure),
            None if ignored => Outcome::Ignored(IgnoreReason::NewerAtDestination),
            None => Outcome::Synced(Copied {
                copy_etag: facts.etag,
                verified: Verified::EtagMd5,
                size_bytes: facts.size_bytes,
            }),
        },
    }
}

/// Sizes as cameras and editors leave them: by far the most a few megabytes, some
/// tiny, a few very large.
const fn size_bytes(mixed: u64) -> u64 {
    let spread = 1 << (20 + mixed % 3);
    match mixed % 97 {
        0 => 0,
        1..12 => mixed % 60_000,
        12..16 => spread * 90 + mixed % 50_000_000,
        _ => spread + mixed % 1_800_000,
    }
}

/// How often the ends asked for a slower pace on a night, and after how many minutes.
pub const fn throttled(night: i64) -> &'static [(Side, i64, u64)] {
    match night % 9 {
        2 => &[
            (Side::Source, 12, 41),
            (Side::Source, 13, 22),
            (Side::Destination, 13, 5),
        ],
        7 => &[(Side::Destination, 5, 18), (Side::Destination, 25, 30)],
        _ => &[],
    }
}

fn failure(name: &str, mixed: u64) -> Option<Failure> {
    let (cause, code, status) = match mixed % 1000 {
        _ if name.starts_with("press/") => (FailureCause::SourceMissing, "NoSuchKey", 404),
        0..8 => (FailureCause::SourceMissing, "NoSuchKey", 404),
        8..11 => (FailureCause::SourceArchived, "InvalidObjectState", 403),
        11..13 => (FailureCause::TooLarge, "EntityTooLarge", 400),
        13 => (FailureCause::Throttled, "SlowDown", 503),
        _ => return None,
    };
    Some(Failure {
        error_code: Some(code.to_owned()),
        http_status: Some(status),
        ..Failure::new(
            cause,
            format!("failed to read {name:?} at the source: {code}"),
        )
    })
}
