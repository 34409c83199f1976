import AsyncSockets

/// The body of a test, which runs where its caller runs, in a task that can be left behind.
struct BodyTask<Value> {
  private final class Outcome { var result: Result<Value, any Error>? }

  private let task: UnjoinedTask
  private let outcome: Outcome

  /// - Parameters:
  ///   - over: Is opened when the body ends.
  ///   - environment: Tells on which of its loops the caller runs, if on one.
  init(
    opening over: Latch, in environment: Environment, isolation: isolated (any Actor)? = #isolation,
    _ body: @escaping () async throws -> Value
  ) throws {
    let outcome = Outcome()
    // A task's closure must be sendable, which the body need not be: it runs where its caller runs, who does nothing
    // meanwhile but wait, and looks at the outcome only when it is there.
    nonisolated(unsafe) let work = {
      do { outcome.result = .success(try await body()) } catch { outcome.result = .failure(error) }
    }
    let loop = try environment.loops.loops.first { $0.isCurrent }
    self.outcome = outcome
    task = UnjoinedTask(on: loop) {
      unsafe await run(work, isolation: isolation)
      over.open()
    }
  }

  /// What came of it; `nil` before its end.
  var result: Result<Value, any Error>? { task.end.isOpen ? outcome.result : nil }

  func cancel() { task.cancel() }

  /// Cancels it, and waits for its end.
  ///
  /// - Returns: what came of it; `nil` when it is left behind.
  func end(_ grace: Grace) async -> Result<Value, any Error>? {
    await task.cancel(grace) ? outcome.result : nil
  }
}

private func run(_ work: () async -> Void, isolation: isolated (any Actor)?) async { await work() }
