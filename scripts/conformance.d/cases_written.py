"""Cases about what copies are written with: storage class, encryption, tags, stamp."""

import random
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError
from night import Skip
from server import MIB, code

# Radosgw is given this key and this class; moto takes any key and knows S3's classes.
KMS_KEY = "night-key"
CLASSES = ["STANDARD_IA", "COLD"]
TAGS = {"berth": "7", "a b": "c/d+e=f", "Zürich": "ü", "empty": ""}


def objects(night, **headers):
    """A small object and one that goes in parts."""
    night.put("small", b"a few bytes", **headers)
    night.put("in parts", random.Random(9).randbytes(20 * MIB), **headers)
    night.ask(night.expected)


def at_destination(night, name):
    return night.reader.head(night.destination_bucket, name)


def known_again(night, run=2):
    """The next night knows the copies as its own."""
    night.ask(["small", "in parts"], "again.txt")
    night.run(ignored=2)
    assert night.reasons(run) == {("ignored", "already_copied"): 2}, night.reasons(run)


def class_of(head):
    return head.get("StorageClass", "STANDARD")


def another_class(server, bucket):
    """A class that the server keeps and tells; None if it has only one."""
    for name in CLASSES:
        try:
            server.put(bucket, "probe", b"x", StorageClass=name)
            found = class_of(server.head(bucket, "probe"))
        except ClientError:
            continue
        finally:
            server.client.delete_object(Bucket=bucket, Key="probe")
        if found == name:
            return name
    return None


def storage_class(case):
    """Copies get a fixed class, the source's, or one by the source's."""
    night = case.night()
    there = another_class(night.destination, night.destination_bucket)
    here = another_class(night.source, night.source_bucket)
    if there is None:
        raise Skip(f"{case.destination.name} keeps one class alone")
    rules = [(there, there)]
    if here is not None:
        rules.append(({here: there}, there))
    if here == there:
        rules.append(("same", there))
    for rule, expected in rules:
        night = case.night(destination_options={"storage_class": rule})
        objects(night, **({"StorageClass": here} if rule != there else {}))
        night.run(synced=2)
        night.assert_arrived()
        for name in night.expected:
            found = class_of(at_destination(night, name))
            assert found == expected, f"{name}: {found}, not {expected}, by {rule}"
        known_again(night)
        case.note(night)
    case.remark(f"{there}, by {len(rules)} rules")


def unknown_storage_class(case):
    """A class that the destination does not know is one error at the start, or a note."""
    night = case.night(destination_options={"storage_class": "NO_SUCH_CLASS"})
    objects(night)
    ended = night.wait(night.start("run"))
    if ended.code == 9:
        assert "storage class" in ended.stderr or "StorageClass" in ended.stderr, ended
        case.remark("refused at the start")
        return
    night.ended(ended, 0, synced=2)
    found = class_of(at_destination(night, "small"))
    case.remark(f"taken; the copy is in {found}")


def encryption_s3(case):
    """Copies are encrypted with the server's own keys, or the night does not begin."""
    encrypted(case, {"encryption": "sse-s3"}, {"ServerSideEncryption": "AES256"})


def encryption_kms(case):
    """Copies are encrypted with a KMS key, or the night does not begin."""
    encrypted(case, {"encryption": "sse-kms", "kms_key_id": KMS_KEY},
              {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KMS_KEY})


def encrypted(case, options, expected):
    night = case.night(destination_options=options)
    objects(night)
    night.destination.client.delete_object(Bucket=night.destination_bucket, Key="probe")
    refusal = refused(night, expected)
    if refusal:
        ended = night.wait(night.start("run"))
        assert ended.code == 9, f"ended with {ended.code}: {ended.stderr[-500:]}"
        assert night.failures() == [], "objects failed too"
        case.remark(f"it {refusal}: the night does not begin")
        return
    night.run(synced=2)
    night.assert_arrived()
    lists = [key for key in night.destination.keys(night.destination_bucket)
             if key.endswith("success_list.txt")]
    assert lists, "no list was delivered"
    for name in [*night.expected, *lists]:
        head = at_destination(night, name)
        found = {key: head.get(key) for key in expected}
        assert found["ServerSideEncryption"] == expected["ServerSideEncryption"], f"{name}: {found}"
        assert KMS_KEY in (found.get("SSEKMSKeyId") or KMS_KEY), f"{name}: {found}"
    case.note(night)
    known_again(night)
    night.command("verify", "--task", "night")


