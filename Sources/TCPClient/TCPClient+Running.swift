extension TCPClient {
  /// Enters `body` with each connection of raw bytes; see `run(framing:_:)`.
  public func run(_ body: (Connection) async throws -> Void) async throws {
    try await reconnect(Conversation(isFramed: false), again: body)
  }

  /// Enters `body` with each connection of frames, and again with the next when it has returned or thrown a transient
  /// error.
  ///
  /// The connection closes when `body` is left, in good order when it returned. Before each further attempt there is a
  /// pause, whether the connection failed or `body` returned: `Configuration.reconnect`. A first attempt that fails is
  /// treated like any other.
  ///
  /// - Parameters:
  ///   - framing: the codec.
  ///   - body: runs where the caller runs, in a child task that is cancelled when the client is retargeted.
  /// - Throws: `CancellationError` when cancelled, and only then, or by an error for which
  ///   `Configuration.isPermanent` says so: that error. When the policy allows no further attempt, the last error; it
  ///   returns if there was none. `SocketError.invalid` for values that cannot work, and when it runs already.
  public func run<F: Framing>(
    framing: F, _ body: (FramedConnection<F>) async throws -> Void
  ) async throws {
    try await reconnect(Conversation(isFramed: true), again: { try await body(framed($0, framing)) })
  }

  /// Enters `body` with each connection of raw bytes, until it returns `.finish`; see `run(framing:_:)`.
  @_disfavoredOverload
  public func run<Value>(_ body: (Connection) async throws -> Next<Value>) async throws -> Value {
    try await value(Conversation(isFramed: false), body)
  }

  /// Enters `body` with each connection of frames, until it returns `.finish`.
  ///
  /// ```swift
  /// let answer: String = try await client.run(framing: .lines) { connection in
  ///   let answer = try await connection.request("WHO")
  ///   return answer == "BUSY" ? .reconnect : .finish(answer)
  /// }
  /// ```
  ///
  /// Name the type of the value, as here: a closure may not tell the compiler by itself.
  ///
  /// - Returns: the value.
  /// - Throws: as the other `run(framing:_:)`; `GaveUp` when the policy allows no further attempt after
  ///   `.reconnect`.
  @_disfavoredOverload  // A closure without a return fits both where a `Void` is wanted, and means the other.
  public func run<F: Framing, Value>(
    framing: F, _ body: (FramedConnection<F>) async throws -> Next<Value>
  ) async throws -> Value {
    try await value(Conversation(isFramed: true)) { try await body(framed($0, framing)) }
  }

  /// Enters `body` again and again.
  func reconnect(
    _ conversation: Conversation, again body: (Connection) async throws -> Void
  ) async throws {
    let _: Conclusion<Never> = try await reconnect(conversation) { connection in
      try await body(connection)
      return .reconnect
    }
  }

  func value<Value>(
    _ conversation: Conversation, _ body: (Connection) async throws -> Next<Value>
  ) async throws -> Value {
    switch try await reconnect(conversation, body) {
    case .value(let value): return value
    case .gaveUp(let attempts): throw GaveUp(attempts: attempts)
    }
  }

  /// A framed connection whose first frame proves it healthy, if that is what proves it.
  func framed<F: Framing>(_ connection: Connection, _ framing: F) -> FramedConnection<F> {
    guard configuration.health == .input else { return connection.framed(framing) }
    return connection.framed(framing) { [weak self] in self?.markHealthy() }
  }
}
