#!/bin/sh
# A new pod and the enforcer's sync in plain shell: what a podSelector, an ipBlock and the pod's own default-deny do to
# packets until its address is in the ipset and its chain exists.
#
#   lag.sh [SECONDS UNTIL THE SYNC, 0 to 9.99; default 0.3]
#
# All in namespaces of its own, which end with it. Needs root or user namespaces. The pods' links are routed, not
# bridged, so that the rules see every packet also where br_netfilter is missing.
set -eu
PATH=$PATH:/usr/sbin:/sbin delay=${1:-0.3}
case $delay in [0-9] | [0-9].[0-9] | [0-9].[0-9][0-9]) ;; *) echo "lag: write a delay such as 0.3" >&2; exit 2 ;; esac
if [ "${LAG_INSIDE:-} $$" != "1 1" ]; then
  { nc -h 2>&1 | grep -q OpenBSD && which iptables ipset ip nsenter; } >/dev/null ||
    { echo "lag: needs netcat-openbsd, iptables, ipset and iproute2: run netns-scripts/setup.sh" >&2; exit 3; }
  own="--net --mount --pid --fork --kill-child"
  [ "$(id -u)" -eq 0 ] || own="--user --map-root-user $own"
  unshare $own true 2>/dev/null || { echo "lag: needs root, or user namespaces" >&2; exit 3; }
  LAG_INSIDE=1 exec unshare $own "$0" "$delay"
fi
trap 'exit 130' INT TERM
mount --make-rprivate /
mount -t tmpfs tmpfs /run
echo 1 >/proc/sys/net/ipv4/ip_forward
in_pod() { netns=/run/netns/$1; shift; nsenter --net="$netns" "$@"; }
for pod in 2 3 4; do # 2: old, admits a podSelector. 3: old, admits an ipBlock. 4: the newcomer, default-deny.
  ip netns add $pod
  ip link add pod$pod type veth peer name eth0 netns $pod
  ip addr add 10.42.0.1 peer 10.42.0.$pod dev pod$pod
  ip link set pod$pod up
  ip -n $pod addr add 10.42.0.$pod peer 10.42.0.1 dev eth0
  ip -n $pod link set eth0 up
  ip -n $pod route add default via 10.42.0.1
  in_pod $pod nc -4 -lkd 7000 &
  in_pod $pod nc -4 -lkdu 7000 >/run/got$pod &
  until [ "$(in_pod $pod ss -Hlntu | wc -l)" -eq 2 ]; do kill -0 $!; sleep 0.01; done
done
ipset create peers hash:ip
iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A FORWARD -d 10.42.0.2 -m set --match-set peers src -j ACCEPT
iptables -A FORWARD -d 10.42.0.3 -s 10.42.0.0/24 -j ACCEPT
iptables -A FORWARD -d 10.42.0.2/31 -j REJECT

# Connects come first: refused datagrams use up the ICMP errors that the kernel grants a host (6, then 1 a second).
connect() {
  in_pod "$1" nc -nzvw 3 "10.42.0.$2" 7000 2>&1 | sed 's/.*succeeded.*/ok/; s/.*refused.*/refused/; s/.*timed.*/lost/'
}
before2=$(connect 4 2) before3=$(connect 4 3) before4=$(connect 3 4)
# A numbered datagram to each target, each a new flow, with the time before its sending, each 10 ms and what the
# processes take (15 to 30 ms in all on two cores).
start=$(date +%s%3N) n=0
send() { echo "$n $at" | in_pod "$1" nc -nuq 0 "10.42.0.$2" 7000 & }
until [ -e /run/stop ]; do
  n=$((n + 1)) at=$(($(date +%s%3N) - start))
  send 4 2; send 4 3; send 3 4; sleep 0.01 & wait
  echo $n >/run/sent
done &
sender=$!
sleep "$delay"
ipset add peers 10.42.0.4                  # the sync: first the sets,
iptables -A FORWARD -d 10.42.0.4 -j REJECT # then the chains
echo "sync after $(($(date +%s%3N) - start)) ms"
sleep 0.5
: >/run/stop
wait $sender
told() { # told NAME FROM TO TCP-BEFORE
  sort -n "/run/got$3" | awk -v sent="$(cat /run/sent)" -v name="$1" -v tcp="$4, after: $(connect "$2" "$3")" '
    NR == 1 { first = $2 } { last = $2 } END { printf "%s lost %3d of %d packets, %s; TCP before the sync: %s\n",
    name, sent - NR, sent, NR ? "through from " first " to " last " ms" : "none through", tcp }'
}
told "podSelector (ipset)     " 4 2 "$before2"
told "ipBlock (pod CIDR)      " 4 3 "$before3"
told "newcomer's default-deny " 3 4 "$before4"
