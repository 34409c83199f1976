"""The gate: this library's instructions per message, beside those that instructions.json remembers."""

import collections
import json
import os
import platform
import re
import subprocess

from .count import INSTRUCTIONS, count_instructions, profile_path
from .measure import RoundFailed
from .systems import BENCHMARKS, Missing

REFERENCE = BENCHMARKS / "instructions.json"
TOLERANCE = 0.03
REMEMBERED = 0.01  # functions of that share of a message are in the reference, to tell which of them moved
# Those that repeat to 1 %, also on a busy machine: not where a read holds as much as has come meanwhile.
GATED = {"chunk-1", "chunk-100", "chunk-100-deadline", "line-1", "line-1-limits", "line-32", "line-bytes-1", "line-bytes-32",
         "fanout-1000", "accept-close"}


def toolchain():
    """What the figures depend on beside this library."""
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    return f"{swift.strip().splitlines()[0]}, {os.confstr('CS_GNU_LIBC_VERSION')}, {platform.machine()}"


def by_function(profile):
    """A callgrind profile's instructions by function, without those of the functions that it calls."""
    names, costs = {}, collections.Counter()
    function, is_call = "", False
    for line in profile.read_text().splitlines():
        if definition := re.match(r"(c?fn)=\((\d+)\)(?: (.*))?", line):
            kind, number, name = definition.groups()
            if name:
                names[number] = re.sub(r"'\d+$", "", name)  # the mark of a recursion
            if kind == "fn":
                function = names[number]
        elif line.startswith("calls="):
            is_call = True  # the next line is what the call cost
        elif re.match(r"[+*\d-]", line):
            if not is_call:
                costs[function] += int(line.split()[1])
            is_call = False
    return costs


def take(system, command, scenario, cores):
    total = count_instructions(system, command, scenario, cores)[INSTRUCTIONS]
    costs = by_function(profile_path(system, scenario))
    functions = {name: round(cost / costs.total() * total, 1) for name, cost in costs.most_common()}
    return {"total": round(total, 1), "functions": functions}


def movers(before, now):
    """The five functions that changed most; one that the reference doesn't remember was small."""
    small = before["total"] * REMEMBERED
    changes = {
        name: now["functions"].get(name, 0) - before["functions"].get(name, min(small, now["functions"].get(name, 0)))
        for name in before["functions"] | now["functions"]
    }
    largest = sorted(changes, key=lambda name: -abs(changes[name]))[:5]
    readable = subprocess.run(
        ["swift", "demangle", "--compact", "--simplified"], input="\n".join(largest), capture_output=True, text=True
    ).stdout.splitlines()
    return [f"{changes[name]:+,.0f} {text[:100]}" for name, text in zip(largest, readable)]


def check_instructions(system, command, scenarios, cores, arguments, say):
    """Counts, then compares or writes the reference. Returns whether something grew or failed."""
    reference = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {"toolchain": "", "scenarios": {}}
    current, failed = {}, False
    for scenario in scenarios:
        if scenario.name not in GATED:
            continue
        try:
            current[scenario.name] = take(system, command, scenario, cores)
            say(f"{scenario.name}: {current[scenario.name]['total']:,.0f} instructions per {scenario.unit}")
        except (Missing, RoundFailed) as error:
            say(f"{scenario.name}: {error}")
            failed = True
    if arguments.update_instructions:
        write_reference(reference["scenarios"] | current)
        return failed

    print("| | reference | now | change |", "|---|--:|--:|--:|", sep="\n")
    for name, now in current.items():
        before = reference["scenarios"].get(name)
        if before is None:
            print(f"| {name} | none | {now['total']:,.0f} | |")
            continue
        change = now["total"] / before["total"] - 1
        print(f"| {name} | {before['total']:,.0f} | {now['total']:,.0f} | {change:+.1%} |", flush=True)
        if abs(change) <= TOLERANCE:
            continue
        failed |= change > 0
        verdict = "more instructions" if change > 0 else "fewer instructions; --update-instructions keeps the gain"
        say("\n  ".join([f"{name} needs {verdict}:", *movers(before, now)]))
    if reference["toolchain"] != toolchain():
        say(f"not quite comparable: the reference was made with {reference['toolchain']}, this is {toolchain()}")
    return failed


def write_reference(scenarios):
    for record in scenarios.values():
        least = record["total"] * REMEMBERED
        record["functions"] = {name: cost for name, cost in record["functions"].items() if cost >= least}
    REFERENCE.write_text(json.dumps({"toolchain": toolchain(), "scenarios": scenarios}, indent=1) + "\n")
