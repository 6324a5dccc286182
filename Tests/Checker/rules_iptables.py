"""Reads what `iptables-save`, `ip6tables-save` and `ipset save` print, as steps for `rules.Chain`."""
import re

from addresses import NUMBERS, STARTS, Unreadable, network, protocol_number, protocol_questions, subtract, union
from rules import SIDES, SOURCE_PORT, Chain, only_if, patterns, read_parts

# Priorities of the tables (enum nf_ip_hook_priorities). nat's is another one at the end of a packet's way.
PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")

def read_sets(text):
    """The sets of an `ipset save` text: range lists by name. Only sets of addresses are known."""
    entries = {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["create"] and words[2] in ("hash:ip", "hash:net"):
            entries[words[1]] = {}
        elif words[:1] == ["add"]:
            entries[words[1]][network(words[2])] = "nomatch" in words
        elif words:
            raise Unreadable("ipset line: " + line)
    return {name: _members(members) for name, members in entries.items()}

def _members(members):
    """The longest prefix that holds an address decides."""
    result = ()
    if not any(members.values()):
        return union(members)
    for span, is_excepted in sorted(members.items(), key=lambda item: item[0][0] - item[0][1]):
        result = subtract(result, [span]) if is_excepted else union(result + (span,))
    return result

def read_tables(text, family, sets, local):
    """The chains of all tables of a text. `local` are the ranges of the node's own addresses."""
    chains, table = {}, None
    for line in (re.sub(r"^\[\d+:\d+\] ", "", line.strip()) for line in text.splitlines()):
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            priority = 100 if table == "nat" and name in ("INPUT", "POSTROUTING") else PRIORITIES[table]
            hook = name.lower() if name in HOOKS and policy != "-" else None
            if (table, name) not in chains:     # Several programs' rules may follow each other.
                chains[table, name] = Chain(name, ("iptables", table), hook, priority, policy.lower(), table == "nat")
        elif line.startswith("-A "):
            _, name, rest = (line + " ").split(" ", 2)
            # The protocol of the rule, for `--dport` and for the tests of ICMP types.
            protocol = re.search(r"(?<!! )-p (\S+)", re.sub(r'"(?:[^"\\]|\\.)*"', '""', rest))
            context = family, protocol and protocol[1].upper(), sets, local
            chains[table, name].rules.append(read_parts(rest.strip(), PARTS, context))
        elif line and line != "COMMIT" and not line.startswith("#"):
            raise Unreadable("iptables line: " + line)
    return list(chains.values())

def _protocol(found, context):
    number = protocol_number(found[2])
    return [("question", protocol_questions(number, context[0]), bool(found[1]))] if number else []

def _spans(text):
    pairs = [part.partition(":") for part in text.split(",")]
    return [(int(first or 0), int(last or 65535) if colon else int(first)) for first, colon, last in pairs]

def _ports(found, context):
    if context[1] not in NUMBERS:
        raise Unreadable("ports of the protocol " + str(context[1]))
    if found[2] == "s":
        return only_if(any(first <= SOURCE_PORT <= last for first, last in _spans(found[3])) != bool(found[1]))
    start = STARTS[context[1]]
    return [("question", union((start + first, start + last) for first, last in _spans(found[3])), bool(found[1]))]

def _icmp_type(found, context):
    if context[1] not in ("ICMP", "IPV6-ICMP") or (context[1] == "ICMP") != (context[0] == "ipv4"):
        raise Unreadable("an ICMP type of the protocol " + str(context[1]))
    return [("question", ((STARTS["ICMP"] + int(found[2]),) * 2,), bool(found[1]))]

def _mask(text):
    return int(text or "0xffffffff", 0)

NOT = r"(! )?"
QUOTED = r'(?:"(?:[^"\\]|\\.)*"|[^\s"]+)'
VALUE = r"(0x[0-9a-f]+|\d+)(?:/(0x[0-9a-f]+|\d+))?"
PARTS = patterns(
    (r"-m \w+", lambda m, c: []),
    (r"--comment " + QUOTED, lambda m, c: []),
    (r"--(?:limit|limit-burst|mode) \S+", lambda m, c: []),
    (NOT + r"(-[sd]) (\S+)",
     lambda m, c: [(SIDES[m[2]], union(network(part) for part in m[3].split(",")), bool(m[1]))]),
    (NOT + r"-p (\S+)", _protocol),
    (NOT + r"--([ds])ports? (\S+)", _ports),
    (NOT + r"--(?:icmp|icmpv6)-type (\d+)", _icmp_type),
    (NOT + r"--ctstate ([A-Z,]+)", lambda m, c: [("state", frozenset(m[2].split(",")), bool(m[1]))]),
    (NOT + r"--ctstatus DNAT", lambda m, c: only_if(m[1])),
    (NOT + r"--mark " + VALUE, lambda m, c: [("mark", _mask(m[3]), int(m[2], 0), bool(m[1]))]),
    (NOT + r"--match-set (\S+) (src|dst)", lambda m, c: [(SIDES[m[3]], c[2][m[2]], bool(m[1]))]),
    (NOT + r"--(src|dst)-type LOCAL", lambda m, c: [(SIDES[m[2]], c[3], bool(m[1]))]),
    (NOT + r"--physdev-is-bridged", lambda m, c: [("bridged", bool(m[1]))]),
    (r"--probability (\S+)", lambda m, c: only_if(float(m[1]) > 0)),
    (NOT + r"--dscp (\S+)", lambda m, c: only_if((int(m[2], 0) == 0) != bool(m[1]))),
    (r"-j (ACCEPT|DROP|RETURN)", lambda m, c: [(m[1].lower(),)]),
    (r"-j REJECT(?: --reject-with \S+)?", lambda m, c: [("drop",)]),
    (r"-j (?:NFLOG|LOG)(?: --(?:nflog|log)-[a-z]+ " + QUOTED + ")*", lambda m, c: []),
    (r"-j MASQUERADE(?: --random(?:-fully)?)?", lambda m, c: [("masquerade",)]),
    (r"-j (?:DNAT|REDIRECT) .*", lambda m, c: [("translate",)]),
    (r"-j CT --notrack", lambda m, c: [("notrack",)]),
    (r"-j MARK --set-xmark " + VALUE, lambda m, c: [("set mark", _mask(m[2]) ^ 0xffffffff, int(m[1], 0))]),
    # Targets that are not known here are not among the chains either, so they are refused.
    (r"-([jg]) (\S+)", lambda m, c: [("jump" if m[1] == "j" else "goto", m[2])]))
