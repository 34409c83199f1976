/// A door that opens once; any number of tasks wait at it, each with a deadline if it likes.
package final class Latch: Sendable {
  /// How a wait ended.
  package enum Outcome { case opened, timedOut, cancelled }

  private struct State {
    var isOpen = false
    var lastID: UInt64 = 0
    /// In the order in which they came.
    var waiters: [(id: UInt64, continuation: WakeContinuation)] = []
  }

  private let state = Lock(State())

  package init() {}

  package var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Lets everybody through, now and later.
  package func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume() }
  }

  /// Waits until the latch opens, the deadline comes on the loop's clock, or the task is cancelled.
  package func wait(
    until deadline: EventLoop.Instant? = nil, on loop: EventLoop, isCancellable: Bool = true
  ) async -> Outcome {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    let core = loop.core
    let timer = deadline.flatMap { core.schedule(self, token: id, due: $0) }
    defer { if let timer { core.cancelDeadline(timer) } }
    let wake = await withTaskCancellationHandler {
      await WakeContinuation.suspend { continuation in
        let answer = state.withLock { state -> Wake? in
          if state.isOpen { return .changed }
          if isCancellable, CurrentTask.isCancelled { return .cancelled }
          // Without a timer nobody would come: the loop has stopped.
          if let deadline, deadline <= core.now || timer == nil { return .timedOut }
          state.waiters.append((id, continuation))
          return nil
        }
        if let answer { continuation.resume(answer) }
      }
    } onCancel: {
      if isCancellable { wakeWaiter(id, .cancelled) }
    }
    switch wake {
    case .changed: return .opened
    case .timedOut: return .timedOut
    case .cancelled: return .cancelled
    }
  }

  private func wakeWaiter(_ id: UInt64, _ wake: Wake) {
    let continuation = state.withLock { state -> WakeContinuation? in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
      return state.waiters.remove(at: index).continuation
    }
    continuation?.resume(wake)
  }
}

extension Latch: DeadlineTarget {
  package func deadlineReached(_ token: UInt64) { wakeWaiter(token, .timedOut) }
}

extension EventLoop {
  /// Suspends until a point on the loop's clock, without leaving the loop's time for the system's as `Task.sleep`
  /// does.
  ///
  /// - Throws: `CancellationError`; `SocketError.loopStopped` when the loop stops before.
  public nonisolated func sleep(until instant: Instant) async throws {
    let outcome = await Latch().wait(until: instant, on: self)
    if case .cancelled = outcome { throw CancellationError() }
    if core.clock.now < instant { throw SocketError.loopStopped }
  }

  /// Suspends for a duration on the loop's clock; see `sleep(until:)`.
  public nonisolated func sleep(for duration: Duration) async throws {
    try await sleep(until: now.advanced(by: duration))
  }

  /// Lets everybody else on the loop go first: returns after the loop has asked the kernel for events.
  package nonisolated func nextTurn() async { await core.nextTurn() }
}
