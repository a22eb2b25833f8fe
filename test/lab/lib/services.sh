# shellcheck shell=bash
# The message queue, the APIs and the workers: how each is started, and in which order all are stopped.

PORTS=(3306 5000 5672 8004 8041 8774 8778 9292 9696 11211 "$ERLANG_MAPPER_PORT" "$ERLANG_DIST_PORT")

# check_ports refuses to start beside somebody else's services, which would be found one after the other otherwise.
check_ports() {
  local port
  for port in "${PORTS[@]}"; do
    if listens "$port" 2>/dev/null; then
      fail "port $port of $LAB_ADDRESS is in use; stop what uses it, or set LAB_ADDRESS=127.0.0.2 for a second lab"
    fi
  done
}

# wsgi NAME PORT PROCESSES THREADS APPLICATION [ENVIRONMENT...]: an API under uWSGI.
wsgi() {
  local name=$1 port=$2 processes=$3 threads=$4 application=$5
  shift 5
  render "$ETC/uwsgi/$name.ini" "$name" - uwsgi.ini
  sed -i -e "s|@PORT@|$port|" -e "s|@PROCESSES@|$processes|" -e "s|@THREADS@|$threads|" \
    -e "s|@APPLICATION@|$application|" "$ETC/uwsgi/$name.ini"
  start "$name" env "$@" /usr/bin/uwsgi_python3 --ini "$ETC/uwsgi/$name.ini"
}

# worker NAME FOLDER: an OpenStack daemon of that name with its configuration.
worker() { start "$1" /usr/bin/python3 "/usr/bin/$1" --config-file "$ETC/$2/$2.conf" --log-file "$LOG/$1.log"; }

start_queue() {
  start memcached /usr/bin/memcached -u nobody -l "$LAB_ADDRESS" -p 11211 -m 64
  start epmd /usr/bin/epmd -address 127.0.0.1 -port "$ERLANG_MAPPER_PORT"
  echo '[].' >"$ETC/rabbitmq-plugins"
  start rabbitmq env HOME="$DATA/rabbitmq" \
    ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$ERLANG_MAPPER_PORT" RABBITMQ_DIST_PORT="$ERLANG_DIST_PORT" \
    RABBITMQ_NODENAME="lab-${LAB_ADDRESS//./-}@localhost" RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_CONFIG_FILE="$ETC/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/rabbitmq-plugins" \
    RABBITMQ_MNESIA_BASE="$DATA/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$LOG/rabbitmq" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none +S 2:2" \
    /usr/lib/rabbitmq/bin/rabbitmq-server
}

start_keystone() {
  wsgi keystone 5000 2 4 /usr/bin/keystone-wsgi-public \
    OS_KEYSTONE_CONFIG_DIR="$ETC/keystone" OS_KEYSTONE_CONFIG_FILES="$ETC/keystone/keystone.conf"
}

start_apis() {
  wsgi placement 8778 1 4 /usr/bin/placement-api OS_PLACEMENT_CONFIG_DIR="$ETC/placement"
  wsgi glance 9292 1 4 /usr/bin/glance-wsgi-api \
    OS_GLANCE_CONFIG_DIR="$ETC/glance" OS_GLANCE_CONFIG_FILES=glance-api.conf
  # Nova's API takes one request at a time in each process.
  wsgi nova-api 8774 "$LAB_NOVA_PROCESSES" 1 /usr/bin/nova-api-wsgi OS_NOVA_CONFIG_DIR="$ETC/nova"
  wsgi heat-api 8004 1 8 "$ETC/heat/wsgi.py"
  wsgi gnocchi-api 8041 1 8 "$ETC/gnocchi/wsgi.py"
  worker neutron-server neutron
}

wait_for_apis() {
  wait_for Keystone keystone answers 5000
  wait_for Placement placement answers 8778
  wait_for Glance glance answers 9292
  wait_for Nova nova-api answers 8774
  wait_for Neutron neutron-server answers 9696
  wait_for Heat heat-api answers 8004
  wait_for Gnocchi gnocchi-api answers 8041
}

start_workers() {
  worker nova-conductor nova
  worker nova-scheduler nova
  if ! alive heat-engine; then rm -f "$LOG/heat-engine.log"; fi # its first words are waited for
  worker heat-engine heat
  worker gnocchi-metricd gnocchi
  # The program of Debian's package nova-compute is these lines; see packages.sh for why it is not installed.
  start nova-compute /usr/bin/python3 -c \
    'import sys; sys.argv[0] = "nova-compute"; from nova.cmd.compute import main; sys.exit(main())' \
    --config-file "$ETC/nova/nova.conf" --log-file "$LOG/nova-compute.log"
}

# Those that use a service stop before it.
stop_all() {
  local pollers
  mapfile -t pollers < <(polling_agents)
  stop 15 "${pollers[@]}" ceilometer-notification murano-engine murano-api cinder-volume cinder-scheduler cinder-api nova-compute nova-scheduler nova-conductor heat-engine gnocchi-metricd \
    gnocchi-api heat-api neutron-server nova-api glance placement keystone
  stop 30 rabbitmq mariadb memcached
  stop 5 epmd
}
