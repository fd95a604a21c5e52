//! The one table that says what went wrong.

use crate::model::{FailureCause, Side};

/// What was asked of the server, by S3's own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// List names.
    ListObjectsV2,
    /// Ask for an object's headers.
    HeadObject,
    /// Read an object or a range of it.
    GetObject,
    /// Read an object's tags.
    GetObjectTagging,
    /// Change an object's tags.
    PutObjectTagging,
    /// Write an object.
    PutObject,
    /// Have the server copy an object by itself.
    CopyObject,
    /// Remove an object.
    DeleteObject,
    /// Begin a multipart upload.
    CreateMultipartUpload,
    /// Write one part.
    UploadPart,
    /// Have the server copy one part by itself.
    UploadPartCopy,
    /// Make an object of the parts.
    CompleteMultipartUpload,
    /// Give a multipart upload up.
    AbortMultipartUpload,
    /// List the parts of a multipart upload.
    ListParts,
    /// Have an object brought back from an archive.
    RestoreObject,
}

impl Operation {
    /// S3's name of the operation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::HeadObject => "HeadObject",
            Self::GetObject => "GetObject",
            Self::GetObjectTagging => "GetObjectTagging",
            Self::PutObjectTagging => "PutObjectTagging",
            Self::PutObject => "PutObject",
            Self::CopyObject => "CopyObject",
            Self::DeleteObject => "DeleteObject",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::UploadPartCopy => "UploadPartCopy",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListParts => "ListParts",
            Self::RestoreObject => "RestoreObject",
        }
    }

    /// Whether the request carries the headers of an object that is to be written.
    pub(super) const fn begins_object(self) -> bool {
        matches!(
            self,
            Self::PutObject | Self::CopyObject | Self::CreateMultipartUpload
        )
    }

    /// Whether it carries what is kept beside an object's bytes.
    const fn sends_metadata(self) -> bool {
        self.begins_object() || matches!(self, Self::PutObjectTagging)
    }
}

/// What came instead of a good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// The server refused.
    Refused {
        /// The HTTP status.
        status: u16,
        /// S3's error code, if the body held one.
        code: Option<&'a str>,
        /// S3's message; empty if there was none.
        message: &'a str,
    },
    /// Nothing, or not all of it, came in time.
    TimedOut,
    /// The connection could not be made, or broke.
    Broken,
}

/// Says what `trouble` with `operation` on `side` means.
///
/// The S3 code decides, then the status; an answer without a code says only as
/// much as its status.
///
/// | answer | source | destination |
/// |--|--|--|
/// | `NoSuchKey` | `source_missing` | `bad_request` |
/// | `NoSuchBucket`, 301 | `bucket_missing` | `bucket_missing` |
/// | 404 without a code | `server_error` | the same |
/// | `AccessDenied`, 403 without a code | `source_denied` | `destination_denied` |
/// | `InvalidObjectState`, of a copy by the server too | `source_archived` | `bad_request` |
/// | `ObjectNotInActiveTierError`, of a copy by the server | | `source_archived` |
/// | 412, 416 | `source_changed` | `bad_request` |
/// | `QuotaExceeded`, 507 | `server_error` | `destination_full` |
/// | signature, key or token refused, 401 | `credentials_refused` | the same |
/// | account frozen or in arrears, 402 | `account_blocked` | the same |
/// | `SlowDown`, 429 | `throttled` | the same |
/// | `RequestTimeTooSkewed`, a signature of another time | `clock_skew` | the same |
/// | about a key of KMS | `source_denied` | `destination_denied` |
/// | `BadDigest` and its kin, `InvalidPart` | `integrity` | the same |
/// | `RequestTimeout`, 408, no answer in time | `timeout` | the same |
/// | headers, metadata, tags or storage class too large or refused | | `metadata_refused` |
/// | `EntityTooLarge`, 413 | `too_large` | `too_large` |
/// | connection not made or broken | `network` | the same |
/// | other 5xx | `server_error` | the same |
/// | all else | `bad_request` | `bad_request` |
#[must_use]
pub fn cause(side: Side, operation: Operation, trouble: Trouble<'_>) -> FailureCause {
    match trouble {
        Trouble::TimedOut => FailureCause::Timeout,
        Trouble::Broken => FailureCause::Network,
        Trouble::Refused {
            status,
            code,
            message,
        } => {
            if side == Side::Destination
                && operation.sends_metadata()
                && is_about_metadata(status, code, message)
            {
                return FailureCause::MetadataRefused;
            }
            if is_about_archive(side, operation, code) {
                return FailureCause::SourceArchived;
            }
            code.and_then(|code| by_code(side, code, message))
                .unwrap_or_else(|| by_status(side, status, code))
        }
    }
}

