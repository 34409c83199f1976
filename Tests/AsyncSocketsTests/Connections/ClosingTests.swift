import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Closing a connection", .timeLimit(.minutes(4)))
struct ClosingTests {
  @Test("close sends what is queued, then the end", arguments: Route.allCases)
  func flushesFirst(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(2_000_000)
      try await link.connection.sendWithoutWaiting(message)
      async let received = onThread {
        defer { link.peer.close() }
        return try link.peer.receiveToEnd()
      }
      await link.connection.close()
      #expect(areSame(try await received, message))
      #expect(link.connection.closeReason == .closed)
      #expect(descriptorNumber(of: link.connection) == nil)
      #expect(link.loop.census.registrations == 0 || !route.isOnLoop)
    }
  }

  @Test("close is idempotent", arguments: Route.allCases)
  func idempotent(_ route: Route) async throws {
    try await withLink(route) { link in
      link.peer.close()
      for _ in 0..<3 { await link.connection.close() }
      link.connection.abort()
      await link.connection.close()
      #expect(link.connection.closeReason == .closed)
    }
  }

  @Test("of several that close, all return when it is done", arguments: Route.allCases)
  func concurrent(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("bye")
      let returned = Count()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<5 {
          group.addTask {
            await link.connection.close()
            #expect(descriptorNumber(of: link.connection) == nil)
            returned.increase()
          }
        }
        #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("bye"))
        for _ in 0..<5 { await link.loop.nextTurn() }
        #expect(returned.value == 0)
        link.peer.close()
        try await group.waitForAll()
      }
    }
  }

  @Test("unread input does not eat a reply of 4 MB that is under way", arguments: Route.allCases)
  func unreadInput(_ route: Route) async throws {
    try await withLink(route) { link in
      let reply = payload(4_000_000)
      try link.peer.send(payload(50_000, seed: 1))
      #expect(try await link.connection.read(atMost: 10)?.count == 10)
      async let received = onThread {
        defer { link.peer.close() }
        // More input comes while the reply does.
        let first = try link.peer.receive(exactly: 1_000_000)
        try link.peer.send(payload(20_000, seed: 2))
        return try first + link.peer.receiveToEnd()
      }
      try await link.connection.send(reply)
      await link.connection.close()
      #expect(areSame(try await received, reply))
      #expect(link.connection.closeReason == .closed)
    }
  }

  @Test("close wakes the reader, who is told it is closed (P02)", arguments: Route.allCases)
  func wakesReader(_ route: Route) async throws {
    try await withLink(route) { link in
      async let error = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      async let closing: Void = link.connection.close()
      #expect(await error == .closed)
      link.peer.close()
      await closing
      #expect(await socketError { try await link.connection.read() } == .closed)
      #expect(await socketError { try await link.connection.send("x") } == .closed)
      #expect(await socketError { try await link.connection.flush() } == .closed)
      #expect(await socketError { try await link.connection.finishWriting() } == .closed)
    }
  }

  @Test(
    "close wakes senders that wait their turn, without waiting for the peer (P02)", arguments: Route.allCases)
  func wakesSenders(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(message)
      async let one = socketError { try await link.connection.send("one") }
      async let two = socketError { try await link.connection.send("two") }
      try await untilWriting(link.connection, count: 2)
      async let closing: Void = link.connection.close()
      #expect(await one == .closed)
      #expect(await two == .closed)
      async let received = onThread {
        defer { link.peer.close() }
        return try link.peer.receiveToEnd()
      }
      await closing
      #expect(areSame(try await received, message))
    }
  }

  @Test(
    "frames that were received but not asked for are not delivered after close", arguments: Route.allCases)
  func bufferedFrames(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("one\nquit\nignored\n")
      try link.peer.halfClose()
      let lines = link.connection.framed(LineFraming())
      #expect(try await lines.next() == "one")
      #expect(try await lines.next() == "quit")
      try await lines.send("bye")
      await lines.close()
      #expect(await socketError { try await lines.next() } == .closed)
      #expect(await socketError { try await link.connection.read() } == .closed)
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("bye\n"))
    }
  }

  @Test("a cancelled task closes in good order all the same", arguments: Route.allCases)
  func cancelledTask(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(message)
      async let received = onThread {
        defer { link.peer.close() }
        return try link.peer.receiveToEnd()
      }
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await link.connection.close() }
        group.cancelAll()
      }
      #expect(areSame(try await received, message))
      #expect(link.connection.closeReason == .closed)
    }
  }
}
