import TestHarness
import Testing

@testable import AsyncSockets

/// A moment at which an operation is cancelled, counted in steps of its task, and one at which what it waits for
/// comes about.
struct Moment: Sendable, CustomStringConvertible {
  let cancelledAt: Int
  let suppliedAt: Int
  let loop: EventLoop
  let isOnLoop: Bool

  var description: String {
    "cancelled at step \(cancelledAt), supplied at \(suppliedAt), \(isOnLoop ? "on" : "off") the loop"
  }

  /// Runs `body` step by step and cancels it at its moment.
  ///
  /// On the loop, a step is a turn; off it, one job of the task more. What `supply` does has happened when this
  /// returns, before the cancellation or after it.
  /// An operation that goes on for 100 steps after both is an issue.
  func cancelling<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value, supply: () async throws -> Void = {}
  ) async throws -> Result<Value, any Error> {
    let executor = SteppedExecutor()
    let hasEnded = Count()
    let task = Task(executorPreference: isOnLoop ? loop.executor : executor) {
      defer { hasEnded.increase() }
      if cancelledAt < 0 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
      return try await body()
    }
    for step in 0...max(cancelledAt, suppliedAt) {
      if step > suppliedAt, hasEnded.value > 0 { break }
      if step == suppliedAt { try await supply() }
      if step == cancelledAt { task.cancel() }
      executor.runNext()
      await loop.nextTurn()
    }
    for _ in 0..<100 where hasEnded.value == 0 {
      executor.runNext()
      await loop.nextTurn()
    }
    let isPrompt = hasEnded.value > 0
    // Else the task would never end.
    while hasEnded.value == 0 {
      executor.runNext()
      await loop.nextTurn()
    }
    #expect(isPrompt, "it went on for 100 steps after its cancellation: \(self)")
    return await task.result
  }
}

/// Runs a task's jobs one at a time, when it is told to.
private final class SteppedExecutor: TaskExecutor {
  private let jobs = Lock([UnownedJob]())

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
  }

  func runNext() {
    let next = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    if let next { unsafe next.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
