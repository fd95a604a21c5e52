"""Runs one command and writes what it took: `python -I -S launch.py RESULT COMMAND…`.

A process of its own, and a small one: a child's peak memory counts from what its parent held
when it was forked.
"""

import json
import os
import sys
import time

result, command = sys.argv[1], sys.argv[2:]
began = time.monotonic()
child = os.fork()
if child == 0:
    os.execv(command[0], command)
_, status, usage = os.wait4(child, 0)
with open(result, "w", encoding="utf-8") as file:
    json.dump({"code": os.waitstatus_to_exitcode(status),
               "wall_s": time.monotonic() - began,
               "cpu_s": usage.ru_utime + usage.ru_stime,
               "peak_mib": usage.ru_maxrss / 1024}, file)
