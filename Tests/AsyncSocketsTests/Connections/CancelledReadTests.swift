import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Reads that are cancelled or come too late", .timeLimit(.minutes(4)))
struct CancelledReadTests {
  @Test("a cancelled read consumes nothing, and the connection stays usable (P41)", arguments: Route.allCases)
  func cancelledRead(_ route: Route) async throws {
    try await withLink(route) { link in
      for round in 0..<10 {
        let error = try await cancelled(once: { hasReader(link.connection) }) {
          _ = try await link.connection.read()
        }
        #expect(error is CancellationError)
        try link.peer.send("round \(round)\n")
        #expect(try await link.connection.receive(exactly: 8) == bytes("round \(round)\n"))
      }
      try await link.connection.send("alive")
      #expect(try await onThread { try link.peer.receive(exactly: 5) } == bytes("alive"))
    }
  }

  @Test("a cancelled read of a frame keeps what has arrived of it (P41)", arguments: Route.allCases)
  func cancelledFrame(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\ntw")
      #expect(try await lines.next() == "one")
      let error = try await cancelled(once: { hasReader(link.connection) }) { _ = try await lines.next() }
      #expect(error is CancellationError)
      try link.peer.send("o\nthree\n")
      #expect(try await lines.next() == "two")
      #expect(try await lines.next() == "three")
    }
  }

  @Test("a read that times out names the peer", arguments: Route.allCases)
  func namesPeer(_ route: Route) async throws {
    try await withLink(route) { link in
      let peer = try #require(link.connection.peerAddress)
      let due = Deadline.at(link.loop.now)
      #expect(
        await socketError { try await link.connection.read(deadline: due) }
          == .timedOut(operation: "read from \(peer)"))
      #expect(
        await socketError { try await link.connection.framed(LineFraming()).next(deadline: due) }
          == .timedOut(operation: "next from \(peer)"))
    }
  }

  @Test("a read that times out consumes nothing (P46)", arguments: Route.allCases)
  func timedOut(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("hal")
      async let line = lines.next(deadline: .after(.seconds(5)))
      try await eventually("the half is read and more awaited") {
        hasReader(link.connection) && link.connection.counters.bytesRead == 3
      }
      link.clock.advance(by: .seconds(4))
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(hasReader(link.connection))
      link.clock.advance(by: .seconds(1))
      do {
        _ = try await line
        Issue.record("the deadline has passed")
      } catch let error as SocketError {
        #expect(error.isTimedOut)
      }
      #expect(link.connection.closeReason == nil)
      try link.peer.send("f\n")
      #expect(try await lines.next(deadline: .after(.seconds(1))) == "half")
    }
  }

  @Test("a deadline in the past fails though data is ready (P46)", arguments: Route.allCases)
  func deadlineInThePast(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("ready\n")
      try await eventually("it is there") { unreadInKernel(link.connection) == 6 }
      link.clock.advance(by: .seconds(10))
      await link.loop.nextTurn()
      let past: [Deadline] = [
        .after(.zero), .after(.seconds(-1)), .after(.seconds(Int64.min)), .at(link.loop.now),
        .at(EventLoop.Instant(nanoseconds: 0)), .at(EventLoop.Instant(nanoseconds: .min)),
      ]
      let lines = link.connection.framed(LineFraming())
      for deadline in past {
        #expect(await socketError { try await link.connection.read(deadline: deadline) }?.isTimedOut == true)
        #expect(await socketError { try await lines.next(deadline: deadline) }?.isTimedOut == true)
      }
      #expect(unreadInKernel(link.connection) == 6)
      let future: [Deadline] = [
        .after(.seconds(Int64.max)), .at(EventLoop.Instant(nanoseconds: .max)), .never,
      ]
      for deadline in future {
        #expect(try await link.connection.read(atMost: 2, deadline: deadline)?.count == 2)
      }
    }
  }

  @Test("a deadline in the past fails though a frame is buffered", arguments: Route.executors)
  func deadlineInThePastWithFrame(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\ntwo\n")
      #expect(try await lines.next() == "one")
      #expect(await socketError { try await lines.next(deadline: .after(.zero)) }?.isTimedOut == true)
      #expect(try await lines.next() == "two")
    }
  }

  @Test(
    "a deadline on every read is one of the loop's for all of them, and none once it has passed or the connection ends",
    arguments: Route.executors)
  func oneDeadline(_ route: Route) async throws {
    try await withLink(route) { link in
      func exchange(_ seconds: Int) async throws {
        async let received = link.connection.read(deadline: .after(.seconds(seconds)))
        try await untilReading(link.connection)
        try link.peer.send("x")
        #expect(try await received == bytes("x"))
        #expect(link.loop.census.deadlines == 1)
      }
      for seconds in [100, 30, 200, 40, 30, 30] {
        try await exchange(seconds)
        link.clock.advance(by: .seconds(1))
      }
      link.clock.advance(by: .seconds(300))
      try await eventually("it has gone") { link.loop.census.deadlines == 0 }
      try await exchange(100)
      link.connection.abort()
      #expect(link.loop.census.deadlines == 0)
    }
  }

  @Test(
    "a read ends at its own deadline, to the nanosecond, whatever those of earlier reads were",
    arguments: Route.executors)
  func ownDeadline(_ route: Route) async throws {
    try await withLink(route) { link in
      // Earlier, later, and the same again: the loop's deadline is moved forward, or comes too early and is set anew.
      for (earlier, own) in [(100, 10), (10, 100), (10, 10), (10, 11)] {
        async let first = link.connection.read(deadline: .after(.seconds(earlier)))
        try await untilReading(link.connection)
        try link.peer.send("x")
        #expect(try await first == bytes("x"))

        async let error = socketError { try await link.connection.read(deadline: .after(.seconds(own))) }
        try await untilReading(link.connection)
        for step in [Duration.seconds(5), .seconds(own - 5) - .nanoseconds(1)] {
          link.clock.advance(by: step)
          for _ in 0..<3 { await link.loop.nextTurn() }
          #expect(hasReader(link.connection))
        }
        link.clock.advance(by: .nanoseconds(1))
        #expect(await error?.isTimedOut == true)
      }
    }
  }

  @Test(
    "a read's deadline, the idle limit and the write stall limit each come in their time",
    arguments: Route.executors)
  func beside(_ route: Route) async throws {
    try await withLink(route, options: .idle(.seconds(10)), hasSmallBuffers: true) { link in
      async let first = socketError { try await link.connection.read(deadline: .after(.seconds(4))) }
      try await untilReading(link.connection)
      #expect(link.loop.census.deadlines == 1)
      link.clock.advance(by: .seconds(4))
      #expect(await first?.isTimedOut == true)
      async let second = socketError { try await link.connection.read(deadline: .after(.seconds(100))) }
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(5))
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(hasReader(link.connection))
      #expect(link.loop.census.deadlines == 1)
      link.clock.advance(by: .seconds(1))
      #expect(await second == .limit(.idle))
      #expect(link.loop.census.deadlines == 0)
    }
  }

  @Test("one deadline may be shared by several reads", arguments: Route.executors)
  func sharedDeadline(_ route: Route) async throws {
    try await withLink(route) { link in
      let end = Deadline.at(link.loop.now.advanced(by: .seconds(10)))
      try link.peer.send("a")
      #expect(try await link.connection.read(deadline: end) == bytes("a"))
      link.clock.advance(by: .seconds(9))
      try link.peer.send("b")
      #expect(try await link.connection.read(deadline: end) == bytes("b"))
      async let error = socketError { try await link.connection.read(deadline: end) }
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(1))
      #expect(await error?.isTimedOut == true)
    }
  }
}

/// Runs `body` in a task of its own, cancels it as soon as the condition holds, and answers what it threw.
func cancelled(
  once isReached: @escaping @Sendable () throws -> Bool, _ body: @escaping @Sendable () async throws -> Void
) async throws -> (any Error)? {
  try await withThrowingTaskGroup(of: (any Error)?.self) { group in
    group.addTask { await failure(of: body) }
    try await eventually("the moment to cancel has come", isReached)
    group.cancelAll()
    return try await group.next() ?? nil
  }
}
