#!/usr/bin/env python3
"""Checks a certificate of `netpol-lab prove` against the manifests, without the program that wrote it.

    python3 check_certificate.py [--ignore-digests] [--seconds N] [--seed N] CERTIFICATE MANIFEST_FILE_OR_DIR...

Exit status 0: accepted. 1: refused, with the first reasons. 2: bad usage or unreadable input.
"""
import argparse
import bisect
import hashlib
import itertools
import json
import math
import pathlib
import random
import sys
import time

import rules_iptables
import rules_nft
from addresses import NUMBERS, STARTS, Partition, Unreadable, address, all_questions, family_of, network, top, union
from manifests import World, files_of, is_finished, objects_of, variant_files
from rules import NodeRules
from specification import Specification

STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID")
AXES = ("sources", "destinations", "questions")
LOOPBACK = {"ipv4": network("127.0.0.0/8"), "ipv6": network("::1")}
BROKEN = (Unreadable, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError)

class Checker:
    """One certificate and its manifests."""

    def __init__(self, certificate, files, ignores_digests=False, seconds=20, seed=1):
        self.certificate, self.files, self.ignores_digests = certificate, files, ignores_digests
        self.seconds, self.seed, self.counts, self.reasons = seconds, seed, {}, []
        self.representatives = self.others = self.packets = self.left_out = 0

    def refuse(self, kind, text):
        """Counts reasons by kind, and keeps the first five of each."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= 5:
            self.reasons.append(f"{kind}: {text}")

    def check(self):
        """Returns the number of reasons by kind. What can't be understood is refused as `schema`."""
        try:
            if self.certificate["schema"] != "netpol-lab/certificate/v1":
                raise Unreadable("the schema is " + str(self.certificate["schema"]))
            variants = variant_files(self.files)
            objects = {path: objects_of(data) for path, data in self.files.items() if path not in variants}
            if not self.ignores_digests:
                self._check_digests(objects)
            self.world = World(itertools.chain.from_iterable(objects.values()))
            self._check_pods()
            families = [Family(self, claims) for claims in self.certificate["families"]]
            used = {family_of(text) for node in self.certificate["nodes"] for text in node["localAddresses"]}
            if sorted(used) != sorted(family.name for family in families):
                self.refuse("coverage", "the families are not those of the nodes' addresses")
            for family in families:
                family.check_representatives()
                family.check_others(time.monotonic() + self.seconds / len(families))
        except BROKEN as error:
            self.refuse("schema", f"{type(error).__name__}: {error}")
        return self.counts

    def _check_digests(self, objects):
        unused = dict(self.files)
        for entry in self.certificate["manifests"]:
            named = [path for path in unused if path.split("/")[-1] == entry["name"].split("/")[-1]] or unused
            right = next((path for path in named if digest(unused[path]) == entry["sha256"]), None)
            if unused.pop(right, None) is None:
                self.refuse("digest", f"no manifest {entry['name']} has the digest {entry['sha256']}")
        for path in filter(objects.get, unused):
            self.refuse("digest", f"{path} is not in the certificate")
        for node in self.certificate["nodes"]:
            for rules in node["rules"]:
                if digest(rules["text"].encode()) != rules["sha256"]:
                    self.refuse("digest", f"rules of {node['name']} as {rules['as']}")

    def _check_pods(self):
        world, pods = self.world, self.certificate["pods"]
        for fault in world.pod_faults(pods):
            self.refuse("pods", fault)
        # A pod that is finished has no traffic, and another may have its address.
        self.pods = [p for p in pods if not is_finished(world.objects.get(("Pod", p["namespace"], p["name"])))]
        nodes = {node["name"]: set(map(address, node["localAddresses"])) for node in self.certificate["nodes"]}
        for name in (world.node_names() | {pod.get("node") for pod in self.pods}) - {None, *nodes}:
            self.refuse("pods", f"there is no node {name}")
        stated = {name: set(map(address, world.node_addresses(name))) for name in nodes}
        taken = {address(text) for pod in self.pods for text in pod["ips"] if not pod["hostNetwork"]}
        for name, own in nodes.items():
            if not stated[name] <= own or own & taken or any(own & stated[other] for other in nodes if other != name):
                self.refuse("pods", f"node {name} lacks an address, or has one of a pod or of another node")