fn by_code(side: Side, code: &str, message: &str) -> Option<FailureCause> {
    Some(match code {
        _ if is_about_key(code, message) => denied(side),
        "NoSuchKey" | "NoSuchVersion" if side == Side::Source => FailureCause::SourceMissing,
        "NoSuchBucket" | "InvalidBucketName" | "PermanentRedirect" => FailureCause::BucketMissing,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "InvalidSecurity"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "CredentialsNotSupported"
        | "AuthorizationHeaderMalformed"
        | "AuthorizationQueryParametersError" => FailureCause::CredentialsRefused,
        "AccountProblem"
        | "AllAccessDisabled"
        | "InvalidPayer"
        | "NotSignedUp"
        | "NotDeviceOwnerError"
        | "AccountSuspended"
        | "UserSuspended"
        | "UserDisable"
        | "InArrear"
        | "InArrearOrInsufficientBalance"
        | "AccountArrearage"
        | "XMinioUserDisabled" => FailureCause::AccountBlocked,
        // A presigned request of another time is not told by a code of its own.
        "AccessDenied" if is_about_time(message) => FailureCause::ClockSkew,
        "RequestTimeTooSkewed" | "RequestExpired" => FailureCause::ClockSkew,
        "AccessDenied" | "AccessForbidden" | "Forbidden" => denied(side),
        "PreconditionFailed" | "InvalidRange" if side == Side::Source => {
            FailureCause::SourceChanged
        }
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "Throttling"
        | "ThrottlingException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "TooManyRequests"
        | "ServerBusy" => FailureCause::Throttled,
        "QuotaExceeded"
        | "InsufficientStorage"
        | "StorageFull"
        | "InsufficientStorageSpace"
        | "XMinioStorageFull"
        | "XMinioAdminBucketQuotaExceeded"
            if side == Side::Destination =>
        {
            FailureCause::DestinationFull
        }
        "EntityTooLarge" | "MaxMessageLengthExceeded" => FailureCause::TooLarge,
        "BadDigest"
        | "InvalidDigest"
        | "InvalidPart"
        | "XAmzContentChecksumMismatch"
        | "XAmzContentSHA256Mismatch"
        | "ContentSHA256Mismatch" => FailureCause::Integrity,
        "RequestTimeout" => FailureCause::Timeout,
        "IncompleteBody" => FailureCause::Network,
        // The upload expired or was aborted by others; the object is not what
        // it was when the copy was decided; the bucket is between two states:
        // the same request may pass when it is made anew.
        "NoSuchUpload"
        | "OperationAborted"
        | "PreconditionFailed"
        | "ConditionalRequestConflict"
        | "InternalError"
        | "ServiceUnavailable"
        | "TemporaryRedirect" => FailureCause::ServerError,
        "NotImplemented" => FailureCause::BadRequest,
        _ => return None,
    })
}

fn by_status(side: Side, status: u16, code: Option<&str>) -> FailureCause {
    match status {
        301 | 308 => FailureCause::BucketMissing,
        401 => FailureCause::CredentialsRefused,
        402 => FailureCause::AccountBlocked,
        403 => denied(side),
        // Not S3's own words: a proxy without a backend says the same, and
        // source_missing would be final.
        404 if code.is_none() => FailureCause::ServerError,
        408 => FailureCause::Timeout,
        412 | 416 if side == Side::Source => FailureCause::SourceChanged,
        413 => FailureCause::TooLarge,
        429 => FailureCause::Throttled,
        501 => FailureCause::BadRequest,
        507 if side == Side::Destination => FailureCause::DestinationFull,
        300..=399 | 412 | 500..=599 => FailureCause::ServerError,
        _ => FailureCause::BadRequest,
    }
}

pub(super) const fn denied(side: Side) -> FailureCause {
    match side {
        Side::Source => FailureCause::SourceDenied,
        Side::Destination => FailureCause::DestinationDenied,
    }
}

