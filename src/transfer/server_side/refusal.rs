//! What is done about a copy that the server refuses.

use crate::model::{Failure, FailureCause};

/// What a refused copy leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The object fails.
    Fails,
    /// One of both ends has changed, if the server judged rightly.
    Stale,
    /// The object is read and written.
    OtherWay,
}

impl Refusal {
    /// | refused, after all attempts, for | then |
    /// |--|--|
    /// | HTTP 412, or that code in a good answer | stale |
    /// | `network`, `timeout`, `throttled`, `source_archived`, `destination_full`, `account_blocked`, `clock_skew` | fails: other requests would, too |
    /// | all else: denied, not implemented, not known, 5xx, … | the other way, which may do, or tells the true cause |
    pub(super) fn of(failure: &Failure) -> Self {
        if failure.is_refused_condition()
            || failure.error_code.as_deref() == Some("PreconditionFailed")
        {
            return Self::Stale;
        }
        match failure.cause {
            FailureCause::Network
            | FailureCause::Timeout
            | FailureCause::Throttled
            | FailureCause::SourceArchived
            | FailureCause::DestinationFull
            | FailureCause::AccountBlocked
            | FailureCause::ClockSkew => Self::Fails,
            _ => Self::OtherWay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Side;

    #[test]
    fn the_truth_table_of_refusals() {
        use Refusal::{Fails, OtherWay, Stale};
        for (cause, code, status, expected) in [
            (FailureCause::ServerError, "PreconditionFailed", 412, Stale),
            (FailureCause::ServerError, "PreconditionFailed", 200, Stale),
            (FailureCause::ServerError, "", 412, Stale),
            (FailureCause::ServerError, "InternalError", 500, OtherWay),
            (FailureCause::ServerError, "InternalError", 200, OtherWay),
            (FailureCause::BadRequest, "NotImplemented", 501, OtherWay),
            (FailureCause::BadRequest, "NoSuchKey", 404, OtherWay),
            (
                FailureCause::BadRequest,
                "InvalidObjectState",
                403,
                OtherWay,
            ),
            (
                FailureCause::DestinationDenied,
                "AccessDenied",
                403,
                OtherWay,
            ),
            (FailureCause::BucketMissing, "NoSuchBucket", 404, OtherWay),
            (
                FailureCause::CredentialsRefused,
                "SignatureDoesNotMatch",
                403,
                OtherWay,
            ),
            (
                FailureCause::SourceArchived,
                "InvalidObjectState",
                403,
                Fails,
            ),
            (FailureCause::Throttled, "SlowDown", 503, Fails),
            (FailureCause::Timeout, "", 408, Fails),
            (FailureCause::DestinationFull, "QuotaExceeded", 403, Fails),
        ] {
            let failure = Failure {
                error_code: Some(code.to_owned()),
                http_status: Some(status),
                ..Failure::new(cause, "").at(Side::Destination)
            };
            assert_eq!(Refusal::of(&failure), expected, "{cause} {code} {status}");
        }
    }
}
