import Glibc

/// Whether tests may take the processor for long.
let isThoroughRun = unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1"
