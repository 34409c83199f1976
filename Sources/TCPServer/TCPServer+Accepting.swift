import AsyncSockets

extension TCPServer {
  /// Accepts until told to stop, then empties the queue and closes the listener. The connections are
  /// descendants of this task: it ends after the last of them.
  func acceptConnections(from listener: Listener, home: EventLoop, _ service: Service) async {
    await withDiscardingTaskGroup { group in
      let lanes = Lanes()
      var failure: SocketError?
      var isPaused = false
      var attempts = 0
      var loop = loops.next()
      accepting: while !Task.isCancelled {
        attempts += 1
        if attempts % 64 == 0 { await home.nextTurn() }
        let now = home.now
        let terms: Entrance.Terms
        switch entrance.enter(now) {
        case .enter(let inForce): terms = inForce
        case .closed: break accepting
        case .wait(let change, let due, let reached):
          if let reached { tell(.limit(reached, peer: nil)) }
          _ = await change.wait(until: due, on: home)
          continue
        }
        do {
          switch try accept(from: listener, on: loop, terms, now: now) {
          case .connection(let connection):
            if isPaused {
              isPaused = false
              tell(.acceptResumed)
            }
            let arrival = arrival(of: connection, on: loop, terms)
            if case .open(.driver(let make)) = service {
              drive(connection, in: arrival.slot, make)
            } else if let lane = lanes.place(arrival) {
              group.addTask(executorPreference: home.executor) {
                await self.serve(lane, of: lanes, home: home, service)
              }
            }
            loop = loops.next()
          case .nothing:
            entrance.leave(isQuiet: true)
            guard terms.isAccepting else { break accepting }
            try await listener.waitUntilReady()
          case .skipped: entrance.leave()
          case .refused(let peer):
            entrance.leave()
            tellRefused(peer, .connectionsPerPeer)
          case .exhausted(let error):
            entrance.leave()
            if !isPaused {
              isPaused = true
              tell(.acceptPaused(error))
            }
            if try shed(from: listener) { continue }
            guard terms.isAccepting else { break accepting }
            try await listener.pause()
          }
        } catch let error as SocketError {
          if error != .closed, error != .loopStopped {
            failure = error
            tell(.listenerFailed(error))
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

  private func accept(
    from listener: Listener, on loop: EventLoop, _ terms: Entrance.Terms, now: EventLoop.Instant
  ) throws(SocketError) -> Listener.Attempt {
    do throws(SocketError) {
      return try listener.acceptNow(on: loop, options: terms.options) { peer in
        if terms.limits.acceptRate != nil { entrance.pass(now) }
        return terms.limits.connectionsPerPeer.map { roster.mayAdd(peer, limit: $0) } ?? true
      }
    } catch {
      entrance.leave()
      throw error
    }
  }

  private func arrival(
    of connection: Connection, on loop: EventLoop, _ terms: Entrance.Terms
  ) -> Lane.Arrival {
    let slot = roster.add(connection.handle)
    // Whoever changes the limits now finds it in the roster; whoever did so since it was accepted has not.
    var terms = terms
    while entrance.haveChanged(since: terms) {
      terms = entrance.terms
      var change = ConnectionSettingsChange(to: terms.limits.each)
      connection.handle.follow(&change)
    }
    return Lane.Arrival(connection: connection, loop: loop, slot: slot)
  }

  private func tellRefused(_ address: SocketAddress?, _ cause: RefusalCause) {
    roster.countRefused()
    tell(.refused(peer: Peer(address: address, tag: nil), cause))
  }

  /// Out of descriptors: resets one who waits, if the server is to. `false` if there was none, or it did not help.
  private func shed(from listener: Listener) throws(SocketError) -> Bool {
    guard let reserve, case .refused(let peer) = try listener.shed(with: reserve) else { return false }
    tellRefused(peer, .outOfDescriptors)
    return true
  }
}
