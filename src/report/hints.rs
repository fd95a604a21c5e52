//! What to do about each cause of failure and each rejected line, and what an ignore
//! reason or a deferral means.

use super::text::{age, counted, thousands};
use crate::model::{Deferral, FailureCause, IgnoreReason, RejectReason, Silence};

/// That no list came, and what to do.
#[must_use]
pub fn silence_hint(silence: &Silence) -> String {
    let came = if silence.had_begun {
        "no list has brought a name for"
    } else {
        "no list has ever brought a name, for"
    };
    format!(
        "{came} {}, and {}",
        age(silence.lasts_ms),
        list_expected(silence)
    )
}

/// Within what time a list was expected, and what to do.
#[must_use]
pub fn list_expected(silence: &Silence) -> String {
    format!(
        "one is expected within {}: look at what writes or sends them",
        humantime::format_duration(silence.expected)
    )
}

/// What to do about a failure, in one sentence.
#[must_use]
pub const fn hint(cause: FailureCause) -> &'static str {
    match cause {
        FailureCause::SourceMissing => {
            "The source has no object of this name: compare it byte for byte with the source, \
             then ask again under the right name."
        }
        FailureCause::SourceDenied => {
            "The source refuses to show or give the object: allow the source key to read it."
        }
        FailureCause::SourceArchived => {
            "The object lies in an archive class: bring it back at the source, or set `restore` \
             for the task, then ask again."
        }
        FailureCause::SourceChanged => {
            "The object was changed while it was read; the next night takes the new one."
        }
        FailureCause::DestinationDenied => {
            "The destination refuses the write: allow the destination key to put this object."
        }
        FailureCause::DestinationFull => {
            "The destination has no room left: raise its quota or delete what is not needed."
        }
        FailureCause::Throttled => {
            "A server asked for a slower pace: lower `workers`, or move the window to a quieter \
             hour."
        }
        FailureCause::ServerError => {
            "A server failed; the next night tries again. If it goes on, give its operator the \
             request ids."
        }
        FailureCause::Network => {
            "The connection broke; the next night tries again. If it goes on, check the network \
             between here and the endpoint."
        }
        FailureCause::Timeout => {
            "An answer did not come in time; the next night tries again. If it goes on, check \
             the bandwidth."
        }
        FailureCause::Integrity => {
            "The bytes that arrived are not those that were sent; the next night copies again. \
             If it goes on, suspect a proxy or a disk."
        }
        FailureCause::MetadataRefused => {
            "Headers, metadata, tags or storage class cannot be written: correct them at the \
             source or in the configuration, then ask again."
        }
        FailureCause::TooLarge => {
            "The object is larger than the destination takes: carry it by other means."
        }
        FailureCause::BadRequest => {
            "A server calls the request wrong: `nightferry why` shows its answer, which names \
             what it does not like; or it says that `prefix` no longer leaves the destination \
             a name for it."
        }
        FailureCause::Internal => {
            "A fault of Nightferry: report it with what `nightferry why` shows."
        }
        FailureCause::CredentialsRefused => {
            "The access key is unknown or has run out, the secret is wrong, or credential_process \
             prints no keys: correct the credentials in the configuration."
        }
        FailureCause::AccountBlocked => {
            "The account is frozen, in arrears or disabled: settle it with the provider."
        }
        FailureCause::BucketMissing => {
            "The bucket is not there: check bucket, region and endpoint in the configuration."
        }
        FailureCause::EndpointUnreachable => {
            "Nothing answers at the endpoint, or not as S3 does: check its address, whether it is \
             https:// or http://, DNS, firewall and proxy."
        }
        FailureCause::PermissionMissing => {
            "The key lacks a permission that every run needs: `nightferry doctor` names it."
        }
        FailureCause::ClockSkew => {
            "This machine's clock and the server's differ too far: set the clock (NTP)."
        }
    }
}

