//! What copies are written with.

use std::collections::BTreeMap;

use super::{DESTINATION, SOURCE, mistakes, parse};
use crate::model::{Encryption, StorageClassRule, WriteOptions};

fn text(task: &str, destination: &str) -> String {
    format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{task}\n{SOURCE}{DESTINATION}{destination}\n")
}

fn read(task: &str, destination: &str) -> (WriteOptions, Option<Encryption>) {
    let config = parse(&text(task, destination)).unwrap();
    let task = &config.tasks[0];
    (task.write_options.clone(), task.encryption.clone())
}

#[test]
fn without_a_word_nothing_is_written_besides_what_travels() {
    assert_eq!(read("", ""), (WriteOptions::default(), None));
}

#[test]
fn every_form_of_a_storage_class_is_read() {
    let of = |line: &str| read("", line).0.storage_class;
    let fixed = |class: &str| StorageClassRule::Fixed(class.to_owned());
    assert_eq!(of("storage_class = 'STANDARD_IA'"), fixed("STANDARD_IA"));
    assert_eq!(of("storage_class = 'OWN_2'"), fixed("OWN_2"));
    assert_eq!(of("storage_class = 'same'"), StorageClassRule::Same);
    let mapped = BTreeMap::from([
        ("GLACIER".to_owned(), "DEEP_ARCHIVE".to_owned()),
        ("STANDARD".to_owned(), "STANDARD".to_owned()),
    ]);
    assert_eq!(
        of("storage_class = { STANDARD = 'STANDARD', GLACIER = 'DEEP_ARCHIVE' }"),
        StorageClassRule::Mapped(mapped.clone())
    );
    assert_eq!(
        of("[task.destination.storage_class]\nSTANDARD = 'STANDARD'\nGLACIER = 'DEEP_ARCHIVE'"),
        StorageClassRule::Mapped(mapped)
    );
}

#[test]
fn encryption_tags_and_stamp_are_read() {
    let kms = "encryption = 'sse-kms'";
    let with_key = format!("{kms}\nkms_key_id = 'alias/night'");
    let key = Some("alias/night".to_owned());
    assert_eq!(read("", "encryption = 'sse-s3'").1, Some(Encryption::SseS3));
    assert_eq!(read("", kms).1, Some(Encryption::SseKms(None)));
    assert_eq!(read("", &with_key).1, Some(Encryption::SseKms(key)));
    let (options, _) = read("copy_tags = true\nstamp_source = true", "");
    assert!(options.copy_tags && options.stamp_source);
}

#[test]
fn mistakes_are_said_with_what_to_write() {
    for (line, said) in [
        (
            "storage_class = 'standard'",
            "\"standard\" is no storage class; write a storage class such as",
        ),
        ("storage_class = 'Same'", "\"Same\" is no storage class"),
        (
            "storage_class = 7",
            "is of type integer; write a storage class",
        ),
        (
            "storage_class = {}",
            "is of type table; write a storage class",
        ),
        (
            "storage_class = { GLACIER = 'cold' }",
            "\"cold\" is no storage class",
        ),
        (
            "storage_class = { glacier = 'GLACIER' }",
            "\"glacier\" is no storage class",
        ),
        (
            "storage_class = { GLACIER = 7 }",
            "\"\" is no storage class",
        ),
        (
            "encryption = 'aes256'",
            "`aes256` is no kind of encryption; it is one of: sse-s3, sse-kms",
        ),
        (
            "kms_key_id = 'k'",
            "has no effect without encryption = \"sse-kms\"",
        ),
        (
            "encryption = 'sse-s3'\nkms_key_id = 'k'",
            "has no effect without encryption = \"sse-kms\"",
        ),
        (
            "encryption = 'sse-kms'\nkms_key_id = 'a b'",
            "\"a b\" is no key id",
        ),
    ] {
        let found = mistakes(&text("", line));
        assert!(found.contains(said), "{line}: {found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
    let at_source = text("", "").replace(
        "bucket = 'photos'",
        "bucket = 'photos'\nencryption = 'sse-s3'",
    );
    assert!(mistakes(&at_source).contains("source.encryption: unknown key"));
    assert!(mistakes(&text("copy_tags = 'yes'", "")).contains("write true or false"));
}
