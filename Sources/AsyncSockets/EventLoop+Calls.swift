// What modules above do on a loop without a task.

extension EventLoop {
  /// Calls `body` on the loop, never before this function has returned, and never from inside a handler's callback.
  package nonisolated func call(_ body: @escaping @Sendable () -> Void) { core.performLater(.call(body)) }

  /// Has `target` called at an instant; `nil` when the loop has stopped, and nothing will come.
  package nonisolated func schedule(
    _ target: any DeadlineTarget, token: UInt64, due: Instant
  ) -> DeadlineID? {
    core.schedule(target, token: token, due: due)
  }

  /// Takes a deadline back; one that has come does nothing.
  package nonisolated func cancelDeadline(_ id: DeadlineID) { core.cancelDeadline(id) }

  /// The time on the loop's clock, also in the middle of a turn.
  package nonisolated var exactNow: Instant { core.clock.now }

  /// Whether something can still be begun on it.
  package nonisolated var isRunning: Bool { core.shared.withLock { $0.phase == .running } }

  package nonisolated var kernel: any Kernel { core.kernel }
}
