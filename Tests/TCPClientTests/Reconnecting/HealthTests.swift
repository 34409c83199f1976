import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A connection is healthy")
struct HealthTests {
  /// Half seconds from the connecting to the proof of health, for each connection to a server that sends "a", and the
  /// rest of a line a second later. The policy allows three in a row without a proof; the sixth fails at once.
  private func proofs(
    _ proof: TCPClient.HealthProof, seed: UInt64 = 1, isFramed: Bool = true,
    body: @escaping @Sendable (TCPClient, Connection) async throws -> Void = { _, _ in }
  ) async throws -> (seconds: [Int?], states: [String]) {
    try await withSimulation(seed: seed) { world in
      try await world.host("server").serveLines { connection in
        try await connection.connection.send("a")
        try await world.sleep(for: .seconds(1))
        try await connection.send("b")
        _ = try await connection.next()
      }
      let log = ClientLog()
      let connected = Shared(Duration.zero)
      let proven = Shared<[Int?]>([])
      let configuration = log.configuration(.fixed(.seconds(1), attempts: 3)) { configuration in
        configuration.health = proof
        let record = configuration.onEvent
        configuration.onEvent = { event in
          record?(event)
          switch event {
          case .connected:
            connected.set(world.elapsed)
            proven.change { $0.append(nil) }
          case .healthy:
            proven.change {
              $0[$0.count - 1] = Int(((world.elapsed - connected.value) / .milliseconds(500)).rounded())
            }
          default: break
          }
        }
      }
      let client = TCPClient(to: "server", port: 7, configuration: configuration)
      let count = Shared(0)
      let talk: @Sendable (Connection) async throws -> Void = { connection in
        if count.increase() > 5 { throw Oops() }
        try await body(client, connection)
        try await world.sleep(for: .seconds(3))
      }
      do {
        if isFramed {
          try await client.run(framing: .lines) { connection in
            if proof == .input { _ = try await connection.next() }
            try await talk(connection.connection)
          }
        } else {
          try await client.run { connection in
            if proof == .input { _ = try await connection.read() }
            try await talk(connection)
          }
        }
      } catch is Oops {}
      if let disorder = log.disorder { throw Unordered(description: disorder) }
      return (proven.value, log.lines)
    }
  }

  private struct Unordered: Error, CustomStringConvertible { let description: String }

  @Test("when the first whole frame has been read")
  func firstFrame() async throws {
    #expect(try await proofs(.input).seconds == [2, 2, 2, 2, 2, 2])
  }

  @Test("when the first bytes have been read, without framing")
  func firstBytes() async throws {
    #expect(try await proofs(.input, isFramed: false).seconds == [0, 0, 0, 0, 0, 0])
  }

  @Test("when it has stood for as long as it shall, and not if it ends before")
  func age() async throws {
    #expect(try await proofs(.age(.seconds(2))).seconds == [4, 4, 4, 4, 4, nil])
    #expect(try await proofs(.age(.seconds(4))).seconds == [nil, nil, nil])
  }

  @Test("as soon as it stands, if that is to be enough")
  func connected() async throws {
    #expect(try await proofs(.connected).seconds == [0, 0, 0, 0, 0, 0])
  }

  @Test("when its body says so, and not otherwise")
  func marked() async throws {
    let marks = try await proofs(.marked) { client, connection in
      try await connection.loop.sleep(for: .seconds(1))
      client.markHealthy()
      client.markHealthy()
    }
    #expect(marks.seconds == [2, 2, 2, 2, 2, nil])
    #expect(try await proofs(.marked).seconds == [nil, nil, nil])
  }

  @Test("also when it is marked while everybody is being told that it stands, which comes first")
  func markedAtOnce() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 5) { world in
      try await world.host("server").serveEcho()
      let marked = Shared<TCPClient?>(nil)
      let configuration = log.configuration { configuration in
        configuration.health = .marked
        let record = configuration.onEvent
        configuration.onEvent = { event in
          if case .connected = event { marked.value?.markHealthy() }
          record?(event)
        }
      }
      let client = TCPClient(to: "server", port: 7, configuration: configuration)
      marked.set(client)
      let _: Bool = try await client.run { _ in .finish(true) }
    }
    #expect(log.lines.prefix(3) == ["connecting 1", "connected 1", "healthy 1"])
    #expect(log.disorder == nil)
  }

  @Test("and only then pauses begin from the shortest again")
  func pauses() async throws {
    for isHealthy in [false, true] {
      let log = ClientLog()
      try await withSimulation(seed: 3) { world in
        try await world.host("server").serveLines { connection in
          if isHealthy { try await connection.send("welcome") }
        }
        var policy = ReconnectPolicy()
        policy.jitter = .none
        let client = TCPClient(to: "server", port: 7, configuration: log.configuration(policy))
        let count = Shared(0)
        try? await client.run(framing: .lines) { connection in
          if count.increase() == 5 { throw Oops() }
          _ = try await connection.next()
        }
      }
      #expect(log.pauses == (isHealthy ? [2, 2, 2, 2] : [2, 4, 8, 16]).map { .seconds($0) })
    }
  }

  @Test("by a mark, and one that comes when it has gone marks nothing")
  func lateMark() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 4) { world in
      try await world.host("server").serveEcho()
      let client = TCPClient(
        to: "server", port: 7, configuration: log.configuration(.fixed(.seconds(5), attempts: 2)))
      client.markHealthy()
      async let run: Void = client.run(framing: .lines) { _ in }
      try await world.sleep(for: .seconds(3))
      client.markHealthy()
      try await run
      client.markHealthy()
    }
    #expect(!log.lines.contains { $0.hasPrefix("healthy") })
  }
}
