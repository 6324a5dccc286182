"""What the rules of one node do with packets.

A parsed rule is a list of steps, which are tuples. Tests:
  ("source"|"destination"|"question", ranges, negated)   ranges of addresses, or of the line of questions
  ("state", set of names, negated)  ("bridged", negated)
  ("mark", mask, value, negated)    ("key", fields, keyed set, negated)
Effects:
  ("set mark", kept bits, flipped bits)  ("set mark from", fields, map)  ("verdict from", fields, map)
  ("jump", chain) ("goto", chain) ("return",) ("accept",) ("drop",) ("translate",) ("masquerade",) ("notrack",)
Every entry of the certificate's lists gets a bit. For each chain and entry, a bit set tells which rules of the chain
hold for it. So the rules that a packet meets are found with three bitwise ands.
"""
import re

from addresses import NUMBERS, Unreadable, protocol_questions, question_parts, union

SIDES = {"-s": "source", "src": "source", "s": "source",
         "-d": "destination", "dst": "destination", "d": "destination"}
SOURCE_PORT = 40000
NEVER = "state", (), False
SITUATIONS = [(state, bridged) for state in ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
              for bridged in (False, True)]

def only_if(holds):
    """The test for something that is the same for all packets."""
    return [] if holds else [NEVER]

def patterns(*pairs):
    """Pairs of a regular expression, which must end at the end of a word, and a function of its match."""
    return [(re.compile(pattern + r"(?: +|$)"), make) for pattern, make in pairs]

def read_parts(text, parts, context):
    """Reads a rule from left to right with the first pattern that fits each time. Returns its steps."""
    result, place = [], 0
    while place < len(text):
        for pattern, make in parts:
            found = pattern.match(text, place)
            if found:
                result += make(found, context)
                place = found.end()
                break
        else:
            raise Unreadable(f"at {text[place:]!r} of the rule {text!r}")
    return result

class KeyedSet:
    """An nft set or map. Each element is a pair of a key, which has a range for each field, and a value."""

    def __init__(self, name, elements):
        self.name, self.elements, self._known = name, elements, {}
        self._single = {tuple(first for first, _ in key): value for key, value in elements
                        if all(first == last for first, last in key)}
        self._ranged = [(key, value) for key, value in elements if any(first != last for first, last in key)]

    def find(self, values):
        """The value of the element that has a key, or None."""
        if values in self._single:
            return self._single[values]
        if values not in self._known:
            self._known[values] = next((value for key, value in self._ranged if all(
                first <= own <= last for (first, last), own in zip(key, values))), None)
        return self._known[values]

    def check(self, fields, spaces, family, report):
        """Reports elements that cut an entry of the lists in two."""
        for kind in ("source", "destination", "question"):
            parts = ("protocol", "port") if kind == "question" else (kind,)
            groups = {}
            for key, value in self.elements:
                rest = tuple(part for part, field in zip(key, fields) if field not in parts)
                asked = {field: part for part, field in zip(key, fields) if field in parts}
                if asked:
                    found = _questions(asked, family) if kind == "question" else [asked[kind]]
                    groups.setdefault((rest, value), []).extend(found)
            for ranges in groups.values():
                cut = spaces[kind].inside(union(ranges))[1]
                if cut:
                    report(f"set {self.name}: {kind}", spaces[kind], cut)

def _questions(asked, family):
    first, last = asked.get("protocol", (0, 255))
    if "port" not in asked:
        return [span for number in range(first, last + 1) for span in protocol_questions(number, family)]
    starts = [protocol_questions(number, family)[0][0] for number in NUMBERS.values() if first <= number <= last]
    return [(start + asked["port"][0], start + asked["port"][1]) for start in starts]

