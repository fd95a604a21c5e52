//! What is made of messages.

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
            name_of(line.as_bytes(), &ListEncoding::Url.into()),
            name_of(spaced.as_bytes(), &ListEncoding::Url.into())
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
