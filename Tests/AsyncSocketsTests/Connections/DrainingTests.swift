import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("A connection whose server drains", .timeLimit(.minutes(4)))
struct DrainingTests {
  @Test("frames that had arrived are delivered, then the input ends", arguments: Route.allCases)
  func whatHadArrived(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\ntwo\nthree\n")
      #expect(try await lines.next() == "one")
      #expect(!lines.isDraining)
      link.connection.handle.beginDrain()
      #expect(lines.isDraining)
      try await eventually("all has come") { link.connection.counters.bytesRead == 14 }
      #expect(try await lines.next() == "two")
      #expect(try await lines.next() == "three")
      for _ in 0..<3 { #expect(try await lines.next() == nil) }
    }
  }

  @Test("frames that still are in the kernel had arrived too", arguments: Route.allCases)
  func inTheKernel(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\ntwo\n")
      try await eventually("all has come") { unreadInKernel(link.connection) == 8 }
      link.connection.handle.beginDrain()
      #expect(try await lines.next() == "one")
      #expect(try await lines.next() == "two")
      #expect(try await lines.next() == nil)
    }
  }

  @Test("what comes later is not delivered", arguments: Route.allCases)
  func later(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\n")
      try await eventually("it has come") { unreadInKernel(link.connection) == 4 }
      link.connection.handle.beginDrain()
      #expect(try await lines.next() == "one")
      #expect(try await lines.next() == nil)
      try link.peer.send("too late\n")
      try await eventually("it has come") { unreadInKernel(link.connection) == 9 }
      for _ in 0..<3 { #expect(try await lines.next() == nil) }
    }
  }

  @Test("a reader that waits is told that the input ends", arguments: Route.allCases)
  func waitingReader(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let line = lines.next()
      try await untilReading(link.connection)
      link.connection.handle.beginDrain()
      #expect(try await line == nil)
      try await lines.send("goodbye")
      #expect(try await onThread { try link.peer.receiveLine() } == "goodbye")
    }
  }

  @Test("a frame that has begun may become whole, and is the last", arguments: Route.allCases)
  func begunFrame(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\nbeg")
      #expect(try await lines.next() == "one")
      async let line = lines.next()
      try await untilReading(link.connection)
      link.connection.handle.beginDrain()
      // Again: the reader has looked at what had arrived, and waits for the rest.
      try await untilReading(link.connection)
      try link.peer.send("un\nnot this\nnor th")
      #expect(try await line == "begun")
      for _ in 0..<3 { #expect(try await lines.next() == nil) }
    }
  }

  @Test("a begun frame that its peer never finishes ends with the peer's stream", arguments: Route.allCases)
  func unfinishedFrame(_ route: Route) async throws {
    try await withLink(route) { link in
      let framing = try LineFraming(unfinishedLastLine: .fail)
      let lines = link.connection.framed(framing)
      try link.peer.send("beg")
      async let ending = failure { try await lines.next() }
      try await eventually("it is read") {
        hasReader(link.connection) && link.connection.counters.bytesRead == 3
      }
      link.connection.handle.beginDrain()
      try await untilReading(link.connection)
      try link.peer.halfClose()
      #expect(await ending as? FramingError == .truncated(held: 3, offset: 0))
    }
  }

  @Test("raw reads get what had arrived, then the end", arguments: Route.allCases)
  func rawReads(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("abcdef")
      try await eventually("it has come") { unreadInKernel(link.connection) == 6 }
      link.connection.handle.beginDrain()
      #expect(try await link.connection.read(atMost: 2) == bytes("ab"))
      try link.peer.send("ghi")
      try await eventually("it has come") { unreadInKernel(link.connection) == 7 }
      #expect(try await link.connection.read() == bytes("cdef"))
      #expect(try await link.connection.read() == nil)
      #expect(try await link.connection.readBytes(capacity: 10) == [])
    }
  }

  @Test("a reply that is under way is not lost, and the reason is the drain", arguments: Route.allCases)
  func replyUnderWay(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let reply = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(reply)
      link.connection.handle.beginDrain()
      #expect(try await link.connection.read() == nil)
      async let received = onThread {
        defer { link.peer.close() }
        return try link.peer.receiveToEnd()
      }
      await link.connection.close()
      #expect(link.connection.closeReason == .drained)
      #expect(areSame(try await received, reply))
    }
  }

  @Test("a peer's own end is still the end", arguments: Route.allCases)
  func peerEnds(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("last")
      try link.peer.halfClose()
      try await eventually("it has come") { unreadInKernel(link.connection) == 4 }
      link.connection.handle.beginDrain()
      #expect(try await lines.next() == "last")
      #expect(try await lines.next() == nil)
    }
  }
}
