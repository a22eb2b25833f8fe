# shellcheck shell=bash
# Cinder, block storage, with a driver whose volumes hold nothing. Only with LAB_WITH=cinder.

# want_cinder adds Cinder to what is installed, checked for free ports and made.
want_cinder() {
  PACKAGES+=(cinder-api cinder-scheduler cinder-volume)
  PORTS+=(8776)
  DATABASES+=(cinder)
  CACHED+=(cinder-bootstrapped)
}

write_cinder_config() {
  render "$ETC/cinder/cinder.conf" cinder volume services/cinder.conf \
    sections/database.conf sections/locks.conf sections/rabbit.conf sections/authtoken.conf
  render "$ETC/cinder/wsgi.py" cinder volume wsgi/cinder.py
  render "$ETC/cinder/paper_volumes.py" cinder volume cinder/paper_volumes.py
  mkdir -p "$DATA/cinder"
}

# make_cinder_schema also serves a lab that was made without Cinder.
make_cinder_schema() {
  sql --execute="CREATE DATABASE IF NOT EXISTS cinder CHARACTER SET utf8mb3"
  sync cinder cinder-manage --config-file "$ETC/cinder/cinder.conf" db sync
}

start_cinder_api() { wsgi cinder-api 8776 1 4 "$ETC/cinder/wsgi.py"; }

bootstrap_cinder() {
  wait_for Cinder cinder-api answers 8776
  bootstrap cinder
  touch "$DATA/cinder-bootstrapped"
}

start_cinder_workers() {
  worker cinder-scheduler cinder
  start cinder-volume env PYTHONPATH="$ETC/cinder" /usr/bin/python3 /usr/bin/cinder-volume \
    --config-file "$ETC/cinder/cinder.conf" --log-file "$LOG/cinder-volume.log"
  wait_for "Cinder's volume host" cinder-volume bootstrap cinder_ready
}
