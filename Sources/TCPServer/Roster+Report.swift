import AsyncSockets

// The end of the run, and what is told of it.

extension Roster {
  /// Sees to it that a run which has not begun never will; `false` when it has, or was prevented before.
  func preventRun() -> Bool {
    state.withLock { state in
      guard state.run == .notYet else { return false }
      state.run = .prevented
      return true
    }
  }

  /// Nothing is left to do.
  ///
  /// - Returns: the report, if the server was drained or cancelled.
  func endRun(at now: Instant) -> TCPServer.DrainReport? {
    state.withLock { state in
      if state.run == .running { state.run = .over }
      let report = state.log.report(at: now, left: [])
      state.report = report
      return state.log.hasBegun ? report : nil
    }
  }

  /// Lets those go on who wait for the end.
  func openOver() { over.open() }

  /// Returns when the run is over, or the caller is cancelled.
  func waitUntilOver(on loop: EventLoop) async { _ = await over.wait(on: loop) }

  /// The report on the drain: the last one, or how things stand.
  func report(at now: Instant) -> TCPServer.DrainReport {
    let snapshots = snapshots
    return state.withLock { state in
      if let report = state.report { return report }
      let left = snapshots.filter { state.connections[$0.slot]?.id == $0.id }
      return state.log.report(at: now, left: left.map(\.snapshot))
    }
  }

  /// Writes down what every connection is doing, just before all of them are cancelled or aborted.
  func noteCut(_ outcome: TCPServer.DrainReport.Outcome, at now: Instant) {
    let snapshots = snapshots
    state.withLock { state in
      state.log.begin(at: now)
      for (slot, id, snapshot) in snapshots where state.connections[slot]?.id == id {
        state.log.cut(slot, outcome, snapshot)
      }
    }
  }

  /// The connections by their places. Not taken at one moment, since each has a lock of its own.
  private var snapshots: [(slot: Int, id: ObjectIdentifier, snapshot: Connection.Snapshot)] {
    let connections = state.withLock { $0.connections }
    return connections.enumerated().compactMap { slot, connection in
      connection.map { (slot, $0.id, $0.snapshot) }
    }
  }
}
