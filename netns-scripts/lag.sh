#!/bin/sh
# See it with your own eyes: pods 2 and 3 admit pod 4, pod 2 by an ipset (like a podSelector), pod 3 by its network
# (ipBlock). The enforcer learns of pod 4 late: first its address is added to the set, then its own rules are added.
#   lag.sh [DELAY IN SECONDS, default 0.3]
# Needs root or user namespaces, ipset, iptables and netcat-openbsd. Everything is in namespaces that end with it.
set -eu
PATH=$PATH:/usr/sbin:/sbin delay=${1:-0.3}
case $delay in *[!0-9.]* | '' | .) echo "lag: write a number of seconds, such as 0.3" >&2 && exit 2 ;; esac
own="--net --mount --pid --fork --kill-child" && [ "$(id -u)" -eq 0 ] || own="--user --map-root-user $own"
[ "${LAG_INSIDE:-} $$" = "1 1" ] || LAG_INSIDE=1 exec unshare $own "$0" "$delay"
mount --make-rprivate / && mount -t tmpfs tmpfs /run && echo 1 >/proc/sys/net/ipv4/ip_forward
pod() { netns=/run/netns/$1 && shift && nsenter --net="$netns" "$@"; }
for n in 2 3 4; do
  ip netns add $n && ip link add pod$n type veth peer name eth0 netns $n && ip link set pod$n up
  ip addr add 10.42.0.1 peer 10.42.0.$n dev pod$n && ip -n $n addr add 10.42.0.$n peer 10.42.0.1 dev eth0
  ip -n $n link set eth0 up && ip -n $n route add default via 10.42.0.1
  pod $n nc -4 -lkdu 7000 >/run/got$n & # what pod n receives
  until [ -n "$(pod $n ss -Hlnu)" ]; do sleep 0.01; done
done
ipset create peers hash:ip && iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A FORWARD -d 10.42.0.2 -m set --match-set peers src -j ACCEPT # podSelector
iptables -A FORWARD -d 10.42.0.3 -s 10.42.0.0/24 -j ACCEPT              # ipBlock
iptables -A FORWARD -d 10.42.0.2/31 -j REJECT
{ sleep "$delay" && ipset add peers 10.42.0.4 && iptables -A FORWARD -d 10.42.0.4 -j REJECT && : >/run/synced; } &
until [ "${after:=0}" -ge 10 ] || [ "${sent:=0}" -ge 1000 ]; do # ten more packets once all is in place
  sent=$((${sent:-0} + 1)) && [ ! -e /run/synced ] || after=$((after + 1))
  for way in 4:2 4:3 3:4; do echo $sent | pod ${way%:*} nc -nuq 0 10.42.0.${way#*:} 7000 & done; sleep 0.02
done
sleep 0.2 && told() { echo "$1 lost $((sent - $(sort -u /run/got$2 | wc -l))) of $sent packets; first, last: $(sort -n /run/got$2 | sed -n '1p;$p' | xargs)"; }
told "podSelector (ipset)     " 2 && told "ipBlock (pod CIDR)      " 3 && told "newcomer's default-deny " 4
