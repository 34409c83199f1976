import AsyncSockets

extension ConnectionPool {
  /// Runs `body` beside the pool, and closes all of it when `body` is left: in good order when it returns, at once when it
  /// throws or is cancelled.
  ///
  /// - Returns: what `body` returns.
  /// - Throws: what `body` throws; as `run()`, the second time before `body` is entered.
  public func run<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    let loop = try begin()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.work(on: loop) }
      let value = try await body()
      beginDrain()
      try await group.waitForAll()
      return value
    }
  }

  /// Makes, checks and closes the pool's connections, until the pool has drained or the task is cancelled. Once only.
  ///
  /// Cancelled, it resets connections that are lent: their bodies are told `SocketError.closed`.
  ///
  /// - Throws: `CancellationError` when cancelled; `SocketError.invalid` the second time; `.loopStopped`.
  public func run() async throws { try await work(on: try begin()) }

  /// The one time that it runs.
  private func begin() throws(SocketError) -> EventLoop {
    let loop = loop
    let mayRun = update { desk in
      if desk.hasRun { return false }
      (desk.isRunning, desk.hasRun) = (true, true)
      desk.state.begin(at: loop.now)
      return true
    }
    guard mayRun else { throw .invalid("a pool runs once; make another one") }
    return loop
  }

  private func work(on loop: EventLoop) async throws {
    var failure: (any Error)?
    await withDiscardingTaskGroup { group in
      while let step = nextStep(at: loop.now) {
        switch step {
        case .work(let actions):
          for action in actions { group.addTask { await self.perform(action) } }
        case .look(let sessions): look(at: sessions, on: loop)
        case .cancelAttempts: group.cancelAll()
        case .wait(let latch, let due):
          let outcome = await latch.wait(until: due, on: loop, isCancellable: failure == nil)
          if failure == nil { failure = failureOf(outcome, due, on: loop) }
          if failure != nil { cancel() }
        }
      }
    }
    desk.withLock { $0.isRunning = false }
    if let failure { throw failure }
  }

  /// Lends no more: who waits is told `PoolError.closed`, idle connections are closed, those that are lent when they are
  /// given back. `run` returns then. Whoever cannot wait for that cancels it.
  public func beginDrain() { update { $0.state.drain() } }
}

extension ConnectionPool {
  /// What the runner is to do next.
  private enum Step {
    case work([PoolState.Action])
    case look([(PoolState.Member, Opened)])
    case cancelAttempts
    case wait(Latch, until: EventLoop.Instant?)
  }

  /// `nil` when all is done.
  private func nextStep(at now: EventLoop.Instant) -> Step? {
    update { desk in
      if desk.state.isFinished { return nil }
      if let due = desk.state.dueTime, due <= now {
        let members = desk.state.sweep(at: now)
        return .look(members.compactMap { member in desk.opened[member].map { (member, $0) } })
      }
      if !desk.work.isEmpty {
        defer { desk.work = [] }
        return .work(desk.work)
      }
      if desk.mustCancelAttempts {
        desk.attemptsAreCancelled = true
        return .cancelAttempts
      }
      let latch = Latch()
      desk.runner = latch
      desk.runnerDue = desk.state.dueTime
      return .wait(latch, until: desk.runnerDue)
    }
  }

  private func look(at sessions: [(member: PoolState.Member, opened: Opened)], on loop: EventLoop) {
    let looks = sessions.map { (member: $0.member, stands: $0.opened.isFit) }
    update { $0.state.swept(looks, at: loop.now) }
  }

  private func failureOf(
    _ outcome: Latch.Outcome, _ due: EventLoop.Instant?, on loop: EventLoop
  ) -> (any Error)? {
    switch outcome {
    case .opened: nil
    case .cancelled: CancellationError()
    case .timedOut: if let due, loop.now >= due { nil } else { SocketError.loopStopped }
    }
  }

  private func cancel() {
    let aborted = update { desk in
      desk.state.cancel().compactMap { desk.opened.removeValue(forKey: $0) }
    }
    for session in aborted { session.connection.abort() }
  }

  // MARK: In tasks of their own

  private func perform(_ action: PoolState.Action) async {
    switch action {
    case .connect(let member): await connect(member, on: loops.here())
    case .check(let member): await check(member)
    case .close(let member): await close(member)
    case .lend, .refuse: break
    }
  }

  private func connect(_ member: PoolState.Member, on loop: EventLoop) async {
    do {
      let opened = try await open(on: loop)
      update { desk in
        desk.lastFailure = nil
        desk.opened[member] = opened
        desk.state.connected(member, at: loop.now)
      }
    } catch {
      var random = random
      update { desk in
        if desk.state.phase == .open { desk.lastFailure = error }
        desk.state.connectFailed(
          member, isFinal: configuration.client.isPermanent(error), at: loop.now, using: &random)
      }
    }
  }

  private func open(on loop: EventLoop) async throws -> Opened {
    let deadline =
      configuration.client.connectTimeout.map { Deadline.at(loop.now.advanced(by: $0)) } ?? .never
    let dialer = Dialer(configuration: configuration.client, environment: environment)
    let connection: Connection
    do {
      connection = try await dialer.dial(target, on: loop)
      connection.recordLoans()
    } catch let failure as Dialer.PreparationFailed {
      throw failure.error
    }
    do {
      let session = try await withDeadline(deadline, on: loop, operation: "open a session with \(target)") {
        try await opening(connection)
      }
      return Opened(connection: connection, session: session)
    } catch {
      await connection.close(after: error)
      throw error
    }
  }

  private func check(_ member: PoolState.Member) async {
    guard let opened = desk.withLock({ $0.opened[member] }), let check else { return }
    var hasPassed = false
    opened.connection.beginLoan()
    do {
      try await withDeadline(
        .after(configuration.checkTimeout ?? .seconds(5)), on: opened.connection.loop, operation: "check"
      ) {
        try await check(opened.session)
      }
      hasPassed = opened.isFit
    } catch {
      update { desk in if desk.state.phase == .open { desk.lastFailure = error } }
    }
    let now = opened.connection.loop.now
    update { $0.state.checked(member, hasPassed: hasPassed, at: now) }
  }

  private func close(_ member: PoolState.Member) async {
    guard let opened = desk.withLock({ $0.opened[member] }) else { return }
    await opened.connection.close(reason: .closed)
    let now = opened.connection.loop.now
    update { desk in
      desk.opened[member] = nil
      desk.state.closed(member, at: now)
    }
  }
}
