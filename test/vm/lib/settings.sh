# shellcheck shell=bash disable=SC2034
# What can be set from outside, with the defaults, and the paths that follow from it. README.md explains each.

VM_DIR=${VM_DIR:-${TMPDIR:-/tmp}/cluster-autoscaler-openstack-vm}
VM_CACHE=${VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cluster-autoscaler-openstack/vm}
VM_MIRROR=${VM_MIRROR:-}
VM_RUN=${VM_RUN:-.}

LOG=$VM_DIR/log

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }

fail() {
  echo "vm: $*" >&2
  exit 1
}
