//! Archived objects: what is read of them, and how they are brought back. Time passes for
//! them when a test says so.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderValue};
use s3s::dto::{RestoreObjectInput, RestoreObjectOutput};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::Server;
use super::clock::http_date;
use super::storage::exchange_of;
use super::store::Object;

const DAY: Duration = Duration::from_hours(24);

/// How far an archived object is brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Restore {
    /// It will be, for so many days.
    UnderWay(u64),
    /// Until then.
    Until(SystemTime),
}

impl Server {
    /// Refuses to give an object that is archived and not brought back.
    pub(super) fn check_readable(&self, bucket: &str, key: &str, object: &Object) -> S3Result<()> {
        let restore = self.restore_of(bucket, key);
        let is_back = matches!(restore, Some(Restore::Until(until)) if until > self.clock.now());
        if object.attributes.is_archived() && !is_back {
            return Err(s3_error!(
                InvalidObjectState,
                "The operation is not valid for the object's storage class"
            ));
        }
        Ok(())
    }

    /// Tells how far an object is brought back.
    pub(super) fn add_restore(&self, bucket: &str, key: &str, headers: &mut HeaderMap) {
        let said = match self.restore_of(bucket, key) {
            None => return,
            Some(Restore::UnderWay(_)) => "ongoing-request=\"true\"".to_owned(),
            Some(Restore::Until(until)) => {
                let until = http_date(until);
                format!("ongoing-request=\"false\", expiry-date=\"{until}\"")
            }
        };
        let said = HeaderValue::from_str(&said).expect("a date is ASCII");
        headers.insert("x-amz-restore", said);
    }

    fn restore_of(&self, bucket: &str, key: &str) -> Option<Restore> {
        let mut buckets = self.store.buckets();
        let bucket = buckets.get_mut(bucket)?;
        bucket.restores.get(key).cloned()
    }
}

pub(super) fn restore_object(
    server: &Server,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let exchange = exchange_of(&request);
    if !exchange.headers.contains_key("content-md5") {
        return Err(s3_error!(
            InvalidRequest,
            "Missing required header for this request: Content-MD5"
        ));
    }
    let input = request.input;
    let asked = input.restore_request.ok_or_else(malformed)?;
    let days = asked.days.and_then(|days| u64::try_from(days).ok());
    let days = days.filter(|days| *days > 0).ok_or_else(malformed)?;
    let now = server.clock.now();
    server.store.with_bucket(&input.bucket, |bucket| {
        let object = bucket.object(&input.key)?;
        if !object.attributes.is_archived() {
            return Err(s3_error!(
                InvalidObjectState,
                "Restore is not allowed for the object's current storage class"
            ));
        }
        let status = match bucket.restores.get(&input.key) {
            Some(Restore::UnderWay(_)) => return Err(in_progress()),
            Some(Restore::Until(until)) if *until > now => {
                let until = Restore::Until(now + days_long(days));
                bucket.restores.insert(input.key.clone(), until);
                StatusCode::OK
            }
            _ => {
                let under_way = Restore::UnderWay(days);
                bucket.restores.insert(input.key.clone(), under_way);
                StatusCode::ACCEPTED
            }
        };
        exchange.answer_with(status);
        Ok(S3Response::new(RestoreObjectOutput::default()))
    })
}

/// What was asked for has come.
pub(super) fn arrived(restore: &mut Restore, now: SystemTime) {
    if let Restore::UnderWay(days) = restore {
        *restore = Restore::Until(now + days_long(*days));
    }
}

fn days_long(days: u64) -> Duration {
    DAY * u32::try_from(days).expect("days are few")
}

fn in_progress() -> S3Error {
    let mut error = S3Error::with_message(
        S3ErrorCode::Custom("RestoreAlreadyInProgress".into()),
        "Object restore is already in progress",
    );
    error.set_status_code(StatusCode::CONFLICT);
    error
}

fn malformed() -> S3Error {
    s3_error!(
        MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
}
