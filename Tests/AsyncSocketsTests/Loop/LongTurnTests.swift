import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A turn of more than 100 ms", .timeLimit(.minutes(4)))
struct LongTurnTests {
  /// Two connections and their peers on one loop.
  private func withTwo(
    _ body: @escaping @Sendable (_ links: [Link], EventLoop, ManualClock) async throws -> Void
  ) async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { group in
      let loop = group.loops[0]
      var made: [Link] = []
      for _ in 0..<2 { made.append(try await makeLink(.ipv4, on: loop, clock: clock)) }
      let links = made
      try await body(links, loop, clock)
      for link in links {
        link.connection.abort()
        link.peer.close()
      }
    }
  }

  @Test("is told with its length and the connections that it served, and no other")
  func names() async throws {
    try await withTwo { links, loop, clock in
      // Time moves, so that nothing before is taken for this turn.
      clock.advance(by: .seconds(1))
      await letSettle(loop)
      let log = Recorder<EventLoop.LongTurn>()
      loop.onLongTurn { log.append($0) }
      let culprit = links[1].connection
      async let handler: Void = onLoop(loop) {
        _ = try await culprit.read()
        clock.advance(by: .milliseconds(150))
        try await culprit.send("late")
      }
      try await untilReading(culprit)
      try links[1].peer.send("x")
      try await handler
      try await eventually("it is told") { log.count == 1 }
      let turn = try #require(log.all.first)
      #expect(turn.duration == .milliseconds(150))
      #expect(turn.jobs >= 1)
      #expect(turn.connections.map(\.peerAddress) == [culprit.peerAddress])
      #expect(turn.connectionCount == 1)
      let peer = culprit.peerAddress?.description ?? "?"
      #expect(turn.description == "a turn of \(turn.jobs.of("job")) took 150 ms; served \(peer)")
    }
  }

  @Test("is told each time, and one of 100 ms is not")
  func limit() async throws {
    try await withTwo { _, loop, clock in
      let log = Recorder<Duration>()
      loop.onLongTurn { log.append($0.duration) }
      for milliseconds in [300, 100, 101, 99, 300] {
        try await onLoop(loop) { clock.advance(by: .milliseconds(milliseconds)) }
        await letSettle(loop)
      }
      try await eventually("all are told") { log.count >= 3 }
      #expect(log.all == [.milliseconds(300), .milliseconds(101), .milliseconds(300)])
    }
  }

  @Test("without a connection names none, and says so")
  func noConnection() async throws {
    try await withTwo { _, loop, clock in
      clock.advance(by: .seconds(1))
      await letSettle(loop)
      let log = Recorder<EventLoop.LongTurn>()
      loop.onLongTurn { log.append($0) }
      try await onLoop(loop) { clock.advance(by: .milliseconds(2500)) }
      try await eventually("it is told") { log.count == 1 }
      #expect(log.all[0].connections == [])
      #expect(log.all[0].description.hasSuffix(" took 2.5 s; no connection moved bytes"))
    }
  }

  @Test("is no longer told to a handler that was removed; others go on")
  func removal() async throws {
    try await withTwo { _, loop, clock in
      let (removed, kept) = (Count(), Count())
      let handler = loop.onLongTurn { _ in removed.increase() }
      loop.onLongTurn { _ in kept.increase() }
      loop.removeLongTurnHandler(handler)
      loop.removeLongTurnHandler(handler)
      try await onLoop(loop) { clock.advance(by: .seconds(1)) }
      try await eventually("the other is told") { kept.value == 1 }
      #expect(removed.value == 0)
    }
  }

  @Test("is noticed on the system's clock")
  func systemClock() async throws {
    try await withLoop { loop in
      let log = Recorder<Duration>()
      loop.onLongTurn { log.append($0.duration) }
      try await onLoop(loop) {
        let end = MonotonicClock.shared.now.advanced(by: .milliseconds(101))
        while MonotonicClock.shared.now < end {}
      }
      try await eventually("it is told") { log.count >= 1 }
      #expect(log.all.contains { $0 > .milliseconds(100) })
      #expect(await loop.snapshot().longestTurn > .milliseconds(100))
    }
  }
}
