"""Reads what `nft list ruleset` prints and `nft -f` reads, as steps for `rules.Chain`."""
import re

from addresses import STARTS, Unreadable, icmp_number, network, ports, protocol_number, protocol_questions, union
from rules import SIDES, SOURCE_PORT, Chain, KeyedSet, only_if, patterns, read_parts

PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
FAMILIES = {"ip": "ipv4", "ip6": "ipv6"}
FIELDS = {"ip saddr": "source", "ip daddr": "destination", "ip6 saddr": "source", "ip6 daddr": "destination",
          "meta mark": "mark", "meta l4proto": "protocol", "ip protocol": "protocol", "th dport": "port"}
ICMP_TYPES = {
    "echo-reply": (0, 129), "destination-unreachable": (3, 1), "echo-request": (8, 128), "time-exceeded": (11, 3),
    "parameter-problem": (12, 4), "packet-too-big": (None, 2), "nd-router-solicit": (None, 133),
    "nd-router-advert": (None, 134), "nd-neighbor-solicit": (None, 135), "nd-neighbor-advert": (None, 136),
    "nd-redirect": (None, 137)}     # of IPv4 and IPv6

def read_tables(text, family, local):
    """The chains of all tables of one family. `local` are the ranges of the node's own addresses."""
    tables, table, block = [], None, None
    # Braces that open and close within a statement are put on one line.
    for line in re.sub(r"\{ +\S[^{}]*\}", lambda found: " ".join(found[0].split()), text).splitlines():
        line = line.strip()
        if line.endswith("{"):
            words = line.split()
            if table is None:
                table = Table(words[2], FAMILIES[words[1]], local)
                tables.append(table)
            else:
                block = []
                table.blocks.append((words[0], words[1], block))
        elif line == "}":
            table, block = table if block is not None else None, None
        elif block is not None:
            block += [part for part in re.split("; ?", line) if part] if line.startswith("type ") else [line]
        elif line and not line.startswith(("#", "comment ")):
            raise Unreadable("nft: " + line)
    return [chain for table in tables if table.family == family for chain in table.read()]

class Table:
    """The sets and chains of one table."""

    def __init__(self, name, family, local):
        self.name, self.family, self.local = name, family, local
        self.blocks, self.plain, self.keyed = [], {}, {}

    def read(self):
        for kind, name, statements in self.blocks:
            if kind in ("set", "map"):
                self._read_set(name, statements)
        return [self._read_chain(name, statements) for kind, name, statements in self.blocks if kind == "chain"]

    def _read_set(self, name, statements):
        types, values, elements = [], "", []
        for text in statements:
            if text.startswith("type "):
                kinds, _, values = text[5:].partition(" : ")
                types = kinds.split(" . ")
            elif text.startswith("elements = "):
                elements = _operands(re.sub(r' comment "[^"]*"', "", text[11:]))
            elif not text.startswith(("flags ", "size ", "comment ", "auto-merge")):
                raise Unreadable(f"nft set {name}: {text}")
        if types in (["ipv4_addr"], ["ipv6_addr"]) and not values:
            self.plain[name] = union(network(element) for element in elements)
        self.keyed[name] = KeyedSet(name, [_element(element, types, values) for element in elements])

    def _read_chain(self, name, statements):
        chain = Chain(name, ("nft", self.name))
        for text in statements:
            base = re.fullmatch(r"type (\w+) hook (\w+) priority (-?\w+)(?: ([-+]) (\d+))?", text)
            if base:
                chain.is_nat, chain.hook = base[1] == "nat", base[2]
                chain.priority = PRIORITIES[base[3]] if base[3] in PRIORITIES else int(base[3])
                chain.priority += int((base[4] or "+") + (base[5] or "0"))
            elif text.startswith("policy "):
                chain.policy = text.split()[1]
            elif not text.startswith(("comment ", "#")):
                chain.rules.append(read_parts(text, PARTS, self))
        return chain

def _element(text, types, values):
    key, _, value = text.partition(" : ")
    value = int(value, 0) if values == "mark" else tuple(value.split())
    return tuple(_value(part, kind) for part, kind in zip(key.split(" . "), types, strict=True)), value

def _value(text, kind):
    if kind in ("mark", "inet_proto"):
        return (int(text, 0) if kind == "mark" else protocol_number(text),) * 2
    return {"ipv4_addr": network, "ipv6_addr": network, "inet_service": _span}[kind](text)

def _span(text):
    first, dash, last = text.partition("-")
    return int(first), int(last if dash else first)

def _operands(text):
    return [part for part in re.split(", ?", text.strip("{} ")) if part]

def _port(found, table):
    spans, name = [_span(text) for text in _operands(found[4])], found[1].upper()
    tests = [("question", ports(name), False)]
    if found[2] == "d":
        asked = union(ports(name, *span)[0] for span in spans)
        return tests + [("question", asked, found[3] == "!= ")]
    return tests + only_if(any(a <= SOURCE_PORT <= b for a, b in spans) != (found[3] == "!= "))

