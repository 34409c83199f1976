import AsyncSockets

extension TCPServer {
  /// Stops accepting: serves who is in the accept queue already, then closes the listeners. Connections go on as
  /// if nothing had happened, and `run` returns after the last.
  public func stopAccepting() {
    // In this order: an acceptor that sees the flag finds the ready bit set, and looks into the queue once more.
    for listener in listeners { listener.stopWaiting() }
    entrance.stop()
  }

  /// Stops accepting, and returns when the listeners are closed: from then on connections are refused. To be called
  /// while `run` runs, or is about to.
  package func closeListeners() async {
    stopAccepting()
    await roster.waitUntilAcceptorsOver(on: loops.loops[0])
  }

  /// Whether its listeners take connections, or have paused.
  package var isListening: Bool { entrance.terms.isAccepting }

  /// Begins to drain and returns at once: for signals, and for the shutdown hooks of whatever the server runs in.
  ///
  /// Accepting stops, and who is in the accept queue is served. Each connection's `inbound` yields what had arrived by
  /// now and then ends, so that a handler that loops over it answers what is in flight and returns;
  /// `Connection.isDraining` and `untilDraining()` tell handlers that do something else. Those that still run at the
  /// deadline are cancelled; connections that are left a second later are aborted.
  ///
  /// - Parameter deadline: how long handlers may take; a later call can only make it sooner.
  public func beginDrain(deadline: Duration = .seconds(15)) {
    stopAccepting()
    let now = loops.loops[0].now
    roster.beginDrain(at: now, until: now.advanced(by: deadline))
  }

  /// Drains, as `beginDrain` says, and returns when `run` has nothing left to do. A server that does not run yet
  /// closes its listeners, and `run` will return at once.
  ///
  /// A handler that takes no notice of its cancellation keeps `run` waiting, and so this: nothing can end a task from
  /// outside. Cancel the caller to have the report as it stands, which names it.
  ///
  /// - Returns: how each connection ended; all callers get the same report. A caller who is cancelled gets at once what
  ///   is known by then, and the drain goes on.
  @discardableResult
  public func drain(deadline: Duration = .seconds(15)) async -> DrainReport {
    beginDrain(deadline: deadline)
    let home = loops.loops[0]
    if roster.preventRun() {
      for listener in listeners { listener.close() }
      endRun()
    } else {
      await roster.waitUntilOver(on: home)
    }
    return roster.report(at: home.now)
  }

  /// Nothing is left to do: tells how the drain went, if it was one.
  func endRun() {
    if let report = roster.endRun(at: loops.loops[0].now) { configuration.onEvent?(.drained(report)) }
    roster.openOver()
  }
}
