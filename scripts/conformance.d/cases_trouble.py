"""Cases about what goes wrong: missing things, refusals, stops, kills; and the paper trail."""

import hashlib
import json
import random
import socket

import books
import probes
from night import Skip, interrupt


def pending(night):
    """name -> deferral"""
    rows = night.rows("SELECT name, deferral FROM pending_requests")
    return {row["name"]: row["deferral"] for row in rows}


def creation_failures(night):
    """file name -> [(cause, name)] of the local lists of what could not begin."""
    folder = night.root / "failed_object_lists" / "creation_failures"
    found = {}
    for path in sorted(folder.glob("*.failed_list.txt")):
        lines = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
        found[path.name] = [(line[0], books.unescape(line[3])) for line in lines]
    return found


def expect_could_not_begin(night, cause, names):
    """A run that ends with 9, leaves all pending and says so in creation_failures."""
    before = creation_failures(night)
    night.run(code=9, synced=0, failed=0, ignored=0)
    assert set(pending(night)) >= set(names), f"pending: {pending(night)}"
    assert set(pending(night).values()) == {"could_not_begin"}, pending(night)
    new = [line for file, lines in creation_failures(night).items()
           if file not in before for line in lines]
    assert sorted(new) == sorted((cause, name) for name in names), f"creation_failures: {new[:5]}"


def source_missing(case):
    """Names that the source does not have fail at once and for good."""
    night = case.night()
    night.put_all({"here": b"here"})
    night.ask(["here", "gone", "gone, too/ü"])
    night.run(code=4, taken=3, synced=1, failed=2)
    assert night.reasons(1) == {("synced", None): 1, ("failed", "source_missing"): 2}
    failed = night.rows("SELECT * FROM failed_requests")
    assert [row["carried_over"] for row in failed] == [0, 0], "source_missing is final at once"
    assert {row["http_status"] for row in failed} == {404}, failed
    night.assert_arrived()
    night.run(taken=0)


def destination_bucket_missing(case):
    """Exit 9 and a list of what waits; once the bucket is there, all is carried."""
    night = case.night(destination_bucket=False)
    night.put_all({"a": b"a", "b\tb": b"b"})
    night.ask(night.expected, "1.txt")
    expect_could_not_begin(night, "bucket_missing", ["a", "b\tb"])
    night.put("c", b"c")
    night.ask(["c"], "2.txt")
    expect_could_not_begin(night, "bucket_missing", ["c"])
    expect_could_not_begin(night, "bucket_missing", [])
    night.destination.make_bucket(night.destination_bucket)
    night.run(taken=3, synced=3)
    night.assert_arrived()
    prefix = "oms/sync_task/night/failed_object_lists/creation_failures/"
    delivered = {key.removeprefix(prefix)
                 for key in night.destination.keys(night.destination_bucket, prefix)}
    assert delivered == set(creation_failures(night)), f"owed lists delivered: {delivered}"


def source_bucket_missing(case):
    """Exit 9, nothing lost."""
    night = case.night(source_bucket=False)
    night.ask(["a"])
    expect_could_not_begin(night, "bucket_missing", ["a"])


def wrong_secret(case):
    """At either side: exit 9, credentials_refused, nothing lost."""
    sides = [side for side, server in (("source", case.source), ("destination", case.destination))
             if probes.checks_credentials(server)]
    if not sides:
        raise Skip("takes any credentials")
    for side in sides:
        night = case.night(**{f"{side}_options": {"secret_access_key": "not-the-secret-of-it"}})
        night.put_all({"a": b"a"})
        night.ask(["a"])
        expect_could_not_begin(night, "credentials_refused", ["a"])
        getattr(night, f"{side}_options").clear()
        night.write_config()
        night.run(synced=1)
        night.assert_arrived()


def unknown_key(case):
    """An access key that the server does not know: exit 9, credentials_refused."""
    sides = [side for side, server in (("source", case.source), ("destination", case.destination))
             if probes.checks_credentials(server)]
    if not sides:
        raise Skip("takes any credentials")
    for side in sides:
        night = case.night(**{f"{side}_options": {"access_key_id": "NOSUCHKEY0000000000A"}})
        night.put_all({"a": b"a"})
        night.ask(["a"])
        expect_could_not_begin(night, "credentials_refused", ["a"])


