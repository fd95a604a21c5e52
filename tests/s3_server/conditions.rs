//! The conditions of `If-Match` and its like.

use hyper::HeaderMap;
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

use super::store::Object;

/// The conditions under which an object is read or copied.
#[expect(
    clippy::struct_field_names,
    reason = "these are the names of the headers"
)]
#[derive(Default)]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// What the conditions of a reading make of it.
#[derive(PartialEq)]
pub(super) enum Verdict {
    Proceed,
    NotModified,
    PreconditionFailed,
}

impl ReadConditions {
    /// Where both an `ETag` and a date are given, the `ETag` decides.
    pub(super) fn judge(&self, object: &Object) -> Verdict {
        let modified = Timestamp::from(object.last_modified);
        let failed = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !matches(condition, object),
            (None, Some(date)) => modified > *date,
            (None, None) => false,
        };
        if failed {
            return Verdict::PreconditionFailed;
        }
        let unmodified = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches(condition, object),
            (None, Some(date)) => modified <= *date,
            (None, None) => false,
        };
        if unmodified {
            Verdict::NotModified
        } else {
            Verdict::Proceed
        }
    }

    /// A copy has no "not modified": each failed condition is an error.
    pub(super) fn check_copy_source(&self, object: &Object) -> S3Result<()> {
        match self.judge(object) {
            Verdict::Proceed => Ok(()),
            Verdict::NotModified | Verdict::PreconditionFailed => Err(precondition_failed()),
        }
    }
}

/// The conditions under which an object is written.
#[derive(Default)]
pub(super) struct WriteConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl WriteConditions {
    /// Those that stand in these headers, in the forms that Nightferry sends.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let condition = |name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(match value {
                "*" => ETagCondition::Any,
                etag => ETagCondition::ETag(ETag::Strong(etag.trim_matches('"').to_owned())),
            })
        };
        Self {
            if_match: condition("if-match"),
            if_none_match: condition("if-none-match"),
        }
    }

    pub(super) fn check(&self, existing: Option<&Object>) -> S3Result<()> {
        match &self.if_none_match {
            Some(ETagCondition::Any) if existing.is_some() => return Err(precondition_failed()),
            Some(ETagCondition::ETag(_)) => {
                return Err(s3_error!(
                    NotImplemented,
                    "If-None-Match takes only * when writing"
                ));
            }
            Some(ETagCondition::Any) | None => {}
        }
        match (&self.if_match, existing) {
            (Some(condition), Some(object)) if !matches(condition, object) => {
                Err(precondition_failed())
            }
            (Some(_), None) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            _ => Ok(()),
        }
    }
}

pub(super) fn precondition_failed() -> s3s::S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(ETag::Strong(etag) | ETag::Weak(etag)) => *etag == object.etag,
    }
}
