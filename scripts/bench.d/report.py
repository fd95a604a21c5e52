"""The page of a bench: a table for the README, and a page with every figure."""

from statistics import median

import chart
import clients
import tools
from ends import TITLES
from profiles import PROFILES
from results import CLIENTS, FIGURES, cases, requests, short

DOCS = tools.ROOT / "docs" / "bench"


def publish(kept):
    """Writes the chart, the whole page, and the tables at their places in the README."""
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / "speed.svg").write_text(chart.svg(cases(kept["rows"], list(PROFILES))), "utf-8")
    (DOCS / "README.md").write_text(page(kept), "utf-8")
    readme = tools.ROOT / "README.md"
    text = readme.read_text("utf-8")
    for place, lines in (("speed", cases_table(kept)), ("memory", memory_table(kept))):
        if lines:
            text = placed(text, place, lines)
    readme.write_text(text, "utf-8")


def placed(text, place, lines):
    """The text with new lines between the two marks of a place."""
    begin, end = f"<!-- {place}: made by scripts/bench --publish -->", f"<!-- /{place} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"bench: README.md has no place for {place}: {begin} … {end}")
    return "\n".join([before + begin, *lines, end + after])


def short_tables(kept):
    """The tables of the README."""
    return "\n".join([*cases_table(kept), "", *memory_table(kept)])


def cases_table(kept):
    """In each cell rclone · rclone at its best · **Nightferry**."""
    if not kept["rows"]:
        return []
    lines = ["| work | client CPU for each | wall time | peak memory | requests |", "|--" * 5 + "|"]
    for case, by_client in cases(kept["rows"], list(PROFILES)).items():
        cells = [" · ".join(cell(by_client.get(name), figure, name) for name in CLIENTS)
                 + unit(by_client, figure) for figure in FIGURES.values()]
        lines.append(f"| {title(case)} | " + " | ".join(cells) + " |")
    return [*lines, "", facts(kept)]


def cell(row, figure, name):
    text = short(figure(row)[0]) if row else "–"
    return f"**{text}**" if name == "nightferry" else text


def unit(by_client, figure):
    text = figure(next(iter(by_client.values())))[1]
    return f" {text}" if text else ""


def title(case):
    profile, servers, latency_ms = case
    distance = f", {latency_ms} ms away" if latency_ms else ""
    return f"{profile}, {TITLES[servers]}{distance}"


def facts(kept):
    """When, where and of what; a line under the table."""
    rows = kept["rows"]
    runs = " or ".join(map(str, sorted({row["runs"] for row in rows})))
    dates = " and ".join(sorted({row["measured_on"] for row in rows}))
    commits = ", ".join(sorted({row["commit"] for row in rows}))
    versions = ", ".join(f"{name} {version}" for name, version in kept["versions"].items())
    load = max(row["load"] for row in rows)
    busy = f", while others kept it busy (load {load:.0f})" if load > 2 else ""
    return (f"Medians of {runs} timed runs each, {dates}, on {kept['machine']}, which carried "
            f"client and servers{busy}. Nightferry at {commits}, {versions}.")


def memory_table(kept):
    if not kept["memory"]:
        return []
    lines = ["| `nightferry run` | peak memory | wall | CPU for each | ledger for each |",
             "|--|--|--|--|--|"]
    for row in sorted(kept["memory"], key=lambda row: (row["what"] != "names", row["amount"])):
        if row["what"] == "names":
            each = (f"{short(row['cpu_s'] / row['amount'] * 1e6)} µs",
                    f"{short(row['ledger_bytes'] / row['amount'])} B")
        else:
            each = f"{short(row['cpu_s'] / row['amount'])} s", "–"
        what = f"{row['amount']:,} names, all ignored" if row["what"] == "names" \
            else f"one object of {row['amount']} GiB"
        lines.append(f"| {what} | {short(row['peak_mib'])} MiB | {short(row['wall_s'])} s | "
                     f"{each[0]} | {each[1]} |")
    return lines


def page(kept):
    """Everything: profiles, settings, each client's figures with their range, requests by kind."""
    parts = ["# Speed", "", "Made by `scripts/bench`, which installs and runs all of this; "
             "[README](../../README.md#speed) has the short form.", "", "![](speed.svg)", "",
             "| work | servers | latency | client | CPU | wall s (least to most) | CPU s | "
             "peak MiB | requests at the source | at the destination | "
             "for each object |", "|--" * 11 + "|"]
    for by_client in cases(kept["rows"], list(PROFILES)).values():
        parts += [full_line(by_client[name]) for name in CLIENTS if name in by_client]
    parts += ["", facts(kept), "", f"Place: {kept['place']}.", "", *memory_table(kept), "",
              "## What is measured", ""]
    parts += [f"- *{p.name}*: {p.what}" for p in PROFILES.values()]
    parts += ["", METHOD, "", "## Settings", "", f"- Nightferry: {clients.Nightferry.settings}"]
    for profile in PROFILES.values():
        for best in (False, True):
            parts.append(f"- rclone{' at its best' if best else ''}, {profile.name}: "
                         + settings(profile, best))
    return "\n".join(parts) + "\n"


def full_line(row):
    value, per = FIGURES["client CPU"](row)
    ends = [", ".join(f"{count:,} {kind}" for kind, count in row["requests"][end].items())
            for end in ("source", "destination")]
    cells = [row["profile"], TITLES[row["servers"]], f"{row['latency_ms']} ms",
             CLIENTS[row["client"]], f"{short(value)} {per}", span(row["wall_s"]),
             span(row["cpu_s"]), span(row["peak_mib"]), *ends, f"{requests(row)[0]:.3f}"]
    return f"| {' | '.join(cells)} |"


def span(values):
    return f"{short(median(values))} ({short(min(values))} to {short(max(values))})"


def settings(profile, best):
    flags, environment = clients.rclone_settings(profile, best, 0)
    words = [*(f"{key}={value}" for key, value in environment.items()), "rclone copy", *flags]
    return f"`{' '.join(words)}{' --files-from-raw LIST' if profile.sparse else ''}`"


METHOD = """\
CPU is user and system time of the client's process alone, for an object or a GiB; wall time is
the whole machine's, servers included. Every client runs once to warm up, through a relay that
counts its requests by method and path, and then in turn with the others, each time to an empty
destination (*ignore*: to a bucket of its own that it filled itself before). After each run a
third client reads every object at the destination, and boto3 two hundred of them: bytes by
SHA-256, content type, cache control and user metadata are the source's. Nightferry's runs take
their names from a list, keep the ledger, and write and deliver their lists, and the books must
balance. rclone has `-M` in all settings, for without it metadata does not arrive; what else makes
it faster is its best: nothing is verified at the destination, and sizes alone decide what is
there already. With latency, its best has 64 transfers, as Nightferry has 64 workers."""
