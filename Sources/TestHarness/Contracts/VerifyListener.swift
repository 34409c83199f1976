import AsyncSockets

/// Proves a listener: connections are kept, handed out once and in order, and refused once it is closed.
///
/// ```swift
/// @Test func contracts() async throws {
///   try await verifyListener { loop in try Listener.bind(to: .loopback(), on: loop) }
/// }
/// ```
///
/// What is checked is in ``ListenerCheck``; each check runs over a listener of its own, on the loop and off it.
///
/// - Parameters:
///   - loop: Where listeners and connections shall live; by default one of the verifier's own, whose time it moves
///     itself.
///   - checks: Which checks to run; all of them by default.
///   - limit: How long one may take: a hang is a finding, and after three of them no more are run. By default 60 s on a loop of
///     the verifier's own, and 600 s on the caller's, by its clock. One that does not end within 10 s of real time when it
///     is cancelled then is left behind, and no more are run either.
///   - connect: Connects to the listener, on that loop; by default a `Connector` to its address does.
///   - bind: Makes a listener on that loop, at an address that nobody else uses: port 0, a path of its own. Whoever
///     connects to it must reach this one, and nobody must when it is closed.
/// - Throws: ``ListenerFailure`` that lists each check that failed, with what was expected, what came, and where to
///   look; `CancellationError`.
public func verifyListener(
  on loop: EventLoop? = nil, checks: Set<ListenerCheck> = .all, limit: Duration? = nil,
  connect: @escaping @Sendable (Listener, EventLoop) async throws -> Connection = connectToAddress,
  bind: @escaping @Sendable (EventLoop) async throws -> Listener
) async throws {
  var verifier = ListenerVerifier()
  verifier.checks = checks
  // On the caller's loop a check waits for limits of the connections.
  verifier.limit = limit ?? (loop == nil ? .seconds(60) : .seconds(600))
  try await verifier.verify(on: loop) { loop in
    let listener = try await bind(loop)
    return (listener, { try await connect(listener, loop) })
  }
}

/// Connects to a listener's address, on a loop.
@Sendable
public func connectToAddress(of listener: Listener, on loop: EventLoop) async throws -> Connection {
  try await Connector(environment: Environment(loops: EventLoopGroup([loop]))).connect(to: listener.address)
}
