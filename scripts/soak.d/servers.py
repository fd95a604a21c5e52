"""The servers that a soak runs against, and the proxies before them."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

from s3 import Endpoint

ROOT = Path(__file__).resolve().parents[2]


class Servers:
    """Starts servers and ends them with the soak, however that ends."""

    def __init__(self, target):
        self.target = target
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.end(process)

    def start(self, *command):
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *map(str, command)], cwd=ROOT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.processes.append(process)
        return process

    def end(self, process):
        """Ends it by SIGTERM; what it said last."""
        if process not in self.processes:
            return ""
        self.processes.remove(process)
        process.send_signal(signal.SIGTERM)
        try:
            return process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0]

    def server(self, kind):
        """A fresh server of this kind."""
        if kind == "embedded":
            process = self.start(self.target / "examples" / "embedded-s3", "127.0.0.1:0")
            said = process.stdout.readline()
            access_key, secret = said.split('"')[1::2]
            return Endpoint(said.split()[0], access_key, secret)
        return self._conformance(kind)

    def _conformance(self, kind):
        """One that scripts/conformance installs and starts."""
        process = self.start(ROOT / "scripts" / "conformance", kind, "--serve")
        text = ""
        for line in process.stdout:
            text += line
            try:
                said = json.loads(text)
            except ValueError:
                continue
            # Nobody reads on, and nobody must wait for that.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return Endpoint(said["endpoint"], said["access_key_id"], said["secret_access_key"],
                            said["region"])
        raise SystemExit(f"soak: {kind} could not be started; the last words are above")

    def proxy(self, server, options):
        """A hostile proxy before a server: its process and the endpoint that leads through it."""
        process = self.start(self.target / "examples" / "hostile-proxy", *options,
                             "--upstream", server.endpoint.removeprefix("http://"))
        address = process.stdout.readline().strip()
        return process, Endpoint(server.endpoint, server.access_key_id, server.secret_access_key,
                                 server.region, proxied=address)


def build(profile, anew):
    """Builds what a soak needs, unless it was before; the folder with the binaries."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    options = ["--release"] if profile == "release" else []
    if not anew:
        return target / profile
    subprocess.run(["cargo", "build", "--locked", "--quiet", *options, "--bin", "nightferry",
                    "--example", "embedded-s3", "--example", "hostile-proxy"], cwd=ROOT, check=True)
    return target / profile
