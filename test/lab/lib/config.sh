# shellcheck shell=bash
# Writes the services' configuration to $ETC from the templates in config/: a service's own file, followed by the
# sections that several services share, with the @WORDS@ replaced.

# render TARGET SERVICE TYPE TEMPLATE...: SERVICE is the user and data base, TYPE the service type in Keystone's catalog.
render() {
  local target=$1 service=$2 type=$3
  shift 3
  local notifications=noop
  # Ceilometer wants to hear of servers, and of nothing else here.
  if [[ $service == nova ]] && lab_with ceilometer; then notifications=messagingv2; fi
  mkdir -p "$(dirname "$target")"
  (cd "$LAB_SCRIPTS/config" && cat "$@") | sed \
    -e "s|@SERVICE@|$service|g" -e "s|@TYPE@|$type|g" \
    -e "s|@ADDRESS@|$LAB_ADDRESS|g" -e "s|@PASSWORD@|$LAB_PASSWORD|g" \
    -e "s|@NOTIFICATIONS@|$notifications|g" -e "s|@ETC@|$ETC|g" -e "s|@DATA@|$DATA|g" -e "s|@LOG@|$LOG|g" \
    -e "s|@HEAT_WORKERS@|$LAB_HEAT_WORKERS|g" -e "s|@HEAT_CONVERGENCE@|$LAB_HEAT_CONVERGENCE|g" \
    >"$target"
}

write_config() {
  local shared=(sections/database.conf sections/cache.conf sections/locks.conf)
  local keystone=(sections/authtoken.conf)
  render "$ETC/keystone/keystone.conf" keystone identity services/keystone.conf "${shared[@]}"
  render "$ETC/glance/glance-api.conf" glance image services/glance.conf "${shared[@]}" "${keystone[@]}"
  render "$ETC/placement/placement.conf" placement placement services/placement.conf "${keystone[@]}"
  render "$ETC/nova/nova.conf" nova compute services/nova.conf "${shared[@]}" sections/rabbit.conf "${keystone[@]}"
  render "$ETC/neutron/neutron.conf" neutron network services/neutron.conf "${shared[@]}" sections/rabbit.conf "${keystone[@]}"
  render "$ETC/heat/heat.conf" heat orchestration services/heat.conf "${shared[@]}" sections/rabbit.conf "${keystone[@]}"
  render "$ETC/gnocchi/gnocchi.conf" gnocchi metric services/gnocchi.conf "${keystone[@]}"
  render "$ETC/heat/wsgi.py" heat orchestration wsgi/heat.py
  render "$ETC/gnocchi/wsgi.py" gnocchi metric wsgi/gnocchi.py
  render "$ETC/rabbitmq.conf" rabbitmq - services/rabbitmq.conf

  # These look for their pipeline beside their own configuration.
  cp /etc/nova/api-paste.ini "$ETC/nova/"
  cp /etc/glance/glance-api-paste.ini "$ETC/glance/"
  cp /etc/heat/api-paste.ini "$ETC/heat/"
  # Gnocchi's pipeline names the project, from which the token check would conclude /etc/gnocchi/gnocchi.conf.
  sed "s|^oslo_config_project.*|&\noslo_config_file = $ETC/gnocchi/gnocchi.conf|" \
    /etc/gnocchi/api-paste.ini >"$ETC/gnocchi/api-paste.ini"

  mkdir -p "$DATA"/{glance,nova/instances,neutron,gnocchi/coordination,keystone,rabbitmq,locks}
}

# write_credentials writes what a user of the lab needs to sign in.
write_credentials() {
  local file
  for file in clouds.yaml openrc cloud.conf; do
    render "$LAB_DIR/$file" demo - "credentials/$file"
    chmod 600 "$LAB_DIR/$file"
  done
}
