"""Runs every case for every pair of servers and prints one table."""

import argparse
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cases_archive
import cases_checks
import cases_content
import cases_credentials
import cases_events
import cases_rules
import cases_spots
import cases_trouble
import cases_written
import probes
from night import Night, Skip
from server import Server, each

MODULES = [cases_content, cases_rules, cases_checks, cases_events, cases_trouble,
           cases_credentials, cases_written, cases_spots, cases_archive]
CASES = {case.__name__: case for module in MODULES for case in module.CASES}
CASE_SECONDS = 1200


@dataclass
class Case:
    """What a case gets to work with."""
    name: str
    source: Server
    destination: Server
    binary: str
    folder: Path
    quick: bool
    nights: list = field(default_factory=list)
    remarks: list = field(default_factory=list)
    proofs: Counter = field(default_factory=Counter)
    each = staticmethod(each)

    def night(self, source_bucket=True, destination_bucket=True, source_options=None,
              destination_options=None, **options):
        number = len(self.nights) + 1
        night = Night(self.binary, self.folder / str(number), self.source, self.destination,
                      f"cf-{self.name.replace('_', '-')}-{number}", options,
                      source_options or {}, destination_options or {})
        self.nights.append(night)
        return night.prepare(source_bucket, destination_bucket)

    def remark(self, text):
        self.remarks.append(text)

    def note(self, night):
        """Counts how the copies of a night were proven."""
        for row in night.rows("SELECT verified, count(*) AS n FROM object_history "
                              "WHERE outcome = 'synced' GROUP BY 1"):
            self.proofs[row["verified"]] += row["n"]


@dataclass
class Result:
    case: str
    pair: str
    word: str  # ok, FAILED or skipped
    seconds: float = 0
    said: str = ""
    proofs: Counter = field(default_factory=Counter)


def main():
    options = arguments()
    for server in options.server:
        probes.kept_headers(server)
    results = []
    for source, destination in pairs(options.server):
        for name in options.only or CASES:
            results.append(run_case(name, source, destination, options))
            print_progress(results[-1])
    print_table(results)
    failed = report(results)
    sys.exit(1 if failed else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", action="append", type=Server.read, default=[])
    parser.add_argument("--binary")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--list", action="store_true", help="name the cases")
    options = parser.parse_args()
    if options.list:
        for name, case in CASES.items():
            print(f"{name:28} {case.__doc__}")
        sys.exit(0)
    if unknown := set(options.only or ()) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    return options


def pairs(servers):
    """Each server with itself; with several, also each with the next."""
    same = [(server, server) for server in servers]
    ring = list(zip(servers, servers[1:] + servers[:1], strict=True)) if len(servers) > 1 else []
    return same + ring


def title(source, destination):
    return source.name if source is destination else f"{source.name} → {destination.name}"


def run_case(name, source, destination, options):
    pair = title(source, destination)
    folder = options.work / pair.replace(" → ", "-to-") / name
    case = Case(name, source, destination, options.binary, folder, options.quick)
    began = time.monotonic()

    def result(word, said):
        return Result(name, pair, word, time.monotonic() - began, said, case.proofs)

    def too_long(*_):
        raise TimeoutError(f"not done within {CASE_SECONDS} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(CASE_SECONDS)
    try:
        CASES[name](case)
        answer = result("ok", "; ".join(case.remarks))
        shutil.rmtree(folder, ignore_errors=True)
    except Skip as skip:
        answer = result("skipped", str(skip))
    except Exception as error:  # whatever goes wrong is this case's failure, not the table's end
        place = traceback.extract_tb(error.__traceback__)
        lines = [(Path(frame.filename).name, frame.lineno) for frame in place]
        where = next((f" [{file}:{line}]" for file, line in reversed(lines)
                      if file.startswith("cases_")), "")
        answer = result("FAILED", f"{type(error).__name__}: {error}{where}")
    finally:
        signal.alarm(0)
        clean(case)
    return answer


def clean(case):
    for night in case.nights:
        try:
            night.drop()
        except Exception as error:
            print(f"  (buckets of {case.name} are left: {error})", file=sys.stderr)


def print_progress(result):
    line = f"{result.word:8} {result.pair}: {result.case} ({result.seconds:.1f} s)"
    print(line + (f" – {result.said}" if result.said else ""), file=sys.stderr, flush=True)


def print_table(results):
    columns = list(dict.fromkeys(result.pair for result in results))
    cells = {(r.case, r.pair): f"{r.word} {r.seconds:.1f} s" for r in results}
    rows = [["case", *columns]]
    rows += [[case, *(cells.get((case, pair), "") for pair in columns)]
             for case in dict.fromkeys(result.case for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("| " + " | ".join(padded) + " |")
    print()


def report(results):
    for result in results:
        if result.said:
            print(f"{result.word} {result.pair}: {result.case}: {result.said}")
    for pair in dict.fromkeys(result.pair for result in results):
        proofs = sum((r.proofs for r in results if r.pair == pair), Counter())
        if proofs:
            said = ", ".join(f"{proof} {count}" for proof, count in proofs.most_common())
            print(f"{pair}: copies proven by {said}")
    words = Counter(result.word for result in results)
    skipped = f", {words['skipped']} skipped" if words["skipped"] else ""
    print(f"\n{words['ok']} passed, {words['FAILED']} failed{skipped}")
    return words["FAILED"]


if __name__ == "__main__":
    main()
