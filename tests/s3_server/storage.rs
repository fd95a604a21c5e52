//! The operations of S3 as `s3s` calls them.

use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket as ListedBucket, ChecksumMode,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CreateBucketInput, CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, GetObjectInput, GetObjectOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutObjectInput,
    PutObjectOutput, PutObjectTaggingInput, PutObjectTaggingOutput, RestoreObjectInput,
    RestoreObjectOutput, StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use super::Server;
use super::conditions::ReadConditions;
use super::exchange::Exchange;
use super::objects::{self, ReadRequest};
use super::{copy, listing, multipart, restore, tagging};

type Answer<T> = S3Result<S3Response<T>>;

/// Implements S3 on the server's store.
pub(super) struct Storage(pub(super) Arc<Server>);

pub(super) fn exchange_of<T>(request: &S3Request<T>) -> Arc<Exchange> {
    let exchange = request.extensions.get::<Arc<Exchange>>();
    Arc::clone(exchange.expect("each request has its exchange"))
}

fn wants_checksums(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

#[async_trait::async_trait]
impl S3 for Storage {
    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Answer<CreateBucketOutput> {
        let mut buckets = self.0.store.buckets();
        let bucket = request.input.bucket;
        if buckets.contains_key(&bucket) {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ));
        }
        let location = Some(format!("/{bucket}"));
        buckets.entry(bucket).or_default();
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.0
            .store
            .with_bucket(&request.input.bucket, |_| Ok(()))?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let buckets = self.0.store.buckets();
        let listed = buckets.keys().map(|name| ListedBucket {
            name: Some(name.clone()),
            creation_date: Some(std::time::UNIX_EPOCH.into()),
            ..ListedBucket::default()
        });
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(listed.collect()),
            ..ListBucketsOutput::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        objects::put(&self.0, request).await
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let exchange = exchange_of(&request);
        let input = request.input;
        let read = ReadRequest {
            bucket: &input.bucket,
            key: &input.key,
            conditions: ReadConditions {
                if_match: input.if_match,
                if_none_match: input.if_none_match,
                if_modified_since: input.if_modified_since,
                if_unmodified_since: input.if_unmodified_since,
            },
            range: input.range,
            part_number: input.part_number,
            with_checksums: wants_checksums(input.checksum_mode.as_ref()),
        };
        let reading = objects::read(&self.0, &exchange, &read)?;
        self.0
            .check_readable(&input.bucket, &input.key, &reading.object)?;
        let chunks = reading.object.content.slice(reading.span.clone()).chunks();
        let output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::from(Body::http_body(chunks))),
            content_length: Some(reading.length()),
            content_range: reading.content_range,
            e_tag: Some(exchange.etag(&reading.object.etag)),
            last_modified: Some(reading.object.last_modified.into()),
            parts_count: reading.parts_count,
            ..GetObjectOutput::default()
        };
        Ok(S3Response::with_headers(output, reading.headers))
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> Answer<GetObjectTaggingOutput> {
        tagging::get(&self.0, request)
    }

    async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> Answer<PutObjectTaggingOutput> {
        tagging::put(&self.0, request)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let exchange = exchange_of(&request);
        let input = request.input;
        let read = ReadRequest {
            bucket: &input.bucket,
            key: &input.key,
            conditions: ReadConditions {
                if_match: input.if_match,
                if_none_match: input.if_none_match,
                if_modified_since: input.if_modified_since,
                if_unmodified_since: input.if_unmodified_since,
            },
            range: input.range,
            part_number: input.part_number,
            with_checksums: wants_checksums(input.checksum_mode.as_ref()),
        };
        let reading = objects::read(&self.0, &exchange, &read)?;
        let output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(reading.length()),
            content_range: reading.content_range,
            e_tag: Some(exchange.etag(&reading.object.etag)),
            last_modified: Some(reading.object.last_modified.into()),
            parts_count: reading.parts_count,
            ..HeadObjectOutput::default()
        };
        let mut response = S3Response::with_headers(output, reading.headers);
        response.status = Some(reading.status);
        Ok(response)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        let input = request.input;
        self.0.store.with_bucket(&input.bucket, |bucket| {
            bucket.objects.remove(&input.key);
            Ok(())
        })?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        copy::copy_object(&self.0, request)
    }

    async fn restore_object(
        &self,
        request: S3Request<RestoreObjectInput>,
    ) -> Answer<RestoreObjectOutput> {
        restore::restore_object(&self.0, request)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let exchange = exchange_of(&request);
        let input = request.input;
        let bucket = input.bucket.clone();
        let list = |bucket: &mut _| listing::list_objects(bucket, &exchange, input);
        self.0.store.with_bucket(&bucket, list).map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        multipart::create(&self.0, request)
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        multipart::upload_part(&self.0, request).await
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        copy::upload_part_copy(&self.0, request)
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = request.input;
        let bucket = input.bucket.clone();
        let list = |bucket: &mut _| listing::list_parts(bucket, input);
        self.0.store.with_bucket(&bucket, list).map(S3Response::new)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        let input = request.input;
        let bucket = input.bucket.clone();
        let list = |bucket: &mut _| listing::list_uploads(bucket, input);
        self.0.store.with_bucket(&bucket, list).map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        multipart::complete(&self.0, request)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = request.input;
        multipart::abort(&self.0, &input.bucket, &input.key, &input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
