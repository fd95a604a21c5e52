"""The servers at both ends of a bench, fresh for each run, and the relays before them."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import tools
from s3 import Endpoint

KINDS = ["rclone", "s3s-fs", "moto", "radosgw"]
TITLES = {"rclone": "rclone serve s3", "s3s-fs": "s3s-fs", "moto": "moto",
          "radosgw": "Ceph radosgw"}
KEY, SECRET = "benchkey", "bench-secret-of-both-ends"


@dataclass
class End:
    """A bucket, and who may use it."""
    kind: str
    endpoint: str
    bucket: str = ""
    access_key_id: str = KEY
    secret_access_key: str = SECRET
    region: str = "us-east-1"
    via: str = ""  # where a client under measure is sent instead

    @property
    def entrance(self):
        return self.via or self.endpoint

    def client(self):
        return Endpoint(self.endpoint, self.access_key_id, self.secret_access_key, self.region)

    def make(self, bucket):
        """The same end with a new bucket."""
        self.client().make_bucket(bucket)
        return replace(self, bucket=bucket)


class Ends:
    """Starts servers of one kind and ends them with the bench, however that ends."""

    def __init__(self, kind, data):
        self.kind = kind
        self.data = data  # where servers keep what they keep in files
        self.started = []
        self.said = None  # by the one cluster that serves both ends
        self.buckets = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.started[:]):
            self.stop(server)

    def source(self):
        return self.server().make("bench-from")

    def destination(self, before=None):
        """An empty bucket at a server that holds nothing else; `before` is given up for it."""
        if before and self.kind == "radosgw":
            self.buckets += 1
            return before.make(f"bench-to-{self.buckets}")
        if before:
            self.stop(self.at(before.via))
            self.stop(self.at(before.endpoint))
        return self.server().make("bench-to")

    def server(self):
        """A server without buckets."""
        if self.kind == "radosgw":
            return self.rados()
        port = free_port()
        folder = Path(tempfile.mkdtemp(prefix=f"{self.kind}-", dir=self.data))
        server = self.start(command(self.kind, port, folder), folder)
        server.endpoint = f"http://127.0.0.1:{port}"
        wait_for(server, port)
        return End(self.kind, server.endpoint)

    def rados(self):
        """One cluster, as scripts/conformance starts it, for both ends; each has a name for it."""
        name = "localhost" if self.said else "127.0.0.1"
        if not self.said:
            self.said = read_json(self.start([tools.ROOT / "scripts/conformance", "radosgw",
                                              "--serve"], None).process.stdout)
        return End(self.kind, self.said["endpoint"].replace("127.0.0.1", name), "",
                   self.said["access_key_id"], self.said["secret_access_key"], self.said["region"])

    def relayed(self, end, delay_ms=0):
        """The same end, entered through a relay that counts requests and adds latency."""
        relay = self.start([tools.RELAY, "--upstream", end.entrance.removeprefix("http://"),
                            "--delay-ms", delay_ms], None)
        relay.endpoint = relay.process.stdout.readline().strip()
        return replace(end, via=relay.endpoint)

    def counted(self, end):
        """Ends the relay before an end; how many requests of each kind passed."""
        return json.loads(self.stop(self.at(end.via)))

    def at(self, endpoint):
        """What was started there, if it was."""
        return next((one for one in self.started if one.endpoint == endpoint), None)

    def start(self, command_line, folder):
        out = subprocess.PIPE if folder is None else open(folder.with_suffix(".log"), "wb")
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *map(str, command_line)], text=True,
            stdin=subprocess.DEVNULL, stdout=out, stderr=None if folder is None else out)
        self.started.append(Started(process, folder))
        return self.started[-1]

    def stop(self, server):
        """Ends it by SIGTERM; what it said last."""
        if server is None:
            return ""
        self.started.remove(server)
        server.process.terminate()
        try:
            said = server.process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            server.process.kill()
            said = server.process.communicate()[0]
        if server.folder:
            shutil.rmtree(server.folder, ignore_errors=True)
            server.folder.with_suffix(".log").unlink(missing_ok=True)
        return said


@dataclass
class Started:
    process: subprocess.Popen
    folder: Path | None
    endpoint: str = "."  # never that of an end


def read_json(lines):
    """The JSON value that a process prints over several lines before it goes on."""
    text = ""
    for line in lines:
        text += line
        try:
            return json.loads(text)
        except ValueError:
            continue
    raise SystemExit("bench: a server could not be started; the last words are above")


def command(kind, port, folder):
    """How a server of this kind is started, on loopback and with our credentials."""
    address = f"127.0.0.1:{port}"
    return {
        "rclone": [tools.RCLONE, "serve", "s3", ":memory:", "--addr", address,
                   "--auth-key", f"{KEY},{SECRET}", "--config", "/dev/null"],
        "s3s-fs": [tools.S3S_FS, "--host", "127.0.0.1", "--port", port, "--access-key", KEY,
                   "--secret-key", SECRET, folder],
        "moto": ["env", "S3_IGNORE_SUBDOMAIN_BUCKETNAME=true", f"TMPDIR={folder}", tools.MOTO,
                 "-H", "127.0.0.1", "-p", port],
    }[kind]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(server, port, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"bench: {server.process.args[4]} did not come up; "
                     f"see {server.folder.with_suffix('.log')}")