/// Whether the source of what was asked for lies in an archive; a copy by the
/// server is asked of the destination.
fn is_about_archive(side: Side, operation: Operation, code: Option<&str>) -> bool {
    let is_copy = matches!(operation, Operation::CopyObject | Operation::UploadPartCopy);
    match code {
        Some("InvalidObjectState") => side == Side::Source || is_copy,
        Some("ObjectNotInActiveTierError") => is_copy,
        _ => false,
    }
}

fn is_about_metadata(status: u16, code: Option<&str>, message: &str) -> bool {
    match code {
        Some(
            "MetadataTooLarge"
            | "RequestHeaderSectionTooLarge"
            | "UnsupportedHeader"
            | "InvalidStorageClass"
            | "InvalidTag",
        ) => true,
        Some("InvalidArgument" | "InvalidRequest" | "InvalidHeader") => {
            let message = message.to_ascii_lowercase();
            message.contains("metadata") || message.contains("x-amz-meta")
        }
        _ => status == 431,
    }
}

/// Whether a refusal is about the key by which an object is encrypted, or about
/// encrypting it at all. Ceph's radosgw has no code of its own for that.
pub(super) fn is_about_key(code: &str, message: &str) -> bool {
    let told_by_words = || {
        let message = message.to_ascii_lowercase();
        ["kms", "server side encryption", "server-side encryption"]
            .iter()
            .any(|known| message.contains(known))
    };
    // `KMS.NotFoundException`, `XMinioKMSKeyNotFoundException` and their kin.
    code.contains("KMS")
        || matches!(
            code,
            "AccessDenied"
                | "InvalidArgument"
                | "InvalidRequest"
                | "InvalidEncryptionAlgorithmError"
                | "NotImplemented"
        ) && told_by_words()
        || code == "InvalidAccessKeyId" && message.contains("kms-keyid")
}

