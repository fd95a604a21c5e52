"""What must hold after every run, whatever the case is about: the books balance, the
lists say what the ledger says, the destination holds them, and no secret has leaked."""

import hashlib
import json
import re
import urllib.parse

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00")  # Asia/Shanghai
OUTCOME_LISTS = {"success": "synced", "skip": "ignored", "failed": "failed"}
ESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def check(night, ended, last):
    """`last` is the run's row of run_history."""
    assert last["state"] == "ended", f"the run's state is {last['state']}"
    assert last["exit_code"] == ended.code, \
        f"run_history says exit {last['exit_code']}, the process said {ended.code}"
    _check_views(night)
    _check_secrets(night, ended)
    if last["taken"] == 0:
        manifests = [p for p in (night.root / "manifests").glob("*") if last["run_name"] in p.name]
        assert not manifests, "a run that took nothing has a manifest"
    elif ended.code not in (7, 9):
        _check_lists(night, last)


def _check_views(night):
    books, = night.rows("SELECT * FROM books")
    settled = books["synced"] + books["failed"] + books["ignored"]
    assert books["balanced"] == 1, f"the books do not balance: {books}"
    assert books["requested"] == settled + books["pending"], f"the books do not add up: {books}"
    counted = {row["state"]: row["n"] for row in
               night.rows("SELECT state, count(*) AS n FROM requests GROUP BY 1")}
    for state in ("synced", "failed", "ignored", "pending"):
        assert books[state] == counted.get(state, 0), f"books {books}, but requests {counted}"
    for run in night.rows("SELECT * FROM run_history"):
        total = run["synced"] + run["failed"] + run["ignored"] + run["deferred"]
        assert run["taken"] == total, f"run {run['run']} took {run['taken']}, accounts for {total}"
    for month in night.rows("SELECT * FROM month_summary"):
        after = sum(month[k] for k in ("synced", "failed", "ignored", "pending_at_end"))
        assert month["pending_at_start"] + month["requested"] == after, f"month {month}"
    days, = night.rows("SELECT sum(requested) AS requested, sum(synced) AS synced, "
                       "sum(failed) AS failed, sum(ignored) AS ignored FROM day_summary")
    for key, value in days.items():
        assert value == books[key], f"day_summary says {days}, books {books}"


def _check_secrets(night, ended):
    """No secret key, signature or presigned URL in what the program writes or says."""
    secrets = {night.source.secret_access_key, night.destination.secret_access_key,
               "X-Amz-Signature", "x-amz-signature"}
    secrets |= {options["secret_access_key"] for options in
                (night.source_options, night.destination_options) if options.get("secret_access_key")}
    texts = {"stdout": ended.stdout.encode(), "stderr": ended.stderr.encode()}
    texts |= {str(path.relative_to(night.data)): path.read_bytes()
              for path in night.data.rglob("*") if path.is_file()}
    for place, text in texts.items():
        for secret in secrets:
            assert secret.encode() not in text, f"{place} holds a secret or a signature"


def _check_lists(night, last):
    """The run's manifest and lists: here, delivered, hashed, and equal to the ledger."""
    prefix = f"oms/sync_task/{night.options.get('id', 'night')}/"
    path = f"manifests/{last['run_name']}.manifest.json"
    manifest = json.loads(_delivered(night, prefix, path))
    for key in ("taken", "synced", "failed", "ignored", "deferred"):
        assert manifest["books"][key] == last[key], f"the manifest's books: {manifest['books']}"
    lines = dict.fromkeys(OUTCOME_LISTS, ())
    for entry in manifest["lists"]:
        data = _delivered(night, prefix, entry["path"])
        found = {"lines": data.count(b"\n"), "bytes": len(data),
                 "sha256": hashlib.sha256(data).hexdigest()}
        said = {key: entry[key] for key in found}
        assert said == found, f"{entry['path']}: the manifest says {said}, it is {found}"
        assert data.endswith(b"\n"), f"{entry['path']} does not end with a line's end"
        kind = entry["path"].split("_", 1)[0]
        assert last["run_name"] in entry["path"], f"{entry['path']} is of another run"
        lines[kind] = [*lines[kind], *(line.split("\t") for line in data.decode().split("\n")[:-1])]
    for kind, state in OUTCOME_LISTS.items():
        _check_lines(night, kind, state, lines[kind], last)


def _delivered(night, prefix, path):
    local = (night.root / path).read_bytes()
    there = night.reader.bytes(night.destination_bucket, prefix + path)
    assert local == there, f"{path} is not the same here and at the destination"
    return local


def _check_lines(night, kind, state, lines, last):
    assert len(lines) == last[state], f"{kind} lists: {len(lines)} lines, {state} {last[state]}"
    if kind == "failed":
        said = [(line[1], unescape(line[3]), line[0]) for line in lines]
        for line in lines:
            assert len(line) == 5, f"not five fields: {line}"
            encoded = urllib.parse.quote(unescape(line[3]), safe="-._~")
            assert line[2] == encoded, f"URL-encoded {line[2]!r}, name {line[3]!r}"
    else:
        # Empty where the source was not asked.
        said = [(line[0], unescape(line[1]), int(line[2]) if line[2] else None) for line in lines]
        assert all(len(line) == 3 for line in lines), "not three fields"
    for time, _, _ in said:
        assert TIME.fullmatch(time), f"time {time!r}"
    assert [s[:2] for s in said] == sorted((s[:2] for s in said),
                                           key=lambda s: (s[0], s[1].encode())), \
        f"the {kind} list is not by time, then name"
    want = night.rows("SELECT name, reason, size_bytes FROM requests WHERE run = ? AND state = ?",
                      last["run"], state)
    if len(want) == last[state]:  # no later run has settled any of them anew
        known = [(r["name"], r["reason"] if kind == "failed" else r["size_bytes"]) for r in want]
        assert sorted(s[1:] for s in said) == sorted(known, key=lambda k: (k[0], k[1])), \
            f"the {kind} list and the ledger differ"
    if kind == "success":
        assert sum(s[2] for s in said) == last["synced_bytes"], "synced_bytes"


def unescape(field):
    return re.sub(r"\\[\\tnr]", lambda match: ESCAPES[match[0]], field)
