"""The programs that are measured: Nightferry, and rclone as it is and at its best."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import tools

LAUNCH = Path(__file__).with_name("launch.py")
MOST_SECONDS = 3600
TASK = "bench"
PROVIDERS = {"rclone": "Rclone", "radosgw": "Ceph"}


@dataclass
class Job:
    """One client's work: from a bucket to another, in a folder of its own."""
    folder: Path
    source: object
    destination: object
    names: object  # a sequence; each is written into the list that the client is given
    profile: object
    latency_ms: int
    task: dict = field(default_factory=dict)  # settings of [[task]] that are not its defaults


@dataclass
class Measured:
    """What one run of a client took, by itself."""
    wall_s: float
    cpu_s: float
    peak_mib: float


class Nightferry:
    title = "Nightferry"
    settings = "its defaults; ledger, lists and their delivery are part of the run"

    def prepare(self, job):
        data = job.folder / "data"
        lists = data / "oms" / "sync_task" / TASK / "object_lists"
        if not lists.exists():
            job.folder.mkdir(parents=True)
            data.mkdir(mode=0o700)
            lists.mkdir(parents=True)
        text = toml({"data_dir": str(data)}) + "[[task]]\n" + toml({"id": TASK} | job.task)
        for side, end in (("source", job.source), ("destination", job.destination)):
            text += f"[task.{side}]\n" + toml({
                "endpoint": end.entrance, "region": end.region, "bucket": end.bucket,
                "access_key_id": end.access_key_id, "secret_access_key": end.secret_access_key})
        write_private(self.config(job), text)
        number = sum(1 for _ in lists.iterdir()) + 1
        write_names(lists / f"asked-{number}.txt", job.names)

    def config(self, job):
        return job.folder / "nightferry.toml"

    def command(self, job):
        return [tools.NIGHTFERRY, "--config", self.config(job), "run"], {}

    def check(self, job):
        """That the books balance and say what was asked of this run."""
        def asked(*command):
            printed = subprocess.run([tools.NIGHTFERRY, "--config", self.config(job), *command],
                                     capture_output=True, text=True, check=True)
            return json.loads(printed.stdout)
        books, = asked("status", "--json")
        last = asked("runs", "--json")[-1]
        outcome = "ignored" if job.profile.again else "synced"
        if not books["balanced"] or last[outcome] != len(job.names):
            raise SystemExit(f"bench: the books are not as they should be: {books} {last}")


@dataclass
class Rclone:
    title: str
    best: bool

    def prepare(self, job):
        job.folder.mkdir(parents=True, exist_ok=True)
        text = ""
        for remote, end in (("from", job.source), ("to", job.destination)):
            text += (f"[{remote}]\ntype = s3\nprovider = {PROVIDERS.get(end.kind, 'Other')}\n"
                     f"endpoint = {end.entrance}\nregion = {end.region}\n"
                     f"access_key_id = {end.access_key_id}\n"
                     f"secret_access_key = {end.secret_access_key}\nforce_path_style = true\n")
        write_private(job.folder / "rclone.conf", text)
        write_names(job.folder / "names", job.names)

    def command(self, job):
        flags, environment = rclone_settings(job.profile, self.best, job.latency_ms)
        listed = ["--files-from-raw", job.folder / "names"] if job.profile.sparse else []
        return [tools.RCLONE, "copy", f"from:{job.source.bucket}", f"to:{job.destination.bucket}",
                "--config", job.folder / "rclone.conf", "--log-level", "ERROR", *flags,
                *listed], environment

    def check(self, job):
        """It keeps no books; what arrived is looked at by boto3."""


def rclone_settings(profile, best, latency_ms):
    """rclone's flags and environment: with `-M`, for without it metadata does not arrive."""
    if not best:
        # Its own number of transfers for large objects, ours for small ones.
        flags = [] if profile.large else ["--transfers", "64", "--checkers", "64"]
        return ["-M", *flags, *(["--no-traverse"] if profile.sparse else [])], {}
    flags = ["-M", "--s3-no-check-bucket", "--s3-no-head", "--ignore-checksum", "--size-only",
             "--use-server-modtime", "--s3-disable-checksum"]
    # Over a distance it is best with as many transfers as we have workers.
    at_once = "8" if profile.large else "64" if latency_ms else "32"
    flags += ["--transfers", at_once, "--checkers", at_once]
    # With `--s3-no-head` its multi-thread copy calls good objects corrupted; with `--no-traverse`
    # `--s3-no-head-object` copies nothing and says nothing.
    flags += ["--multi-thread-streams", "0", "--s3-upload-cutoff", "5G"] if profile.parts else []
    flags += ["--no-traverse"] if profile.sparse else ["--s3-no-head-object"]
    return flags, {"GOGC": "400"}


CLIENTS = {"rclone": Rclone("rclone", False), "best": Rclone("rclone at its best", True),
           "nightferry": Nightferry()}


def launch(command, environment, folder):
    """Runs a client and measures it alone."""
    result, log = folder / "measured.json", folder / "client.log"
    result.unlink(missing_ok=True)
    with open(log, "wb") as out:
        subprocess.run([sys.executable, "-I", "-S", LAUNCH, result, *map(str, command)],
                       env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=out,
                       stderr=out, timeout=MOST_SECONDS, check=False)
    measured = json.loads(result.read_text())
    code = measured.pop("code")
    if code != 0:
        raise SystemExit(f"bench: {Path(command[0]).name} ended with {code}; its last words:\n"
                         + "\n".join(log.read_text(errors="replace").splitlines()[-20:]))
    return Measured(**measured)


def write_names(path, names):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)


def toml(table):
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


def write_private(path, text):
    path.write_text(text, "utf-8")
    path.chmod(0o600)
