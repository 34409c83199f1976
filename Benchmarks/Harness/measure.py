"""One round: a server on one core, the load on another, figures as a dict."""

import contextlib
import json
import os
import select
import signal
import subprocess
import time

from .systems import BUILD, LOAD, build_c


class RoundFailed(Exception):
    pass


def on_core(core):
    """A preexec_fn that pins the child; every thread that it starts inherits that."""
    return (lambda: os.sched_setaffinity(0, {core})) if core is not None else None


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RoundFailed("the server has ended")


def busy_seconds(cores):
    """How long these cores have worked, for whomever (in seconds since boot)."""
    total = 0
    with open("/proc/stat") as stat:
        for line in stat:
            name, *ticks = line.split()
            if name in {f"cpu{core}" for core in cores}:
                user, nice, system, _, _, irq, softirq, *_ = map(int, ticks)
                total += user + nice + system + irq + softirq
    return total / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_line(process, seconds):
    """The first line that a child prints, or what it said instead."""
    if select.select([process.stdout], [], [], seconds)[0]:
        return process.stdout.readline().strip()
    return f"nothing within {seconds} s"


def load_command(scenario, port, program=(str(LOAD),)):
    return [
        *program, "--mode", scenario.load_mode, "--port", str(port), "--connections", str(scenario.connections),
        "--size", str(scenario.size), "--depth", str(scenario.depth),
    ]


@contextlib.contextmanager
def running_server(command, mode, core, environment={}):
    """Yields the server's process and port."""
    log = BUILD / "server.log"
    with open(log, "w") as errors:
        server = subprocess.Popen(
            [*command, "--port", "0", mode], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, **environment}, preexec_fn=on_core(core),
        )
    try:
        ready = first_line(server, 20)
        if not ready.startswith("ready "):
            raise RoundFailed(f"the server didn't start; it said: {ready or log.read_text()[-500:].strip()}")
        yield server, int(ready.split()[1])
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def measure(command, scenario, seconds, warm_up, cores):
    """Returns what the load generator or the decoder reports, or for an idle scenario the server's memory."""
    server_core, load_core = cores
    if scenario.decodes:
        command = [*command, scenario.server, str(scenario.size), str(seconds / 4)]
        return report(command, server_core)
    if scenario.connects and scenario.idle:
        return client_memory(command, scenario, cores)
    if scenario.connects:
        return client_rate(command, scenario, seconds, warm_up, cores)
    with running_server(command, scenario.server, server_core) as (server, port):
        load, pid = load_command(scenario, port), server.pid
        if scenario.idle:
            time.sleep(0.3)  # let the server finish starting
            return idle_memory(load, scenario, load_core, pid)
        load += ["--seconds", str(seconds), "--warm-up", str(warm_up), "--server-pid", str(pid)]
        # The time that the cores spent on anything else tells whether the machine was quiet.
        watched = [core for core in cores if core is not None]
        others = busy_seconds(watched) - cpu_seconds(pid) - children_seconds()
        start = time.monotonic()
        result = report(load, load_core)
        others = busy_seconds(watched) - cpu_seconds(pid) - children_seconds() - others
        result["others_busy"] = max(0, others) / (time.monotonic() - start)
        if scenario.loops > 1:
            result["busiest_loop_share"] = busiest_share(server)
        return result


def busiest_share(server):
    """What part of the connections the busiest event loop has had."""
    server.send_signal(signal.SIGUSR1)
    name, *counts = first_line(server, 5).split()
    if name != "loops":
        raise RoundFailed("the server didn't say how many connections its loops have had")
    return max(map(int, counts)) / sum(map(int, counts))


def client_rate(command, scenario, seconds, warm_up, cores):
    """The client has the server's core, and the server in C that of the load."""
    with running_server(build_c(), scenario.server, cores[1]) as (server, port):
        client = load_command(scenario, port, command) + ["--seconds", str(seconds), "--warm-up", str(warm_up)]
        watched = [core for core in cores if core is not None]
        others = busy_seconds(watched) - cpu_seconds(server.pid) - children_seconds()
        start = time.monotonic()
        result = report(client, cores[0])
        others = busy_seconds(watched) - cpu_seconds(server.pid) - children_seconds() - others
        return result | {"others_busy": max(0, others) / (time.monotonic() - start)}


def report(command, core):
    """What a program says of its round."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, preexec_fn=on_core(core))
    if done.returncode:
        raise RoundFailed(done.stderr.strip() or done.stdout.strip() or f"{command[0]} ended with status {done.returncode}")
    if '"messages": 0' in done.stdout:
        raise RoundFailed("not one message in the measured seconds")
    return json.loads(done.stdout)


def children_seconds():
    times = os.times()
    return times.children_user + times.children_system


def client_memory(command, scenario, cores):
    with running_server(build_c(), scenario.server, cores[1]) as (_, port):
        return idle_memory(load_command(scenario, port, command), scenario, cores[0])


def idle_memory(load, scenario, core, server=None):
    """The memory for each connection of the server, or of the load itself, which then opens them when it is told to."""
    empty = resident_bytes(server) if server else None
    process = subprocess.Popen(
        load, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=on_core(core)
    )
    try:
        def expect_ready():
            if first_line(process, 120) != "READY":
                process.kill()
                raise RoundFailed(process.stderr.read().strip())

        if server is None:
            expect_ready()
            empty = resident_bytes(process.pid)
            process.stdin.write("go\n")
            process.stdin.flush()
        expect_ready()
        time.sleep(1)
        full = resident_bytes(server or process.pid)
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        error = process.stderr.read().strip()
        process.stdout.close()
        process.stderr.close()
    if process.returncode:
        raise RoundFailed(error)
    return {"resident_bytes": full, "bytes_per_connection": (full - empty) / scenario.connections}
