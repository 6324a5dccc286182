"""python3 -m unittest discover -s Tests/Checker"""
import itertools
import unittest

import rules_iptables
import rules_nft
from addresses import STARTS, Partition, address, network, ports, subtract, top
from check_certificate import AXES, Checker, digest
from manifests import World, objects_of
from rules import NodeRules
from specification import Specification

IPTABLES = """*filter
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
-A FORWARD -d 10.42.0.2/32 -m comment --comment "to \\"web\\" -j DROP" -j WEB
-A WEB -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A WEB -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A WEB -p tcp -m set --match-set CLIENTS src -m tcp --dport 80 -j MARK --set-xmark 0x10000/0x10000
-A WEB -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/min -j NFLOG --nflog-group 100
-A WEB -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 10.43.0.1/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.42.0.2:53
COMMIT
"""
NFT = """table ip t {
	map m {
		type ipv4_addr : mark
		elements = { 10.42.0.2 : 0x5 }
	}
	set s {
		type mark . ipv4_addr . inet_proto . inet_service
		elements = { 0x5 . 10.42.0.3 . tcp . 80 }
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		icmp type echo-request accept
		meta mark set ip daddr map @m jump web
	}
	chain web {
		meta mark . ip saddr . meta l4proto . th dport @s meta mark set meta mark & 0xfffffffe return
		counter reject comment "no policy admits it"
	}
	chain nat {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr { 10.43.0.1, 10.43.0.2 } udp dport 53 dnat to 10.42.0.2:53
	}
}
"""
MANIFEST = """
{kind: List, items: [{kind: Node, metadata: {name: n1}, status: {addresses: [
  {type: InternalIP, address: 192.168.1.1}]}}]}
---
{kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {nodeName: n1, containers: [
  {ports: [{name: http, containerPort: 80}]}]}, status: {podIP: 10.42.0.2}}
---
{kind: Pod, metadata: {name: client, namespace: a}, spec: {nodeName: n1}, status: {podIP: 10.42.0.3}}
---
{kind: NetworkPolicy, metadata: {name: p, namespace: a}, spec: %s}
"""
INGRESS = "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}], ports: [{port: http}]}]}"
ENDS = ["10.42.0.2", "10.42.0.3", "192.168.1.1", "10.43.0.1"]
QUESTIONS = {"TCP 80": ports("TCP", 80, 80), "TCP": ports("TCP", 81), "UDP 53": ports("UDP", 53, 53),
             "ICMP 8": ((STARTS["ICMP"] + 8,) * 2,), "ICMP": ((STARTS["ICMP"], STARTS["ICMP"] + 7),)}
ALL, CLAIMS = ("NEW", "ESTABLISHED", "RELATED", "INVALID"), ("rules", "specification", "deviations")

def pods():
    common = {"namespace": "a", "node": "n1", "hostNetwork": False, "workload": None}
    return [{"name": "web", "ips": [ENDS[0]], "labels": {"app": "web"}, **common,
             "ports": [{"name": "http", "protocol": "TCP", "port": 80}]},
            {"name": "client", "ips": [ENDS[1]], "labels": {}, "ports": [], **common}]

def verdicts(source, destination, question, state):
    """What the rules and the specification above say. None if a packet is not certified."""
    if 4 in (source, destination) or (destination, question, state) == (3, 4, "NEW"):
        return None
    if destination != 0 or source == 2 or state in ("ESTABLISHED", "RELATED") or (source, question) == (1, 1):
        return "allow", "allow", []
    return ("allow", "deny", ["D5"]) if question == 8 else ("deny", "deny", [])

def certificate():
    """Entries: web, client, the node, the service (translated for UDP 53), loopback, the rest."""
    known = [network(text) for text in ENDS + ["127.0.0.0/8"]]
    spans = [[span] for span in known] + [subtract([(0, top("ipv4"))], known)]
    dotted = lambda value: ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))
    kinds = [("pod", "a/web"), ("pod", "a/client"), ("node", "n1"), (), (), ()]
    asked = [("TCP", 0, 79), ("TCP", 80, 80), ("TCP", 81, 65535), ("UDP", 0, 52), ("UDP", 53, 53),
             ("UDP", 54, 65535), ("SCTP", 0, 65535), ("ICMP", 0, 7), ("ICMP", 8, 8), ("ICMP", 9, 255)]
    questions = [{"protocol": name, "ranges": [[a, b]]} for name, a, b in asked] + [
        {"protocol": "other", "ranges": [[0, 0], [2, 5], [7, 16], [18, 131], [133, 255]]}]
    classes, left = [], []
    for state, source, destination, question in itertools.product(ALL, range(6), range(6), range(11)):
        if source != destination and (source < 3 or destination < 3):
            entry = {"node": "n1", "role": "departure" if source < 3 else "arrival", "state": state,
                     **dict(zip(AXES, ([[number, number]] for number in (source, destination, question))))}
            found = verdicts(source, destination, question, state)
            (classes if found else left).append({**entry, **dict(zip(CLAIMS, found or ()))})
    texts = {"iptables": IPTABLES, "ipset": "create CLIENTS hash:ip family inet\nadd CLIENTS 10.42.0.3 timeout 0\n"}
    rules = [{"as": name, "text": text, "sha256": digest(text.encode())} for name, text in texts.items()]
    return {"schema": "netpol-lab/certificate/v1", "pods": pods(),
            "manifests": [{"name": "m.yaml", "sha256": digest(DATA)}],
            "nodes": [{"name": "n1", "localAddresses": [ENDS[2]], "rules": rules}],
            "families": [{"family": "ipv4", "questions": questions, "classes": classes, "notCertified": left,
                          "addresses": [{"ranges": [[dotted(a), dotted(b)] for a, b in span],
                                         "end": dict(zip(("kind", "name"), kind)) or None}
                                        for span, kind in zip(spans, kinds)]}]}

