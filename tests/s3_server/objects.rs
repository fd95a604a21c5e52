//! Writing, reading and deleting single objects.

use std::ops::Range as Span;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::{HeaderMap, StatusCode, header};
use s3s::dto::{
    Checksum, ETag, ETagCondition, PutObjectInput, PutObjectOutput, Range, StreamingBlob,
};
use s3s::{Body, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::Server;
use super::attributes::Attributes;
use super::checksums::{self, BodyVerifier};
use super::clock;
use super::conditions::{ReadConditions, Verdict, WriteConditions, precondition_failed};
use super::content::{Content, ContentWriter, hex};
use super::encryption;
use super::exchange::Exchange;
use super::storage::exchange_of;
use super::store::Object;

const LARGEST_UPLOAD_BYTES: u64 = 5 << 30;

/// The verified body of a `PutObject` or `UploadPart`.
pub(super) struct Received {
    pub(super) content: Content,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksum,
}

/// Stores the body of a request while verifying it.
pub(super) async fn receive(
    server: &Server,
    exchange: &Exchange,
    body: Option<StreamingBlob>,
    mut verifier: BodyVerifier<'_>,
) -> S3Result<Received> {
    let mut corrupts = exchange.stores_corrupted();
    let mut writer = ContentWriter::new(server.directory.path());
    let mut body = body.map_or_else(Body::empty, Body::from);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(incomplete_body)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        verifier.update(&data);
        if corrupts && !data.is_empty() {
            corrupts = false;
            let mut altered = data.to_vec();
            altered[0] ^= 1;
            writer.write(&altered)
        } else {
            writer.write(&data)
        }
        .map_err(S3Error::internal_error)?;
    }
    let (mut md5, checksums) = verifier.finish()?;
    let content = writer.finish();
    if content.len() > LARGEST_UPLOAD_BYTES {
        return Err(s3_error!(
            EntityTooLarge,
            "Your proposed upload exceeds the maximum allowed size"
        ));
    }
    if exchange.stores_corrupted() {
        md5 = content.md5().map_err(S3Error::internal_error)?;
    }
    Ok(Received {
        content,
        md5,
        checksums,
    })
}

fn incomplete_body(error: s3s::StdError) -> S3Error {
    let mut answer = s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header, or \
         they do not have the hash that was signed."
    );
    answer.set_source(error);
    answer
}

pub(super) async fn put(
    server: &Server,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let exchange = exchange_of(&request);
    let input = request.input;
    let kept = exchange.kept_headers();
    let attributes = Attributes::from_headers(&kept)?;
    let promises = exchange.promises();
    let verifier = BodyVerifier::new(&promises, request.trailing_headers, None)?;
    let misread = ETagCondition::ETag(ETag::Strong("\"".to_owned()));
    let conditions = WriteConditions {
        if_match: match input.if_match {
            Some(_) if exchange.misreads_if_match() => Some(misread),
            condition => condition,
        },
        if_none_match: input.if_none_match,
    };
    server.store.with_bucket(&input.bucket, |bucket| {
        conditions.check(bucket.objects.get(&input.key).map(AsRef::as_ref))
    })?;
    let received = receive(server, &exchange, input.body, verifier).await?;

    let etag = encryption::tag_of(&attributes, hex(&received.md5));
    let mut headers = HeaderMap::new();
    encryption::add_headers(&kept, &mut headers);
    let echoed = exchange.checksums(received.checksums.clone());
    checksums::add_headers(&echoed, &mut headers);
    let object = Object {
        attributes,
        content: received.content,
        etag: etag.clone(),
        checksums: received.checksums,
        last_modified: clock::whole_seconds(server.clock.now()),
        part_sizes: Vec::new(),
    };
    server.store.with_bucket(&input.bucket, |bucket| {
        bucket.put(&input.key, object, &conditions)
    })?;
    let output = PutObjectOutput {
        e_tag: Some(exchange.etag(&etag)),
        ..PutObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

/// What `GetObject` and `HeadObject` ask for alike.
pub(super) struct ReadRequest<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) conditions: ReadConditions,
    pub(super) range: Option<Range>,
    pub(super) part_number: Option<i32>,
    pub(super) with_checksums: bool,
}