fn is_about_time(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    [
        "request has expired",
        "request is not valid yet",
        "not yet valid",
    ]
    .iter()
    .any(|known| message.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureCause as Cause;

    fn refused(side: Side, operation: Operation, status: u16, code: &str, message: &str) -> Cause {
        let code = Some(code).filter(|code| !code.is_empty());
        cause(
            side,
            operation,
            Trouble::Refused {
                status,
                code,
                message,
            },
        )
    }

    #[test]
    fn reading_the_source_fails_for_these_causes() {
        for (status, code, expected) in [
            (404, "NoSuchKey", Cause::SourceMissing),
            (404, "NoSuchBucket", Cause::BucketMissing),
            (404, "", Cause::ServerError),
            (404, "Whatever", Cause::BadRequest),
            (403, "AccessDenied", Cause::SourceDenied),
            (403, "", Cause::SourceDenied),
            (403, "KMS.DisabledException", Cause::SourceDenied),
            (403, "InvalidObjectState", Cause::SourceArchived),
            (403, "InvalidAccessKeyId", Cause::CredentialsRefused),
            (403, "SignatureDoesNotMatch", Cause::CredentialsRefused),
            (400, "ExpiredToken", Cause::CredentialsRefused),
            (400, "InvalidToken", Cause::CredentialsRefused),
            (401, "", Cause::CredentialsRefused),
            (403, "AllAccessDisabled", Cause::AccountBlocked),
            (403, "AccountProblem", Cause::AccountBlocked),
            (403, "InvalidPayer", Cause::AccountBlocked),
            (402, "", Cause::AccountBlocked),
            (412, "PreconditionFailed", Cause::SourceChanged),
            (412, "", Cause::SourceChanged),
            (416, "InvalidRange", Cause::SourceChanged),
            (503, "SlowDown", Cause::Throttled),
            (429, "", Cause::Throttled),
            (400, "RequestLimitExceeded", Cause::Throttled),
            (403, "RequestTimeTooSkewed", Cause::ClockSkew),
            (400, "RequestTimeout", Cause::Timeout),
            (500, "InternalError", Cause::ServerError),
            (503, "ServiceUnavailable", Cause::ServerError),
            (502, "", Cause::ServerError),
            (301, "PermanentRedirect", Cause::BucketMissing),
            (301, "", Cause::BucketMissing),
            (307, "TemporaryRedirect", Cause::ServerError),
            (400, "KeyTooLongError", Cause::BadRequest),
            (501, "NotImplemented", Cause::BadRequest),
        ] {
            let found = refused(Side::Source, Operation::GetObject, status, code, "");
            assert_eq!(found, expected, "{status} {code}");
        }
    }

    #[test]
    fn writing_the_destination_fails_for_these_causes() {
        for (status, code, expected) in [
            (404, "NoSuchBucket", Cause::BucketMissing),
            (404, "", Cause::ServerError),
            (403, "AccessDenied", Cause::DestinationDenied),
            (403, "QuotaExceeded", Cause::DestinationFull),
            (507, "", Cause::DestinationFull),
            (507, "XMinioStorageFull", Cause::DestinationFull),
            (400, "EntityTooLarge", Cause::TooLarge),
            (413, "", Cause::TooLarge),
            (400, "BadDigest", Cause::Integrity),
            (400, "InvalidDigest", Cause::Integrity),
            (400, "XAmzContentChecksumMismatch", Cause::Integrity),
            (400, "InvalidPart", Cause::Integrity),
            (400, "IncompleteBody", Cause::Network),
            (400, "MetadataTooLarge", Cause::MetadataRefused),
            (400, "InvalidStorageClass", Cause::MetadataRefused),
            (400, "InvalidTag", Cause::MetadataRefused),
            (400, "KMS.NotFoundException", Cause::DestinationDenied),
            (400, "KMS.DisabledException", Cause::DestinationDenied),
            (
                400,
                "XMinioKMSKeyNotFoundException",
                Cause::DestinationDenied,
            ),
            (431, "", Cause::MetadataRefused),
            (404, "NoSuchUpload", Cause::ServerError),
            (409, "OperationAborted", Cause::ServerError),
            (412, "PreconditionFailed", Cause::ServerError),
            (412, "", Cause::ServerError),
            (411, "MissingContentLength", Cause::BadRequest),
            (400, "InvalidArgument", Cause::BadRequest),
            (503, "SlowDown", Cause::Throttled),
        ] {
            let found = refused(Side::Destination, Operation::PutObject, status, code, "");
            assert_eq!(found, expected, "{status} {code}");
        }
    }

    #[test]
    fn a_message_tells_apart_what_the_code_leaves_open() {
        let put =
            |code, message| refused(Side::Destination, Operation::PutObject, 400, code, message);
        assert_eq!(
            put("InvalidArgument", "Invalid metadata value"),
            Cause::MetadataRefused
        );
        assert_eq!(put("AccessDenied", "Request has expired"), Cause::ClockSkew);
        for (code, message) in [
            (
                "InvalidAccessKeyId",
                "Failed to retrieve the actual key, kms-keyid: x",
            ),
            (
                "InvalidRequest",
                "Server Side Encryption with KMS managed key requires HTTP header",
            ),
            ("NotImplemented", "Server side encryption is not configured"),
        ] {
            assert_eq!(put(code, message), Cause::DestinationDenied);
        }
        assert_eq!(put("NotImplemented", "a header"), Cause::BadRequest);
        let part = refused(
            Side::Destination,
            Operation::UploadPart,
            400,
            "InvalidArgument",
            "metadata",
        );
        assert_eq!(part, Cause::BadRequest);
    }

    #[test]
    fn an_archived_source_is_told_whichever_end_was_asked() {
        for (side, operation, code, expected) in [
            (
                Side::Source,
                Operation::GetObject,
                "InvalidObjectState",
                Cause::SourceArchived,
            ),
            (
                Side::Destination,
                Operation::CopyObject,
                "InvalidObjectState",
                Cause::SourceArchived,
            ),
            (
                Side::Destination,
                Operation::CopyObject,
                "ObjectNotInActiveTierError",
                Cause::SourceArchived,
            ),
            (
                Side::Destination,
                Operation::UploadPartCopy,
                "InvalidObjectState",
                Cause::SourceArchived,
            ),
            (
                Side::Destination,
                Operation::PutObject,
                "InvalidObjectState",
                Cause::DestinationDenied,
            ),
            (
                Side::Source,
                Operation::RestoreObject,
                "AccessDenied",
                Cause::SourceDenied,
            ),
        ] {
            assert_eq!(
                refused(side, operation, 403, code, ""),
                expected,
                "{operation:?} {code}"
            );
        }
    }

    #[test]
    fn no_answer_is_network_or_timeout() {
        for side in [Side::Source, Side::Destination] {
            let of = |trouble| cause(side, Operation::GetObject, trouble);
            assert_eq!(of(Trouble::Broken), Cause::Network);
            assert_eq!(of(Trouble::TimedOut), Cause::Timeout);
        }
    }
}
