import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

/// A callback that throws, and which.
private struct Thrower: ConnectionHandler {
  struct Trouble: Error, CustomStringConvertible { let description: String }
  enum Callback: String, CaseIterable { case connected, received, writable, endOfInput, timedOut }

  let callback: Callback

  private func fail(in callback: Callback) throws {
    if callback == self.callback { throw Trouble(description: callback.rawValue) }
  }

  func connected(_ context: borrowing HandlerContext<LineFraming>) throws {
    try fail(in: .connected)
    if callback == .timedOut { context.setDeadline(.after(.seconds(1))) }
  }

  func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    try fail(in: .received)
    if callback == .writable {
      while context.canSend { try context.send(String(repeating: "x", count: 50_000)) }
    }
  }

  func writable(_ context: borrowing HandlerContext<LineFraming>) throws { try fail(in: .writable) }
  func endOfInput(_ context: borrowing HandlerContext<LineFraming>) throws { try fail(in: .endOfInput) }
  func timedOut(_ context: borrowing HandlerContext<LineFraming>) throws { try fail(in: .timedOut) }
}

/// Whose last callback uses whatever it can reach.
private struct Meddler: ConnectionHandler {
  let server: TCPServer
  let room: Broadcast<LineFraming>
  let references: Shared<[HandlerReference<Meddler>]>

  func connected(_ context: borrowing HandlerContext<LineFraming>) {
    room.join(context)
    let me = context.reference(to: self)
    references.change { $0.append(me) }
  }

  func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    try room.offer(line)
  }

  func closed(_ reason: CloseReason) {
    for reference in references.value {
      reference.perform { _, context in try context.send("somebody left") }
    }
    _ = try? room.offer("somebody has left")
    server.limits.idle = .seconds(60)
    _ = (server.snapshot, server.totals, server.connectionCount)
  }
}

@Suite("Hostile use of a server", .timeLimit(.minutes(4)))
struct HostileUseTests {
  @Test("a handler that throws ends its connection, whichever callback it is, and once", arguments: [0, 1])
  func throwing(round: Int) async throws {
    for callback in Thrower.Callback.allCases {
      let log = EventLog()
      let clock = ManualClock()
      try await withAuditedLoops(clock: clock) { _ in
        let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
        async let running: Void = server.run(handledBy: Thrower(callback: callback), framing: .lines)
        let peer = try await server.connect(receiveBuffer: 4096)
        if callback != .connected { try peer.send("go\n") }
        if callback == .endOfInput { try peer.halfClose() }
        if callback == .timedOut {
          try await eventually("it has begun") { server.totals.bytesRead == 3 }
          clock.advance(by: .seconds(1))
        }
        let ending = try await onThread { try peer.receiveToEnding().ending }
        #expect(ending == .end)
        peer.close()
        try await log.untilClosed(1)
        await server.drain()
        try await running
      }
      #expect(log.failures == [callback.rawValue])
      #expect(log.reasons == [.handlerThrew(callback.rawValue)])
    }
  }

  @Test("whatever the last callback does, and whenever references are used, nothing traps and nobody is lost")
  func lastCallback() async throws {
    let references = Shared<[HandlerReference<Meddler>]>([])
    try await withAuditedLoops(count: 2) { _ in
      let room = Broadcast(LineFraming(), slowConsumers: .dropNewest)
      let server = try await TCPServer.bind(on: .loopback())
      async let running: Void = server.run(
        handledBy: Meddler(server: server, room: room, references: references), framing: .lines)
      let peers = try await server.connect(count: 20)
      try await eventually("all are in") { room.count == 20 }
      for (number, peer) in peers.enumerated() {
        if number % 3 == 0 { try peer.reset() }
        if number % 3 == 1 { peer.close() }
      }
      try await eventually("two thirds are out") { room.count == 6 }
      let dead = references.value.filter(\.isClosed)
      #expect(dead.count == 14)
      for reference in dead { reference.perform { _, _ in Issue.record("it is closed") } }
      let delivery = try await room.send("who is left?")
      #expect(delivery.delivered.count == 6)
      await server.drain()
      try await running
      for peer in peers { peer.close() }
      for reference in references.value { reference.perform { _, _ in Issue.record("it is closed") } }
      references.set([])
    }
  }

  @Test("its hook may ask and change the server, whatever it is told of")
  func meddlingHook() async throws {
    let server = Shared<TCPServer?>(nil)
    let events = Shared(0)
    try await withAuditedLoops { _ in
      var configuration = TCPServer.Configuration()
      configuration.onEvent = { event in
        events.increase()
        guard let server = server.value else { return }
        _ = (server.snapshot, server.totals)
        server.limits.connections = events.value % 2 == 0 ? 5 : 6
        if case .closed = event { server.beginDrain() }
      }
      try await withServer(framing: .lines, configuration: configuration, handler: echo) { running in
        server.set(running)
        let peer = try await running.connect()
        #expect(try await peer.ask("hello") == "hello")
        peer.close()
        try await untilRefused(running.address)
      }
      server.set(nil)
    }
    #expect(events.value >= 3)
  }

  @Test("values at the ends of their types are refused in words, or work", arguments: [false, true])
  func extremes(isLive: Bool) async throws {
    let log = EventLog()
    var limits = TCPServer.Limits.public
    (limits.connections, limits.connectionsPerPeer) = (.max, .max)
    limits.acceptRate = AcceptRate(perSecond: 1_000_000, burst: 1_000_000)
    let long = Duration.seconds(Int64.max)
    (limits.admission, limits.firstByte, limits.message, limits.idle, limits.writeStall) = (
      long, long, long, long, long
    )
    limits.minimumRate = MinimumRate(bytesPerSecond: .max, over: long)
    let configuration = log.configuration {
      if !isLive { $0.limits = limits }
      $0.backlog = .max
    }
    try await withAuditedLoops { [limits] _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      async let running: Void = server.run(framing: .lines, admitting: { _ in }) { lines, _ in
        if isLive { server.limits = limits }
        for try await line in lines.inbound { try await lines.send(line) }
      }
      let peer = try await server.connect()
      #expect(try await peer.ask("hello") == "hello")
      // In the middle of a message.
      try peer.send("be")
      try await eventually("it is read") { server.totals.bytesRead == 8 }
      #expect(try await peer.ask("gun") == "begun")
      for number in [-1, .min] {
        server.limits.connections = number
        server.limits.connectionsPerPeer = number
        server.limits.idle = .seconds(Int64(number))
        server.limits.acceptRate = AcceptRate(perSecond: number, burst: number)
      }
      #expect(server.limits == limits)
      peer.close()
      server.beginDrain(deadline: long)
      server.beginDrain(deadline: .zero - long)
      try await running
    }
    #expect(log.events.count { if case .limitsRefused = $0 { true } else { false } } == 8)
  }

  @Test("clients that end their streams at once, by the hundred, are answered and leave nothing")
  func halfClosed() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: .lines, configuration: log.configuration(), handler: echo) { server in
        let peers = try await server.connect(count: 200)
        for (number, peer) in peers.enumerated() {
          if number % 2 == 0 { try peer.send("last words") }
          try peer.halfClose()
        }
        try await onThread {
          for (number, peer) in peers.enumerated() {
            try peer.expectEnd(after: number % 2 == 0 ? "last words\n" : "")
            peer.close()
          }
        }
        try await log.untilClosed(200)
      }
    }
    #expect(log.reasons.allSatisfy { $0 == .closedByPeer })
  }
}
