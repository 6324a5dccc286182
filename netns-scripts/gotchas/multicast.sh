#!/usr/bin/env bash
# What becomes of one packet under Kubernetes NetworkPolicies, in network namespaces of this machine.
#
# flow     app/client (10.42.0.2) -> app/web (224.0.0.251) UDP/5353
# rules    as kube-router-2.6-k3s writes them
# verdict  ALLOWED
#          The specification says DENIED.
#          D20: packets to a multicast group are checked against the sender's egress policies only, not the receivers' ingress
#
# Written by netpol-lab 0.1.0. It needs bash, root or user namespaces, and the programs below.
# The datagram is sent and received by a program in Python, because nc joins no groups.
# Exit status: 0 if the verdict is as said above, 1 if it isn't, 3 if this machine can't run it.
# All happens in a network and a mount namespace of the script's own: nothing of the machine is changed, no
# packet leaves it, and nothing is left.
[ -n "${BASH_VERSION:-}" ] || { echo 'run this with bash' >&2; exit 3; }
set -eEu

cannot() {
  printf 'this machine cannot run it: %s\n' "$1" >&2
  exit 3
}

PATH=$PATH:/usr/sbin:/sbin
for program in unshare mount ip iptables iptables-restore python3 timeout; do
  command -v "$program" >/dev/null || cannot "there is no $program"
done

if [ "${1:-}" != --inside ]; then
  [ -f "$0" ] || cannot 'save the script into a file, and run that'
  own=(unshare --net --mount)
  "${own[@]}" true 2>/dev/null || own+=(--user --map-root-user)
  "${own[@]}" true || cannot 'it allows no namespaces'
  exec "${own[@]}" "$BASH" "$0" --inside
fi
trap 'cannot "line $LINENO failed"' ERR

# Ends what was started here, by its process ID.
started=()
end_started() {
  local pid
  for pid in ${started[@]+"${started[@]}"}; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  started=()
}
trap end_started EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Names of namespaces and the lock of iptables are only in here.
mount -t tmpfs tmpfs /run
export XTABLES_LOCKFILE=/run/xtables.lock

# node-node1 is node node1
# pod-app.client is pod app/client
# pod-app.web is pod app/web
for machine in lan node-node1 pod-app.client pod-app.web; do ip netns add "$machine"; done

# Sets kernel parameters of a machine.
set_in() {
  local machine=$1
  shift
  # shellcheck disable=SC2016
  ip netns exec "$machine" "$BASH" -c 'for pair; do echo "${pair#*=}" >"/proc/sys/${pair%%=*}" || exit 1; done' - "$@"
}
set_in node-node1 \
  net/ipv4/ip_forward=1 \
  net/ipv4/conf/all/rp_filter=0 \
  net/ipv4/conf/default/rp_filter=0 \
  net/ipv4/conf/all/route_localnet=1 \
  net/ipv4/conf/all/send_redirects=0 \
  net/ipv4/conf/default/send_redirects=0 \
  net/bridge/bridge-nf-call-iptables=1 \
  net/bridge/bridge-nf-call-ip6tables=1

# Links between machines. Then each machine's addresses, routes and neighbours.
ip -batch - <<'END'
link add name lan netns lan type bridge
link add name port0 netns lan type veth peer name eth0 address 02:01:00:00:00:00 netns node-node1
link add name cni0 address 02:03:00:00:00:00 mtu 1450 netns node-node1 type bridge
link add name veth0 mtu 1450 netns node-node1 type veth peer name eth0 address 02:02:00:00:00:00 mtu 1450 netns pod-app.client
link add name veth1 mtu 1450 netns node-node1 type veth peer name eth0 address 02:02:00:00:00:01 mtu 1450 netns pod-app.web
END
ip -n lan -batch - <<'END'
link set lan up
link set port0 master lan up
END
ip -n node-node1 -batch - <<'END'
link set lo up
addr add 172.30.0.11/32 dev eth0
link set eth0 up
addr add 10.42.0.0/32 dev lo
neigh replace 198.18.255.254 lladdr 02:01:00:00:00:01 dev eth0 nud permanent
route add default via 198.18.255.254 dev eth0 onlink src 172.30.0.11
addr add 10.42.0.1/24 dev cni0
link set cni0 up
link set veth0 master cni0
link set veth0 type bridge_slave hairpin on
link set veth0 up
neigh replace 10.42.0.2 lladdr 02:02:00:00:00:00 dev cni0 nud permanent
link set veth1 master cni0
link set veth1 type bridge_slave hairpin on
link set veth1 up
neigh replace 10.42.0.4 lladdr 02:02:00:00:00:01 dev cni0 nud permanent
END
ip -n pod-app.client -batch - <<'END'
link set lo up
addr add 10.42.0.2/24 dev eth0
link set eth0 up
neigh replace 10.42.0.1 lladdr 02:03:00:00:00:00 dev eth0 nud permanent
route add default via 10.42.0.1 dev eth0 onlink
neigh replace 10.42.0.4 lladdr 02:02:00:00:00:01 dev eth0 nud permanent
END
ip -n pod-app.web -batch - <<'END'
link set lo up
addr add 10.42.0.4/24 dev eth0
link set eth0 up
neigh replace 10.42.0.1 lladdr 02:03:00:00:00:00 dev eth0 nud permanent
route add default via 10.42.0.1 dev eth0 onlink
neigh replace 10.42.0.2 lladdr 02:02:00:00:00:00 dev eth0 nud permanent
END

