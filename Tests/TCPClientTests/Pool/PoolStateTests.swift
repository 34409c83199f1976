import AsyncSockets
import TestSupport
import Testing

@testable import TCPClient

@Suite("The state machine of a pool") struct PoolStateTests {
  private static let everything = PoolRules(
    maximum: 2, minimumIdle: 1, idleTimeout: .seconds(3), lifetime: .seconds(10), checkAfter: .seconds(2))

  /// All that can happen, in every order, so many events long.
  private func explore(_ model: PoolModel, depth: Int, _ way: [PoolModel.Event] = []) throws -> Int {
    guard depth > 0 else {
      var model = model
      do { try model.settle() } catch { throw Lost(way: way, violation: error) }
      return 1
    }
    return try model.events.reduce(0) { count, event in
      var next = model
      do throws(PoolModel.Violation) { try next.apply(event) } catch {
        throw Lost(way: way + [event], violation: error)
      }
      return try count + explore(next, depth: depth - 1, way + [event])
    }
  }

  private struct Lost: Error, CustomStringConvertible {
    let way: [PoolModel.Event]
    let violation: PoolModel.Violation
    var description: String { "\(violation) after \(way)" }
  }

  @Test("keeps its promises after every sequence of events", arguments: [PoolRules(maximum: 1), everything])
  func exhaustive(rules: PoolRules) throws {
    let policies = [ReconnectPolicy(), .never]
    let ways = try policies.reduce(0) {
      try $0 + explore(PoolModel(rules, reconnect: $1), depth: isThoroughRun ? 7 : 4)
    }
    #expect(ways > 200)
  }

  @Test("keeps its promises in long random runs, and serves or refuses everybody in the end")
  func random() throws {
    for seed in 0..<(isThoroughRun ? 1000 : 30) as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      let rules = PoolRules(
        maximum: .random(in: 1...4, using: &generator), minimumIdle: .random(in: 0...1, using: &generator),
        idleTimeout: Bool.random(using: &generator) ? .seconds(3) : nil,
        lifetime: Bool.random(using: &generator) ? .seconds(30) : nil,
        checkAfter: Bool.random(using: &generator) ? .seconds(2) : nil)
      var model = PoolModel(rules, seed: seed)
      var way: [PoolModel.Event] = []
      do throws(PoolModel.Violation) {
        for _ in 0..<500 {
          let event = model.events.filter { $0 != .drain }.randomElement(using: &generator)
          way.append(event ?? .request)
          try model.apply(event ?? .request)
        }
        try model.settle()
      } catch {
        throw Lost(way: way.suffix(30), violation: error)
      }
    }
  }

  @Test("the connection that was used last is lent first, so that others can expire")
  func lastFirst() throws {
    var model = PoolModel(PoolRules(maximum: 3, idleTimeout: .seconds(5)))
    for event in [.request, .request, .request, .connected(0), .connected(0), .connected(0)]
      as [PoolModel.Event]
    {
      try model.apply(event)
    }
    let members = model.lent.map(\.member)
    for _ in 0..<3 { try model.apply(.giveBack(0, .reusable)) }
    for _ in 0..<4 {
      try model.apply(.request)
      #expect(model.lent.map(\.member) == [members[2]])
      try model.apply(.time(stands: true))
      try model.apply(.giveBack(0, .reusable))
    }
    for _ in 0..<2 { try model.apply(.time(stands: true)) }
    #expect(model.state.members.idle == [members[2]])
  }

  @Test("after a failure one attempt at a time is made, and each pause is longer than the one before it")
  func outage() throws {
    var policy = ReconnectPolicy()
    policy.jitter = .none
    var model = PoolModel(PoolRules(maximum: 3), reconnect: policy)
    for _ in 0..<3 { try model.apply(.request) }
    #expect(model.connecting.count == 3)
    for _ in 0..<3 { try model.apply(.connectFailed(0, isFinal: false)) }
    var times: [Duration] = []
    for _ in 0..<5 {
      let before = model.now
      try model.apply(.time(stands: true))
      times.append(before.duration(to: model.now))
      #expect(model.connecting.count == 1)
      try model.apply(.connectFailed(0, isFinal: false))
    }
    #expect(times == [2, 4, 8, 16, 30].map { .seconds($0) })
    #expect(model.waiting.count == 3)
    try model.apply(.time(stands: true))
    try model.apply(.connected(0))
    #expect(model.lent.count == 1 && model.connecting.count == 2, "the others follow at once")
  }

  @Test("a final failure refuses all who wait, unless a connection is in use that may be given back")
  func final() throws {
    var model = PoolModel(PoolRules(maximum: 2))
    for _ in 0..<3 { try model.apply(.request) }
    try model.apply(.connected(0))
    try model.apply(.connectFailed(0, isFinal: true))
    #expect(model.waiting.count == 2 && model.refused.isEmpty && model.connecting.isEmpty)
    try model.apply(.giveBack(0, .reusable))
    #expect(model.lent.count == 1 && model.waiting.count == 1)
    try model.apply(.giveBack(0, .spent))
    #expect(model.connecting.count == 1, "nobody else can help now")
    try model.apply(.connectFailed(0, isFinal: true))
    #expect(model.refused.count == 1 && model.waiting.isEmpty && model.connecting.isEmpty)
    try model.apply(.request)
    #expect(model.connecting.count == 1, "who comes later is tried for")
  }

  @Test("each row of attempts is as long as the policy says, and one for all who ask together")
  func rows() throws {
    var model = PoolModel(PoolRules(maximum: 1), reconnect: .fixed(.seconds(1), attempts: 3))
    for row in 1...3 {
      try model.apply(.request)
      var attempts = 0
      while !model.connecting.isEmpty {
        attempts += 1
        try model.apply(.connectFailed(0, isFinal: false))
        if !model.waiting.isEmpty { try model.apply(.time(stands: true)) }
      }
      #expect(attempts == 3 && model.refused.count == row)
    }
    var hasty = PoolModel(PoolRules(maximum: 3), reconnect: .never)
    for row in 1...2 {
      for _ in 0..<3 { try hasty.apply(.request) }
      #expect(hasty.connecting.count == (row == 1 ? 3 : 1))
      while !hasty.connecting.isEmpty { try hasty.apply(.connectFailed(0, isFinal: false)) }
      #expect(hasty.refused.count == 3 * row && hasty.waiting.isEmpty)
    }
  }

  @Test("a server that accepts and closes is one that is down")
  func acceptsAndCloses() throws {
    var model = PoolModel(PoolRules(maximum: 2), reconnect: .fixed(.seconds(2)))
    try model.apply(.request)
    try model.apply(.connected(0))
    try model.apply(.replace(0))
    try model.apply(.closed(0))
    #expect(model.connecting.isEmpty && model.waiting.count == 1)
    try model.apply(.time(stands: true))
    #expect(model.now == EventLoop.Instant(nanoseconds: 2_000_000_000) && model.connecting.count == 1)
    try model.apply(.connected(0))
    try model.apply(.giveBack(0, .reusable))
    try model.apply(.request)
    try model.apply(.replace(0))
    #expect(model.connecting.count == 1, "one that has served somebody may end at any time")
  }
}
