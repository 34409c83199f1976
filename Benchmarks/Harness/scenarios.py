"""What is measured."""

from dataclasses import dataclass


CLIENT_MODES = {"connect": "rate", "client": "chunk", "hold": "hold"}  # where the system has the load's place, and what it does


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    server: str  # the server's mode; the codec's name for a decoder
    load: str  # the load generator's; "decode": no sockets, in chunks of `size` bytes; or a key of CLIENT_MODES
    connections: int = 1
    size: int = 64
    depth: int = 1
    unit: str = "message"
    messages: int = 20_000  # when they are counted
    systems: tuple[str, ...] = ()  # those that take part; all unless named
    loops: int = 1  # the server's; with several, it is asked how many connections each has had

    @property
    def units(self):
        return {"MiB": "MiB", "delivery": "deliveries"}.get(self.unit, self.unit + "s")

    @property
    def idle(self):
        return self.load in ("idle", "hold")

    @property
    def decodes(self):
        return self.load == "decode"

    @property
    def connects(self):
        """Whether it is the client that is measured, against the server in C."""
        return self.load in CLIENT_MODES

    @property
    def load_mode(self):
        return CLIENT_MODES.get(self.load, self.load)

    @property
    def program(self):
        """Which of a system's programs it measures."""
        return "decoder" if self.decodes else "client" if self.connects else "server"

    @property
    def counted(self):
        return not self.idle and not self.decodes


READS = (("", "64 KiB", 65536), ("-1460", "1,460 bytes", 1460))
SCENARIOS = [
    *(
        Scenario(f"chunk-{n}", f"Chunk echo, 64 bytes, {n:,} connection{'s' * (n > 1)}", "chunk", "chunk", n,
                 messages=max(20_000, 2 * n))
        for n in (1, 100, 1000, 9000)
    ),
    Scenario("chunk-100-deadline", "Chunk echo, 64 bytes, 100 connections, each read with a deadline", "chunkDeadline", "chunk",
             100, systems=("asyncsockets",)),
    *(
        Scenario(f"{name}-{depth}", f"Line echo ({kind}), 64 bytes, 100 connections, {depth} at a time", mode, "line", 100,
                 depth=depth, unit="line")
        for name, kind, mode in (("line", "strings", "line"), ("line-bytes", "bytes", "lineBytes"))
        for depth in (1, 32)
    ),
    Scenario("line-1-limits", "Line echo (strings), 64 bytes, 100 connections, 1 at a time, every limit and all events on",
             "lineLimits", "line", 100, unit="line", systems=("asyncsockets",)),
    Scenario("block-32", "Block echo, 64 bytes with their length, 100 connections, 32 at a time", "block", "block", 100,
             depth=32, unit="block"),
    *(
        Scenario(f"fanout-1000{suffix}", f"Fan-out: lines of one to everybody, 64 bytes, 1,000 connections, {depth} at a time",
                 "fanout", "fanout", 1000, depth=depth, unit="delivery", messages=40_000)
        for depth, suffix in ((8, ""), (1, "-1"))
    ),
    Scenario("chunk-64k", "Chunk echo, 64 KiB, 8 connections", "chunk", "chunk", 8, size=65536, messages=1000),
    Scenario("bulk", "Bulk, one way, 1 GiB on one connection", "sink", "bulk", size=1 << 30, unit="MiB", messages=64),
    Scenario("accept-close", "Accept, echo 64 bytes, close; 32 at a time", "chunk", "rate", 32, unit="connection", messages=2000),
    *(
        Scenario("accept-2-loops" + suffix, f"Accept, echo 64 bytes, close; 32 at a time, two event loops on one core, {how}",
                 mode, "rate", 32, unit="connection", messages=2000, systems=("asyncsockets",), loops=2)
        for suffix, how, mode in (("", "one acceptor", "chunkTwoLoops"),
                                  ("-reuseport", "SO_REUSEPORT", "chunkReusePort"))
    ),
    Scenario("connect-close", "The client's side: connect, echo 64 bytes, close; 32 at a time", "chunk", "connect", 32,
             unit="connection", messages=2000),
    *(
        Scenario(f"client-{n}", f"{n:,} clients in one process, 64 bytes there and back, again and again", "chunk", "client", n,
                 messages=max(100_000, 20 * n))  # so many that the start of all clients counts for little
        for n in (1000, 9000)
    ),
    Scenario("idle-9000", "9,000 idle connections, each after an echo of 4 KiB", "chunk", "idle", 9000, size=4096),
    Scenario("idle-9000-lines", "9,000 idle connections, each after an echo of a line of 4 KiB", "line", "idle", 9000,
             size=4096),
    Scenario("client-idle-9000", "9,000 idle clients in one process, each after an echo of 4 KiB", "chunk", "hold", 9000, size=4096),
    *(
        Scenario(name + suffix, f"Decoding lines of 64 bytes ({kind}) without sockets, {read} at a time", codec, "decode",
                 size=chunk, unit="line")
        for name, kind, codec in (("decode-lines", "strings", "lines"), ("decode-line-bytes", "bytes", "lineBytes"))
        for suffix, read, chunk in READS
    ),
    *(
        Scenario("decode-length-prefix" + suffix, f"Decoding length-prefixed blocks of 64 bytes without sockets, {read} at a time",
                 "lengthPrefix", "decode", size=chunk, unit="block")
        for suffix, read, chunk in READS
    ),
]
QUICK_SCENARIOS = {"chunk-100", "chunk-9000", "line-1", "line-32", "idle-9000"}
