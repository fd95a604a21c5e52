# moto (PyPI): S3 in memory, in Python. Takes any credentials.

moto_available() { :; }

moto_install() {
    "$VENV/bin/python" -c 'import moto.server' 2>/dev/null && return
    say "installing moto"
    "$VENV/bin/pip" install --quiet 'moto[server]==5.2.*'
}

moto_start() {
    local dir=$1 port
    port=$(free_port)
    # The bucket stands in the path, never in the host name.
    start_daemon "$dir" moto env S3_IGNORE_SUBDOMAIN_BUCKETNAME=true TMPDIR="$dir" \
        "$VENV/bin/moto_server" -H 127.0.0.1 -p "$port"
    wait_for 60 moto answers "$port"
    describe "$dir" moto "moto $("$VENV/bin/python" -c 'from importlib.metadata import version; print(version("moto"))')" \
        "http://127.0.0.1:$port" us-east-1 conformancekey conformance-secret-of-moto
}

moto_stop() { stop_daemons "$1" moto; }
