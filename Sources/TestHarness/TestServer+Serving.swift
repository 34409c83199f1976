import AsyncSockets
import Framing
import TCPServer

extension TestServer {
  /// Runs the servers that stand at the port, one after the other, until the last has ended.
  func run() async {
    await withDiscardingTaskGroup { group in
      while let server = await runs.next(on: loop) {
        group.addTask {
          // A listener that fails is an event, and cancellation is the test's own.
          try? await server.run { await self.serve($0) }
          self.runs.remove(server)
        }
      }
    }
    runIsOver.open()
  }

  /// Ends the server before the body ends, as the body's end does it; then its events end. Repeated calls do no harm.
  public func shutdown() async {
    await end()
    await waitForClients()
    log.finish()
  }

  private func serve(_ connection: Connection) async {
    let info = ClientInfo(
      id: roster.nextID(), peerAddress: connection.peerAddress, localAddress: connection.localAddress)
    let log = log
    let core = PeerCore(connection, name: info.description, info: info, patience: patience) {
      log.append(.flushed(info))
    }
    let read = Lock<UInt64>(0)
    let peer = TestPeer<F>(core, framing) { frame in
      let now = connection.counters.bytesRead
      let bytes = read.withLock { before in
        defer { before = now }
        return now - before
      }
      log.append(.input(info, frame), bytes: Int(bytes))
    }
    log.append(.connected(info))
    if roster.add(peer) {
      await play(with: peer)
    } else {
      connection.abort()
    }
    core.note(.closed(connection.closeReason?.description ?? "?"))
    core.info.withLock { $0.closeReason = connection.closeReason }
    log.append(.disconnected(peer.info))
    roster.remove(peer)
  }

  private func play(with peer: TestPeer<F>) async {
    var end: (any Error)?
    do { try await behaviour.serve(peer) } catch { end = error }
    if let end, let failure = failure(by: end, of: peer) { fail(failure) }
    // From here on it is the connection's own business, which the end of the test cuts short.
    guard roster.beginClosing(peer) else { return peer.connection.abort() }
    if let end, !peer.core.isLeaving {
      await peer.connection.close(after: end)
    } else {
      await peer.connection.close()
    }
  }

  /// What is to fail the test, of what a script or handler has thrown.
  private func failure(by error: any Error, of peer: TestPeer<F>) -> ExpectationFailure? {
    switch error {
    case is CancellationError: return nil
    case let error as ExpectationFailure: return error
    case let error as SocketError:
      if peer.core.isLeaving { return nil }
      if behaviour.kind != .script, peer.connection.hasEnded(by: error) { return nil }
    default: break
    }
    return ExpectationFailure(
      "its \(behaviour.kind.rawValue) threw: \(error)", of: peer.core.name, at: nil,
      transcript: peer.transcript,
      underlying: error)
  }

  // MARK: The end

  /// Fails the test: ends everything, so that nobody is kept waiting, and has the body cancelled.
  private func fail(_ error: ExpectationFailure) {
    guard roster.fail(error) else { return }
    endAtOnce()
  }

  /// Once the end has begun, waits for those who play with clients, but not for who does nothing any more.
  func waitForClients() async {
    while true {
      let before = roster.activity
      let quiet = max(patience, before.longestLimit) + grace.duration
      let outcome = await runIsOver.wait(until: grace.loop.now.advanced(by: quiet), on: grace.loop)
      guard case .timedOut = outcome else { return }
      if roster.activity != before { continue }
      guard let peer = roster.current.first else { return }
      return fail(
        ExpectationFailure(
          "its \(behaviour.kind.rawValue) has not ended, though the test has, and nothing has come for \(quiet)",
          of: peer.core.name, at: nil, transcript: peer.transcript))
    }
  }

  func endAtOnce() {
    _ = roster.advance(to: .over)
    closeListeners()
    for peer in roster.current { peer.terminate() }
    runs.finish()
    bodyIsOver.open()
  }

  /// Takes no more clients, and lets those that are there come to their ends as their behaviour says.
  func end() async {
    for peer in roster.advance(to: .ending) { peer.terminate() }
    _ = try? await doorTurns.withTurn(on: loop) { await closeDoor() }
    switch behaviour.kind {
    case .stock: for peer in roster.current { peer.terminate() }
    case .script: break
    case .handler:
      let grace = loop.movesByHand ? Duration.zero : .seconds(1)
      for server in runs.unfinished { server.beginDrain(deadline: grace) }
    }
    runs.finish()
  }
}
