import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("What a closing connection does for its peer", .timeLimit(.minutes(4)))
struct LingeringTests {
  @Test("close waits for a silent peer's end for one second", arguments: Route.allCases)
  func oneSecond(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("bye")
      let returned = Count()
      async let closing: Void = {
        await link.connection.close()
        returned.increase()
      }()
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("bye"))
      try await untilReading(link.connection)
      link.clock.advance(by: .milliseconds(999))
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(returned.value == 0)
      link.clock.advance(by: .milliseconds(1))
      await closing
      #expect(descriptorNumber(of: link.connection) == nil)
    }
  }

  @Test("a peer that sends without end is cut off after 256 KiB", arguments: Route.allCases)
  func endlessInput(_ route: Route) async throws {
    try await withLink(route) { link in
      let sent = Count()
      async let sending: Void = onThread {
        // Until the other side is gone.
        while (try? link.peer.send(payload(10_000))) != nil { sent.increase(by: 10_000) }
      }
      try await eventually("input has come") { unreadInKernel(link.connection) > 0 }
      await link.connection.close()
      #expect(link.connection.counters.bytesRead == 0)
      #expect(link.connection.closeReason == .closed)
      try await sending
      #expect(sent.value >= 256 << 10)
    }
  }

  @Test("a peer that ends after the reply ends the wait", arguments: Route.allCases)
  func peerEnds(_ route: Route) async throws {
    try await withLink(route) { link in
      async let closing: Void = link.connection.close()
      #expect(try await onThread { try link.peer.receiveToEnd() } == [])
      try link.peer.send("late words")
      try link.peer.halfClose()
      await closing
      #expect(link.connection.closeReason == .closed)
    }
  }

  @Test("cancelled, a close does not wait for the peer, whatever its clock does", arguments: Route.allCases)
  func cancelledClose(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("bye")
      _ = try await cancelled(once: { hasReader(link.connection) }) { await link.connection.close() }
      #expect(descriptorNumber(of: link.connection) == nil)
      #expect(link.connection.closeReason == .closed)
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("bye"))
    }
  }

  @Test("in a task that is cancelled, a close sends what is queued all the same", arguments: Route.allCases)
  func closeInCancelledTask(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(500_000)
      try await link.connection.sendWithoutWaiting(message)
      async let received = onThread { try link.peer.receiveToEnd() }
      await withTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { await link.connection.close() }
      }
      #expect(descriptorNumber(of: link.connection) == nil)
      #expect(areSame(try await received, message))
    }
  }

  @Test("abort cuts a lingering close short", arguments: Route.allCases)
  func abortCutsShort(_ route: Route) async throws {
    try await withLink(route) { link in
      async let closing: Void = link.connection.close()
      try await untilReading(link.connection)
      link.connection.abort()
      await closing
      #expect(link.connection.closeReason == .closed)
    }
  }

  @Test("a peer that never reads ends the close by the write stall limit", arguments: Route.allCases)
  func neverReads(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      async let closing: Void = link.connection.close()
      try await untilWriting(link.connection)
      link.clock.advance(by: .seconds(29))
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(try waitingWriters(link.connection) == 1)
      link.clock.advance(by: .seconds(1))
      await closing
      // Accepted bytes are lost: that is what the reason tells.
      #expect(link.connection.closeReason == .limit(.writeStall))
    }
  }

  @Test(
    "a peer that resets during the close is what the reason tells, since bytes are lost", arguments: Route.tcp
  )
  func resetDuringClose(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      async let closing: Void = link.connection.close()
      try await untilWriting(link.connection)
      try link.peer.reset()
      await closing
      #expect(link.connection.closeReason == .reset)
    }
  }

  @Test("leaving the scope by an error flushes for at most a second, then aborts", arguments: Route.allCases)
  func leavingByError(_ route: Route) async throws {
    struct Refusal: Error {}
    try await withLink(route, hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      async let closing: Void = link.connection.close(after: Refusal())
      try await untilWriting(link.connection)
      link.clock.advance(by: .seconds(1))
      await closing
      #expect(link.connection.closeReason == .handlerThrew("Refusal()"))
      #expect(descriptorNumber(of: link.connection) == nil)
    }
  }

  @Test("leaving the scope by an error still sends what was queued", arguments: Route.allCases)
  func leavingByErrorFlushes(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("sorry")
      async let received = onThread {
        defer { link.peer.close() }
        return try link.peer.receiveToEnding().bytes
      }
      await link.connection.close(after: CancellationError())
      #expect(try await received == bytes("sorry"))
      #expect(link.connection.closeReason == .cancelled)
    }
  }
}
