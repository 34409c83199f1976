import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("The end of a connection's input", .timeLimit(.minutes(4)))
struct EndOfStreamTests {
  @Test("the end is nil, for ever, and no error", arguments: Route.allCases)
  func isNilForEver(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("x")
      try link.peer.halfClose()
      #expect(try await link.connection.read() == bytes("x"))
      for _ in 0..<3 { #expect(try await link.connection.read() == nil) }
      var iterator = link.connection.inbound.makeAsyncIterator()
      for _ in 0..<3 { #expect(try await iterator.next() == nil) }
      #expect(link.connection.closeReason == nil)
    }
  }

  @Test("a reader that waits learns of the end", arguments: Route.allCases)
  func wakesReader(_ route: Route) async throws {
    try await withLink(route) { link in
      async let received = link.connection.read()
      try await untilReading(link.connection)
      try link.peer.halfClose()
      #expect(try await received == nil)
    }
  }

  @Test("data and the end in one event are both delivered, every time", arguments: Route.allCases)
  func dataAndEndTogether(_ route: Route) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      for round in 0..<100 {
        let link = try await makeLink(route.network, on: loop)
        defer {
          link.connection.abort()
          link.peer.close()
        }
        let text = bytes("request \(round)")
        // In half of the rounds the reader waits already.
        let isFirst = round.isMultiple(of: 2)
        try await run(route, on: loop) {
          async let received = link.connection.receiveToEnd()
          if isFirst { try await untilReading(link.connection) }
          try link.peer.send(text)
          try link.peer.halfClose()
          #expect(try await received == text)
        }
      }
    }
  }

  @Test("data and the end in one event are both delivered to small reads", arguments: Route.allCases)
  func smallReads(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("abcdefg")
      try link.peer.halfClose()
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(try await link.connection.read(atMost: 3) == bytes("abc"))
      #expect(try await link.connection.readBytes(capacity: 100) == bytes("defg"))
      #expect(try await link.connection.read() == nil)
    }
  }

  @Test("after the end the other direction goes on", arguments: Route.allCases)
  func writingGoesOn(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.halfClose()
      #expect(try await link.connection.read() == nil)
      let reply = payload(300_000)
      try await link.connection.send("still here\r\n")
      async let received = onThread { try link.peer.receiveToEnd() }
      try await link.connection.send(reply)
      await link.connection.close()
      #expect(areSame(try await received, bytes("still here\r\n") + reply))
      #expect(link.connection.closeReason == .closedByPeer)
    }
  }

  @Test(
    "scenario F12: a reply of any size reaches a client that has ended its own stream",
    arguments: Route.allCases,
    [100, 9_000_000])
  func replyAfterHalfClose(_ route: Route, size: Int) async throws {
    try await withLink(route) { link in
      let reply = payload(size)
      async let received = onThread {
        try link.peer.send("req\n")
        try link.peer.halfClose()
        return try link.peer.receiveToEnd()
      }
      let lines = link.connection.framed(LineFraming())
      #expect(try await lines.next() == "req")
      try await link.connection.send(reply)
      try await link.connection.send("\r\n")
      #expect(try await lines.next() == nil)
      await link.connection.close()
      #expect(areSame(try await received, reply + bytes("\r\n")))
    }
  }
}
