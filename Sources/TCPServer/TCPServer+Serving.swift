import AsyncSockets
import Framing

extension TCPServer {
  /// How long cancelled handlers may take before their connections are aborted.
  private static let cancellationTime = Duration.seconds(1)

  func serveConnections(_ service: Service) async throws {
    guard try roster.beginRun(acceptors: listeners.count) else { return }
    tell(.started(addresses))
    let home = loops.loops[0]
    let reports = reportLongTurns()
    await withDiscardingTaskGroup { group in
      for listener in listeners {
        group.addTask(executorPreference: home.executor) {
          await self.acceptConnections(from: listener, home: home, service)
        }
      }
      var isCancelled = false
      while let (change, deadline) = roster.plan() {
        let action: Drain<EventLoop.Instant>.Action
        switch await change.wait(until: deadline, on: home, isCancellable: !isCancelled) {
        case .opened: continue
        case .timedOut: action = roster.expire(next: home.now.advanced(by: Self.cancellationTime))
        case .cancelled:
          isCancelled = true
          action = roster.cancel(next: home.now.advanced(by: Self.cancellationTime))
        }
        switch action {
        case .cancelHandlers:
          roster.noteCut(.cancelled, at: home.now)
          stopAccepting()
          group.cancelAll()
          roster.wakeOwners()
        case .abortConnections:
          roster.noteCut(.aborted, at: home.now)
          roster.abortAll()
        case .nothing: break
        }
      }
    }
    for (loop, handler) in reports { loop.removeLongTurnHandler(handler) }
    endRun()
    try Task.checkCancellation()
    if let failure = roster.failure { throw failure }
  }

  private func reportLongTurns() -> [(EventLoop, EventLoop.LongTurnHandler)] {
    guard let onEvent = configuration.onEvent else { return [] }
    return loops.loops.map { loop in (loop, loop.onLongTurn { onEvent(.longTurn($0)) }) }
  }

  func serve(_ lane: Lane, of lanes: Lanes, home: EventLoop, _ service: Service) async {
    await withDiscardingTaskGroup { group in
      while let arrivals = await lane.next(on: home) {
        for arrival in arrivals {
          group.addTask(executorPreference: arrival.loop.executor) {
            await self.serve(arrival.connection, in: arrival.slot, service)
            lanes.leave(lane)
          }
        }
      }
    }
  }

  private func serve(_ connection: Connection, in slot: Int, _ service: Service) async {
    let handler: Service.Handler
    if case .open(let open) = service, !connection.isDead {
      handler = open
    } else if let admitted = await admitted(connection, service) {
      handler = admitted
    } else {
      roster.removeRefused(slot)
      return placeFreed()
    }
    begin(connection)
    do {
      try await handler(connection)
      connection.setOwner(false)
      await connection.close(after: nil, isCancellable: false)
    } catch {
      connection.setOwner(false)
      await connection.close(after: error, isCancellable: false)
      reportFailure(error, of: connection)
    }
    finish(connection, in: slot)
  }

  // Apart from `serve`, whose frame every idle connection keeps.

  /// `nil` for a connection that is not to be served, and has ended.
  @inline(never)
  private func admitted(_ connection: Connection, _ service: Service) async -> Service.Handler? {
    var cause = RefusalCause.gone
    do {
      if case .admitting(let admit) = service, !connection.isDead {
        let handler = try await admit(connection)
        try Task.checkCancellation()
        if !connection.isDead { return handler }
      }
      connection.abort()
    } catch {
      cause = await refuse(connection, error)
    }
    tell(.refused(peer: Peer(connection), cause))
    return nil
  }

  @inline(never)
  private func begin(_ connection: Connection) {
    connection.setOwner(true)
    tell(.accepted(peer: Peer(connection)))
  }

  @inline(never)
  private func reportFailure(_ error: any Error, of connection: Connection) {
    if error is CancellationError || error is FramingError || connection.hasEnded(by: error) { return }
    tell(.handlerFailed(peer: Peer(connection), error))
  }

  @inline(never)
  private func finish(_ connection: Connection, in slot: Int) {
    let reason = connection.closeReason ?? .closed
    if configuration.onEvent != nil {
      let peer = Peer(connection)
      if case .limit(let limit) = reason { tell(.limit(Limit(limit), peer: peer)) }
      tell(.closed(peer: peer, reason: reason, counters: connection.counters))
    }
    let stopped = Task.isCancelled ? connection.loop.now : nil
    roster.remove(slot, connection.snapshot, reason: reason, stopped: stopped)
    placeFreed()
  }

  /// A place is free, and a descriptor, which an acceptor that ran out of them may be waiting for.
  private func placeFreed() {
    entrance.leave()
    for listener in listeners { listener.resourcesFreed() }
  }
}
