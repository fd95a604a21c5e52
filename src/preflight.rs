//! Can the night begin? What every run needs of both buckets, asked for before anything is tried.

mod checksums;
mod patience;
mod restore;
mod written;

use std::thread;

use bytes::Bytes;

pub use self::patience::tried;
pub use self::restore::check_restore;

use crate::model::{
    CarriedHeaders, Checksum, ChecksumMode, ETag, Failure, FailureCause, TaskId, WriteOptions,
};
use crate::s3::{Body, Bucket, Condition, GetOptions, ListPage, ListedObject, PutAnswer, Upload};

/// A server refuses requests whose time is further off than this (AWS: 15 minutes).
const WORST_SKEW_MS: i64 = 15 * 60 * 1000;

/// From here on the skew is worth a note: the rule compares times of two servers.
const NOTABLE_SKEW_MS: i64 = 5 * 1000;

/// What the canary says, to whoever finds it.
const CANARY: &[u8] = b"Nightferry writes this object to see whether it may.\n";

const CAN_BE_WRITTEN: &str = "can be written";

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

/// What a task wants of both ends.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// By what copies are to be proven.
    pub checksum: ChecksumMode,
    /// What they are to be written with.
    pub write_options: &'a WriteOptions,
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
/// source; listing, writing and reading the destination, and whether it can do
/// what is `wanted`; both clocks.
#[must_use]
pub fn preflight(
    task: &TaskId,
    source: &Bucket,
    destination: &Bucket,
    access: Access,
    wanted: Wanted<'_>,
) -> Vec<Check> {
    let canary = canary_name(task);
    at_both(
        || check_source(source, &canary, wanted),
        || check_destination(destination, &canary, access, wanted),
    )
}

/// What came of [`reach`].
#[derive(Debug)]
pub struct Reached {
    /// The checks.
    pub checks: Vec<Check>,
    /// The object that the source lists first, to be read later.
    pub first: Option<ListedObject>,
}

/// Checks of [`preflight`] what every run needs, even if it carries nothing: that
/// both buckets are there and can be listed, and both clocks.
#[must_use]
pub fn reach(source: &Bucket, destination: &Bucket) -> Reached {
    let mut first = None;
    let checks = at_both(
        || {
            let listed = list_first(source);
            first = listed
                .as_ref()
                .ok()
                .and_then(|page| page.objects.first().cloned());
            let list = check_list("source list", source, listed);
            vec![list, check_clock("source clock", source)]
        },
        || {
            let list = check_list("destination list", destination, list_first(destination));
            vec![list, check_clock("destination clock", destination)]
        },
    );
    Reached { checks, first }
}

/// Checks the rest of [`preflight`], which a run needs to ask for single objects
/// and to carry them: reading the `first` object of the source; writing and
/// reading the destination.
#[must_use]
pub fn try_out(
    source: &Bucket,
    first: Option<&ListedObject>,
    destination: &Bucket,
    canary: &str,
    wanted: Wanted<'_>,
) -> Vec<Check> {
    at_both(
        || check_reading(source, canary, first, wanted),
        || check_canary(destination, canary, wanted),
    )
}

