"""Kills during intake, over lists that change between the runs and while they are at work.

A list may only be treated so that what must come of it does not depend on when
within a run the program looked: before a run all is allowed; beside it lists
grow, appear, move and, if they are loaded, are replaced or cut off once.
"""

import math
import os
import signal
import threading
import time
from collections import Counter

from inbox import Inbox
from ship import Violation

# Lists of so many lines are committed in several parts.
LARGE_LINES = 130_000
BAD_LINES = [b"a/../b", b"x" * 1025, b"\xff\xfe", b"nul\0nul", b"oms/sync_task/x"]
# `--limit 0`: what is asked for stays pending, so that nothing but intake takes time.
RUN = ["run", "--limit", "0"]


class Folder:
    """The lists, and what may be done to them now."""

    def __init__(self, root, randomness):
        self.root, self.random = root, randomness
        self.number = 0
        self.settled = set()  # loaded to their end, untouched since
        self.pinned = set()  # copied: both copies stay where they are
        self.deleted = {}  # path -> content
        self.unended = set()
        self.done = Counter()

    def paths(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*.txt"))

    def files(self):
        return {f"object_lists/{path}": (self.root / path).read_bytes() for path in self.paths()}

    def lines(self, count, first=True):
        """So many lines that stand in no other list; some blank, some that are no names."""
        self.number += 1
        lines = [b"list %d line %d \xc3\xa9 100%%25" % (self.number, n) for n in range(count)]
        # A list is known by its beginning, so that must be its own.
        for index in range(0 if not first else 1, count, 50):
            draw = self.random.random()
            if draw < 0.3:
                lines[index] = b""
            elif draw < 0.6:
                lines[index] = self.random.choice(BAD_LINES)
            elif draw < 0.8:
                lines[index] += b"\r"
        return b"".join(line + b"\n" for line in lines)

    def size(self):
        draw = self.random.random()
        return LARGE_LINES if draw < 0.01 else self.random.randrange(1, 3000 if draw < 0.2 else 100)

    def place(self, content, path=None):
        """Puts a list at a path all at once."""
        self.number += 1
        ending = ".url.txt" if self.random.random() < 0.3 else ".txt"
        path = path or f"{self.random.choice(['', 'deep/er/', 'other/'])}{self.number}{ending}"
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.parent / f".{self.number}.part"
        part.write_bytes(content)
        part.rename(place)
        self.settled.discard(path)
        return path

    def some(self, among):
        among = sorted(path for path in among if (self.root / path).exists())
        return self.random.choice(among) if among else None

    # What may be done to lists at any time

    def create(self):
        self.place(self.lines(self.size()))

    def grow(self):
        path = self.some(self.paths())
        if not path:
            return
        self.settled.discard(path)
        with open(self.root / path, "ab") as file:
            if path in self.unended:  # its last line was counted: it ends here
                self.unended.discard(path)
                file.write(b"\n")
            for piece in halves(self.lines(self.random.randrange(1, 60), first=False)):
                # A line that comes in two pieces, sooner than it would count.
                file.write(piece)
                file.flush()

    def move(self):
        path = self.some(set(self.paths()) - self.pinned)
        if not path:
            return
        self.number += 1
        to = f"moved/{self.number}{'.url.txt' if path.endswith('.url.txt') else '.txt'}"
        (self.root / "moved").mkdir(exist_ok=True)
        (self.root / path).rename(self.root / to)
        self.settled.discard(path)
        if path in self.unended:
            self.unended.discard(path)
            self.unended.add(to)

    def replace(self):
        path = self.some(self.settled - self.pinned)
        if path:
            self.unended.discard(path)
            self.place(self.lines(self.size()), path)

    def truncate(self):
        path = self.some(self.settled - self.pinned - self.unended)
        if not path:
            return
        content = (self.root / path).read_bytes()
        cut = self.random.choice([0, content.find(b"\n") + 1, len(content) // 2])
        while content[cut - 1:cut] == b"\r":
            cut += 1  # a line end that is only half there would make another name
        self.settled.discard(path)
        os.truncate(self.root / path, cut)
        if cut and content[cut - 1:cut] != b"\n":
            self.unended.add(path)

    # What may be done only while no run is at work

    def copy(self):
        path = self.some(self.settled - self.unended)
        if path:
            ending = ".url.txt" if path.endswith(".url.txt") else ".txt"
            self.number += 1
            to = self.place((self.root / path).read_bytes(), f"copies/{self.number}{ending}")
            self.pinned |= {path, to}

    def rotate(self):
        """As logs are: the old list moves, a new one takes its path."""
        path = self.some(self.settled - self.pinned - self.unended)
        if path:
            ending = ".url.txt" if path.endswith(".url.txt") else ".txt"
            old = (self.root / path).rename(self.root / f"{path.removesuffix(ending)}-old{ending}")
            self.place(self.lines(self.size()), path)
            self.pinned |= {path, str(old.relative_to(self.root))}

    def delete(self):
        path = self.some(self.settled - self.pinned)
        if path:
            self.deleted[path] = (self.root / path).read_bytes()
            (self.root / path).unlink()
            self.settled.discard(path)

    def restore(self):
        if self.deleted:
            path = self.random.choice(sorted(self.deleted))
            self.place(self.deleted.pop(path), path)

    def change(self, names):
        name = self.random.choice(names)
        getattr(self, name)()
        self.done[name] += 1


BESIDE = ["create", "create", "grow", "grow", "move", "replace", "truncate"]
BETWEEN = [*BESIDE, "copy", "rotate", "delete", "restore"]


def go(ship, randomness, results, kills, hurry):
    ship.task = {"deliver_lists": False}
    ship.configure()
    folder, inbox = Folder(ship.inbox, randomness), Inbox()
    for _ in range(20):
        folder.create()
    killed, usual = 0, 1.0
    while killed < kills and not hurry():
        for _ in range(randomness.randrange(4)):
            folder.change(BETWEEN)
        ended = run(ship, folder, randomness, usual)
        ship.check_ledger()
        results.passed("books")
        if ended.code == -signal.SIGKILL:
            killed += 1
        else:
            usual = min(0.7 * usual + 0.3 * ended.seconds, 10)
            complete(ship, folder, inbox, results, ended)
    complete(ship, folder, inbox, results, ship.does(*RUN, codes=(0, 4, 6)))
    results.expect("killed", range(kills - killed), "too few", kills)
    results.note("requests", f"{sum(inbox.requests.values())} from {len(inbox.lists)} lists, "
                             f"{sum(inbox.rejected.values())} lines rejected")
    results.note("changes", ", ".join(f"{k} {v}" for k, v in sorted(folder.done.items())))


def run(ship, folder, randomness, usual):
    """One run, at first with a writer beside it, that is killed more often than not."""
    process = ship.start(*RUN)
    stop = threading.Event()
    changes = randomness.randrange(4)

    def write():
        for _ in range(changes):
            if stop.is_set():
                return
            folder.change(BESIDE)
            time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        moment = math.exp(randomness.uniform(math.log(0.002), math.log(1.5 * usual)))
        if randomness.random() < 0.75:
            try:
                process.wait(moment)
            except Exception:  # noqa: BLE001 - it is at work, as it should be
                process.kill()
        return ship.wait(process)
    finally:
        stop.set()
        writer.join()


def complete(ship, folder, inbox, results, ended):
    """After an intake that came to its end: one more sees what changed beside it; then all must agree."""
    if ended.code not in (0, 4, 6):
        raise Violation(f"a run ended with {ended.code}: {ended.tail()}")
    ship.does(*RUN, codes=(0, 4, 6))
    files = folder.files()
    inbox.take_in(files)
    folder.settled = {path.removeprefix("object_lists/") for path in files}
    names = Counter(name for name, in ship.rows("SELECT name FROM requests"))
    rejected = Counter(dict(ship.rows("SELECT reason, count(*) FROM rejected_lines GROUP BY 1")))
    for what, found, expected in [("requests", names, inbox.requests),
                                  ("rejected", rejected, inbox.rejected)]:
        if found != expected:
            raise Violation(f"{what}: too many {list((found - expected).items())[:3]}, "
                            f"too few {list((expected - found).items())[:3]}")
        results.passed(what)


def halves(content):
    """The content in two pieces, cut within its last line."""
    cut = max(0, len(content) - 3)
    return content[:cut], content[cut:]
