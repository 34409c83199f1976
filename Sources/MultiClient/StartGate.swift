import AsyncSockets

/// Who may begin now, and when the next may: the window, the caps and the ramp. Pure.
struct StartGate {
  enum Verdict: Equatable {
    case now
    case at(EventLoop.Instant)
    /// Not before one of those that are there has connected or ended.
    case full
  }

  private(set) var limits: MultiClientLimits
  /// What the system lets the window have; `nil` for all.
  private(set) var ceiling: Int?
  /// All that hold a place.
  private(set) var open = 0
  /// Those among them that are not connected yet.
  private(set) var connecting = 0
  private var ramp: RampSchedule
  /// How many of them go where, if that is of interest.
  private var hosts: [String: Int] = [:]
  private var pausedUntil: EventLoop.Instant?

  /// Whether hosts are counted without a cap as well: several clients could not tell theirs at one moment.
  private let isShared: Bool

  init(_ limits: MultiClientLimits, isShared: Bool = false) {
    self.limits = limits
    self.isShared = isShared
    ramp = RampSchedule(limits.rampUp)
  }

  /// How many there may be at once.
  var window: Int { min(limits.open, ceiling ?? .max) }

  /// How many more there may be.
  var places: Int { max(0, window - open) }

  /// Whether one more may be connecting.
  var hasPlace: Bool { open < window && connecting < limits.connecting ?? .max }

  private var countsHosts: Bool { isShared || limits.perHost != nil }

  func verdict(_ now: EventLoop.Instant) -> Verdict {
    if !hasPlace { return .full }
    let due = max(ramp.due(now), pausedUntil ?? now)
    return due <= now ? .now : .at(due)
  }

  /// Whether the caps per host let one more go there.
  func hasRoom(for host: String) -> Bool {
    guard let most = limits.perHost else { return true }
    return hosts[host, default: 0] < most
  }

  mutating func begin(_ host: @autoclosure () -> String, _ now: EventLoop.Instant) {
    open += 1
    connecting += 1
    ramp.begin(now)
    if countsHosts { hosts[host(), default: 0] += 1 }
  }

  mutating func connected() { connecting -= 1 }

  mutating func end(_ host: @autoclosure () -> String, wasConnecting: Bool) {
    open -= 1
    if wasConnecting { connecting -= 1 }
    pausedUntil = nil
    guard countsHosts else { return }
    let host = host()
    let count = hosts[host, default: 1] - 1
    hosts[host] = count > 0 ? count : nil
  }

  /// The system is short of something: nobody begins before that, unless one ends.
  mutating func pause(until instant: EventLoop.Instant) { pausedUntil = instant }

  /// Other limits from now on.
  ///
  /// - Parameter live: the hosts of all that hold a place; asked when they have not been counted.
  mutating func set(_ limits: MultiClientLimits, live: () -> [String]) {
    if limits.rampUp != self.limits.rampUp { ramp = RampSchedule(limits.rampUp) }
    if !isShared, (limits.perHost == nil) != (self.limits.perHost == nil) {
      hosts = [:]
      if limits.perHost != nil { for host in live() { hosts[host, default: 0] += 1 } }
    }
    self.limits = limits
  }

  /// The system has room for so many.
  mutating func setCeiling(_ ceiling: Int?) { self.ceiling = ceiling.map { max(1, $0) } }
}
