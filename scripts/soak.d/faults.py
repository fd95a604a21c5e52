"""Nights through a hostile proxy before either bucket.

Every night is one run with a limit of time. What failed in a night is taken up
by `retry` or, where the program has no such command, asked for anew: the carry-over
takes up a failed request only once per local day, and days do not pass here.
"""

import json
import time

from ship import TASK, Violation

RATES = {"--slow-down": 0.20, "--reset": 0.05, "--truncate": 0.03, "--alter": 0.01, "--stall": 0.01}
NIGHTS = 12
NIGHT_SECONDS = 300
# What was in flight at the limit may end, then come lists and their delivery.
GRACE_SECONDS = 180


def go(ship, at, randomness, results, asked, deadline):
    server = ship.source
    proxies = []
    for side, seed in (("source", 1), ("destination", 2)):
        options = [f"{name}={rate}" for name, rate in RATES.items()]
        options += [f"--stall-seconds={asked.stall_seconds}", f"--seed={asked.seed * 10 + seed}"]
        process, end = at.proxy(server, options)
        proxies.append((side, process))
        setattr(ship, side, end)
    ship.settings = {"memory": "16MiB"}
    ship.prepare()
    ship.put(sizes(asked.faults_objects, randomness))
    time.sleep(1.1)
    (ship.inbox / "all.txt").write_text("".join(name + "\n" for name in ship.hashes))
    nights = sail(ship, results, deadline)
    judge(ship, results, nights)
    for side, process in proxies:
        results.note(f"the proxy of the {side}", counts(at.end(process)))


def sizes(count, randomness):
    """Small objects, some larger, a few in parts."""
    sizes = {}
    for number in range(count):
        size = randomness.randrange(1, 8192)
        if number % 20 == 1:
            size = randomness.randrange(64 << 10, 2 << 20)
        if number % 150 == 2:
            size = randomness.randrange(6 << 20, 17 << 20)
        sizes[f"{number % 7}/{number:05}.bin"] = size
    return sizes


def sail(ship, results, deadline):
    """Nights until nothing is left; how many there were."""
    can_retry = ship.has("retry")
    for night in range(1, NIGHTS + 1):
        ended = ship.wait(ship.start("run", "--max-duration", f"{NIGHT_SECONDS}s"),
                          NIGHT_SECONDS + GRACE_SECONDS)
        if ended.code not in (0, 4, 6, 7, 9):
            raise Violation(f"a night ended with {ended.code}: {ended.tail()}")
        ship.check_ledger()
        results.passed("nights")
        check_synced(ship, night)
        failed = [name for name, in ship.rows("SELECT DISTINCT name FROM failed_requests")]
        unmade = [name for name in failed if not has_outcome(ship, name)]
        if ended.code in (0, 4, 7) and not unmade and not ship.pending():
            return night
        if time.monotonic() > deadline:
            raise Violation(f"{len(unmade)} objects failed and {ship.pending()} requests pend "
                            "at the end of the time given")
        if can_retry and failed:
            ship.does("retry", "--task", TASK)
        elif unmade:
            (ship.inbox / f"again-{night}.txt").write_text("".join(f"{n}\n" for n in unmade))
    raise Violation(f"{len(unmade)} objects have not arrived in {NIGHTS} nights")


def has_outcome(ship, name):
    """Whether a request for the name was synced or ignored."""
    return bool(ship.rows("SELECT 1 FROM requests WHERE name = ? "
                          "AND state IN ('synced', 'ignored')", name))


def check_synced(ship, run):
    """What the ledger calls synced has, directly asked, the bytes of the source."""
    synced = [name for name, in ship.rows(
        "SELECT DISTINCT name FROM object_history WHERE outcome = 'synced' "
        "AND run = (SELECT max(run) FROM run_history)")]
    false = ship.differences(synced)
    if false:
        raise Violation(f"night {run}: {len(false)} falsely synced: {false[:3]}")


def judge(ship, results, nights):
    results.expect("identical", ship.differences(list(ship.hashes)), "", len(ship.hashes))
    final = ship.rows("SELECT name, reason FROM requests WHERE state = 'failed' "
                      "AND reason = 'source_missing'")
    results.expect("not called missing", final, "objects that exist", len(ship.hashes))
    strange = set(ship.destination.keys(ship.destination_bucket)) - set(ship.hashes)
    strange = [key for key in strange if not key.startswith("oms/sync_task/")]
    results.expect("nothing strange", strange, "at the destination", len(ship.hashes))
    results.expect("uploads", ship.stray_uploads(),
                       "left behind with parts and not in the ledger", len(ship.hashes))
    results.note("nights", str(nights))
    for row in ship.rows("SELECT run, taken, synced, failed, ignored, deferred, retries, throttled, "
                         "requests_sent, (ended_at - started_at) / 1000, exit_code "
                         "FROM run_history ORDER BY run"):
        results.note("run, taken, synced, failed, ignored, deferred, retries, throttled, requests, "
                     "s, exit", ", ".join(map(str, row)))


def counts(said):
    lines = said.strip().splitlines()
    return ", ".join(f"{k} {v}" for k, v in json.loads(lines[-1]).items()) if lines else "silent"
