"""The NetworkPolicy specification: what policies say about a packet, without any rules.

Written from the API reference of networking.k8s.io/v1. Three points that it leaves open are read as in the
certificate's claims: connections that exist stay, packets without ports are admitted by rules without `ports`, and a
node may always reach its own pods.
"""
from addresses import address, family_of, network, ports, subtract

OPERATORS = {
    "In": lambda labels, key, values: key in labels and labels[key] in values,
    "NotIn": lambda labels, key, values: key not in labels or labels[key] not in values,
    "Exists": lambda labels, key, values: key in labels,
    "DoesNotExist": lambda labels, key, values: key not in labels}

def selects(selector, labels):
    """Whether a label selector holds. An empty one selects everything."""
    selector = selector or {}
    return all(labels.get(key) == (value or "") for key, value in (selector.get("matchLabels") or {}).items()) and all(
        OPERATORS[entry["operator"]](labels, entry["key"], [value or "" for value in entry.get("values") or []])
        for entry in selector.get("matchExpressions") or [])

class Specification:
    """Policies on the entries of one family's lists. Reports entries that a policy cuts in two."""

    def __init__(self, world, pods, addresses, questions, family, report):
        self.addresses, self.questions, self.family, self.report = addresses, questions, family, report
        self.pod_at, self._known = {}, {}
        for pod in pods:
            for text in pod["ips"]:
                if not pod["hostNetwork"] and family_of(text) == family:
                    self.pod_at.setdefault(addresses.number(address(text)), pod)
        self.labels = {pod["namespace"]: world.namespace_labels(pod["namespace"]) for pod in pods}
        self.rules = {}                 # by namespace and direction: pairs of a pod selector and a rule list
        for namespace, name, policy in world.all("NetworkPolicy"):
            spec = policy.get("spec") or {}
            types = spec.get("policyTypes") or ["Ingress"] + ["Egress"] * bool(spec.get("egress"))
            for direction, field in (("ingress", "from"), ("egress", "to")):
                if direction.capitalize() in types:
                    rules = [self._rule(rule or {}, field, f"policy {namespace}/{name}")
                             for rule in spec.get(direction) or []]
                    self.rules.setdefault((namespace, direction), []).append((spec.get("podSelector"), rules))

    def allows(self, source, destination, question, state, is_from_node, sender, receiver):
        """`sender` and `receiver` are the pods at the ends if they are on the node, None otherwise."""
        if state in ("ESTABLISHED", "RELATED"):
            return True
        if sender is not None and not self.admitted(sender, "egress", destination) >> question & 1:
            return False
        return receiver is None or is_from_node or bool(self.admitted(receiver, "ingress", source) >> question & 1)

    def admitted(self, pod, direction, other):
        """The questions (a bit set) that a pod may exchange with another end in a direction."""
        key = pod["namespace"], pod["name"], direction, other
        if key not in self._known:
            self._known[key] = self._admitted(pod, direction, other)
        return self._known[key]

    def _admitted(self, pod, direction, other):
        isolating = [rules for selector, rules in self.rules.get((pod["namespace"], direction), ())
                     if selects(selector, pod["labels"])]
        if not isolating:
            return self.questions.everything
        result, peer = 0, self.pod_at.get(other)
        receiver = pod if direction == "ingress" else peer
        for peers, wanted in (rule for rules in isolating for rule in rules):
            if peers is not None and not any(self._is_peer(entry, peer, other, pod["namespace"]) for entry in peers):
                continue
            if wanted is None:
                return self.questions.everything
            for asked, protocol, name in wanted:
                result |= asked
                for port in receiver["ports"] if name and receiver else ():
                    if port.get("name") == name and port["protocol"] == protocol:
                        asked = ports(protocol, port["port"], port["port"])
                        result |= self._inside(self.questions, asked, "named port " + name)
        return result

    def _is_peer(self, entry, peer, other, namespace):
        if "block" in entry:
            return bool(entry["block"] >> other & 1)
        if peer is None or not selects(entry["pods"], peer["labels"]):
            return False
        return peer["namespace"] == namespace if entry["namespaces"] is None else selects(
            entry["namespaces"], self.labels[peer["namespace"]])

    def _inside(self, space, ranges, what):
        inside, cut = space.inside(ranges)
        if cut:
            self.report(what, space, cut)
        return inside

    def _rule(self, rule, field, policy):
        """Peers (None: everyone) and ports (None: everything) of a rule."""
        peers = []
        for peer in rule.get(field) or []:
            block = peer.get("ipBlock")
            if block:
                ranges = ()
                if family_of(block["cidr"]) == self.family:
                    ranges = subtract([network(block["cidr"])], map(network, block.get("except") or []))
                peers.append({"block": self._inside(self.addresses, ranges, f"{policy}: {block['cidr']}")})
            elif peer.get("podSelector") is not None or peer.get("namespaceSelector") is not None:
                peers.append({"namespaces": peer.get("namespaceSelector"), "pods": peer.get("podSelector")})
        wanted = []
        for port in rule.get("ports") or []:
            protocol, first = port.get("protocol") or "TCP", port.get("port")
            asked = ports(protocol)
            if first is not None:
                span = (int(first), int(port.get("endPort") or first)) if first.isdigit() else (1, 0)
                asked = ports(protocol, *span) if span[0] <= span[1] else ()
            name = None if first is None or first.isdigit() else first
            wanted.append((self._inside(self.questions, asked, f"{policy}: port {first}"), protocol, name))
        return peers if rule.get(field) else None, wanted if rule.get("ports") else None
