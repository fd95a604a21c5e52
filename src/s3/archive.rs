//! Objects in an archive: how they are known, and how they are brought back.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest, Md5};
use reqwest::header::{DATE, HeaderMap};
use rusty_s3::Method;

use super::bucket::Bucket;
use super::cause::Operation;
use super::headers::{http_date, text};
use super::request::{Body, Request};
use crate::model::{Archive, Failure, FailureCause, Readiness, RestoreAnswer, RestoreOrder};

/// Whether a storage class is an archive's by its name, whichever server says it.
/// `GLACIER_IR` is none, and what other servers call theirs shows when an object
/// is read: some of them give it at once.
pub(super) fn is_archive(storage_class: &str) -> bool {
    matches!(storage_class, "GLACIER" | "DEEP_ARCHIVE")
}

/// What the headers of a HEAD say:
///
/// | `x-amz-restore` | archive's class or tier | then |
/// |--|--|--|
/// | `ongoing-request="true"` | any | being restored |
/// | `ongoing-request="false"`, not expired | any | ready |
/// | none, expired, or else | yes | archived |
/// | the same | no | ready |
pub(super) fn readiness(headers: &HeaderMap) -> Readiness {
    let class = text(headers, "x-amz-storage-class").is_some_and(is_archive);
    let tier = headers.contains_key("x-amz-archive-status");
    let archived = match (tier, class) {
        (true, _) => Readiness::Archived(Archive::Tier),
        (false, true) => Readiness::Archived(Archive::Class),
        (false, false) => Readiness::Ready,
    };
    let Some(restore) = text(headers, "x-amz-restore") else {
        return archived;
    };
    if restore.contains("ongoing-request=\"true\"") {
        Readiness::BeingRestored
    } else if restore.contains("ongoing-request=\"false\"") && !is_expired(restore, headers) {
        Readiness::Ready
    } else {
        archived
    }
}

/// Whether the copy that `restore` tells of is gone, on the server's own clock.
fn is_expired(restore: &str, headers: &HeaderMap) -> bool {
    let expires = restore
        .split_once("expiry-date=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .and_then(|(date, _)| http_date(date));
    let now = text(headers, DATE.as_str()).and_then(http_date);
    matches!((expires, now), (Some(expires), Some(now)) if expires <= now)
}

impl Bucket {
    /// Asks for the object to be brought back from its archive.
    ///
    /// # Errors
    /// The server refused or did not answer. That it is at it already is no failure.
    pub fn restore(
        &self,
        name: &str,
        archive: Archive,
        order: RestoreOrder,
    ) -> Result<RestoreAnswer, Failure> {
        let body = restore_request(archive, order);
        let mut request = Request::about(Operation::RestoreObject, Method::Post, name);
        request.query = &[("restore", "")];
        let md5 = STANDARD.encode(Md5::digest(&body));
        request.headers.push(("content-md5", Cow::Owned(md5)));
        let kind = Cow::Borrowed("application/xml");
        request.headers.push(("content-type", kind));
        request.body = Some(Body::Bytes(Bytes::from(body)));
        match self.send(request) {
            Ok(answer) if answer.status == reqwest::StatusCode::OK => Ok(RestoreAnswer::Extended),
            Ok(_) => Ok(RestoreAnswer::Accepted),
            Err(failure) if failure.error_code.as_deref() == Some("RestoreAlreadyInProgress") => {
                Ok(RestoreAnswer::InProgress)
            }
            Err(mut failure) => {
                if failure.cause == FailureCause::SourceDenied {
                    failure
                        .message
                        .push_str("; to bring objects back, the key needs s3:RestoreObject");
                }
                Err(failure)
            }
        }
    }
}

/// The body of the request. What comes back for good takes no days.
fn restore_request(archive: Archive, order: RestoreOrder) -> String {
    let days = match archive {
        Archive::Class => format!("<Days>{}</Days>", order.days),
        Archive::Tier => String::new(),
    };
    format!(
        "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{days}\
         <GlacierJobParameters><Tier>{}</Tier></GlacierJobParameters></RestoreRequest>",
        order.tier
    )
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::model::RestoreTier;

    fn said(headers: &[(&'static str, &'static str)]) -> Readiness {
        let map = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        readiness(&map.collect())
    }

    #[test]
    fn the_truth_table_of_readiness() {
        const CLASS: &str = "x-amz-storage-class";
        const RESTORE: &str = "x-amz-restore";
        const DATE: (&str, &str) = ("date", "Sat, 28 Nov 2026 12:00:00 GMT");
        let class = Readiness::Archived(Archive::Class);
        let tier = Readiness::Archived(Archive::Tier);
        let later = "ongoing-request=\"false\", expiry-date=\"Sun, 29 Nov 2026 00:00:00 GMT\"";
        let now = "ongoing-request=\"false\", expiry-date=\"Sat, 28 Nov 2026 12:00:00 GMT\"";
        for (headers, expected) in [
            (vec![], Readiness::Ready),
            (vec![(CLASS, "STANDARD_IA")], Readiness::Ready),
            (vec![(CLASS, "GLACIER_IR")], Readiness::Ready),
            (vec![(CLASS, "INTELLIGENT_TIERING")], Readiness::Ready),
            (vec![(CLASS, "GLACIER")], class),
            (vec![(CLASS, "DEEP_ARCHIVE")], class),
            (
                vec![
                    (CLASS, "INTELLIGENT_TIERING"),
                    ("x-amz-archive-status", "ARCHIVE_ACCESS"),
                ],
                tier,
            ),
            (
                vec![(CLASS, "GLACIER"), (RESTORE, "ongoing-request=\"true\"")],
                Readiness::BeingRestored,
            ),
            (
                vec![(CLASS, "GLACIER"), (RESTORE, later), DATE],
                Readiness::Ready,
            ),
            (vec![(CLASS, "GLACIER"), (RESTORE, later)], Readiness::Ready),
            (vec![(CLASS, "GLACIER"), (RESTORE, now), DATE], class),
            (vec![(CLASS, "GLACIER"), (RESTORE, "odd")], class),
            (vec![(RESTORE, "odd")], Readiness::Ready),
            (
                vec![(CLASS, "CLOUDTIER"), (RESTORE, "ongoing-request=\"true\"")],
                Readiness::BeingRestored,
            ),
        ] {
            assert_eq!(said(&headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_comes_back_for_good_is_asked_for_without_days() {
        let order = RestoreOrder {
            days: 3,
            tier: RestoreTier::Bulk,
        };
        let class = restore_request(Archive::Class, order);
        assert!(class.contains("<Days>3</Days><GlacierJobParameters><Tier>Bulk</Tier>"));
        assert!(!restore_request(Archive::Tier, order).contains("Days"));
    }
}
