import Synchronization

// Watching a wait for cancellation costs more than the rest of it. Whoever runs a connection's handler in a task of
// its own, and knows when that task is cancelled, says so by `wakeOwner`; the handler's waits then need no watch.

extension ConnectionCore {
  /// The current task is this connection's own from here until it says otherwise.
  func setOwner(_ isOwner: Bool) {
    owner.store(isOwner ? CurrentTask.identity : 0, ordering: .relaxed)
  }

  var isRunByOwner: Bool { owner.load(ordering: .relaxed) == CurrentTask.identity }

  /// The owner has been cancelled: ends its waits.
  func wakeOwner() {
    let mark = owner.compareExchange(
      expected: DriverMark.running, desired: DriverMark.cancelled, ordering: .relaxed
    ).original
    let isDriven = DriverMark.isDriver(mark)
    let waiters = state.withLock { state -> [WakeContinuation] in
      let reader = state.reader?.isOwner == true ? state.takeReader() : nil
      let driver = isDriven ? state.writers.removeOnlookers { $0.id == DriverMark.onlooker } : []
      return (reader.map { [$0] } ?? []) + state.writers.removeOwned() + driver
    }
    for waiter in waiters { waiter.resume(.cancelled) }
  }

  /// What stands in place of the owner's task while there is none, but a driver. No task is where these would be.
  enum DriverMark {
    static let running = UInt.max
    static let cancelled = UInt.max - 1
    /// Its number among the onlookers.
    static let onlooker = UInt32.max

    static func isDriver(_ owner: UInt) -> Bool { owner >= cancelled }
  }
}

/// Suspends; `onCancel` is called when the task is cancelled.
@inline(never)
func suspendWatched(
  _ body: (WakeContinuation) -> Void, onCancel: @Sendable () -> Void
) async -> Wake {
  await withTaskCancellationHandler {
    await WakeContinuation.suspend(body)
  } onCancel: {
    onCancel()
  }
}
