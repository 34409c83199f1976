import AsyncSockets

/// Which connection of a pool is lent to whom, and which are to be made, checked and closed. Pure: it is told the time
/// and what has happened, and says what to do.
///
/// Who asks first is served first. A connection that is being made or checked is for whoever is first when it is ready.
struct PoolState {
  typealias Member = PoolMembers.ID

  /// Stands for one request. Who came earlier is less.
  struct Waiter: Hashable, Comparable {
    let number: UInt64
    static func < (left: Self, right: Self) -> Bool { left.number < right.number }
  }

  /// What somebody is to do, and to tell of when it is done.
  enum Action: Hashable {
    /// Then `connected` or `connectFailed`.
    case connect(Member)
    /// Then `checked`.
    case check(Member)
    /// Then `closed`.
    case close(Member)
    /// Then `giveBack` or `replace`.
    case lend(Member, to: Waiter)
    /// There will be no connection for them: the pool is closed, or the last attempt was final.
    case refuse(Waiter)
  }

  /// What has become of a connection that was lent.
  enum Condition {
    case reusable
    /// It was not used at all.
    case unused
    /// The borrower has no further use for it, or nobody has.
    case spent
    /// The peer ended it.
    case lost
  }

  enum Phase { case open, draining, over }

  /// The last attempt has failed, and one is made at a time until one succeeds.
  struct Outage {
    let retryTime: EventLoop.Instant
    /// Trying again would not help, or the policy gave up: but for those who ask and have nobody else to hope for.
    let isFinal: Bool
  }

  let rules: PoolRules
  var phase = Phase.open
  var members = PoolMembers()
  var waiters: [Waiter] = []
  var actions: [Action] = []
  var lastNumber: UInt64 = 0
  var backoff: Backoff
  var outage: Outage?
  var sweepTime: EventLoop.Instant?

  init(_ rules: PoolRules, reconnect: ReconnectPolicy = ReconnectPolicy()) {
    self.rules = rules
    backoff = Backoff(validated: reconnect)
  }

  mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  /// Connections are made from now on, as many as are to be kept ready.
  mutating func begin(at now: EventLoop.Instant) { supply(at: now) }

  /// What to do, after each change.
  mutating func takeActions() -> [Action] {
    if actions.isEmpty { return [] }
    defer { actions = [] }
    return actions
  }

  /// Nothing is left, and nothing will come.
  var isFinished: Bool { phase != .open && members.count == 0 }

  /// Attempts to connect and checks are all that is left, and nobody waits for them any more.
  var isOnlyTrying: Bool {
    phase != .open && members.count == members.counts.connecting + members.counts.checking
  }

  // MARK: Borrowing

  /// Somebody asks.
  ///
  /// - Returns: who it is, and a connection if one is at hand; else it has to wait. `nil` if the pool is closed.
  mutating func request(at now: EventLoop.Instant) -> (waiter: Waiter, member: Member?)? {
    guard phase == .open else { return nil }
    let waiter = Waiter(number: nextNumber())
    if waiters.isEmpty, let member = takeFresh(at: now) { return (waiter, member) }
    waiters.append(waiter)
    supply(at: now)
    return (waiter, nil)
  }

  /// Somebody waits no longer.
  mutating func leave(_ waiter: Waiter) { waiters.removeAll { $0 == waiter } }

  /// What was lent to somebody turned out to be dead: it asks again, before all who came later.
  ///
  /// - Returns: `false` if the pool is closed.
  mutating func replace(
    _ member: Member, for waiter: Waiter, at now: EventLoop.Instant,
    using generator: inout some RandomNumberGenerator
  ) -> Bool {
    let mayWait = phase == .open
    if mayWait { waiters.insert(waiter, at: waiters.firstIndex { $0 > waiter } ?? waiters.endIndex) }
    giveBack(member, .lost, at: now, using: &generator)
    return mayWait
  }

  /// Somebody has done with a connection.
  mutating func giveBack(
    _ member: Member, _ condition: Condition, at now: EventLoop.Instant,
    using generator: inout some RandomNumberGenerator
  ) {
    guard let entry = members[member] else { return }
    switch condition {
    case .reusable:
      prove(member)
      makeAvailable(member, since: now, at: now)
    case .unused: makeAvailable(member, since: entry.idleSince, at: now)
    case .spent: close(member)
    case .lost:
      close(member)
      // Who accepts and then closes is not there either.
      if !entry.isProven { noteFailure(isFinal: false, at: now, using: &generator) }
    }
    supply(at: now)
  }

  // MARK: Connections

  mutating func connected(_ member: Member, at now: EventLoop.Instant) {
    members.change(member) { $0.born = now }
    outage = nil
    makeAvailable(member, since: now, at: now)
    supply(at: now)
  }

  /// - Parameter isFinal: trying again would not help.
  mutating func connectFailed(
    _ member: Member, isFinal: Bool, at now: EventLoop.Instant,
    using generator: inout some RandomNumberGenerator
  ) {
    members.remove(member)
    noteFailure(isFinal: isFinal, at: now, using: &generator)
    supply(at: now)
  }

  mutating func checked(_ member: Member, hasPassed: Bool, at now: EventLoop.Instant) {
    guard let entry = members[member] else { return }
    if hasPassed {
      prove(member)
      makeAvailable(member, since: now, at: now)
    } else {
      close(member)
      // Whoever ended this one will hardly have spared those that have idled for longer.
      closeIdle { $0.idleSince <= entry.idleSince }
    }
    supply(at: now)
  }

  mutating func closed(_ member: Member, at now: EventLoop.Instant) {
    members.remove(member)
    supply(at: now)
  }
}
