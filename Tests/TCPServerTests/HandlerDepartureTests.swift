import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

/// How a peer goes while the handler waits for something else.
enum Departure: CaseIterable {
  case reset, close, unixClose

  func carryOut(_ peer: BlockingPeer) throws {
    if self == .reset { try peer.reset() } else { peer.close() }
  }

  var reason: CloseReason { self == .reset ? .reset : .closedByPeer }

  /// What of it counts for `onReset`: TCP can't tell a close from the end of a stream.
  var isHangUp: Bool { self != .close }
}

@Suite("A handler that waits for something else when its peer goes", .timeLimit(.minutes(4)))
struct HandlerDepartureTests {
  @Test(
    "is cancelled if the configuration says so, and the reason is what the peer did (P44)",
    arguments: Departure.allCases, [TCPServer.HandlerCancellation.onReset, .onEndOfStream])
  func cancelled(_ departure: Departure, _ cancellation: TCPServer.HandlerCancellation) async throws {
    let log = EventLog()
    let door = Door()
    let ends = Shared<[String]>([])
    try await withAuditedLoops(clock: ManualClock()) { loops in
      try await withUnixOrTCP(departure) { address, connect in
        let configuration = log.configuration { $0.cancelsHandlers = cancellation }
        try await withServer(on: address, framing: .lines, configuration: configuration) { connection in
          #expect(try await connection.next() == "hello")
          try await connection.send("welcome")
          do {
            // In a child of its own, to see that those are cancelled as well.
            async let end: Void = door.pass(on: connection.loop)
            try await end
            ends.change { $0.append("opened") }
          } catch {
            ends.change { $0.append("\(type(of: error))") }
            throw error
          }
        } body: { server in
          let peer = try await connect(server)
          #expect(try await peer.ask("hello") == "welcome")
          try departure.carryOut(peer)
          if cancellation == .onReset, !departure.isHangUp {
            for _ in 0..<5 { await loops.loops[0].nextTurn() }
            door.open()
          }
          try await eventually("the handler has left: \(ends.value)") { ends.value.count == 1 }
        }
      }
    }
    let isCancelled = departure.isHangUp || cancellation == .onEndOfStream
    #expect(ends.value == [isCancelled ? "CancellationError" : "opened"])
    #expect(log.reasons == [isCancelled ? departure.reason : .closed])
    #expect(log.failures == [])
  }

  /// Runs `body` with where to listen, and how to connect there.
  private func withUnixOrTCP(
    _ departure: Departure,
    _ body: (SocketAddress, @escaping @Sendable (TCPServer) async throws -> BlockingPeer) async throws -> Void
  ) async throws {
    guard departure == .unixClose else { return try await body(.loopback()) { try await $0.connect() } }
    let path = "/tmp/departure-\(UInt64.random(in: 0 ... .max)).sock"
    try await body(.unix(path: path)) { _ in try await onThread { try .connect(unixPath: path) } }
  }

  @Test("goes on, by default, and learns of it by itself")
  func never() async throws {
    let log = EventLog()
    let door = Door()
    let ends = Shared<[String]>([])
    try await withAuditedLoops { loops in
      try await withServer(framing: .lines, configuration: log.configuration()) { connection in
        try await connection.send("welcome")
        try await door.pass(on: connection.loop)
        ends.change { $0.append("opened") }
        _ = try await connection.next()
      } body: { server in
        let peer = try await server.connect()
        try await onThread { try peer.expectLine("welcome") }
        try peer.reset()
        for _ in 0..<10 { await loops.loops[0].nextTurn() }
        #expect(ends.value == [])
        door.open()
        try await log.untilClosed(1)
      }
    }
    #expect(ends.value == ["opened"])
    #expect(log.reasons == [.reset])
  }

  @Test("answers a peer that has only ended its stream, unless that is asked for")
  func halfClosed() async throws {
    let log = EventLog()
    let door = Door()
    let configuration = log.configuration { $0.cancelsHandlers = .onReset }
    try await withAuditedLoops { loops in
      try await withServer(framing: .lines, configuration: configuration) { connection in
        for try await line in connection.inbound {
          try await door.pass(on: connection.loop)
          try await connection.send(line)
        }
      } body: { server in
        let peer = try await server.connect()
        try peer.send("hello\nagain\n")
        try peer.halfClose()
        try await eventually("it has arrived") { server.totals.bytesRead == 12 }
        for _ in 0..<5 { await loops.loops[0].nextTurn() }
        door.open()
        try await onThread { try peer.expectEnd(after: "hello\nagain\n") }
        peer.close()
      }
    }
    #expect(log.reasons == [.closedByPeer])
  }

  @Test("has read all that came before the end, or had the chance, when that cancels it")
  func unread() async throws {
    let log = EventLog()
    let door = Door()
    let read = Shared<[String]>([])
    let configuration = log.configuration { $0.cancelsHandlers = .onEndOfStream }
    try await withAuditedLoops(clock: ManualClock()) { loops in
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      async let running: Void = server.run { connection in
        while let text = try await connection.read(atMost: 4) {
          read.change { $0.append(String(decoding: text, as: UTF8.self)) }
          if read.value.count == 1 { try await door.pass(on: connection.loop) }
          if read.value.count == 3 { try await connection.loop.sleep(for: .seconds(3600)) }
        }
      }
      let peer = try await server.connect()
      try peer.send("one two six ")
      try peer.halfClose()
      try await eventually("it reads") { read.value.count == 1 }
      for _ in 0..<5 { await loops.loops[0].nextTurn() }
      #expect(read.value == ["one "])
      door.open()
      try await log.untilClosed(1)
      peer.close()
      await server.drain()
      try await running
    }
    #expect(read.value == ["one ", "two ", "six "])
    #expect(log.reasons == [.closedByPeer])
  }

