import AsyncSockets
import Framing

extension TCPServer {
  /// How long cancelled handlers may take before their connections are aborted.
  private static let cancellationTime = Duration.seconds(1)

  func serveConnections(_ handler: @escaping @Sendable (Connection) async throws -> Void) async throws {
    guard try roster.beginRun(acceptors: listeners.count) else { return }
    let home = loops.loops[0]
    let reports = reportLongTurns()
    await withDiscardingTaskGroup { group in
      for listener in listeners {
        group.addTask(executorPreference: home.executor) {
          await self.acceptConnections(from: listener, home: home, handler)
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

  /// Accepts until told to stop, then empties the queue and closes the listener. The connections are
  /// descendants of this task: it ends after the last of them.
  private func acceptConnections(
    from listener: Listener, home: EventLoop,
    _ handler: @escaping @Sendable (Connection) async throws -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      let lanes = Lanes()
      var failure: SocketError?
      var isPaused = false
      var attempts = 0
      var loop = loops.next()
      accepting: while !Task.isCancelled {
        attempts += 1
        if attempts % 64 == 0 { await home.nextTurn() }
        guard roster.enter() else {
          if roster.isClosedForGood { break }
          _ = await roster.placeFreed().wait(on: home)
          continue
        }
        let isAccepting = roster.isAccepting
        do {
          switch try listener.acceptNow(on: loop, options: configuration.connection) {
          case .connection(let connection):
            if isPaused {
              isPaused = false
              configuration.onEvent?(.acceptResumed)
            }
            let slot = roster.add(connection.handle)
            if let lane = lanes.place(Lane.Arrival(connection: connection, loop: loop, slot: slot)) {
              group.addTask(executorPreference: home.executor) {
                await self.serve(lane, of: lanes, home: home, handler)
              }
            }
            loop = loops.next()
          case .nothing:
            roster.leave()
            guard isAccepting else { break accepting }
            try await listener.waitUntilReady()
            continue
          case .skipped:
            roster.leave()
          case .exhausted(let error):
            roster.leave()
            if !isPaused {
              isPaused = true
              configuration.onEvent?(.acceptPaused(error))
            }
            guard isAccepting else { break accepting }
            try await listener.pause()
          }
        } catch let error as SocketError {
          roster.leave()
          if error != .closed, error != .loopStopped {
            failure = error
            configuration.onEvent?(.listenerFailed(error))
            stopAccepting()
          }
          break accepting
        } catch {
          break accepting
        }
      }
      listener.close()
      lanes.close()
      roster.acceptorEnded(failure)
    }
  }

  private func serve(
    _ lane: Lane, of lanes: Lanes, home: EventLoop,
    _ handler: @escaping @Sendable (Connection) async throws -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      while let arrivals = await lane.next(on: home) {
        for arrival in arrivals {
          group.addTask(executorPreference: arrival.loop.executor) {
            await self.serve(arrival.connection, in: arrival.slot, handler)
            lanes.leave(lane)
          }
        }
      }
    }
  }

  private func serve(
    _ connection: Connection, in slot: Int, _ handler: @Sendable (Connection) async throws -> Void
  ) async {
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

  @inline(never)
  private func begin(_ connection: Connection) {
    connection.setOwner(true)
    configuration.onEvent?(.accepted(peer: connection.peerAddress))
  }

  @inline(never)
  private func reportFailure(_ error: any Error, of connection: Connection) {
    if error is CancellationError || error is FramingError || connection.hasEnded(by: error) { return }
    configuration.onEvent?(.handlerFailed(peer: connection.peerAddress, error))
  }

  @inline(never)
  private func finish(_ connection: Connection, in slot: Int) {
    let reason = connection.closeReason ?? .closed
    configuration.onEvent?(.closed(peer: connection.peerAddress, reason: reason))
    let stopped = Task.isCancelled ? connection.loop.now : nil
    roster.remove(slot, connection.snapshot, reason: reason, stopped: stopped)
    // A descriptor is free again, which an acceptor that ran out of them may be waiting for.
    for listener in listeners { listener.resourcesFreed() }
  }
}
