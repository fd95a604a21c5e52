"""Cases about what is carried: plain sets, awkward names, headers, sizes, the mixed set."""

import gzip
import math
import random

import names
import probes
from server import MIB


def plain(case):
    """200 objects; the second night ignores all of them, with reasons; the third has nothing."""
    night = case.night()
    night.put_all({f"plain/{n:03}.txt": random.Random(n).randbytes(1024 + 77 * n)
                   for n in range(200)})
    night.ask(night.expected, "first.txt")
    night.run(taken=200, synced=200, rejected=0,
              synced_bytes=sum(e.size for e in night.expected.values()))
    night.assert_arrived()
    case.note(night)
    before = modified(night)
    night.ask(night.expected, "second.txt")
    night.run(taken=200, ignored=200)
    assert night.reasons(2) == {("ignored", "already_copied"): 200}, night.reasons(2)
    assert modified(night) == before, "the second night wrote objects again"
    night.run(taken=0)


def modified(night):
    return {name: night.destination.head(night.destination_bucket, name)["LastModified"]
            for name in night.expected}


def awkward_names(case):
    """Names of every kind that both servers take through boto3; the rest fail, not vanish."""
    night = case.night()
    given = names.taken(case.source)
    hopeless = [name for name in given if name in names.refused(case.destination)]
    night.put_all({name: names.body_of(name) for name in given})
    night.ask([name for name in given if name not in names.NEEDS_URL], "as-they-are.txt")
    night.ask([name for name in given if name in names.NEEDS_URL], "encoded.url.txt")
    carried = len(given) - len(hopeless)
    night.run(code=4 if hopeless else 0, taken=len(given), synced=carried, failed=len(hopeless),
              rejected=0)
    failed = [name for name, (state, _) in night.outcomes().items() if state == "failed"]
    assert sorted(failed) == sorted(hopeless), f"failed {failed}, refused {hopeless}"
    night.assert_arrived(set(given) - set(hopeless))
    again = [name for name in given if name not in hopeless]
    night.ask(again, "again.url.txt")
    retried = len(night.rows("SELECT 1 FROM failed_requests WHERE carried_over"))
    night.run(code=4 if retried else 0, taken=carried + retried, ignored=carried, failed=retried)
    reasons = night.reasons(2)
    assert reasons[("ignored", "already_copied")] == carried, reasons
    if hopeless:
        case.remark(f"{len(hopeless)} names that {case.destination.name} refuses failed, as due")


def rejected_lines(case):
    """Lines that cannot be requests are counted and shown; the others are carried."""
    night = case.night()
    night.put_all({"good": b"good", "also good": b"too"})
    night.ask(["good", "a/../b", ".", "oms/sync_task/x/y", "n" * 1025, "nul\0"], "bad.txt")
    (night.root / "object_lists" / "bad.url.txt").write_bytes(b"also%20good\n%zz\n%FF\n%00\n")
    night.run(code=4, taken=2, synced=2, rejected=8)
    found = sorted((row["list"].rsplit("/", 1)[-1], row["line"], row["reason"])
                   for row in night.rows("SELECT list, line, reason FROM rejected_lines"))
    assert found == [("bad.txt", 2, "dot_segment"), ("bad.txt", 3, "dot_segment"),
                     ("bad.txt", 4, "reserved_prefix"), ("bad.txt", 5, "too_long"),
                     ("bad.txt", 6, "nul"), ("bad.url.txt", 2, "bad_percent_encoding"),
                     ("bad.url.txt", 3, "not_utf8"), ("bad.url.txt", 4, "nul")], found
    night.assert_arrived()


def metadata(case):
    """Headers and user metadata; gzip-encoded bytes stay as they are."""
    kept = {side.name: probes.kept_headers(side) for side in (case.source, case.destination)}
    both = {key: value for key, value in kept[case.source.name].items()
            if key in kept[case.destination.name] and key not in ("altered", "Metadata")}
    both["Metadata"] = {key: value for key, value in kept[case.source.name]["Metadata"].items()
                        if key in kept[case.destination.name]["Metadata"]
                        and key != "inner-spaces"}  # of which metadata_edges
    night = case.night()
    body = gzip.compress(b"packed once, and to stay so " * 500, mtime=0)
    night.put("all", body, **both)
    night.put("all in parts", random.Random(3).randbytes(17 * MIB), multipart=True, **both)
    for header, value in both.items():
        night.put(f"only {header}", body, **{header: value})
    night.put("none", b"bytes without a word about them")
    night.put("empty", b"", **both)
    for content_type in ("application/json", "image/svg+xml", 'multipart/x; boundary="a b"'):
        night.put(content_type, b"typed", ContentType=content_type)
    night.ask(night.expected)
    night.run(synced=len(night.expected))
    night.assert_arrived()