def stranger(case):
    """Valid keys of a user who may nothing: exit 9, permission_missing."""
    sides = [(side, server) for side, server in
             (("source", case.source), ("destination", case.destination)) if server.stranger]
    if not sides:
        raise Skip("has no users")
    for side, server in sides:
        key, secret = server.stranger
        night = case.night(**{f"{side}_options": {"access_key_id": key,
                                                  "secret_access_key": secret}})
        night.put_all({"a": b"a"})
        night.ask(["a"])
        expect_could_not_begin(night, "permission_missing", ["a"])


def as_stranger(case, side, server):
    """A night in which one side is the second user; None if the server has none to let in."""
    if not probes.knows_policies(server):
        case.remark(f"{side}: {server.name} has no users or no bucket policies")
        return None
    key, secret = server.stranger
    night = case.night(**{f"{side}_options": {"access_key_id": key, "secret_access_key": secret}})
    if side == "destination":
        night.reader = server.second()  # whoever writes an object owns it
    return night


def denied_objects(case):
    """A policy forbids some objects: those fail, are carried over, and follow once it is gone."""
    for side, server, action, cause in (
            ("source", case.source, "s3:GetObject", "source_denied"),
            ("destination", case.destination, "s3:PutObject", "destination_denied")):
        night = as_stranger(case, side, server)
        if not night:
            continue
        bucket = getattr(night, f"{side}_bucket")
        night.put_all({"a": b"a", "closed/b": b"b", "closed/c": b"c"})
        probes.allow_stranger(server, bucket, denied=(action, "closed/*"))
        night.ask(night.expected)
        night.run(code=4, synced=1, failed=2)
        assert night.reasons(1) == {("synced", None): 1, ("failed", cause): 2}, night.reasons(1)
        failed = night.rows("SELECT carried_over, http_status FROM failed_requests")
        assert failed == [{"carried_over": 1, "http_status": 403}] * 2, failed
        probes.allow_stranger(server, bucket)
        night.run(taken=2, synced=2)
        night.assert_arrived()
    if not case.nights:
        raise Skip("; ".join(case.remarks))


def denied_bystander(case):
    """An object that may not be read, and that nobody asked for, does not stop the night."""
    night = as_stranger(case, "source", case.source)
    if not night:
        raise Skip(case.remarks[0])
    night.put_all({"a closed": b"a", "open": b"b"})
    probes.allow_stranger(case.source, night.source_bucket, denied=("s3:GetObject", "a closed"))
    night.ask(["open"])
    night.run(synced=1)
    night.assert_arrived(["open"])


