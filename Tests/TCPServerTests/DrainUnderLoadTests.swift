import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Draining under load", .serialized, .timeLimit(.minutes(10)))
struct DrainUnderLoadTests {
  /// What each request takes on the wire: `0017\n`.
  private static let length = 5

  @Test(
    "no reply is lost to a request that the server had read, none is cut short, nobody is left in silence (P70)"
  )
  func realSockets() async throws {
    let (rounds, clients, requests) = isSlowRun ? (100, 200, 20) : (3, 40, 10)
    for round in 0..<rounds {
      var random = SeededGenerator(seed: UInt64(round))
      let instant = Int.random(in: 1...(clients * requests), using: &random)
      try await withAuditedLoops(count: 2) { _ in
        try await drain(after: instant, clients: clients, requests: requests, longestWork: isSlowRun ? 50 : 2)
      }
    }
  }

  /// Drains once so many requests have been read.
  private func drain(after instant: Int, clients: Int, requests: Int, longestWork: Int) async throws {
    let taken = Shared<[UInt16: Int]>([:])
    let read = Shared<[UInt16: UInt64]>([:])
    let server = try await TCPServer.bind(on: .ownLoopback())
    async let running: Void = server.run(framing: LineFraming()) { connection in
      let port = connection.peerAddress?.port ?? 0
      for try await request in connection.inbound {
        let isTheInstant = taken.change {
          $0[port, default: 0] += 1
          return $0.values.reduce(0, +) == instant
        }
        if isTheInstant {
          for snapshot in server.snapshot.connections {
            read.change { $0[snapshot.peerAddress?.port ?? 0] = snapshot.counters.bytesRead }
          }
          server.beginDrain(deadline: .seconds(60))
        }
        // The work; it is different for every request.
        try await connection.loop.sleep(for: .milliseconds(Int.random(in: 0...longestWork)))
        try await connection.send("reply " + request)
      }
    }
    let pipeline = (0..<requests).map { "\(10_000 + $0)".dropFirst() + "\n" }.joined()
    let peers = try await server.connect(count: clients)
    try await onThread {
      for peer in peers { try peer.send(pipeline) }
    }
    // Beside them, others come: they are served, refused, or see the end.
    try await onThread { [address = server.address] in
      for _ in 0..<20 {
        do {
          let late = try BlockingPeer.connect(port: address.port ?? 0, host: address.host)
          defer { late.close() }
          try late.send(pipeline)
          try late.halfClose()
          _ = try late.receiveToEnding()
        } catch PeerError.failed {}
      }
    }
    for peer in peers {
      let (bytes, ending) = try await onThread { try peer.receiveToEnding() }
      let replies = String(decoding: bytes, as: UTF8.self)
      let count = replies.split(separator: "\n").count
      let port = try peer.localPort
      peer.close()
      let wanted = (0..<count).map { "reply \("\(10_000 + $0)".dropFirst())\n" }.joined()
      #expect(replies == wanted)
      #expect(ending == .end)
      #expect(count == taken.value[port] ?? 0)
      #expect(UInt64(count) >= (read.value[port] ?? 0) / UInt64(Self.length))
    }
    let report = await server.drain()
    try await running
    let answers = taken.value.values.reduce(0, +)
    figure("P70", "requests that were taken when it drained, lost, cut short", "\(answers), 0, 0")
    #expect(report.cut == [])
  }

  @Test("nor in a network where everything takes its time, whatever the order (P70)")
  func simulated() async throws {
    for seed in 0..<(isSlowRun ? 500 : 15) as Range<UInt64> {
      try await withSimulation(seed: seed) { world in try await Self.system(world) }
    }
  }

  private static func system(_ world: SimulatedWorld) async throws {
    let host = world.host("server")
    let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
    let taken = Shared<[SocketAddress: Int]>([:])
    let read = Shared<[SocketAddress: UInt64]>([:])
    host.start {
      try await server.run(framing: .lines) { connection in
        for try await request in connection.inbound {
          if let peer = connection.peerAddress { taken.change { $0[peer, default: 0] += 1 } }
          try await world.sleep(for: world.random(in: .zero ... .milliseconds(50)))
          try await connection.send("reply " + request)
        }
      }
    }
    try await withThrowingTaskGroup { group in
      for number in 0..<20 {
        group.addTask {
          try await world.host("client\(number)").run { try await talk(world, taken, read) }
        }
      }
      group.addTask {
        try await world.sleep(for: world.random(in: .zero ... .milliseconds(400)))
        for connection in server.snapshot.connections {
          guard let peer = connection.peerAddress else { continue }
          read.change { $0[peer] = connection.counters.bytesRead }
        }
        let report = await server.drain(deadline: .seconds(60))
        #expect(report.cut == [])
      }
      try await group.waitForAll()
    }
  }

  private static func talk(
    _ world: SimulatedWorld, _ taken: Shared<[SocketAddress: Int]>, _ read: Shared<[SocketAddress: UInt64]>
  ) async throws {
    try await world.sleep(for: world.random(in: .zero ... .milliseconds(300)))
    let connection: Connection
    do {
      connection = try await Connector().connect(to: "server", port: 7)
    } catch is SocketError {
      return  // refused
    }
    let lines = connection.framed(.lines)
    let address = try #require(lines.localAddress)
    try await withThrowingTaskGroup { group in
      group.addTask {
        for number in 0..<10 {
          do { try await lines.send("\("\(10_000 + number)".dropFirst())") } catch is SocketError { return }
          try await world.sleep(for: world.random(in: .zero ... .milliseconds(20)))
        }
      }
      var count = 0
      do {
        while let reply = try await lines.next(deadline: .after(.seconds(90))), count < 10 {
          #expect(reply == "reply \("\(10_000 + count)".dropFirst())")
          count += 1
          if count == 10 { break }
        }
      } catch SocketError.reset {
        // Whoever came too late for the accept queue: the listener closed with them in it.
        #expect(count == 0)
      }
      #expect(count == taken.value[address] ?? 0)
      #expect(UInt64(count) >= (read.value[address] ?? 0) / UInt64(length))
      try await group.waitForAll()
    }
    await connection.close()
  }

  @Test("the deadline is kept to the nanosecond: cancelled at it, aborted a second later (P71)")
  func deadline() async throws {
    for seed in 0..<5 as Range<UInt64> {
      try await withSimulation(seed: seed) { world in
        let host = world.host("server")
        let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
        host.start {
          try await server.run(framing: .lines) { connection in
            if try await connection.next() == "stuck" { return try await world.sleep(for: .seconds(3600)) }
            // To a host that has gone, without an end.
            while true { try await connection.send(String(repeating: "x", count: 10_000)) }
          }
        }
        var clients: [Connection] = []
        for name in ["stuck", "stuck", "gone"] {
          let client = world.host(name + "\(clients.count)")
          let connection = try await client.run { try await Connector().connect(to: "server", port: 7) }
          try await connection.send(name + "\n")
          clients.append(connection)
        }
        try await world.sleep(for: .seconds(1))
        world.partition(between: world.host("gone2"), and: host)
        let report = await server.drain(deadline: .seconds(5))
        #expect(report.duration == .seconds(6))
        figure(
          "P71", "a drain of 5 s, with handlers that are stuck and output that nobody takes", report.duration)
        #expect(report.count(of: .cancelled) == 2)
        #expect(report.count(of: .aborted) == 1)
        let gone = try #require(report.connections.first { $0.outcome == .aborted })
        #expect(gone.bytesUnsent > 0)
        for connection in clients { connection.abort() }
      }
    }
  }
}