/// What both answer alike.
pub(super) struct Reading {
    pub(super) object: Arc<Object>,
    pub(super) headers: HeaderMap,
    pub(super) status: StatusCode,
    pub(super) span: Span<u64>,
    pub(super) content_range: Option<String>,
    pub(super) parts_count: Option<i32>,
}

impl Reading {
    pub(super) fn length(&self) -> i64 {
        signed(self.span.end - self.span.start)
    }
}

pub(super) fn signed(size: u64) -> i64 {
    i64::try_from(size).expect("a size fits 63 bits")
}

pub(super) fn read(
    server: &Server,
    exchange: &Exchange,
    request: &ReadRequest,
) -> S3Result<Reading> {
    let object = server.store.object(request.bucket, request.key)?;
    match request.conditions.judge(&object) {
        Verdict::Proceed => {}
        Verdict::PreconditionFailed => return Err(precondition_failed()),
        Verdict::NotModified => return Err(not_modified(exchange, &object)),
    }
    let size = object.content.len();
    let (span, is_part) = match (&request.range, request.part_number) {
        (Some(range), None) => {
            let span = range.check(size).map_err(|_| {
                exchange.add_error_detail("ActualObjectSize", &size.to_string());
                s3_error!(InvalidRange, "The requested range is not satisfiable")
            })?;
            (span, true)
        }
        (None, Some(number)) => (part_span(&object, number)?, true),
        (None, None) => (0..size, false),
        (Some(_), Some(_)) => {
            return Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter"
            ));
        }
    };
    let mut headers = HeaderMap::new();
    let tells_tags = server.tells_tag_counts && server.may_read_tags(exchange);
    object.attributes.add_to(&mut headers, tells_tags);
    server.add_restore(request.bucket, request.key, &mut headers);
    if request.with_checksums && !is_part {
        checksums::add_headers(&object.checksums, &mut headers);
    }
    let has_parts = request.part_number.is_some() && !object.part_sizes.is_empty();
    Ok(Reading {
        headers,
        status: if is_part {
            StatusCode::PARTIAL_CONTENT
        } else {
            StatusCode::OK
        },
        content_range: (is_part && span.start < span.end)
            .then(|| format!("bytes {}-{}/{size}", span.start, span.end - 1)),
        parts_count: has_parts
            .then(|| i32::try_from(object.part_sizes.len()).expect("parts are few")),
        span,
        object,
    })
}

fn not_modified(exchange: &Exchange, object: &Object) -> S3Error {
    let mut error = s3_error!(NotModified);
    let mut headers = HeaderMap::new();
    let etag = exchange.etag(&object.etag).to_http_header();
    headers.insert(header::ETAG, etag.expect("an ETag is a valid header value"));
    let date = clock::http_date(object.last_modified).parse();
    headers.insert(
        header::LAST_MODIFIED,
        date.expect("a date is a valid header value"),
    );
    error.set_headers(headers);
    error
}

/// Where a part of a multipart upload lies; any other object is its own only part.
fn part_span(object: &Object, number: i32) -> S3Result<Span<u64>> {
    let whole = [object.content.len()];
    let sizes = if object.part_sizes.is_empty() {
        &whole[..]
    } else {
        &object.part_sizes
    };
    let index = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    let Some(index) = index.filter(|index| *index < sizes.len()) else {
        let mut error = s3_error!(InvalidRange, "The requested partnumber is not satisfiable");
        error.set_code(s3s::S3ErrorCode::Custom("InvalidPartNumber".into()));
        error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
        return Err(error);
    };
    let start = sizes[..index].iter().sum();
    Ok(start..start + sizes[index])
}
