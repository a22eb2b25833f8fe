# shellcheck shell=bash
# Murano, the application catalog: its API, its engine and its core library. Only with LAB_WITH=murano.

MURANO_PACKAGES=(murano-api murano-engine)
MURANO_CORE_LIBRARY=/usr/share/murano-common/io.murano.zip

# want_murano adds Murano to what is installed, checked for free ports and made.
want_murano() {
  PACKAGES+=("${MURANO_PACKAGES[@]}")
  PORTS+=(8082)
  DATABASES+=(murano)
  CACHED+=(murano-bootstrapped)
}

write_murano_config() {
  render "$ETC/murano/murano.conf" murano application-catalog services/murano.conf \
    sections/database.conf sections/locks.conf sections/rabbit.conf sections/authtoken.conf
  mkdir -p "$DATA/murano/packages"
}

# make_murano_schema also serves a lab that was made without Murano.
make_murano_schema() {
  sql --execute="CREATE DATABASE IF NOT EXISTS murano CHARACTER SET utf8mb3"
  sync murano murano-db-manage --config-file "$ETC/murano/murano.conf" upgrade
}

start_murano_api() { worker murano-api murano; }

# bootstrap_murano registers the service and imports the core library, without which the engine can deploy nothing.
bootstrap_murano() {
  wait_for Murano murano-api answers 8082
  bootstrap murano "$MURANO_CORE_LIBRARY"
  touch "$DATA/murano-bootstrapped"
}

start_murano_engine() {
  worker murano-engine murano
  wait_for "Murano's engine" murano-engine bootstrap murano_ready
}
