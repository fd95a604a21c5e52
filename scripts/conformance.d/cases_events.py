"""Cases about a source that tells of its new objects by itself."""

import contextlib
import hashlib
import secrets
import socket
import time

import boto3
from botocore.config import Config

from names import AWKWARD, body_of
from night import TASK, Skip
from server import MIB

EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(night):
    """`serve` at work for the night's task; gives the URL for a sender without headers."""
    token, port = secrets.token_hex(16), free_port()
    with open(night.folder / "nightferry.toml", "a", encoding="utf-8") as config:
        config.write(f'\n[serve]\nlisten = "127.0.0.1:{port}"\n[[serve.token]]\nid = "source"\n'
                     f'sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"\n'
                     f'send = ["{TASK}"]\n')
    process = night.start("serve")
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/hooks/{token}/v1/tasks/{TASK}/s3-events"
    finally:
        process.terminate()
        ended = night.wait(process, 60)
    assert ended.code == 0, f"serve ended with {ended.code}: {ended.stderr}"
    assert token not in ended.stdout + ended.stderr, "serve tells a token"


def announce(server, bucket, url):
    """Has a bucket of Ceph post an event to `url` for each object that comes or goes."""
    topics = boto3.client(
        "sns", endpoint_url=server.endpoint, region_name=server.region,
        aws_access_key_id=server.access_key_id, aws_secret_access_key=server.secret_access_key,
        config=Config(retries={"max_attempts": 1}))
    topic = topics.create_topic(Name=bucket, Attributes={"push-endpoint": url})["TopicArn"]
    server.client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [
            {"Id": "nightferry", "TopicArn": topic, "Events": EVENTS}]})


def told_by_the_source(case):
    """An object that is put is announced by its bucket, requested at once, and there by morning."""
    if case.source.name != "radosgw":
        raise Skip(f"{case.source.name} sends no notifications over HTTP")
    night = case.night()
    night.needs("serve")
    with serving(night) as url:
        announce(case.source, night.source_bucket, url)
        for name in AWKWARD.values():
            night.put(name, body_of(name))
        night.put("in parts", bytes(9 * MIB), multipart=True)
        night.source.client.delete_object(Bucket=night.source_bucket, Key="a+b")
        night.put("a+b", b"put again")
        announced = len(AWKWARD) + 2
        night.wait_until("all are requested", "SELECT 1 FROM books "
                         f"WHERE requested = {announced} AND pending = {announced}", 10)
    night.run(taken=announced, synced=announced - 1, ignored=1)
    night.assert_arrived()
    case.remark(f"{announced} events")


CASES = [told_by_the_source]
