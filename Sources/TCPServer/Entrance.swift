import AsyncSockets

/// Who may come in now: by the pause, the number of connections, their rate, and how many the peer has already.
final class Entrance: Sendable {
  typealias Instant = EventLoop.Instant

  /// What an acceptor is told.
  enum Answer {
    /// It has a place for a connection that may be about to come, and that gets these options.
    case enter(Terms)
    /// Look again when the latch opens, or at that time; `reached` is a limit that nobody has been told of yet.
    case wait(Latch, until: Instant?, reached: TCPServer.Limit?)
    /// Nobody more is wanted, and nobody's end could make room for who waits.
    case closed
  }

  /// What is in force for those who come; another object after every change.
  final class Terms: Sendable {
    let limits: TCPServer.Limits
    let options: ConnectionOptions
    /// Whether those are waited for who are not in the queue yet.
    let isAccepting: Bool

    init(_ limits: TCPServer.Limits, _ options: ConnectionOptions, isAccepting: Bool) {
      self.limits = limits
      self.options = options
      self.isAccepting = isAccepting
    }
  }

  private struct State {
    var terms: Terms
    var isPaused = false
    var gate: ConnectionGate
    var rate: RateGate
    var peers = PeerCounts()
    /// Limits that were told of and that those who wait have not yet got over.
    var fullIsTold = false
    var rateIsTold = false
    /// Opened, and forgotten, whenever a place may be free.
    var change: Latch?

    mutating func takeChange() -> Latch? {
      defer { change = nil }
      return change
    }
  }

  private let state: Lock<State>

  init(_ configuration: TCPServer.Configuration) {
    let limits = configuration.limits
    state = Lock(
      State(
        terms: Terms(limits, configuration.connection, isAccepting: true),
        gate: ConnectionGate(limit: limits.connections),
        rate: RateGate(rate: limits.acceptRate)))
  }

  var terms: Terms { state.withLock { $0.terms } }

  /// Takes a place for a connection that may be about to come.
  func enter(_ now: Instant) -> Answer {
    state.withLock { state in
      let isAccepting = state.terms.isAccepting
      if !isAccepting, state.gate.limit == 0 { return .closed }
      // The end is not to be put off by a rate.
      let opens = isAccepting ? state.rate.opens(now) : now
      if !state.isPaused, opens <= now, state.gate.enter() { return .enter(state.terms) }
      let latch = state.change ?? Latch()
      state.change = latch
      if state.isPaused { return .wait(latch, until: nil, reached: nil) }
      guard state.gate.hasRoom else {
        defer { state.fullIsTold = true }
        return .wait(latch, until: nil, reached: state.fullIsTold ? nil : .connections)
      }
      defer { state.rateIsTold = true }
      return .wait(latch, until: opens, reached: state.rateIsTold ? nil : .acceptRate)
    }
  }

  /// One has come for the place. `false`: its peer has too many, and the place is free again.
  func admit(_ peer: SocketAddress?, _ now: Instant) -> Bool {
    let (isAdmitted, change) = state.withLock { state -> (Bool, Latch?) in
      state.rate.pass(now)
      if state.peers.enter(peer, limit: state.terms.limits.connectionsPerPeer) { return (true, nil) }
      state.gate.leave()
      return (false, state.takeChange())
    }
    change?.open()
    return isAdmitted
  }

  /// Nobody came for the place.
  ///
  /// - Parameter isQuiet: whether nobody is waiting any more, so that a limit which is reached later is news.
  func giveBack(isQuiet: Bool = false) {
    change { state in
      state.gate.leave()
      if isQuiet { (state.fullIsTold, state.rateIsTold) = (false, false) }
    }
  }

  /// Somebody who was admitted has left.
  func leave(_ peer: SocketAddress?) {
    change { state in
      state.gate.leave()
      state.peers.leave(peer)
    }
  }

  func set(_ limits: TCPServer.Limits, now: Instant) {
    change { state in
      var options = state.terms.options
      options.limits = limits.each
      state.terms = Terms(limits, options, isAccepting: state.terms.isAccepting)
      state.gate.limit = limits.connections
      state.rate.set(limits.acceptRate, now: now)
    }
  }

  func stop() {
    change { state in
      state.terms = Terms(state.terms.limits, state.terms.options, isAccepting: false)
      state.isPaused = false
    }
  }

  func pause() { state.withLock { $0.isPaused = $0.terms.isAccepting } }
  func resume() { change { $0.isPaused = false } }

  private func change(_ body: (inout State) -> Void) {
    let latch = state.withLock { state in
      body(&state)
      return state.takeChange()
    }
    latch?.open()
  }
}
