extension TCPClient {
  /// Runs `work` where its caller runs, and cancels it when the client is retargeted meanwhile.
  ///
  /// - Parameters:
  ///   - companion: runs beside it, and is cancelled when it has ended.
  ///   - interrupted: called before the work is cancelled; what it returns runs in a task that is cancelled.
  /// - Returns: what came of the work, and whether the client had other targets when it ended.
  func interruptibly<Value>(
    on loop: EventLoop, beside companion: (@Sendable () async -> Void)? = nil,
    interrupted: @Sendable () -> (@Sendable () async -> Void) = { {} },
    isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
  ) async -> (result: Result<Value, any Error>, wasRetargeted: Bool) {
    let (change, ended) = (Latch(), Latch())
    if state.withLock({ $0.watch(change) }) { change.open() }
    // As in `withDeadline`: the work need not be sendable, since its caller only waits.
    var outcome: Result<Value, any Error> = .failure(CancellationError())
    var wasRetargeted = false
    await withoutActuallyEscaping(work) { work in
      nonisolated(unsafe) let work = {
        do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
        // Whoever waits for a change may not have woken yet, if the work itself has made it.
        wasRetargeted = self.state.withLock { $0.isRetargeted }
        ended.open()
        change.open()
      }
      await withTaskGroup(of: Void.self) { group in
        group.addTask { unsafe await perform(work, isolation: isolation) }
        if let companion { group.addTask { await companion() } }
        // A cancellation of the caller reaches the work by itself.
        _ = await change.wait(on: loop, isCancellable: false)
        if !ended.isOpen {
          let rest = interrupted()
          group.cancelAll()
          group.addTask { await rest() }
          _ = await ended.wait(on: loop, isCancellable: false)
        }
        group.cancelAll()
      }
    }
    return (outcome, wasRetargeted)
  }
}

private func perform(_ work: () async -> Void, isolation: isolated (any Actor)?) async { await work() }
