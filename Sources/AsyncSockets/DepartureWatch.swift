import Synchronization

/// The wait for a peer to go, beside a handler that may be waiting for anything else.
package final class DepartureWatch: Sendable {
  private let core: ConnectionCore
  private let id: UInt32
  private let isOver = Atomic(false)

  private var hasEnded: Bool { isOver.load(ordering: .relaxed) }

  package init(of connection: Connection.Handle) {
    core = connection.core
    id = core.state.withLock { $0.nextWriterID() }
  }

  /// Whether the peer has gone, or something else than the handler has ended the connection; `false` once that has
  /// closed it, or the watch is ended.
  package func peerHasGone(by departure: PeerDeparture) async -> Bool {
    var wake = Wake.changed
    // Awoken by a close, too.
    while case .changed = wake, !core.isOver.load(ordering: .relaxed) {
      if core.noteWhetherPeerHasGone(by: departure) { return true }
      wake = await WakeContinuation.suspend { continuation in
        let mustWait = core.addDepartureWaiter(continuation, id, departure) { hasEnded }
        if !mustWait { continuation.resume(hasEnded ? .cancelled : .changed) }
      }
    }
    return core.state.withLock { $0.failure } != nil
  }

  /// The handler is done.
  package func end() {
    isOver.store(true, ordering: .relaxed)
    core.wakeWriter(id, .cancelled)
  }
}
