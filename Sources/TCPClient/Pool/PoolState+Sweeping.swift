import AsyncSockets

// What time brings, and the end.

extension PoolState {
  /// When to call `sweep` next.
  var dueTime: EventLoop.Instant? {
    guard phase == .open else { return nil }
    let sweep = members.idle.isEmpty ? nil : sweepTime
    let isWanted = missing > 0 && members.counts.connecting == 0 && members.count < rules.maximum
    guard isWanted, let retry = outage?.retryTime else { return sweep }
    return sweep.map { min($0, retry) } ?? retry
  }

  /// Time has passed: closes what has idled or lived for too long, and connects again if that is due.
  ///
  /// - Returns: those that idle, to be looked at whether they still stand; then `swept`.
  mutating func sweep(at now: EventLoop.Instant) -> [Member] {
    defer { supply(at: now) }
    guard let due = sweepTime, due <= now else { return [] }
    sweepTime = nil
    let rules = rules
    closeIdle { rules.hasLivedTooLong($0.born, at: now) }
    var surplus = members.idle.count - rules.minimumIdle
    closeIdle { entry in
      guard surplus > 0, rules.hasIdledTooLong(entry.idleSince, at: now) else { return false }
      surplus -= 1
      return true
    }
    let idle = members.idle
    for member in idle { members.move(member, to: .checking) }
    return idle
  }

  /// What a look has shown, in the order in which `sweep` named them.
  mutating func swept(_ looks: [(member: Member, stands: Bool)], at now: EventLoop.Instant) {
    for (member, stands) in looks {
      guard let entry = members[member] else { continue }
      if stands { makeAvailable(member, since: entry.idleSince, at: now) } else { close(member) }
    }
    supply(at: now)
  }

  // MARK: The end

  /// No more is lent; what is lent may be given back.
  mutating func drain() {
    guard phase == .open else { return }
    phase = .draining
    refuseAll()
    closeIdle { _ in true }
  }

  /// All is over.
  ///
  /// - Returns: those to be aborted, which are forgotten.
  mutating func cancel() -> [Member] {
    drain()
    phase = .over
    let aborted = members.all(in: [.lent, .checking])
    for member in aborted { members.remove(member) }
    return aborted
  }
}
