# shellcheck shell=bash
# Debian's packages that the lab needs. Nothing is started by installing them.

PACKAGES=(
  mariadb-server rabbitmq-server memcached uwsgi-core uwsgi-plugin-python3 curl
  keystone glance-api placement-api nova-api nova-conductor nova-scheduler neutron-server
  heat-api heat-engine gnocchi-common gnocchi-api gnocchi-metricd
  python3-pymysql python3-memcache python3-openstackclient python3-heatclient
)

# The package nova-compute would bring libvirt and QEMU along; its program alone is in python3-nova.

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

install_packages() {
  local missing policy=/usr/sbin/policy-rc.d
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then return; fi
  say "installing ${#missing[@]} packages and what they need (about 160 MB to fetch, 3.9 GB on disk; log/apt.log)"
  local apt=(apt-get --yes --quiet --no-install-recommends
    --option Dpkg::Options::=--force-confdef --option Dpkg::Options::=--force-confold
    --option Dpkg::Options::=--force-unsafe-io --option DPkg::Lock::Timeout=300)
  export DEBIAN_FRONTEND=noninteractive # and so: no data base set up, no endpoint registered
  if ! "${apt[@]}" install --download-only "${missing[@]}" >>"$LOG/apt.log" 2>&1; then
    apt-get --quiet update >>"$LOG/apt.log" 2>&1 || fail "apt-get update failed; see $LOG/apt.log"
    "${apt[@]}" install --download-only "${missing[@]}" >>"$LOG/apt.log" 2>&1 ||
      fail "the packages could not be fetched; see $LOG/apt.log"
  fi
  # 101 tells invoke-rc.d that no service may be started; somebody's own policy is left as it is.
  if [[ ! -e $policy ]]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  "${apt[@]}" install "${missing[@]}" >>"$LOG/apt.log" 2>&1 ||
    fail "the packages could not be installed; see $LOG/apt.log"
  if [[ -n $(trap -p EXIT) ]]; then
    rm -f "$policy"
    trap - EXIT
  fi
  say "packages installed"
}
