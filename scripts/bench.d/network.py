"""A network of one's own: loopback alone, without the 40 ms wait of delayed acknowledgements.

Servers that send an answer's head and body as two small segments make a connection wait for the
client's kernel to acknowledge the first, which it puts off by 40 ms. That timer, not the work,
would then be measured; over a real network it is hidden by the distance.
"""

import os
import subprocess

# How the inner process knows, and what the page says of it.
VARIABLE = "BENCH_NETWORK"
OWN = "own network namespace, loopback with quickack"
PLAIN = "the machine's loopback, delayed acknowledgements and all"

ROUTES = " && ".join(
    f"ip route replace local {net} dev lo proto kernel scope host src 127.0.0.1 table local "
    "quickack 1"
    for net in ("127.0.0.0/8", "127.0.0.1/32"))


def inside():
    return VARIABLE in os.environ


def name():
    return os.environ.get(VARIABLE, PLAIN)


def enter(command):
    """Goes on as `command` in a network namespace, if the machine lets us make one."""
    # Root needs no user namespace, and what it starts (Ceph, perf) is better off without.
    unshare = ["unshare", "-n" if os.geteuid() == 0 else "-rn", "--"]
    make = ["sh", "-c", f'ip link set lo up && {ROUTES} && exec "$@"', "sh"]
    environment = {key: value for key, value in os.environ.items()
                   if not key.lower().endswith("_proxy")}
    try:
        subprocess.run([*unshare, *make, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        os.execvpe(command[0], command, environment | {VARIABLE: PLAIN})
    os.execvpe(unshare[0], [*unshare, *make, *command], environment | {VARIABLE: OWN})
