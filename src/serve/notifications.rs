//! Notifications of buckets: the event message of AWS, as AWS (by SNS too),
//! MinIO and Ceph radosgw send it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use serde::Deserialize;

use super::answer::Refusal;
use super::bounded::Bounded;
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
    records: Option<Bounded<Record>>,
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
    if records.count > most {
        return Err(wrong(&format!(
            "it has {} records; send {most} at most in one call",
            records.count
        )));
    }
    for (place, record) in records.kept.iter().enumerate() {
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

#[cfg(test)]
mod tests {
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
        let envelope = |kind: &str, message: &str| {
            serde_json::json!({ "Type": kind, "Message": message, "SubscribeURL": "https://x/?Token=s" })
                .to_string()
        };
        assert_eq!(
            taken(&envelope("Notification", &inner)).unwrap(),
            ("a\n".to_owned(), 0)
        );
        let confirmation = envelope("SubscriptionConfirmation", "You have chosen to …");
        assert_eq!(taken(&confirmation).unwrap(), (String::new(), 1));
        let nested = envelope("Notification", &envelope("Notification", &inner));
        assert!(taken(&nested).unwrap_err().contains("it has no Records"));
    }

    #[test]
    fn an_event_of_another_bucket_refuses_all() {
        let body = records(&[
            record("ObjectCreated:Put", "aws:s3", "src", "a"),
            record("ObjectRemoved:Delete", "aws:s3", "other", "b"),
        ]);
        assert_eq!(
            taken(&body).unwrap_err(),
            "the event message cannot be taken: Records[1] is of the bucket other, \
             and the task copies from another."
        );
    }

    #[test]
    fn a_name_that_cannot_be_requested_is_left_for_the_intake_to_reject() {
        let body = records(&[
            record("ObjectCreated:Put", "aws:s3", "src", "a%2F..%2Fb"),
            record("ObjectCreated:Put", "aws:s3", "src", "%FF"),
        ]);
        assert_eq!(taken(&body).unwrap(), ("a%2F..%2Fb\n%FF\n".to_owned(), 0));
        for (key, reason) in [("a%zz", "bad_percent_encoding"), ("", "empty_name")] {
            let body = records(&[record("ObjectCreated:Put", "aws:s3", "src", key)]);
            assert!(taken(&body).unwrap_err().contains(reason), "{key}");
        }
    }

    #[test]
    fn what_is_no_event_message_or_too_much_is_refused() {
        for body in [
            "",
            "{}",
            "[]",
            r#"{"Records":{}}"#,
            r#"{"Records":[{}]}"#,
            r#"{"Event":"x"}"#,
            r#"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#,
        ] {
            assert!(taken(body).is_err(), "{body}");
        }
        let one = record("ObjectCreated:Put", "aws:s3", "src", "a");
        let four = records(&[one.clone(), one.clone(), one.clone(), one]);
        assert!(taken(&four).unwrap_err().contains("send 3 at most"));
    }
}