# Rules, without anything that the packet can't meet. Those of policies only with $1 = policies.
load() {
  if [ "$1" = policies ]; then
    ip netns exec node-node1 iptables-restore <<'END'
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:FLANNEL-FWD - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-NWPLCY-COMMON - [0:0]
:KUBE-NWPLCY-DEFAULT - [0:0]
:KUBE-POD-FW-HGBLR7WXHHJEBMVI - [0:0]
:KUBE-POD-FW-J5JBNOKYGW6DOMPA - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-ROUTER-FORWARD - [0:0]
:KUBE-ROUTER-INPUT - [0:0]
:KUBE-ROUTER-OUTPUT - [0:0]
:KUBE-SERVICES - [0:0]
-A INPUT -m comment --comment "kube-router netpol - 4IA2OSFRMVNDXBVV" -j KUBE-ROUTER-INPUT
-A INPUT -m comment --comment "kubernetes load balancer firewall" -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m comment --comment "kubernetes externally-visible service portals" -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES
-A INPUT -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT
-A FORWARD -m comment --comment "kube-router netpol - TEMCG2JMHZYE7H7T" -j KUBE-ROUTER-FORWARD
-A FORWARD -m comment --comment "kubernetes load balancer firewall" -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m comment --comment "kubernetes service portals" -m conntrack --ctstate NEW -j KUBE-SERVICES
-A FORWARD -m comment --comment "kubernetes externally-visible service portals" -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A OUTPUT -m comment --comment "kube-router netpol - VEAAIY32XVBHCSCY" -j KUBE-ROUTER-OUTPUT
-A OUTPUT -m comment --comment "kubernetes load balancer firewall" -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL
-A OUTPUT -m comment --comment "kubernetes service portals" -m conntrack --ctstate NEW -j KUBE-SERVICES
-A OUTPUT -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT
-A FLANNEL-FWD -s 10.42.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d 10.42.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A KUBE-NWPLCY-COMMON -m comment --comment "\"rule to drop invalid state for pod\"" -m conntrack --ctstate INVALID -j DROP
-A KUBE-NWPLCY-COMMON -m comment --comment "\"rule for stateful firewall for pod\"" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A KUBE-NWPLCY-COMMON -p icmp -m comment --comment "allow icmp echo requests" -m icmp --icmp-type 8 -j ACCEPT
-A KUBE-NWPLCY-COMMON -p icmp -m comment --comment "allow icmp destination unreachable messages" -m icmp --icmp-type 3 -j ACCEPT
-A KUBE-NWPLCY-COMMON -p icmp -m comment --comment "allow icmp time exceeded messages" -m icmp --icmp-type 11 -j ACCEPT
-A KUBE-NWPLCY-DEFAULT -m comment --comment "rule to mark traffic matching a network policy" -j MARK --set-xmark 0x10000/0x10000
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -m comment --comment "common bi-directional traffic policy rules" -j KUBE-NWPLCY-COMMON
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -d 10.42.0.2/32 -m comment --comment "rule to permit the traffic traffic to pods when source is the pod\'s local node" -m addrtype --src-type LOCAL -j ACCEPT
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -s 10.42.0.2/32 -m comment --comment "run through default egress network policy chain" -j KUBE-NWPLCY-DEFAULT
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -d 10.42.0.2/32 -m comment --comment "run through default ingress network policy chain" -j KUBE-NWPLCY-DEFAULT
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -m comment --comment "rule to log dropped traffic POD name:client namespace: app" -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/min --limit-burst 10 -j NFLOG --nflog-group 100
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -m comment --comment "rule to REJECT traffic destined for POD name:client namespace: app" -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -j MARK --set-xmark 0x0/0x10000
-A KUBE-POD-FW-HGBLR7WXHHJEBMVI -m comment --comment "set mark to ACCEPT traffic that comply to network policies" -j MARK --set-xmark 0x20000/0x20000
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -m comment --comment "common bi-directional traffic policy rules" -j KUBE-NWPLCY-COMMON
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -d 10.42.0.4/32 -m comment --comment "rule to permit the traffic traffic to pods when source is the pod\'s local node" -m addrtype --src-type LOCAL -j ACCEPT
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -s 10.42.0.4/32 -m comment --comment "run through default egress network policy chain" -j KUBE-NWPLCY-DEFAULT
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -d 10.42.0.4/32 -m comment --comment "run through default ingress network policy chain" -j KUBE-NWPLCY-DEFAULT
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -m comment --comment "rule to log dropped traffic POD name:web namespace: app" -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/min --limit-burst 10 -j NFLOG --nflog-group 100
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -m comment --comment "rule to REJECT traffic destined for POD name:web namespace: app" -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -j MARK --set-xmark 0x0/0x10000
-A KUBE-POD-FW-J5JBNOKYGW6DOMPA -m comment --comment "set mark to ACCEPT traffic that comply to network policies" -j MARK --set-xmark 0x20000/0x20000
-A KUBE-ROUTER-FORWARD -d 10.42.0.2/32 -m comment --comment "rule to jump traffic destined to POD name:client namespace: app to chain KUBE-POD-FW-HGBLR7WXHHJEBMVI" -j KUBE-POD-FW-HGBLR7WXHHJEBMVI
-A KUBE-ROUTER-FORWARD -d 10.42.0.2/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic destined to POD name:client namespace: app to chain KUBE-POD-FW-HGBLR7WXHHJEBMVI" -j KUBE-POD-FW-HGBLR7WXHHJEBMVI
-A KUBE-ROUTER-FORWARD -s 10.42.0.2/32 -m comment --comment "rule to jump traffic from POD name:client namespace: app to chain KUBE-POD-FW-HGBLR7WXHHJEBMVI" -j KUBE-POD-FW-HGBLR7WXHHJEBMVI
-A KUBE-ROUTER-FORWARD -s 10.42.0.2/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic from POD name:client namespace: app to chain KUBE-POD-FW-HGBLR7WXHHJEBMVI" -j KUBE-POD-FW-HGBLR7WXHHJEBMVI
-A KUBE-ROUTER-FORWARD -d 10.42.0.4/32 -m comment --comment "rule to jump traffic destined to POD name:web namespace: app to chain KUBE-POD-FW-J5JBNOKYGW6DOMPA" -j KUBE-POD-FW-J5JBNOKYGW6DOMPA
-A KUBE-ROUTER-FORWARD -d 10.42.0.4/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic destined to POD name:web namespace: app to chain KUBE-POD-FW-J5JBNOKYGW6DOMPA" -j KUBE-POD-FW-J5JBNOKYGW6DOMPA
-A KUBE-ROUTER-FORWARD -s 10.42.0.4/32 -m comment --comment "rule to jump traffic from POD name:web namespace: app to chain KUBE-POD-FW-J5JBNOKYGW6DOMPA" -j KUBE-POD-FW-J5JBNOKYGW6DOMPA
-A KUBE-ROUTER-FORWARD -s 10.42.0.4/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic from POD name:web namespace: app to chain KUBE-POD-FW-J5JBNOKYGW6DOMPA" -j KUBE-POD-FW-J5JBNOKYGW6DOMPA
-A KUBE-ROUTER-INPUT -p tcp -m comment --comment "allow LOCAL TCP traffic to node ports - LR7XO7NXDBGQJD2M" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
-A KUBE-ROUTER-INPUT -p udp -m comment --comment "allow LOCAL UDP traffic to node ports - 76UCBPIZNGJNWNUZ" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
-A KUBE-ROUTER-INPUT -s 10.42.0.2/32 -m comment --comment "rule to jump traffic from POD name:client namespace: app to chain KUBE-POD-FW-HGBLR7WXHHJEBMVI" -j KUBE-POD-FW-HGBLR7WXHHJEBMVI
-A KUBE-ROUTER-INPUT -s 10.42.0.4/32 -m comment --comment "rule to jump traffic from POD name:web namespace: app to chain KUBE-POD-FW-J5JBNOKYGW6DOMPA" -j KUBE-POD-FW-J5JBNOKYGW6DOMPA
-A KUBE-ROUTER-OUTPUT -d 10.42.0.2/32 -m comment --comment "rule to jump traffic destined to POD name:client namespace: app to chain KUBE-POD-FW-HGBLR7WXHHJEBMVI" -j KUBE-POD-FW-HGBLR7WXHHJEBMVI
-A KUBE-ROUTER-OUTPUT -s 10.42.0.2/32 -m comment --comment "rule to jump traffic from POD name:client namespace: app to chain KUBE-POD-FW-HGBLR7WXHHJEBMVI" -j KUBE-POD-FW-HGBLR7WXHHJEBMVI
-A KUBE-ROUTER-OUTPUT -d 10.42.0.4/32 -m comment --comment "rule to jump traffic destined to POD name:web namespace: app to chain KUBE-POD-FW-J5JBNOKYGW6DOMPA" -j KUBE-POD-FW-J5JBNOKYGW6DOMPA
-A KUBE-ROUTER-OUTPUT -s 10.42.0.4/32 -m comment --comment "rule to jump traffic from POD name:web namespace: app to chain KUBE-POD-FW-J5JBNOKYGW6DOMPA" -j KUBE-POD-FW-J5JBNOKYGW6DOMPA
COMMIT
END
  fi
  ip netns exec node-node1 iptables-restore <<'END'
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:FLANNEL-POSTRTG - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -m comment --comment "flanneld masq" -m mark --mark 0x4000/0x4000 -j RETURN
-A FLANNEL-POSTRTG -s 10.42.0.0/24 -d 10.42.0.0/16 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.42.0.0/16 -d 10.42.0.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG ! -s 10.42.0.0/16 -d 10.42.0.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.42.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
-A FLANNEL-POSTRTG ! -s 10.42.0.0/16 -d 10.42.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
  :
}

