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
    if name_of(spaced.as_bytes(), ListEncoding::Url) == Err(RejectReason::BadPercentEncoding) {
        return percent_encode(spaced.as_bytes(), STILL_WRONG).to_string();
    }
    let decoded: Cow<'_, [u8]> = percent_decode(spaced.as_bytes()).into();
    percent_encode(&decoded, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines, and how many others; or what is wrong.
    fn taken(body: &str) -> Result<(String, u64), String> {
        match names(body.as_bytes(), "src", 3) {
            Ok(names) => {
                let lines = String::from_utf8(names.lines).unwrap();
                assert_eq!(names.count, lines.lines().count() as u64);
                Ok((lines, names.others))
            }
            Err(Refusal::Wrong(how)) => Err(how),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn record(event: &str, source: &str, bucket: &str, key: &str) -> String {
        serde_json::json!({
            "eventVersion": "2.1", "eventSource": source, "awsRegion": "", "eventName": event,
            "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "x",
                "bucket": { "name": bucket, "ownerIdentity": { "principalId": "p" } },
                "object": { "key": key, "size": 3, "eTag": "x", "sequencer": "1" }
            }
        })
        .to_string()
    }

    fn records(records: &[String]) -> String {
        format!("{{\"Records\":[{}]}}", records.join(","))
    }

    #[test]
    fn keys_are_decoded_as_each_server_writes_them() {
        for (event, source, key, line) in [
            (
                "ObjectCreated:Put",
                "aws:s3",
                "2026/red+flower%2B.jpg",
                "2026%2Fred%20flower%2B.jpg\n",
            ),
            (
                "s3:ObjectCreated:Put",
                "minio:s3",
                "2026%2Fred+flower%2B.jpg",
                "2026%2Fred%20flower%2B.jpg\n",
            ),
            (
                "s3:ObjectCreated:CompleteMultipartUpload",
                "minio:s3",
                "a%0Ab",
                "a%0Ab\n",
            ),
            (
                "ObjectCreated:Put",
                "ceph:s3",
                "red flower+%2B.jpg",
                "red%20flower%2B%252B.jpg\n",
            ),
            ("ObjectCreated:Copy", "", "ü", "%C3%BC\n"),
        ] {
            let body = records(&[record(event, source, "src", key)]);
            assert_eq!(
                taken(&body).unwrap(),
                (line.to_owned(), 0),
                "{source} {key}"
            );
        }
    }

    #[test]
    fn events_that_create_nothing_are_counted_and_ask_for_nothing() {
        let body = records(&[
            record("ObjectRemoved:Delete", "aws:s3", "src", "a"),
            record("s3:ObjectAccessed:Get", "minio:s3", "src", "b"),
            record("ObjectCreated:Post", "aws:s3", "src", "c"),
        ]);
        assert_eq!(taken(&body).unwrap(), ("c\n".to_owned(), 2));
        let without_s3 = r#"{"Records":[{"eventName":"s3:BucketCreated:*"}]}"#;
        assert_eq!(taken(without_s3).unwrap(), (String::new(), 1));
        assert_eq!(taken(r#"{"Records":[]}"#).unwrap(), (String::new(), 0));
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"src"}"#;
        assert_eq!(taken(test).unwrap(), (String::new(), 1));
    }

    #[test]
    fn sns_brings_the_same_in_an_envelope() {
        let inner = records(&[record("ObjectCreated:Put", "aws:s3", "src", "a")]);
        let topic = "arn:aws:sns:eu-west-1:123456789012:photos";
        let url = format!(
            "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token=s"
        );
        let envelope = |kind: &str, message: &str, url: &str| {
            serde_json::json!({
                "Type": kind, "TopicArn": topic, "Message": message, "SubscribeURL": url
            })
            .to_string()
        };
        let sns = |body: &str| names(body.as_bytes(), "src", 3).unwrap().sns;
        let notification = envelope("Notification", &inner, &url);
        assert_eq!(taken(&notification).unwrap(), ("a\n".to_owned(), 0));
        assert_eq!(sns(&notification), Some(Sns::Sends(topic.to_owned())));
        let asks = Some(Sns::Asks(Confirmation::new(topic, &url)));
        for (kind, url, said) in [
            ("SubscriptionConfirmation", url.as_str(), asks),
            (
                "SubscriptionConfirmation",
                "https://x/?Token=s",
                Some(Sns::Asks(None)),
            ),
            ("UnsubscribeConfirmation", url.as_str(), None),
        ] {
            let body = envelope(kind, "You have chosen to …", url);
            assert_eq!(taken(&body).unwrap(), (String::new(), 1), "{kind}");
            assert_eq!(sns(&body), said, "{kind}");
        }
        let nested = envelope("Notification", &envelope("Notification", &inner, ""), "");
        assert!(taken(&nested).unwrap_err().contains("it has no Records"));
    }

    #[test]
    fn what_is_right_in_a_message_is_taken_whatever_is_beside_it() {
        let right = record("ObjectCreated:Put", "aws:s3", "src", "a");
        for (beside, lines, others, left_out) in [
            (
                record("ObjectCreated:Put", "aws:s3", "other\n", "b"),
                "a\n",
                0,
                ((1, "other\\n"), (0, "")),
            ),
            (
                record("ObjectRemoved:Delete", "aws:s3", "other", "b"),
                "a\n",
                0,
                ((1, "other"), (0, "")),
            ),
            (
                record("ObjectRemoved:Delete", "aws:s3", "src", "%zz"),
                "a\n",
                1,
                ((0, ""), (0, "")),
            ),
            (
                record("ObjectCreated:Put", "aws:s3", "src", "b%zz\n+"),
                "b%zz%0A%20\na\n",
                0,
                ((0, ""), (0, "")),
            ),
            (
                record("ObjectCreated:Put", "aws:s3", "src", ""),
                "a\n",
                0,
                ((0, ""), (1, "a key")),
            ),
            (
                r#"{"eventName":"ObjectCreated:Put"}"#.to_owned(),
                "a\n",
                0,
                ((0, ""), (1, "s3")),
            ),
            (
                "{}".to_owned(),
                "a\n",
                0,
                (
                    (0, ""),
                    (1, "an event's name, or the name of a bucket or an object"),
                ),
            ),
            (
                r#"{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":7}}}"#.to_owned(),
                "a\n",
                0,
                (
                    (0, ""),
                    (1, "an event's name, or the name of a bucket or an object"),
                ),
            ),
        ] {
            let body = records(&[beside, right.clone()]);
            assert_eq!(taken(&body).unwrap(), (lines.to_owned(), others), "{body}");
            let names = names(body.as_bytes(), "src", 3).unwrap();
            let (count, bucket) = &names.left_out.other_bucket;
            assert_eq!(
                ((*count, bucket.as_str()), names.left_out.unreadable),
                left_out,
                "{body}"
            );
        }
    }

    #[test]
    fn a_name_that_cannot_be_requested_is_left_for_the_intake_to_reject() {
        let body = records(&[
            record("ObjectCreated:Put", "aws:s3", "src", "a%2F..%2Fb"),
            record("ObjectCreated:Put", "aws:s3", "src", "%FF"),
            record("ObjectCreated:Put", "aws:s3", "src", "a%zz"),
        ]);
        assert_eq!(
            taken(&body).unwrap(),
            ("a%2F..%2Fb\n%FF\na%zz\n".to_owned(), 0)
        );
    }

    proptest! {
        #[test]
        fn every_key_is_one_line_of_which_the_intake_says_the_same(
            key in prop_oneof![any::<String>(), "[a%0-9A-F+/.\n\r]{0,12}"],
        ) {
            let line = line_of(&key, "aws:s3");
            let spaced = key.replace('+', " ");
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert_eq!(
                name_of(line.as_bytes(), ListEncoding::Url),
                name_of(spaced.as_bytes(), ListEncoding::Url)
            );
        }
    }

    #[test]
    fn what_is_no_event_message_or_too_much_is_refused() {
        for body in ["", "{}", "[]", r#"{"Records":{}}"#, r#"{"Event":"x"}"#] {
            assert!(taken(body).is_err(), "{body}");
        }
        let one = record("ObjectCreated:Put", "aws:s3", "src", "a");
        let four = records(&[one.clone(), one.clone(), one.clone(), one]);
        assert!(taken(&four).unwrap_err().contains("send 3 at most"));
    }
}
