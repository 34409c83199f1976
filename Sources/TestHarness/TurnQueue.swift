import AsyncSockets

/// Lets asynchronous work go one after the other, first come first served.
final class TurnQueue: Sendable {
  private let last = Lock<Latch?>(nil)

  /// Runs the body when everybody before has done.
  ///
  /// - Throws: `CancellationError` when cancelled before the body began; what the body throws.
  func withTurn<Value>(on loop: EventLoop, _ body: () async throws -> Value) async throws -> Value {
    let mine = Latch()
    let before = last.withLock { last -> Latch? in
      defer { last = mine }
      return last
    }
    defer { mine.open() }
    // Not to be cancelled: whoever comes next waits for this turn, and must not overtake the one before.
    if let before { _ = await before.wait(on: loop, isCancellable: false) }
    try Task.checkCancellation()
    return try await body()
  }
}
