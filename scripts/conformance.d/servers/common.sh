# Shared by the server files: sourced by scripts/conformance, never run alone.
# Its functions run under `set -e`, so a command that fails ends the script.

# A TCP port on loopback that is free at this moment.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_daemon DIR NAME COMMAND…: runs a daemon that dies with this script,
# however this script ends; notes its process id in DIR/NAME.pid.
start_daemon() {
    local dir=$1 name=$2
    shift 2
    setpriv --pdeathsig KILL -- "$@" >"$dir/$name.out" 2>&1 </dev/null &
    echo $! >"$dir/$name.pid"
    disown
}

# stop_daemons DIR NAME…: asks each to end, and makes it end after 10 seconds.
stop_daemons() {
    local dir=$1 name pid waited
    shift
    for name in "$@"; do
        [ -f "$dir/$name.pid" ] || continue
        pid=$(cat "$dir/$name.pid")
        rm -f "$dir/$name.pid"
        kill -TERM "$pid" 2>/dev/null || continue
        for ((waited = 0; waited < 100; waited++)); do
            kill -0 "$pid" 2>/dev/null || continue 2
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
}

# wait_for SECONDS WHAT COMMAND…: tries the command, which must end by itself,
# until it succeeds.
wait_for() {
    local seconds=$1 what=$2 deadline
    shift 2
    deadline=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= deadline)); then
            echo "conformance: $what did not come up within $seconds s" >&2
            return 1
        fi
        sleep 0.3
    done
}

# answers PORT: whether something on loopback speaks HTTP there.
answers() {
    python3 -c '
import sys, http.client
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
c.request("GET", "/"); c.getresponse().read()' "$1"
}

# describe DIR NAME SOFTWARE ENDPOINT REGION KEY SECRET [KEY SECRET]: what the cases
# need to know; the last two belong to a second user, who has no rights.
describe() {
    python3 - "$@" >"$1/server.json" <<'PY'
import json, sys
keys = ["name", "software", "endpoint", "region", "access_key_id", "secret_access_key"]
server = dict(zip(keys, sys.argv[2:]))
server["stranger"] = sys.argv[8:] or None
print(json.dumps(server, indent=2))
PY
}
