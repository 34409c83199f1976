extension TCPClient {
  /// What one attempt, or the connection that came of it, has come to.
  private enum Outcome<Value> {
    case finished(Value)
    /// The closure has returned, and wants to be entered again.
    case returned
    case threw(any Error)
    /// The client had other targets when it ended, whatever the closure has made of that.
    case retargeted

    init(_ result: Result<Next<Value>, any Error>, wasRetargeted: Bool) {
      switch result {
      case .success(.finish(let value)): self = .finished(value)
      case _ where wasRetargeted: self = .retargeted
      case .success(.reconnect): self = .returned
      case .failure(let error): self = .threw(error)
      }
    }

    var error: (any Error)? { if case .threw(let error) = self { error } else { nil } }
  }

  /// How a run is over, if not by an error.
  enum Conclusion<Value> {
    case value(Value)
    /// The policy allows no further attempt after a closure that has returned.
    case gaveUp(attempts: Int)
  }

  /// Enters `body` with one connection after the other, until there is a value or an error.
  func reconnect<Value>(
    _ conversation: Conversation, _ body: (Connection) async throws -> Next<Value>
  ) async throws -> Conclusion<Value> {
    try state.withLock { state throws(SocketError) in try state.beginRun() }
    defer { state.withLock { $0.endRun() } }
    conversation.began()
    let loop = try begin(conversation)
    var backoff = Backoff(validated: configuration.reconnect)
    while true {
      let (outcome, wasHealthy) = await attempt(conversation, body, backoff: &backoff, on: loop)
      let isRetargeted = state.withLock { $0.isRetargeted }
      if case .finished(let value) = outcome {
        end(.finished, conversation)
        return .value(value)
      }
      if Task.isCancelled { try endCancelled(conversation) }
      if let error = outcome.error, configuration.isPermanent(error) {
        end(.failed(error), conversation)
        throw error
      }
      if wasHealthy { backoff.reset() } else { state.withLock { $0.turnToNext() } }
      if isRetargeted { continue }
      switch await pause(&backoff, after: outcome.error, on: loop) {
      case .timedOut, .opened: continue
      case .cancelled: try endCancelled(conversation)
      case nil:
        end(.gaveUp(attempts: backoff.attempts, last: outcome.error), conversation)
        if let error = outcome.error { throw error }
        return .gaveUp(attempts: backoff.attempts)
      }
    }
  }

  /// Looks at all that was given before anything is opened: what cannot work is how the run ends, for everybody.
  private func begin(_ conversation: Conversation) throws -> EventLoop {
    do {
      try configuration.validate()
      try state.withLock { state throws(SocketError) in try state.rotation.validate() }
      try conversation.validate()
      return try environment.loops.here()
    } catch {
      end(.failed(error), conversation)
      throw error
    }
  }

  private func end(_ ending: Ending, _ conversation: Conversation) {
    conversation.ended(ending)
    tell(.ended(ending))
    board.post(.ended(ending))
  }

  private func endCancelled(_ conversation: Conversation) throws -> Never {
    end(.cancelled, conversation)
    throw CancellationError()
  }

  /// Waits for as long as the policy says, or until the client is retargeted; `nil` if it says to give up.
  private func pause(
    _ backoff: inout Backoff, after error: (any Error)?, on loop: EventLoop
  ) async -> Latch.Outcome? {
    var random = environment.random
    guard let pause = backoff.pause(at: loop.now, using: &random) else { return nil }
    let due = loop.now.advanced(by: pause)
    tell(.backingOff(pause, after: error))
    board.post(.backingOff(until: due, after: error))
    let change = Latch()
    if state.withLock({ $0.watch(change) }) { return .opened }
    return await change.wait(until: due, on: loop)
  }

  private func attempt<Value>(
    _ conversation: Conversation, _ body: (Connection) async throws -> Next<Value>,
    backoff: inout Backoff, on loop: EventLoop
  ) async -> (Outcome<Value>, wasHealthy: Bool) {
    guard let (attempt, isFirst) = state.withLock({ $0.beginAttempt() }) else { return (.returned, false) }
    if isFirst { backoff = Backoff(validated: configuration.reconnect) }
    backoff.attemptBegins(at: loop.now)
    tell(.connecting(attempt))
    board.post(.connecting(attempt))
    let dialer = Dialer(configuration: configuration, environment: environment)
    let (dialed, _) = await interruptibly(on: loop) { try await dialer.dial(attempt.target, on: loop) }
    let isRetargeted = state.withLock { $0.isRetargeted }
    if case .success(let connection) = dialed, !isRetargeted, !Task.isCancelled {
      return await hold(connection, attempt, conversation, body, on: loop)
    }
    // It stood in the very moment in which nobody wanted it any more.
    if case .success(let connection) = dialed { connection.abort() }
    let failure = Self.failure(of: dialed, isRetargeted: isRetargeted)
    tell(.attemptFailed(attempt, failure))
    switch failure {
    case .unreachable(let error), .refused(let error): return (.threw(error), false)
    case .cancelled: return (.threw(CancellationError()), false)
    case .retargeted: return (.retargeted, false)
    }
  }

  private static func failure(
    of dialed: Result<Connection, any Error>, isRetargeted: Bool
  ) -> AttemptFailure {
    if Task.isCancelled { return .cancelled }
    if isRetargeted { return .retargeted }
    switch dialed {
    case .failure(let failure as Dialer.PreparationFailed): return .refused(failure.error)
    case .failure(let error): return .unreachable(error)
    case .success: return .cancelled
    }
  }

  /// The life of a connection.
  private func hold<Value>(
    _ connection: Connection, _ attempt: Attempt, _ conversation: Conversation,
    _ body: (Connection) async throws -> Next<Value>, on loop: EventLoop
  ) async -> (Outcome<Value>, wasHealthy: Bool) {
    state.withLock { $0.connected(attempt) }
    tell(.connected(attempt, peer: connection.peerAddress))
    board.post(.connected(attempt))
    if state.withLock({ $0.announced() }) { tellHealthy(attempt) }
    let proof = HealthWatch(of: connection, configuration.health, isFramed: conversation.isFramed)
    let (result, wasRetargeted) = await interruptibly(
      on: loop, beside: { if await proof.comes(on: loop) { self.markHealthy() } },
      interrupted: {
        connection.note(.retargeted)
        return { await connection.close(reason: .retargeted) }
      },
      { try await body(connection) })
    if wasRetargeted { connection.note(.retargeted) }
    if proof.hasCome { markHealthy() }
    conversation.disconnected()
    let error: (any Error)? = if case .failure(let error) = result { error } else { nil }
    await close(connection, after: error.flatMap { Self.isEnd($0) ? nil : $0 }, on: loop)
    let (wasHealthy, announcement) = state.withLock { $0.disconnected() }
    // Whoever found it healthy may be about to say so, which comes before the end.
    if let announcement { _ = await announcement.wait(on: loop, isCancellable: false) }
    if let error, Self.isForeign(error, to: connection) { tell(.bodyFailed(attempt, error)) }
    tell(.closed(attempt, reason: connection.closeReason ?? .closed, counters: connection.counters))
    return (Outcome(result, wasRetargeted: wasRetargeted), wasHealthy)
  }

  /// Leaves the scope of a connection. Other targets cut that short, as a cancellation does.
  private func close(_ connection: Connection, after error: (any Error)?, on loop: EventLoop) async {
    _ = await interruptibly(
      on: loop,
      interrupted: {
        connection.note(.retargeted)
        return {}
      },
      { await connection.close(after: error, isCancellable: true) })
  }

  /// Whether an error says no more than that the connection has ended.
  private static func isEnd(_ error: any Error) -> Bool { error as? CorrelatorError == .ended }

  private static func isForeign(_ error: any Error, to connection: Connection) -> Bool {
    !(isEnd(error) || error is CancellationError || error is FramingError || connection.hasEnded(by: error))
  }

  /// Says that the connection which stands now is healthy, whatever `Configuration.health` waits for. Does nothing while
  /// there is none, or when it is known to be.
  public func markHealthy() {
    guard let (attempt, announcement) = state.withLock({ $0.markHealthy() }) else { return }
    tellHealthy(attempt)
    announcement.open()
  }

  private func tellHealthy(_ attempt: Attempt) {
    tell(.healthy(attempt))
    board.post(.healthy(attempt))
  }
}
