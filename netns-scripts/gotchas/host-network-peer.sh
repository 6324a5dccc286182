#!/usr/bin/env bash
# What becomes of one packet under Kubernetes NetworkPolicies, in network namespaces of this machine.
#
# flow     shop/agent (10.42.0.0) -> shop/db (10.42.1.2) TCP/5432
# rules    as kube-router-2.6-k3s writes them
# verdict  DENIED
#
# Written by netpol-lab 0.1.0. It needs bash, root or user namespaces, and the programs below.
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
for program in unshare mount ip iptables iptables-restore ipset bridge nc ss timeout; do
  command -v "$program" >/dev/null || cannot "there is no $program"
done
[[ $(nc -h 2>&1) == *OpenBSD* ]] || cannot 'nc is not the one of netcat-openbsd'

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

# node-n1 is node n1
# node-n2 is node n2
# pod-shop.db is pod shop/db
for machine in lan node-n1 node-n2 pod-shop.db; do ip netns add "$machine"; done

# Sets kernel parameters of a machine.
set_in() {
  local machine=$1
  shift
  # shellcheck disable=SC2016
  ip netns exec "$machine" "$BASH" -c 'for pair; do echo "${pair#*=}" >"/proc/sys/${pair%%=*}" || exit 1; done' - "$@"
}
set_in node-n1 \
  net/ipv4/ip_forward=1 \
  net/ipv4/conf/all/rp_filter=0 \
  net/ipv4/conf/default/rp_filter=0 \
  net/ipv4/conf/all/route_localnet=1 \
  net/ipv4/conf/all/send_redirects=0 \
  net/ipv4/conf/default/send_redirects=0 \
  net/bridge/bridge-nf-call-iptables=1 \
  net/bridge/bridge-nf-call-ip6tables=1
set_in node-n2 \
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
link add name port0 netns lan type veth peer name eth0 address 02:01:00:00:00:00 netns node-n1
link add name port1 netns lan type veth peer name eth0 address 02:01:00:00:00:01 netns node-n2
link add name cni0 address 02:03:00:00:00:00 mtu 1450 netns node-n1 type bridge
link add name cni0 address 02:03:00:00:00:01 mtu 1450 netns node-n2 type bridge
link add name veth0 mtu 1450 netns node-n2 type veth peer name eth0 address 02:02:00:00:00:00 mtu 1450 netns pod-shop.db
END
ip -n lan -batch - <<'END'
link set lan up
link set port0 master lan up
link set port1 master lan up
END
ip -n node-n1 -batch - <<'END'
link set lo up
addr add 192.168.20.11/32 dev eth0
link set eth0 up
link add name flannel.1 address 02:04:00:00:00:00 mtu 1450 type vxlan id 1 local 192.168.20.11 dev eth0 dstport 8472 nolearning
addr add 10.42.0.0/32 dev flannel.1
link set flannel.1 up
neigh replace 10.42.1.0 lladdr 02:04:00:00:00:01 dev flannel.1 nud permanent
route add 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink
neigh replace 192.168.20.12 lladdr 02:01:00:00:00:01 dev eth0 nud permanent
route add 192.168.20.12/32 dev eth0 src 192.168.20.11
neigh replace 198.18.255.254 lladdr 02:01:00:00:00:02 dev eth0 nud permanent
route add default via 198.18.255.254 dev eth0 onlink src 192.168.20.11
addr add 10.42.0.1/24 dev cni0
link set cni0 up
END
bridge -n node-n1 -batch - <<'END'
fdb append 02:04:00:00:00:01 dev flannel.1 dst 192.168.20.12 self permanent
END
ip -n node-n2 -batch - <<'END'
link set lo up
addr add 192.168.20.12/32 dev eth0
link set eth0 up
link add name flannel.1 address 02:04:00:00:00:01 mtu 1450 type vxlan id 1 local 192.168.20.12 dev eth0 dstport 8472 nolearning
addr add 10.42.1.0/32 dev flannel.1
link set flannel.1 up
neigh replace 10.42.0.0 lladdr 02:04:00:00:00:00 dev flannel.1 nud permanent
route add 10.42.0.0/24 via 10.42.0.0 dev flannel.1 onlink
neigh replace 192.168.20.11 lladdr 02:01:00:00:00:00 dev eth0 nud permanent
route add 192.168.20.11/32 dev eth0 src 192.168.20.12
neigh replace 198.18.255.254 lladdr 02:01:00:00:00:02 dev eth0 nud permanent
route add default via 198.18.255.254 dev eth0 onlink src 192.168.20.12
addr add 10.42.1.1/24 dev cni0
link set cni0 up
link set veth0 master cni0
link set veth0 type bridge_slave hairpin on
link set veth0 up
neigh replace 10.42.1.2 lladdr 02:02:00:00:00:00 dev cni0 nud permanent
END
bridge -n node-n2 -batch - <<'END'
fdb append 02:04:00:00:00:00 dev flannel.1 dst 192.168.20.11 self permanent
END
ip -n pod-shop.db -batch - <<'END'
link set lo up
addr add 10.42.1.2/24 dev eth0
link set eth0 up
neigh replace 10.42.1.1 lladdr 02:03:00:00:00:01 dev eth0 nud permanent
route add default via 10.42.1.1 dev eth0 onlink
END

