import TestHarness

@testable import AsyncSockets

/// Runs `body` in a task on the loop, and answers what it returns or throws.
func onLoop<Result: Sendable>(
  _ loop: EventLoop, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask(executorPreference: loop.executor) { try await body() }
    guard let result = try await group.next() else { throw CancellationError() }
    return result
  }
}

/// Runs `body` with a loop of its own, sees to it that nothing is left on it, and stops it.
func withLoop(
  clock: any LoopClock = MonotonicClock.shared, kernel: (any Kernel)? = nil,
  _ body: (EventLoop) async throws -> Void
) async throws {
  let loop = try kernel.map { try EventLoop(clock: clock, kernel: $0) } ?? EventLoop(clock: clock)
  do {
    try await body(loop)
    try await eventually("the loop holds nothing: \(loop.census)") {
      loop.census == EventLoop.Census(registrations: 0, deadlines: 0, abandonedConnections: 0)
    }
  } catch {
    await loop.shutdown()
    throw error
  }
  await loop.shutdown()
}

/// Returns when the loop has gone round often enough for whatever was due when this was called to have happened, and
/// what follows from it.
func letSettle(_ loop: EventLoop) async {
  for _ in 0..<4 { await loop.nextTurn() }
}

/// An actor of a user's own that lives on an event loop.
actor Resident {
  private let loop: EventLoop
  private(set) var count = 0

  init(on loop: EventLoop) { self.loop = loop }

  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.unownedExecutor }

  /// Counts a call, and tells whether it runs on the loop.
  func call() -> Bool {
    count += 1
    return loop.isCurrent
  }
}

/// An actor of a user's own that does not care where it runs.
actor Vagrant {
  func isOn(_ loop: EventLoop) -> Bool { loop.isCurrent }
}
