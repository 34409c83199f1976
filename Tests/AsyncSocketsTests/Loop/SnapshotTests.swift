import Framing
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A snapshot of an event loop", .timeLimit(.minutes(4)))
struct SnapshotTests {
  @Test("shows each connection's addresses, age, bytes and what it waits for", arguments: Route.allCases)
  func connection(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(600))) { link in
      try link.peer.send("hello")
      #expect(try await link.connection.receive(exactly: 5) == bytes("hello"))
      try await link.connection.send("hi")
      try await link.connection.flush()
      link.clock.advance(by: .seconds(40))
      await link.loop.nextTurn()
      async let received = link.connection.read(deadline: .after(.seconds(30)))
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(10))
      await link.loop.nextTurn()

      let snapshot = await link.loop.snapshot()
      let one = try #require(snapshot.connections.first)
      #expect(snapshot.connections.count == 1)
      #expect(one.localAddress == link.connection.localAddress)
      #expect(one.peerAddress == link.connection.peerAddress)
      #expect(one.age == .seconds(50))
      // The handler was busy elsewhere for the first 40 seconds.
      #expect(one.idle == .seconds(10))
      #expect(one.waits == [.read])
      #expect(one.timeLeft == .seconds(20))
      #expect(one.counters == link.connection.counters)
      #expect((one.counters.bytesRead, one.counters.bytesWritten, one.bytesQueued) == (5, 2, 0))
      #expect(!one.isClosing && !one.isDraining)
      #expect(snapshot.deadlines == 1)
      #expect(snapshot.nextDeadline == .seconds(20))
      #expect(link.connection.snapshot == one)
      try link.peer.send("x")
      #expect(try await received == bytes("x"))
      #expect(link.connection.snapshot.waits == [])
    }
  }

  @Test("shows writers that wait, what they wait for, and what is queued", arguments: Route.allCases)
  func writers(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      try await settled(link)
      async let first = failure { try await link.connection.send("x") }
      try await untilWriting(link.connection)
      async let second = failure { try await link.connection.flush() }
      try await untilWriting(link.connection, count: 2)
      async let reader = failure { _ = try await link.connection.read() }
      try await untilReading(link.connection)
      let one = try #require(await link.loop.snapshot().connections.first)
      #expect(one.waits == [.read, .send, .flush])
      #expect(one.bytesQueued > 500_000)
      #expect(one.bytesQueued == link.connection.queued)
      link.connection.abort()
      _ = await (first, second, reader)
      #expect(await link.loop.snapshot().connections == [])
    }
  }

  @Test("shows a connection that closes and waits for its peer's end", arguments: Route.allCases)
  func closing(_ route: Route) async throws {
    try await withLink(route) { link in
      async let closing: Void = link.connection.close()
      try await untilReading(link.connection)
      let one = try #require(await link.loop.snapshot().connections.first)
      #expect(one.waits == [.close])
      #expect(one.isClosing)
      #expect(one.timeLeft == .seconds(1))
      link.peer.close()
      await closing
    }
  }

  @Test("shows listeners, and connections over transports of your own")
  func others() async throws {
    try await withListener { door in
      let transport = ScriptedTransport()
      let connection = try Connection(over: transport, on: door.loop, peerAddress: .loopback(port: 7))
      let before = await door.loop.snapshot()
      #expect(before.listeners.map(\.address) == [door.address])
      #expect(before.listeners.map(\.isWaiting) == [false])
      #expect(before.connections.map(\.peerAddress) == [.loopback(port: 7)])
      async let accepted = door.accept(on: door.loop)
      while await door.loop.snapshot().listeners.map(\.isWaiting) != [true] { await door.loop.nextTurn() }
      let peer = try await door.connect()
      try await accepted.abort()
      peer.close()
      connection.abort()
    }
  }

  @Test("counts turns and jobs, and keeps the longest turn until it is reset")
  func turns() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let first = await loop.snapshot()
      await loop.nextTurn()
      for milliseconds in [7, 3] {
        try await onLoop(loop) { clock.advance(by: .milliseconds(milliseconds)) }
        await letSettle(loop)
      }
      let second = await loop.snapshot(resettingLongestTurn: true)
      #expect(second.turns > first.turns)
      #expect(second.longestTurn == .milliseconds(7))
      try await onLoop(loop) { clock.advance(by: .milliseconds(2)) }
      await letSettle(loop)
      #expect(await loop.snapshot().longestTurn == .milliseconds(2))

      let jobs = try await onLoop(loop) {
        async let one: Void = loop.sleep(for: .zero)
        async let two: Void = loop.sleep(for: .zero)
        let count = loop.core.takeSnapshot(resettingLongestTurn: false).jobs
        _ = try await (one, two)
        return count
      }
      #expect(jobs == 2)
    }
  }

  @Test("of a loop that is stuck has to wait, but anybody can ask how long the turn has taken")
  func stuck() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      try await eventually("it sleeps") { loop.currentTurn == nil }
      let (stuck, goOn) = (Count(), Count())
      async let job: Void = onLoop(loop) {
        stuck.increase()
        while goOn.value == 0 {}
      }
      do {
        try await eventually("it is stuck") { stuck.value == 1 }
      } catch {
        // Or the loop, and the test run with it, would spin for ever.
        goOn.increase()
        throw error
      }
      clock.advance(by: .seconds(3))
      #expect(loop.currentTurn == .seconds(3))
      #expect(loop.census.registrations == 0)
      goOn.increase()
      try await job
      try await eventually("it sleeps again") { loop.currentTurn == nil }
    }
  }

  @Test("of a loop that has stopped is empty")
  func stopped() async throws {
    let loop = try EventLoop()
    await loop.shutdown()
    let snapshot = await loop.snapshot()
    #expect(snapshot.connections == [] && snapshot.listeners == [] && snapshot.deadlines == 0)
  }

  @Test("is a table for people")
  func table() async throws {
    try await withLink(Route(network: .ipv4, isOnLoop: false)) { link in
      async let received = link.connection.read(deadline: .after(.seconds(90)))
      try await untilReading(link.connection)
      link.clock.advance(by: .milliseconds(2500))
      await letSettle(link.loop)
      let text = await link.loop.snapshot().description
      let lines = text.split(separator: "\n").map(String.init)
      #expect(lines.count == 3)
      #expect(lines[0].hasPrefix("event loop: 1 connection, 1 deadline (next in 1 min 27 s), 0 jobs, "))
      #expect(lines[1].hasPrefix("  local ") && lines[1].hasSuffix("queued"))
      #expect(lines[2].contains(link.connection.peerAddress?.description ?? "?"))
      #expect(lines[2].contains("  2.5 s  2.5 s  in read for 1 min 27 s at most  0     0         0"))
      #expect(
        link.connection.snapshot.description.hasSuffix(
          "in read for 1 min 27 s at most, read 0, accepted 0, queued 0"))
      try link.peer.send("x")
      _ = try await received
      let later = link.connection.snapshot.description
      #expect(later.contains(", idle -, state no wait, read 1, "))
    }
  }

  @Test("of a group has its loops in their order")
  func group() async throws {
    try await withAuditedLoops(count: 2) { group in
      let listener = try Listener.bind(to: .loopback(), on: group.loops[1])
      defer { listener.close() }
      try await eventually("it is watched") { group.loops[1].census.registrations == 1 }
      let snapshot = await group.snapshot()
      #expect(snapshot.loops.map { $0.listeners.map(\.address) } == [[], [listener.address]])
      #expect(snapshot.description.contains("listens on \(listener.address), nobody accepts"))
    }
  }

  @Test(
    "writes durations in the unit that fits",
    arguments: [
      (Duration.zero, "0 ns"), (.nanoseconds(999), "999 ns"), (.microseconds(12), "12 µs"),
      (.milliseconds(999), "999 ms"),
      (.milliseconds(1050), "1.0 s"), (.seconds(59.99), "59.9 s"), (.seconds(60), "1 min 0 s"),
      (.seconds(3601), "1 h 0 min"),
      (.seconds(-90), "-1 min 30 s"), (.seconds(100 * 86400), "2400 h 0 min"),
    ])
  func durations(_ duration: Duration, _ text: String) {
    #expect(duration.briefly == text)
  }
}
