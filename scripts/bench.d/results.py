"""What was measured: kept from bench to bench until it is measured anew, and its figures."""

import json
import statistics

import tools

KEPT = tools.WORK / "results.json"
CLIENTS = {"rclone": "rclone", "best": "rclone at its best", "nightferry": "Nightferry"}


def load():
    """All that was kept: {"rows": [...], "memory": [...], ...}."""
    return json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {"rows": [], "memory": []}


def keep(rows=(), memory=(), **facts):
    """Adds to what was kept; the same case measured again takes the place of the older.

    `facts` are the machine, its network, and the versions of what was measured.
    """
    kept = load()
    kept["rows"] = replaced(kept["rows"], rows, ("profile", "servers", "latency_ms", "client"))
    kept["memory"] = replaced(kept["memory"], memory, ("what", "amount"))
    facts["versions"] = kept.get("versions", {}) | facts["versions"]
    KEPT.write_text(json.dumps(kept | facts, indent=1) + "\n", "utf-8")


def replaced(old, new, keys):
    def which(row):
        return tuple(row[key] for key in keys)
    anew = {which(row) for row in new}
    return [row for row in old if which(row) not in anew] + list(new)


def cases(rows, order):
    """The cases in the order of the profiles: (profile, servers, latency_ms) -> client -> row."""
    found = {}
    for row in rows:
        case = row["profile"], row["servers"], row["latency_ms"]
        found.setdefault(case, {})[row["client"]] = row
    # By profile, without latency first; servers stay in the order of their first bench.
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][2])))


def cpu(row):
    """CPU for a unit of work, and the unit: seconds a GiB if bytes are what takes time."""
    seconds = statistics.median(row["cpu_s"])
    if row["bytes"] / row["objects"] > 16 << 20:
        return seconds / (row["bytes"] / 2**30), "s/GiB"
    return seconds / row["objects"] * 1e6, "µs"


def wall(row):
    return statistics.median(row["wall_s"]), "s"


def peak(row):
    return statistics.median(row["peak_mib"]), "MiB"


def requests(row):
    """All requests, at both ends, for one object."""
    return sum(sum(end.values()) for end in row["requests"].values()) / row["objects"], ""


FIGURES = {"client CPU": cpu, "wall time": wall, "peak memory": peak, "requests": requests}


def short(value):
    """A figure as people read it: three digits that count, at most."""
    if value == 0:
        return "0"
    digits = 0 if value >= 99.5 else 1 if value >= 9.95 else 2 if value >= 0.0995 else 4
    return f"{value:,.{digits}f}"
