"""Cases about copies that others altered in place: spot checks and suspects."""

import random
import time

from cases_rules import LATER, at_destination, there
from server import MIB


def spot_check_finds(case):
    """boto3 alters copies in place and removes one; the next night's spot check finds these."""
    night = case.night(spot_check=500)
    names = [f"2026/11/{number:03}.jpg" for number in range(40)] + ["with space", "a+b", "ü/ø"]
    night.put_all({name: f"bytes of {number:06}".encode() for number, name in enumerate(names)})
    large = random.Random(5).randbytes(24 * MIB)
    night.put("large", large)
    names.append("large")
    night.ask(names, "1.url.txt")
    night.run(synced=len(names))
    checked, = night.rows("SELECT * FROM spot_checks")
    assert (checked["copies"], checked["copies_drifted"]) == (len(names), 0), checked
    time.sleep(LATER)
    altered = ["2026/11/007.jpg", "a+b"]
    for name in altered:
        there(night, name, b"x" * night.expected[name].size)
    # One byte of many, in parts as before.
    turned = large[:-1] + bytes([large[-1] ^ 1])
    night.destination.put_multipart(night.destination_bucket, "large", turned)
    night.destination.client.delete_object(Bucket=night.destination_bucket, Key="with space")
    night.run(code=4)
    findings = {row["name"]: row["finding"] for row in night.rows("SELECT * FROM spot_findings")}
    assert findings == {"with space": "gone", "large": "differs",
                        **dict.fromkeys(altered, "differs")}, findings
    _, checked = night.rows("SELECT * FROM spot_checks ORDER BY run")
    assert checked["undecided"] == 0, checked
    told, = night.command("check", "--deep", "500", "--json", code=4).json()
    deep = {found["name"]: found["finding"] for found in told["findings"]}
    assert deep == findings and told["undecided"] == 0, told
    case.remark(f"{checked['copies']} copies compared, {checked['copies_drifted']} drifted")


def suspects_are_told(case):
    """boto3 alters a copy in place and leaves its size; asked for again it is suspect."""
    night = case.night()
    night.put_all({"altered": b"source", "copied": b"source", "put by others": b"source"})
    night.ask(night.expected, "1.txt")
    night.run(synced=3)
    time.sleep(LATER)
    there(night, "altered", b"there!")
    there(night, "put by others", b"source")
    night.ask(night.expected, "2.txt")
    night.run(ignored=3)
    suspects = [(row["name"], row["reason"]) for row in night.rows("SELECT * FROM suspect_objects")]
    assert suspects == [("altered", "newer_at_destination")], suspects
    assert at_destination(night, "altered") == b"there!", "a suspect was copied unasked"
    night.options["overwrite"] = "checksum"
    night.write_config()
    night.ask(["altered"], "3.txt")
    night.run(synced=1)
    night.assert_arrived()
    assert not night.rows("SELECT * FROM suspect_objects")


CASES = [spot_check_finds, suspects_are_told]
