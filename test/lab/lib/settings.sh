# shellcheck shell=bash disable=SC2034
# What can be set from outside, with the defaults, and the paths that follow from it. README.md explains each.

LAB_DIR=${LAB_DIR:-${TMPDIR:-/tmp}/cluster-autoscaler-openstack-lab}
LAB_CACHE=${LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cluster-autoscaler-openstack}
LAB_ADDRESS=${LAB_ADDRESS:-127.0.0.1}
LAB_HEAT_WORKERS=${LAB_HEAT_WORKERS:-2}
LAB_HEAT_CONVERGENCE=${LAB_HEAT_CONVERGENCE:-true}
LAB_NOVA_PROCESSES=${LAB_NOVA_PROCESSES:-2}
LAB_WAIT=${LAB_WAIT:-180}
# Optional services, separated by blanks or commas: murano, cinder, ceilometer.
LAB_WITH=${LAB_WITH:-}

case $LAB_ADDRESS in
  127.*.*.*) ;;
  *)
    echo "LAB_ADDRESS=$LAB_ADDRESS: only loopback addresses, 127.x.y.z: the lab's password is public" >&2
    exit 2
    ;;
esac

# lab_with NAME: whether an optional service is wanted.
lab_with() { [[ ,${LAB_WITH//[[:space:]]/,}, == *",$1,"* ]]; }

LAB_PASSWORD=openstack
ETC=$LAB_DIR/etc
DATA=$LAB_DIR/data
LOG=$LAB_DIR/log
RUN=$LAB_DIR/run

# Every API has its usual port on LAB_ADDRESS. Erlang's two are the exception: its port mapper always takes 127.0.0.1
# too, so a second lab on another address needs others.
ERLANG_MAPPER_PORT=$((34368 + ${LAB_ADDRESS##*.}))
ERLANG_DIST_PORT=$((35670 + ${LAB_ADDRESS##*.}))

# Debian's programs only: no other Python, no proxy and no foreign CA bundle between the services.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset PYTHONPATH PYTHONHOME OS_CLOUD OS_CLIENT_CONFIG_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE \
  http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY
