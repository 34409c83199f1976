import AsyncSockets

// Who gets what.

extension PoolState {
  /// How many connections there should be beyond those that idle or are on their way.
  var missing: Int {
    let counts = members.counts
    return waiters.count + rules.minimumIdle - counts.connecting - counts.checking - counts.idle
  }

  mutating func supply(at now: EventLoop.Instant) {
    guard phase == .open else { return }
    while let waiter = waiters.first, let member = takeFresh(at: now) {
      waiters.removeFirst()
      actions.append(.lend(member, to: waiter))
    }
    while waiters.count > members.counts.checking + members.counts.connecting, let member = members.idle.last
    {
      members.move(member, to: .checking)
      actions.append(.check(member))
    }
    while missing > 0, members.count < rules.maximum, mayConnect(at: now) {
      // Several at once are one attempt, since they have one fate.
      if members.counts.connecting == 0 { backoff.attemptBegins(at: now) }
      let member = Member(number: nextNumber())
      members.add(member, at: now)
      actions.append(.connect(member))
    }
  }

  private func mayConnect(at now: EventLoop.Instant) -> Bool {
    guard let outage else { return true }
    guard members.counts.connecting == 0 else { return false }
    return outage.retryTime <= now || outage.isFinal && !waiters.isEmpty && !othersMayHelp
  }

  /// Whether those who wait can hope for more than an attempt to connect.
  private var othersMayHelp: Bool { members.counts.lent + members.counts.checking > 0 }

  /// The connection that was used last, unless it is to be checked first.
  mutating func takeFresh(at now: EventLoop.Instant) -> Member? {
    while let member = members.idle.last, let entry = members[member] {
      if rules.mustBeChecked(entry.idleSince, at: now) { return nil }
      if rules.hasLivedTooLong(entry.born, at: now) {
        close(member)
        continue
      }
      members.move(member, to: .lent)
      return member
    }
    return nil
  }

  mutating func makeAvailable(
    _ member: Member, since: EventLoop.Instant, at now: EventLoop.Instant
  ) {
    guard let entry = members[member] else { return }
    guard phase == .open, !rules.hasLivedTooLong(entry.born, at: now) else { return close(member) }
    members.change(member) { $0.idleSince = since }
    members.move(member, to: .idle)
    if sweepTime == nil { sweepTime = now.advanced(by: rules.sweepInterval) }
  }

  mutating func prove(_ member: Member) {
    members.change(member) { $0.isProven = true }
    backoff.reset()
  }

  mutating func noteFailure(
    isFinal: Bool, at now: EventLoop.Instant, using generator: inout some RandomNumberGenerator
  ) {
    switch outage {
    // One of several that began together: what follows has been decided.
    case let outage? where !isFinal && outage.isFinal && backoff.attempts == 0: break
    case let outage? where !isFinal && !outage.isFinal && outage.retryTime > now: return
    default:
      if !isFinal, let pause = backoff.pause(at: now, using: &generator) {
        outage = Outage(retryTime: now.advanced(by: pause), isFinal: false)
        return
      }
      outage = Outage(retryTime: now.advanced(by: backoff.policy.maximumDelay), isFinal: true)
      // What follows is a new row, its first attempt included.
      backoff = Backoff(validated: backoff.policy)
    }
    if !othersMayHelp, members.counts.connecting == 0 { refuseAll() }
  }

  mutating func refuseAll() {
    actions += waiters.map { .refuse($0) }
    waiters = []
  }

  mutating func close(_ member: Member) {
    guard let entry = members[member], entry.place != .closing else { return }
    members.move(member, to: .closing)
    actions.append(.close(member))
  }

  mutating func closeIdle(where isMeant: (PoolMembers.Entry) -> Bool) {
    for member in members.idle {
      if let entry = members[member], isMeant(entry) { close(member) }
    }
  }
}
