import AsyncSockets

/// A value that several tasks and threads look at and change.
package final class Shared<Value: Sendable>: Sendable {
  private let storage: Lock<Value>

  package init(_ value: Value) { storage = Lock(value) }

  package var value: Value { storage.withLock { $0 } }

  package func set(_ value: Value) { storage.withLock { $0 = value } }

  @discardableResult
  package func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    storage.withLock { body(&$0) }
  }
}

extension Shared where Value == Int {
  @discardableResult
  package func increase() -> Int {
    change {
      $0 += 1
      return $0
    }
  }

  package func decrease() { change { $0 -= 1 } }
}
