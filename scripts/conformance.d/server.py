"""A server as the cases see it: through boto3, the client that is not ours."""

import dataclasses
import hashlib
import http.client
import io
import json
import os
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

# Neither a proxy nor this machine's own AWS settings may come between.
for variable in list(os.environ):
    if variable.lower().endswith("_proxy") or variable.startswith("AWS_"):
        del os.environ[variable]
os.environ.update(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                  AWS_EC2_METADATA_DISABLED="true", NO_PROXY="*")

import boto3  # noqa: E402
from boto3.s3.transfer import TransferConfig  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

THREADS = 8
MIB = 1024 * 1024


@dataclass
class Server:
    name: str
    software: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str
    # Keys of a second user, who owns nothing and may nothing; None if the server has no users.
    stranger: tuple | None = None
    cache: dict = field(default_factory=dict)

    @classmethod
    def read(cls, path):
        return cls(**json.loads(Path(path).read_text()))

    def second(self):
        """The same server as its second user sees it."""
        key, secret = self.stranger
        return dataclasses.replace(self, access_key_id=key, secret_access_key=secret)

    @cached_property
    def client(self):
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=self.region,
            aws_access_key_id=self.access_key_id, aws_secret_access_key=self.secret_access_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"},
                          retries={"max_attempts": 3, "mode": "standard"}, connect_timeout=5,
                          read_timeout=120, max_pool_connections=2 * THREADS,
                          request_checksum_calculation="when_required",
                          response_checksum_validation="when_required"))

    def make_bucket(self, bucket):
        self.client.create_bucket(Bucket=bucket)
        return bucket

    def drop_bucket(self, bucket):
        """Empties and deletes a bucket; one that is not there is fine."""
        try:
            keys = list(self.keys(bucket))
            each(keys, lambda key: self.client.delete_object(Bucket=bucket, Key=key))
            for upload in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
                self.client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"],
                                                   UploadId=upload["UploadId"])
            self.client.delete_bucket(Bucket=bucket)
        except ClientError as error:
            if code(error) != "NoSuchBucket":
                raise

    def put(self, bucket, key, body, **headers):
        return self.client.put_object(Bucket=bucket, Key=key, Body=body, **headers)

    def put_multipart(self, bucket, key, body, part=8 * MIB, **headers):
        self.client.upload_fileobj(
            io.BytesIO(body), bucket, key, ExtraArgs=headers or None,
            Config=TransferConfig(multipart_threshold=part, multipart_chunksize=part,
                                  max_concurrency=2))

    def get(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)

    def head(self, bucket, key):
        """The object's HEAD answer, or None if it is not there."""
        try:
            return self.client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise

    def bytes(self, bucket, key):
        return self.get(bucket, key)["Body"].read()

    def keys(self, bucket, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"]

    def raw(self, method, bucket, key, body=None, headers=(), **parameters):
        """A presigned request with headers that boto3 would not send; (status, headers, body)."""
        operation = {"PUT": "put_object", "HEAD": "head_object", "GET": "get_object"}[method]
        url = urllib.parse.urlsplit(self.client.generate_presigned_url(
            operation, Params={"Bucket": bucket, "Key": key, **parameters}, ExpiresIn=300))
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        try:
            connection.putrequest(method, f"{url.path}?{url.query}", skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def code(error):
    """The S3 error code of a boto3 error."""
    return error.response["Error"]["Code"]


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def each(items, work):
    """Does `work` for each item with a few threads; the results in the items' order."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, items))
