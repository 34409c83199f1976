import AsyncSockets

extension Roster {
  /// Those that are being served.
  var living: [Connection.Handle] { state.withLock { $0.connections }.compactMap { $0 } }

  /// The totals with what the living have moved so far, the living, and how far the server has got.
  ///
  /// - Parameter standing: what it does while it serves.
  func observe(_ standing: TCPServer.Snapshot.State) -> (
    totals: TCPServer.Totals, connections: [Connection.Handle], state: TCPServer.Snapshot.State
  ) {
    let (settled, connections, phase) = state.withLock { state in
      (state.totals, state.connections, state.phase(standing))
    }
    // Whoever ends from here on is not in the totals yet, and is counted as it is in the end.
    var totals = settled
    let living = connections.compactMap { $0 }
    for connection in living { totals.count(connection.counters) }
    return (totals, living, phase)
  }
}

extension Roster.State {
  fileprivate func phase(_ standing: TCPServer.Snapshot.State) -> TCPServer.Snapshot.State {
    switch (run, drain.phase) {
    case (.over, _), (.prevented, _): .ended
    case (_, .draining): .draining
    case (_, .cancelling), (_, .aborting): .cancelled
    case (.notYet, .serving): standing == .accepting ? .bound : standing
    case (_, .serving): standing
    }
  }
}
