use std::collections::BTreeMap;

use super::*;
use crate::model::{Readiness, StorageClassRule};

fn head(headers: &[(&str, &str)], class: Option<&str>) -> Head {
    let carried = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Head {
        facts: ObjectFacts {
            etag: ETag::new("5e-2"),
            size_bytes: 1,
            modified_at: Timestamp::from_ms(1_775_001_600_000),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: Readiness::Ready,
        },
        headers: CarriedHeaders(carried.collect()),
        parts: None,
        not_carried: None,
        storage_class: class.map(str::to_owned),
        encryption: None,
        tag_count: None,
        request_id: None,
    }
}

/// Headers and class of the source, its tags, the options, and what is written beside
/// the content type and what is the object's own.
type Case<'a> = (
    &'a [(&'a str, &'a str)],
    Option<&'a str>,
    Vec<Tag>,
    WriteOptions,
    Vec<String>,
);

fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
    let tag = |(key, value): &(&str, &str)| Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    pairs.iter().map(tag).collect()
}

fn lines(dress: &Dress) -> Vec<String> {
    let all = dress.all().0.into_iter();
    all.map(|(name, value)| format!("{name}: {value}"))
        .collect()
}

#[test]
fn the_truth_table_of_what_is_written() {
    let plain = WriteOptions::default;
    let kind = ("content-type", "text/plain");
    let berth = ("x-amz-meta-berth", "7");
    let mapped = BTreeMap::from([("GLACIER".to_owned(), "DEEP_ARCHIVE".to_owned())]);
    let same = || WriteOptions {
        storage_class: StorageClassRule::Same,
        ..plain()
    };
    let tagged = || WriteOptions {
        copy_tags: true,
        ..plain()
    };
    let stamped = || WriteOptions {
        stamp_source: true,
        ..plain()
    };
    let stamps = [
        "x-amz-meta-nightferry-source-etag: 5e-2",
        "x-amz-meta-nightferry-source-modified-at: 2026-04-01T00:00:00Z",
    ];
    let one = || tags(&[("a b", "c&d")]);
    let class = |class| format!("x-amz-storage-class: {class}");
    let cases: [Case; 10] = [
        (&[kind], Some("GLACIER"), one(), plain(), vec![]),
        (&[kind], None, one(), same(), vec![class("STANDARD")]),
        (&[kind], Some("OWN"), one(), same(), vec![class("OWN")]),
        (
            &[kind],
            Some("GLACIER"),
            one(),
            WriteOptions {
                storage_class: StorageClassRule::Mapped(mapped.clone()),
                ..plain()
            },
            vec![class("DEEP_ARCHIVE")],
        ),
        (
            &[kind],
            None,
            one(),
            WriteOptions {
                storage_class: StorageClassRule::Mapped(mapped),
                ..plain()
            },
            vec![],
        ),
        (
            &[kind],
            None,
            one(),
            tagged(),
            vec!["x-amz-tagging: a%20b=c%26d".to_owned()],
        ),
        (&[kind], None, tags(&[]), tagged(), vec![]),
        (
            &[kind, berth],
            None,
            one(),
            stamped(),
            stamps.map(str::to_owned).to_vec(),
        ),
        // It is itself a copy: the stamp wins.
        (
            &[
                kind,
                ("x-amz-meta-nightferry-source-etag", "old"),
                ("x-amz-meta-nightferry-source-modified-at", "old"),
            ],
            None,
            one(),
            stamped(),
            stamps.map(str::to_owned).to_vec(),
        ),
        // Without the option it travels as any metadata does.
        (
            &[kind, ("x-amz-meta-nightferry-source-etag", "old")],
            None,
            one(),
            plain(),
            vec!["x-amz-meta-nightferry-source-etag: old".to_owned()],
        ),
    ];
    for (headers, class, tags, options, more) in cases {
        let dress = dress(&head(headers, class), &tags, &options).unwrap();
        let mut expected = vec!["content-type: text/plain".to_owned()];
        if headers.contains(&berth) {
            expected.push("x-amz-meta-berth: 7".to_owned());
        }
        expected.extend(more);
        assert_eq!(lines(&dress), expected, "{options:?} {class:?}");
    }
}

#[test]
fn tags_that_s3_does_not_keep_are_refused_with_what_is_wrong() {
    let options = WriteOptions {
        copy_tags: true,
        ..WriteOptions::default()
    };
    let many: Vec<Tag> = (0..11)
        .flat_map(|n| tags(&[(&n.to_string(), "")]))
        .collect();
    let long = "ü".repeat(129);
    let longer = "ü".repeat(257);
    for (tags, why) in [
        (many.clone(), "there are 11, and S3 keeps 10"),
        (
            tags(&[("", "x")]),
            "the key \"\" has not 1 to 128 characters",
        ),
        (tags(&[(&long, "x")]), "has not 1 to 128 characters"),
        (
            tags(&[("k", &longer)]),
            "the value of \"k\" has more than 256 characters",
        ),
        (tags(&[("k", "1"), ("k", "2")]), "the key \"k\" comes twice"),
    ] {
        let failure = dress(&head(&[], None), &tags, &options).unwrap_err();
        assert_eq!(failure.cause, FailureCause::MetadataRefused);
        assert!(failure.message.ends_with(why), "{}", failure.message);
    }
    assert!(dress(&head(&[], None), &many[..10], &options).is_ok());
    // They are not looked at where they are not wanted.
    assert!(dress(&head(&[], None), &many, &WriteOptions::default()).is_ok());
}

#[test]
fn the_mark_tells_apart_what_is_written() {
    let stamped = WriteOptions {
        stamp_source: true,
        ..WriteOptions::default()
    };
    let unstamped = WriteOptions::default();
    let dress = |headers: &[_], options| dress(&head(headers, None), &[], options).unwrap();
    let plain = dress(&[("expires", "0")], &unstamped);
    let kms = Encryption::SseKms(Some("k".to_owned()));
    let marks = [
        plain.mark(None),
        plain.mark(Some(&Encryption::SseS3)),
        plain.mark(Some(&Encryption::SseKms(None))),
        plain.mark(Some(&kms)),
        dress(&[("expires", "1")], &unstamped).mark(None),
        dress(&[("expires", "0")], &stamped).mark(None),
    ];
    for (place, mark) in marks.iter().enumerate() {
        assert_eq!(marks.iter().position(|other| other == mark), Some(place));
    }
    assert_eq!(plain.mark(None), plain.clone().mark(None));
}
