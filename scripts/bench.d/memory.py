"""Peak memory of a run: by the number of names, and by the size of one object."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import clients
import ends
import tools
from profiles import Profile

GIB = 1 << 30


@dataclass(frozen=True)
class Numbered(Sequence):
    """The names of examples/numbered-s3, none of which has to be kept."""
    count: int

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        if not 0 <= number < self.count:
            raise IndexError(number)
        return f"2026/{number:09}.jpg"


def asked(counts, sizes_gib):
    """What to measure, and of how much."""
    return [(names, count) for count in counts] + [(large_object, gib) for gib in sizes_gib if gib]


def names(work, data, count):
    """A run over so many names, all of which are newer at the destination."""
    with ends.Ends("numbered", data) as at:
        server = at.start([tools.NUMBERED_S3, "--objects", count], None)
        endpoint = server.process.stdout.readline().strip()
        source, destination = (ends.End("numbered", endpoint, bucket)
                               for bucket in ("source", "destination"))
        job = clients.Job(work / f"names-{count}", source, destination, Numbered(count),
                          Profile("names", "", (), again=True), 0, {"deliver_lists": False})
        return measured(job, "names", count)


def large_object(work, data, gib):
    """A run over one object, between two embedded servers that keep it in files."""
    with ends.Ends("embedded", data) as at:
        sides = [embedded(at, work, "source", f"source/object={gib * GIB}"),
                 embedded(at, work, "destination")]
        job = clients.Job(work / "object", *sides, ["object"], Profile("object", "", ()), 0)
        return measured(job, "gib", gib)


def embedded(at, folder, *buckets):
    server = at.start(["env", f"TMPDIR={folder}", tools.EMBEDDED_S3, "127.0.0.1:0", *buckets], None)
    said = server.process.stdout.readline()
    key, secret = said.split('"')[1::2]
    return ends.End("embedded", said.split()[0], buckets[0], key, secret)


def measured(job, what, amount):
    client = clients.Nightferry()
    client.prepare(job)
    took = clients.launch(*client.command(job), job.folder)
    client.check(job)
    ledger = (job.folder / "data" / "ledger.sqlite").stat().st_size
    tools.say(f"{amount:,} {what}: {took.wall_s:.1f} s, CPU {took.cpu_s:.1f} s, "
              f"{took.peak_mib:.0f} MiB, ledger {ledger / 2**20:.0f} MiB")
    shutil.rmtree(job.folder)
    return vars(took) | {"what": what, "amount": amount, "ledger_bytes": ledger}
