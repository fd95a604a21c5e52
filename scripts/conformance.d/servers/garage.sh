# Garage (crates.io): one node, metadata in SQLite. Building it takes over ten
# minutes on two cores, so it is used where it is built already (on PATH, in
# $GARAGE_BIN or under target/conformance/cargo) or with --build-garage.

GARAGE_VERSION=2.5.0

garage_binary() {
    local found
    for found in "${GARAGE_BIN:-}" "$WORK/cargo/bin/garage" "$(command -v garage || true)"; do
        [ -n "$found" ] && [ -x "$found" ] && { echo "$found"; return; }
    done
    return 1
}

garage_available() {
    garage_binary >/dev/null && return
    [ "$BUILD_GARAGE" = yes ] || { echo "not built; --build-garage builds it"; return 1; }
}

garage_install() {
    garage_binary >/dev/null && return
    say "building Garage, over ten minutes on two cores"
    timeout 3600 nice -n 10 cargo install --locked --quiet --root "$WORK/cargo" \
        --version "$GARAGE_VERSION" --no-default-features --features bundled-libs,sqlite garage
}

garage_config() {
    local dir=$1 port=$2 rpc_port=$3
    cat >"$dir/garage.toml" <<CONF
metadata_dir = "$dir/meta"
data_dir = "$dir/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$rpc_port"
rpc_public_addr = "127.0.0.1:$rpc_port"
rpc_secret = "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')"
[s3_api]
s3_region = "garage"
api_bind_addr = "127.0.0.1:$port"
CONF
}

garage_start() {
    local dir=$1 binary port word=c0f0a3a4ce00 stranger
    binary=$(garage_binary)
    port=$(free_port)
    local key=GK$word$word secret=$word$word$word$word$word${word:0:4}
    stranger=("GK${word}000000000001" "${secret/c0f0/1111}")
    garage_config "$dir" "$port" "$(free_port)"
    start_daemon "$dir" garage env GARAGE_DEFAULT_ACCESS_KEY="$key" GARAGE_DEFAULT_SECRET_KEY="$secret" \
        "$binary" -c "$dir/garage.toml" server --single-node --default-access-key
    wait_for 60 Garage answers "$port"
    wait_for 30 "Garage's key" "$binary" -c "$dir/garage.toml" key allow --create-bucket "$key"
    "$binary" -c "$dir/garage.toml" key import --yes -n stranger "${stranger[@]}" >"$dir/make.log" 2>&1
    describe "$dir" garage "$("$binary" --version | head -1 | cut -d' ' -f1-2)" \
        "http://127.0.0.1:$port" garage "$key" "$secret" "${stranger[@]}"
}

garage_stop() { stop_daemons "$1" garage; }