DATA = (MANIFEST % INGRESS).encode()

class Certificates(unittest.TestCase):
    def test_accepted(self):
        checker = Checker(certificate(), {"d/m.yaml": DATA})
        self.assertEqual((checker.check(), checker.reasons), ({}, []))
        self.assertEqual(checker.others, checker.packets)

    def test_tampered(self):
        def rule(claims, text=""):
            line = "-A WEB -p icmp -m icmp --icmp-type 8 -j ACCEPT\n"
            claims["nodes"][0]["rules"][0]["text"] = IPTABLES.replace(line, text)
        changes = [
            (lambda c, f, k: f["classes"].pop(3), {"coverage"}),
            (lambda c, f, k: k["destinations"].append([3, 3]), {"overlap"}),
            (lambda c, f, k: k.update(rules="deny", deviations=["D1"]), {"rules verdict"}),
            (lambda c, f, k: k.update(specification="deny", deviations=["D1"]), {"specification verdict"}),
            (lambda c, f, k: k.update(deviations=["D1"]), {"unexplained"}),
            (lambda c, f, k: rule(c), {"digest", "rules verdict"}),
            (lambda c, f, k: rule(c, "-A WEB -p 47 -j ACCEPT\n"), {"digest", "border", "rules verdict"}),
            (lambda c, f, k: c["pods"][0]["labels"].clear(), {"pods", "specification verdict"}),
            (lambda c, f, k: f["questions"][0].update(ranges=[[1, 79]]), {"coverage"}),
            (lambda c, f, k: f["classes"].extend(f.pop("notCertified")), {"schema"})]
        for number, (change, kinds) in enumerate(changes):
            claims = certificate()
            change(claims, claims["families"][0], claims["families"][0]["classes"][0])
            for ignores, expected in ((False, kinds), (True, kinds - {"digest"})):
                self.assertEqual(set(Checker(claims, {"d/m.yaml": DATA}, ignores).check()), expected, number)

def spaces():
    return Partition([[network(text)] for text in ENDS], ()), Partition(list(QUESTIONS.values()), ())

class Rules(unittest.TestCase):
    def test_verdicts(self):
        sets, names = {"CLIENTS": (network("10.42.0.3"),)}, list(QUESTIONS)
        for chains in (rules_iptables.read_tables(IPTABLES, "ipv4", sets, ()), rules_nft.read_tables(NFT, "ipv4", ())):
            rules = NodeRules(chains, "ipv4", *spaces(), lambda *_: None)
            for source, destination, name, state, verdict in (
                    (1, 0, "TCP 80", "NEW", "allow"), (1, 0, "UDP 53", "NEW", "deny"), (3, 0, "TCP 80", "NEW", "deny"),
                    (3, 0, "ICMP 8", "NEW", "allow"), (3, 0, "ICMP", "INVALID", "deny"), (0, 1, "TCP", "NEW", "allow"),
                    (3, 0, "TCP", "ESTABLISHED", "allow"), (0, 3, "UDP 53", "NEW", "translated"),
                    (0, 3, "UDP 53", "ESTABLISHED", "allow")):
                found = rules.judge(("prerouting", "forward"), source, destination, names.index(name), state, False)
                self.assertEqual(found, verdict, (source, destination, name, state))

    def test_sets(self):
        text = "create S hash:net family inet\nadd S 10.0.0.0/8\nadd S 10.1.0.0/16 nomatch\nadd S 10.1.2.0/24\n"
        inside = rules_iptables.read_sets(text)["S"]
        for point, expected in (("10.2.0.0", True), ("10.1.3.0", False), ("10.1.2.9", True)):
            self.assertEqual(any(a <= address(point) <= b for a, b in inside), expected)

class Specifications(unittest.TestCase):
    def test_policies(self):
        client, web = pods()[::-1]
        for spec, source, destination, name, expected in (
                (INGRESS, 1, 0, "TCP 80", True), (INGRESS, 1, 0, "TCP", False), (INGRESS, 3, 0, "TCP 80", False),
                (INGRESS, 2, 0, "TCP", True), (INGRESS, 0, 1, "TCP", True), ("{egress: [{}]}", 1, 0, "UDP 53", False),
                ("{ingress: [{}], egress: []}", 1, 0, "ICMP 8", True), ("{policyTypes: [Egress]}", 1, 3, "TCP", False),
                ("{ingress: [{ports: [{port: 1, endPort: 90}]}]}", 3, 0, "TCP 80", True),
                ("{ingress: [{ports: [{protocol: UDP}]}]}", 3, 0, "ICMP 8", False),
                ("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.43.0.0/16]}}]}]}", 3, 0, "TCP", False),
                ("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.44.0.0/16]}}]}]}", 3, 0, "TCP", True),
                ("{ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, "
                 "operator: In, values: [a]}]}}]}]}", 1, 0, "TCP", True),
                ("{policyTypes: [Egress], egress: [{ports: [{port: http}]}]}", 1, 3, "TCP 80", False),
                ("{policyTypes: [Egress], egress: [{ports: [{port: http}]}]}", 1, 0, "TCP 80", True)):
            world = World(objects_of((MANIFEST % spec).encode()))
            found = Specification(world, [web, client], *spaces(), "ipv4", lambda *_: None).allows(
                source, destination, list(QUESTIONS).index(name), "NEW", source == 2,
                {0: web, 1: client}.get(source), {0: web, 1: client}.get(destination))
            self.assertEqual(found, expected, (spec, source, destination, name))

if __name__ == "__main__":
    unittest.main()
