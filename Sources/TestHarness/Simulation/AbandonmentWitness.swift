import AsyncSockets

/// Knows when a connection is closed because its last handle went: right before it, the loop has counted it.
final class AbandonmentWitness: Sendable {
  private struct State {
    weak var loop: EventLoop?
    var seen = 0
  }

  private let state = Lock(State())

  /// The loop of the simulation.
  func attach(_ loop: EventLoop) { state.withLock { $0.loop = loop } }

  /// Whether a connection has been abandoned since the last call.
  func hasSeenOne() -> Bool {
    state.withLock { state in
      let count = state.loop?.census.abandonedConnections ?? 0
      defer { state.seen = count }
      return count > state.seen
    }
  }
}
