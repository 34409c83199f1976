import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("A handler hears once how its connection ended", .timeLimit(.minutes(4)))
struct HandlerEndingTests {
  private struct Refusal: Error, CustomStringConvertible { let description = "no such account" }

  @Test("when it throws: its error, after what it had sent has gone out", arguments: Route.allCases)
  func throwing(_ route: Route) async throws {
    var handler = ScriptedHandler()
    handler.received = { _, _, context in
      try context.send("sorry")
      throw Refusal()
    }
    try await withHandler(route, handler) { link, log in
      try link.peer.send("hello\n")
      let received = try await onThread { try link.peer.receiveToEnd() }
      #expect(received == Array("sorry\n".utf8))
      link.peer.close()
      try await log.wait(for: "closed: handler threw: no such account")
    }
  }

  @Test(
    "when it throws in any other callback", arguments: ["connected", "endOfInput", "timedOut", "perform"])
  func throwingElsewhere(place: String) async throws {
    var handler = ScriptedHandler()
    let reaction: ScriptedHandler.Reaction = { _, _ in throw Refusal() }
    switch place {
    case "connected": handler.connected = reaction
    case "endOfInput": handler.endOfInput = reaction
    case "timedOut":
      handler.connected = { _, context in context.setDeadline(.after(.seconds(1))) }
      handler.timedOut = reaction
    default:
      handler.connected = { handler, context in context.reference(to: handler).perform(reaction) }
    }
    try await withHandler(.first, handler) { link, log in
      try await log.wait(for: "connected")
      if place == "endOfInput" { try link.peer.halfClose() }
      if place == "timedOut" { link.clock.advance(by: .seconds(1)) }
      let received = try await onThread { try link.peer.receiveToEnd() }
      #expect(received == [])
      link.peer.close()
      try await log.wait(for: "closed: handler threw: no such account")
    }
  }

  @Test("when the peer's bytes are no frame")
  func badFrame() async throws {
    try await withHandler(.first, .echo) { link, log in
      try await onThread {
        try link.peer.send([0x6F, 0x6B, 0x0A, 0xFF, 0x0A])
        let received = try link.peer.receiveToEnd()
        #expect(received == Array("ok\n".utf8))
      }
      link.peer.close()
      try await log.wait(for: "closed: framing: invalid UTF-8 at offset 3")
    }
  }

  @Test("when the peer resets", arguments: Route.tcp)
  func reset(_ route: Route) async throws {
    try await withHandler(route, .echo) { link, log in
      try await log.wait(for: "connected")
      try link.peer.reset()
      try await log.wait(for: "closed: reset by the peer")
    }
  }

  @Test("when somebody else aborts or closes the connection", arguments: Route.allCases)
  func fromElsewhere(_ route: Route) async throws {
    try await withHandler(route, .echo) { link, log in
      try await log.wait(for: "connected")
      link.connection.abort()
      try await log.wait(for: "closed: aborted by this side")
    }
    try await withHandler(route, .echo) { link, log in
      try await log.wait(for: "connected")
      link.peer.close()
      await link.connection.close()
      try await eventually("it is told") { log.lines.last?.hasPrefix("closed: closed by") == true }
    }
  }

