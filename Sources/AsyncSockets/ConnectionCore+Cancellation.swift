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
    let (reader, writers) = state.withLock { state -> (WakeContinuation?, [WakeContinuation]) in
      let reader = state.reader?.isOwner == true ? state.takeReader() : nil
      return (reader, state.writers.removeOwned())
    }
    reader?.resume(.cancelled)
    for writer in writers { writer.resume(.cancelled) }
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
