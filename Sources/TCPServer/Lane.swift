import AsyncSockets

/// A task group's worth of connections, and the way by which new ones reach the task that owns the group.
final class Lane: Sendable {
  /// A connection to serve.
  struct Arrival: Sendable {
    let connection: Connection
    let loop: EventLoop
    /// Its place in the roster.
    let slot: Int
  }

  private struct State {
    var arrivals: [Arrival] = []
    var isClosed = false
    var change = Latch()
  }

  let number: Int
  private let state = Lock(State())

  init(number: Int) { self.number = number }

  func add(_ arrival: Arrival) {
    state.withLock { state in
      state.arrivals.append(arrival)
      return state.change
    }.open()
  }

  /// Nobody more will come.
  func close() {
    state.withLock { state in
      state.isClosed = true
      return state.change
    }.open()
  }

  /// Those who have come since the last call, waiting for the first; `nil` when nobody more will. A cancelled task
  /// waits as well, since connections that were accepted have to be closed in their scope.
  func next(on loop: EventLoop) async -> [Arrival]? {
    while true {
      let (arrivals, isClosed, change) = state.withLock { state in
        if state.change.isOpen { state.change = Latch() }
        defer { state.arrivals = [] }
        return (state.arrivals, state.isClosed, state.change)
      }
      if !arrivals.isEmpty { return arrivals }
      if isClosed { return nil }
      _ = await change.wait(on: loop, isCancellable: false)
    }
  }
}
