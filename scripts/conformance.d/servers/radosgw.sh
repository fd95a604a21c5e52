# Ceph's radosgw from Debian's packages: one monitor, one manager, one OSD
# (BlueStore on a sparse file) and one gateway, all on loopback, cephx on.

RADOSGW_PACKAGES="ceph-mon ceph-mgr ceph-osd radosgw ceph-common"

radosgw_available() {
    [ "$(id -u)" = 0 ] || { echo "needs root"; return 1; }
    command -v apt-get >/dev/null || command -v radosgw >/dev/null || { echo "needs apt-get"; return 1; }
}

radosgw_install() {
    command -v radosgw >/dev/null && command -v ceph-osd >/dev/null &&
        command -v ceph-mon >/dev/null && command -v ceph-mgr >/dev/null && return
    say "installing Ceph from Debian's packages"
    timeout 300 apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive timeout 900 \
        apt-get install -y -qq --no-install-recommends $RADOSGW_PACKAGES >"$WORK/apt.log" 2>&1
}

radosgw_config() {
    local dir=$1 mon_port=$2 rgw_port=$3
    cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_initial_members = a
mon_host = [v2:127.0.0.1:$mon_port]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
ms_bind_msgr1 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = $dir/keyring
admin_socket =
run_dir = $dir
crash_dir = $dir/crash
log_file = $dir/\$name.log
mon_cluster_log_file = $dir/cluster.log
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
[mon]
mon_data = $dir/mon
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 1
mon_warn_on_pool_no_redundancy = false
auth_allow_insecure_global_id_reclaim = false
[mgr]
mgr_data = $dir/mgr
mgr_initial_modules =
[osd]
osd_data = $dir/osd
osd_objectstore = bluestore
bluestore_block_size = 34359738368
bluestore_block_create = true
osd_memory_target = 1500000000
osd_scrub_load_threshold = 0.01
[client.rgw]
rgw_data = $dir/rgw
rgw_frontends = beast endpoint=127.0.0.1:$rgw_port tcp_nodelay=1
rgw_enable_usage_log = false
rgw_thread_pool_size = 128
rgw_gc_obj_min_wait = 10
rgw_gc_processor_period = 10
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = night-key=$(head -c 32 /dev/urandom | base64)
CONF
}

radosgw_keys() {
    local dir=$1
    ceph-authtool "$dir/keyring" --create-keyring --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n client.admin \
        --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n mgr.a \
        --cap mon 'allow profile mgr' --cap osd 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n client.rgw \
        --cap mon 'allow rw' --cap osd 'allow rwx'
    ceph-authtool "$dir/keyring" --gen-key -n osd.0 \
        --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'
}

# A storage class beside STANDARD, in a pool of its own.
radosgw_class() {
    local conf=$1 class=$2 place=(--placement-id default-placement --storage-class "$2")
    # The first look at its users makes the default zone.
    radosgw-admin -c "$conf" user list
    radosgw-admin -c "$conf" zonegroup placement add --rgw-zonegroup default "${place[@]}"
    radosgw-admin -c "$conf" zone placement add --rgw-zone default "${place[@]}" \
        --data-pool "default.rgw.${class,,}.data"
}

# Makes the empty cluster and starts its daemons.
radosgw_cluster() {
    local dir=$1 mon_port=$2 conf="$1/ceph.conf" fsid
    fsid=$(sed -n 's/^fsid = //p' "$conf")
    mkdir -p "$dir"/{mon,mgr,osd,rgw,crash}
    radosgw_keys "$dir"
    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port]" "$dir/monmap"
    ceph-mon -c "$conf" --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
    start_daemon "$dir" mon ceph-mon -f -c "$conf" -i a
    wait_for 60 "Ceph's monitor" timeout 10 ceph -c "$conf" --connect-timeout 5 -s
    start_daemon "$dir" mgr ceph-mgr -f -c "$conf" -i a
    ceph -c "$conf" osd new "$(cat /proc/sys/kernel/random/uuid)" 0
    ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$(ceph -c "$conf" osd dump -f json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["osds"][0]["uuid"])')"
    ceph -c "$conf" osd crush add osd.0 1.0 root=default host=loopback
    start_daemon "$dir" osd ceph-osd -f -c "$conf" -i 0
    wait_for 60 "Ceph's OSD" timeout 10 sh -c "ceph -c '$conf' osd stat | grep -q '1 up'"
    radosgw_class "$conf" COLD
    start_daemon "$dir" rgw radosgw -f -c "$conf" -n client.rgw
}

# radosgw_user DIR NAME KEY SECRET
radosgw_user() {
    timeout 60 radosgw-admin -c "$1/ceph.conf" user create --uid="$2" --display-name="$2" \
        --access-key="$3" --secret="$4" >>"$1/make.log" 2>&1
}

radosgw_start() {
    local dir=$1 mon_port rgw_port
    local owner=(CONFORMANCEKEY00RGW0 conformance-secret-of-radosgw)
    local stranger=(CONFORMANCEKEY00RGW1 conformance-secret-of-a-stranger)
    mon_port=$(free_port)
    rgw_port=$(free_port)
    radosgw_config "$dir" "$mon_port" "$rgw_port"
    radosgw_cluster "$dir" "$mon_port" >"$dir/make.log" 2>&1
    wait_for 120 radosgw answers "$rgw_port"
    radosgw_user "$dir" conformance "${owner[@]}"
    radosgw_user "$dir" stranger "${stranger[@]}"
    describe "$dir" radosgw "Ceph radosgw $(radosgw --version | cut -d' ' -f3)" \
        "http://127.0.0.1:$rgw_port" us-east-1 "${owner[@]}" "${stranger[@]}"
}

radosgw_stop() { stop_daemons "$1" rgw osd mgr mon; }
