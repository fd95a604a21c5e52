"""One profile on one kind of server: every client in turn, each result looked at."""

import os
import shutil
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import clients
import ends
import freight
import tools
from tools import say


@dataclass
class Case:
    """What is measured, and how often."""
    profile: object
    kind: str  # of the servers at both ends
    latency_ms: int  # added to every exchange with either of them
    runs: int
    quick: bool


@dataclass
class Bench:
    """The place for one case after the other."""
    work: Path  # the clients' folders
    data: Path  # the servers'
    hands: object  # who makes and reads objects
    on_disk: bool  # where `data` is; else in memory

    def measure(self, *case):
        """The rows of this Case, one for each client."""
        case = Case(*case)
        say(f"{case.profile.name} on {case.kind}, {case.latency_ms} ms: making the objects")
        with ends.Ends(case.kind, self.data) as at:
            turn = Turn(self, case, at)
            for number in range(case.runs + 1):
                for name in clients.CLIENTS:
                    turn.take(name, number)
            for job in turn.carried.values():
                shutil.rmtree(job.folder)
            return [turn.row(name) for name in clients.CLIENTS]


class Turn:
    """One case under way."""

    def __init__(self, bench, case, at):
        self.bench, self.case, self.at = bench, case, at
        self.load = os.getloadavg()[0]  # of others, since nothing of ours is at work yet
        self.sizes, self.names = case.profile.objects(case.quick)
        self.source = at.source()
        bench.hands.make(self.source, self.sizes)
        self.expected = bench.hands.read(self.source, self.names)
        wrong = freight.differences(self.expected, self.expected)
        if wrong or not any(seen.metadata for seen in self.expected.values()):
            raise SystemExit(f"bench: the source is not as it was made: {wrong[:3]}")
        self.source = self.far(self.source)
        self.destination, self.carried = None, {}
        self.measured = {name: [] for name in clients.CLIENTS}
        self.requests = {}

    def take(self, name, number):
        """One client's turn. The first of all warms up, is counted by relays, and is not timed."""
        profile, client = self.case.profile, clients.CLIENTS[name]
        if not profile.again:
            self.destination = self.far(self.at.destination(self.destination))
            job = self.job(name, f"{name}-{number}", self.destination)
        elif name in self.carried:
            job = self.carried[name]
        else:
            job = self.carried[name] = self.carry(name)
        took = self.run(client, job, name, counted=number == 0)
        client.check(job)
        self.look(job, name)
        if not profile.again:
            shutil.rmtree(job.folder)
        if number:
            self.measured[name].append(took)
            say(f"{profile.name} {self.case.kind} {self.case.latency_ms} ms {name} {number}: "
                f"{took.wall_s:.2f} s, CPU {took.cpu_s:.2f} s, {took.peak_mib:.0f} MiB")

    def job(self, name, folder, destination):
        return clients.Job(self.bench.work / folder, self.source, destination, self.names,
                           self.case.profile, self.case.latency_ms)

    def carry(self, name):
        """Has a client copy everything once, to a bucket of its own, so that all is there."""
        if self.destination is None:
            self.destination = self.far(self.at.server())
        job = self.job(name, name, self.destination.make(f"bench-to-{name}"))
        once = replace(job, profile=replace(job.profile, again=False))
        # The rule looks at whole seconds: let the copies be later than their sources.
        time.sleep(1.1)
        client = clients.CLIENTS[name]
        client.prepare(once)
        clients.launch(*client.command(once), once.folder)
        client.check(once)
        return job

    def run(self, client, job, name, counted):
        """One run; to be counted, through relays of its own."""
        ends_of_it = job.source, job.destination
        if counted:
            ends_of_it = [self.at.relayed(end) for end in ends_of_it]
            job = replace(job, source=ends_of_it[0], destination=ends_of_it[1])
        client.prepare(job)
        took = clients.launch(*client.command(job), job.folder)
        if counted:
            self.requests[name] = dict(zip(("source", "destination"),
                                           map(self.at.counted, ends_of_it)))
        return took

    def far(self, end):
        """An end as far away as the case has it."""
        return self.at.relayed(end, self.case.latency_ms) if self.case.latency_ms else end

    def look(self, job, name):
        """What arrived is what the source has: all bytes, content types, metadata."""
        hands = self.bench.hands
        wrong = freight.differences(self.expected, hands.read(job.destination, self.names))
        sample = hands.read_by_boto3(job.destination, self.names)
        wrong += freight.differences({name: self.expected[name] for name in sample}, sample)
        if wrong:
            raise SystemExit(f"bench: {name}: {len(wrong)} of {len(self.names)} objects did not "
                             f"arrive as they are: {wrong[:3]}")

    def row(self, name):
        """A client's result, as it is kept."""
        took = self.measured[name]
        return {"profile": self.case.profile.name, "servers": self.case.kind,
                "latency_ms": self.case.latency_ms, "client": name, "runs": len(took),
                "measured_on": f"{date.today():%Y-%m-%d}", "commit": tools.commit(),
                "load": self.load,
                "objects": len(self.names), "bytes": sum(self.sizes[n] for n in self.names),
                "requests": self.requests[name],
                **{figure: [getattr(each, figure) for each in took]
                   for figure in ("wall_s", "cpu_s", "peak_mib")}}
