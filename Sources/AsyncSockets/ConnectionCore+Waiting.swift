import Framing
import Synchronization

// What an idle connection keeps in memory is mostly the frames of the async functions that it waits in. They are kept
// small: whatever need not live across the wait happens in synchronous functions that are not inlined into them.

extension ConnectionCore {
  /// The part of every read that comes first. No call is made for a task that is cancelled or too late, and nothing
  /// is delivered after this side has closed. Ends with `reading.release()`.
  @inline(never) @usableFromInline
  func beginReading(
    deadline: Deadline, operation: StaticString
  ) throws -> EventLoop.Instant {
    try reading.claim(for: operation)
    do {
      let deadline = deadline.instant(now: core.now) ?? .never
      try checkReadMayGoOn(deadline, operation: operation)
      return deadline
    } catch {
      reading.release()
      throw error
    }
  }

  /// Ends what `beginReading` began.
  @inlinable @inline(__always)
  func endReading() { reading.release() }

  @inline(never)
  func checkReadMayGoOn(_ deadline: EventLoop.Instant, operation: StaticString) throws {
    do {
      try CurrentTask.checkCancellation()
      try checkIsNotOver()
      if deadline != .never, deadline <= core.now { throw tooLate(operation) }
    } catch {
      noteUnsettled()
      throw error
    }
  }

  @inline(__always)
  func checkIsNotOver() throws(SocketError) {
    if isOver.load(ordering: .relaxed) { throw state.withLock { $0.failure } ?? .closed }
  }

  @inline(never)
  private func tooLate(_ operation: StaticString) -> SocketError {
    .timedOut(operation: peerAddress.map { "\(operation) from \($0)" } ?? "\(operation)")
  }

  /// Suspends until a read is worth trying.
  ///
  /// - Throws: `CancellationError`; `SocketError.timedOut` at the deadline.
  @inlinable @inline(__always)
  func waitReadable(deadline: EventLoop.Instant, operation: StaticString) async throws {
    let wake: Wake
    if prepareToWait() {
      wake = await WakeContinuation.suspend { addReader($0, deadline: deadline, isOwner: true) }
    } else {
      wake = await waitWatched(deadline: deadline)
    }
    if case .changed = wake { return }
    try fail(wake, operation)
  }

  @inline(never) @usableFromInline
  func waitWatched(deadline: EventLoop.Instant) async -> Wake {
    let id = reading.contents.waits
    return await suspendWatched {
      addReader($0, deadline: deadline, isOwner: false)
    } onCancel: {
      wakeReader(id, .cancelled)
    }
  }

  /// What an idle connection may keep of its buffer, lest each short frame cost an allocation.
  private static let keptStorage = 512

  /// Whether the wait need not be watched for cancellation.
  @inline(never) @usableFromInline
  func prepareToWait() -> Bool {
    settleForWait()
    return isRunByOwner
  }

  @inline(__always)
  func settleForWait() {
    reading.contents.budget.refill()
    reading.contents.buffer.releaseStorage(above: Self.keptStorage)
    reading.contents.waits &+= 1
  }

  @inline(never) @usableFromInline
  func addReader(_ continuation: WakeContinuation, deadline: EventLoop.Instant, isOwner: Bool) {
    let id = reading.contents.waits
    let answer = state.withLock { state -> Wake? in
      if CurrentTask.isCancelled { return .cancelled }
      if deadline != .never, deadline <= core.now { return .timedOut }
      if state.phase != .open || state.readiness.canRead || state.readFailure != nil { return .changed }
      if state.isDraining, !state.drainIsNoticed { return .changed }
      state.reader = ConnectionState.Reader(
        id: id, isOwner: isOwner, deadline: deadline, continuation: continuation)
      beginWait(&state)
      noteReading(&state)
      arm(deadline, &state)
      return nil
    }
    if let answer { continuation.resume(answer) }
  }

  @inline(never) @usableFromInline
  func fail(_ wake: Wake, _ operation: StaticString) throws {
    state.withLock { $0.idleness.waitEnded(core.now) }
    noteUnsettled()
    if case .cancelled = wake { throw CancellationError() }
    throw tooLate(operation)
  }

  func wakeReader(_ id: UInt32, _ wake: Wake) {
    let reader = state.withLock { state in
      state.reader?.id == id ? state.takeReader() : nil
    }
    reader?.resume(wake)
  }

  /// Whether a reader that has used up its budget is to let others go first: on the loop alone.
  @inline(never) @usableFromInline
  func mustYield() -> Bool {
    if core.isCurrent { return true }
    reading.contents.budget.refill()
    return false
  }

  /// Lets everybody else on the loop go first.
  @inline(never) @usableFromInline
  func yieldTurn(deadline: EventLoop.Instant, operation: StaticString) async throws {
    reading.contents.budget.refill()
    await core.nextTurn()
    try checkReadMayGoOn(deadline, operation: operation)
  }
}
