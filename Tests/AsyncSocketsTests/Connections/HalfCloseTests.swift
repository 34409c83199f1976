import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Ending one direction of a connection", .timeLimit(.minutes(4)))
struct HalfCloseTests {
  @Test("after this side's end the peer's bytes still come, to their end", arguments: Route.allCases)
  func readingGoesOn(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("that is all")
      try await link.connection.finishWriting()
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("that is all"))
      let reply = payload(500_000)
      async let sending: Void = onThread {
        try link.peer.send(reply)
        try link.peer.halfClose()
      }
      #expect(areSame(try await link.connection.receiveToEnd(), reply))
      try await sending
      await link.connection.close()
    }
  }

  @Test("the end comes after everything that was sent before it", arguments: Route.allCases)
  func endComesLast(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(message)
      async let received = onThread { try link.peer.receiveToEnd() }
      try await link.connection.finishWriting()
      #expect(link.connection.queued == 0)
      #expect(areSame(try await received, message))
    }
  }

  @Test("this side may end its stream twice", arguments: Route.allCases)
  func twice(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.finishWriting()
      try await link.connection.finishWriting()
      #expect(try await onThread { try link.peer.receiveToEnd() } == [])
      try link.peer.send("still heard")
      #expect(try await link.connection.receive(exactly: 11) == bytes("still heard"))
    }
  }

  @Test("when both have ended, closing needs no wait", arguments: Route.allCases)
  func bothEnded(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.finishWriting()
      try link.peer.halfClose()
      #expect(try await link.connection.read() == nil)
      await link.connection.close()
      #expect(link.connection.closeReason == .closedByPeer)
      #expect(descriptorNumber(of: link.connection) == nil)
      #expect(link.clock.now == EventLoop.Instant(nanoseconds: 0))
    }
  }

  @Test("after close or abort this side can't end its stream any more", arguments: Route.executors)
  func afterTheEnd(_ route: Route) async throws {
    try await withLink(route) { link in
      link.connection.abort()
      #expect(await socketError { try await link.connection.finishWriting() } == .closed)
    }
  }

  @Test("cancelled while it flushes, the end is still sent", arguments: Route.allCases)
  func cancelledWhileFlushing(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(message)
      let error = try await cancelled(once: { try waitingWriters(link.connection) == 1 }) {
        try await link.connection.finishWriting()
      }
      #expect(error is CancellationError)
      #expect(areSame(try await onThread { try link.peer.receiveToEnd() }, message))
      #expect(await socketError { try await link.connection.send("more") } == .finishedWriting)
      #expect(await socketError { try await link.connection.upgrade { $0 } } == .finishedWriting)
    }
  }

  @Test("cancelled before it begins, it ends nothing (P40)", arguments: Route.allCases)
  func cancelledBefore(_ route: Route) async throws {
    try await withLink(route) { link in
      await withTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask {
          #expect(await failure { try await link.connection.finishWriting() } is CancellationError)
        }
      }
      try await link.connection.send("not ended")
      try await link.connection.finishWriting()
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("not ended"))
    }
  }

  @Test("a peer that has shut its receiving side breaks sends, and reads go on", arguments: Route.unix)
  func peerStopsReceiving(_ route: Route) async throws {
    try await withLink(route) { link in
      async let first = link.connection.read()
      try await untilReading(link.connection)
      #expect(shutReceiving(link.peer))
      #expect(
        await socketError {
          try await link.connection.send("x")
          try await link.connection.flush()
        }?.tellsOfPeerGone == true)
      // A reader is not told before there is something to tell, and does not spin until then.
      for _ in 0..<10 { await link.loop.nextTurn() }
      try link.peer.send("still here")
      #expect(try await first == bytes("still here"))
      async let second = link.connection.read()
      for _ in 0..<10 { await link.loop.nextTurn() }
      try link.peer.send("and here")
      #expect(try await second == bytes("and here"))
      try link.peer.halfClose()
      #expect(try await link.connection.read() == nil)
    }
  }

  @Test("a send that waits for its turn is not lost to a peer's end of stream", arguments: Route.allCases)
  func waitingWriterAndEnd(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(message)
      async let sending: Void = link.connection.send("last")
      try await untilWriting(link.connection)
      try link.peer.halfClose()
      #expect(try await link.connection.read() == nil)
      async let received = onThread { try link.peer.receiveToEnd() }
      try await sending
      try await link.connection.finishWriting()
      #expect(areSame(try await received, message + bytes("last")))
    }
  }
}
