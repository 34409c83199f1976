import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("A handler is called", .timeLimit(.minutes(4)))
struct HandlerTests {
  @Test(
    "with each frame in order, however the bytes come, and its sends arrive in order",
    arguments: Route.allCases)
  func echo(_ route: Route) async throws {
    try await withHandler(route, .echo) { link, log in
      try await onThread {
        for piece in ["one\ntw", "o\n", "", "three\nfour\nfi", "ve\n"] { try link.peer.send(piece) }
        let received = try link.peer.receive(exactly: 24)
        #expect(received == Array("one\ntwo\nthree\nfour\nfive\n".utf8))
      }
      link.peer.close()
      try await log.wait(for: "closed: closed by the peer")
      #expect(
        log.lines == [
          "connected", "one", "two", "three", "four", "five", "end of input", "closed: closed by the peer",
        ])
    }
  }

  @Test("on the connection's loop, and never inside another callback")
  func place() async throws {
    var handler = ScriptedHandler()
    handler.received = { handler, line, context in
      let loop = context.loop
      #expect(loop.isCurrent)
      let me = context.reference(to: handler)
      me.perform { handler, _ in handler.log.add("performed") }
      handler.log.add("returns")
    }
    try await withHandler(.first, handler) { link, log in
      try link.peer.send("go\n")
      try await log.wait(for: "performed")
      #expect(log.lines == ["connected", "go", "returns", "performed"])
      link.peer.close()
    }
  }

  @Test(
    "with the last frame before the end, if the codec allows one without its terminator", arguments: Route.tcp
  )
  func lastFrame(_ route: Route) async throws {
    try await withHandler(route, .echo) { link, log in
      try link.peer.send("whole\nrest")
      try link.peer.halfClose()
      let (received, ending) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == Array("whole\nrest\n".utf8))
      #expect(ending == .end)
      try await log.wait(for: "closed: closed by the peer")
    }
  }

  @Test("at the end of the input, and may go on sending", arguments: Route.allCases)
  func halfClose(_ route: Route) async throws {
    var handler = ScriptedHandler()
    handler.endOfInput = { handler, context in
      let me = context.reference(to: handler)
      me.perform { _, context in
        try context.send("late")
        context.close()
      }
    }
    try await withHandler(route, handler) { link, log in
      try link.peer.halfClose()
      let (received, ending) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == Array("late\n".utf8))
      #expect(ending == .end)
      try await log.wait(for: "closed: closed by the peer")
    }
  }

  @Test("no more once it has closed or aborted, though frames have come", arguments: [true, false])
  func nothingAfter(isAborting: Bool) async throws {
    var handler = ScriptedHandler()
    handler.received = { _, line, context in
      try context.send("bye")
      if isAborting { context.abort() } else { context.close() }
    }
    try await withHandler(.first, handler) { link, log in
      try link.peer.send("one\ntwo\nthree\n")
      let (received, ending) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == (isAborting ? [] : Array("bye\n".utf8)))
      #expect(ending == (isAborting ? .reset : .end))
      link.peer.close()
      let end = isAborting ? "closed: aborted by this side" : "closed: closed by this side"
      try await log.wait(for: end)
      #expect(log.lines == ["connected", "one", end])
    }
  }

  @Test("when its deadline comes, which it may put off with each frame")
  func deadline() async throws {
    var handler = ScriptedHandler()
    handler.received = { _, line, context in
      context.setDeadline(line == "never" ? .never : .after(.seconds(5)))
    }
    handler.timedOut = { handler, context in
      handler.count += 1
      if handler.count == 2 { context.close() } else { context.setDeadline(.after(.seconds(1))) }
    }
    try await withHandler(.first, handler) { link, log in
      try link.peer.send("a\n")
      try await log.wait(for: "a")
      link.clock.advance(by: .seconds(4))
      try link.peer.send("b\n")
      try await log.wait(for: "b")
      link.clock.advance(by: .seconds(4))
      try link.peer.send("never\n")
      try await log.wait(for: "never")
      link.clock.advance(by: .seconds(400))
      try link.peer.send("c\n")
      try await log.wait(for: "c")
      #expect(log.lines == ["connected", "a", "b", "never", "c"])
      link.clock.advance(by: .seconds(5))
      try await log.wait(for: "timed out")
      link.clock.advance(by: .seconds(1))
      try await eventually("it times out again") { log.lines.count { $0 == "timed out" } == 2 }
      link.peer.close()
      try await eventually("it ends") { log.lines.last?.hasPrefix("closed: closed by") == true }
    }
  }

  @Test(
    "no longer with frames while it does not want to read, and the peer is slowed down", arguments: Route.tcp)
  func pausing(_ route: Route) async throws {
    var handler = ScriptedHandler()
    let reference = Lock<HandlerReference<ScriptedHandler>?>(nil)
    handler.connected = { handler, context in
      let me = context.reference(to: handler)
      reference.withLock { $0 = me }
      context.isReading = false
    }
    try await withHandler(route, handler) { link, log in
      try await log.wait(for: "connected")
      try link.peer.send("one\ntwo\n")
      for _ in 0..<4 { await link.loop.nextTurn() }
      #expect(log.lines == ["connected"])
      #expect(link.connection.counters.bytesRead == 0)
      reference.withLock { $0 }?.perform { _, context in context.isReading = true }
      try await log.wait(for: "two")
      link.peer.close()
    }
  }

  @Test("again when output that stood too high has fallen, and reads nothing meanwhile", arguments: Route.tcp)
  func backPressure(_ route: Route) async throws {
    var handler = ScriptedHandler()
    let block = String(repeating: "x", count: 40_000)
    handler.received = { handler, line, context in
      handler.count += 1
      let canSend = context.canSend
      #expect(canSend)
      try context.send(block)
    }
    try await withHandler(route, handler, hasSmallBuffers: true) { link, log in
      let count = 40
      try link.peer.send(String(repeating: "more\n", count: count))
      try await eventually("it has to stop") { link.connection.queued >= 65_536 }
      for _ in 0..<8 { await link.loop.nextTurn() }
      #expect(link.connection.queued < 65_536 + 40_001)
      #expect(log.lines.count { $0 == "more" } < count)
      let all = try await onThread { try link.peer.receive(exactly: count * 40_001) }
      #expect(all.count { $0 == 10 } == count)
      #expect(log.lines.contains("writable"))
      link.peer.close()
    }
  }

  @Test("in vain for a send when the output is full: it throws, and sends nothing")
  func outputFull() async throws {
    var handler = ScriptedHandler()
    handler.received = { handler, _, context in
      let block = String(repeating: "x", count: 9_999)
      while context.canSend { try context.send(block) }
      do {
        try context.send("too much")
        Issue.record("it was taken")
      } catch SocketError.outputFull(let queued) {
        #expect(queued >= 65_536)
        handler.log.add("full")
      }
    }
    try await withHandler(.first, handler) { link, log in
      try link.peer.send("go\n")
      try await log.wait(for: "full")
      let all = try await onThread { try link.peer.receive(exactly: 70_000) }
      #expect(!all.contains(UInt8(ascii: "t")))
      link.peer.close()
    }
  }

  @Test("with frames of another codec after it has switched, those included that had arrived")
  func switching() async throws {
    var handler = ScriptedHandler()
    handler.received = { _, line, context in
      try context.send(line)
      if line == "switch" { try context.switchCodec(to: LineFraming("|")) }
    }
    try await withHandler(.first, handler) { link, log in
      try link.peer.send("a\nswitch\nb|c\nd|")
      let received = try await onThread { try link.peer.receive(exactly: 15) }
      #expect(received == Array("a\nswitch\nb|c\nd|".utf8))
      link.peer.close()
      try await log.wait(for: "closed: closed by the peer")
      #expect(
        log.lines == ["connected", "a", "switch", "b", "c\nd", "end of input", "closed: closed by the peer"])
    }
  }
}
