import Framing
import Glibc
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

/// Echoes lines; `throw` throws, `push` sends until nothing more is taken, `pause` reads no more, `stay` outlives the
/// end of its input.
private struct Echo: ConnectionHandler {
  struct Trouble: Error, CustomStringConvertible { let description = "trouble" }

  var greeting: String?
  var stays = false

  func connected(_ context: borrowing HandlerContext<LineFraming>) throws {
    if let greeting { try context.send(greeting) }
  }

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    switch line {
    case "throw": throw Trouble()
    case "push":
      while context.canSend { try context.send(String(repeating: "x", count: 50_000)) }
      return
    case "pause": context.isReading = false
    case "stay": stays = true
    default: break
    }
    try context.send(line)
  }

  func endOfInput(_ context: borrowing HandlerContext<LineFraming>) throws {
    if !stays { context.close() }
  }
}

private struct EchoBytes: ByteHandler {
  var greeting = ""

  func connected(_ context: borrowing HandlerContext<RawFraming>) throws {
    try context.send(Array(greeting.utf8))
  }

  func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) throws {
    try context.send(bytes)
  }
}

@Suite("A server of synchronous handlers", .timeLimit(.minutes(4)))
struct HandledServerTests {
  /// Runs `body` beside such a server, which is drained in the end.
  private func withHandled(
    _ log: EventLog, loops: Int = 1, _ change: (inout TCPServer.Configuration) -> Void = { _ in },
    body: @escaping @Sendable (TCPServer) async throws -> Void
  ) async throws {
    let configuration = log.configuration(change)
    try await withAuditedLoops(count: loops) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      async let running: Void = server.run(handledBy: Echo(), framing: .lines)
      try await body(server)
      await server.drain()
      try await running
    }
  }

  @Test("lends bytes to handlers that want no frames, admitted or not", arguments: [false, true])
  func bytes(isAdmitting: Bool) async throws {
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .loopback())
      async let running: Void =
        isAdmitting
        ? server.run(admitting: { _ in "hello " }, handledBy: { EchoBytes(greeting: $0) }, framing: .raw)
        : server.run(handledBy: EchoBytes(), framing: .raw)
      let peer = try #require(try await server.connect(count: 1).first)
      #expect(try await peer.ask("you") == (isAdmitting ? "hello you" : "you"))
      peer.close()
      await server.drain()
      try await running
    }
  }

  @Test(
    "serves each connection by a copy of the handler, on all loops, and tells of each what it tells of tasks")
  func serves() async throws {
    let log = EventLog()
    try await withHandled(log, loops: 2) { server in
      let peers = try await server.connect(count: 20)
      for (number, peer) in peers.enumerated() {
        #expect(try await peer.ask("line \(number)") == "line \(number)")
      }
      #expect(server.connectionCount == 20)
      #expect(server.snapshot.connections.count == 20)
      for peer in peers { peer.close() }
      try await log.untilClosed(20)
      #expect(server.connectionCount == 0)
      #expect(server.totals.ended[.closedByPeer] == 20)
    }
    #expect(log.accepted.count == 20)
    #expect(log.reasons == Array(repeating: .closedByPeer, count: 20))
  }

  @Test("goes on when a handler throws, and tells its error")
  func throwing() async throws {
    let log = EventLog()
    try await withHandled(log) { server in
      let (bad, good) = (try await server.connect(), try await server.connect())
      #expect(try await good.ask("hello") == "hello")
      try bad.send("throw\n")
      try await onThread { try bad.expectEnd() }
      bad.close()
      try await log.untilClosed(1)
      #expect(try await good.ask("hello") == "hello")
      good.close()
    }
    #expect(log.failures == ["trouble"])
    #expect(log.reasons.first == .handlerThrew("trouble"))
  }

  @Test("serves as many as it may, and the next when one of them ends")
  func limit() async throws {
    let log = EventLog()
    try await withHandled(log, { $0.limits.connections = 2 }) { server in
      let peers = try await server.connect(count: 3)
      #expect(try await peers[0].ask("a") == "a")
      #expect(try await peers[1].ask("b") == "b")
      try peers[2].send("c\n")
      #expect(try await peers[0].ask("d") == "d")
      #expect(server.connectionCount == 2)
      peers[0].close()
      #expect(try await onThread { try peers[2].receiveLine() } == "c")
      peers[1].close()
      peers[2].close()
    }
  }

  @Test("drains: answers what had arrived, ends the input, and reports")
  func drain() async throws {
    let log = EventLog()
    try await withHandled(log) { server in
      let peer = try await server.connect()
      #expect(try await peer.ask("one") == "one")
      try peer.send("two\nthree\n")
      try await eventually("it has arrived") { server.snapshot.connections.first?.counters.bytesRead == 14 }
      server.beginDrain()
      try await onThread { try peer.expectEnd(after: "two\nthree\n") }
      peer.close()
      let report = await server.drain()
      #expect(report.connections.map(\.outcome) == [.finished])
    }
    #expect(log.reasons == [.drained])
  }

  @Test(
    "ends at once when it is cancelled, whatever its handlers wait for",
    arguments: ["nothing", "push", "pause", "stay", "late"])
  func cancelled(state: String) async throws {
    let log = EventLog()
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { loops in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      let peer = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run(handledBy: Echo(), framing: .lines) }
        let peer = try await server.connect(receiveBuffer: 4096)
        if state != "late" {
          try peer.send(state + "\n")
          try await eventually("it is read") {
            server.snapshot.connections.first?.counters.bytesRead ?? 0 > 0
          }
          if state == "stay" { try peer.halfClose() }
          await loops.loops[0].nextTurn()
        }
        group.cancelAll()
        try await eventually("it begins to end") { server.snapshot.connections.allSatisfy(\.isClosing) }
        // What is still to be flushed has a second.
        try await eventually("it ends") {
          clock.advance(by: .seconds(1))
          return server.connectionCount == 0
        }
        return peer
      }
      peer.close()
    }
    if state != "late" { #expect(log.reasons == [.cancelled]) }
  }

  @Test("admits, and makes each handler of what the admission returned")
  func admission() async throws {
    let log = EventLog()
    let count = Shared(0)
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      async let running: Void = server.run(
        admitting: { applicant in
          let number = count.increase()
          if number == 2 { throw TCPServer.Refusal.goodbye("no\n", because: "two") }
          applicant.tag = "guest \(number)"
          return number
        }, handledBy: { number in Echo(greeting: "you are \(number)") }, framing: .lines)
      for (number, greeting) in [(1, "you are 1"), (2, "no"), (3, "you are 3")] {
        let peer = try await server.connect()
        #expect(try await onThread { try peer.receiveLine() } == greeting)
        if number != 2 { #expect(try await peer.ask("hello") == "hello") }
        peer.close()
      }
      try await log.untilClosed(2)
      await server.drain()
      try await running
    }
    #expect(log.refusals == ["two"])
  }

  @Test("64 connections at once and a cancellation, again and again: nothing traps, nothing is left (P17)")
  func burst() async throws {
    for _ in 0..<20 {
      try await withAuditedLoops { _ in
        let server = try await TCPServer.bind(on: .loopback())
        let peers = try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await server.run(handledBy: Echo(), framing: .lines) }
          let peers = try await server.connect(count: 64)
          group.cancelAll()
          return peers
        }
        for peer in peers { peer.close() }
      }
    }
  }

  @Test("a connection that begins while the server is being cancelled is cancelled with the others")
  func begunDuringCancellation() async throws {
    let log = EventLog()
    let bound = Shared<TCPServer?>(nil)
    let hasAccepted = Shared(false)
    let configuration = log.configuration { configuration in
      let record = configuration.onEvent
      configuration.onEvent = { event in
        record?(event)
        guard case .accepted = event, let server = bound.value else { return }
        hasAccepted.set(true)
        // The loop's thread stays here, between the connection's entry and its beginning, until the server has woken
        // whoever runs.
        while server.snapshot.state != .cancelled { sched_yield() }
        for _ in 0..<1000 { sched_yield() }
      }
    }
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      bound.set(server)
      let peer = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run(handledBy: Echo(), framing: .lines) }
        let peer = try await server.connect()
        try await eventually("the connection is accepted") { hasAccepted.value }
        group.cancelAll()
        return peer
      }
      peer.close()
      bound.set(nil)
    }
    #expect(log.reasons == [.cancelled])
  }

  @Test("runs in a simulation, the same way each time, among partitions and resets")
  func simulated() async throws {
    try await withSimulations(seeds: 0..<20) { world in
      let host = world.host("server")
      let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      host.start { try await server.run(handledBy: Echo(), framing: .lines) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<5 {
          group.addTask {
            try await world.host("client\(number)").run {
              for round in 0..<5 {
                do {
                  let connection = try await Connector().connect(to: "server", port: 7).framed(.lines)
                  for line in 0..<4 {
                    try await connection.send("\(number) \(round) \(line)")
                    let reply = try await connection.next(deadline: .after(.seconds(30)))
                    #expect(reply == nil || reply == "\(number) \(round) \(line)")
                  }
                  await connection.close()
                } catch is SocketError {}
              }
            }
          }
        }
        for number in 0..<5 {
          try await world.sleep(for: .milliseconds(20))
          let client = world.host("client\(number)")
          world.partition(between: client, and: host)
          try await world.sleep(for: .milliseconds(50))
          world.heal(between: client, and: host)
          world.resetConnections(between: client, and: host)
        }
        try await group.waitForAll()
      }
      await server.drain()
    }
  }
}
