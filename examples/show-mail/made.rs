//! Names of a few nights, and what becomes of them, made up.

use nightferry::ledger::Queued;
use nightferry::model::{
    Attempt, Copied, ETag, Failure, FailureCause, ObjectFacts, Outcome, Timestamp, Verified,
};

/// The lines that are asked for on one night.
pub fn night(number: i64) -> Vec<String> {
    let many = [5_200, 6_120, 4_870, 6_040, 412][usize::try_from(number).unwrap_or(0)];
    let mut lines: Vec<String> = (0..many)
        .map(|place| {
            let album = (place * 7 + number) % 23;
            format!("albums/{album:02}/IMG_{:06}.jpg", number * 10_000 + place)
        })
        .collect();
    // What fails, and on which night for the first time.
    let odd: &[&str] = match number {
        0 => &["slow/IMG_000017.jpg", "slow/IMG_000018.jpg"],
        2 => &[
            "press/gone/poster.tif",
            "press/gone/leaflet.pdf",
            "slow/IMG_020001.jpg",
            "slow/IMG_020002.jpg",
            "slow/IMG_020003.jpg",
        ],
        3 => &[
            "press/gone/poster.tif",
            "press/gone/<script>alert(1)</script>.html",
            "press/gone/invoice\u{202e}gpj.exe",
            "huge/aerial-survey.tif",
            "denied/staff/portrait.jpg",
            "x/../y.jpg",
            "albums/../../passwd",
        ],
        _ => &[],
    };
    lines.extend(odd.iter().map(|&name| name.to_owned()));
    lines
}

/// The lines of the other task.
pub fn films(number: i64) -> Vec<String> {
    (0..38 + number)
        .map(|place| format!("reels/{:04}.mov", number * 100 + place))
        .collect()
}

/// Whether a night that is too short does not come to it.
pub fn is_left(name: &str) -> bool {
    name.starts_with("albums/22/") && name.as_bytes()[name.len() - 5].is_multiple_of(2)
}

/// What becomes of it, as the `place`th of the night `number`, which begins at `night`.
pub fn attempt(queued: &Queued, number: i64, night: Timestamp, place: i64) -> Attempt {
    let name = queued.name.as_str();
    let facts = ObjectFacts {
        etag: ETag::new(&format!("{place:032x}")),
        size_bytes: 900_000 + place.unsigned_abs() * 7_919 % 7_000_000,
        modified_at: night.plus_ms(-40_000_000),
        md5_hex: None,
        checksums: Vec::new(),
        readiness: nightferry::model::Readiness::Ready,
    };
    let outcome = failure(name, number).map_or_else(
        || {
            Outcome::Synced(Copied {
                copy_etag: facts.etag.clone(),
                verified: Verified::EtagMd5,
                size_bytes: facts.size_bytes,
            })
        },
        Outcome::Failed,
    );
    Attempt {
        name: queued.name.clone(),
        at: night.plus_ms(place * 1_100),
        source: Some(facts),
        destination: None,
        suspect: false,
        server_request_id: None,
        duration_ms: 240,
        retries: 0,
        throttled: 0,
        outcome,
    }
}

fn failure(name: &str, number: i64) -> Option<Failure> {
    let (cause, code, status) = match name.split('/').next() {
        // Only in the night that it was asked for.
        Some("slow") if name.starts_with(&format!("slow/IMG_{number:02}")) => {
            (FailureCause::Throttled, "SlowDown", 503)
        }
        Some("press") => (FailureCause::SourceMissing, "NoSuchKey", 404),
        Some("huge") => (FailureCause::TooLarge, "EntityTooLarge", 400),
        Some("denied") => (FailureCause::SourceDenied, "AccessDenied", 403),
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