  @Test("which it has closed to by itself, is left to do what it has to")
  func ownClose() async throws {
    let log = EventLog()
    let door = Door()
    let ends = Shared<[String]>([])
    let configuration = log.configuration { $0.cancelsHandlers = .onEndOfStream }
    try await withAuditedLoops { loops in
      try await withServer(framing: .lines, configuration: configuration) { connection in
        try await connection.send("goodbye")
        await connection.close()
        try await door.pass(on: connection.loop)
        ends.change { $0.append("opened") }
      } body: { server in
        let peer = try await server.connect()
        try await onThread { try peer.expectEnd(after: "goodbye\n") }
        try peer.reset()
        for _ in 0..<5 { await loops.loops[0].nextTurn() }
        door.open()
        try await log.untilClosed(1)
      }
    }
    #expect(ends.value == ["opened"])
  }

  @Test("is cancelled, too, when a limit ends the connection, and that stays the reason")
  func limit() async throws {
    let log = EventLog()
    let clock = ManualClock()
    let isWaiting = Shared(false)
    let configuration = log.configuration { $0.cancelsHandlers = .onReset }
    try await withAuditedLoops(clock: clock) { _ in
      try await withServer(framing: .lines, configuration: configuration) { connection in
        _ = try connection.connection.offer([UInt8](repeating: 1, count: 20_000_000))
        isWaiting.set(true)
        try await connection.loop.sleep(for: .seconds(3600))
      } body: { server in
        let peer = try await server.connect(receiveBuffer: 4096)
        try await eventually("it waits") { isWaiting.value && server.snapshot.connections[0].bytesQueued > 0 }
        clock.advance(by: .seconds(30))
        try await log.untilClosed(1)
        peer.close()
      }
    }
    #expect(log.reasons == [.limit(.writeStall)])
    #expect(log.limits == [.writeStall])
  }

  @Test("is not started, or is cancelled, when it was reset before it was accepted")
  func early() async throws {
    let log = EventLog()
    let configuration = log.configuration { $0.cancelsHandlers = .onReset }
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      let peers = try await server.connect(count: 50)
      for (number, peer) in peers.enumerated() {
        if number % 2 == 0 { try peer.send("unread\n") }
        try peer.reset()
      }
      try await withRunning(server, framing: .lines) { connection in
        try await connection.loop.sleep(for: .seconds(3600))
      } body: { server in
        try await eventually("all are gone: \(log.events)") {
          log.reasons.count + log.refusals.count == peers.count
        }
      }
    }
    #expect(log.reasons.allSatisfy { $0 == .reset })
    #expect(log.reasons.count >= 25)
  }

  @Test("hears of a reset below a transport of its own, from the first byte on")
  func upgraded() async throws {
    let log = EventLog()
    let isWaiting = Shared(false)
    let configuration = log.configuration { $0.cancelsHandlers = .onReset }
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      async let running: Void = server.run(admitting: { applicant in
        applicant.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 7)) }
      }) { connection, _ in
        isWaiting.set(true)
        try await connection.loop.sleep(for: .seconds(3600))
      }
      let peer = try await server.connect()
      try await eventually("it waits") { isWaiting.value }
      try peer.reset()
      try await log.untilClosed(1)
      await server.drain()
      try await running
    }
    #expect(log.reasons == [.reset])
  }

  @Test("of any number, each is cancelled within its link's latency, whatever else goes on (P44)")
  func simulated() async throws {
    for seed in 0..<(isSlowRun ? 200 : 5) as Range<UInt64> {
      try await withSimulation(seed: seed) { world in try await Self.system(world) }
    }
  }

  private static func system(_ world: SimulatedWorld) async throws {
    let host = world.host("server")
    let gone = Shared<[SocketAddress: Duration]>([:])
    let ends = Shared<[Duration]>([])
    let server = try await host.run {
      var configuration = TCPServer.Configuration()
      configuration.cancelsHandlers = .onEndOfStream
      return try await TCPServer.bind(on: .any(port: 7), configuration: configuration)
    }
    host.start {
      try await server.run(framing: .lines) { connection in
        _ = try await connection.next()
        await #expect(throws: CancellationError.self) { try await world.sleep(for: .seconds(3600)) }
        let left = try #require(connection.peerAddress.flatMap { gone.value[$0] })
        ends.change { $0.append(world.elapsed - left) }
      }
    }
    try await withThrowingTaskGroup { group in
      for number in 0..<20 {
        group.addTask {
          try await world.host("client\(number)").run {
            let connection = try await Connector().connect(to: "server", port: 7)
            try await connection.send("hello\n")
            try await world.sleep(for: world.random(in: .milliseconds(100) ... .seconds(10)))
            let address = try #require(connection.localAddress)
            gone.change { $0[address] = world.elapsed }
            if number % 2 == 0 { connection.abort() } else { await connection.close() }
          }
        }
      }
      try await group.waitForAll()
    }
    let report = await server.drain()
    #expect(report.cut == [])
    #expect(ends.value.count == 20)
    #expect(ends.value.allSatisfy { $0 <= .milliseconds(50) })
    figure(
      "P44", "cancelled after its peer had gone, 20 of 20 within", ends.value.max()?.inMilliseconds ?? "-")
  }
}
