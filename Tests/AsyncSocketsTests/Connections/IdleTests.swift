import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("The idle limit", .timeLimit(.minutes(4)))
struct IdleTests {
  @Test("a connection on which somebody waits in vain ends at the limit", arguments: Route.allCases)
  func ends(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10))) { link in
      async let error = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(9))
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(hasReader(link.connection))
      link.clock.advance(by: .seconds(1))
      #expect(await error == .limit(.idle))
      #expect(link.connection.closeReason == .limit(.idle))
      #expect(await socketError { try await link.connection.send("x") } == .limit(.idle))
      #expect(await socketError { try await link.connection.read() } == .limit(.idle))
      await link.connection.close()
      #expect(link.connection.closeReason == .limit(.idle))
      let (_, ending) = try await onThread { try link.peer.receiveToEnding() }
      #expect(ending == (route.network == .unix ? .end : .reset))
    }
  }

  @Test("every byte that comes starts it anew", arguments: Route.allCases)
  func inputRearms(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10))) { link in
      for _ in 0..<5 {
        async let received = link.connection.read()
        try await untilReading(link.connection)
        link.clock.advance(by: .seconds(8))
        for _ in 0..<2 { await link.loop.nextTurn() }
        try link.peer.send("x")
        #expect(try await received == bytes("x"))
      }
      async let error = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(10))
      #expect(await error == .limit(.idle))
    }
  }

  @Test("every byte that goes starts it anew", arguments: Route.allCases)
  func outputRearms(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10))) { link in
      async let error = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      for _ in 0..<5 {
        link.clock.advance(by: .seconds(8))
        for _ in 0..<2 { await link.loop.nextTurn() }
        try await link.connection.send("x")
        try await link.connection.flush()
      }
      #expect(hasReader(link.connection))
      link.clock.advance(by: .seconds(10))
      #expect(await error == .limit(.idle))
    }
  }

  @Test("a handler that computes is not idle, however long it takes", arguments: Route.allCases)
  func computing(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10))) { link in
      try link.peer.send("request")
      #expect(try await link.connection.receive(exactly: 7) == bytes("request"))
      for _ in 0..<10 {
        link.clock.advance(by: .seconds(60))
        for _ in 0..<2 { await link.loop.nextTurn() }
      }
      #expect(link.connection.closeReason == nil)
      try await link.connection.send("reply")
      #expect(try await onThread { try link.peer.receive(exactly: 5) } == bytes("reply"))

      // The time that it took does not count against the peer.
      async let received = link.connection.read()
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(9))
      for _ in 0..<2 { await link.loop.nextTurn() }
      try link.peer.send("next")
      #expect(try await received == bytes("next"))
    }
  }

  @Test("a writer that waits for its peer in vain is idle", arguments: Route.allCases)
  func stuckWriter(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10)), hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      try await settled(link)
      async let error = socketError { try await link.connection.send("x") }
      try await untilWriting(link.connection)
      link.clock.advance(by: .seconds(10))
      #expect(await error == .limit(.idle))
      #expect(link.connection.closeReason == .limit(.idle))
    }
  }

  @Test(
    "a reader that gives up again and again does not hide that its peer is silent", arguments: Route.executors
  )
  func impatientReader(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10))) { link in
      for round in 1..<10 {
        async let error = socketError { try await link.connection.read(deadline: .after(.seconds(1))) }
        try await untilReading(link.connection)
        link.clock.advance(by: .seconds(1))
        #expect(await error?.isTimedOut == true, "round \(round)")
      }
      async let error = socketError { try await link.connection.read(deadline: .after(.seconds(100))) }
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(1))
      #expect(await error == .limit(.idle))
    }
  }

  @Test("without a limit nothing is idle", arguments: Route.executors)
  func noLimit(_ route: Route) async throws {
    try await withLink(route) { link in
      async let received = link.connection.read()
      try await untilReading(link.connection)
      #expect(link.loop.census.deadlines == 0)
      link.clock.advance(by: .seconds(1_000_000))
      for _ in 0..<3 { await link.loop.nextTurn() }
      try link.peer.send("x")
      #expect(try await received == bytes("x"))
    }
  }

  @Test(
    "an idle limit costs no deadline a message, and none is left when the connection ends",
    arguments: Route.executors)
  func oneDeadline(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10))) { link in
      for _ in 0..<100 {
        try link.peer.send("x")
        #expect(try await link.connection.read() == bytes("x"))
        #expect(link.loop.census.deadlines <= 1)
      }
      link.peer.close()
      await link.connection.close()
      #expect(link.loop.census.deadlines == 0)
    }
  }

  @Test("a limit that is not positive is refused", arguments: [Duration.zero, .seconds(-1)])
  func invalid(_ limit: Duration) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      for path in [\ConnectionOptions.limits.idle, \.limits.writeStall] {
        var options = ConnectionOptions()
        options[keyPath: path] = limit
        let error = await socketError {
          try Connection(over: ScriptedTransport(), on: group.loops[0], options: options)
        }
        #expect(error?.isInvalid == true)
      }
    }
  }
}

/// Waits until the kernel's buffers are full and no output moves any more.
func settled(_ link: Link) async throws {
  var last: UInt64 = .max
  try await eventually("no output moves") {
    let now = link.connection.counters.bytesWritten
    defer { last = now }
    return now == last && now > 0
  }
}
