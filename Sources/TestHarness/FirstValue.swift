import AsyncSockets

/// The first value that somebody gives, for those who wait for it.
final class FirstValue<Value: Sendable>: Sendable {
  private let value = Lock<Value?>(nil)
  private let isThere = Latch()

  /// Does nothing when there is a value already.
  func give(_ value: Value) {
    self.value.withLock { if $0 == nil { $0 = value } }
    isThere.open()
  }

  /// The value, if there is one by now.
  var current: Value? { value.withLock { $0 } }

  /// The value; `nil` when the deadline comes first, or a cancellation.
  func wait(
    until deadline: EventLoop.Instant? = nil, on loop: EventLoop, isCancellable: Bool = true
  ) async -> Value? {
    _ = await isThere.wait(until: deadline, on: loop, isCancellable: isCancellable)
    return current
  }
}
