#!/bin/sh
# Shows that a run leaves its host unchanged after success, Ctrl-C and kill -9: while building, probing, measuring lag. And so
# does a shell in a pod, and a script of export.
#
#   host-untouched.sh NETPOL_LAB MANIFESTS...
#
# The "host" is a network and mount namespace of this script's own, with a planted bridge, nft table, ipset and named
# namespace. So the machine itself isn't at risk. Needs root or user namespaces.
set -u

if [ "${HOST_UNTOUCHED_INSIDE:-}" != 1 ]; then
  export HOST_UNTOUCHED_INSIDE=1
  if [ "$(id -u)" -eq 0 ]; then exec unshare --net --mount --fork "$0" "$@"; fi
  exec unshare --user --map-root-user --net --mount --fork "$0" "$@"
fi

lab=$1
shift
mount --make-rprivate /
mount -t tmpfs tmpfs /run
work=/run/host-untouched
mkdir "$work"
ip link set lo up
ip link add br-host type bridge
# Otherwise the bridge's own address would change from tentative to valid meanwhile.
echo 0 >/proc/sys/net/ipv6/conf/br-host/accept_dad
ip addr add 10.99.0.1/24 dev br-host
ip link set br-host up
nft add table inet planted
nft add chain inet planted input '{ type filter hook input priority 0; }'
nft add rule inet planted input tcp dport 4242 counter accept
iptables -A FORWARD -s 10.99.0.0/24 -j ACCEPT
ipset create planted hash:ip
ipset add planted 10.99.0.7
ip netns add planted

snapshot() {
  nft list ruleset
  iptables-save | grep -v '^#'
  ip6tables-save | grep -v '^#'
  ipset save
  ip -d link | sed 's/_timer *[0-9.]*//g'
  ip addr
  ip route show table all
  ip -6 route show table all
  ip neigh
  ip netns list
  find /proc/sys/net -type f ! -path '*/flush' ! -path '*/nf_conntrack_count' | sort | xargs grep -H '' 2>/dev/null
  cut -d' ' -f2- /proc/self/mountinfo
}

failed=0
passed=0
# Whether a process of the lab's session is alive. A child killed in a system call ends only when the call does.
is_alive() { ps -s "$(cat "$work/pid")" -o stat= 2>/dev/null | grep -qv '^Z'; }

check() {
  tries=0
  while is_alive && [ $tries -lt 200 ]; do tries=$((tries + 1)); sleep 0.01; done
  snapshot >"$work/after" 2>&1
  if is_alive; then
    echo "FAILED $1: a process is still running"
    failed=$((failed + 1))
  elif diff "$work/before" "$work/after" >"$work/difference"; then
    echo "ok $1"
    passed=$((passed + 1))
  else
    echo "FAILED $1: the host differs"
    cat "$work/difference"
    failed=$((failed + 1))
  fi
}

# Starts the lab on its own terminal and in its own session, so that progress output shows the phase. Programs that a
# shell starts in the background ignore Ctrl-C unless this is reset.
start() {
  rm -f "$work/pid"
  : >"$work/screen"
  setsid script -qefc "sh -c 'echo \$\$ >$work/pid; exec env --default-signal=INT \"\$0\" \"\$@\"' $lab $arguments" /dev/null \
    </dev/null >"$work/screen" 2>&1 &
  runner=$!
  tries=0
  while [ ! -s "$work/pid" ] && [ $tries -lt 500 ]; do tries=$((tries + 1)); sleep 0.01; done
}

# interrupt SIGNAL PHASE: sends the signal as soon as the phase shows on the screen.
interrupt() {
  start
  tries=0
  while ! grep -q "$2" "$work/screen" && kill -0 "$(cat "$work/pid")" 2>/dev/null && [ $tries -lt 20000 ]; do
    tries=$((tries + 1))
    sleep 0.005
  done
  if ! grep -q "$2" "$work/screen"; then
    echo "FAILED: the phase '$2' never showed"
    failed=$((failed + 1))
  fi
  kill "-$1" "$(cat "$work/pid")" 2>/dev/null
  wait "$runner"
  # A status of 128 plus the signal's number means that it didn't run to its end.
  status=$?
  [ "$status" -gt 128 ] || { echo "FAILED: it ended by itself ($status) after SIG$1 while $2"; failed=$((failed + 1)); }
  check "after SIG$1 while $2"
}

arguments="run"
for file in "$@"; do arguments="$arguments -f $file"; done
snapshot >"$work/before" 2>&1

start
wait "$runner"
status=$?
check "after a run (exit code $status)"
[ "$status" -eq 0 ] || { failed=$((failed + 1)); cat "$work/screen"; }
for signal in INT KILL; do
  for phase in building probing; do interrupt "$signal" "$phase"; done
done
arguments="lag --policies 1 --pods 4 --local 3 --trials 1000 --requests 0 --spacing 1ms"
for signal in INT KILL; do interrupt "$signal" "trial 3"; done
world=$(dirname "$0")/../examples/gotchas/sync-lag.yaml
arguments="shell -f $world shop/job -- sleep 1000"
for signal in TERM KILL; do interrupt "$signal" "the lab stands"; done
arguments="export -f $world shop/job shop/db:5432"
start
wait "$runner"
check "after an export"
grep -q "shows what its heading says" "$work/screen" || { echo "FAILED: the script wasn't run"; failed=$((failed + 1)); }
ip netns del planted
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
