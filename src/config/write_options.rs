//! What copies are written with: keys of a task, and of its destination.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::section::Section;
use crate::model::{Encryption, StorageClassRule, WriteOptions};

/// The longest storage class and the longest KMS key id, in bytes; S3's own are shorter.
const LONGEST_CLASS: usize = 64;
const LONGEST_KEY_ID: usize = 2048;

const CLASS_ADVICE: &str = "write a storage class such as \"STANDARD_IA\" (A-Z, 0-9, `_`), \
                            \"same\", or a table such as { GLACIER = \"DEEP_ARCHIVE\" }";

/// Reads the keys of the task, and those of its destination, if that is there.
pub(super) fn read(
    task: &mut Section<'_>,
    destination: Option<&mut Section<'_>>,
) -> (WriteOptions, Option<Encryption>) {
    let copy_tags = task.boolean("copy_tags").unwrap_or(false);
    let stamp_source = task.boolean("stamp_source").unwrap_or(false);
    let (storage_class, encryption) = match destination {
        Some(section) => (storage_class(section), encryption(section)),
        None => (StorageClassRule::default(), None),
    };
    let options = WriteOptions {
        storage_class,
        copy_tags,
        stamp_source,
    };
    (options, encryption)
}

fn storage_class(section: &mut Section<'_>) -> StorageClassRule {
    let rule = section.value("storage_class").map(Spanned::get_ref);
    let read = match rule {
        None => Ok(StorageClassRule::Unsaid),
        Some(DeValue::String(word)) if word == "same" => Ok(StorageClassRule::Same),
        Some(DeValue::String(word)) => class(word).map(StorageClassRule::Fixed),
        Some(DeValue::Table(table)) if !table.is_empty() => table
            .iter()
            .map(|(from, to)| {
                let to = to.get_ref().as_str().unwrap_or_default();
                Ok((class(from.get_ref())?, class(to)?))
            })
            .collect::<Result<BTreeMap<_, _>, String>>()
            .map(StorageClassRule::Mapped),
        Some(other) => Err(format!("is of type {}", other.type_str())),
    };
    read.unwrap_or_else(|wrong| {
        section.mistake("storage_class", format_args!("{wrong}; {CLASS_ADVICE}"));
        StorageClassRule::Unsaid
    })
}

/// A word of S3's form; servers have classes of their own.
fn class(word: &str) -> Result<String, String> {
    let is_of_class = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if !word.is_empty() && word.len() <= LONGEST_CLASS && word.bytes().all(is_of_class) {
        return Ok(word.to_owned());
    }
    Err(format!("{word:?} is no storage class"))
}

fn encryption(section: &mut Section<'_>) -> Option<Encryption> {
    let key_id = section.parsed("kms_key_id", key_id);
    let wanted = section.parsed("encryption", |word| match word {
        "sse-s3" => Ok(Encryption::SseS3),
        "sse-kms" => Ok(Encryption::SseKms(None)),
        _ => Err(format!(
            "`{word}` is no kind of encryption; it is one of: sse-s3, sse-kms"
        )),
    });
    match wanted {
        Some(Encryption::SseKms(_)) => Some(Encryption::SseKms(key_id)),
        wanted => {
            // What is wrong with `encryption` itself is said already.
            if section.has("kms_key_id") && (wanted.is_some() || !section.has("encryption")) {
                section.mistake(
                    "kms_key_id",
                    "has no effect without encryption = \"sse-kms\"; write that too, or leave it out",
                );
            }
            wanted
        }
    }
}

fn key_id(text: &str) -> Result<String, String> {
    let is_shown = text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_shown && text.len() <= LONGEST_KEY_ID {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is no key id; write its id, its alias or its ARN, without blanks"
    ))
}
