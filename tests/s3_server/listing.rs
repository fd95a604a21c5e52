//! `ListObjectsV2`, `ListParts` and `ListMultipartUploads`.

use std::ops::Bound;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use s3s::dto::{
    CommonPrefix, EncodingType, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, MultipartUpload,
    ObjectStorageClass, StorageClass,
};
use s3s::{S3Error, S3Result, dto, s3_error};

use super::exchange::Exchange;
use super::objects::signed;
use super::percent;
use super::store::{Bucket, Object};

const LARGEST_PAGE: i32 = 1000;

/// Where a listing goes on.
enum Position {
    AfterKey(String),
    /// After all keys with this prefix.
    AfterPrefix(String),
}

impl Position {
    fn to_token(&self) -> String {
        BASE64_STANDARD.encode(match self {
            Self::AfterKey(key) => format!("k{key}"),
            Self::AfterPrefix(prefix) => format!("p{prefix}"),
        })
    }

    fn from_token(token: &str) -> S3Result<Self> {
        let decoded = BASE64_STANDARD.decode(token).ok();
        let text = decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default();
        match text.split_at_checked(1) {
            Some(("k", key)) => Ok(Self::AfterKey(key.to_owned())),
            Some(("p", prefix)) => Ok(Self::AfterPrefix(prefix.to_owned())),
            _ => Err(invalid_argument(
                "The continuation token provided is incorrect",
            )),
        }
    }
}

enum Entry {
    Object(String, Arc<Object>),
    Prefix(String),
}

impl Entry {
    fn position(&self) -> Position {
        match self {
            Self::Object(key, _) => Position::AfterKey(key.clone()),
            Self::Prefix(prefix) => Position::AfterPrefix(prefix.clone()),
        }
    }
}

/// The next entry after a position.
fn next_entry(
    bucket: &Bucket,
    prefix: &str,
    delimiter: Option<&str>,
    position: Option<&Position>,
) -> Option<Entry> {
    let after_passed;
    let (bound, passed) = match position {
        Some(Position::AfterKey(key)) if key.as_str() >= prefix => {
            (Bound::Excluded(key.as_str()), None)
        }
        Some(Position::AfterPrefix(passed)) if passed.as_str() >= prefix => {
            // Jumps over all keys with the prefix but those that go on with this last character.
            after_passed = format!("{passed}\u{10ffff}");
            (Bound::Included(after_passed.as_str()), Some(passed))
        }
        _ => (Bound::Included(prefix), None),
    };
    let mut later = bucket.objects.range::<str, _>((bound, Bound::Unbounded));
    let (key, object) =
        later.find(|(key, _)| passed.is_none_or(|passed| !key.starts_with(passed)))?;
    let rest = key.strip_prefix(prefix)?;
    let folded = delimiter.and_then(|delimiter| {
        rest.find(delimiter)
            .map(|at| prefix.len() + at + delimiter.len())
    });
    Some(match folded {
        Some(end) => Entry::Prefix(key[..end].to_owned()),
        None => Entry::Object(key.clone(), Arc::clone(object)),
    })
}

pub(super) fn list_objects(
    bucket: &Bucket,
    exchange: &Exchange,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let page = page_size(input.max_keys, "maxKeys")?;
    let encode = encoder(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input
        .delimiter
        .clone()
        .filter(|delimiter| !delimiter.is_empty());
    let mut position = match &input.continuation_token {
        Some(token) => Some(Position::from_token(token)?),
        None => input.start_after.clone().map(Position::AfterKey),
    };
    let mut contents = Vec::new();
    let mut prefixes = Vec::new();
    let mut next = None;
    while let Some(entry) = next_entry(bucket, &prefix, delimiter.as_deref(), position.as_ref()) {
        if contents.len() + prefixes.len() == page {
            next = position.filter(|_| page > 0);
            break;
        }
        position = Some(entry.position());
        match entry {
            Entry::Object(key, object) => {
                contents.push(listed_object(encode(&key), &object, exchange));
            }
            Entry::Prefix(prefix) => prefixes.push(CommonPrefix {
                prefix: Some(encode(&prefix)),
            }),
        }
    }
    if exchange.lists_backwards() {
        contents.reverse();
    }
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode(&prefix)),
        max_keys: Some(input.max_keys.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE)),
        key_count: i32::try_from(contents.len() + prefixes.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next.as_ref().map(Position::to_token),
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        delimiter: delimiter.as_deref().map(&encode),
        start_after: input.start_after.as_deref().map(&encode),
        encoding_type: input.encoding_type,
        ..ListObjectsV2Output::default()
    })
}

