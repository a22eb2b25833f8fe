# shellcheck shell=bash
# Debian's packages that are needed on this machine. None of them brings a service.

TOOLS=(mmdebstrap genisoimage e2fsprogs iproute2 util-linux curl iptables)

missing_tools() {
  local package
  for package in "${TOOLS[@]}"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

install_tools() {
  local missing
  # The image's packages are looked up in apt's lists, too.
  if ! apt-cache show user-mode-linux >/dev/null 2>&1; then
    apt-get --quiet update >>"$LOG/apt.log" 2>&1 || fail "apt-get update failed; see $LOG/apt.log"
  fi
  mapfile -t missing < <(missing_tools)
  if ((${#missing[@]} == 0)); then return; fi
  say "installing ${missing[*]}"
  local install=(apt-get --yes --quiet --no-install-recommends --option DPkg::Lock::Timeout=300 install "${missing[@]}")
  DEBIAN_FRONTEND=noninteractive "${install[@]}" >>"$LOG/apt.log" 2>&1 && return
  apt-get --quiet update >>"$LOG/apt.log" 2>&1 || fail "apt-get update failed; see $LOG/apt.log"
  DEBIAN_FRONTEND=noninteractive "${install[@]}" >>"$LOG/apt.log" 2>&1 ||
    fail "the packages could not be installed; see $LOG/apt.log"
}
