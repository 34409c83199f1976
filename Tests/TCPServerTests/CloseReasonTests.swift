import Framing
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("Every connection has one outcome, and the right one", .timeLimit(.minutes(4)))
struct CloseReasonTests {
  /// Runs one connection through `handler` and `client`, and answers why it ended. Exactly one acceptance and one
  /// end are told, in that order, with the same peer.
  private func reason(
    framing: LineFraming = LineFraming(), log: EventLog = EventLog(),
    _ change: (inout TCPServer.Configuration) -> Void = { _ in },
    handler: @escaping @Sendable (FramedConnection<LineFraming>) async throws -> Void,
    client: (BlockingPeer) async throws -> Void
  ) async throws -> CloseReason {
    try await withAuditedLoops { _ in
      try await withServer(framing: framing, configuration: log.configuration(change), handler: handler) {
        server in
        let peer = try await server.connect()
        let port = try peer.localPort
        try await client(peer)
        try await log.untilClosed(1)
        peer.close()
        await server.drain()
        #expect(log.accepted == [port])
        #expect(log.reasons(of: port) == log.reasons)
        if case .accepted = log.events.first {} else { Issue.record("first came \(log.events)") }
        if case .closed = log.events.dropLast().last {} else { Issue.record("last came \(log.events)") }
        if case .drained = log.events.last {} else { Issue.record("last came \(log.events)") }
      }
    }
    #expect(log.reasons.count == 1)
    return try #require(log.reasons.first)
  }

  @Test("a handler that returns: closed")
  func closed() async throws {
    let reason = try await reason { connection in
      try await connection.send("goodbye")
    } client: { peer in
      try await onThread { try peer.expectEnd(after: "goodbye\n") }
      peer.close()
    }
    #expect(reason == .closed)
  }

  @Test("a handler that closes and goes on to throw: closed")
  func closedThenThrown() async throws {
    let reason = try await reason { connection in
      await connection.close()
      try await connection.send("too late")
    } client: { peer in
      try await onThread { try peer.expectEnd() }
      peer.close()
    }
    #expect(reason == .closed)
  }

  @Test("a peer that ends its stream: closed by the peer")
  func closedByPeer() async throws {
    let reason = try await reason(handler: echo) { peer in
      #expect(try await peer.ask("hello") == "hello")
      try peer.halfClose()
      try await onThread { try peer.expectEnd() }
    }
    #expect(reason == .closedByPeer)
  }

  @Test("a peer that resets: reset")
  func reset() async throws {
    let log = EventLog()
    let reason = try await reason(log: log, handler: echo) { peer in
      #expect(try await peer.ask("hello") == "hello")
      try peer.reset()
    }
    #expect(reason == .reset)
    #expect(log.failures == [])
  }

  @Test("a handler that aborts: aborted")
  func aborted() async throws {
    let reason = try await reason { connection in
      _ = try await connection.next()
      connection.abort()
    } client: { peer in
      try peer.send("go\n")
      let ending = try await onThread { try peer.receiveToEnding().ending }
      #expect(ending == .reset)
    }
    #expect(reason == .aborted)
  }

  @Test("a handler that throws: its error, which is told, and the peer sees what was sent before")
  func handlerThrew() async throws {
    struct Trouble: Error, CustomStringConvertible { let description = "no such account" }
    let log = EventLog()
    let reason = try await reason(log: log) { connection in
      try await connection.send("sorry")
      throw Trouble()
    } client: { peer in
      let (bytes, ending) = try await onThread { try peer.receiveToEnding() }
      #expect(bytes == Array("sorry\n".utf8))
      #expect(ending == .end)
      peer.close()
    }
    #expect(reason == .handlerThrew("no such account"))
    #expect(log.failures == ["no such account"])
  }

  @Test("a handler that throws what another connection met: its error, not this connection's end")
  func foreignError() async throws {
    let log = EventLog()
    let error = SocketError.failed(Errno(rawValue: 111), call: "connect", address: .loopback(port: 9))
    let reason = try await reason(log: log) { _ in
      throw error
    } client: { peer in
      try await onThread { try peer.expectEnd() }
      peer.close()
    }
    #expect(reason == .handlerThrew("\(error)"))
    #expect(log.failures == ["\(error)"])
  }

  @Test("a handler's deadline that passes: its error, which is told")
  func deadlineOfARead() async throws {
    let log = EventLog()
    let reason = try await reason(log: log) { connection in
      _ = try await connection.next(deadline: .after(.milliseconds(1)))
    } client: { peer in
      try await onThread { try peer.expectEnd() }
      peer.close()
    }
    #expect(reason.description.hasPrefix("handler threw: next from 127.0.0.1:"))
    #expect(reason.description.hasSuffix(": the deadline passed"))
    #expect(log.failures.count == 1)
  }

  @Test("a handler that throws CancellationError: cancelled")
  func cancelled() async throws {
    let log = EventLog()
    let reason = try await reason(log: log) { _ in
      throw CancellationError()
    } client: { peer in
      try await onThread { try peer.expectEnd() }
      peer.close()
    }
    #expect(reason == .cancelled)
    #expect(log.failures == [])
  }

  @Test("a line that is no UTF-8: a framing error, after the replies to the lines before it")
  func invalidText() async throws {
    let reason = try await reason(handler: echo) { peer in
      let (bytes, _) = try await onThread {
        try peer.send(Array("one\ntwo\n".utf8) + [0xff, 0x0a] + Array("three\n".utf8))
        return try peer.receiveToEnding()
      }
      #expect(bytes == Array("one\ntwo\n".utf8))
    }
    #expect(reason == .framing("invalid UTF-8 at offset 8"))
  }

  @Test("a line over the limit: a framing error, after the replies to the lines before it")
  func overlongLine() async throws {
    let framing = try LineFraming(maximumLength: 100)
    let reason = try await reason(framing: framing, handler: echo) { peer in
      let (bytes, _) = try await onThread {
        try peer.send(
          "one\n" + String(repeating: "x", count: 100) + "\n" + String(repeating: "y", count: 101))
        return try peer.receiveToEnding()
      }
      #expect(bytes == Array(("one\n" + String(repeating: "x", count: 100) + "\n").utf8))
    }
    guard case .framing(let text) = reason else { throw PeerError.invalid("\(reason)") }
    #expect(text.contains("offset 105"))
    #expect(text.contains("100"))
  }

  @Test("a server that shuts down: drained")
  func drained() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming(), configuration: log.configuration(), handler: echo) {
        server in
        let peer = try await server.connect()
        #expect(try await peer.ask("hello") == "hello")
        server.beginDrain()
        try await onThread { try peer.expectEnd() }
        peer.close()
      }
    }
    #expect(log.reasons == [.drained])
  }

  @Test("a peer that says nothing for longer than the idle limit: that limit")
  func idle() async throws {
    let log = EventLog()
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { _ in
      let configuration = log.configuration { $0.connection.limits.idle = .seconds(60) }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let peer = try await server.connect()
        #expect(try await peer.ask("hello") == "hello")
        clock.advance(by: .seconds(59))
        #expect(try await peer.ask("still here") == "still here")
        clock.advance(by: .seconds(59))
        #expect(try await peer.ask("and here") == "and here")
        clock.advance(by: .seconds(60))
        try await onThread { try peer.expectNothing() }
        peer.close()
        try await log.untilClosed(1)
      }
    }
    #expect(log.reasons == [.limit(.idle)])
  }
}