# Rules, without anything that the packet can't meet. Those of policies only with $1 = policies.
load() {
  if [ "$1" = policies ]; then
    ip netns exec node-n1 iptables-restore <<'END'
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:FLANNEL-FWD - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
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
-A KUBE-ROUTER-INPUT -p tcp -m comment --comment "allow LOCAL TCP traffic to node ports - LR7XO7NXDBGQJD2M" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
-A KUBE-ROUTER-INPUT -p udp -m comment --comment "allow LOCAL UDP traffic to node ports - 76UCBPIZNGJNWNUZ" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
COMMIT
END
  fi
  ip netns exec node-n1 iptables-restore <<'END'
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
  if [ "$1" = policies ]; then
    ip netns exec node-n2 ipset restore <<'END'
create KUBE-DST-I5T3IE2WDS3O4GWL hash:ip family inet hashsize 1024 maxelem 65536 timeout 0
add KUBE-DST-I5T3IE2WDS3O4GWL 10.42.1.2 timeout 0
create KUBE-SRC-SR5EY5CGNPBVBPEE hash:ip family inet hashsize 1024 maxelem 65536 timeout 0
add KUBE-SRC-SR5EY5CGNPBVBPEE 10.42.1.2 timeout 0
END
    ip netns exec node-n2 iptables-restore <<'END'
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
:KUBE-NWPLCY-EHZQ6GU2YTMRM4NO - [0:0]
:KUBE-POD-FW-34EPVDAJ4ZDMAJQT - [0:0]
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
-A KUBE-NWPLCY-EHZQ6GU2YTMRM4NO -m comment --comment "rule to ACCEPT traffic from source pods to dest pods selected by policy name from-all namespace shop" -m set --match-set KUBE-SRC-SR5EY5CGNPBVBPEE src -m set --match-set KUBE-DST-I5T3IE2WDS3O4GWL dst -j MARK --set-xmark 0x10000/0x10000
-A KUBE-NWPLCY-EHZQ6GU2YTMRM4NO -m comment --comment "rule to ACCEPT traffic from source pods to dest pods selected by policy name from-all namespace shop" -m set --match-set KUBE-SRC-SR5EY5CGNPBVBPEE src -m set --match-set KUBE-DST-I5T3IE2WDS3O4GWL dst -m mark --mark 0x10000/0x10000 -j RETURN
-A KUBE-NWPLCY-EHZQ6GU2YTMRM4NO -m comment --comment "rule to log dropped traffic" -m limit --limit 10/min --limit-burst 10 -m mark ! --mark 0x10000/0x10000 -j NFLOG --nflog-prefix "DROP by policy shop/from-all" --nflog-group 100
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -m comment --comment "common bi-directional traffic policy rules" -j KUBE-NWPLCY-COMMON
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -d 10.42.1.2/32 -m comment --comment "rule to permit the traffic traffic to pods when source is the pod\'s local node" -m addrtype --src-type LOCAL -j ACCEPT
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -s 10.42.1.2/32 -m comment --comment "run through default egress network policy chain" -j KUBE-NWPLCY-DEFAULT
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -d 10.42.1.2/32 -m comment --comment "run through nw policy from-all" -j KUBE-NWPLCY-EHZQ6GU2YTMRM4NO
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -m comment --comment "rule to log dropped traffic POD name:db namespace: shop" -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/min --limit-burst 10 -j NFLOG --nflog-group 100
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -m comment --comment "rule to REJECT traffic destined for POD name:db namespace: shop" -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -j MARK --set-xmark 0x0/0x10000
-A KUBE-POD-FW-34EPVDAJ4ZDMAJQT -m comment --comment "set mark to ACCEPT traffic that comply to network policies" -j MARK --set-xmark 0x20000/0x20000
-A KUBE-ROUTER-FORWARD -d 10.42.1.2/32 -m comment --comment "rule to jump traffic destined to POD name:db namespace: shop to chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT" -j KUBE-POD-FW-34EPVDAJ4ZDMAJQT
-A KUBE-ROUTER-FORWARD -d 10.42.1.2/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic destined to POD name:db namespace: shop to chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT" -j KUBE-POD-FW-34EPVDAJ4ZDMAJQT
-A KUBE-ROUTER-FORWARD -s 10.42.1.2/32 -m comment --comment "rule to jump traffic from POD name:db namespace: shop to chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT" -j KUBE-POD-FW-34EPVDAJ4ZDMAJQT
-A KUBE-ROUTER-FORWARD -s 10.42.1.2/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic from POD name:db namespace: shop to chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT" -j KUBE-POD-FW-34EPVDAJ4ZDMAJQT
-A KUBE-ROUTER-INPUT -p tcp -m comment --comment "allow LOCAL TCP traffic to node ports - LR7XO7NXDBGQJD2M" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
-A KUBE-ROUTER-INPUT -p udp -m comment --comment "allow LOCAL UDP traffic to node ports - 76UCBPIZNGJNWNUZ" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
-A KUBE-ROUTER-INPUT -s 10.42.1.2/32 -m comment --comment "rule to jump traffic from POD name:db namespace: shop to chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT" -j KUBE-POD-FW-34EPVDAJ4ZDMAJQT
-A KUBE-ROUTER-OUTPUT -d 10.42.1.2/32 -m comment --comment "rule to jump traffic destined to POD name:db namespace: shop to chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT" -j KUBE-POD-FW-34EPVDAJ4ZDMAJQT
-A KUBE-ROUTER-OUTPUT -s 10.42.1.2/32 -m comment --comment "rule to jump traffic from POD name:db namespace: shop to chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT" -j KUBE-POD-FW-34EPVDAJ4ZDMAJQT
COMMIT
END
  fi
  ip netns exec node-n2 iptables-restore <<'END'
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
-A FLANNEL-POSTRTG -s 10.42.1.0/24 -d 10.42.0.0/16 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.42.0.0/16 -d 10.42.1.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG ! -s 10.42.0.0/16 -d 10.42.1.0/24 -m comment --comment "flanneld masq" -j RETURN
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

# Waits until a machine listens on a port.
await() {
  for _ in {1..100}; do
    [ -z "$(ip netns exec "$1" ss -Hlnt "sport = :$2")" ] || return 0
    sleep 0.05
  done
  cannot "nc doesn't listen in $1"
}

ask() {
  # Whoever gets the packet answers with the name of its machine.
  printf '%s\n' pod-shop.db | timeout 20 ip netns exec pod-shop.db nc -n -N -l 10.42.1.2 5432 >/dev/null 2>&1 &
  started+=($!)
  await pod-shop.db 5432
  answer=$(ip netns exec node-n1 nc -N -n -w 2 -s 10.42.0.0 10.42.1.2 5432 </dev/null 2>/dev/null) || true
  end_started
}
show_rules_1() {
  printf '%s\n' 'node-n2, table filter, chain KUBE-POD-FW-34EPVDAJ4ZDMAJQT, rule 6:'
  ip netns exec node-n2 iptables -t filter -L 'KUBE-POD-FW-34EPVDAJ4ZDMAJQT' 6 -v -n
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
tell DENIED
show_rules_1
exit "$result"
