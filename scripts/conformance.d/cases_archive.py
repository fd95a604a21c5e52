"""Cases about objects that lie in an archive."""

import json
import urllib.request

from botocore.exceptions import ClientError
from night import Skip
from server import code

RESTORE = {"days": 3, "tier": "Bulk"}


def is_refused(server, bucket, key):
    """Whether the server does not give an archived object, to a client that is not ours."""
    try:
        server.get(bucket, key)
        return None
    except ClientError as error:
        return code(error)


def lasting(server, transition):
    """How restores go on in moto from now on."""
    told = {"model_name": "s3::keyrestore", "transition": transition}
    request = urllib.request.Request(
        server.endpoint + "/moto-api/state-manager/set-transition",
        data=json.dumps(told).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status in (200, 201), answer.status


def archived_night(case, **options):
    """A night of archived objects, if the source has an archive."""
    night = case.night(**options)
    try:
        night.put("glacier", b"from the cold", StorageClass="GLACIER")
        night.put("deep", b"from the deep", StorageClass="DEEP_ARCHIVE")
    except ClientError as error:
        raise Skip(f"no storage class GLACIER: {code(error)}") from None
    refused = is_refused(case.source, night.source_bucket, "glacier")
    if refused is None:
        raise Skip("what is in GLACIER can be read at once: a name, no archive")
    for wanted in night.expected.values():
        wanted.headers.pop("StorageClass")
    night.put("plain", b"from the shelf")
    night.ask(night.expected, "first.txt")
    return night, refused


def under_way(night, name):
    """Looks at a restore until moto, which goes on with each look, says that it goes on."""
    for _ in range(5):
        told = night.source.head(night.source_bucket, name)["Restore"]
        if told == 'ongoing-request="true"':
            return
    raise AssertionError(told)


def archived_fails(case):
    """Without `restore` archived objects fail for their own cause, and nothing is written."""
    night, refused = archived_night(case)
    night.run(code=4, taken=3, synced=1, failed=2)
    assert night.reasons(1)[("failed", "source_archived")] == 2, night.reasons(1)
    night.assert_absent(["glacier", "deep"])
    night.assert_arrived(["plain"])
    case.remark(f"a GET answers {refused}")


def archived_restored(case):
    """With `restore` they are asked for once, awaited, and carried once they are there."""
    if case.source.name != "moto":
        raise Skip("whether a restore ends cannot be told there")
    night, _ = archived_night(case, restore=RESTORE)
    lasting(case.source, {"progression": "manual", "times": 1})
    try:
        night.run(taken=3, synced=1, deferred=2)
        asked = night.rows("SELECT name, tier, days, awaited FROM archive_restores ORDER BY name")
        assert asked == [{"name": name, "tier": "Bulk", "days": 3, "awaited": 1}
                         for name in ("deep", "glacier")], asked
        for name in ("deep", "glacier"):
            under_way(night, name)
        lasting(case.source, {"progression": "manual", "times": 1_000_000})
        left = night.rows("SELECT DISTINCT deferral FROM pending_requests")
        assert left == [{"deferral": "awaiting_restore"}], left
        night.run(taken=2, deferred=2)
        assert len(night.rows("SELECT 1 FROM archive_restores")) == 2, "asked again"
        night.assert_absent(["glacier", "deep"])
    finally:
        lasting(case.source, {"progression": "immediate"})
    told = case.source.head(night.source_bucket, "glacier")["Restore"]
    assert told.startswith('ongoing-request="false", expiry-date='), told
    night.run(taken=2, synced=2)
    night.assert_arrived()
    case.note(night)


CASES = [archived_fails, archived_restored]
