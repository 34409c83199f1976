"""What is compared, and how each of it is built."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
BUILD = BENCHMARKS / ".build-peers"  # what isn't Swift; SwiftPM has .build
LOAD = BUILD / "load"


class Missing(Exception):
    """Something that this machine lacks; the message says how to install it."""


@dataclass(frozen=True)
class System:
    name: str
    title: str
    build: Callable[[], list[str]] | None  # returns the command of the server; raises Missing or CalledProcessError
    build_decoder: Callable[[], list[str]] | None = None  # the same for decoding without sockets
    decoder_title: str = ""
    build_client: Callable[[], list[str]] | None = None  # the same where the system is the client
    uncounted: tuple[str, ...] = ()  # counts that are not taken
    uncounted_because: str = ""
    lacks: tuple[str, ...] = ()  # modes, codecs and kinds of load that it has nothing for
    decoder_titles: dict[str, str] = field(default_factory=dict)  # for a codec whose decoder is another


def run(command, **options):
    """Runs a build step; its output is shown only if it fails."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, output=done.stdout)


def need(program, package):
    if not shutil.which(program):
        raise Missing(f"{program} is missing: apt-get install {package}")


def compile_c(source, product, *options):
    need("cc", "gcc libc6-dev")
    source = BENCHMARKS / source
    if not product.exists() or product.stat().st_mtime < source.stat().st_mtime:
        product.parent.mkdir(exist_ok=True)
        run(["cc", "-O2", "-g", "-Wall", "-Wextra", "-Werror", *options, "-o", str(product), str(source)])
    return [str(product)]


def compile_library(name):
    """One of the libraries that are loaded into a server to count something; returns its path."""
    return compile_c(f"Probes/{name}.c", BUILD / f"{name}.so", "-shared", "-fPIC")[0]


def build_tools():
    compile_c("Load/load.c", LOAD)
    for probe in ("allocations", "sigsuspend"):
        compile_library(probe)


def build_c():
    return compile_c("Servers/c-epoll/echo.c", BUILD / "c-epoll")


def build_c_client():
    return compile_c("Load/load.c", LOAD)


def build_c_decoder():
    return compile_c("Servers/c-epoll/decode.c", BUILD / "c-decode")


def build_swift(product, *arguments):
    def build():
        if not shutil.which("swift"):
            raise Missing("swift is missing: see https://www.swift.org/install/linux")
        # The package manager does not look for new files in a package that this one finds by its path.
        for plan in (BENCHMARKS / ".build").glob("*/release/description.json"):
            plan.unlink()
        # DWARF 4, since valgrind 3.19 gives up on a program with the DWARF 5 of clang's C.
        run(["swift", "build", "-c", "release", "--product", product, "-Xcc", "-gdwarf-4"], cwd=BENCHMARKS)
        return [str(BENCHMARKS / ".build" / "release" / product), *arguments]

    return build


def build_go(package, name):
    def build():
        need("go", "golang-go")
        product = BUILD / name
        run(
            ["go", "build", "-o", str(product), package],
            cwd=BENCHMARKS / "Servers/go",
            env={**os.environ, "GOCACHE": str(BUILD / "go-cache"), "GOFLAGS": ""},
        )
        return [str(product)]

    return build


def build_rust(program):
    return lambda: [str(build_crate() / program)]


def build_crate():
    need("cargo", "cargo")
    if not list(Path("/usr/share/cargo/registry").glob("tokio-1.*")):
        raise Missing("tokio is missing: apt-get install librust-tokio-dev")
    target = BUILD / "tokio"
    run(
        ["cargo", "build", "--release", "--offline", "--target-dir", str(target)],
        cwd=BENCHMARKS / "Servers/tokio",
    )
    return target / "release"


def build_poe():
    need("perl", "perl")
    if subprocess.run(["perl", "-MPOE", "-e", "1"], capture_output=True).returncode:
        raise Missing("POE is missing: apt-get install libpoe-perl")
    return ["perl", str(BENCHMARKS / "Servers/poe/echo.pl")]


SYSTEMS = [
    System(
        "asyncsockets", "AsyncSockets, this library", build_swift("asyncsockets-server"),
        build_swift("decoding", "asyncsockets"), "AsyncSockets, this library", build_swift("asyncsockets-client"),
    ),
    System(
        "asyncsockets-handlers", "AsyncSockets, synchronous handlers", build_swift("asyncsockets-handlers"),
        build_client=build_swift("asyncsockets-client", "--with", "handlers"), lacks=("sink", "connect"),
    ),
    System(
        "asyncsockets-multi", "AsyncSockets, MultiClient", None,
        build_client=build_swift("asyncsockets-client", "--with", "multi"), lacks=("connect",),
    ),
    System(
        "c-epoll", "C, bare epoll", build_c, build_c_decoder, "C, memchr and nothing else", build_c_client,
        lacks=("lengthPrefix",),
    ),
    System(
        "nio-pipeline", "SwiftNIO, channel handlers", build_swift("nio-pipeline"),
        build_swift("decoding", "nio"), "SwiftNIO, nio-extras' LineBasedFrameDecoder",
        build_swift("nio-client"),
        decoder_titles={"lengthPrefix": "SwiftNIO, nio-extras' LengthFieldBasedFrameDecoder in an EmbeddedChannel"},
        lacks=("connect",),
    ),
    System("nio-async", "SwiftNIO, NIOAsyncChannel", build_swift("nio-async"), lacks=("fanout",)),
    System("flyingsocks", "FlyingSocks", build_swift("flyingsocks"), lacks=("block", "fanout")),
    System(
        "go", "Go", build_go(".", "go-server"), build_go("./decode", "go-decode"), "Go, bufio.Scanner",
        build_go("./client", "go-client"),
        uncounted=("allocations_per_message", "user_instructions_per_message"),
        uncounted_because="has an allocator of its own, and does not run under valgrind",
        lacks=("lengthPrefix", "connect"),
    ),
    System(
        "tokio", "Rust, tokio current-thread", build_rust("tokio-server"), build_rust("decode"), "Rust, BufRead",
        build_rust("client"), lacks=("lengthPrefix",),
    ),
    System("poe", "Perl POE", build_poe, lacks=("block", "fanout")),
]
QUICK_SYSTEMS = {"asyncsockets", "c-epoll", "nio-pipeline", "nio-async", "go", "tokio"}