class Chain:
    """A chain as it was read, and then compiled for the lists of a certificate."""

    def __init__(self, name, table, hook=None, priority=0, policy="accept", is_nat=False):
        self.name, self.table, self.hook, self.priority = name, table, hook, priority
        self.policy, self.is_nat, self.rules = policy, is_nat, []

    def compile(self, resolve, spaces, family, report):
        """Moves tests of entries into bit sets. `resolve` finds chains by name."""
        self.columns, self.rows = {kind: [] for kind in spaces}, {kind: {} for kind in spaces}
        self.situations, compiled = dict.fromkeys(SITUATIONS, 0), []
        for index, steps in enumerate(self.rules):
            masks = {kind: space.everything for kind, space in spaces.items()}
            situations, dynamic = SITUATIONS, []
            for step in [NEVER] if NEVER in steps else steps:
                kind = step[0]
                if kind in (*masks, "state", "bridged") and any(done[0] not in ("mark", "key") for done in dynamic):
                    raise Unreadable(f"a test after an effect in chain {self.name}")
                if kind in masks:
                    inside, cut = spaces[kind].inside(step[1])
                    if cut:
                        report(f"chain {self.name}, rule {index}: {kind}", spaces[kind], cut)
                    masks[kind] &= ~inside if step[2] else inside
                elif kind == "state":
                    situations = [pair for pair in situations if (pair[0] in step[1]) != step[2]]
                elif kind == "bridged":
                    situations = [pair for pair in situations if pair[1] != step[1]]
                else:
                    if kind in ("key", "set mark from", "verdict from"):
                        step[2].check(step[1], spaces, family, report)
                    if kind == "verdict from":
                        step += ({verdict: resolve(verdict) for _, verdict in step[2].elements},)
                    dynamic.append(resolve(step))
            for kind, mask in masks.items():
                self.columns[kind].append((mask, 1 << index))
            for pair in situations:
                self.situations[pair] |= 1 << index
            compiled.append(tuple(dynamic))
        self.rules = compiled

    def row(self, kind, entry):
        """The rules that hold for an entry of one of the lists."""
        if entry not in self.rows[kind]:
            self.rows[kind][entry] = sum(bit for mask, bit in self.columns[kind] if mask >> entry & 1)
        return self.rows[kind][entry]

class Packet:
    """One packet at one place of its way. Ends and question are numbers of the certificate's entries."""

    def __init__(self, *values):
        (self.source, self.destination, self.question, self.state, self.bridged), self.mark = values, 0

class NodeRules:
    """The rules of one node for one family."""

    def __init__(self, chains, family, addresses, questions, report):
        by_name = {(chain.table, chain.name): chain for chain in chains}
        spaces = {"source": addresses, "destination": addresses, "question": questions}
        self.bases = {}
        for chain in sorted(chains, key=lambda chain: chain.priority):
            def resolve(step, table=chain.table):
                return (step[0], by_name[table, step[1]]) if step[0] in ("jump", "goto") else step
            chain.compile(resolve, spaces, family, report)
            self.bases.setdefault(chain.hook, []).append(chain)
        self.first_address = [entry[0][0] for entry in addresses.entries]
        self.parts = [question_parts(entry[0][0], family) for entry in questions.entries]

    def judge(self, hooks, source, destination, question, state, bridged):
        """`allow`, `deny`, or `translated` if a rule gives the packet another destination."""
        packet = Packet(source, destination, question, state, bridged)
        for hook in hooks:
            masqueraded = False
            for chain in self.bases.get(hook, ()):
                if chain.is_nat and (packet.state != "NEW" or masqueraded):
                    continue
                end = self.run(chain, packet)
                if end == "translate":
                    return "translated"
                if end == "drop" or end is None and chain.policy == "drop":
                    return "deny"
                masqueraded = end == "masquerade"
        return "allow"

    def run(self, chain, packet):
        """Runs a packet through a chain. None if it ends without a verdict."""
        ends = (chain.row("source", packet.source) & chain.row("destination", packet.destination)
                & chain.row("question", packet.question))
        left = ends & chain.situations[packet.state, packet.bridged]
        while left:
            bit = left & -left
            left ^= bit
            for step in chain.rules[bit.bit_length() - 1]:
                kind = step[0]
                if kind == "verdict from":
                    step = step[3].get(self.look_up(step, packet), ("no element",))
                    kind = step[0]
                if kind == "mark":
                    if ((packet.mark & step[1]) == step[2]) == step[3]:
                        break
                elif kind == "jump":
                    if (end := self.run(step[1], packet)) is not None:
                        return end
                elif kind == "set mark":
                    packet.mark = packet.mark & step[1] ^ step[2]
                elif kind == "return":
                    return None
                elif kind in ("accept", "drop", "translate", "masquerade"):
                    return kind
                elif kind == "goto":
                    return self.run(step[1], packet)
                elif kind == "key":
                    if (self.look_up(step, packet) is not None) == step[3]:
                        break
                elif kind == "set mark from":
                    if (mark := self.look_up(step, packet)) is None:
                        break
                    packet.mark = mark
                elif kind == "notrack":
                    packet.state = "UNTRACKED"
                    left = ends & chain.situations[packet.state, packet.bridged] & ~((bit << 1) - 1)
                else:
                    break           # The map has no element.
        return None

    def look_up(self, step, packet):
        protocol, port = self.parts[packet.question]
        values = {"mark": packet.mark, "source": self.first_address[packet.source], "protocol": protocol,
                  "destination": self.first_address[packet.destination], "port": port}
        key = tuple(values[field] for field in step[1])
        return None if None in key else step[2].find(key)
