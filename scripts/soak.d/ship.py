"""The program under test: one task between two buckets, its folder, its runs and its ledger."""

import json
import os
import random
import sqlite3
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from s3 import each, sha256

TASK = "soak"
# However long a process of the program may take before it counts as hanging.
MOST_SECONDS = 600


class Violation(Exception):
    """Something that must never be."""


@dataclass
class Ended:
    code: int
    stdout: str
    stderr: str
    seconds: float

    def tail(self):
        return " / ".join(self.stderr.splitlines()[-4:])


@dataclass
class Ship:
    """One task with fresh buckets and a fresh data folder."""
    binary: Path
    folder: Path
    source: object
    destination: object
    settings: dict = field(default_factory=dict)
    task: dict = field(default_factory=dict)
    bodies: dict = field(default_factory=dict)  # name -> (seed, size)
    hashes: dict = field(default_factory=dict)  # name -> SHA-256

    source_bucket = "soak-from"
    destination_bucket = "soak-to"

    @property
    def data(self):
        return self.folder / "data"

    @property
    def root(self):
        return self.data / "oms" / "sync_task" / TASK

    @property
    def inbox(self):
        return self.root / "object_lists"

    def prepare(self):
        self.folder.mkdir(parents=True)
        self.data.mkdir(mode=0o700)
        self.inbox.mkdir(parents=True)
        self.source.make_bucket(self.source_bucket)
        self.destination.make_bucket(self.destination_bucket)
        self.configure()
        return self

    def configure(self):
        ends = [("source", self.source, self.source_bucket),
                ("destination", self.destination, self.destination_bucket)]
        text = toml({"data_dir": str(self.data), "workers": 16} | self.settings)
        text += "[[task]]\n" + toml({"id": TASK, "server_side_copy": "never"} | self.task)
        for side, end, bucket in ends:
            text += f"[task.{side}]\n" + toml({
                "endpoint": end.proxied or end.endpoint, "region": end.region, "bucket": bucket,
                "access_key_id": end.access_key_id, "secret_access_key": end.secret_access_key})
        config = self.folder / "nightferry.toml"
        config.write_text(text)
        config.chmod(0o600)

    # Objects

    def put(self, sizes):
        """Makes source objects: name -> size in bytes; their bytes follow from the name."""
        def make(item):
            name, size = item
            body = random.Random(name).randbytes(size)
            self.source.put(self.source_bucket, name, body)
            self.hashes[name] = sha256(body)
        each(sizes.items(), make)

    def differences(self, names):
        """What is wrong with the copies of these names; a sentence each."""
        def compare(name):
            body = self.destination.get(self.destination_bucket, name)
            if body is None:
                return f"{name} is not at the destination"
            if sha256(body) != self.hashes[name]:
                return f"{name} has other bytes ({len(body)} of them)"
        return [difference for difference in each(names, compare) if difference]

    # The program

    def start(self, *arguments):
        environment = {key: value for key, value in os.environ.items()
                       if not key.lower().endswith("_proxy")}
        environment["NIGHTFERRY_CONFIG"] = str(self.folder / "nightferry.toml")
        # Into files, so that nobody has to read along.
        out, err = (open(self.folder / name, "w+b") for name in ("stdout", "stderr"))
        process = subprocess.Popen([self.binary, *arguments], env=environment, cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        process.began, process.out, process.err = time.monotonic(), out, err
        return process

    def wait(self, process, seconds=MOST_SECONDS):
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Violation(f"{process.args[1:]} did not end within {seconds:.0f} s") from None
        texts = []
        for stream in (process.out, process.err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
            stream.close()
        return Ended(code, *texts, time.monotonic() - process.began)

    def does(self, *arguments, codes=(0,), seconds=MOST_SECONDS):
        ended = self.wait(self.start(*arguments), seconds)
        if ended.code not in codes:
            raise Violation(f"{' '.join(arguments)} ended with {ended.code}: {ended.tail()}")
        return ended

    def has(self, *command):
        """Whether the program has a command."""
        return self.wait(self.start(*command, "--help")).code == 0

    # The ledger

    def rows(self, query, *parameters):
        ledger = sqlite3.connect(f"file:{self.data}/ledger.sqlite?mode=ro", uri=True, timeout=30)
        try:
            return ledger.execute(query, parameters).fetchall()
        finally:
            ledger.close()

    def has_ledger(self):
        """Whether there is a ledger that an operator could ask: none before the first run has made it."""
        try:
            return bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = 'books'"))
        except sqlite3.OperationalError:
            return False

    def check_ledger(self):
        """The books, counted by the program and by the views."""
        if not self.has_ledger():
            return
        self.does("ledger", "check")
        wrong = self.rows("SELECT * FROM books WHERE NOT balanced "
                          "OR requested <> synced + failed + ignored + pending")
        wrong += self.rows("SELECT run, taken FROM run_history "
                           "WHERE taken <> synced + failed + ignored + deferred")
        if wrong:
            raise Violation(f"the books do not balance: {wrong[:3]}")

    def stray_uploads(self):
        """Uploads that hold parts at the destination and that the ledger does not know.

        One without parts is no harm: it was begun just before the end, and parts
        are sent only once the ledger knows where.
        """
        known = set()
        if self.rows("SELECT 1 FROM sqlite_master WHERE name = 'upload'"):
            known = set(self.rows("SELECT name, upload_id FROM upload"))
        bucket = self.destination_bucket
        return [(name, upload_id) for name, upload_id in self.destination.uploads(bucket)
                if (name, upload_id) not in known
                and self.destination.holds_parts(bucket, name, upload_id)]

    def pending(self):
        return self.rows("SELECT coalesce(sum(pending), 0) FROM books")[0][0]


def toml(table):
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
