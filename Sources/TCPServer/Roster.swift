/// Who is being served, and how far the server's end has got.
final class Roster: Sendable {
  typealias Instant = EventLoop.Instant

  enum Run { case notYet, running, over, prevented }

  struct State {
    var run = Run.notYet
    var acceptors = 0
    var drain = Drain<Instant>()
    var log = DrainLog()
    var report: TCPServer.DrainReport?
    var totals = TCPServer.Totals()
    var failure: SocketError?
    var connections: [Connection.Handle?] = []
    var freeSlots: [Int] = []
    /// Kept while the connections of a peer are limited.
    var peers: PeerCounts?
    /// Opened, and replaced, whenever whoever plans the end should look again.
    var change = Latch()

    var count: Int { connections.count - freeSlots.count }
    var isFinished: Bool { acceptors == 0 && count == 0 }
  }

  let state = Lock(State())
  let over = Latch()
  private let acceptorsOver = Latch()

  var count: Int { state.withLock { $0.count } }
  var failure: SocketError? { state.withLock { $0.failure } }

  // MARK: The run

  /// Whether the run is to go on: not when the server was drained before.
  ///
  /// - Throws: when it has been run before.
  func beginRun(acceptors: Int) throws(SocketError) -> Bool {
    try state.withLock { state throws(SocketError) in
      switch state.run {
      case .notYet:
        state.run = .running
        state.acceptors = acceptors
        return true
      case .prevented: return false
      case .running, .over: throw .invalid("this server has been run already; bind another")
      }
    }
  }

  // MARK: Connections

  /// Whether that peer may have one more. Who asks is who adds, so that no limit is exceeded.
  func mayAdd(_ peer: SocketAddress?, limit: Int) -> Bool {
    state.withLock { state in
      let peers = state.peers ?? PeerCounts(of: state.connections.lazy.compactMap(\.self).map(\.peerAddress))
      state.peers = peers
      return peers.mayEnter(peer, limit: limit)
    }
  }

  /// Enters a connection that has come, and answers its slot.
  func add(_ connection: Connection.Handle) -> Int {
    let (slot, isDraining) = state.withLock { state -> (Int, Bool) in
      state.totals.accepted += 1
      let slot = state.freeSlots.popLast() ?? state.connections.count
      if slot == state.connections.count {
        state.connections.append(connection)
      } else {
        state.connections[slot] = connection
      }
      state.peers?.enter(connection.peerAddress)
      return (slot, state.drain.phase > .serving)
    }
    if isDraining { connection.beginDrain() }
    return slot
  }

  /// A connection that was served has ended; what it was like in the end, and why.
  ///
  /// - Parameter stopped: the time, if its task was cancelled: then the server is being stopped, which it may not have
  ///   noticed yet.
  func remove(_ slot: Int, _ snapshot: Connection.Snapshot, reason: CloseReason, stopped: Instant?) {
    state.withLock { state in
      state.totals.countEnd(snapshot.counters, reason)
      if let stopped { state.log.begin(at: stopped) }
      state.log.ended(slot, snapshot, reason: reason)
    }
    remove(slot)
  }

  /// One was refused that had no place.
  func countRefused() { state.withLock { $0.totals.refused += 1 } }

  /// A connection that was refused has gone.
  func removeRefused(_ slot: Int) {
    state.withLock { state in
      state.totals.refused += 1
      state.log.forget(slot)
    }
    remove(slot)
  }

  private func remove(_ slot: Int) {
    let change = state.withLock { state -> Latch? in
      state.peers?.leave(state.connections[slot]?.peerAddress)
      state.connections[slot] = nil
      state.freeSlots.append(slot)
      return state.isFinished ? state.change : nil
    }
    change?.open()
  }

  /// The limits have changed.
  func follow(_ limits: TCPServer.Limits) {
    var change = ConnectionSettingsChange(to: limits.each)
    let connections = state.withLock { state in
      if limits.connectionsPerPeer == nil { state.peers = nil }
      return state.connections
    }
    for connection in connections { connection?.follow(&change) }
  }

  // MARK: The end

  func acceptorEnded(_ error: SocketError?) {
    let (change, isLast) = state.withLock { state in
      state.acceptors -= 1
      if state.failure == nil { state.failure = error }
      return (state.change, state.acceptors == 0)
    }
    change.open()
    if isLast { acceptorsOver.open() }
  }

  /// Returns when the last acceptor has ended.
  func waitUntilAcceptorsOver(on loop: EventLoop) async {
    _ = await acceptorsOver.wait(on: loop, isCancellable: false)
  }

  func beginDrain(at now: Instant, until deadline: Instant) {
    let (connections, change) = state.withLock { state -> ([Connection.Handle?], Latch) in
      state.log.begin(at: now)
      let isFirst = state.drain.begin(until: deadline)
      return (isFirst ? state.connections : [], state.change)
    }
    for connection in connections { connection?.beginDrain() }
    change.open()
  }

  /// What to wait for next; `nil` when nothing is left to serve.
  func plan() -> (change: Latch, deadline: Instant?)? {
    state.withLock { state in
      if state.isFinished { return nil }
      if state.change.isOpen { state.change = Latch() }
      return (state.change, state.drain.deadline)
    }
  }

  func expire(next: Instant) -> Drain<Instant>.Action {
    state.withLock { $0.drain.expire(next: next) }
  }

  func cancel(next: Instant) -> Drain<Instant>.Action {
    state.withLock { $0.drain.cancel(next: next) }
  }

  var isCancelled: Bool { state.withLock { $0.drain.phase >= .cancelling } }

  /// The handlers' tasks have been cancelled: ends their waits, and those that only wait for their peers to say
  /// goodbye.
  func wakeOwners() {
    for connection in state.withLock({ $0.connections }) {
      connection?.wakeOwner()
      connection?.stopLingering()
    }
  }

  func abortAll() {
    for connection in state.withLock({ $0.connections }) { connection?.abort() }
  }
}
