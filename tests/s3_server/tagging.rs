//! Tags of objects.

use std::sync::Arc;

use s3s::dto::{
    GetObjectTaggingInput, GetObjectTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput,
    Tag,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Server;
use super::exchange::Exchange;
use super::percent;

pub(super) const TAGGING: &str = "x-amz-tagging";

/// The tags of a header, in its order.
pub(super) fn parse(header: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        String::from_utf8_lossy(&percent::decode(&text.replace('+', " "))).into_owned()
    };
    let pairs = header.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

/// Refuses tags that S3 does not keep.
pub(super) fn check(exchange: &Exchange) -> S3Result<()> {
    let header = exchange.headers.get(TAGGING);
    let header = header.and_then(|header| header.to_str().ok());
    check_all(&parse(header.unwrap_or_default()))
}

fn check_all(tags: &[(String, String)]) -> S3Result<()> {
    if tags.len() > 10 {
        return Err(s3_error!(
            InvalidTag,
            "Object tags cannot be greater than 10"
        ));
    }
    let is_legal = |text: &str, most: usize| {
        let characters = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
        text.chars().count() <= most && text.chars().all(characters)
    };
    for (key, value) in tags {
        if key.is_empty() || key.starts_with("aws:") || !is_legal(key, 128) {
            return Err(s3_error!(
                InvalidTag,
                "The TagKey you have provided is invalid"
            ));
        }
        if !is_legal(value, 256) {
            return Err(s3_error!(
                InvalidTag,
                "The TagValue you have provided is invalid"
            ));
        }
    }
    Ok(())
}

pub(super) fn put(
    server: &Server,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let tags = input.tagging.tag_set.into_iter();
    let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
    let tags: Vec<_> = tags.collect();
    check_all(&tags)?;
    server.store.with_bucket(&input.bucket, |bucket| {
        let mut object = bucket.object(&input.key)?;
        Arc::make_mut(&mut object).attributes.set_tags(&tags);
        bucket.objects.insert(input.key, object);
        Ok(())
    })?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub(super) fn get(
    server: &Server,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let object = server.store.object(&input.bucket, &input.key)?;
    let tags = object.attributes.tags().into_iter();
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tags
            .map(|(key, value)| Tag {
                key: Some(key),
                value: Some(value),
            })
            .collect(),
        version_id: None,
    }))
}