def _icmp_type(found, table):
    if (found[1] == "v6") != (table.family == "ipv6"):
        raise Unreadable("nft: ICMP of the other family")
    texts = [ICMP_TYPES[text][found[1] == "v6"] if text in ICMP_TYPES else text for text in _operands(found[3])]
    types = union((STARTS["ICMP"] + a, STARTS["ICMP"] + b) for a, b in map(_span, map(str, texts)))
    return [("question", protocol_questions(icmp_number(table.family), table.family), False),
            ("question", types, found[2] == "!= ")]

def _protocol(found, table):
    numbers = map(protocol_number, _operands(found[2]))
    ranges = union(span for number in numbers for span in protocol_questions(number, table.family))
    return [("question", ranges, found[1] == "!= ")]

def _fields(text):
    return tuple(FIELDS[field] for field in text.split(" . "))

def _set_test(found, table):
    fields, name, negated = _fields(found[1]), found[3], found[2] == "!= "
    if len(fields) == 1 and name in table.plain:
        return [(fields[0], table.plain[name], negated)]
    return [("key", fields, table.keyed[name], negated)]

def _address(found, table):
    return [(FIELDS[found[1]], union(network(text) for text in _operands(found[3])), found[2] == "!= ")]

def _set_mark(found, table):
    if found[2]:
        return [("set mark", 0, int(found[2], 0))]
    kept, flipped = 0xffffffff, 0
    for sign, text in re.findall(r"([&|^]) (\S+)", found[1]):
        cleared = {"&": ~int(text, 0), "|": int(text, 0), "^": 0}[sign]
        kept, flipped = kept & ~cleared, flipped & ~cleared ^ (int(text, 0) if sign != "&" else 0)
    return [("set mark", kept, flipped)]

FIELD = r"(?:ip6? [sd]addr|meta mark|meta l4proto|ip protocol|th dport)"
KEY = f"({FIELD}(?: \\. {FIELD})*)"
NOT = r"(!= |== )?"
VALUE = r"(\{[^}]*\}|[^\s{}@=!&|]+)"
PARTS = patterns(
    (r"counter(?: packets \d+ bytes \d+)?", lambda m, t: []),
    (r'comment "[^"]*"', lambda m, t: []),
    (r'log(?: prefix "[^"]*"| group \d+| level \w+)*', lambda m, t: []),
    (r"limit rate \d\S*(?: burst \d+ packets)?", lambda m, t: []),
    (r"(accept|drop|return|notrack)", lambda m, t: [(m[1],)]),
    (r"(jump|goto) (\S+)", lambda m, t: [(m[1], m[2])]),
    (r"reject with tcp reset", lambda m, t: [("question", ports("TCP"), False), ("drop",)]),
    (r"reject(?: with icmp(?:v6|x)?(?: type)? \S+)?", lambda m, t: [("drop",)]),
    (r"masquerade(?: fully-random| random| persistent)*", lambda m, t: [("masquerade",)]),
    (r'(?:dnat|redirect)(?: (?!comment )(?:\{[^}]*\}|\S+))*', lambda m, t: [("translate",)]),
    # The first choice stands for all.
    (r"numgen random mod \d+ vmap \{ 0 : (jump|goto) ([^\s,]+)[^}]*\}", lambda m, t: [(m[1], m[2])]),
    (r"ct state " + NOT + VALUE,
     lambda m, t: [("state", frozenset(text.upper() for text in _operands(m[2])), m[1] == "!= ")]),
    (r"ct status " + NOT + "dnat", lambda m, t: only_if(m[1] == "!= ")),
    (r"fib ([sd])addr type " + NOT + "local", lambda m, t: [(SIDES[m[1]], t.local, m[2] == "!= ")]),
    (r"icmp(v6)? type " + NOT + VALUE, _icmp_type),
    (r"(tcp|udp|sctp) ([ds])port " + NOT + VALUE, _port),
    (r"ip6? dscp " + NOT + VALUE,
     lambda m, t: only_if(any(text in ("cs0", "0x00") for text in _operands(m[2])) != (m[1] == "!= "))),
    (r"meta mark set " + KEY + r" map @(\S+)", lambda m, t: [("set mark from", _fields(m[1]), t.keyed[m[2]])]),
    (r"meta mark set (?:meta mark((?: [&|^] \w+)+)|(\w+))", _set_mark),
    (KEY + r" vmap @(\S+)", lambda m, t: [("verdict from", _fields(m[1]), t.keyed[m[2]])]),
    (KEY + " " + NOT + r"@(\S+)", _set_test),
    (r"meta mark (?:& (\w+) )?" + NOT + r"(0x[0-9a-f]+|\d+)",
     lambda m, t: [("mark", int(m[1] or "0xffffffff", 0), int(m[3], 0), m[2] == "!= ")]),
    (r"(ip6? [sd]addr) " + NOT + VALUE, _address),
    (r"(?:meta l4proto|ip protocol) " + NOT + VALUE, _protocol))
