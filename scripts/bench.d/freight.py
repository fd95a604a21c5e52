"""The objects of a bench: made at the source, and read back, by clients that are not measured.

All objects are read by the soak's small client, which is quick, and a sample of them by boto3,
which is nobody's here. It is done by processes of their own, so that the bench stays small.
"""

import hashlib
import os
import random
import zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import boto3
from botocore.config import Config

MIB = 1 << 20
# How many of the objects are read by boto3 too.
SAMPLE = 200
TYPES = ["image/jpeg", "image/png", "video/mp4", "application/pdf"]


@dataclass(frozen=True)
class Seen:
    """What was read of one object."""
    size: int
    sha256: str
    headers: tuple
    metadata: frozenset  # of (name, value), names in small letters: some servers capitalise them


class Hands:
    """Processes that make objects and read them back."""

    def __init__(self):
        self.pool = ProcessPoolExecutor(os.cpu_count())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown(cancel_futures=True)

    def make(self, end, sizes):
        """Puts objects with content type, cache control and metadata: name -> size in bytes."""
        self._each(put, end, list(sizes.items()))

    def read(self, end, names):
        """name -> Seen, or the error's text: every object whole."""
        return dict(pair for part in self._each(read, end, list(names)) for pair in part)

    def read_by_boto3(self, end, names):
        """The same of a sample."""
        sample = random.Random(end.bucket).sample(list(names), min(SAMPLE, len(names)))
        return dict(pair for part in self._each(read_by_boto3, end, sample) for pair in part)

    def _each(self, work, end, items):
        # Many small lots, so that all hands are done at the same time.
        step = max(1, min(500, len(items) // (4 * os.cpu_count())))
        lots = [items[at:at + step] for at in range(0, len(items), step)]
        return list(self.pool.map(work, [end] * len(lots), lots))


def put(end, objects):
    client = end.client()

    def one(item):
        name, size = item
        client.put(end.bucket, name, body(name, size), headers(name))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(one, objects))


def body(name, size):
    """Bytes that follow from the name."""
    randomness = random.Random(name)
    return b"".join(randomness.randbytes(min(8 * MIB, size - at))
                    for at in range(0, size, 8 * MIB))


def headers(name):
    drawn = zlib.crc32(name.encode())
    return {"content-type": TYPES[drawn % len(TYPES)],
            "cache-control": f"max-age={drawn % 1000}",
            "x-amz-meta-camera": f"camera-{drawn % 7}",
            "x-amz-meta-taken": f"2026-11-{drawn % 30 + 1:02}"}


def read(end, names):
    client = end.client()

    def one(name):
        status, headers, body = client.exchange("GET", f"/{end.bucket}/{name}")
        if status != 200:
            return name, f"{status} {body[:200]!r}"
        metadata = ((key.lower().removeprefix("x-amz-meta-"), value)
                    for key, value in headers.items() if key.lower().startswith("x-amz-meta-"))
        return name, seen(body, headers["content-type"], headers["cache-control"], metadata)

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(one, names))


def read_by_boto3(end, names):
    client = reader(end.endpoint, end.access_key_id, end.secret_access_key, end.region)

    def one(name):
        try:
            answer = client.get_object(Bucket=end.bucket, Key=name)
            body = answer["Body"].read()
        except Exception as error:  # whatever it is, the object did not arrive
            return name, f"{type(error).__name__}: {error}"
        metadata = ((key.lower(), value) for key, value in answer["Metadata"].items())
        return name, seen(body, answer.get("ContentType"), answer.get("CacheControl"), metadata)

    return [one(name) for name in names]


def seen(body, content_type, cache_control, metadata):
    return Seen(len(body), hashlib.sha256(body).hexdigest(), (content_type, cache_control),
                frozenset(metadata))


@cache
def reader(endpoint, access_key_id, secret_access_key, region):
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"},
                      connect_timeout=10, read_timeout=300,
                      request_checksum_calculation="when_required",
                      response_checksum_validation="when_required"))


def differences(source, arrived):
    """What is wrong with the copies; a sentence each. Metadata may grow (rclone adds a time)."""
    wrong = []
    for name, want in source.items():
        have = arrived.get(name)
        if not isinstance(have, Seen):
            wrong.append(f"{name}: {have}")
        elif (have.size, have.sha256) != (want.size, want.sha256):
            wrong.append(f"{name} has other bytes ({have.size}, not {want.size})")
        elif have.headers != want.headers:
            wrong.append(f"{name} has {have.headers}, not {want.headers}")
        elif not want.metadata <= have.metadata:
            wrong.append(f"{name} lost metadata: {sorted(want.metadata - have.metadata)}")
    return wrong