/// The checks of both ends, made at the same time.
fn at_both(
    at_source: impl FnOnce() -> Vec<Check>,
    at_destination: impl FnOnce() -> Vec<Check> + Send,
) -> Vec<Check> {
    let (mut checks, at_destination) = thread::scope(|scope| {
        let at_destination = scope.spawn(at_destination);
        let at_source = at_source();
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

/// The name of the canary of `task`, in both buckets; at the destination behind the
/// task's prefix, where keys may be held to.
#[must_use]
pub fn canary_name(task: &TaskId) -> String {
    format!("{}.canary", task.prefix())
}

/// Lists no further than to the first object.
fn list_first(bucket: &Bucket) -> Result<ListPage, Failure> {
    tried(|| bucket.list("", None, None, 1))
}

fn check_list(subject: &'static str, bucket: &Bucket, listed: Result<ListPage, Failure>) -> Check {
    let prefix = bucket.prefix();
    let place = if prefix.is_empty() {
        String::new()
    } else {
        format!(" behind {:?}", prefix.as_str())
    };
    let said = listed.map(|page| match page.objects.first() {
        Some(_) => format!("can be listed{place}"),
        None => format!("can be listed{place}; it is empty"),
    });
    Check::of(subject, said)
}

fn check_source(source: &Bucket, canary: &str, wanted: Wanted<'_>) -> Vec<Check> {
    let listed = list_first(source);
    let read = listed
        .as_ref()
        .ok()
        .map(|page| check_reading(source, canary, page.objects.first(), wanted));
    let mut checks = vec![check_list("source list", source, listed)];
    checks.extend(read.into_iter().flatten());
    checks.push(check_clock("source clock", source));
    checks
}

/// Reads the `first` object of the source, and its tags where they are wanted.
fn check_reading(
    source: &Bucket,
    canary: &str,
    first: Option<&ListedObject>,
    wanted: Wanted<'_>,
) -> Vec<Check> {
    let mut checks = vec![check_read(source, canary, first)];
    if wanted.write_options.copy_tags && first_failure(&checks).is_none() {
        let name = first.map(|object| object.name.as_str());
        checks.push(written::check_source_tags(source, canary, name));
    }
    checks
}

/// Reads the `first` object of the source. Of an empty bucket the canary's name
/// is asked for: that it is missing is an answer that only those get who may read.
fn check_read(source: &Bucket, canary: &str, first: Option<&ListedObject>) -> Check {
    let (name, size_bytes) = first.map_or((canary, 0), |object| {
        (object.name.as_str(), object.facts.size_bytes)
    });
    let read = match can_be_read(source, name, size_bytes) {
        // One object may be closed to us and all others open.
        Err(failure) if failure.cause == FailureCause::SourceDenied && name != canary => {
            can_be_read(source, canary, 0)
                .map(|_| "can be read, but for its first object".to_owned())
                .map_err(|_| failure)
        }
        read => read,
    };
    Check::of("source read", read)
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
    wanted: Wanted<'_>,
) -> Vec<Check> {
    let listed = list_first(destination);
    let mut checks = vec![check_list("destination list", destination, listed)];
    if first_failure(&checks).is_some() {
        return checks;
    }
    if access == Access::Write {
        checks.extend(check_canary(destination, canary, wanted));
    }
    checks.push(check_clock("destination clock", destination));
    checks
}

/// Writes, reads and removes the canary.
fn check_canary(destination: &Bucket, canary: &str, wanted: Wanted<'_>) -> Vec<Check> {
    const SUBJECT: &str = "destination write";
    let written = match write_canary(destination, canary) {
        Ok(written) => written,
        Err(failure) => return vec![Check::of(SUBJECT, Err(failure))],
    };
    let mut checks = vec![
        Check::of(SUBJECT, Ok(CAN_BE_WRITTEN.to_owned())),
        Check::of("destination read", read_canary(destination, canary)),
        check_conditions(destination, canary, written.etag),
    ];
    checks.extend(checksums::check(destination, canary, wanted.checksum));
    checks.extend(written::check(destination, canary, wanted.write_options));
    checks.push(match tried(|| destination.delete(canary)) {
        Ok(()) => Check::of("destination delete", Ok("can be deleted from".to_owned())),
        Err(failure) => Check {
            subject: "destination delete",
            verdict: Verdict::Note(format!("{}; no run needs it", failure.message)),
        },
    });
    checks
}

/// Sees whether writes are refused (HTTP 412) whose condition does not hold, now
/// that the canary is there under the tag `own`; the destination remembers what it was
/// seen to keep.
fn check_conditions(destination: &Bucket, canary: &str, mut own: ETag) -> Check {
    const SUBJECT: &str = "destination conditions";
    let other = ETag::new("00000000000000000000000000000000");
    let put = |condition: Condition<'_>| tried(|| put_plain(destination, canary, condition, None));
    let mut kept = Vec::new();
    for (name, condition) in [
        ("If-None-Match", Condition::Nothing),
        ("If-Match", Condition::Tag(&other)),
    ] {
        match put(condition) {
            Ok(written) => own = written.etag,
            Err(failure) if failure.is_refused_condition() => {
                // radosgw 16 compares the tag with its quotes, and so refuses the right
                // one too.
                let heeded = condition == Condition::Nothing || put(Condition::Tag(&own)).is_ok();
                if heeded {
                    destination.keeps(condition);
                    kept.push(name);
                }
            }
            Err(_) => {}
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

/// Checks `lists`, the destination without the prefix behind which the other checks
/// look: whether the lists of `task` can be listed, which every run does that delivers
/// some, and whether they are taken; writes the canary beside them.
#[must_use]
pub fn check_lists(task: &TaskId, lists: &Bucket) -> [Check; 2] {
    let listed = tried(|| lists.list(&task.prefix(), None, None, 1));
    let canary = canary_name(task);
    let written = write_canary(lists, &canary);
    if written.is_ok() {
        // No run needs this right, and whether it is had has been said.
        drop(lists.delete(&canary));
    }
    [
        Check::of("lists list", listed.map(|_| "can be listed".to_owned())),
        Check::of("lists write", written.map(|_| CAN_BE_WRITTEN.to_owned())),
    ]
}

/// Writes the canary.
///
/// # Errors
/// The server refused or did not answer, after all attempts.
pub fn write_canary(destination: &Bucket, canary: &str) -> Result<PutAnswer, Failure> {
    tried(|| put_plain(destination, canary, Condition::Anything, None))
}

fn put_plain(
    destination: &Bucket,
    canary: &str,
    condition: Condition<'_>,
    checksum: Option<&Checksum>,
) -> Result<PutAnswer, Failure> {
    let headers = CarriedHeaders(vec![("content-type".to_owned(), "text/plain".to_owned())]);
    put_canary(destination, canary, condition, checksum, &headers)
}

fn put_canary(
    destination: &Bucket,
    canary: &str,
    condition: Condition<'_>,
    checksum: Option<&Checksum>,
    headers: &CarriedHeaders,
) -> Result<PutAnswer, Failure> {
    let upload = Upload {
        body: Body::Bytes(Bytes::from_static(CANARY)),
        headers,
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
