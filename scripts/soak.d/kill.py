"""Runs that are ended at random moments: by SIGKILL (`kill`) or SIGTERM (`term`)."""

import math
import re
import signal
import time
import urllib.parse
from collections import Counter

from s3 import each
from ship import TASK, Violation

# A run that was asked to stop ends with one of these: all done, deferred, or lists owed.
STOPPED = {0, 6, 7}
BATCH_REPEATS = 0.05
ESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


class Ordeal:
    """A queue that is worked off by runs of which most do not come to their end."""

    def __init__(self, ship, randomness, results, count, ends, by_kill, hurry):
        self.ship, self.random, self.results = ship, randomness, results
        self.count, self.ends, self.by_kill, self.hurry = count, ends, by_kill, hurry
        self.left = []
        self.asked = []  # names so far, for repeats
        self.victims = set()  # names that are withdrawn again
        self.batches = 0
        self.ended = 0  # processes that were ended before their end
        self.moments = Counter()
        self.run_seconds = 1.0

    def sizes(self):
        """Mostly small objects, some larger, a few in parts."""
        sizes = {}
        for number in range(self.count):
            size = self.random.randrange(0, 4096)
            if number % 60 == 1:
                size = self.random.randrange(32 << 10, 512 << 10)
            if number % 1000 == 2:
                size = self.random.randrange(6 << 20, 17 << 20)
            sizes[f"{self.random.choice('abcdefgh')}/{number:06} ü.bin"] = size
        return sizes

    def go(self):
        self.ship.put(self.sizes())
        self.left = list(self.ship.hashes)
        self.random.shuffle(self.left)
        # Copies must be later than their sources by the second, as all are that a night makes.
        time.sleep(1.1)
        while self.ended < self.ends and not self.hurry():
            self.round()
        self.work_off()
        self.judge()

    def round(self):
        self.feed(self.random.randrange(0, 2 * max(1, self.count // max(1, self.ends)) + 2))
        draw = self.random.random()
        if draw < 0.06:
            self.interrupt("withdraw", "--task", TASK, "--name", self.victim())
        elif draw < 0.12:
            self.interrupt("enqueue", "--task", TASK, *self.next_names(5))
        else:
            self.interrupt("run")
        self.ship.check_ledger()
        self.results.passed("books")

    def interrupt(self, *command):
        """Starts a command and ends it at a moment between its first millisecond and its end."""
        before = self.ship.rows("SELECT coalesce(max(run), 0) FROM run_history")[0][0] \
            if self.ship.has_ledger() else 0
        usual = self.run_seconds if command[0] == "run" else 0.1
        # By turns evenly, and evenly by order of magnitude: so short phases are met too.
        moment = self.random.choice([
            self.random.uniform(0, 1.2 * usual),
            math.exp(self.random.uniform(math.log(0.004), math.log(1.2 * usual)))])
        process = self.ship.start(*command)
        try:
            process.wait(moment)
        except Exception:  # noqa: BLE001 - it is at work, as it should be
            process.send_signal(signal.SIGKILL if self.by_kill else signal.SIGTERM)
            if not self.by_kill and self.random.random() < 0.3:
                time.sleep(self.random.uniform(0, 0.3))
                process.send_signal(signal.SIGTERM)
        ended = self.ship.wait(process)
        if command[0] == "run":
            self.judge_run(ended, before)
        elif ended.code not in (0, 5, -signal.SIGKILL, -signal.SIGTERM):
            raise Violation(f"{' '.join(command)} ended with {ended.code}: {ended.tail()}")
        if ended.code != 0:
            self.ended += 1
            self.moments[self.moment(command[0], before)] += 1
        if command[0] == "enqueue" and ended.code != 0:
            # All of them or none may be there; what is there is read from the disk at the end.
            self.left.extend(command[3:])

    def judge_run(self, ended, before):
        if ended.code == 0:
            self.run_seconds = max(0.2, min(0.7 * self.run_seconds + 0.3 * ended.seconds, 30))
        if self.by_kill:
            good = ended.code in (0, -signal.SIGKILL)
        elif ended.code == -signal.SIGTERM:  # before it listened: then nothing has begun
            good = not self.ship.has_ledger() or not self.ship.rows(
                "SELECT 1 FROM run_history WHERE run > ?", before)
        else:
            good = ended.code in STOPPED and self.ship.rows(
                "SELECT exit_code FROM run_history ORDER BY run DESC LIMIT 1") == [(ended.code,)]
        if not good:
            raise Violation(f"a run ended with {ended.code}: {ended.tail()}")

    def moment(self, command, before):
        """In which phase the end came, as the ledger tells it."""
        if command != "run" or not self.ship.has_ledger():
            return command if command != "run" else "before the ledger"
        last = self.ship.rows("SELECT run, deferred, taken, synced + failed + ignored, ended_at "
                              "FROM run_history ORDER BY run DESC LIMIT 1")
        if not last or last[0][0] == before:
            return "before the run"
        _, deferred, taken, settled, ended_at = last[0]
        if ended_at is not None and deferred == 0:
            return "lists and delivery"
        if taken == 0:
            return "intake and preflight"
        return "transfer" if settled else "first transfers"

    # What is asked for

    def next_names(self, count):
        names = [self.left.pop() for _ in range(min(count, len(self.left)))]
        self.asked.extend(names)
        return names or [self.random.choice(list(self.ship.hashes))]

    def feed(self, count):
        """Writes a list of the next names, some of which were asked for before."""
        names = self.next_names(count) if self.left and count else []
        if self.asked:
            repeats = int(len(names) * BATCH_REPEATS + self.random.random())
            names += self.random.choices(self.asked, k=repeats)
        if names:
            self.write(names)

    def write(self, names):
        self.batches += 1
        place = self.ship.inbox / f"{self.batches % 7}" / f"batch-{self.batches:05}.txt"
        place.parent.mkdir(exist_ok=True)
        part = place.with_suffix(".part")
        part.write_bytes("".join(name + "\n" for name in names).encode())
        part.rename(place)

    def victim(self):
        """A name that is asked for in order to be withdrawn."""
        name = f"withdrawn/{self.batches}"
        if name not in self.victims:
            self.victims.add(name)
            self.ship.put({name: 10})
            self.write([name])
        return name

    # The end

    def work_off(self):
        """Asks for the rest and runs until nothing is left."""
        self.feed(len(self.left))
        for _ in range(5):
            ended = self.ship.does("run", codes=(0, 6, 7))
            self.ship.check_ledger()
            if ended.code == 0:
                return
        raise Violation(f"five runs without trouble did not end the work: {ended.tail()}")

    def asked_for(self):
        """How often each name was asked for, by the lists themselves."""
        asked = Counter()
        for place in self.ship.inbox.rglob("*.txt"):
            for line in place.read_bytes().decode().splitlines():
                asked[urllib.parse.unquote(line) if place.name.endswith(".url.txt") else line] += 1
        return asked

    def judge(self):
        ship, results = self.ship, self.results
        asked = self.asked_for()
        missing = set(ship.hashes) - set(asked)
        if missing:
            raise Violation(f"the soak itself did not ask for {len(missing)} names")
        requests = ship.rows("SELECT name, state, reason, run, request FROM requests")
        counted = Counter(row[0] for row in requests)
        differing = [(name, asked[name], counted[name]) for name in asked | counted
                     if asked[name] != counted[name]]
        results.expect("requests", differing, "asked for, requests", len(requests))
        results.expect("settled", [row for row in requests if row[1] not in ("synced", "ignored")],
                       "not settled, or failed", len(requests))
        results.expect("once", ship.rows(
            "SELECT request, count(*) FROM object_history GROUP BY 1 HAVING count(*) > 1"),
            "settled more than once", len(requests))
        withdrawn = {row[0] for row in requests if row[2] == "withdrawn"}
        results.expect("withdrawn", withdrawn - self.victims, "withdrawn unasked", len(withdrawn))
        copied = [name for name in asked if name not in withdrawn]
        results.expect("identical", ship.differences(copied), "", len(copied))
        results.expect("recognised", [row for row in requests if row[2] == "newer_at_destination"],
                       "copies of our own that were taken for others'", len(copied))
        self.judge_lists(copied)
        results.expect("uploads", ship.stray_uploads(),
                       "left behind with parts and not in the ledger", len(copied))
        results.note("ended at", ", ".join(f"{k} {v}" for k, v in self.moments.most_common()))
        results.note("runs", str(ship.rows("SELECT state, count(*) FROM run_history GROUP BY 1")))

    def judge_lists(self, copied):
        """The delivered lists: each name synced once, every run with a manifest, all verified."""
        ship, results = self.ship, self.results
        prefix = f"oms/sync_task/{TASK}/"
        keys = list(ship.destination.keys(ship.destination_bucket, prefix))
        paths = [key for key in keys if "/success_object_lists/" in key]
        bodies = each(paths, lambda key: ship.destination.get(ship.destination_bucket, key))
        listed = Counter(unescaped(line.split("\t")[1])
                         for body in bodies for line in body.decode().split("\n")[:-1])
        results.expect("listed twice", [name for name, n in listed.items() if n > 1],
                       "in more than one success list", len(listed))
        results.expect("listed", set(copied) - set(listed), "in no success list", len(copied))
        runs = {name for name, in ship.rows("SELECT run_name FROM run_history WHERE taken > 0")}
        manifests = {key.rpartition("/")[2].removesuffix(".manifest.json")
                     for key in keys if "/manifests/" in key}
        results.expect("manifests", runs ^ manifests, "runs without, or without run", len(runs))
        verified = ship.wait(ship.start("verify", "--task", TASK))
        results.expect("verify", [verified.tail()] if verified.code else [], "", len(keys))


def unescaped(field):
    return re.sub(r"\\[\\tnr]", lambda match: ESCAPES[match[0]], field)
