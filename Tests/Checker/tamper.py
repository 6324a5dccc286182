#!/usr/bin/env python3
"""Makes tampered versions of a certificate and counts how many of them the checker refuses, and how.

    python3 tamper.py CERTIFICATE SEED COUNT MANIFEST_FILE_OR_DIR...

A dropped rule, a dropped member of a set or two merged entries may change no verdict. Such a version is harmless if
it is accepted even after every packet is judged. Any other accepted version is missed: then the exit status is 1.
"""
import json
import random
import re
import sys

from check_certificate import AXES, Checker, digest, numbers, read
from addresses import union

MAY_BE_HARMLESS = ("rule dropped", "member dropped", "entries merged")
OTHER = {"allow": "deny", "deny": "allow"}

def change_class(kind, certificate, draw):
    """Changes one class. False if the class that was drawn does not allow it."""
    family = draw.choice([family for family in certificate["families"] if family["classes"]])
    place = draw.randrange(len(family["classes"]))
    entry, axis = family["classes"][place], draw.choice(AXES)
    own = set(numbers(entry[axis]))
    if kind == "class left out":
        del family["classes"][place]
    elif kind == "class widened":
        more = sorted({*range(len(family.get(axis, family["addresses"])))} - own)
        entry[axis] = union((number, number) for number in own | set(more and [draw.choice(more)]))
        return bool(more)
    elif kind == "class shrunk":
        entry[axis] = union((number, number) for number in own - {draw.choice(sorted(own))})
        return len(own) > 1
    elif kind in ("rules flipped", "specification flipped"):
        # With a deviation where there must be one, so that the verdict alone is wrong.
        entry[kind.split()[0]] = OTHER[entry[kind.split()[0]]]
        entry["deviations"] = ["D1"] if entry["rules"] != entry["specification"] else []
    else:
        was, entry["deviations"] = entry["deviations"], [] if kind == "deviation removed" else ["D1"]
        return bool(was) == (kind == "deviation removed")
    return True

def change_text(kind, certificate, draw):
    """Drops a rule or a member of a set, and makes the digest right again."""
    rules = draw.choice([rules for node in certificate["nodes"] for rules in node["rules"]])
    lines = rules["text"].split("\n")
    if kind == "rule dropped":
        found = [number for number, line in enumerate(lines) if line.startswith("-A ") or re.match(
            r"\t\t(?!type |comment |elements |flags |size )", line)]
    else:
        found = [number for number, line in enumerate(lines) if line.startswith("add ") or "elements = { " in line]
    if not found:
        return False
    number = draw.choice(found)
    head, braced, inside = lines[number].partition("elements = { ")
    members = inside[:-len(" }")].split(", ")
    del members[draw.randrange(len(members))]
    lines[number] = head + braced + ", ".join(members) + " }" if braced and members else ""
    rules["text"] = "\n".join(lines)
    rules["sha256"] = digest(rules["text"].encode())
    return True

def alter_digest(_, certificate, draw):
    entry = draw.choice(certificate["manifests"] + [rules for node in certificate["nodes"] for rules in node["rules"]])
    entry["sha256"] = entry["sha256"][::-1]
    return True

def merge_entries(_, certificate, draw):
    """Puts an entry's ranges into the one before it. What the classes say of that one is said of both."""
    family, axis = draw.choice(certificate["families"]), draw.choice(("addresses", "questions"))
    place = draw.randrange(1, len(family[axis]))
    before, gone = family[axis][place - 1], family[axis][place]
    if before.get("protocol") != gone.get("protocol"):
        return False
    before["ranges"] += gone["ranges"]
    del family[axis][place]
    for listed in ("classes", "notCertified"):
        for entry in family[listed]:
            for name in AXES[:2] if axis == "addresses" else AXES[2:]:
                left = (number - (number > place) for number in numbers(entry[name]) if number != place)
                entry[name] = union((number, number) for number in left)
        family[listed] = [entry for entry in family[listed] if all(entry[name] for name in AXES)]
    return True

KINDS = {**{kind: change_class for kind in (
    "class left out", "class widened", "class shrunk", "rules flipped", "specification flipped", "deviation removed",
    "deviation added")}, "rule dropped": change_text, "member dropped": change_text,
    "digest altered": alter_digest, "entries merged": merge_entries}

def main(path, seed, count, *manifests):
    (claims, files), results = read(path, manifests), {}
    text = json.dumps(claims)
    for number in range(int(count)):
        draw, kind = random.Random(f"{seed} {number}"), list(KINDS)[number % len(KINDS)]
        tries = (json.loads(text) for _ in range(1000))
        tampered = next((claims for claims in tries if KINDS[kind](kind, claims, draw)), None)
        found = Checker(tampered, files, seconds=1).check() if tampered else ["impossible"]
        if not found and kind in MAY_BE_HARMLESS:
            found = ["found by more packets"] if Checker(tampered, files, seconds=600).check() else ["harmless"]
        results.setdefault(kind, []).append(", ".join(sorted(found)) or "missed")
    for kind, outcomes in results.items():
        print(f"{kind}: " + "; ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in sorted(set(outcomes))))
    return int(any("missed" in outcomes for outcomes in results.values()))

if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
