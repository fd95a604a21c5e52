# The package on this machine: what it makes, what it leaves alone, a night.

CONFIG=/etc/nightferry/nightferry.toml
DATA=/var/lib/nightferry
OLDER_NAMES=(09{1..9} 100)

installed() {
    [ "$(id -u)" = 0 ] || die "--test installs a package; run it as root"
    command -v sqlite3 >/dev/null || die "--test needs sqlite3"
    if [ -e "$DATA" ] || [ -e /etc/nightferry ] || getent passwd nightferry >/dev/null \
        || dpkg-query -W nightferry >/dev/null 2>&1; then
        die "this machine has a Nightferry already; --test would take it away"
    fi
    CLEAN_UP+=("userdel nightferry" "rm -rf $DATA /etc/nightferry" "dpkg --purge nightferry")
    start_server

    holds "it is installed" dpkg -i "$DEB"
    holds "the program is on the PATH" nightferry --version
    holds "its manual is found" man -w nightferry nightferry-ledger-restore
    prints "its user cannot log in" /usr/sbin/nologin shell_of_user
    prints "the ledger's folder is the user's alone" "700 nightferry:nightferry" \
        stat -c '%a %U:%G' "$DATA"
    prints "keys may lie beside the configuration" "750 root:nightferry" \
        stat -c '%a %U:%G' /etc/nightferry
    ends "nothing is enabled" 1 compgen -G '/etc/systemd/system/*.wants/nightferry*'
    holds "systemd accepts the units" verify_units
    local unit
    for unit in nightferry nightferry-serve; do
        # Of 10; what remains is above all the network.
        holds "$unit.service is confined (exposure below 2)" \
            systemd-analyze security --offline=true --threshold=20 "$unit.service"
    done
    holds "the timer's time is one" systemd-analyze calendar \
        "$(sed -n 's/^OnCalendar=//p' /usr/lib/systemd/system/nightferry.timer)"
    ends "without a configuration it tries nothing" 3 night
    configure photos-copy
    as_user nightferry --quiet enqueue --task photos a.jpg b.jpg never-existed.jpg >/dev/null
    ends "a night, as the service starts it" 4 night
    prints "its books" "3|2|1|0|0|1" books
    prints "its ledger is the user's alone" "600 nightferry:nightferry" \
        stat -c '%a %U:%G' "$DATA/ledger.sqlite"
    holds "the doctor is content" as_user nightferry doctor
}

start_server() {
    local port name objects=(photos photos-copy photos-older photos-timer photos/a.jpg=1000 photos/b.jpg=20000000)
    if [ -z "$SERVER" ]; then
        (cd "$ROOT" && cargo build --quiet --release --locked --example embedded-s3)
        SERVER=$TARGET/release/examples/embedded-s3
    fi
    for name in "${OLDER_NAMES[@]}"; do objects+=("photos/$name=10"); done
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$SERVER" "127.0.0.1:$port" "${objects[@]}" >"$WORK/server.log" 2>&1 &
    PROCESSES+=($!)
    for _ in $(seq 100); do grep -q access_key_id "$WORK/server.log" && break; sleep 0.1; done
    ENDPOINT=http://127.0.0.1:$port
    KEYS=$(sed -n 's/.* with \(.*\) and \(.*\)/\1\n\2/p' "$WORK/server.log")
    [ -n "$KEYS" ] || die "the embedded S3 server did not start; see $WORK/server.log"
}

# Makes `photos` a task from the bucket photos to this one.
configure() {
    local end
    {
        printf 'data_dir = "%s"\n\n[[task]]\nid = "photos"\n' "$DATA"
        for end in "source:photos" "destination:$1"; do
            printf '\n[task.%s]\nendpoint = "%s"\nbucket = "%s"\n%s\n' \
                "${end%:*}" "$ENDPOINT" "${end#*:}" "$KEYS"
        done
    } >"$CONFIG"
    chown root:nightferry "$CONFIG"
    chmod 640 "$CONFIG"
}

as_user() { runuser -u nightferry -- "$@"; }

# What the service starts, as its user and in an environment as empty as its.
night() {
    local command
    command=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/nightferry.service)
    # shellcheck disable=SC2086
    (cd / && as_user env -i $command)
}

books() {
    as_user sqlite3 -readonly "$DATA/ledger.sqlite" \
        "SELECT requested, synced, failed, ignored, pending, balanced FROM books"
}

shell_of_user() { getent passwd nightferry | cut -d: -f7; }

verify_units() {
    local said
    said=$(systemd-analyze verify --man=yes /usr/lib/systemd/system/nightferry* 2>&1) || { echo "$said"; return 1; }
    # It names units of the system too; of ours nothing may be said.
    ! grep nightferry <<<"$said"
}
