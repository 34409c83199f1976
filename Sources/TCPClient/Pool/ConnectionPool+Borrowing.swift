public import AsyncSockets

extension ConnectionPool {
  /// Lends a connection to `body`, waiting for one if need be, first come first served.
  ///
  /// When `body` returns, the connection is kept for others, unless it has ended, has been closed or aborted by the body,
  /// goes on with another codec or transport, with other limits or socket options, has a codec or requests that have failed,
  /// or has input that nobody has taken: bytes, part of a frame, notices, or replies that are to come. It is closed when
  /// `body` throws, and when one of its reads or requests has timed out or was cancelled, unless `reuse` says otherwise.
  ///
  /// A new connection is lent as it is: what its server has said by itself, such as a greeting that nobody has read while
  /// the connection was prepared, is for the first who borrows it.
  ///
  /// - Parameters:
  ///   - deadline: when to give up waiting; `PoolConfiguration.waitTimeout` by default. The body is not limited.
  ///   - reuse: whether the connection may be kept after an error, too; not unless set.
  ///   - body: uses the connection, and not after it has returned.
  /// - Returns: what `body` returns.
  /// - Throws: `PoolError`; `CancellationError` when cancelled while waiting; what `body` throws.
  public func withConnection<Value>(
    deadline: Deadline? = nil, reuse: PoolReuse = .afterSuccess, _ body: (Session) async throws -> Value
  ) async throws -> Value {
    let loop = loop
    let (member, opened) = try await borrow(on: loop, until: due(deadline, on: loop))
    do {
      let value = try await body(opened.session)
      giveBack(member, opened, opened.condition(after: nil, reuse), on: loop)
      return value
    } catch {
      giveBack(member, opened, opened.condition(after: error, reuse), on: loop)
      throw error
    }
  }

  private func due(_ deadline: Deadline?, on loop: EventLoop) -> EventLoop.Instant? {
    switch deadline {
    case .at(let instant): instant
    case .after(let duration): loop.now.advanced(by: duration)
    case .never: nil
    case nil: configuration.waitTimeout.map { loop.now.advanced(by: $0) }
    }
  }

  private func borrow(
    on loop: EventLoop, until due: EventLoop.Instant?
  ) async throws -> (PoolState.Member, Opened) {
    try Task.checkCancellation()
    if let due, due <= loop.now { throw PoolError.timedOut(snapshot) }
    var (waiter, answer) = try begin(at: loop.now)
    while true {
      switch answer {
      case .refused(let error)?:
        // Whoever is cancelled with the pool is told that first.
        try Task.checkCancellation()
        throw error
      case .lent(let member, let opened)?:
        if opened.isFit {
          opened.connection.beginLoan()
          return (member, opened)
        }
        answer = replace(member, opened, for: waiter, at: loop.now)
      case nil: answer = try await wait(waiter, on: loop, until: due)
      }
    }
  }

  private func begin(at now: EventLoop.Instant) throws(PoolError) -> (PoolState.Waiter, Desk.Answer?) {
    let request = update { desk -> (PoolState.Waiter, Desk.Answer?)? in
      guard let (waiter, member) = desk.state.request(at: now) else { return nil }
      guard let member, let opened = desk.opened[member] else { return (waiter, nil) }
      return (waiter, .lent(member, opened))
    }
    guard let request else { throw .closed }
    return request
  }

  private func replace(
    _ member: PoolState.Member, _ opened: Opened, for waiter: PoolState.Waiter, at now: EventLoop.Instant
  ) -> Desk.Answer? {
    var random = random
    let mayWait = update { desk in
      desk.noteLoss(of: member, opened)
      return desk.state.replace(member, for: waiter, at: now, using: &random)
    }
    return mayWait ? nil : .refused(.closed)
  }

  private func wait(
    _ waiter: PoolState.Waiter, on loop: EventLoop, until due: EventLoop.Instant?
  ) async throws -> Desk.Answer {
    let latch = Latch()
    let isAnswered = desk.withLock { desk in
      if desk.answers[waiter] == nil { desk.latches[waiter] = latch }
      return desk.answers[waiter] != nil
    }
    let outcome = isAnswered ? .opened : await latch.wait(until: due, on: loop)
    let answer = update { desk in
      desk.latches[waiter] = nil
      desk.state.leave(waiter)
      return desk.answers.removeValue(forKey: waiter)
    }
    switch (outcome, answer) {
    case (.cancelled, .lent(let member, let opened)):
      giveBack(member, opened, .unused, on: loop)
      throw CancellationError()
    case (.cancelled, _): throw CancellationError()
    case (_, let answer?): return answer
    case (_, nil): throw PoolError.timedOut(snapshot)
    }
  }

  private func giveBack(
    _ member: PoolState.Member, _ opened: Opened, _ condition: PoolState.Condition, on loop: EventLoop
  ) {
    var random = random
    update { desk in
      if condition == .lost { desk.noteLoss(of: member, opened) }
      desk.state.giveBack(member, condition, at: loop.now, using: &random)
    }
  }
}