  @Test(
    "when the task that waits for it is cancelled, which does not wait for the peer",
    arguments: Route.allCases)
  func cancelled(_ route: Route) async throws {
    try await withLink(route) { link in
      let handler = ScriptedHandler.echo
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await link.connection.run(handler, framing: LineFraming()) }
        try await handler.log.wait(for: "connected")
        group.cancelAll()
        try await group.waitForAll()
      }
      #expect(handler.log.lines == ["connected", "closed: cancelled"])
      #expect(link.connection.closeReason == .cancelled)
    }
  }

  @Test("when the task is cancelled before it begins")
  func cancelledBefore() async throws {
    try await withLink(.first) { link in
      let handler = ScriptedHandler.echo
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { _ = try await link.connection.run(handler, framing: LineFraming()) }
        try await group.waitForAll()
      }
      #expect(handler.log.lines.last == "closed: cancelled")
    }
  }

  @Test("when a limit ends it: idle, and a peer that takes nothing", arguments: [true, false])
  func limits(isIdle: Bool) async throws {
    var options = ConnectionOptions()
    options.limits.idle = isIdle ? .seconds(60) : nil
    options.limits.writeStall = .seconds(30)
    var handler = ScriptedHandler()
    handler.received = { _, _, context in
      while context.canSend { try context.send(String(repeating: "x", count: 9_999)) }
    }
    try await withHandler(.first, handler, options: options, hasSmallBuffers: true) { link, log in
      try await log.wait(for: "connected")
      if !isIdle {
        try link.peer.send(String(repeating: "go\n", count: 100))
        try await eventually("it waits for room") { link.connection.queued > 32_768 }
        for _ in 0..<8 { await link.loop.nextTurn() }
      }
      try await eventually("its end") {
        link.clock.advance(by: .seconds(isIdle ? 60 : 30))
        return log.lines.last == "closed: limit: \(isIdle ? "idle" : "writeStall")"
      }
    }
  }

  @Test("when it times out, for a handler that says nothing of that")
  func timedOut() async throws {
    struct Impatient: ConnectionHandler {
      let log: ScriptedHandler.Log

      func connected(_ context: borrowing HandlerContext<LineFraming>) {
        context.setDeadline(.after(.seconds(3)))
        log.add("connected")
      }

      func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {}
      func closed(_ reason: CloseReason) { log.add("closed: \(reason)") }
    }
    try await withLink(.first) { link in
      let log = ScriptedHandler.Log()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await link.connection.run(Impatient(log: log), framing: LineFraming()) }
        try await log.wait(for: "connected")
        link.peer.close()
        link.clock.advance(by: .seconds(3))
        try await group.waitForAll()
      }
      #expect(log.lines.count == 2)
    }
  }

  @Test("when its loop stops")
  func loopStopped() async throws {
    let handler = ScriptedHandler.echo
    let loop = try EventLoop()
    let link = try await makeLink(.ipv4, on: loop)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = try await link.connection.run(handler, framing: LineFraming()) }
      try await handler.log.wait(for: "connected")
      await loop.shutdown()
      try await group.waitForAll()
    }
    #expect(handler.log.lines == ["connected", "closed: aborted by this side"])
    link.peer.close()
  }

  @Test("when the server drains: what had arrived is received, then the input ends", arguments: Route.tcp)
  func drained(_ route: Route) async throws {
    try await withHandler(route, .echo) { link, log in
      try await log.wait(for: "connected")
      try link.peer.send("one\ntwo\nthr")
      try await log.wait(for: "two")
      link.connection.handle.beginDrain()
      try link.peer.send("ee\nfour\n")
      let received = try await onThread { try link.peer.receiveToEnd() }
      #expect(received == Array("one\ntwo\nthree\n".utf8))
      link.peer.close()
      try await log.wait(for: "closed: drained")
    }
  }

  @Test("and nobody else may read meanwhile")
  func busy() async throws {
    try await withHandler(.first, .echo) { link, log in
      try await log.wait(for: "connected")
      #expect(await socketError { try await link.connection.read() }?.isBusy == true)
      let second = await socketError {
        _ = try await link.connection.run(ScriptedHandler.echo, framing: LineFraming())
      }
      #expect(second?.isBusy == true)
      link.peer.close()
    }
  }

  @Test("and its state is given up afterwards")
  func released() async throws {
    final class Token: Sendable {}
    final class Holder: Sendable {
      private let weak = Lock(Reference())
      private struct Reference { weak var token: Token? }
      var isEmpty: Bool { weak.withLock { $0.token == nil } }
      func hold(_ token: Token) { weak.withLock { $0.token = token } }
    }
    let holder = Holder()
    try await withLink(.first) { link in
      link.peer.close()
      var handler = ScriptedHandler()
      let own = Token()
      holder.hold(own)
      handler.connected = { _, _ in _ = own }
      _ = try await link.connection.run(handler, framing: LineFraming())
    }
    try await eventually("it is gone") { holder.isEmpty }
  }
}
