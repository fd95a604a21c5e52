//! `CopyObject` and `UploadPartCopy`.

use std::sync::Arc;

use hyper::HeaderMap;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource,
    MetadataDirective, Range, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::Server;
use super::attributes::Attributes;
use super::checksums;
use super::clock;
use super::conditions::{ReadConditions, WriteConditions};
use super::content::{Content, ContentWriter, hex};
use super::encryption;
use super::exchange::Exchange;
use super::multipart;
use super::storage::exchange_of;
use super::store::{Object, Part};

const LARGEST_COPY_BYTES: u64 = 5 << 30;

fn source(
    server: &Server,
    source: &CopySource,
    conditions: &ReadConditions,
    exchange: &Exchange,
) -> S3Result<Arc<Object>> {
    let CopySource::Bucket { bucket, key, .. } = source else {
        return Err(s3_error!(
            NotImplemented,
            "Only objects in buckets can be copied"
        ));
    };
    let object = server.store.object(bucket, key)?;
    if !exchange.ignores_copy_source_conditions() {
        conditions.check_copy_source(&object)?;
    }
    server.check_readable(bucket, key, &object)?;
    Ok(object)
}

fn refuse_too_large(content: &Content) -> S3Result<()> {
    if content.len() > LARGEST_COPY_BYTES {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST_COPY_BYTES}"
        ));
    }
    Ok(())
}

pub(super) fn copy_object(
    server: &Server,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let exchange = exchange_of(&request);
    let input = request.input;
    let conditions = ReadConditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let original = source(server, &input.copy_source, &conditions, &exchange)?;
    refuse_too_large(&original.content)?;
    let directive = input
        .metadata_directive
        .as_ref()
        .map(MetadataDirective::as_str);
    let replaces = directive == Some(MetadataDirective::REPLACE);
    let target = CopySource::Bucket {
        bucket: input.bucket.as_str().into(),
        key: input.key.as_str().into(),
        version_id: None,
    };
    if input.copy_source == target && !replaces && input.storage_class.is_none() {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing \
             the object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let attributes = original.attributes.of_copy(&exchange.kept_headers())?;
    let object = copied(&original, attributes, server, &exchange)?;
    // s3s 0.14 does not know them here; S3 does since 2025.
    let conditions = WriteConditions::from_headers(&exchange.headers);
    let result = CopyObjectResult {
        e_tag: Some(exchange.etag(&object.etag)),
        last_modified: Some(object.last_modified.into()),
        ..CopyObjectResult::default()
    };
    server.store.with_bucket(&input.bucket, |bucket| {
        bucket.put(&input.key, object, &conditions)
    })?;
    let output = CopyObjectOutput {
        copy_object_result: Some(result),
        ..CopyObjectOutput::default()
    };
    let mut headers = HeaderMap::new();
    encryption::add_headers(&exchange.kept_headers(), &mut headers);
    Ok(S3Response::with_headers(output, headers))
}

/// A copy is one piece, also where the original came from a multipart upload.
fn copied(
    original: &Object,
    attributes: Attributes,
    server: &Server,
    exchange: &Exchange,
) -> S3Result<Object> {
    let content = content_of(&original.content, server, exchange)?;
    let is_plain = original.part_sizes.is_empty() && !original.attributes.is_under_key();
    let etag = if is_plain && !exchange.stores_corrupted() {
        original.etag.clone()
    } else {
        hex(&content.md5().map_err(S3Error::internal_error)?)
    };
    let etag = encryption::tag_of(&attributes, etag);
    Ok(Object {
        attributes,
        content,
        etag,
        checksums: original.checksums.clone(),
        last_modified: clock::whole_seconds(server.clock.now()),
        part_sizes: Vec::new(),
    })
}

/// The same bytes, unless a fault wants one altered.
fn content_of(original: &Content, server: &Server, exchange: &Exchange) -> S3Result<Content> {
    if !exchange.stores_corrupted() || original.len() == 0 {
        return Ok(original.clone());
    }
    let mut altered = ContentWriter::new(server.directory.path());
    let first = original.slice(0..1).to_vec();
    let first = first.map_err(S3Error::internal_error)?;
    altered
        .write(&[first[0] ^ 1])
        .map_err(S3Error::internal_error)?;
    let rest = original.slice(1..original.len());
    Ok(Content::join([altered.finish(), rest]))
}

pub(super) fn upload_part_copy(
    server: &Server,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let exchange = exchange_of(&request);
    let input = request.input;
    multipart::check_part_number(input.part_number)?;
    let conditions = ReadConditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let original = source(server, &input.copy_source, &conditions, &exchange)?;
    let content = match &input.copy_source_range {
        Some(range) => ranged(&original.content, range)?,
        None => original.content.clone(),
    };
    let content = content_of(&content, server, &exchange)?;
    refuse_too_large(&content)?;
    let algorithm = server.store.with_bucket(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        Ok(upload.checksum_algorithm.clone())
    })?;
    let checksums =
        checksums::of_content(&content, algorithm.as_deref()).map_err(S3Error::internal_error)?;
    let md5 = content.md5().map_err(S3Error::internal_error)?;
    let last_modified = clock::whole_seconds(server.clock.now());
    let part = Part {
        content,
        md5,
        checksums,
        last_modified,
    };
    let tag = server.store.with_bucket(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        let tag = upload.tag_of(&part);
        upload.parts.insert(input.part_number, part);
        Ok(tag)
    })?;
    let result = CopyPartResult {
        e_tag: Some(exchange.etag(&tag)),
        last_modified: Some(last_modified.into()),
        ..CopyPartResult::default()
    };
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        ..UploadPartCopyOutput::default()
    }))
}

/// Unlike in a reading, the range must be given in full and lie within the object.
fn ranged(content: &Content, range: &str) -> S3Result<Content> {
    match Range::parse(range) {
        Ok(Range::Int {
            first,
            last: Some(last),
        }) if last < content.len() => Ok(content.slice(first..last + 1)),
        _ => Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are \
             the zero-based offsets of the first and last bytes to copy"
        )),
    }
}
