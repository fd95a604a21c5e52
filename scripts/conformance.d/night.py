"""One task of the program under test: fresh buckets, a fresh data folder, and its runs."""

import json
import os
import signal
import sqlite3
import subprocess
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import books
from server import each, sha256

TASK = "night"
RUN_SECONDS = 600
# Of a server against itself "auto" shows how it copies by itself.
SERVER_SIDE_COPY = os.environ.get("CONFORMANCE_SERVER_SIDE_COPY", "never")
# What S3 keeps beside an object's bytes: boto3's names.
HEADERS = ["ContentType", "CacheControl", "ContentDisposition", "ContentEncoding",
           "ContentLanguage", "Expires"]


class Skip(Exception):
    """The servers of this pair cannot show what the case is about."""


@dataclass
class Expected:
    """What an object must look like at the destination."""
    sha256: str
    size: int
    headers: dict


@dataclass
class Ended:
    """An ended process of the program."""
    code: int
    stdout: str
    stderr: str

    def json(self):
        return json.loads(self.stdout)


@dataclass
class Night:
    binary: str
    folder: Path
    source: object
    destination: object
    bucket: str
    options: dict = field(default_factory=dict)  # of [[task]]
    source_options: dict = field(default_factory=dict)  # of [task.source], over the usual ones
    destination_options: dict = field(default_factory=dict)
    expected: dict = field(default_factory=dict)  # name -> Expected
    reader: object = None  # who reads back what is at the destination; its owner by default
    runs: int = 0

    def __post_init__(self):
        self.reader = self.reader or self.destination

    @property
    def source_bucket(self):
        return self.bucket + "-from"

    @property
    def destination_bucket(self):
        return self.bucket + "-to"

    @property
    def data(self):
        return self.folder / "data"

    @property
    def root(self):
        """The task's folder of lists."""
        return self.data / "oms" / "sync_task" / TASK

    def prepare(self, source_bucket=True, destination_bucket=True):
        self.folder.mkdir(parents=True)
        self.data.mkdir(mode=0o700)
        if source_bucket:
            self.source.make_bucket(self.source_bucket)
        if destination_bucket:
            self.destination.make_bucket(self.destination_bucket)
        self.write_config()
        return self

    def drop(self):
        self.source.drop_bucket(self.source_bucket)
        self.destination.drop_bucket(self.destination_bucket)

    # Configuration

    def write_config(self):
        secret = self.folder / "secret"
        secret.write_text(self.destination.secret_access_key + "\n")
        secret.chmod(0o600)
        source = self._endpoint(self.source, self.source_bucket)
        source["secret_access_key"] = {"env": "CONFORMANCE_SECRET"}
        destination = self._endpoint(self.destination, self.destination_bucket)
        destination["secret_access_key"] = {"file": str(secret)}
        text = _toml({"data_dir": str(self.data), "time_zone": "Asia/Shanghai", "workers": 16})
        text += "[[task]]\n" + _toml({"id": TASK, "server_side_copy": SERVER_SIDE_COPY} | self.options)
        text += "[task.source]\n" + _toml(source | self.source_options)
        text += "[task.destination]\n" + _toml(destination | self.destination_options)
        config = self.folder / "nightferry.toml"
        config.write_text(text)
        config.chmod(0o600)

    @staticmethod
    def _endpoint(server, bucket):
        return {"endpoint": server.endpoint, "region": server.region, "bucket": bucket,
                "access_key_id": server.access_key_id}

    # Objects

    def put(self, name, body, multipart=False, **headers):
        """Makes a source object and notes what must arrive."""
        write = self.source.put_multipart if multipart else self.source.put
        write(self.source_bucket, name, body, **headers)
        self.expected[name] = Expected(sha256(body), len(body), headers)

    def put_all(self, bodies):
        each(bodies.items(), lambda item: self.put(*item))

    def assert_arrived(self, names=None):
        """Every named object is at the destination, byte for byte and header for header."""
        names = list(self.expected if names is None else names)
        wrong = [problem for problem in each(names, self._difference) if problem]
        assert not wrong, f"{len(wrong)} of {len(names)} objects differ: " + "; ".join(wrong[:5])

    def _difference(self, name):
        want = self.expected[name]
        if self.reader.head(self.destination_bucket, name) is None:
            return f"{name[:80]!r} is not there"
        answer = self.reader.get(self.destination_bucket, name)
        body = answer["Body"].read()
        if (len(body), sha256(body)) != (want.size, want.sha256):
            return (f"{name[:80]!r} has other bytes: {len(body)}, not {want.size}, "
                    f"SHA-256 {sha256(body)[:8]}…, not {want.sha256[:8]}…")
        kept = self.destination.cache.get("kept_headers", set(HEADERS) | {"Metadata"})
        headers = want.headers
        if "ContentType" not in headers:  # what the source made of it is to arrive
            given = self.source.head(self.source_bucket, name).get("ContentType")
            headers = headers | ({"ContentType": given} if given else {})
        for header, value in headers.items():
            if header in kept and answer.get(header) != value:
                return f"{name[:80]!r} has {header} {answer.get(header)!r}, not {value!r}"
        if "Metadata" in kept and "Metadata" not in want.headers and answer["Metadata"]:
            return f"{name[:80]!r} has metadata that nobody gave it: {answer['Metadata']!r}"
        return None

    def assert_absent(self, names):
        there = [name for name in names
                 if self.destination.head(self.destination_bucket, name) is not None]
        assert not there, f"at the destination, but should not be: {there[:5]!r}"

    # Lists

    def ask(self, names, file="asked.txt"):
        """Writes an object list; percent-encoded if the file's name says so."""
        path = self.root / "object_lists" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [urllib.parse.quote(n, safe="") if file.endswith(".url.txt") else n for n in names]
        path.write_bytes("".join(line + "\n" for line in lines).encode())

    # The program

    def _environment(self):
        return os.environ | {"NIGHTFERRY_CONFIG": str(self.folder / "nightferry.toml"),
                             "CONFORMANCE_SECRET": self.source.secret_access_key, "TZ": "UTC"}

    def start(self, *arguments):
        """Starts the program and does not wait."""
        # It must not outlive the cases, however they end.
        command = ["setpriv", "--pdeathsig", "KILL", "--", self.binary, *arguments]
        return subprocess.Popen(command, env=self._environment(), text=True,
                                cwd=self.folder, stdin=subprocess.DEVNULL, encoding="utf-8",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait(self, process, seconds=RUN_SECONDS):
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError(f"{process.args[5:]} did not end within {seconds} s") from None
        with open(self.folder / "output.log", "a", encoding="utf-8") as log:
            log.write(f"$ {process.args[4:]} -> {process.returncode}\n{stdout}{stderr}\n")
        return Ended(process.returncode, stdout, stderr)

    def command(self, *arguments, code=0):
        """Runs a command other than `run` and expects its exit code."""
        ended = self.wait(self.start(*arguments), 120)
        assert ended.code == code, f"{arguments} ended with {ended.code}, not {code}: {tail(ended)}"
        return ended

    def needs(self, *command):
        """Leaves the case out if the program does not have the command."""
        if self.wait(self.start(*command, "--help"), 30).code != 0:
            raise Skip(f"the program has no `{' '.join(command)}`")

    def run(self, *arguments, code=0, **figures):
        """One run; checks its exit code, its figures in `run_history`, and all its books."""
        return self.ended(self.wait(self.start("run", *arguments)), code, **figures)

    def ended(self, ended, code, **figures):
        assert ended.code == code, \
            f"run ended with {ended.code}, not {code}: {tail(ended)} {self.failures()}"
        self.runs += 1
        last = self.rows("SELECT * FROM run_history ORDER BY run DESC LIMIT 1")[0]
        assert last["run"] == self.runs, f"this is run {last['run']}, not {self.runs}"
        wrong = {key: (last[key], want) for key, want in figures.items() if last[key] != want}
        assert not wrong, \
            f"run {last['run']}: (is, should be) {wrong}; {tail(ended)} {self.failures()}"
        books.check(self, ended, last)
        return ended

    def failures(self):
        """The first failed requests, for a message."""
        try:
            return self.rows("SELECT name, cause, error_code, http_status, message "
                             "FROM failed_requests LIMIT 3")
        except sqlite3.Error as error:
            return f"({error})"

    def wait_until(self, what, query, seconds=60):
        """Waits until a query of the ledger gives a row; used while a run is at work."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.rows(query):
                    return
            except sqlite3.OperationalError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"{what}: not within {seconds} s")

    def rows(self, query, *parameters):
        ledger = sqlite3.connect(f"file:{self.data}/ledger.sqlite?mode=ro", uri=True, timeout=10)
        try:
            ledger.row_factory = sqlite3.Row
            return [dict(row) for row in ledger.execute(query, parameters)]
        finally:
            ledger.close()

    def outcomes(self, run=None):
        """name -> (state, reason) of the requests; of those that `run` settled, if given."""
        where = "" if run is None else f" WHERE run = {int(run)}"
        return {row["name"]: (row["state"], row["reason"])
                for row in self.rows("SELECT name, state, reason FROM requests" + where)}

    def reasons(self, run):
        """(state, reason) -> how many requests `run` settled so."""
        return {(row["state"], row["reason"]): row["n"] for row in self.rows(
            "SELECT state, reason, count(*) AS n FROM requests WHERE run = ? GROUP BY 1, 2", run)}


def tail(ended):
    return " / ".join(line for line in ended.stderr.splitlines()[-6:] if line.strip())


def _toml(table):
    return "".join(f"{key} = {_value(value)}\n"
                   for key, value in table.items() if value is not None)


def _value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)


def interrupt(process):
    process.send_signal(signal.SIGTERM)
