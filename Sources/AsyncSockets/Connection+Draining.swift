import Framing

// A connection learns that its server drains. Those who wait for it are kept where those are who wait for its close, so
// that a connection with nobody waiting has no memory for it.

extension Connection {
  /// Returns when the server begins to drain: for a handler that does something else than read, such as one that
  /// pushes news, and has a goodbye to say.
  ///
  /// ```swift
  /// group.addTask {
  ///   try await connection.untilDraining()
  ///   try await connection.send("going down, come back later\n")
  /// }
  /// ```
  ///
  /// A handler that reads needs no such task: its input ends, and `isDraining` tells it why.
  ///
  /// - Throws: the connection's failure, or `SocketError.closed`, when it ends before; `CancellationError`.
  public func untilDraining() async throws { try await core.waitUntilDraining() }
}

extension FramedConnection {
  /// Returns when the server begins to drain; see `Connection.untilDraining()`.
  public func untilDraining() async throws { try await connection.untilDraining() }
}

extension ConnectionCore {
  /// The server drains: what has arrived is still read, then the input ends.
  func beginDrain() {
    let waiters = state.withLock { state -> [WakeContinuation] in
      guard state.phase == .open, !state.isDraining else { return [] }
      state.drainAllowance = state.endpoint.unreadBytes(kernel: core.kernel)
      let reader = state.takeReader().map { [$0] } ?? []
      return reader + state.writers.removeOnlookers { $0.goal == .draining }
    }
    Self.resume(waiters)
  }

  func waitUntilDraining() async throws {
    try CurrentTask.checkCancellation()
    let id = state.withLock { $0.nextWriterID() }
    let wake = await suspendWatched {
      addOnlooker($0, id)
    } onCancel: {
      wakeWriter(id, .cancelled)
    }
    if case .cancelled = wake { throw CancellationError() }
    try state.withLock { state throws(SocketError) in
      if !state.isDraining { throw state.failure ?? .closed }
    }
  }

  private func addOnlooker(_ continuation: WakeContinuation, _ id: UInt32) {
    let answer = state.withLock { state -> Wake? in
      if CurrentTask.isCancelled { return .cancelled }
      if state.isDraining || state.phase != .open || state.failure != nil { return .changed }
      state.writers.add(WriteWaiters.Waiter(id: id, goal: .draining, continuation: continuation))
      return nil
    }
    if let answer { continuation.resume(answer) }
  }
}
