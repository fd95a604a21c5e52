"""Cases about what is copied and what is ignored, and why."""

import random
import time

from server import MIB, sha256

LATER = 2.1  # seconds: whole seconds apart on any server's clock


def there(night, name, body):
    night.destination.put(night.destination_bucket, name, body)


def at_destination(night, name):
    return night.destination.bytes(night.destination_bucket, name)


def changed_source(case):
    """Other bytes of the same size at the source are copied again, whatever the clocks say."""
    night = case.night()
    night.put_all({"changed": b"first bytes", "same": b"the same bytes"})
    night.ask(night.expected, "1.txt")
    night.run(synced=2)
    time.sleep(LATER)
    night.put("changed", b"other bytes")
    night.ask(night.expected, "2.txt")
    night.run(synced=1, ignored=1)
    assert night.outcomes(2) == {"changed": ("synced", None), "same": ("ignored", "already_copied")}
    night.assert_arrived()


def changed_source_in_parts(case):
    """The same for an object carried in parts: its copy's ETag is no MD5, but is known."""
    night = case.night()
    night.put("large", random.Random(1).randbytes(24 * MIB))
    night.ask(["large"], "1.txt")
    night.run(synced=1)
    ours = night.destination.head(night.destination_bucket, "large")["ETag"].strip('"')
    noted, = night.rows("SELECT copy_etag FROM object_history")
    assert (noted["copy_etag"] or "").strip('"') == ours, f"noted {noted}, it is {ours}"
    night.ask(["large"], "2.txt")
    night.run(ignored=1)
    assert night.outcomes(2) == {"large": ("ignored", "already_copied")}, night.outcomes(2)
    night.put("large", random.Random(2).randbytes(24 * MIB))
    night.ask(["large"], "3.txt")
    night.run(synced=1)
    night.assert_arrived()


def newer_or_older(case):
    """A newer destination is left alone; an older one, or of another size, is overwritten."""
    night = case.night()
    there(night, "older there", b"there!")
    night.put_all({"newer there": b"source", "newer there, other size": b"source"})
    time.sleep(LATER)
    night.put("older there", b"source")
    there(night, "newer there", b"there!")
    there(night, "newer there, other size", b"there!!")
    night.ask(night.expected)
    night.run(synced=2, ignored=1)
    assert night.outcomes()["newer there"] == ("ignored", "newer_at_destination")
    assert at_destination(night, "newer there") == b"there!", "a newer object was overwritten"
    night.assert_arrived(["older there", "newer there, other size"])


def overwritten_there(case):
    """Our copy was replaced by others since: newer there, so it is left alone."""
    night = case.night()
    night.put("o", b"source")
    night.ask(["o"], "1.txt")
    night.run(synced=1)
    time.sleep(LATER)
    there(night, "o", b"others")
    night.ask(["o"], "2.txt")
    night.run(ignored=1)
    assert night.outcomes(2) == {"o": ("ignored", "newer_at_destination")}
    assert at_destination(night, "o") == b"others"


def overwrite_never(case):
    """What is there stays, whatever its size."""
    night = case.night(overwrite="never")
    there(night, "there", b"of another size")
    time.sleep(LATER)
    night.put_all({"there": b"source", "not there": b"source"})
    night.ask(night.expected)
    night.run(synced=1, ignored=1)
    assert night.outcomes()["there"] == ("ignored", "exists")
    assert at_destination(night, "there") == b"of another size"
    night.assert_arrived(["not there"])


def overwrite_always(case):
    """What is asked for is copied, newer there or not."""
    night = case.night(overwrite="always")
    night.put_all({"a": b"source", "b": b"source"})
    time.sleep(LATER)
    there(night, "a", b"there!")
    night.ask(night.expected, "1.txt")
    night.run(synced=2)
    night.assert_arrived()
    night.ask(night.expected, "2.txt")
    night.run(synced=2)
    night.assert_arrived()


def overwrite_checksum(case):
    """Comparable checksums decide; where there are none, the usual rule."""
    night = case.night(overwrite="checksum")
    there(night, "equal, older there", b"source")
    large = random.Random(1).randbytes(9 * MIB)
    time.sleep(LATER)
    night.put_all({"equal, older there": b"source", "other, newer there": b"source"})
    night.put("in parts, newer there", large, multipart=True)
    time.sleep(LATER)
    there(night, "other, newer there", b"there!")
    there(night, "in parts, newer there", bytes(len(large)))
    night.ask(night.expected)
    night.run(synced=1, ignored=2)
    assert night.outcomes() == {
        "equal, older there": ("ignored", "same_checksum"),
        "other, newer there": ("synced", None),
        "in parts, newer there": ("ignored", "newer_at_destination")}, night.outcomes()
    night.assert_arrived(["equal, older there", "other, newer there"])
    assert sha256(at_destination(night, "in parts, newer there")) == sha256(bytes(len(large)))


def duplicates(case):
    """Further requests for a name follow its first, in one list and across lists."""
    night = case.night(overwrite="always")
    night.put_all({"a": b"a", "b": b"b"})
    night.ask(["a", "b", "a", "missing", "a", "missing"], "1.txt")
    night.ask(["b", "missing"], "2.txt")
    night.run(code=4, taken=8, synced=2, ignored=3, failed=3)
    assert night.reasons(1) == {("synced", None): 2, ("ignored", "duplicate"): 3,
                                ("failed", "source_missing"): 3}, night.reasons(1)
    night.assert_arrived()