def digest(data):
    return hashlib.sha256(data).hexdigest()

def numbers(ranges):
    return [number for first, last in ranges for number in range(first, last + 1)]

class Family:
    """The claims about one IP family."""

    def __init__(self, checker, claims):
        self.checker, self.refuse, self.name, self.claims = checker, checker.refuse, claims["family"], claims
        spans = [[(address(a), address(b)) for a, b in entry["ranges"]] for entry in claims["addresses"]]
        self.addresses = Partition(spans, ((0, top(self.name)),))
        self.questions = Partition(list(map(self._question, claims["questions"])), all_questions(self.name))
        for what, space in (("address", self.addresses), ("question", self.questions)):
            for kind, text in space.faults():
                self.refuse(kind, f"{self.name} {what} list: {text}")
        self.specification = Specification(checker.world, checker.pods, self.addresses, self.questions, self.name,
                                           self.border)
        self.loopback, cut = self.addresses.inside([LOOPBACK[self.name]])
        if cut:
            self.border("loopback", self.addresses, cut)
        self._check_ends()
        self.nodes = {node["name"]: Node(self, node) for node in checker.certificate["nodes"]}
        self._check_classes()

    def _question(self, entry):
        protocol = "ICMP" if entry["protocol"] == "ICMPv6" else entry["protocol"]
        if not all(0 <= a <= b <= (65535 if protocol in NUMBERS else 255) for a, b in entry["ranges"]):
            raise Unreadable(f"question {entry}")
        return [(STARTS[protocol] + a, STARTS[protocol] + b) for a, b in entry["ranges"]]

    def border(self, what, space, cut):
        """Something that rules or objects name cuts an entry in two."""
        name = "address" if space is self.addresses else "question"
        self.refuse("border", f"{self.name}: {what} cuts {name} entry {cut.bit_length() - 1}")

    def own(self, texts):
        return [address(text) for text in texts if family_of(text) == self.name]

    def _check_ends(self):
        """Addresses of objects are entries of their own, and the ends of entries are right."""
        texts = [pod["ips"] for pod in self.checker.pods if not pod["hostNetwork"]]
        texts += [node["localAddresses"] for node in self.checker.certificate["nodes"]]
        for point in (point for listed in texts for point in self.own(listed)):
            number = self.addresses.number(point)
            if number is None or self.addresses.sizes[number] != 1:
                self.refuse("border", f"{self.name}: an object's address ({point}) is not an entry of its own")
        pod_at = self.specification.pod_at
        for number, entry in enumerate(self.claims["addresses"]):
            end, point = entry["end"] or {}, self.addresses.entries[number][0][0]
            # Of pods that share an address, the one that the entry names counts.
            named = [pod for pod in self.checker.pods if f"{pod['namespace']}/{pod['name']}" == end.get("name")
                     and point in self.own(pod["ips"])]
            if (end.get("kind") == "pod") != (number in pod_at) or number in pod_at and not named:
                self.refuse("pods", f"{self.name} address entry {number}: {entry['end']} is not its end")
            elif named and not named[0]["hostNetwork"]:
                pod_at[number] = named[0]

    def _check_classes(self):
        """Every packet of each node, role and state is in one class, or not certified once."""
        cells = {(node.name, role, state): {pair: 0 for pair, route in node.routes.items() if route[0] == role}
                 for node in self.nodes.values() for role in ("departure", "arrival") for state in STATES}
        self.ends, masks = [], {}
        for listed in ("classes", "notCertified"):
            for entry in self.claims[listed]:
                table = cells[entry["node"], entry["role"], entry["state"]]
                for axis, space in zip(AXES, (self.addresses, self.addresses, self.questions)):
                    if not entry[axis] or not all(0 <= a <= b < len(space.entries) for a, b in entry[axis]):
                        raise Unreadable(f"{axis} {entry[axis]} of an entry of {listed}")
                sources, destinations, questions = (numbers(entry[axis]) for axis in AXES)
                self.ends.append(len(sources) * len(destinations) * len(questions))
                asked = masks.setdefault(str(entry["questions"]), sum(1 << number for number in set(questions)))
                for pair in itertools.product(sources, destinations):
                    if pair not in table:
                        self.refuse("coverage", f"there are no packets {self.show(entry, *pair)}")
                    elif table[pair] & asked:
                        self.refuse("overlap", f"{self.show(entry, *pair)} is claimed twice")
                    table[pair] = table.get(pair, 0) | asked
        for (node, role, state), table in cells.items():
            for pair, asked in table.items():
                if missing := self.questions.everything & ~asked:
                    entry = {"node": node, "role": role, "state": state}
                    self.refuse("coverage", f"{self.show(entry, *pair, missing.bit_length() - 1)} is missing")
        sizes = self.ends[:len(self.claims["classes"])]
        self.checker.packets += sum(sizes)
        self.checker.left_out += sum(self.ends) - sum(sizes)
        self.ends = list(itertools.accumulate(sizes))

    def show(self, entry, source, destination, question=None):
        ends = [self.claims["addresses"][number] for number in (source, destination)]
        names = [f"{(end['end'] or {}).get('name', '')}[{end['ranges'][0][0]}]" for end in ends]
        asked = self.claims["questions"][question] if question is not None else {"protocol": "", "ranges": [[""]]}
        return " ".join([entry["node"], entry["role"], entry["state"], *names, asked["protocol"],
                         str(asked["ranges"][0][0])])

    def check_representatives(self):
        for number, entry in enumerate(self.claims["classes"]):
            verdicts, names = [entry["rules"], entry["specification"]], entry["deviations"]
            if not set(verdicts) <= {"allow", "deny"} or not all(n[:1] == "D" and n[1:].isdigit() for n in names):
                raise Unreadable(f"class {number}: {verdicts} {names}")
            if (verdicts[0] != verdicts[1]) != bool(names):
                self.refuse("unexplained", f"class {number}: rules and specification {verdicts}, deviations {names}")
            self.check_one(number, entry, *(entry[axis][0][0] for axis in AXES))
            self.checker.representatives += 1

    def check_one(self, number, entry, source, destination, question):
        """Judges one packet of a class."""
        node, state = self.nodes[entry["node"]], entry["state"]
        if (source, destination) not in node.routes:
            return                      # It is refused already: there is no such packet.
        role, hooks, is_bridged = node.routes[source, destination]
        rules = node.rules.judge(hooks, source, destination, question, state, is_bridged)
        says = "allow" if self.specification.allows(
            source, destination, question, state, source in node.own, node.pods.get(source),
            node.pods.get(destination)) else "deny"
        if (self.loopback >> source | self.loopback >> destination) & 1:
            rules = "on no wire"
        for what, found in (("rules", rules), ("specification", says)):
            if found != entry[what]:
                kind, more = (f"{what} verdict", "") if found in ("allow", "deny") else ("coverage", " but certified")
                where = self.show(entry, source, destination, question)
                self.refuse(kind, f"class {number}, {where}: {found}{more}")

    def check_others(self, until):
        """Judges all packets of the classes in a random order, each once, until the time is over."""
        count, draw, expanded = self.ends[-1] if self.ends else 1, random.Random(self.checker.seed), {}
        place, step = draw.randrange(count), draw.randrange(count)
        while math.gcd(step, count) != 1:
            step = draw.randrange(count + 1)
        for turn in range(count if self.ends else 0):
            if turn & 63 == 0 and time.monotonic() > until:
                break
            place = (place + step) % count
            number = bisect.bisect_right(self.ends, place)
            if number not in expanded:
                expanded[number] = [numbers(self.claims["classes"][number][axis]) for axis in AXES]
            sources, destinations, questions = expanded[number]
            rest, question = divmod(place - (self.ends[number - 1] if number else 0), len(questions))
            source, destination = divmod(rest, len(destinations))
            self.check_one(number, self.claims["classes"][number], sources[source], destinations[destination],
                           questions[question])
            self.checker.others += 1

