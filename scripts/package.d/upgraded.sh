# An older ledger with a night behind it, and the next version of the package over it.

upgraded() {
    local known before
    known=$(find "$ROOT/sql/migrations" -name '*.sql' | wc -l)
    rm -rf "${DATA:?}"/*
    older_ledger $((known - 1)) | as_user sqlite3 -bail "$DATA/ledger.sqlite"
    as_user chmod 600 "$DATA/ledger.sqlite"
    before="100|90|0|0"
    prints "a ledger of version $((known - 1)), ten of its names pending" "$before" counted
    # Where no lists lie that a ledger as old as this does not know.
    configure photos-older
    cp "$CONFIG" "$WORK/nightferry.toml"
    holds "the next version takes its place" dpkg -i "$(build_next 0.1.0-2)"
    prints "it is the next version" 0.1.0-2 dpkg-query -W -f '${Version}' nightferry
    holds "the configuration is as it was" cmp "$CONFIG" "$WORK/nightferry.toml"
    prints "no ledger was touched" "$((known - 1))" version
    ends "a night over the older ledger" 0 night
    prints "the ledger is of the present version" "$known" version
    prints "its books go on" "100|100|0|0|0|1" books
    prints "its first month is as it was" "1970-01|100|90" month 1970-01
    holds "counted anew they are right" as_user nightferry ledger check
}

# What makes a ledger of that version: the tables of the second one, its night, and
# what each later release did to it.
older_ledger() {
    local version=$1 number
    echo "PRAGMA journal_mode = WAL; BEGIN;"
    migrations 1 2
    cat "$ROOT/fixtures/ledger/night_of_version_2.sql"
    migrations 3 "$version"
    number=$((0x4e465259))
    echo "PRAGMA application_id = $number; PRAGMA user_version = $version; COMMIT;"
}

migrations() {
    local number
    for ((number = $1; number <= $2; number++)); do
        cat "$ROOT/sql/migrations/$(printf '%04d' "$number")"_*.sql
    done
}

# What the task's own row says: the views came with the present version.
counted() {
    as_user sqlite3 -readonly "$DATA/ledger.sqlite" "SELECT requested, synced, failed, ignored FROM task"
}

version() { as_user sqlite3 -readonly "$DATA/ledger.sqlite" "PRAGMA user_version"; }

month() {
    as_user sqlite3 -readonly "$DATA/ledger.sqlite" \
        "SELECT month, requested, synced FROM month_summary WHERE month = '$1'"
}