def enqueue_and_withdraw(case):
    """Requests made and taken back on the command line."""
    night = case.night()
    night.put_all({"by argument": b"1", "by file": b"2", "taken back": b"3"})
    night.command("enqueue", "--task", "night", "by argument", "taken back")
    night.command("enqueue", "--task", "night", "fine", "not/../fine", code=2)
    (night.folder / "file").write_text("by%20file\n")
    night.command("enqueue", "--task", "night", "--url", "--file", str(night.folder / "file"))
    night.command("withdraw", "--task", "night", "--name", "taken back")
    night.run()
    outcomes = night.outcomes()
    assert "fine" not in outcomes, "a refused enqueue left a request behind"
    assert outcomes == {"by argument": ("synced", None), "by file": ("synced", None),
                        "taken back": ("ignored", "withdrawn")}, outcomes
    night.assert_arrived(["by argument", "by file"])
    night.assert_absent(["taken back"])


def under_a_prefix(case):
    """Copies lie behind the prefix, lists do not; behind another prefix none of them is ours."""
    night = case.night(destination_options={"prefix": "mirror/ü-"})
    bucket = night.destination_bucket
    # What lies around the prefix is not in the way, nor counted as a copy.
    for other in ["mirror", "mirror/", "mirror0", "0000"]:
        there(night, other, b"there!")
    night.put_all({f"{number:04}": b"%d" % number for number in range(150)})
    night.put("a/b c+d/é", b"awkward")
    night.put("oms/sync_task/night/x", b"allowed, for its copy lies elsewhere")
    night.put("large", random.Random(1).randbytes(24 * MIB))
    names = sorted(night.expected)
    night.ask(names, "1.url.txt")
    night.run(synced=len(names))
    behind(night, "mirror/ü-", names)
    assert list(night.destination.keys(bucket, "oms/sync_task/night/manifests/")), "no list there"

    time.sleep(LATER)
    night.ask(names, "2.url.txt")
    night.run(ignored=len(names))
    assert night.reasons(2) == {("ignored", "already_copied"): len(names)}, night.reasons(2)

    # Behind another prefix our last copies are none.
    night.destination_options["prefix"] = "other/"
    night.write_config()
    night.put("0007", b"8")
    night.ask(["0000", "0007", "large"], "3.txt")
    night.run(synced=3)
    behind(night, "other/", ["0000", "0007", "large"])
    history = night.rows("SELECT DISTINCT destination_name FROM object_history "
                         "WHERE name = 'large' ORDER BY 1")
    assert [row["destination_name"] for row in history] == ["mirror/ü-large", "other/large"], history


def behind(night, prefix, names):
    """boto3 finds just these copies behind the prefix, byte for byte."""
    bucket = night.destination_bucket
    found = sorted(night.destination.keys(bucket, prefix))
    assert found == sorted(prefix + name for name in names), found[:5]
    wrong = [name for name in names
             if sha256(night.destination.bytes(bucket, prefix + name)) != night.expected[name].sha256]
    assert not wrong, f"other bytes behind {prefix}: {wrong[:5]}"


def what_the_destination_lacks(case):
    """A first fill by listing both buckets: what boto3 put, and only what the task takes."""
    night = case.night(include=["/albums/", "*.jpg"], exclude=["*.tmp", "thumbs/"], max_size="1KiB")
    taken = {"albums/a": b"1", "albums/b c+d": b"2", "x/ü%41.jpg": b"3", "albums/at both": b"44"}
    left = {"other": b"5", "albums/a.tmp": b"6", "thumbs/a.jpg": b"7", "albums/large": bytes(2000)}
    there(night, "albums/at both", b"other bytes")
    case.each([*taken.items(), *left.items()], lambda item: night.put(*item))
    counted, = night.command("enqueue", "--task", "night", "--from-source", "--dry-run", "--json").json()
    asked, = night.command("enqueue", "--task", "night", "--from-source", "--json").json()
    for figures in (counted, asked):
        found = {key: figures[key] for key in ("source_objects", "names", "lacking", "different", "excluded")}
        assert found == {"source_objects": 8, "names": 4, "lacking": 3, "different": 1, "excluded": 4}, found
    assert counted["list"] is None, counted
    night.run(synced=4)
    night.assert_arrived(list(taken))
    night.assert_absent(list(left))
    again, = night.command("enqueue", "--task", "night", "--from-source", "--json").json()
    assert (again["names"], again["as_it_is"]) == (0, 4), again
    # Asked for all the same, what the task does not take is ignored.
    night.ask(list(left), "left.txt")
    night.run(ignored=4)
    assert set(night.outcomes(2).values()) == {("ignored", "excluded")}, night.outcomes(2)
    night.assert_absent(list(left))


CASES = [changed_source, changed_source_in_parts, newer_or_older, overwritten_there,
         overwrite_never, overwrite_always, overwrite_checksum, duplicates, enqueue_and_withdraw,
         under_a_prefix, what_the_destination_lacks]
