import AsyncSockets

/// Proves a byte stream: every promise of a `Connection` holds over whatever carries the bytes.
///
/// ```swift
/// @Test func contracts() async throws {
///   try await verifyStream { loop in try await MyTLS.connectedPair(on: loop) }
/// }
/// ```
///
/// What is checked is in ``StreamCheck``; each check runs over a pair of its own, at either end, on the loop and off it.
///
/// - Parameters:
///   - loop: Where the connections shall live. By default one of the verifier's own, whose time it moves itself, so that
///     limits of 30 s take no time; on a loop of the caller's, it waits for them.
///   - capabilities: What the stream can do, everything by default; what it can't is not checked.
///   - watermarks: Those of the connections' options.
///   - writeStallLimit: That of the connections' options.
///   - checks: Which checks to run; all of them by default.
///   - limit: How long one may take: a hang is a finding, and after three of them no more are run. By default 60 s on a loop of
///     the verifier's own, and 600 s on the caller's, by its clock. One that does not end within 10 s of real time when it
///     is cancelled then is left behind, and no more are run either.
///   - makePair: Makes two connections on that loop, joined, with a handshake behind them if there is one. It is called
///     several hundred times; whether the first end is a client or a server is up to it.
/// - Throws: ``StreamFailure`` that lists each check that failed, with what was expected, what came, and where to look;
///   `CancellationError`.
public func verifyStream(
  on loop: EventLoop? = nil, capabilities: StreamCapabilities = .all, watermarks: Watermarks = .standard,
  writeStallLimit: Duration? = .seconds(30), checks: Set<StreamCheck> = .all, limit: Duration? = nil,
  makePair: @escaping @Sendable (EventLoop) async throws -> (Connection, Connection)
) async throws {
  var verifier = StreamVerifier()
  verifier.setup.capabilities = capabilities
  verifier.setup.watermarks = watermarks
  verifier.setup.writeStallLimit = writeStallLimit
  verifier.setup.bulk = min(300_000, 4 * watermarks.high)
  verifier.checks = checks
  // On the caller's loop a check waits for limits of the connections.
  verifier.limit = limit ?? (loop == nil ? .seconds(60) : .seconds(600))
  try await verifier.verify(on: loop) { loop in
    let (first, second) = try await makePair(loop)
    return (first, second)
  }
}
