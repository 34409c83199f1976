/// Runs `body`, and cancels it when the deadline comes.
///
/// ```swift
/// let reply = try await withDeadline(.after(.seconds(5)), operation: "login") {
///   try await connection.send("USER me")
///   return try await connection.read()
/// }
/// ```
///
/// The deadline is one of an event loop: it follows the loop's clock, and takes no task and no thread. Of nested ones the
/// earlier counts; when the clock passes both at once, the inner one is told. A single read has a deadline of its own, which costs next to nothing and needs none of this.
///
/// - Parameters:
///   - deadline: when to give up; with `.never`, the body is called and nothing else happens.
///   - loop: whose clock counts; by default the loop that the caller runs on, or else one of its environment.
///   - operation: what the error shall name.
///   - body: runs in a child task, where the caller runs. It has to react to cancellation, as everything in this
///     library does: it is waited for.
/// - Returns: what the body returns.
/// - Throws: `SocketError.timedOut` once the deadline has come before the body's end, whatever the body makes of its
///   cancellation, and at once for a deadline in the past; `CancellationError` for a task that is cancelled already.
///   Else what the body throws, which is cancelled with its caller. `SocketError.loopStopped` when the loop has stopped or stops meanwhile.
public func withDeadline<Value>(
  _ deadline: Deadline, on loop: EventLoop? = nil, operation: String = "withDeadline",
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
) async throws -> Value {
  try CurrentTask.checkCancellation()
  let loop = try loop ?? Environment.current.loops.here()
  guard let due = deadline.instant(now: loop.now) else { return try await body() }
  if due <= loop.now { throw SocketError.timedOut(operation: operation) }
  try loop.core.checkIsRunning()

  // A task cannot be uncancelled, so what is cancelled has to be a task of its own. A child's closure must be sendable,
  // which the body need not be: it runs where its caller runs, and its caller does nothing meanwhile but wait.
  var outcome: Result<Value, any Error> = .failure(CancellationError())
  let wait = await withoutActuallyEscaping(body) { body in
    let ended = Latch()
    nonisolated(unsafe) let work = {
      do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
      ended.open()
    }
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { unsafe await run(work, isolation: isolation) }
      let wait = await ended.wait(until: due, on: loop)
      guard case .timedOut = wait, !ended.isOpen else { return Latch.Outcome.opened }
      group.cancelAll()
      return wait
    }
  }
  guard case .timedOut = wait else { return try outcome.get() }
  // A deadline inside, which the clock has passed in the same jump: the closer one tells more.
  if case .failure(let error as SocketError) = outcome, case .timedOut = error { throw error }
  throw loop.core.clock.now < due ? SocketError.loopStopped : .timedOut(operation: operation)
}

private func run(_ work: () async -> Void, isolation: isolated (any Actor)?) async { await work() }
