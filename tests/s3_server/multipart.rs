//! Multipart uploads from their creation to their end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hyper::HeaderMap;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    Checksum, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::Server;
use super::attributes::Attributes;
use super::checksums::{self, BodyVerifier};
use super::clock;
use super::conditions::WriteConditions;
use super::content::{Content, hex};
use super::encryption;
use super::exchange::encrypted_tag;
use super::objects;
use super::storage::exchange_of;
use super::store::{Object, Part, Upload, no_such_upload};

pub(super) fn create(
    server: &Server,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let exchange = exchange_of(&request);
    let input = request.input;
    let algorithm = input.checksum_algorithm.as_ref();
    let algorithm = algorithm.map(|algorithm| algorithm.as_str().to_ascii_lowercase());
    let default_type = if algorithm.as_deref() == Some("crc64nvme") {
        "FULL_OBJECT"
    } else {
        "COMPOSITE"
    };
    let checksum_type = input.checksum_type.as_ref();
    let upload = Upload {
        attributes: Attributes::from_headers(&exchange.kept_headers())?,
        initiated: clock::whole_seconds(server.clock.now()),
        checksum_type: checksum_type
            .map_or(default_type, |kind| kind.as_str())
            .to_owned(),
        checksum_algorithm: algorithm,
        parts: BTreeMap::new(),
    };
    // Like those of AWS it needs no encoding, but is not only hexadecimal.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let upload_id = format!(
        "{count:08x}.Upload_{}-",
        hex(&Md5::checksum(&count.to_be_bytes()))
    );
    server.store.with_bucket(&input.bucket, |bucket| {
        bucket
            .uploads
            .insert((input.key.clone(), upload_id.clone()), upload);
        Ok(())
    })?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..CreateMultipartUploadOutput::default()
    }))
}

pub(super) fn check_part_number(number: i32) -> S3Result<()> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(
        InvalidArgument,
        "Part number must be an integer between 1 and 10000, inclusive"
    ))
}

pub(super) async fn upload_part(
    server: &Server,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let exchange = exchange_of(&request);
    let input = request.input;
    check_part_number(input.part_number)?;
    let algorithm = server.store.with_bucket(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        Ok(upload.checksum_algorithm.clone())
    })?;
    let algorithm = algorithm.filter(|_| !exchange.ignores_checksums());
    let promises = exchange.promises();
    let verifier = BodyVerifier::new(&promises, request.trailing_headers, algorithm.as_deref())?;
    let received = objects::receive(server, &exchange, input.body, verifier).await?;

    let mut headers = HeaderMap::new();
    let echoed = exchange.checksums(received.checksums.clone());
    checksums::add_headers(&echoed, &mut headers);
    let part = Part {
        content: received.content,
        md5: received.md5,
        checksums: received.checksums,
        last_modified: clock::whole_seconds(server.clock.now()),
    };
    let tag = server.store.with_bucket(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        let tag = upload.tag_of(&part);
        upload.parts.insert(input.part_number, part);
        Ok(tag)
    })?;
    let output = UploadPartOutput {
        e_tag: Some(exchange.etag(&tag)),
        ..UploadPartOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

pub(super) fn abort(server: &Server, bucket: &str, key: &str, upload_id: &str) -> S3Result<()> {
    server.store.with_bucket(bucket, |bucket| {
        let removed = bucket
            .uploads
            .remove(&(key.to_owned(), upload_id.to_owned()));
        removed.map(drop).ok_or_else(no_such_upload)
    })
}

pub(super) fn complete(
    server: &Server,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let exchange = exchange_of(&request);
    let input = request.input;
    let listed = input
        .multipart_upload
        .and_then(|upload| upload.parts)
        .unwrap_or_default();
    let conditions = WriteConditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
    };
    let (etag, checksums) = server.store.with_bucket(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        let object = assemble(upload, &listed, server.min_part_bytes, &exchange.headers)?;
        let answered = (object.etag.clone(), object.checksums.clone());
        bucket.put(&input.key, object, &conditions)?;
        bucket.uploads.remove(&(input.key.clone(), input.upload_id));
        Ok(answered)
    })?;
    let checksums = exchange.checksums(checksums);
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        location: Some(format!(
            "{}/{}/{}",
            server.endpoint, input.bucket, input.key
        )),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(exchange.etag(&etag)),
        checksum_crc32: checksums.checksum_crc32,
        checksum_crc32c: checksums.checksum_crc32c,
        checksum_crc64nvme: checksums.checksum_crc64nvme,
        checksum_sha1: checksums.checksum_sha1,
        checksum_sha256: checksums.checksum_sha256,
        ..CompleteMultipartUploadOutput::default()
    }))
}

