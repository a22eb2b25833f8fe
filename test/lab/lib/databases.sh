# shellcheck shell=bash
# The data base server, the services' schemas, and the cache that saves making them again.

DATABASES=(keystone glance placement nova_api nova nova_cell0 neutron heat gnocchi)
# What a restored lab needs besides the tables: Keystone's keys, Glance's image, Gnocchi's storage with its layout.
CACHED=(mysql keystone glance gnocchi bootstrapped)

sql() { mariadb --no-defaults --user=root --socket="$RUN/mysql.sock" "$@"; }

start_mariadb() {
  if [[ ! -d $DATA/mysql/mysql ]]; then
    mariadb-install-db --no-defaults --user=root --datadir="$DATA/mysql" --skip-test-db \
      --auth-root-authentication-method=normal >>"$LOG/mariadb.out" 2>&1
  fi
  # Nothing here has to survive a crash, so nothing is flushed.
  start mariadb /usr/sbin/mariadbd --no-defaults --user=root --datadir="$DATA/mysql" --socket="$RUN/mysql.sock" \
    --bind-address="$LAB_ADDRESS" --port=3306 --max-connections=1000 --skip-name-resolve --skip-log-bin \
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-flush-method=nosync --sync-binlog=0 \
    --innodb-buffer-pool-size=256M --performance-schema=0 --character-set-server=utf8mb3
  wait_for "the data base" mariadb sql --execute='select 1'
}

# --- the cache ---------------------------------------------------------------------------------------------------------

# The cache is good for the same packages, the same address (it is in the endpoints) and the same scripts.
cache_file() {
  local key
  key=$({
    echo "$LAB_ADDRESS $LAB_PASSWORD"
    dpkg-query --show "${PACKAGES[@]}"
    cat "$LAB_SCRIPTS"/lib/{databases,config,murano,cinder,ceilometer}.sh "$LAB_SCRIPTS"/bootstrap/*.py
    cat "$LAB_SCRIPTS/config/ceilometer/archive-policies.yaml"
  } | sha256sum)
  echo "$LAB_CACHE/openstack-${key:0:16}.tar.gz"
}

restore_cache() {
  local file
  file=$(cache_file)
  [[ -s $file ]] || return 1
  tar --extract --gzip --file "$file" --directory "$DATA" || fail "$file is damaged; remove it and try again"
  say "data bases restored from $file"
}

# write_cache needs the data base server stopped for a moment: a copy of a running one is not a copy.
write_cache() {
  local file
  file=$(cache_file)
  stop 60 mariadb
  mkdir -p "$LAB_CACHE"
  tar --create --directory "$DATA" "${CACHED[@]}" | gzip -1 >"$file.part"
  mv "$file.part" "$file"
  # One for every change of a script would be kept for good otherwise.
  find "$LAB_CACHE" -maxdepth 1 -name 'openstack-*.tar.gz' -printf '%T@ %p\n' | sort --reverse --numeric-sort |
    tail --lines=+6 | cut --delimiter=' ' --fields=2- | xargs --no-run-if-empty --delimiter='\n' rm --force
  start_mariadb
  say "data bases kept in $file ($(du --human-readable "$file" | cut --fields=1))"
}

# --- the schemas -------------------------------------------------------------------------------------------------------

# sync NAME COMMAND...: one step of making schemas, with a log file of its own.
sync() {
  local name=$1
  shift
  "$@" >>"$LOG/schema-$name.log" 2>&1 || fail "schema $name failed; see $LOG/schema-$name.log"
}

# new_keys FOLDER: Fernet keys as keystone-manage would write them, without its ten seconds of start-up.
new_keys() {
  local key
  mkdir -p "$1"
  chmod 700 "$1"
  for key in 0 1; do head --bytes=32 /dev/urandom | base64 | tr '+/' '-_' >"$1/$key"; done
}

# map_cells registers Nova's two cells and the only compute host, as nova-manage would in three slow steps.
map_cells() {
  local url="mysql+pymysql://lab:$LAB_PASSWORD@$LAB_ADDRESS:3306"
  sql nova_api <<SQL
INSERT INTO cell_mappings (created_at, uuid, name, transport_url, database_connection, disabled) VALUES
  (now(), '00000000-0000-0000-0000-000000000000', 'cell0', 'none:///', '$url/nova_cell0?charset=utf8', 0),
  (now(), uuid(), 'cell1', 'rabbit://guest:guest@$LAB_ADDRESS:5672/', '$url/nova?charset=utf8', 0);
INSERT INTO host_mappings (created_at, cell_id, host) SELECT now(), id, 'fake-1' FROM cell_mappings WHERE name = 'cell1';
SQL
}

# paper_agent makes Neutron believe in a living Open vSwitch agent on the fake host: then ports are bound.
paper_agent() {
  sql neutron <<'SQL'
INSERT INTO agents (id, agent_type, `binary`, topic, host, availability_zone, admin_state_up, created_at, started_at,
  heartbeat_timestamp, configurations, `load`)
VALUES (uuid(), 'Open vSwitch agent', 'neutron-openvswitch-agent', 'N/A', 'fake-1', 'nova', 1, now(), now(), '2099-01-01',
  '{"bridge_mappings": {}, "tunnel_types": [], "datapath_type": "system", "ovs_hybrid_plug": false}', 0);
SQL
}

make_schemas() {
  local database
  say "making the schemas: a minute or two"
  for database in "${DATABASES[@]}"; do
    sql --execute="CREATE DATABASE IF NOT EXISTS $database CHARACTER SET utf8mb3"
  done
  sql --execute="CREATE USER IF NOT EXISTS lab@'%' IDENTIFIED BY '$LAB_PASSWORD'; GRANT ALL ON *.* TO lab@'%'"
  # Two chains at a time: each step is one Python program on one core.
  (
    sync neutron neutron-db-manage --config-file "$ETC/neutron/neutron.conf" upgrade heads
    paper_agent
    sync glance glance-manage --config-file "$ETC/glance/glance-api.conf" db_sync
    sync gnocchi gnocchi-upgrade --config-file "$ETC/gnocchi/gnocchi.conf"
    sync placement env OS_PLACEMENT_CONFIG_DIR="$ETC/placement" placement-manage --config-file "$ETC/placement/placement.conf" db sync
  ) &
  local first=$!
  (
    new_keys "$DATA/keystone/tokens"
    new_keys "$DATA/keystone/credentials"
    local keystone=(keystone-manage --config-file "$ETC/keystone/keystone.conf")
    sync keystone "${keystone[@]}" db_sync
    sync keystone "${keystone[@]}" bootstrap --bootstrap-password "$LAB_PASSWORD" --bootstrap-region-id RegionOne \
      --bootstrap-public-url "http://$LAB_ADDRESS:5000/v3" --bootstrap-internal-url "http://$LAB_ADDRESS:5000/v3" \
      --bootstrap-admin-url "http://$LAB_ADDRESS:5000/v3"
    sync nova nova-manage --config-file "$ETC/nova/nova.conf" api_db sync
    map_cells
    sync nova nova-manage --config-file "$ETC/nova/nova.conf" db sync
    sync heat heat-manage --config-file "$ETC/heat/heat.conf" db_sync
  ) &
  local second=$! failed=
  wait "$first" || failed=1
  wait "$second" || failed=1
  [[ -z $failed ]] || fail "the schemas could not be made"
  say "schemas made"
}
