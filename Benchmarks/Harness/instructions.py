"""The gate: this library's instructions per message, beside those that instructions.json remembers."""

import json
import os
import platform
import subprocess

from .count import INSTRUCTIONS, count_instructions
from .measure import RoundFailed
from .systems import BENCHMARKS, BUILD, Missing

REFERENCE = BENCHMARKS / "instructions.json"
TOLERANCE = 0.03
# Those that repeat to 1 %: not `bulk`, whose reads hold as much as has come meanwhile.
GATED = {"chunk-1", "chunk-100", "line-1", "line-32", "line-bytes-32", "chunk-64k", "accept-close"}


def toolchain():
    """What the figures depend on beside this library."""
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    return f"{swift.strip().splitlines()[0]}, {os.confstr('CS_GNU_LIBC_VERSION')}, {platform.machine()}"


def check_instructions(system, command, scenarios, cores, arguments, say):
    """Counts, then compares or writes the reference. Returns whether something grew or failed."""
    reference = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {"toolchain": "", INSTRUCTIONS: {}}
    current, failed = {}, False
    for scenario in scenarios:
        if scenario.name not in GATED:
            continue
        try:
            current[scenario.name] = round(count_instructions(system, command, scenario, cores)[INSTRUCTIONS], 1)
            say(f"{scenario.name}: {current[scenario.name]:,.1f} instructions per {scenario.unit}")
        except (Missing, RoundFailed) as error:
            say(f"{scenario.name}: {error}")
            failed = True
    if arguments.update_instructions:
        figures = reference[INSTRUCTIONS] | current
        REFERENCE.write_text(json.dumps({"toolchain": toolchain(), INSTRUCTIONS: figures}, indent=1) + "\n")
        return failed

    grown = []
    print("| | reference | now | change |", "|---|--:|--:|--:|", sep="\n")
    for name, now in current.items():
        before = reference[INSTRUCTIONS].get(name)
        if before is None:
            print(f"| {name} | none | {now:,.1f} | |")
            continue
        change = now / before - 1
        moved = abs(change) > TOLERANCE
        print(f"| {name} | {before:,.1f} | {now:,.1f} | {change:+.1%}{', moved' if moved else ''} |")
        if change > TOLERANCE:
            grown.append(name)
        elif moved:
            say(f"{name} needs fewer instructions: Benchmarks/run --update-instructions keeps the gain")
    if reference["toolchain"] != toolchain():
        say(f"not quite comparable: the reference was made with {reference['toolchain']}, this is {toolchain()}")
    for name in grown:
        say(f"{name} needs more instructions; where they go: callgrind_annotate {BUILD}/callgrind/{name}.{system.name}")
    return failed or bool(grown)
