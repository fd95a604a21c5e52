//! Notifications of buckets: the event message of AWS, as AWS (by SNS too),
//! MinIO and Ceph radosgw send it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use serde::Deserialize;

use super::answer::Refusal;
use super::routes::Names;
use crate::config::ListEncoding;
use crate::intake::{excerpt, name_of};
use crate::model::RejectReason;

/// All but `A-Za-z0-9-._~` is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a sender may send: the message, its test, or either in an envelope of SNS.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    /// `s3:TestEvent`, when a notification is set up.
    #[serde(rename = "Event")]
    event: Option<String>,
    /// What kind of envelope it is, and what is in it.
    #[serde(rename = "Type")]
    envelope: Option<String>,
    #[serde(rename = "Message")]
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    #[serde(default)]
    event_source: String,
    s3: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// The names of the objects that were created in `bucket`, at most `most`; other
/// events are counted. If one is of another bucket, nothing is taken.
///
/// A name that cannot be requested becomes a line all the same, which the intake
/// rejects where people see it: a sender that is told of a mistake sends the
/// same again and again, and what comes after it waits.
pub(super) fn names(body: &[u8], bucket: &str, most: usize) -> Result<Names, Refusal> {
    let mut message = parse(body)?;
    if message.envelope.as_deref() == Some("Notification") {
        message = parse(message.content.unwrap_or_default().as_bytes())?;
    }
    let mut names = Names::default();
    let Some(records) = message.records else {
        let confirmation = message
            .envelope
            .is_some_and(|kind| kind.ends_with("Confirmation"));
        if confirmation {
            tracing::warn!("SNS wants a subscription confirmed; that is not done by itself");
        }
        if confirmation || message.event.as_deref() == Some("s3:TestEvent") {
            names.others = 1;
            return Ok(names);
        }
        return Err(wrong("it has no Records"));
    };
    if records.len() > most {
        return Err(wrong(&format!(
            "it has {} records; send {most} at most in one call",
            records.len()
        )));
    }
    for (place, record) in records.iter().enumerate() {
        take(record, place, bucket, &mut names)?;
    }
    Ok(names)
}

fn parse(body: &[u8]) -> Result<Message, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        wrong(&format!(
            "it is not what S3 sends (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

fn wrong(how: &str) -> Refusal {
    Refusal::Wrong(format!("the event message cannot be taken: {how}."))
}

fn take(record: &Record, place: usize, bucket: &str, names: &mut Names) -> Result<(), Refusal> {
    let created = record
        .event_name
        .trim_start_matches("s3:")
        .starts_with("ObjectCreated:");
    let Some(object) = &record.s3 else {
        if created {
            return Err(wrong(&format!("Records[{place}] has no s3")));
        }
        names.others += 1;
        return Ok(());
    };
    if object.bucket.name != bucket {
        return Err(wrong(&format!(
            "Records[{place}] is of the bucket {}, and the task copies from another",
            excerpt(object.bucket.name.as_bytes())
        )));
    }
    if !created {
        names.others += 1;
        return Ok(());
    }
    let line = line_of(&object.object.key, &record.event_source).map_err(|reason| {
        let key = excerpt(object.object.key.as_bytes());
        wrong(&format!("the key of Records[{place}] ({reason}): {key}"))
    })?;
    names.lines.extend_from_slice(line.as_bytes());
    names.lines.push(b'\n');
    names.count += 1;
    Ok(())
}

/// The line for `key`. All write it as in a form, where `+` is a space; Ceph
/// alone writes it as it is.
fn line_of(key: &str, source: &str) -> Result<String, RejectReason> {
    if key.is_empty() {
        return Err(RejectReason::EmptyName);
    }
    if source.starts_with("ceph:") {
        return Ok(percent_encode(key.as_bytes(), ESCAPED).to_string());
    }
    let spaced = key.replace('+', " ");
    if name_of(spaced.as_bytes(), ListEncoding::Url) == Err(RejectReason::BadPercentEncoding) {
        return Err(RejectReason::BadPercentEncoding);
    }
    let decoded: Cow<'_, [u8]> = percent_decode(spaced.as_bytes()).into();
    Ok(percent_encode(&decoded, ESCAPED).to_string())
}