class Node:
    """One node: its rules, its ends and the ways of packets through it."""

    def __init__(self, family, claims):
        self.family, self.name, self.routes, addresses = family, claims["name"], {}, family.addresses
        texts = {kind: "\n".join(rules["text"] for rules in claims["rules"] if rules["as"] == kind)
                 for kind in ("iptables", "ip6tables", "ipset", "nft")}
        own = family.own(claims["localAddresses"])
        local = union([(point, point) for point in own] + [LOOPBACK[family.name]])
        chains = rules_iptables.read_tables(texts["iptables" if family.name == "ipv4" else "ip6tables"], family.name,
                                            rules_iptables.read_sets(texts["ipset"]), local)
        chains += rules_nft.read_tables(texts["nft"], family.name, local)
        self.rules = NodeRules(chains, family.name, addresses, family.questions, family.border)
        self.own = {addresses.number(point) for point in own}
        self.pods = {number: pod for number, pod in family.specification.pod_at.items() if pod.get("node") == self.name}
        inside, everywhere = {*self.pods, *self.own}, set(range(len(addresses.entries)))
        for source, destination in itertools.chain(itertools.product(inside, everywhere),
                                                   itertools.product(everywhere - inside, inside)):
            pod = self.pods.get(source)
            if source in self.own and destination in self.own or pod and pod is self.pods.get(destination):
                continue
            role = "departure" if source in inside else "arrival"
            self.routes[source, destination] = (role, *self._way(source, destination))

    def _way(self, source, destination):
        """The hooks on the way, and whether the packet is bridged. No hooks if a bridge hides it from the rules."""
        world = self.family.checker.world
        if source in self.own:
            return ("output", "postrouting"), False
        if destination in self.own:
            return ("prerouting", "input"), False
        entries = self.family.claims["addresses"]
        texts = [entries[number]["ranges"][0][0] for number in (source, destination) if number in self.pods]
        is_bridged = len(texts) == 2 and world.share_bridge(self.name, *texts)
        hooks = ("prerouting", "forward", "postrouting")
        return () if is_bridged and not world.bridge_netfilter else hooks, is_bridged