/// The object of the listed parts.
fn assemble(
    upload: &Upload,
    listed: &[CompletedPart],
    min_part_bytes: u64,
    headers: &HeaderMap,
) -> S3Result<Object> {
    let parts = listed_parts(upload, listed)?;
    let (_, but_last) = parts.split_last().ok_or_else(|| {
        s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        )
    })?;
    if but_last
        .iter()
        .any(|part| part.content.len() < min_part_bytes)
    {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    let md5s: Vec<u8> = parts.iter().flat_map(|part| part.md5).collect();
    let content = Content::join(parts.iter().map(|part| part.content.clone()));
    Ok(Object {
        attributes: upload.attributes.clone(),
        etag: encryption::tag_of(
            &upload.attributes,
            format!("{}-{}", hex(&Md5::checksum(&md5s)), parts.len()),
        ),
        checksums: object_checksums(upload, &parts, &content, headers)?,
        content,
        // As with AWS, an object is as old as its upload.
        last_modified: upload.initiated,
        part_sizes: parts.iter().map(|part| part.content.len()).collect(),
    })
}

fn listed_parts<'a>(upload: &'a Upload, listed: &[CompletedPart]) -> S3Result<Vec<&'a Part>> {
    let numbers: Vec<_> = listed
        .iter()
        .map(|part| part.part_number.unwrap_or(0))
        .collect();
    if !numbers.is_sorted_by(|one, next| one < next) {
        return Err(s3_error!(
            InvalidPartOrder,
            "The list of parts was not in ascending order. Parts must be ordered by part number."
        ));
    }
    let uploaded = |(listed, number): (&CompletedPart, &i32)| {
        let part = upload.parts.get(number)?;
        let etag = listed.e_tag.as_ref().map(ETag::value);
        let tag = upload.tag_of(part);
        let is_its = |etag: &str| etag == tag || etag == encrypted_tag(&tag);
        etag.is_some_and(is_its).then_some(part)
    };
    let parts: Option<Vec<_>> = listed.iter().zip(&numbers).map(uploaded).collect();
    parts.ok_or_else(|| {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found. The part may not have been uploaded, \
             or the specified entity tag may not match the part's entity tag."
        )
    })
}

/// The checksum of the whole object or of its parts' checksums, as the upload was created for.
fn object_checksums(
    upload: &Upload,
    parts: &[&Part],
    content: &Content,
    headers: &HeaderMap,
) -> S3Result<Checksum> {
    let Some(algorithm) = upload.checksum_algorithm.as_deref() else {
        return Ok(Checksum::default());
    };
    if upload.checksum_type == "FULL_OBJECT" {
        let computed =
            checksums::of_content(content, Some(algorithm)).map_err(S3Error::internal_error)?;
        checksums::check(headers, &computed)?;
        return Ok(computed);
    }
    let mut hasher = checksums::hasher([algorithm]);
    for part in parts {
        let value = checksums::value_of(&part.checksums, algorithm).unwrap_or_default();
        hasher.update(
            &BASE64_STANDARD
                .decode(value)
                .expect("a stored checksum is base64"),
        );
    }
    Ok(checksums::map(hasher.finalize(), |value| {
        format!("{value}-{}", parts.len())
    }))
}
