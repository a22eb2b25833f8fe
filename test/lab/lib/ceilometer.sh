# shellcheck shell=bash
# Ceilometer, which measures servers and stores the measures in Gnocchi. Only with LAB_WITH=ceilometer.

# Both agents' programs are in ceilometer-common. The package ceilometer-agent-compute would bring libvirt along.
want_ceilometer() {
  PACKAGES+=(ceilometer-common ceilometer-agent-notification)
  CACHED+=(ceilometer-bootstrapped)
  # Nova's processes send notifications only if they were started with a configuration that says so.
  if alive nova-compute && ! alive ceilometer-notification; then
    fail "the lab runs without Ceilometer, and Nova would not notify it; take it down first: test/lab/down"
  fi
}

write_ceilometer_config() {
  local shipped=/usr/lib/python3/dist-packages/ceilometer/publisher/data/gnocchi_resources.yaml
  render "$ETC/ceilometer/ceilometer.conf" ceilometer metering services/ceilometer.conf sections/rabbit.conf
  # What a cloud's operator changes for points of one minute, see docs/how-to/set-up-telemetry.md.
  sed -e "/^archive_policies:/r $LAB_SCRIPTS/config/ceilometer/archive-policies.yaml" \
    -e '/resource_type: instance$/,/attributes:/{s/^ *memory.usage:/&\n        archive_policy_name: autoscaling/;s/ceilometer-low-rate/autoscaling-rate/}' \
    "$shipped" >"$ETC/ceilometer/gnocchi_resources.yaml"
  mkdir -p "$DATA/ceilometer" "$ETC/ceilometer/plugins"
  cp "$LAB_SCRIPTS/config/ceilometer/event_pipeline.yaml" "$ETC/ceilometer/"
  # Python finds a plug-in by what the folder of an installed distribution says of it.
  cp -r "$LAB_SCRIPTS"/config/ceilometer/paper_load{.py,-1.dist-info} "$ETC/ceilometer/plugins/"
}

# bootstrap_ceilometer makes Ceilometer's user, and its resource types and archive policies in Gnocchi.
bootstrap_ceilometer() {
  bootstrap ceilometer
  sync ceilometer ceilometer-upgrade --config-file "$ETC/ceilometer/ceilometer.conf"
  touch "$DATA/ceilometer-bootstrapped"
}

start_ceilometer_notification() {
  start ceilometer-notification /usr/bin/python3 /usr/bin/ceilometer-agent-notification \
    --config-file "$ETC/ceilometer/ceilometer.conf" --log-file "$LOG/ceilometer-notification.log"
  wait_for "Ceilometer's notification agent" ceilometer-notification bootstrap ceilometer_ready
}

# start_polling SECONDS starts an agent that polls so often. Several may run, each for servers of its own.
start_polling() {
  local seconds=$1 folder=$ETC/ceilometer/polling-$1 name=ceilometer-polling-$1
  if alive "$name"; then return; fi
  mkdir -p "$folder"
  sed "s|@SECONDS@|$seconds|" "$LAB_SCRIPTS/config/ceilometer/polling.yaml" >"$folder/polling.yaml"
  cp "$LAB_SCRIPTS/config/ceilometer/polling.conf" "$folder/"
  rm -f "$LOG/$name.log" # its first words are waited for
  start "$name" env PYTHONPATH="$ETC/ceilometer/plugins" LAB_LOADS="$DATA/ceilometer/loads-$seconds.json" \
    /usr/bin/python3 /usr/bin/ceilometer-polling --polling-namespaces compute \
    --config-file "$ETC/ceilometer/ceilometer.conf" --config-file "$folder/polling.conf" --log-file "$LOG/$name.log"
  wait_for "Ceilometer's polling agent" "$name" grep --quiet 'No dynamic pollsters file found' "$LOG/$name.log"
}

# polling_agents prints the names of those that were started.
polling_agents() { (cd "$RUN" && shopt -s nullglob && for file in ceilometer-polling-*.pid; do echo "${file%.pid}"; done); }
