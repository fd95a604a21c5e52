"""Where Nightferry's time goes at one profile: a flat profile by perf."""

import shutil
import subprocess

import clients
import tools

RECORDED = tools.WORK / "perf.data"


class Profiled(clients.Nightferry):
    """Nightferry under perf."""

    def command(self, job):
        command, environment = super().command(job)
        # By the clock, for virtual machines seldom count cycles.
        return [shutil.which("perf"), "record", "--quiet", "--event", "cpu-clock", "--freq", "999",
                "--output", RECORDED, "--", *command], environment


def available():
    """Whether perf is here and may be used."""
    perf = shutil.which("perf")
    return perf and subprocess.run([perf, "record", "--quiet", "--event", "cpu-clock", "--output",
                                    "/dev/null", "true"], capture_output=True,
                                   check=False).returncode == 0


def flat():
    """The libraries, then the functions that take most by themselves, without what they call."""
    text = reported("dso") + [""] + reported("dso,symbol")
    for file in (RECORDED, RECORDED.with_name(RECORDED.name + ".old")):
        file.unlink(missing_ok=True)
    return "\n".join(text)


def reported(columns):
    printed = subprocess.run([shutil.which("perf"), "report", "--stdio", "--no-children", "--input",
                              RECORDED, "--percent-limit", "0.5", "--fields",
                              f"overhead,{columns}"], capture_output=True, text=True, check=True)
    return [line.rstrip() for line in printed.stdout.splitlines()
            if line.strip() and not line.startswith("#")]