def metadata_edges(case):
    """Metadata that is hard to sign arrives as it is or fails; it is never lost in silence."""
    given = {"inner spaces": [("x-amz-meta-note", b"a  b   c")],
             "UTF-8": [("x-amz-meta-city", "Zürich".encode()),
                       ("x-amz-meta-ship", "夜航船 🚢".encode())]}
    for side in (case.source, case.destination):
        if verdict := probes.keeps_utf8_metadata(side):
            given.pop("UTF-8", None)
            case.remark(f"UTF-8 left out: at {side.name} it {verdict}")
        if "inner-spaces" not in probes.kept_headers(side)["Metadata"]:
            given.pop("inner spaces", None)
            case.remark(f"inner spaces left out: {side.name} alters them")
    night = case.night()
    for name, headers in given.items():
        status, _, _ = night.source.raw("PUT", night.source_bucket, name, b"bytes", headers)
        assert status == 200, f"PUT of {name}: {status}"
    night.ask(given)
    ended = night.wait(night.start("run"))
    night.ended(ended, ended.code if ended.code == 4 else 0, taken=len(given))
    for name, outcome in night.outcomes().items():
        if outcome == ("failed", "metadata_refused"):
            case.remark(f"{name}: fails with metadata_refused")
            continue
        assert outcome == ("synced", None), f"{name}: {outcome}"
        there = probes.raw_metadata(night.destination, night.destination_bucket, name)
        assert there == dict(given[name]), f"{name} at the destination: {there}"


def sizes(case):
    """No byte, one byte, around the usual part sizes, and 40 MiB."""
    night = case.night()
    for size in (0, 1, *(part * MIB + d for part in (5, 8, 16) for d in (0, 1)), 40 * MIB):
        night.put(f"{size} bytes", random.Random(size).randbytes(size))
    night.ask(night.expected)
    night.run(synced=len(night.expected), synced_bytes=sum(e.size for e in night.expected.values()))
    night.assert_arrived()
    assert_no_uploads_left(night)
    night.ask(night.expected, "again.txt")
    night.run(ignored=len(night.expected))


def multipart_source(case):
    """A source object of 40 MiB that boto3 sent in parts: its ETag is no MD5 of the bytes."""
    night = case.night()
    for part in (5, 8):
        night.put(f"{part} MiB parts", random.Random(part).randbytes(40 * MIB), multipart=True,
                  ContentType="video/mp4", Metadata={"part": str(part)})
        etag = night.source.head(night.source_bucket, f"{part} MiB parts")["ETag"]
        if "-" not in etag:
            case.remark(f"{case.source.name} gives it the ETag {etag[:9]}…")
    night.ask(night.expected)
    night.run(synced=2)
    night.assert_arrived()
    assert_no_uploads_left(night)
    night.ask(night.expected, "again.txt")
    night.run(ignored=2)
    assert night.reasons(2) == {("ignored", "already_copied"): 2}, night.reasons(2)


def assert_no_uploads_left(night):
    left = night.destination.client.list_multipart_uploads(Bucket=night.destination_bucket)
    assert not left.get("Uploads"), "multipart uploads were left open at the destination"


def mixed(case):
    """2,000 objects, log-normal around 256 KiB, and 20 of 16 to 64 MiB; then all again."""
    small, large = (200, 2) if case.quick else (2000, 20)
    dice = random.Random(20261006)
    sizes = {}
    for n in range(small):
        size = int(256 * 1024 * math.exp(dice.gauss(0, 1.1)))
        sizes[f"mixed/{n % 17:02}/object {n:04}.bin"] = min(max(size, 1024), 8 * MIB)
    for n in range(large):
        sizes[f"mixed/large/object-{n:02}.bin"] = dice.randint(16 * MIB, 64 * MIB)
    types = ["application/octet-stream", "image/jpeg", "text/plain; charset=utf-8"]
    night = case.night()

    def put(item):
        index, (name, size) = item
        night.put(name, random.Random(size * 31 + index).randbytes(size),
                  multipart=size > 48 * MIB, ContentType=types[index % 3],
                  Metadata={"index": str(index), "size": str(size)} if index % 2 else {})

    case.each(enumerate(sizes.items()), put)
    night.ask(sizes, "mixed.txt")
    night.run(taken=len(sizes), synced=len(sizes), failed=0, synced_bytes=sum(sizes.values()))
    night.assert_arrived()
    assert_no_uploads_left(night)
    case.note(night)
    night.ask(sizes, "mixed again.txt")
    night.run(taken=len(sizes), ignored=len(sizes))
    assert night.reasons(2) == {("ignored", "already_copied"): len(sizes)}, night.reasons(2)


CASES = [plain, awkward_names, rejected_lines, metadata, metadata_edges, sizes, multipart_source,
         mixed]