def unreachable(case):
    """Nothing answers at the destination's endpoint."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # held, never listening: refused by the kernel
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        night = case.night(destination_options={"endpoint": endpoint})
        night.put_all({"a": b"a"})
        night.ask(["a"])
        expect_could_not_begin(night, "endpoint_unreachable", ["a"])
    night.destination_options.clear()
    night.write_config()
    night.run(synced=1)
    night.assert_arrived()


def limit(case):
    """--limit defers the rest to the next run."""
    night = case.night()
    night.put_all({f"{n}": b"x" for n in range(10)})
    night.ask(night.expected)
    night.run("--limit", "4", code=6, taken=10, synced=4, deferred=6)
    assert set(pending(night).values()) == {"limit"}, pending(night)
    night.run(taken=6, synced=6)
    night.assert_arrived()


def _many(case):
    """A night with work for some seconds."""
    night = case.night()
    dice = random.Random(4)
    bodies = [dice.randbytes(400_000) for _ in range(10)]
    count = 400 if case.quick else 1000
    night.put_all({f"many/{n:04}": bodies[n % 10] for n in range(count)})
    night.ask(night.expected)
    process = night.start("run")
    night.wait_until("the first objects of the run", "SELECT 1 FROM books WHERE synced > 0")
    return night, process, count


def stopped(case):
    """SIGTERM at half the way: exit 6, the rest pending. Meanwhile a second run: exit 5."""
    night, process, count = _many(case)
    second = night.wait(night.start("run"))
    interrupt(process)
    first = night.wait(process)
    assert second.code == 5, f"a second run beside the first ended with {second.code}"
    if first.code == 0:
        raise Skip("the run ended before it could be stopped")
    night.ended(first, 6, taken=count, failed=0)
    assert set(pending(night).values()) == {"stopped"}
    left = len(pending(night))
    night.run(taken=left, synced=left)
    night.assert_arrived()


def killed(case):
    """SIGKILL at half the way: the next run knows it was interrupted, and finishes."""
    night, process, count = _many(case)
    process.kill()
    night.wait(process)
    night.runs += 1
    night.run(failed=0, deferred=0)
    states = [row["state"] for row in night.rows("SELECT state FROM run_history ORDER BY run")]
    assert states == ["interrupted", "ended"], states
    total, = night.rows("SELECT requested, synced, ignored, pending FROM books")
    assert total["synced"] + total["ignored"] == count, total
    night.assert_arrived()


def paper_trail(case):
    """The task's lists at the destination, lists made again, and the commands that check."""
    night = case.night()
    night.put_all({"a": b"a", "b\tb": b"bb", "c": b"c"})
    night.ask(["a", "b\tb", "gone"], "deep/er/1.txt")
    night.run(code=4, synced=2, failed=1)
    night.ask(["a", "c"], "2.txt")
    night.run(synced=1, ignored=1)
    for file in ("deep/er/1.txt", "2.txt"):
        local = (night.root / "object_lists" / file).read_bytes()
        key = f"oms/sync_task/night/object_lists/{file}"
        assert night.destination.bytes(night.destination_bucket, key) == local, f"{key} differs"
    night.command("verify", "--task", "night")
    night.command("ledger", "check")
    for run in ("1", "2"):
        out = night.folder / f"export{run}"
        night.command("export", "--task", "night", "--run", run, "--out", str(out))
        made = {hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*.txt")}
        said = {entry["sha256"] for p in (night.root / "manifests").glob(f"*_{run}.manifest.json")
                for entry in json.loads(p.read_text())["lists"]}
        assert made == said, f"the lists of run {run}, made again, are not the same bytes"
    key = next(night.destination.keys(night.destination_bucket,
                                      "oms/sync_task/night/success_object_lists/"))
    night.destination.put(night.destination_bucket, key, b"forged\n")
    tampered = night.wait(night.start("verify", "--task", "night"))
    assert tampered.code != 0, "verify does not see that a delivered list was altered"


def check(case):
    """`check` compares the destination with the ledger, and sees what others did there."""
    night = case.night()
    night.needs("check")
    night.put_all({"stays": b"a", "goes": b"b"})
    night.ask(night.expected)
    night.run(synced=2)
    night.command("check")
    night.destination.client.delete_object(Bucket=night.destination_bucket, Key="goes")
    after = night.wait(night.start("check"))
    assert after.code != 0 or "goes" in after.stdout, "check does not miss a deleted object"


def dry_run(case):
    """Says what it would do, and does none of it."""
    night = case.night()
    night.put_all({"a": b"a"})
    night.ask(["a"])
    night.command("run", "--dry-run")
    night.assert_absent(["a"])
    night.run(taken=1, synced=1)
    night.assert_arrived()


def retry(case):
    """A failed request is asked for again once the source has the object."""
    night = case.night()
    night.needs("retry")
    night.ask(["late"])
    night.run(code=4, failed=1)
    night.put("late", b"here now")
    night.command("retry", "--task", "night")
    night.run(taken=1, synced=1)
    night.assert_arrived()


CASES = [source_missing, destination_bucket_missing, source_bucket_missing, wrong_secret,
         unknown_key, stranger, denied_objects, denied_bystander, unreachable, limit,
         stopped, killed, paper_trail, check, dry_run, retry]
