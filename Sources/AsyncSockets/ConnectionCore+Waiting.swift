import Framing
import Synchronization

extension ConnectionCore {
  /// The part of every read that comes first: no call is made for a task that is cancelled or too late, and nothing
  /// is delivered after this side has closed.
  @inline(__always)
  func checkReadMayBegin(_ deadline: EventLoop.Instant?, operation: StaticString) throws {
    try Task.checkCancellation()
    if isOver.load(ordering: .relaxed) {
      throw state.withLock { $0.failure } ?? .closed
    }
    if let deadline, deadline <= core.now { throw SocketError.timedOut(operation: "\(operation)") }
  }

  /// Suspends until a read is worth trying.
  ///
  /// - Throws: `CancellationError`; `SocketError.timedOut` at the deadline.
  func waitReadable(deadline: EventLoop.Instant?, operation: StaticString) async throws {
    reading.contents.budget.refill()
    if reading.contents.buffer.isEmpty { reading.contents.buffer.releaseStorage() }
    reading.contents.waits &+= 1
    let id = reading.contents.waits
    let isOwner = isRunByOwner
    let timer = deadline.flatMap { core.schedule(self, token: DeadlineToken.reader(id), due: $0) }
    defer { if let timer { core.cancelDeadline(timer) } }
    let wake = await suspend(isCovered: isOwner) { continuation in
      let answer = state.withLock { state -> Wake? in
        if Task.isCancelled { return .cancelled }
        if let deadline, deadline <= core.now { return .timedOut }
        if state.phase != .open || state.readiness.canRead || state.readFailure != nil { return .changed }
        if state.isDraining, state.drainAllowance == nil { return .changed }
        state.idleness.waitBegan(core.now)
        state.reader = ConnectionState.Reader(id: id, continuation: continuation, isOwner: isOwner)
        return nil
      }
      if let answer { continuation.resume(answer) }
    } onCancel: {
      wakeReader(id, .cancelled)
    }
    switch wake {
    case .changed: return
    case .cancelled:
      state.withLock { $0.idleness.waitEnded(core.now) }
      throw CancellationError()
    case .timedOut:
      state.withLock { $0.idleness.waitEnded(core.now) }
      throw SocketError.timedOut(operation: "\(operation)")
    }
  }

  func wakeReader(_ id: UInt32, _ wake: Wake) {
    let reader = state.withLock { state in
      state.reader?.id == id ? state.takeReader() : nil
    }
    reader?.resume(wake)
  }

  /// Lets everybody else on the loop go first.
  func yieldTurn(deadline: EventLoop.Instant?, operation: StaticString) async throws {
    reading.contents.budget.refill()
    await core.nextTurn()
    try checkReadMayBegin(deadline, operation: operation)
  }
}