def read(certificate, manifests):
    """The certificate and the bytes of each manifest by path. Raises OSError or ValueError."""
    claims = json.loads(pathlib.Path(certificate).read_bytes())
    return claims, {path: pathlib.Path(path).read_bytes() for path in files_of(manifests)}

def main(arguments=None):
    parser = argparse.ArgumentParser(description="Checks a certificate of netpol-lab prove.")
    parser.add_argument("certificate")
    parser.add_argument("manifests", nargs="+", help="files or directories")
    parser.add_argument("--ignore-digests", action="store_true", help="judge only")
    parser.add_argument("--seconds", type=float, default=20, help="time for packets beside the representatives")
    parser.add_argument("--seed", type=int, default=1, help="of the order of these packets")
    options = parser.parse_args(arguments)
    try:
        claims, files = read(options.certificate, options.manifests)
        list(map(objects_of, files.values()))
    except (OSError, ValueError, Unreadable) as error:
        print(f"can't read the input: {error}", file=sys.stderr)
        return 2
    checker = Checker(claims, files, options.ignore_digests, options.seconds, options.seed)
    counts = checker.check()
    share = 100 * checker.left_out / max(checker.left_out + checker.packets, 1)
    print(f"{'refused' if counts else 'accepted'}: {checker.representatives} classes, each by its first packet, "
          f"{checker.others} of their {checker.packets} packets; {share:.1f} % of all packets are not certified")
    for reason in checker.reasons:
        print(reason)
    if counts:
        print("in all: " + ", ".join(f"{number} {kind}" for kind, number in counts.items()))
    return 1 if counts else 0

if __name__ == "__main__":
    sys.exit(main())
