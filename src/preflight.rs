//! Can the night begin? What every run needs of both buckets, asked for before anything is tried.

mod checksums;
mod patience;

use std::thread;

use bytes::Bytes;

pub use self::patience::tried;

use crate::model::{CarriedHeaders, Checksum, ChecksumMode, ETag, Failure, FailureCause, TaskId};
use crate::s3::{Body, Bucket, Condition, GetOptions, PutAnswer, Upload};

/// A server refuses requests whose time is further off than this (AWS: 15 minutes).
const WORST_SKEW_MS: i64 = 15 * 60 * 1000;

/// From here on the skew is worth a note: the rule compares times of two servers.
const NOTABLE_SKEW_MS: i64 = 5 * 1000;

/// What the canary says, to whoever finds it.
const CANARY: &[u8] = b"Nightferry writes this object to see whether it may.\n";

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be; with what was seen.
    Passed(String),
    /// Not as it might be, but no run needs it.
    Note(String),
    /// No run can begin like this.
    Failed(Failure),
}

/// What may be done to the destination to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing is written.
    Read,
    /// The canary is written, read and removed.
    Write,
}

/// One check and its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked: `source list`, `destination write`, …
    pub subject: &'static str,
    /// What came of it.
    pub verdict: Verdict,
}

impl Check {
    fn of(subject: &'static str, result: Result<String, Failure>) -> Self {
        let verdict = match result {
            Ok(seen) => Verdict::Passed(seen),
            Err(failure) => Verdict::Failed(as_begin_failure(failure)),
        };
        Self { subject, verdict }
    }
}

/// The first failure among `checks`.
#[must_use]
pub fn first_failure(checks: &[Check]) -> Option<&Failure> {
    checks.iter().find_map(|check| match &check.verdict {
        Verdict::Failed(failure) => Some(failure),
        Verdict::Passed(_) | Verdict::Note(_) => None,
    })
}

/// Checks both buckets of `task`, at the same time: listing and reading the
/// source; listing, writing and reading the destination, and which checksum of
/// those that `checksum` asks for it checks; both clocks.
#[must_use]
pub fn preflight(
    task: &TaskId,
    source: &Bucket,
    destination: &Bucket,
    access: Access,
    checksum: ChecksumMode,
) -> Vec<Check> {
    let canary = canary_name(task);
    let (mut checks, at_destination) = thread::scope(|scope| {
        let at_destination =
            scope.spawn(|| check_destination(destination, &canary, access, checksum));
        let at_source = check_source(source, &canary);
        let internal = || {
            Failure::new(
                FailureCause::Internal,
                "the check of the destination panicked",
            )
        };
        let at_destination = at_destination
            .join()
            .unwrap_or_else(|_| vec![Check::of("destination", Err(internal()))]);
        (at_source, at_destination)
    });
    checks.extend(at_destination);
    checks
}

/// The name of the canary of `task`, in both buckets.
#[must_use]
pub fn canary_name(task: &TaskId) -> String {
    format!("{}.canary", task.prefix())
}

fn check_source(source: &Bucket, canary: &str) -> Vec<Check> {
    let listed = tried(|| source.list("", None, None, 1));
    let first = listed.as_ref().ok().and_then(|page| page.objects.first());
    // Of an empty bucket the canary's name is asked for: that it is missing is
    // an answer that only those get who may read.
    let (name, size_bytes) = first.map_or((canary, 0), |object| {
        (object.name.as_str(), object.facts.size_bytes)
    });
    let read = || match can_be_read(source, name, size_bytes) {
        // One object may be closed to us and all others open.
        Err(failure) if failure.cause == FailureCause::SourceDenied && name != canary => {
            can_be_read(source, canary, 0)
                .map(|_| "can be read, but for its first object".to_owned())
                .map_err(|_| failure)
        }
        read => read,
    };
    let read = listed.is_ok().then(read);
    let mut checks = vec![Check::of(
        "source list",
        listed.map(|page| match page.objects.first() {
            Some(_) => "can be listed".to_owned(),
            None => "can be listed; it is empty".to_owned(),
        }),
    )];
    checks.extend(read.map(|read| Check::of("source read", read)));
    checks.push(check_clock("source clock", source));
    checks
}

/// Asks for an object without reading it; that it is missing is an answer too.
///
/// # Errors
/// The server refused or did not answer, after all attempts.
pub fn can_be_read(bucket: &Bucket, name: &str, size_bytes: u64) -> Result<String, Failure> {
    let range = (size_bytes > 0).then_some((0, 0));
    match tried(|| {
        bucket.get(
            name,
            GetOptions {
                range,
                if_match: None,
            },
        )
    }) {
        Ok(_unread) => Ok("can be read".to_owned()),
        Err(failure) => match failure.cause {
            FailureCause::SourceMissing => Ok("can be read".to_owned()),
            FailureCause::SourceArchived => {
                Ok("can be read; its first object is archived".to_owned())
            }
            _ => Err(failure),
        },
    }
}

