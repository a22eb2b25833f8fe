# shellcheck shell=bash
# Starting, finding, waiting for and stopping processes. A process is known by its pid file, run/NAME.pid, which holds the
# pid and the process's start time: so a pid that now belongs to somebody else is never signalled.

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }

fail() {
  echo "lab: $*" >&2
  exit 1
}

# start_time PID: in clock ticks since boot; nothing if there is no such process.
start_time() {
  local stat fields
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  read -ra fields <<<"${stat##*) }" # the program's name may hold blanks: cut it off with what is before it
  [[ ${fields[0]} == Z ]] || echo "${fields[19]}"
}

# pid_of NAME: prints the pid of a live process that the lab started under this name.
pid_of() {
  local pid started
  read -r pid started 2>/dev/null <"$RUN/$1.pid" || return 1
  [[ -n $started && $(start_time "$pid") == "$started" ]] || return 1
  echo "$pid"
}

alive() { pid_of "$1" >/dev/null; }

# start NAME COMMAND...: runs the command in a session of its own, unless it runs already.
start() {
  local name=$1 pid
  shift
  if alive "$name"; then return; fi
  setsid "$@" >>"$LOG/$name.out" 2>&1 </dev/null 9>&- & # 9 is the lock of up and down
  pid=$!
  echo "$pid $(start_time "$pid")" >"$RUN/$name.pid"
  disown "$pid"
}

# wait_for WHAT NAME COMMAND...: until the command succeeds, LAB_WAIT seconds at most, and only while process NAME lives.
wait_for() {
  local what=$1 name=$2 end=$((SECONDS + LAB_WAIT))
  shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$name" || fail "$what does not come up: $name has ended; see $LOG/$name.out"
    ((SECONDS < end)) || fail "waited ${LAB_WAIT}s in vain for $what; see $LOG"
    sleep 0.2
  done
}

answers() { curl --silent --output /dev/null --max-time 10 "http://$LAB_ADDRESS:$1/"; }

listens() { (exec 3<>"/dev/tcp/$LAB_ADDRESS/$1"); }

# stop SECONDS NAME...: asks all of them to end, then ends by force what is left after so many seconds, children included.
stop() {
  local seconds=$1 name pid end
  shift
  local -A pids=()
  for name in "$@"; do
    pid=$(pid_of "$name") || continue
    pids[$name]=$pid
    kill -TERM "$pid"
    kill -CONT "$pid" # nova-compute may have been paused by a test
  done
  end=$((SECONDS + seconds))
  for name in "${!pids[@]}"; do
    pid=${pids[$name]}
    while alive "$name" && ((SECONDS < end)); do sleep 0.1; done
    # The session's process group is ours alone (start used setsid), so workers that outlived their master go with it.
    if kill -KILL -- "-$pid" 2>/dev/null && alive "$name"; then say "$name had to be killed"; fi
  done
  for name in "$@"; do rm -f "$RUN/$name.pid"; done
}
