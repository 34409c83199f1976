import AsyncSockets

/// Runs the body of a test where its caller runs, in a task that is cancelled when `over` opens. The body opens that
/// itself when it ends.
func runBody<Value>(
  until over: Latch, on loop: EventLoop, isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> Value
) async -> Result<Value, any Error> {
  // A child's closure must be sendable, which the body need not be: it runs where its caller runs, and its caller does
  // nothing meanwhile but wait.
  var outcome: Result<Value, any Error> = .failure(CancellationError())
  await withoutActuallyEscaping(body) { body in
    nonisolated(unsafe) let work = {
      do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
      over.open()
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { unsafe await run(work, isolation: isolation) }
      if case .opened = await over.wait(on: loop) { group.cancelAll() }
    }
  }
  return outcome
}

private func run(_ work: () async -> Void, isolation: isolated (any Actor)?) async { await work() }
