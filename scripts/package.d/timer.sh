# The timer under a systemd at work: a copy of this machine's root, into which nothing
# is written back, is booted with the package in it.

timer() {
    command -v systemd-nspawn >/dev/null || die "--timer needs systemd-nspawn (Debian: systemd-container)"
    local root=$WORK/booted/root key value
    declare -A SEEN=()
    mkdir -p "$WORK/booted"
    timeout 420 unshare --mount --pid --mount-proc --fork --kill-child "$BASH" -euc "$(declare -f boot); boot \"\$@\"" boot \
        "$WORK/booted" "$DEB" "$WORK/nightferry.toml" "$HERE/under_systemd" >"$WORK/boot.log" 2>&1 </dev/null || true
    while IFS='=' read -r key value; do SEEN[$key]=$value; done < <(sed -n 's/^seen //p' "$WORK/boot.log")
    [ ${#SEEN[@]} -gt 0 ] || say "no systemd could be booted here; see $WORK/boot.log"

    saw "the timer catches up with the night that was missed" caught_up yes
    saw "that night copies what can be copied" books "12|11|1|0|0|1"
    saw "a failed object makes the unit failed" after_failure "failed exit-code 4"
    saw "the timer waits for the next night at one" next_night yes
    saw "a night with nothing to do does not" after_nothing "inactive success 0"
    saw "serve is up once it listens" serving active
    saw "an upgrade starts it anew" serve_upgraded active
    saw "an upgrade leaves a night at work alone, and serve beside it" night_left_alone yes
    saw "serve ends when it is asked to" served "inactive success 0"
    saw "a night that is stopped defers the rest, which is no failure" after_stop "inactive success 6"
    saw "it had its minute" drained yes
    saw "the next night goes on" after_stop_and_next "inactive success 0"
}

# What was seen inside, by its key.
saw() { prints "$1" "$3" echo "${SEEN[$2]-not seen}"; }

# In a mount namespace of its own: `boot FOLDER PACKAGE CONFIG SCRIPT`.
boot() {
    local folder=$1 package=$2 config=$3 script=$4 root=$1/root
    mount -t tmpfs tmpfs "$folder"
    mkdir "$folder"/{root,upper,work}
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
    # Of what this machine starts, nothing.
    rm -rf "$root"/etc/systemd/system/*.wants "$root/etc/machine-id"
    # On machines that build images this forbids packages to start services anew.
    rm -f "$root/usr/sbin/policy-rc.d"
    systemd-machine-id-setup --root="$root"
    cp "$package" "$root/package.deb"
    cp "$script" "$root/under_systemd"
    cp "$config" "$root/given.toml"
    mkdir -p "$root/etc/systemd/system/nightferry.timer.d" "$root/etc/systemd/system/trial.target.wants"
    printf '[Timer]\nRandomizedDelaySec=0\n' >"$root/etc/systemd/system/nightferry.timer.d/at-once.conf"
    printf '[Unit]\nWants=timers.target\n' >"$root/etc/systemd/system/trial.target"
    printf '[Service]\nType=exec\nExecStart=/bin/bash -u /under_systemd\nStandardOutput=file:/seen\n' \
        >"$root/etc/systemd/system/trial.service"
    ln -s ../trial.service "$root/etc/systemd/system/trial.target.wants/"
    mount -t proc proc "$root/proc"
    chroot "$root" /bin/bash /under_systemd prepare
    umount "$root/proc"
    systemd-nspawn --machine=nightferry-trial --register=no --keep-unit --quiet --link-journal=no --console=pipe \
        --directory="$root" --boot -- --unit=trial.target || true
    sed 's/^/seen /' "$root/seen"
    cat "$root/journal"
}
