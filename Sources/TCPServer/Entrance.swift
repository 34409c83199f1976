import AsyncSockets
import Synchronization

/// Who may come in now: by the pause, the number of connections, and their rate.
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
    let version: Int

    init(
      _ limits: TCPServer.Limits, _ options: ConnectionOptions, isAccepting: Bool = true, version: Int = 0
    ) {
      self.limits = limits
      self.options = options
      self.isAccepting = isAccepting
      self.version = version
    }
  }

  private struct State {
    var terms: Terms
    var isPaused = false
    var gate: ConnectionGate
    var rate: RateGate
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
  private let version = Atomic(0)

  init(_ configuration: TCPServer.Configuration) {
    let limits = configuration.limits
    state = Lock(
      State(
        terms: Terms(limits, configuration.connection),
        gate: ConnectionGate(limit: limits.connections),
        rate: RateGate(rate: limits.acceptRate)))
  }

  var terms: Terms { state.withLock { $0.terms } }

  /// Whether the limits are others by now.
  func haveChanged(since terms: Terms) -> Bool { version.load(ordering: .relaxed) != terms.version }

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

  /// One has come for the place.
  func pass(_ now: Instant) { state.withLock { $0.rate.pass(now) } }

  /// The place is free again, whether somebody came for it or not.
  ///
  /// - Parameter isQuiet: whether nobody is waiting any more, so that a limit which is reached later is news.
  func leave(isQuiet: Bool = false) {
    change { state in
      state.gate.leave()
      if isQuiet { (state.fullIsTold, state.rateIsTold) = (false, false) }
    }
  }

  func set(_ limits: TCPServer.Limits, now: Instant) {
    change { state in
      var options = state.terms.options
      options.limits = limits.each
      state.terms = Terms(
        limits, options, isAccepting: state.terms.isAccepting, version: state.terms.version + 1)
      version.store(state.terms.version, ordering: .relaxed)
      state.gate.limit = limits.connections
      state.rate.set(limits.acceptRate, now: now)
    }
  }

  func stop() {
    change { state in
      state.terms = Terms(
        state.terms.limits, state.terms.options, isAccepting: false, version: state.terms.version)
      state.isPaused = false
    }
  }

  /// Whether those who come are taken.
  var standing: TCPServer.Snapshot.State {
    state.withLock { !$0.terms.isAccepting ? .stopped : $0.isPaused ? .paused : .accepting }
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
