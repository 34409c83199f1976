import AsyncSockets
import Framing

extension TCPServer {
  /// How long cancelled handlers may take before their connections are aborted.
  private static let cancellationTime = Duration.seconds(1)

  func serveConnections(_ service: Service) async throws {
    let service = configuration.cancelsHandlers.departure.map(service.cancelling(by:)) ?? service
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
    let handler: @Sendable (Connection) async throws -> Void
    if case .open(.task(let open)) = service, !connection.isDead {
      handler = open
    } else if let admitted = await admitted(connection, in: slot, service) {
      handler = admitted
    } else {
      return
    }
    begin(connection)
    do {
      try await handler(connection)
      connection.setOwner(false)
      await connection.close(after: nil, isCancellable: false)
    } catch {
      connection.setOwner(false)
      await connection.close(after: error, isCancellable: false)
      reportFailure(error, of: connection.handle)
    }
    finish(connection.handle, in: slot, isCancelled: Task.isCancelled)
  }

  // Apart from `serve`, whose frame every idle connection keeps.

  /// `nil` for a connection that is not to be served, and has ended, or that a driver serves from now on.
  @inline(never)
  private func admitted(
    _ connection: Connection, in slot: Int, _ service: Service
  ) async -> (@Sendable (Connection) async throws -> Void)? {
    var cause = RefusalCause.gone
    do {
      if case .admitting(let admit) = service, !connection.isDead {
        let work = try await admit(connection)
        try Task.checkCancellation()
        switch work {
        case .task(let handler) where !connection.isDead: return handler
        case .driver(let make):
          drive(connection, in: slot, make)
          return nil
        case .task: break
        }
      }
      connection.abort()
    } catch {
      cause = await refuse(connection, error)
    }
    refused(connection, in: slot, cause)
    return nil
  }

  /// Has a driver serve the connection, without a task.
  func drive(
    _ connection: Connection, in slot: Int,
    _ make: (Connection.Handle, Int) throws -> ConnectionDriver
  ) {
    do {
      let driver = try connection.isDead ? nil : make(connection.handle, slot)
      if let driver {
        tell(.accepted(peer: Peer(connection.handle)))
        driver.departure = configuration.cancelsHandlers.departure
        driver.start()
        // Whoever cancels does so before he wakes the drivers that run; this one may have begun after that.
        if roster.isCancelled { driver.connection.wakeOwner() }
        return
      }
      connection.abort()
      refused(connection, in: slot, .gone)
    } catch {
      connection.abort()
      refused(connection, in: slot, .admissionFailed(error))
    }
  }

  /// A driver has made its last call.
  @usableFromInline
  func ended(_ driver: ConnectionDriver) {
    if let error = driver.error { reportFailure(error, of: driver.connection) }
    finish(driver.connection, in: driver.number, isCancelled: driver.wasCancelled)
  }

  private func refused(_ connection: Connection, in slot: Int, _ cause: RefusalCause) {
    tell(.refused(peer: Peer(connection.handle), cause))
    roster.removeRefused(slot)
    placeFreed()
  }

  @inline(never)
  private func begin(_ connection: Connection) {
    connection.setOwner(true)
    tell(.accepted(peer: Peer(connection.handle)))
  }

  @inline(never)
  private func reportFailure(_ error: any Error, of connection: Connection.Handle) {
    if error is CancellationError || error is FramingError || connection.hasEnded(by: error) { return }
    tell(.handlerFailed(peer: Peer(connection), error))
  }

  @inline(never)
  private func finish(_ connection: Connection.Handle, in slot: Int, isCancelled: Bool) {
    let reason = connection.closeReason ?? .closed
    if configuration.onEvent != nil {
      let peer = Peer(connection)
      if case .limit(let limit) = reason { tell(.limit(Limit(limit), peer: peer)) }
      tell(.closed(peer: peer, reason: reason, counters: connection.counters))
    }
    let stopped = isCancelled ? loops.loops[0].now : nil
    roster.remove(slot, connection.snapshot, reason: reason, stopped: stopped)
    placeFreed()
  }

  /// A place is free, and a descriptor, which an acceptor that ran out of them may be waiting for.
  private func placeFreed() {
    entrance.leave()
    for listener in listeners { listener.resourcesFreed() }
  }
}