fn listed_object(key: String, object: &Object, exchange: &Exchange) -> dto::Object {
    dto::Object {
        key: Some(key),
        e_tag: Some(exchange.etag(&object.etag)),
        last_modified: Some(object.last_modified.into()),
        size: Some(signed(object.content.len())),
        storage_class: Some(ObjectStorageClass::from(object.attributes.storage_class())),
        ..dto::Object::default()
    }
}

pub(super) fn list_uploads(
    bucket: &Bucket,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    let page = page_size(input.max_uploads, "max-uploads")?;
    let encode = encoder(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let is_after_marker =
        |(key, id): &(String, String)| match (&input.key_marker, &input.upload_id_marker) {
            (Some(marker), Some(id_marker)) if !id_marker.is_empty() => {
                (key, id) > (marker, id_marker)
            }
            (Some(marker), _) => key > marker,
            (None, _) => true,
        };
    let mut uploads: Vec<_> = bucket
        .uploads
        .iter()
        .filter(|(name, _)| name.0.starts_with(&prefix) && is_after_marker(name))
        .take(page + 1)
        .collect();
    let is_truncated = uploads.len() > page;
    uploads.truncate(page);
    let last = uploads
        .last()
        .filter(|_| is_truncated)
        .map(|(name, _)| *name);
    let listed = uploads.iter().map(|((key, id), upload)| MultipartUpload {
        key: Some(encode(key)),
        upload_id: Some(id.clone()),
        initiated: Some(upload.initiated.into()),
        storage_class: Some(StorageClass::from(upload.attributes.storage_class())),
        ..MultipartUpload::default()
    });
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        uploads: Some(listed.collect()),
        prefix: Some(encode(&prefix)),
        key_marker: Some(encode(&input.key_marker.clone().unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.clone().unwrap_or_default()),
        next_key_marker: last.map(|(key, _)| encode(key)),
        next_upload_id_marker: last.map(|(_, id)| id.clone()),
        max_uploads: i32::try_from(page).ok(),
        is_truncated: Some(is_truncated),
        encoding_type: input.encoding_type,
        ..ListMultipartUploadsOutput::default()
    })
}

pub(super) fn list_parts(bucket: &mut Bucket, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let page = page_size(input.max_parts, "max-parts")?;
    let upload = bucket.upload(&input.key, &input.upload_id)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let mut parts: Vec<_> = upload
        .parts
        .range((Bound::Excluded(marker), Bound::Unbounded))
        .take(page + 1)
        .map(|(number, part)| dto::Part {
            part_number: Some(*number),
            e_tag: Some(dto::ETag::Strong(upload.tag_of(part))),
            size: Some(signed(part.content.len())),
            last_modified: Some(part.last_modified.into()),
            checksum_crc32: part.checksums.checksum_crc32.clone(),
            checksum_crc32c: part.checksums.checksum_crc32c.clone(),
            checksum_crc64nvme: part.checksums.checksum_crc64nvme.clone(),
            checksum_sha1: part.checksums.checksum_sha1.clone(),
            checksum_sha256: part.checksums.checksum_sha256.clone(),
        })
        .collect();
    let is_truncated = parts.len() > page;
    parts.truncate(page);
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(marker),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        max_parts: i32::try_from(page).ok(),
        is_truncated: Some(is_truncated),
        parts: Some(parts),
        storage_class: Some(StorageClass::from(upload.attributes.storage_class())),
        ..ListPartsOutput::default()
    })
}

fn page_size(asked: Option<i32>, name: &str) -> S3Result<usize> {
    let asked = asked.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);
    usize::try_from(asked).map_err(|_| {
        s3_error!(
            InvalidArgument,
            "Argument {name} must be an integer between 0 and 2147483647"
        )
    })
}

fn encoder(encoding: Option<&EncodingType>) -> S3Result<impl Fn(&str) -> String + use<>> {
    let encodes = match encoding.map(EncodingType::as_str) {
        None => false,
        Some(EncodingType::URL) => true,
        Some(_) => {
            return Err(invalid_argument(
                "Invalid Encoding Method specified in Request",
            ));
        }
    };
    Ok(move |text: &str| {
        if encodes {
            percent::encode_for_listing(text)
        } else {
            text.to_owned()
        }
    })
}

fn invalid_argument(message: &'static str) -> S3Error {
    S3Error::with_message(s3s::S3ErrorCode::InvalidArgument, message)
}
