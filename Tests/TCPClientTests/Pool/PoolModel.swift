import AsyncSockets
import TestSupport

@testable import TCPClient

/// A pool's state machine with everything around it played: tasks, connections, time. After each event it must keep its
/// promises.
struct PoolModel {
  /// What may happen; the numbers count into what there is, the oldest first.
  enum Event: Hashable {
    case request, leave(Int)
    case connected(Int), connectFailed(Int, isFinal: Bool)
    case checked(Int, Bool)
    case giveBack(Int, PoolState.Condition), replace(Int)
    case closed(Int)
    case time(stands: Bool)
    case drain
  }

  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  private(set) var state: PoolState
  private(set) var now = EventLoop.Instant(nanoseconds: 0)
  private var generator: SeededGenerator
  private(set) var waiting: [PoolState.Waiter] = []
  private(set) var refused: [PoolState.Waiter] = []
  private(set) var lent: [(member: PoolState.Member, waiter: PoolState.Waiter)] = []
  private(set) var connecting: [PoolState.Member] = []
  private var checking: [PoolState.Member] = []
  private var closing: [PoolState.Member] = []
  private var served = 0

  init(_ rules: PoolRules, reconnect: ReconnectPolicy = ReconnectPolicy(), seed: UInt64 = 1) {
    state = PoolState(rules, reconnect: reconnect)
    generator = SeededGenerator(seed: seed)
    state.begin(at: now)
    for case .connect(let member) in state.takeActions() { connecting.append(member) }
  }

  /// What may happen now.
  var events: [Event] {
    var events: [Event] = [.request, .drain]
    if state.dueTime != nil { events += [.time(stands: true), .time(stands: false)] }
    events += waiting.indices.map { .leave($0) }
    events += connecting.indices.flatMap {
      [.connected($0), .connectFailed($0, isFinal: false), .connectFailed($0, isFinal: true)]
    }
    events += checking.indices.flatMap { [.checked($0, true), .checked($0, false)] }
    events += lent.indices.flatMap {
      [
        .giveBack($0, .reusable), .giveBack($0, .unused), .giveBack($0, .spent), .giveBack($0, .lost),
        .replace($0),
      ]
    }
    return events + closing.indices.map { .closed($0) }
  }

  mutating func apply(_ event: Event) throws(Violation) {
    switch event {
    case .request:
      let isOpen = state.phase == .open
      let request = state.request(at: now)
      guard let (waiter, member) = request else {
        if isOpen { throw Violation(description: "refused at the door") }
        break
      }
      guard isOpen else { throw Violation(description: "let in when closed") }
      if let member {
        if !waiting.isEmpty { throw Violation(description: "\(waiter) was served before \(waiting[0])") }
        lent.append((member, waiter))
      } else {
        waiting.append(waiter)
      }
    case .leave(let index): state.leave(waiting.remove(at: index))
    case .connected(let index): state.connected(connecting.remove(at: index), at: now)
    case .connectFailed(let index, let isFinal):
      state.connectFailed(connecting.remove(at: index), isFinal: isFinal, at: now, using: &generator)
    case .checked(let index, let hasPassed):
      state.checked(checking.remove(at: index), hasPassed: hasPassed, at: now)
    case .giveBack(let index, let condition):
      state.giveBack(lent.remove(at: index).member, condition, at: now, using: &generator)
    case .replace(let index):
      let (member, waiter) = lent.remove(at: index)
      if state.replace(member, for: waiter, at: now, using: &generator) {
        waiting.insert(waiter, at: waiting.firstIndex { $0 > waiter } ?? waiting.endIndex)
      }
    case .closed(let index): state.closed(closing.remove(at: index), at: now)
    case .time(let stands):
      guard let due = state.dueTime else { return }
      now = max(now, due)
      let looks = state.sweep(at: now).map { (member: $0, stands: stands) }
      state.swept(looks, at: now)
    case .drain: state.drain()
    }
    try carryOut(state.takeActions())
    try check()
  }

  private mutating func carryOut(_ actions: [PoolState.Action]) throws(Violation) {
    for action in actions {
      switch action {
      case .connect(let member): connecting.append(member)
      case .check(let member): checking.append(member)
      case .close(let member): closing.append(member)
      case .lend(let member, let waiter):
        guard waiting.first == waiter else {
          throw Violation(description: "\(waiter) was served before \(waiting)")
        }
        waiting.removeFirst()
        lent.append((member, waiter))
      case .refuse(let waiter):
        guard let index = waiting.firstIndex(of: waiter) else {
          throw Violation(description: "\(waiter) was refused and does not wait")
        }
        refused.append(waiting.remove(at: index))
      }
    }
  }

  private func check() throws(Violation) {
    let busy = connecting + checking + closing + lent.map(\.member)
    let all = busy + state.members.idle
    let counts = state.members.counts
    if Set(all).count != all.count { throw Violation(description: "one connection is in two places") }
    if all.count > state.rules.maximum { throw Violation(description: "\(all.count) connections") }
    if all.count != state.members.count { throw Violation(description: "a connection is forgotten") }
    guard counts.connecting == connecting.count, counts.checking == checking.count,
      counts.closing == closing.count, counts.lent == lent.count, counts.idle == state.members.idle.count
    else { throw Violation(description: "\(counts) is not what there is") }
    let ages = state.members.idle.map { state.members[$0]?.idleSince ?? now }
    if ages != ages.sorted() { throw Violation(description: "those that idle are in no order: \(ages)") }
    if state.waiters != waiting { throw Violation(description: "\(state.waiters) wait, and not \(waiting)") }
    if state.phase == .open {
      if !waiting.isEmpty, busy.isEmpty, state.dueTime == nil {
        throw Violation(description: "nobody does anything for those who wait")
      }
    } else if !waiting.isEmpty || !state.members.idle.isEmpty {
      throw Violation(description: "something is left after the drain")
    }
    if state.isFinished != (state.phase != .open && all.isEmpty) {
      throw Violation(description: "it is wrong about being finished")
    }
  }

  /// From here on all goes well: everybody must be served or refused, and a drain must come to its end.
  mutating func settle() throws(Violation) {
    for _ in 0..<10_000 {
      if let event = next() { try apply(event) } else { break }
    }
    if !waiting.isEmpty { throw Violation(description: "\(waiting) wait for ever") }
    try apply(.drain)
    while let event = next() { try apply(event) }
    if !state.isFinished { throw Violation(description: "the drain does not end") }
  }

  private func next() -> Event? {
    if !lent.isEmpty { return .giveBack(0, .reusable) }
    if !connecting.isEmpty { return .connected(0) }
    if !checking.isEmpty { return .checked(0, true) }
    if !closing.isEmpty { return .closed(0) }
    return waiting.isEmpty || state.dueTime == nil ? nil : .time(stands: true)
  }
}
