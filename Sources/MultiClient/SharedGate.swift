import AsyncSockets

/// The one gate of a client, or of all clients of a group: a limit is that of all together.
///
/// Whoever finds it closed is called when that may have changed by another's doing, one for each place. It is up to
/// everybody to look again after what he does himself.
final class SharedGate: Sendable {
  /// Whether somebody has begun.
  enum Answer: Equatable {
    case now
    case at(EventLoop.Instant)
    /// There is no place, or none for that host: there will be a call.
    case full, hostIsFull
  }

  /// What a client is called for.
  enum Call {
    case place
    case host(String)
    case limits
  }

  typealias Caller = @Sendable (Call) -> Void

  private struct State {
    var gate: StartGate
    /// Those that were set last, and count as soon as a client has looked.
    var limits: MultiClientLimits
    /// By the clients' numbers.
    var callers: [Caller] = []
    /// Who wait for a place, in turn.
    var waiting: [Int] = []
    var waitingForHosts: [String: [Int]] = [:]

    mutating func wait(_ number: Int) {
      if callers.count > 1, !waiting.contains(number) { waiting.append(number) }
    }

    /// Whether one more may go there; if not, there will be a call.
    mutating func hasRoom(for host: String, _ number: Int) -> Bool {
      if gate.hasRoom(for: host) { return true }
      if callers.count > 1, waitingForHosts[host]?.contains(number) != true {
        waitingForHosts[host, default: []].append(number)
      }
      return false
    }

    /// The next who waits for a place, if there is one.
    mutating func nextCaller(but number: Int) -> Caller? {
      guard gate.hasPlace, let index = waiting.firstIndex(where: { $0 != number }) else { return nil }
      return callers[waiting.remove(at: index)]
    }
  }

  private let state: Lock<State>

  /// - Parameter isShared: whether more than one client has it.
  init(_ limits: MultiClientLimits, isShared: Bool) {
    state = Lock(State(gate: StartGate(limits, isShared: isShared), limits: limits))
  }

  /// Adds a client, by the next number.
  func add(_ caller: @escaping Caller) { state.withLock { $0.callers.append(caller) } }

  // MARK: Limits

  var limits: MultiClientLimits { state.withLock { $0.limits } }

  /// Has all clients look at other limits.
  func set(_ limits: MultiClientLimits) {
    let callers = state.withLock { state in
      state.limits = limits
      return state.callers
    }
    for caller in callers { caller(.limits) }
  }

  /// Puts in force the limits that were set last.
  ///
  /// - Parameter live: see `StartGate.set`; of one client alone.
  func applyLimits(live: () -> [String]) -> MultiClientLimits {
    state.withLock { state in
      state.gate.set(state.limits, live: live)
      return state.limits
    }
  }

  var window: Int { state.withLock { $0.gate.window } }

  var places: Int { state.withLock { $0.gate.places } }

  /// The system has room for so many; whether that is news.
  func setCeiling(_ ceiling: Int?) -> Bool {
    state.withLock { state in
      let before = state.gate.ceiling
      state.gate.setCeiling(ceiling)
      return state.gate.ceiling != before
    }
  }

  // MARK: Beginning and ending

  /// Whether there is a place; if not, there will be a call.
  func hasPlace(for number: Int) -> Bool {
    state.withLock { state in
      if state.gate.hasPlace { return true }
      state.wait(number)
      return false
    }
  }

  /// Whether a cap per host is in force.
  var capsHosts: Bool { state.withLock { $0.gate.limits.perHost != nil } }

  /// Whether one more may go there; if not, there will be a call.
  func hasRoom(for host: String, _ number: Int) -> Bool {
    state.withLock { $0.hasRoom(for: host, number) }
  }

  /// Begins, if that may be.
  func begin(_ host: @autoclosure () -> String, _ now: EventLoop.Instant, by number: Int) -> Answer {
    state.withLock { state in
      switch state.gate.verdict(now) {
      case .at(let due): return .at(due)
      case .full:
        state.wait(number)
        return .full
      case .now:
        if state.gate.limits.perHost != nil, !state.hasRoom(for: host(), number) { return .hostIsFull }
        state.gate.begin(host(), now)
        return .now
      }
    }
  }

  func connected(_ number: Int) {
    let caller = state.withLock { state in
      state.gate.connected()
      return state.nextCaller(but: number)
    }
    caller?(.place)
  }

  func end(_ host: @autoclosure () -> String, wasConnecting: Bool, by number: Int) {
    let (caller, others) = state.withLock { state -> (Caller?, [Caller]) in
      state.gate.end(host(), wasConnecting: wasConnecting)
      let others = state.waitingForHosts.isEmpty ? nil : state.waitingForHosts.removeValue(forKey: host())
      return (
        state.nextCaller(but: number), others?.filter { $0 != number }.map { state.callers[$0] } ?? []
      )
    }
    caller?(.place)
    for other in others { other(.host(host())) }
  }

  /// One has no use for the places that there are.
  func passOn(_ number: Int) {
    let caller = state.withLock { $0.nextCaller(but: number) }
    caller?(.place)
  }

  /// The system is short of something; see `StartGate.pause`.
  func pause(until instant: EventLoop.Instant) { state.withLock { $0.gate.pause(until: instant) } }
}
