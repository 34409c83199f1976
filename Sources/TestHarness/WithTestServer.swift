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
///   - patience: how long everything waits that is given no deadline of its own; 20 s by default, by the clock of the
///     event loop.
///   - connection: limits and options of its connections.
///   - body: the test.
/// - Returns: what the body returns.
/// - Throws: what the body throws. When a script or a handler fails before the body has ended, its error, with the
///   transcript in its description, and what the body made of it; the body is cancelled then. ``ExpectationFailure``
///   when a script or a handler goes on after the body, and nothing happens for as long as the patience, or the longest
///   limit of its own, and 10 s more: it is cancelled then. Whoever does not end within 10 s of real time when it is
///   cancelled, be it the body, a script or a handler, is left behind, and the error says so. ``ResourcesLeaked`` when
///   something is left.
public func withTestServer<F: Framing, Result>(
  _ behaviour: TestServer<F>.Behaviour = .silent, framing: F, on addresses: [SocketAddress]? = nil,
  patience: Duration = .seconds(20), connection: ConnectionOptions = ConnectionOptions(),
  _ body: @escaping (TestServer<F>) async throws -> Result
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
  patience: Duration = .seconds(20), connection: ConnectionOptions = ConnectionOptions(),
  _ body: @escaping (TestServer<RawFraming>) async throws -> Result
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
/// The script's failure is the test's, as ``TestServer/Behaviour/script(_:)`` says. What a client sends after the end of
/// its script fails nothing, so one that cares ends with `expectEnd()`.
public func withTestServer<F: Framing, Result>(
  framing: F, on addresses: [SocketAddress]? = nil, patience: Duration = .seconds(20),
  connection: ConnectionOptions = ConnectionOptions(),
  script: @escaping @Sendable (TestPeer<F>) async throws -> Void,
  body: @escaping (TestServer<F>) async throws -> Result
) async throws -> Result {
  try await withTestServer(
    .script(script), framing: framing, on: addresses, patience: patience, connection: connection, body)
}

extension TestServer {
  fileprivate func running<Result>(
    _ body: @escaping (TestServer) async throws -> Result
  ) async throws -> Result {
    let serving = UnjoinedTask(on: loop) { await self.run() }
    let test = try BodyTask(opening: bodyIsOver, in: environment) {
      try await self.open()
      return try await body(self)
    }
    // Its end, a failure, or this task's cancellation.
    _ = await bodyIsOver.wait(on: loop)
    if case .success? = test.result, roster.failure == nil {
      await end()
      await waitForClients()
    } else {
      // First, so that what it waits for at the server is cancelled rather than over.
      test.cancel()
      endAtOnce()
      serving.cancel()
    }
    let outcome = await test.end(grace)
    // What the body opened while the end began, or could not close since it was cancelled.
    closeListeners()
    let hasServed = await serving.cancel(grace)
    log.finish()
    let deaf = (outcome == nil ? ["the test's body"] : []) + (hasServed ? [] : players)
    return try verdict(outcome, leaving: deaf)
  }

  private func verdict<Result>(
    _ outcome: Swift.Result<Result, any Error>?, leaving deaf: [String]
  ) throws -> Result {
    if let failure = roster.failure ?? (deaf.isEmpty ? nil : interruption(outcome)) {
      var notes: [String] = []
      if roster.failure != nil, case .failure(let error)? = outcome, !(error is CancellationError) {
        notes.append("the test's body threw: \(error)")
      }
      notes += deaf.map {
        "\($0) did not end within \(grace.duration) of its cancellation, and was left behind"
      }
      throw failure.noting(notes)
    }
    guard let outcome else { throw CancellationError() }
    let result = try outcome.get()
    if behaviour.kind == .script, roster.count == 0 {
      throw ExpectationFailure("the test server on port \(port): no client came to play its script")
    }
    return result
  }

  /// Why all was cancelled, where no client's failure is the reason.
  private func interruption<Result>(_ outcome: Swift.Result<Result, any Error>?) -> ExpectationFailure {
    switch outcome {
    case .failure(let error)? where !(error is CancellationError):
      ExpectationFailure("the test's body threw: \(error)")
    default: ExpectationFailure("the test was cancelled")
    }
  }

  /// Who may still play with clients, for a report.
  private var players: [String] {
    let names = roster.current.map { "the \(behaviour.kind.rawValue) of \($0.core.name)" }
    return names.isEmpty ? ["the test server on port \(port)"] : names
  }
}
