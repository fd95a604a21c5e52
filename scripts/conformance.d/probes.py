"""What a server does with plain requests, found out through boto3 before and beside the cases."""

import base64
import dataclasses
import datetime
import hashlib
import http.client
import json
import time
import urllib.parse

from botocore.exceptions import ClientError

import names
from server import MIB, code

EVERY_HEADER = {
    "ContentType": "text/plain; charset=utf-8",
    "CacheControl": "max-age=3600, no-transform",
    "ContentDisposition": 'attachment; filename="a b.txt"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "de-AT, fr",
    "Expires": datetime.datetime(2031, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
    "Metadata": {
        "plain": "value",
        "with-dash": "a=b; c, d",
        "quotes": '"x" \'y\'',
        "inner-spaces": "a  b   c",
        "encoded-word": "=?UTF-8?B?w7xiZXI=?=",
        "long": "v" * 1200,
        "with_underscore": "u",
    },
}


def cached(probe):
    """A probe of a server in a bucket of its own, asked once for each server."""
    def asked(server):
        if probe.__name__ not in server.cache:
            bucket = server.make_bucket("cf-" + probe.__name__.replace("_", "-"))
            try:
                server.cache[probe.__name__] = probe(server, bucket)
            finally:
                server.drop_bucket(bucket)
        return server.cache[probe.__name__]
    return asked


@cached
def kept_headers(server, bucket):
    """header -> value, as far as the server keeps what boto3 gave it."""
    server.put(bucket, "object", b"bytes", **EVERY_HEADER)
    answer = server.head(bucket, "object")
    kept = {key: value for key, value in EVERY_HEADER.items() if answer.get(key) == value}
    # A metadata entry that the server alters does not hide what it does with the others.
    kept["Metadata"] = {key: value for key, value in EVERY_HEADER["Metadata"].items()
                        if answer["Metadata"].get(key) == value}
    kept["altered"] = {key: answer.get(key) for key in EVERY_HEADER if key not in kept} | {
        f"metadata {key}": next((f"{k}: {v}" for k, v in answer["Metadata"].items()
                                 if k.replace("-", "_") == key.replace("-", "_")), "lost")
        for key in EVERY_HEADER["Metadata"] if key not in kept["Metadata"]}
    return kept


@cached
def keeps_utf8_metadata(server, bucket):
    """Whether raw UTF-8 in metadata comes back as it went in; boto3 refuses to send it."""
    status, _, _ = server.raw("PUT", bucket, "o", b"x", [("x-amz-meta-city", "Zürich".encode())])
    if status != 200:
        return f"refused ({status})"
    value = raw_metadata(server, bucket, "o").get("x-amz-meta-city")
    return "" if value == "Zürich".encode() else f"comes back as {value!r}"


def raw_metadata(server, bucket, name):
    """The object's metadata headers, names in lower case, values as bytes."""
    _, headers, _ = server.raw("HEAD", bucket, name)
    return {key.lower(): value.encode("latin-1") for key, value in headers
            if key.lower().startswith("x-amz-meta-")}


@cached
def checks_credentials(server, bucket):
    wrong = dataclasses.replace(server, secret_access_key="wrong-secret")
    try:
        wrong.client.list_objects_v2(Bucket=bucket)
        return False
    except ClientError:
        return True


@cached
def knows_policies(server, bucket):
    """Whether a bucket policy can let the second user in."""
    if not server.stranger:
        return False
    try:
        allow_stranger(server, bucket)
        server.second().client.list_objects_v2(Bucket=bucket)
        return True
    except ClientError:
        return False


def allow_stranger(server, bucket, denied=None):
    """Gives the second user a bucket, but for one action on one pattern of names."""
    who = {"AWS": ["arn:aws:iam:::user/stranger"]}
    resource = f"arn:aws:s3:::{bucket}"
    statements = [{"Effect": "Allow", "Principal": who, "Action": "s3:*",
                   "Resource": [resource, f"{resource}/*"]}]
    if denied:
        statements.append({"Effect": "Deny", "Principal": who, "Action": denied[0],
                           "Resource": [f"{resource}/{denied[1]}"]})
    policy = {"Version": "2012-10-17", "Statement": statements}
    server.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


@cached
def md5_mismatch(server, bucket):
    """What a PUT with a wrong Content-MD5 gets, and whether the object is there after it."""
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    return _refusal(server, bucket, "md5", ContentMD5=wrong)


@cached
def crc32c_mismatch(server, bucket):
    return _refusal(server, bucket, "crc", ChecksumCRC32C="AAAAAA==")


@cached
def sha256_mismatch(server, bucket):
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    return _refusal(server, bucket, "sha", ChecksumSHA256=wrong)


def _refusal(server, bucket, name, **headers):
    try:
        server.put(bucket, name, b"bytes", **headers)
        return "taken all the same"
    except ClientError as error:
        after = "" if server.head(bucket, name) is None else ", but keeps the object"
        return f"refused ({code(error)}){after}"


@cached
def echoed_checksum(server, bucket):
    """Whether a CRC32C that is sent along is kept and told."""
    server.put(bucket, "o", b"bytes", ChecksumCRC32C="0G6ckg==")
    answer = server.client.head_object(Bucket=bucket, Key="o", ChecksumMode="ENABLED")
    return "kept" if answer.get("ChecksumCRC32C") else "not kept"


@cached
def multipart_etag(server, bucket):
    server.put_multipart(bucket, "o", bytes(6 * MIB), part=5 * MIB)
    etag = server.head(bucket, "o")["ETag"].strip('"')
    return "md5-of-md5s, `-2`" if etag.endswith("-2") else f"of another form (`{etag[:8]}…`)"


@cached
def completed_etag(server, bucket):
    """The ETag in the answer to CompleteMultipartUpload."""
    client, upload = server.client, {"Bucket": bucket, "Key": "o"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    part = client.upload_part(**upload, PartNumber=1, Body=b"bytes")
    answer = client.complete_multipart_upload(
        **upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    there = server.head(bucket, "o")["ETag"]
    said = answer.get("ETag", "")
    return "the object's" if said.strip('"') == there.strip('"') else f"`{said}`, not the object's"


@cached
def single_etag(server, bucket):
    etag = server.put(bucket, "o", b"bytes")["ETag"].strip('"')
    return "the MD5" if etag == hashlib.md5(b"bytes").hexdigest() else "no MD5"


@cached
def conditional_put(server, bucket):
    """`If-None-Match: *` on a name that is there."""
    server.put(bucket, "o", b"first")
    try:
        server.put(bucket, "o", b"second", IfNoneMatch="*")
    except ClientError as error:
        return f"refused ({code(error)})"
    return "ignored: overwrites"


@cached
def conditional_copy(server, bucket):
    """A copy of an object that has another ETag by now."""
    return _copied(server, bucket, CopySourceIfMatch='"0123"')


@cached
def conditional_copy_onto(server, bucket):
    """A copy with `If-None-Match: *` to a name that is there."""
    return _copied(server, bucket, IfNoneMatch="*")


def _copied(server, bucket, **condition):
    server.put(bucket, "o", b"first")
    server.put(bucket, "p", b"second")
    try:
        server.client.copy_object(Bucket=bucket, Key="p", CopySource={"Bucket": bucket, "Key": "o"},
                                  **condition)
    except ClientError as error:
        return f"refused ({code(error)})"
    return "ignored: copies"


@cached
def conditional_get(server, bucket):
    """`If-Match` with another ETag."""
    server.put(bucket, "o", b"first")
    try:
        server.client.get_object(Bucket=bucket, Key="o", IfMatch='"0123"')
    except ClientError as error:
        return f"refused ({code(error)})"
    return "ignored: gives the object"


@cached
def listing_order(server, bucket):
    keys = ["a", "B", "é", "z", "a/b", "a b", "Z", "~", "🚢", "\ufffd", "a0", "+"]
    for key in keys:
        server.put(bucket, key, b"x")
    listed = list(server.keys(bucket))
    return "byte order" if listed == sorted(keys, key=str.encode) else "another order"


@cached
def listing_encoding(server, bucket):
    server.put(bucket, "a b+c\u00e9&", b"x")
    status, _, body = _list_raw(server, bucket)
    encoded = b"a%20b%2Bc%C3%A9%26" in body or b"a+b%2Bc%C3%A9%26" in body
    space = " (a space as `+`)" if b"a+b%2Bc" in body else ""
    return f"honoured{space}" if status == 200 and encoded else "not honoured"


def _list_raw(server, bucket):
    url = urllib.parse.urlsplit(server.client.generate_presigned_url(
        "list_objects_v2", Params={"Bucket": bucket, "EncodingType": "url"}))
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    connection.request("GET", f"{url.path}?{url.query}")
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read()


@cached
def listing_times(server, bucket):
    """The finest part of Last-Modified in listings."""
    for attempt in range(3):
        server.put(bucket, f"o{attempt}", b"x")
        time.sleep(0.11)
    listed = server.client.list_objects_v2(Bucket=bucket)["Contents"]
    return "milliseconds" if any(o["LastModified"].microsecond for o in listed) else "seconds"


@cached
def missing_object(server, bucket):
    """What GET says of a name, and of a bucket, that is not there."""
    said = []
    for where in (bucket, "cf-is-nowhere"):
        try:
            server.get(where, "nothing")
            said.append("200")
        except ClientError as error:
            said.append(f"{error.response['ResponseMetadata']['HTTPStatusCode']} {code(error)}")
    return " / ".join(said)


@cached
def tags(server, bucket):
    try:
        server.put(bucket, "o", b"x", Tagging="colour=blue")
        found = server.client.get_object_tagging(Bucket=bucket, Key="o")["TagSet"]
    except ClientError as error:
        return f"refused ({code(error)})"
    count = server.head(bucket, "o").get("TagCount")
    return ("kept" if found else "dropped") + ("" if count else ", not counted in HEAD")


@cached
def metadata_limit(server, bucket):
    """Whether 4 KiB of metadata, twice what S3 allows, is refused."""
    try:
        server.put(bucket, "o", b"x", Metadata={"big": "v" * 4096})
    except ClientError as error:
        return f"refused ({code(error)})"
    return "taken"


def awkward_names(server):
    return names.probe(server)
