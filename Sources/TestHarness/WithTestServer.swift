public import AsyncSockets
public import Framing

/// Runs a test beside a server of its own on a random port of 127.0.0.1 and ::1.
///
/// ```swift
/// try await withTestServer(.echo) { server in
///   let answer = try await MyClient(port: server.port).ask("hello")
///   #expect(answer == "hello")
/// }
/// ```
///
/// It listens before the body runs. When this returns or throws, the server is gone with all its connections and tasks.
/// It works on the event loops of the task's `Environment`; without, on a loop of its own, which the body gets as its
/// environment, and which must hold nothing in the end: a client of this package that the test forgot is a failure.
///
/// - Parameters:
///   - behaviour: what it does with its clients; by default nothing, so that the test can, by `accept()`.
///   - framing: how bytes become frames, and frames bytes.
///   - addresses: where it listens; by default 127.0.0.1 and ::1, on one port that the system chooses.
///   - patience: how long everything waits that is given no deadline of its own; 5 s by default, by the clock of the
///     event loop.
///   - connection: limits and options of its connections.
///   - body: the test.
/// - Returns: what the body returns.
/// - Throws: what the body throws. When a script or a handler fails before the body has ended, its error, with the
///   transcript in its description, and what the body made of it; the body is cancelled then. ``ResourcesLeaked`` when something is left.
public func withTestServer<F: Framing, Result>(
  _ behaviour: TestServer<F>.Behaviour = .silent, framing: F, on addresses: [SocketAddress]? = nil,
  patience: Duration = .seconds(5), connection: ConnectionOptions = ConnectionOptions(),
  _ body: (TestServer<F>) async throws -> Result
) async throws -> Result {
  try await withLoopsOfItsOwn { environment in
    let server = try TestServer(
      behaviour, framing: framing, on: addresses, patience: patience, connection: connection,
      environment: environment)
    defer { server.releasePort() }
    return try await server.running(body)
  }
}

/// Runs a test beside a server of bytes as they come; see ``withTestServer(_:framing:on:patience:connection:_:)``.
public func withTestServer<Result>(
  _ behaviour: TestServer<RawFraming>.Behaviour = .silent, on addresses: [SocketAddress]? = nil,
  patience: Duration = .seconds(5), connection: ConnectionOptions = ConnectionOptions(),
  _ body: (TestServer<RawFraming>) async throws -> Result
) async throws -> Result {
  try await withTestServer(
    behaviour, framing: RawFraming(), on: addresses, patience: patience, connection: connection, body)
}

/// Runs a test beside a server that plays a script with each client.
///
/// ```swift
/// try await withTestServer(framing: .lines) { peer in
///   try await peer.send("+OK ready")
///   try await peer.expect("QUIT")
///   try await peer.expectEnd()
/// } body: { server in
///   try await MyClient(port: server.port).quit()
/// }
/// ```
///
/// The script's failure is the test's, as ``TestServer/Behaviour/script(_:)`` says.
public func withTestServer<F: Framing, Result>(
  framing: F, on addresses: [SocketAddress]? = nil, patience: Duration = .seconds(5),
  connection: ConnectionOptions = ConnectionOptions(),
  script: @escaping @Sendable (TestPeer<F>) async throws -> Void,
  body: (TestServer<F>) async throws -> Result
) async throws -> Result {
  try await withTestServer(
    .script(script), framing: framing, on: addresses, patience: patience, connection: connection, body)
}

extension TestServer {
  fileprivate func running<Result>(_ body: (TestServer) async throws -> Result) async throws -> Result {
    let outcome = await withTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: loop.executor) { await self.run() }
      let outcome = await runBody(until: bodyIsOver, on: loop) {
        try await open()
        return try await body(self)
      }
      if case .success = outcome, roster.failure == nil {
        await end()
      } else {
        endAtOnce()
        group.cancelAll()
      }
      // What the body opened while the end began, or could not close since it was cancelled.
      closeListeners()
      await group.waitForAll()
      return outcome
    }
    log.finish()
    if let failure = roster.failure {
      if case .failure(let error) = outcome { throw (failure as? ExpectationFailure)?.and(error) ?? failure }
      throw failure
    }
    let result = try outcome.get()
    if behaviour.kind == .script, roster.count == 0 {
      throw ExpectationFailure("the test server on port \(port): no client came to play its script")
    }
    return result
  }
}