fn check_destination(
    destination: &Bucket,
    canary: &str,
    access: Access,
    checksum: ChecksumMode,
) -> Vec<Check> {
    let listed = tried(|| destination.list("", None, None, 1));
    let mut checks = vec![Check::of(
        "destination list",
        listed.map(|_| "can be listed".to_owned()),
    )];
    if first_failure(&checks).is_some() {
        return checks;
    }
    if access == Access::Write {
        checks.extend(check_canary(destination, canary, checksum));
    }
    checks.push(check_clock("destination clock", destination));
    checks
}

/// Writes, reads and removes the canary.
fn check_canary(destination: &Bucket, canary: &str, checksum: ChecksumMode) -> Vec<Check> {
    let mut checks = vec![Check::of(
        "destination write",
        write_canary(destination, canary),
    )];
    if first_failure(&checks).is_none() {
        checks.push(Check::of(
            "destination read",
            read_canary(destination, canary),
        ));
        checks.push(check_conditions(destination, canary));
        checks.extend(checksums::check(destination, canary, checksum));
        checks.push(match tried(|| destination.delete(canary)) {
            Ok(()) => Check::of("destination delete", Ok("can be deleted from".to_owned())),
            Err(failure) => Check {
                subject: "destination delete",
                verdict: Verdict::Note(format!("{}; no run needs it", failure.message)),
            },
        });
    }
    checks
}

/// Sees whether writes are refused (HTTP 412) whose condition does not hold, now
/// that the canary is there; the destination remembers what it was seen to keep.
fn check_conditions(destination: &Bucket, canary: &str) -> Check {
    const SUBJECT: &str = "destination conditions";
    let other = ETag::new("00000000000000000000000000000000");
    let mut kept = Vec::new();
    for (name, condition) in [
        ("If-None-Match", Condition::Nothing),
        ("If-Match", Condition::Tag(&other)),
    ] {
        if let Err(failure) = tried(|| put_canary(destination, canary, condition, None))
            && failure.is_refused_condition()
        {
            destination.keeps(condition);
            kept.push(name);
        }
    }
    if kept.is_empty() {
        let note = "writes are made whatever others wrote meanwhile: neither If-None-Match nor \
                    If-Match is kept";
        return Check {
            subject: SUBJECT,
            verdict: Verdict::Note(note.to_owned()),
        };
    }
    Check::of(SUBJECT, Ok(format!("keeps {}", kept.join(" and "))))
}

/// Writes the canary.
///
/// # Errors
/// The server refused or did not answer, after all attempts.
pub fn write_canary(destination: &Bucket, canary: &str) -> Result<String, Failure> {
    tried(|| put_canary(destination, canary, Condition::Anything, None))
        .map(|_| "can be written".to_owned())
}

fn put_canary(
    destination: &Bucket,
    canary: &str,
    condition: Condition<'_>,
    checksum: Option<&Checksum>,
) -> Result<PutAnswer, Failure> {
    let headers = CarriedHeaders(vec![("content-type".to_owned(), "text/plain".to_owned())]);
    let upload = Upload {
        body: Body::Bytes(Bytes::from_static(CANARY)),
        headers: &headers,
        content_md5: None,
        checksum,
        condition,
    };
    destination.put(canary, upload)
}

fn read_canary(destination: &Bucket, canary: &str) -> Result<String, Failure> {
    let mut read = vec![0; CANARY.len()];
    tried(|| {
        destination
            .get(canary, GetOptions::default())
            .and_then(|download| download.body.read_into(&mut read))
    })?;
    if read == CANARY {
        Ok("can be read".to_owned())
    } else {
        let message = format!("the canary {canary} does not hold what was just written to it");
        Err(Failure::new(FailureCause::Integrity, message))
    }
}

fn check_clock(subject: &'static str, bucket: &Bucket) -> Check {
    let Some(ahead_ms) = bucket.clock_ahead_ms() else {
        let note = "the server does not say what time it has".to_owned();
        return Check {
            subject,
            verdict: Verdict::Note(note),
        };
    };
    let ahead_seconds = ahead_ms / 1000;
    let said = match ahead_seconds {
        0 => "agrees with this machine's to the second".to_owned(),
        _ => format!("{ahead_seconds:+} s against this machine's"),
    };
    let verdict = if ahead_ms.abs() > WORST_SKEW_MS {
        let message = format!("{subject}: {said}; set this machine's clock, or the server's (NTP)");
        Verdict::Failed(Failure::new(FailureCause::ClockSkew, message))
    } else if ahead_ms.abs() > NOTABLE_SKEW_MS {
        Verdict::Note(said)
    } else {
        Verdict::Passed(said)
    };
    Check { subject, verdict }
}

/// The cause as a run that could not begin states it.
#[must_use]
pub fn as_begin_failure(mut failure: Failure) -> Failure {
    failure.cause = match failure.cause {
        FailureCause::Network
        | FailureCause::Timeout
        | FailureCause::ServerError
        | FailureCause::Throttled => FailureCause::EndpointUnreachable,
        FailureCause::SourceDenied | FailureCause::DestinationDenied => {
            FailureCause::PermissionMissing
        }
        other => other,
    };
    failure
}