/// Why an object was left alone, in words.
#[must_use]
pub const fn meaning(reason: IgnoreReason) -> &'static str {
    match reason {
        IgnoreReason::NewerAtDestination => "same size, and the destination's is later",
        IgnoreReason::AlreadyCopied => {
            "the destination still holds our own copy of this very source object"
        }
        IgnoreReason::SameChecksum => "the checksums of both sides are equal",
        IgnoreReason::Exists => "the name is there, and the task never overwrites",
        IgnoreReason::Duplicate => "an earlier request for the name was dealt with in the same run",
        IgnoreReason::Excluded => {
            "the task does not take it: its patterns, sizes or age leave it out"
        }
        IgnoreReason::Withdrawn => "an operator took the request back",
    }
}

/// That so many ignored objects are suspect, and what to do.
#[must_use]
pub fn suspects_hint(suspects: u64) -> String {
    let are = if suspects == 1 { "is" } else { "are" };
    format!(
        "{} of the ignored {are} suspect: {SUSPECT}. The view suspect_objects lists what is \
         suspect, `nightferry why` tells more. Nothing of it is copied unasked: to have it \
         copied, set `overwrite` to \"checksum\" or \"always\" and ask for it again.",
        counted(suspects, "object")
    )
}

/// What makes an ignored object suspect.
pub const SUSPECT: &str =
    "as long as the source's, but its ETag, an MD5, is another: it holds other bytes";

/// Why a line cannot be a request, and what to do, in one sentence.
#[must_use]
pub const fn rejection(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::NotUtf8 => "It is not UTF-8: write the list in UTF-8.",
        RejectReason::TooLong => {
            "It is longer than 1,024 bytes: no object can have such a name, so compare it with \
             the source."
        }
        RejectReason::BadPercentEncoding => {
            "A `%` stands without two hexadecimal digits: write `%25` for a percent sign, or do \
             not call the list percent-encoded."
        }
        RejectReason::EmptyName => "It holds no name.",
        RejectReason::Nul => "It holds a NUL byte: compare it with the source.",
        RejectReason::DotSegment => {
            "A `.` or `..` stands between slashes, which HTTP resolves away: carry such an object \
             by other means."
        }
        RejectReason::ReservedPrefix => {
            "Under `oms/sync_task/` the destination holds lists and manifests: give the object \
             another name."
        }
    }
}

/// Why requests were left pending, in a sentence.
#[must_use]
pub const fn deferred_because(deferral: Deferral) -> &'static str {
    match deferral {
        Deferral::WindowEnded => "The time was up; the next run goes on with them.",
        Deferral::Stopped => "The run was stopped; the next one goes on with them.",
        Deferral::Limit => "The limit was reached; the next run goes on with them.",
        Deferral::BreakerOpen => {
            "One side went on refusing or failing; the next run begins with them."
        }
        Deferral::CouldNotBegin => "Nothing was tried; the next run takes them.",
        Deferral::AwaitingRestore => {
            "The source is bringing them back from its archive; a later run takes them."
        }
    }
}

/// Why so many requests were left, if so many `awaiting` of them await a restore:
/// `window_ended, 3 of them awaiting_restore`.
#[must_use]
pub fn deferred_for(deferral: Deferral, awaiting: u64) -> String {
    match (deferral, awaiting) {
        (Deferral::AwaitingRestore, _) | (_, 0) => deferral.to_string(),
        (_, awaiting) => format!(
            "{deferral}, {} of them {}",
            thousands(awaiting.cast_signed()),
            Deferral::AwaitingRestore
        ),
    }
}

/// What a name that the source does not have may have been meant as.
#[must_use]
pub fn name_hint(name: &str) -> Option<&'static str> {
    if name.starts_with('#') {
        Some("begins with `#`: was it meant as a comment? Lists have no comments.")
    } else if name.ends_with('/') {
        Some("ends in `/`: was it meant as a folder? Lists hold names of objects, one by one.")
    } else if name.ends_with([' ', '\t']) {
        Some("ends in a blank: was it left there by accident? Blanks are part of a name.")
    } else {
        None
    }
}
