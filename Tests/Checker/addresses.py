"""Addresses and questions as integers, and lists that partition them.

A *question* is what a packet asks for: a port of TCP, UDP or SCTP, an ICMP type, or another protocol's number. All
questions lie on one line of integers, so that addresses and questions are handled by the same code.
A *range* is a pair (first, last). A range list is a tuple of disjoint ranges, sorted.
"""
import functools
import ipaddress
from bisect import bisect_right

NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}
STARTS = {"TCP": 0, "UDP": 65536, "SCTP": 131072, "ICMP": 196608, "other": 196864}
NAMES = {"all": 0, "icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51,
         "icmpv6": 58, "ipv6-icmp": 58, "ospf": 89, "vrrp": 112, "sctp": 132, "udplite": 136}
BY_NUMBER = {number: name for name, number in NUMBERS.items()}

class Unreadable(Exception):
    """The input has something that this program does not understand."""

def family_of(text):
    return "ipv6" if ":" in text else "ipv4"

def top(family):
    return (1 << (128 if family == "ipv6" else 32)) - 1

@functools.lru_cache(maxsize=None)
def address(text):
    """An address as an integer. Raises ValueError."""
    return int(ipaddress.ip_address(text))

@functools.lru_cache(maxsize=None)
def network(text):
    """`ADDRESS`, `ADDRESS/LENGTH`, `ADDRESS/MASK` or `FIRST-LAST` as a range. Bits after the prefix do not matter."""
    first, dash, last = text.partition("-")
    if dash:
        return address(first), address(last)
    found = ipaddress.ip_network(text, strict=False)
    return int(found.network_address), int(found.broadcast_address)

def union(ranges):
    """Sorts and joins ranges that overlap or touch."""
    result = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return tuple(result)

def subtract(ranges, others):
    """The part of a range list that is in none of the other ranges."""
    result = list(ranges)
    for low, high in others:
        cut = ((first, min(last, low - 1), max(first, high + 1), last) for first, last in result)
        result = [part for a, b, c, d in cut for part in {(a, b), (c, d)} if part[0] <= part[1]]
    return union(result)

def ports(protocol, first=0, last=65535):
    """The questions that are ports of a protocol, which is a name in upper case."""
    return ((STARTS[protocol] + first, STARTS[protocol] + last),)

def icmp_number(family):
    return 58 if family == "ipv6" else 1

def protocol_questions(number, family):
    """All questions of the protocol with a number."""
    if number in BY_NUMBER:
        return ports(BY_NUMBER[number])
    if number == icmp_number(family):
        return ((STARTS["ICMP"], STARTS["ICMP"] + 255),)
    return ((STARTS["other"] + number, STARTS["other"] + number),)

def protocol_number(text):
    """A protocol's number from its name or number. `all` is 0."""
    return NAMES[text.lower()] if text.lower() in NAMES else int(text)

def all_questions(family):
    """The whole line but the numbers of protocols that have questions of their own."""
    gaps = [(STARTS["other"] + number,) * 2 for number in (6, 17, 132, icmp_number(family))]
    return subtract(((0, STARTS["other"] + 255),), gaps)

def question_parts(question, family):
    """The number of the protocol and the port (None if it has no ports) of a point on the line."""
    name = [name for name in STARTS if STARTS[name] <= question][-1]
    value = question - STARTS[name]
    if name == "other":
        return value, None
    return (icmp_number(family), None) if name == "ICMP" else (NUMBERS[name], value)

class Partition:
    """A list of entries, each a list of ranges, which together should be a whole space, each point once."""

    def __init__(self, entries, whole):
        self.entries, self.whole, self._known = entries, whole, {}
        self.everything = (1 << len(entries)) - 1
        self.pieces = sorted((first, last, number) for number, entry in enumerate(entries) for first, last in entry)
        self.starts = [piece[0] for piece in self.pieces]
        self.sizes = [sum(last - first + 1 for first, last in entry) for entry in entries]

    def faults(self):
        """Yields (kind, text): gaps, overlaps and what is outside of the space."""
        for number, entry in enumerate(self.entries):
            if not entry or any(first > last for first, last in entry):
                yield "schema", f"entry {number} has no ranges, or one that ends before it begins"
        for (_, last, one), (first, _, other) in zip(self.pieces, self.pieces[1:]):
            if first <= last:
                yield "overlap", f"entries {one} and {other} share {first}"
        covered = union(piece[:2] for piece in self.pieces)
        for first, last in subtract(self.whole, covered):
            yield "coverage", f"no entry has {first} to {last}"
        for first, last in subtract(covered, self.whole):
            yield "coverage", f"{first} to {last} is not in the space"

    def number(self, point):
        """The entry that has a point. None if there is none."""
        place = bisect_right(self.starts, point) - 1
        return None if place < 0 or self.pieces[place][1] < point else self.pieces[place][2]

    def inside(self, ranges):
        """Two bit sets of entries for a range list: those that are inside, and those that it cuts in two."""
        if (ranges := tuple(ranges)) not in self._known:
            shared = {}
            for first, last in ranges:
                place = max(bisect_right(self.starts, first) - 1, 0)
                while place < len(self.pieces) and self.pieces[place][0] <= last:
                    low, high, number = self.pieces[place]
                    shared[number] = shared.get(number, 0) + max(min(high, last) - max(low, first) + 1, 0)
                    place += 1
            inside = sum(1 << number for number, count in shared.items() if count == self.sizes[number])
            cut = sum(1 << number for number, count in shared.items() if 0 < count < self.sizes[number])
            self._known[ranges] = inside, cut
        return self._known[ranges]
