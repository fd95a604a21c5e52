//! Notifications of buckets: the event message of AWS, as AWS (by SNS too),
//! MinIO and Ceph radosgw send it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::Refusal;
use super::bounded::Bounded;
use super::routes::Names;
use super::subscriptions::Confirmation;
use crate::config::ListEncoding;
use crate::intake::{excerpt, name_of};
use crate::model::RejectReason;

/// All but `A-Za-z0-9-._~` is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same, but what is escaped already stays so, right or wrong.
const STILL_WRONG: &AsciiSet = &ESCAPED.remove(b'%');

/// What a sender may send: the message, its test, or either in an envelope of SNS.
#[derive(Deserialize)]
struct Message<'m> {
    /// As they stand there: each is read by itself, and may be anything.
    #[serde(rename = "Records", borrow)]
    records: Option<Bounded<&'m RawValue>>,
    /// `s3:TestEvent`, when a notification is set up.
    #[serde(rename = "Event")]
    event: Option<String>,
    /// What kind of envelope it is, of which topic, and what is in it.
    #[serde(rename = "Type")]
    envelope: Option<String>,
    #[serde(rename = "TopicArn")]
    topic: Option<String>,
    #[serde(rename = "Message")]
    content: Option<String>,
    /// What confirms a subscription.
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
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

/// What SNS itself says beside what buckets say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sns {
    /// A topic wants to be allowed to send; `None` if what would allow it is no
    /// address of Amazon's.
    Asks(Option<Confirmation>),
    /// This topic sends.
    Sends(String),
}

/// Records of which no line is made, though somebody may miss one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Of other buckets than the task's source, and the last of these.
    pub(super) other_bucket: (u64, String),
    /// Without what a record has to have, and what it is that the last lacks.
    pub(super) unreadable: (u64, &'static str),
}

/// What is to be done about a record:
///
/// | it | is | then |
/// |--|--|--|
/// | is no record: it has no name of an event, or half a place | | left out, counted, said |
/// | has no place (`s3`) | of an object created | left out, counted, said |
/// | has no place | of something else | counted |
/// | is of another bucket | | left out, counted, said |
/// | is of the task's source | of something else | counted |
/// | is of the task's source | an object created, with an empty key | left out, counted, said |
/// | is of the task's source | an object created | a line |
///
/// None refuses the message: its sender would repeat it for ever, and what is
/// right in it would never be taken. A name that cannot be requested becomes a
/// line all the same, which the intake rejects where people see it.
pub(super) fn names(body: &[u8], bucket: &str, most: usize) -> Result<Names, Refusal> {
    let mut message = parse(body)?;
    let mut names = Names::default();
    let content;
    if message.envelope.as_deref() == Some("Notification") {
        names.sns = message.topic.map(Sns::Sends);
        content = message.content.unwrap_or_default();
        message = parse(content.as_bytes())?;
    }
    let Some(records) = message.records else {
        return without_records(&message).ok_or_else(|| wrong("it has no Records"));
    };
    if records.count > most {
        return Err(wrong(&format!(
            "it has {} records; send {most} at most in one call",
            records.count
        )));
    }
    for record in &records.kept {
        take(record, bucket, &mut names);
    }
    Ok(names)
}

/// A message that is about messages.
fn without_records(message: &Message<'_>) -> Option<Names> {
    let envelope = message.envelope.as_deref();
    let mut names = Names {
        others: 1,
        ..Names::default()
    };
    if envelope == Some("SubscriptionConfirmation") {
        let asked = message
            .topic
            .as_deref()
            .zip(message.subscribe_url.as_deref());
        let asked = asked.and_then(|(topic, url)| Confirmation::new(topic, url));
        names.sns = Some(Sns::Asks(asked));
    }
    let is_known = envelope.is_some_and(|kind| kind.ends_with("Confirmation"))
        || message.event.as_deref() == Some("s3:TestEvent");
    is_known.then_some(names)
}

fn parse(body: &[u8]) -> Result<Message<'_>, Refusal> {
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

fn take(record: &RawValue, bucket: &str, names: &mut Names) {
    let mut lacks = |what| {
        let (count, _) = names.left_out.unreadable;
        names.left_out.unreadable = (count + 1, what);
    };
    let Ok(record) = serde_json::from_str::<Record>(record.get()) else {
        return lacks("an event's name, or the name of a bucket or an object");
    };
    let created = record
        .event_name
        .trim_start_matches("s3:")
        .starts_with("ObjectCreated:");
    match &record.s3 {
        None if created => lacks("s3"),
        Some(place) if place.bucket.name != bucket => {
            let (count, last) = &mut names.left_out.other_bucket;
            *count += 1;
            *last = excerpt(place.bucket.name.as_bytes());
        }
        Some(place) if created && place.object.key.is_empty() => lacks("a key"),
        Some(place) if created => {
            let line = line_of(&place.object.key, &record.event_source);
            names.lines.extend_from_slice(line.as_bytes());
            names.lines.push(b'\n');
            names.count += 1;
        }
        _ => names.others += 1,
    }
}

/// The line for `key`. All write it as in a form, where `+` is a space; Ceph
/// alone writes it as it is.
fn line_of(key: &str, source: &str) -> String {
    if source.starts_with("ceph:") {
        return percent_encode(key.as_bytes(), ESCAPED).to_string();
    }
    let spaced = key.replace('+', " ");
    if name_of(spaced.as_bytes(), &ListEncoding::Url.into())
        == Err(RejectReason::BadPercentEncoding)
    {
        return percent_encode(spaced.as_bytes(), STILL_WRONG).to_string();
    }
    let decoded: Cow<'_, [u8]> = percent_decode(spaced.as_bytes()).into();
    percent_encode(&decoded, ESCAPED).to_string()
}

#[cfg(test)]
mod tests;