ask() {
  rm -f /run/arrived /run/ready
  timeout 20 ip netns exec pod-app.web python3 -c "$listening" pod-app.web 224.0.0.251 10.42.0.4 5353 >/dev/null &
  started+=($!)
  for _ in {1..100}; do [ -e /run/ready ] || sleep 0.05; done
  rm /run/ready
  ip netns exec pod-app.client python3 -c "$sending" 10.42.0.2 224.0.0.251 5353 0 || true
  answer=$(cat /run/arrived 2>/dev/null) || true
  end_started
}

read -rd '' sending <<'END' || true
import os, socket, sys, time
source, group, port, _ = sys.argv[1:]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((source, 0))
udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
udp.sendto(b"hello", (group, int(port)))
end = time.monotonic() + 2
while time.monotonic() < end and not os.path.exists("/run/arrived"):
    time.sleep(0.02)
END
read -rd '' listening <<'END' || true
import socket, sys
name, group, address, port = sys.argv[1:]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((group, int(port)))
udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address))
open("/run/ready", "w")
udp.recv(2000)
open("/run/arrived", "w").write(name)
END
show_rules_1() {
  printf '%s\n' 'node-node1, table filter, chain FORWARD, rule 6:'
  ip netns exec node-node1 iptables -t filter -L 'FORWARD' 6 -v -n
  :
}

# Prints the verdict, and remembers whether it is the expected one.
result=0
tell() {
  local verdict=DENIED
  [ -z "$answer" ] || verdict=ALLOWED
  printf '%s\n' "$verdict"
  [ -z "$answer" ] || printf 'answered by %s\n' "$answer"
  if [ "$verdict" != "$1" ]; then
    printf 'netpol-lab says %s\n' "$1"
    result=1
  fi
}

# Without the policies' rules the packet arrives. So if it doesn't with them, they are the reason.
load none
for _ in {1..5}; do
  ask
  [ -z "$answer" ] || break
done
[ -n "$answer" ] || cannot 'without any policy the packet does not arrive either'
load policies
ask
tell ALLOWED
show_rules_1
[ "$answer" = pod-app.web ] || result=1
exit "$result"
