//! Outcomes for the objects of the example server `numbered-s3`.

use nightferry::ledger::Queued;
use nightferry::model::{Attempt, Copied, ETag, ObjectFacts, Outcome, Timestamp, Verified};

use crate::made::attempt;

const DAY_MS: i64 = 86_400_000;

/// What copying the object brings: its size and tag are those that the server says.
pub fn copied(queued: &Queued, count: u64, at: Timestamp) -> Attempt {
    let name = queued.name.as_str();
    let digits: String = name.chars().skip(5).take(9).collect();
    let number: u64 = digits.parse().unwrap_or(0);
    let source = ObjectFacts {
        etag: ETag::new(&format!("{number:032x}")),
        size_bytes: 4_321,
        modified_at: at.plus_ms(-DAY_MS),
        md5_hex: None,
        checksums: Vec::new(),
        readiness: nightferry::model::Readiness::Ready,
    };
    Attempt {
        outcome: Outcome::Synced(Copied {
            copy_etag: source.etag.clone(),
            verified: Verified::EtagMd5,
            size_bytes: source.size_bytes,
        }),
        source: Some(source),
        destination: None,
        ..attempt(queued, count, at)
    }
}
