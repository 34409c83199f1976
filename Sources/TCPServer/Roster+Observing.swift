import AsyncSockets

extension Roster {
  /// Those that are being served.
  var living: [Connection.Handle] { state.withLock { $0.connections }.compactMap { $0 } }

  /// The totals with what the living have moved so far, the living, and how far the server has got.
  func observe() -> (
    totals: TCPServer.Totals, connections: [Connection.Handle], state: TCPServer.Snapshot.State
  ) {
    let (settled, connections, phase) = state.withLock { state in
      (state.totals, state.connections, state.phase)
    }
    // Whoever ends from here on is not in the totals yet, and is counted as it is in the end.
    var totals = settled
    let living = connections.compactMap { $0 }
    for connection in living { totals.count(connection.counters) }
    return (totals, living, phase)
  }
}

extension Roster.State {
  fileprivate var phase: TCPServer.Snapshot.State {
    switch (run, drain.phase) {
    case (.over, _), (.prevented, _): .ended
    case (_, .draining): .draining
    case (_, .cancelling), (_, .aborting): .cancelled
    case (_, .serving): !isAccepting ? .stopped : isPaused ? .paused : run == .notYet ? .bound : .accepting
    }
  }
}
