"""Cases about what `check` finds when others have been at the copies."""

import random
import time

from cases_rules import LATER, there
from server import MIB


def found(ended):
    """finding -> names, and the figures, of the one task."""
    told, = ended.json()
    findings = {}
    for finding in told["findings"]:
        findings.setdefault(finding["finding"], []).append(finding["name"])
    return {kind: sorted(names) for kind, names in findings.items()}, told


def check_finds_and_mends(case):
    """boto3 removes, alters and adds; check finds exactly that, and a run mends it."""
    night = case.night()
    names = [f"2026/11/{number:04}.jpg" for number in range(300)]
    names += ["with space.jpg", "a+b.jpg", "100%.jpg", "ü/ø.jpg", "q?x=1&y#z", "zz\tTAB"]
    night.put_all({name: f"bytes of {number:06}".encode() for number, name in enumerate(names)})
    night.put("large", random.Random(3).randbytes(24 * MIB))
    names.append("large")
    night.ask([name for name in names], "1.url.txt")
    night.run(synced=len(names))
    right, told = found(night.command("check", "--json"))
    assert right == {}, right
    assert told["copies"] == told["right"] == len(names), told

    time.sleep(LATER)
    gone = names[10:300:30] + ["with space.jpg"]
    altered = names[5:300:50] + ["a+b.jpg", "100%.jpg"]
    foreign = ["2026/11/0000.jpg.bak", "theirs with space", "ö"]
    client, bucket = night.destination.client, night.destination_bucket
    for name in gone:
        client.delete_object(Bucket=bucket, Key=name)
    for name in altered:
        there(night, name, b"x" * night.expected[name].size)
    # The same bytes and size, in parts of another size: another entity tag.
    night.destination.put_multipart(bucket, "large", random.Random(4).randbytes(24 * MIB))
    for name in foreign:
        there(night, name, b"theirs")
    night.put("2026/11/0001.jpg", b"a newer version")

    findings, told = found(night.command("check", "--json", "--requeue", code=4))
    wanted = {"gone": sorted(gone), "changed": sorted([*altered, "large"]),
              "newer_at_source": ["2026/11/0001.jpg"], "foreign": sorted(foreign)}
    assert findings == wanted, f"found {findings}, not {wanted}"
    mended = len(gone) + len(altered) + 2
    assert told["requeued"] == mended, told["requeued"]
    assert told["unsettled"] == told["unanswered"] == 0, told
    sampled, figures = found(night.command("check", "--sample", "1000", "--json", code=4))
    del wanted["foreign"]
    assert sampled == wanted, f"the sample found {sampled}, not {wanted}"
    case.remark(f"{told['requests']} requests for {told['copies']} copies, {figures['requests']} "
                "for all of them one by one")

    night.run(synced=mended)
    night.assert_arrived()
    findings, told = found(night.command("check", "--json"))
    assert findings == {"foreign": sorted(foreign)}, findings
    assert {row["run"] for row in night.rows("SELECT run FROM mends")} == {2}
    for name in foreign:
        assert night.destination.bytes(bucket, name) == b"theirs", f"{name} was touched"


CASES = [check_finds_and_mends]
