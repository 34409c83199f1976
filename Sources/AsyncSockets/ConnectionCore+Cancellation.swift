import Synchronization

// Watching for cancellation costs more than the rest of a wait. So the task that serves a connection is watched once
// for as long as it does, instead of once for each of its waits; other tasks pay by the wait.

extension ConnectionCore {
  /// Runs the body of a scope whose task is this connection's own.
  func runOwned(_ body: () async throws -> Void) async throws {
    owner.store(TaskIdentity.current, ordering: .relaxed)
    defer { owner.store(0, ordering: .relaxed) }
    try await withTaskCancellationHandler(operation: body) {
      wakeOwner()
    }
  }

  var isRunByOwner: Bool { owner.load(ordering: .relaxed) == TaskIdentity.current }

  private func wakeOwner() {
    let (reader, writers) = state.withLock { state -> (WakeContinuation?, [WakeContinuation]) in
      let reader = state.reader?.isOwner == true ? state.takeReader() : nil
      return (reader, state.writers.removeOwned())
    }
    reader?.resume(.cancelled)
    for writer in writers { writer.resume(.cancelled) }
  }

  /// Suspends; `onCancel` is called when the task is cancelled, unless the scope's own watch covers that.
  @inline(__always)
  func suspend(
    isCovered: Bool, _ body: (WakeContinuation) -> Void, onCancel: @Sendable () -> Void
  ) async -> Wake {
    if isCovered { return await WakeContinuation.suspend(body) }
    return await withTaskCancellationHandler {
      await WakeContinuation.suspend(body)
    } onCancel: {
      onCancel()
    }
  }
}
