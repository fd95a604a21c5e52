# Removing keeps everything that is not the package's; purging keeps the books.

removed() {
    holds "it is removed" dpkg -r nightferry
    ends "the program is gone" 1 test -e /usr/bin/nightferry
    holds "the configuration is kept" cmp "$CONFIG" "$WORK/nightferry.toml"
    prints "the books are kept" "100|100|0|0|0|1" books
    holds "it is installed again" dpkg -i "$DEB"
    ends "and has nothing to do" 0 night
    holds "it is purged" dpkg --purge nightferry
    ends "the configuration, which may hold keys, is gone" 1 test -e /etc/nightferry
    prints "the books are kept, and still the user's" "100|100|0|0|0|1" books
    prints "the ledger is still the user's alone" "600 nightferry:nightferry" \
        stat -c '%a %U:%G' "$DATA/ledger.sqlite"
    ends "nothing is left enabled or masked" 1 compgen -G '/etc/systemd/system/*nightferry*'
    rm -rf "$DATA"
}
