import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("A peer that resets", .timeLimit(.minutes(4)))
struct ResetTests {
  @Test("a reset that a read saw first is thrown by everything, for ever", arguments: Route.tcp)
  func seenByRead(_ route: Route) async throws {
    try await withLink(route) { link in
      async let first = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      try link.peer.reset()
      let error = try #require(await first)
      guard case .reset(let errno, let call, let peer) = error else {
        Issue.record("not a reset: \(error)")
        return
      }
      #expect(errno.name == "ECONNRESET")
      #expect(call == "recv")
      #expect(peer == link.connection.peerAddress)
      try await expectResetForEver(link.connection)
      #expect(link.connection.closeReason == .reset)
    }
  }

  @Test("a reset that a send saw first is thrown by reads too, for ever", arguments: Route.tcp)
  func seenBySend(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.reset()
      let error = await socketError {
        while true {
          try await link.connection.send(payload(100_000))
          try await link.connection.flush()
        }
      }
      #expect(error?.isReset == true)
      try await expectResetForEver(link.connection)
      #expect(link.connection.closeReason == .reset)
    }
  }

  @Test("a reset that a flush saw first is thrown by reads too, for ever", arguments: Route.tcp)
  func seenByFlush(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.reset()
      let error = await socketError {
        while true {
          try await link.connection.send("x")
          try await link.connection.flush()
        }
      }
      #expect(error?.isReset == true)
      try await expectResetForEver(link.connection)
    }
  }

  @Test("a reset that nobody saw is thrown by the next operation, whichever it is", arguments: Route.tcp)
  func seenByNobody(_ route: Route) async throws {
    for operation in 0..<3 {
      try await withLink(route) { link in
        try link.peer.reset()
        for _ in 0..<3 { await link.loop.nextTurn() }
        let error =
          switch operation {
          case 0: await socketError { try await link.connection.read() }
          case 1: await socketError { try await link.connection.readBytes(capacity: 10) }
          default:
            await socketError {
              try await link.connection.send("x")
              try await link.connection.flush()
            }
          }
        #expect(error?.isReset == true)
        try await expectResetForEver(link.connection)
      }
    }
  }

  @Test("in the turn in which a large send sees the reset, a read does not spin", arguments: Route.tcp)
  func readAfterFailedSend(_ route: Route) async throws {
    try await withLink(route) { link in
      async let tooLate = socketError { try await link.connection.read(deadline: .after(.seconds(1))) }
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(1))
      #expect(await tooLate?.isTimedOut == true)
      // From here on, on the loop, nothing asks the kernel for events until this task suspends.
      try link.peer.reset()
      let error = await socketError {
        while true { try await link.connection.send(payload(100_000)) }
      }
      #expect(error?.isReset == true)
      #expect(await socketError { try await link.connection.read() }?.isReset == true)
    }
  }

  @Test("what the peer sent before its reset is delivered first (P27)", arguments: Route.tcp)
  func dataBeforeReset(_ route: Route) async throws {
    try await withLink(route) { link in
      let sent = payload(20_000)
      try link.peer.send(sent)
      try link.peer.reset()
      let received = try await link.connection.receive(exactly: sent.count)
      #expect(areSame(received, sent))
      try await expectResetForEver(link.connection)
    }
  }

  @Test("what the peer sent is delivered though a send saw the reset first (P27)", arguments: Route.tcp)
  func dataBeforeResetSeenBySend(_ route: Route) async throws {
    try await withLink(route) { link in
      let sent = payload(20_000)
      try link.peer.send(sent)
      try link.peer.reset()
      let error = await socketError {
        while true {
          try await link.connection.send("x")
          try await link.connection.flush()
        }
      }
      #expect(error?.isReset == true)
      #expect(areSame(try await link.connection.receive(exactly: sent.count), sent))
      try await expectResetForEver(link.connection)
    }
  }

  @Test("frames that came before the reset are delivered, then it is thrown", arguments: Route.tcp)
  func framesBeforeReset(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\ntwo\nunfinished")
      try link.peer.reset()
      #expect(try await lines.next() == "one")
      #expect(try await lines.next() == "two")
      for _ in 0..<2 { #expect(await socketError { try await lines.next() }?.isReset == true) }
      #expect(await socketError { try await lines.send("x") }?.isReset == true)
    }
  }

  @Test("scenario F13: a reset while 3 MB are queued has one outcome", arguments: Route.tcp)
  func whileQueued(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      async let reader = socketError { try await link.connection.read() }
      try await link.connection.sendWithoutWaiting(payload(3_000_000))
      async let sender = socketError { try await link.connection.send("more") }
      try await untilReading(link.connection)
      try await untilWriting(link.connection)
      try link.peer.reset()
      #expect(await reader?.isReset == true)
      #expect(await sender?.isReset == true)
      #expect(link.connection.queued == 0)
      await link.connection.close()
      #expect(link.connection.closeReason == .reset)
    }
  }

  @Test(
    "a peer that closes with unread input is an error to reader and writer, for ever",
    arguments: Route.allCases)
  func peerClosesUnread(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("not read by the peer")
      try await link.connection.flush()
      async let reader = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      try await eventually("the peer has it") { hasInput(link.peer) }
      link.peer.close()
      #expect(await reader?.isReset == true)
      #expect(await socketError { try await link.connection.send("x") }?.isReset == true)
      #expect(await socketError { try await link.connection.read() }?.isReset == true)
    }
  }

  @Test("a peer that closes in good order is the end for reads and breaks sends", arguments: Route.allCases)
  func peerCloses(_ route: Route) async throws {
    try await withLink(route) { link in
      link.peer.close()
      let end = try await link.connection.read()
      #expect(end == nil)
      let error = await socketError {
        while true {
          try await link.connection.send("x")
          try await link.connection.flush()
        }
      }
      #expect(error?.tellsOfPeerGone == true)
      #expect(await socketError { try await link.connection.send("x") } == error)
      #expect(await socketError { try await link.connection.flush() } == error)
      await link.connection.close()
    }
  }

  private func expectResetForEver(_ connection: Connection) async throws {
    for _ in 0..<3 {
      #expect(await socketError { try await connection.read() }?.isReset == true)
      #expect(await socketError { try await connection.readBytes(capacity: 5) }?.isReset == true)
      #expect(await socketError { try await connection.send("x") }?.isReset == true)
      #expect(await socketError { try await connection.flush() }?.isReset == true)
      #expect(await socketError { try await connection.finishWriting() }?.isReset == true)
      await connection.loop.nextTurn()
    }
  }
}
