/// Who is being served, who may still come, and how far the server's end has got.
final class Roster: Sendable {
  typealias Instant = EventLoop.Instant

  enum Run { case notYet, running, over, prevented }

  struct State {
    var run = Run.notYet
    var isAccepting = true
    var isPaused = false
    var acceptors = 0
    var gate: ConnectionGate
    var drain = Drain<Instant>()
    var log = DrainLog()
    var report: TCPServer.DrainReport?
    var totals = TCPServer.Totals()
    var failure: SocketError?
    var connections: [Connection.Handle?] = []
    var freeSlots: [Int] = []
    /// Opened, and replaced, whenever whoever plans the end should look again.
    var change = Latch()
    var slotFreed: Latch?

    var isFinished: Bool { acceptors == 0 && gate.count == 0 }
    var letsIn: Bool { gate.hasRoom && !isPaused }
  }

  let state: Lock<State>
  let over = Latch()
  private let acceptorsOver = Latch()

  init(limit: Int) {
    state = Lock(State(gate: ConnectionGate(limit: limit)))
  }

  var count: Int { state.withLock { $0.connections.count - $0.freeSlots.count } }
  var isAccepting: Bool { state.withLock { $0.isAccepting } }
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

  /// Takes a place for a connection that may be about to come.
  func enter() -> Bool { state.withLock { $0.letsIn && $0.gate.enter() } }

  /// Opens when a place may be free.
  func placeFreed() -> Latch {
    state.withLock { state in
      let latch = state.slotFreed ?? Latch()
      state.slotFreed = latch
      if state.letsIn { latch.open() }
      return latch
    }
  }

  /// Gives a place back that no connection took.
  func leave() {
    let latch = state.withLock { state in
      state.gate.leave()
      defer { state.slotFreed = nil }
      return state.slotFreed
    }
    latch?.open()
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
      return (slot, state.drain.phase > .serving)
    }
    if isDraining { connection.beginDrain() }
    return slot
  }

  /// A connection has ended; what it was like in the end, and why.
  ///
  /// - Parameter stopped: the time, if its task was cancelled: then the server is being stopped, which it may not have
  ///   noticed yet.
  func remove(_ slot: Int, _ snapshot: Connection.Snapshot, reason: CloseReason, stopped: Instant?) {
    let (freed, change) = state.withLock { state -> (Latch?, Latch?) in
      state.totals.countEnd(snapshot.counters, reason)
      if let stopped { state.log.begin(at: stopped) }
      state.log.ended(slot, snapshot, reason: reason)
      state.connections[slot] = nil
      state.freeSlots.append(slot)
      state.gate.leave()
      defer { state.slotFreed = nil }
      return (state.slotFreed, state.isFinished ? state.change : nil)
    }
    freed?.open()
    change?.open()
  }

  // MARK: The end

  func stopAccepting() {
    let slotFreed = state.withLock { state in
      state.isAccepting = false
      state.isPaused = false
      defer { state.slotFreed = nil }
      return state.slotFreed
    }
    // Who waits for a place looks again: there may be no hope of one.
    slotFreed?.open()
  }

  func pauseAccepting() {
    state.withLock { $0.isPaused = $0.isAccepting }
  }

  func resumeAccepting() {
    let slotFreed = state.withLock { state in
      state.isPaused = false
      defer { state.slotFreed = nil }
      return state.slotFreed
    }
    slotFreed?.open()
  }

  /// Nobody more is wanted, and nobody's end could make room for who waits.
  var isClosedForGood: Bool {
    state.withLock { !$0.isAccepting && $0.gate.limit == 0 }
  }

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
