import AsyncSockets

/// What happened, in order.
final class Recorder<Element: Sendable>: Sendable {
  private let state = Lock([Element]())

  var all: [Element] { state.withLock { $0 } }
  var count: Int { state.withLock { $0.count } }

  func append(_ element: Element) { state.withLock { $0.append(element) } }
}