def refused(night, headers):
    """What the destination does with encryption that boto3 asks for, if not as is asked."""
    bucket = night.destination_bucket
    try:
        night.destination.put(bucket, "probe", b"x", **headers)
    except ClientError as error:
        return f"refuses it ({code(error)})"
    found = night.destination.head(bucket, "probe").get("ServerSideEncryption")
    night.destination.client.delete_object(Bucket=bucket, Key="probe")
    return None if found == headers["ServerSideEncryption"] else f"says {found} of it"


def unknown_kms_key(case):
    """A KMS key that the destination does not have is one error at the start."""
    night = case.night(destination_options={"encryption": "sse-kms", "kms_key_id": "no-such-key"})
    objects(night)
    refusal = refused(night, {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "no-such-key"})
    if refusal is None:
        raise Skip(f"{case.destination.name} takes any key")
    ended = night.wait(night.start("run"))
    assert ended.code == 9, f"ended with {ended.code}: {ended.stderr[-500:]}"
    assert night.failures() == [], "objects failed too"
    doctor = night.wait(night.start("doctor"))
    assert doctor.code == 9 and "kms_key_id" in doctor.stdout, doctor
    case.remark(f"it {refusal}")


def tags(case):
    """Tags of the source are on the copies; objects without tags get none."""
    for side in (case.source, case.destination):
        if word := without_tags(side):
            raise Skip(f"{side.name} {word}")
    night = case.night(copy_tags=True)
    objects(night)
    written = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    for name in night.expected:
        night.source.client.put_object_tagging(
            Bucket=night.source_bucket, Key=name, Tagging={"TagSet": written})
    night.put("none", b"no tags")
    night.ask(["none"], "none.txt")
    night.run(synced=3)
    night.assert_arrived()
    for name in night.expected:
        found = tags_of(night.destination, night.destination_bucket, name)
        want = {} if name == "none" else TAGS
        assert found == want, f"{name}: {found}"
    told = night.source.head(night.source_bucket, "small").get("TagCount")
    case.remark("counted in HEAD" if told else "not counted in HEAD")
    known_again(night)


def without_tags(server):
    bucket = server.make_bucket("cf-tags-probe")
    try:
        server.put(bucket, "o", b"x", Tagging="a=b")
        found = tags_of(server, bucket, "o")
        return None if found == {"a": "b"} else f"keeps no tags: {found}"
    except ClientError as error:
        return f"knows no tags ({code(error)})"
    finally:
        server.drop_bucket(bucket)


def tags_of(server, bucket, name):
    found = server.client.get_object_tagging(Bucket=bucket, Key=name)
    # Of an object without tags boto3 reads no set out of radosgw's answer.
    return {tag["Key"]: tag["Value"] for tag in found.get("TagSet", [])}


def tags_unknown(case):
    """Where a server has no tags, a task that wants them does not begin."""
    words = [without_tags(side) for side in (case.source, case.destination)]
    if not any(words):
        raise Skip("both servers have tags")
    night = case.night(copy_tags=True)
    objects(night)
    ended = night.wait(night.start("run"))
    assert ended.code == 9, f"ended with {ended.code}: {ended.stderr[-500:]}"
    assert "copy_tags" in ended.stderr, ended.stderr
    case.remark("; ".join(f"{side.name} {word}" for side, word in
                          zip((case.source, case.destination), words, strict=True) if word))


def stamp(case):
    """Copies say of which object they were made, beside their own metadata."""
    night = case.night(stamp_source=True)
    objects(night, Metadata={"berth": "7"}, ContentType="text/plain")
    night.run(synced=2)
    for name, want in night.expected.items():
        source = night.source.head(night.source_bucket, name)
        found = at_destination(night, name)
        metadata = {
            "berth": "7",
            "nightferry-source-etag": source["ETag"].strip('"'),
            "nightferry-source-modified-at": modified_at(source),
        }
        assert found["Metadata"] == metadata, f"{name}: {found['Metadata']}"
        assert found["ContentType"] == "text/plain", found["ContentType"]
        want.headers["Metadata"] = metadata
    night.assert_arrived()
    known_again(night)


def modified_at(head):
    raw = head["ResponseMetadata"]["HTTPHeaders"]["last-modified"]
    return parsedate_to_datetime(raw).strftime("%Y-%m-%dT%H:%M:%SZ")


CASES = [storage_class, unknown_storage_class, encryption_s3, encryption_kms, unknown_kms_key,
         tags, tags_unknown, stamp]
