"""What a message costs in instructions, system calls and allocations: figures that repeat, unlike times.

Each is counted in a short round of its own, over a fixed number of messages in the steady state: the load generator
opens its connections and warms up, says that every reply has come, and waits for the word.
"""

import collections
import contextlib
import json
import os
import re
import shutil
import struct
import subprocess

from .measure import RoundFailed, first_line, load_command, on_core, running_server
from .systems import BUILD, Missing, build_c, compile_library, need

INSTRUCTIONS = "user_instructions_per_message"
SYSTEM_CALLS = "system_calls_per_message"
ALLOCATIONS = "allocations_per_message"
LONGEST_ROUND = 60  # seconds


@contextlib.contextmanager
def steady_state(command, scenario, cores, environment={}):
    """Yields the measured process's id, and a function that has the scenario's messages echoed and returns how many they
    were."""
    if scenario.connects:
        with running_server(build_c(), scenario.server, cores[1]) as (_, port):
            with ready_load(load_command(scenario, port, command), scenario, cores[0], environment) as pid_and_exchange:
                yield pid_and_exchange
    else:
        with running_server(command, scenario.server, cores[0], environment) as (server, port):
            with ready_load(load_command(scenario, port), scenario, cores[1]) as (_, exchange):
                yield server.pid, exchange


@contextlib.contextmanager
def ready_load(command, scenario, core, environment={}):
    command = command + ["--messages", str(scenario.messages), "--warm-up", "0.2"]
    load = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment}, preexec_fn=on_core(core),
    )

    def expect(beginning):
        line = first_line(load, LONGEST_ROUND)
        if not line.startswith(beginning):
            load.kill()
            raise RoundFailed(load.stderr.read().strip() or line)
        return line

    def exchange():
        load.stdin.write("go\n")
        load.stdin.flush()
        return json.loads(expect("{"))["messages"]

    try:
        expect("READY")
        yield load.pid, exchange
    finally:
        with contextlib.suppress(BrokenPipeError):
            load.stdin.close()
        try:
            load.wait(5)
        except subprocess.TimeoutExpired:
            load.kill()
            load.wait()
        load.stdout.close()
        load.stderr.close()


def profile_path(system, scenario):
    return BUILD / "callgrind" / f"{scenario.name}.{system.name}"


def count_instructions(system, command, scenario, cores):
    """Under callgrind; leaves a profile of the messages, by function, for callgrind_annotate."""
    need("valgrind", "valgrind")
    profile = profile_path(system, scenario)
    profile.parent.mkdir(exist_ok=True)
    # A server that is killed leaves the pipes behind by which it was controlled: not in /tmp, where they would stay.
    pipes = f"--vgdb-prefix={profile.parent}/vgdb"
    for old in [*profile.parent.glob(profile.name + "*"), *profile.parent.glob("vgdb*")]:
        old.unlink()
    valgrind = ["valgrind", "--tool=callgrind", pipes, "--instr-atstart=no", f"--callgrind-out-file={profile}", *command]
    environment = {
        "LD_PRELOAD": compile_library("sigsuspend"),
        "SWIFT_DETERMINISTIC_HASHING": "1",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS",  # callgrind takes `rep movsb` for an instruction per byte
    }

    def control(pid, option):
        done = subprocess.run(["callgrind_control", pipes, *option, str(pid)], capture_output=True, text=True)
        if done.returncode or "OK" not in done.stdout:
            raise RoundFailed(f"callgrind_control {' '.join(option)}: {done.stdout}{done.stderr}")

    with steady_state(valgrind, scenario, cores, environment) as (pid, exchange):
        control(pid, ["-i", "on"])
        messages = exchange()
        control(pid, ["-d"])
    (dump,) = profile.parent.glob(profile.name + ".1")
    dump.replace(profile)
    (total,) = re.findall(r"^totals: (\d+)", profile.read_text(), re.MULTILINE)
    return {INSTRUCTIONS: int(total) / messages}


def count_system_calls(system, command, scenario, cores):
    """Under strace, from the beginning, so that no right to attach to a running process is needed."""
    need("strace", "strace")
    trace = BUILD / "strace.log"
    strace = ["strace", "-D", "-f", "-qq", "-e", "raw=all", "-e", "signal=none", "-o", str(trace), *command]
    with steady_state(strace, scenario, cores) as (_, exchange):
        start = trace.stat().st_size
        messages = exchange()
        end = trace.stat().st_size
    with open(trace) as lines:
        lines.seek(start)
        calls = collections.Counter(re.findall(r"^\d+ +(\w+)\(", lines.read(end - start), re.MULTILINE))
    trace.unlink()
    return {
        SYSTEM_CALLS: calls.total() / messages,
        "system_calls": {name: round(number / messages, 4) for name, number in calls.most_common(6)},
    }


def count_allocations(system, command, scenario, cores):
    """With a library that counts in a shared file."""
    file = BUILD / "allocations"
    file.write_bytes(bytes(16))
    environment = {"LD_PRELOAD": compile_library("allocations"), "ALLOCATIONS_FILE": str(file)}
    with steady_state(command, scenario, cores, environment) as (_, exchange):
        start = struct.unpack("QQ", file.read_bytes())
        messages = exchange()
        end = struct.unpack("QQ", file.read_bytes())
    return {
        ALLOCATIONS: (end[0] - start[0]) / messages,
        "allocated_bytes_per_message": (end[1] - start[1]) / messages,
    }


COUNTERS = {INSTRUCTIONS: count_instructions, SYSTEM_CALLS: count_system_calls, ALLOCATIONS: count_allocations}


def missing_tools():
    """What cannot be counted here, and why."""
    reasons = []
    for program, figure in (("valgrind", INSTRUCTIONS), ("strace", SYSTEM_CALLS)):
        if not shutil.which(program):
            reasons.append(f"{figure} is left out: {program} is missing: apt-get install {program}")
    return reasons


def count(system, command, scenario, cores):
    """All counts of a scenario, None for what cannot be counted; and what failed."""
    figures, failures = {}, []
    for key, counter in COUNTERS.items():
        figures[key] = None
        if key in system.uncounted:
            continue
        try:
            figures |= counter(system, command, scenario, cores)
        except Missing:
            pass  # said at the start
        except RoundFailed as error:
            failures.append(f"{key}: {' '.join(str(error).split())}")
    return figures, failures
