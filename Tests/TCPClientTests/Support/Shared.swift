import AsyncSockets
import TestHarness

/// A value that several tasks and threads look at and change.
final class Shared<Value: Sendable>: Sendable {
  private let storage: Lock<Value>

  init(_ value: Value) { storage = Lock(value) }

  var value: Value { storage.withLock { $0 } }

  func set(_ value: Value) { storage.withLock { $0 = value } }

  @discardableResult
  func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { storage.withLock { body(&$0) } }
}

extension Shared where Value == Int {
  @discardableResult
  func increase() -> Int {
    change {
      $0 += 1
      return $0
    }
  }

  func decrease() { change { $0 -= 1 } }
}

/// A door in a handler that a test opens.
final class Door: Sendable {
  private let latch = Latch()

  func open() { latch.open() }

  /// Waits until the door is open.
  func pass(on loop: EventLoop) async throws {
    if case .cancelled = await latch.wait(on: loop) { throw CancellationError() }
  }
}
