import AsyncSockets
import TestHarness
import Testing

/// What a simulation tells of what has happened in it.
@Suite struct SimulationReportTests {
  private struct Oops: Error {}

  private func failure(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Void
  ) async throws -> SimulationFailure {
    try #require(
      await #expect(throws: SimulationFailure.self) {
        try await withSimulation(seed: 9, faults: .none, body)
      })
  }

  @Test("the trace names connections, both ends of one alike, and how much was moved")
  func connections() async throws {
    let failure = try await failure { world in
      for _ in 0..<2 {
        let pair = try await SimulatedPair.connect(world)
        try await pair.near.send("hello")
        _ = try await pair.far.read(exactly: 5)
        await pair.close()
      }
      throw Oops()
    }
    let trace = failure.trace.joined(separator: "\n")
    for line in [
      "server: listen(0.0.0.0:7)\n", "client: connect(10.0.0.2:7) = #1 client→server\n",
      "server: accept(10.0.0.2:7) = #1 client→server\n", "client: write(#2 client→server) = 5\n",
      "server: data (5 bytes) arrives on #2 client→server\n", "server: read(#2 client→server) = 5\n",
    ] {
      #expect(trace.contains(line), "\(line) in \(trace)")
    }
  }

  @Test("an error of a call has its name")
  func errors() async throws {
    let failure = try await failure { world in
      let pair = try await SimulatedPair.connect(world)
      defer { pair.abort() }
      world.resetConnections(between: world.host("client"), and: world.host("server"))
      _ = try? await pair.far.read()
      throw Oops()
    }
    #expect("\(failure)".contains("server: read(#1 client→server) = ECONNRESET"))
    #expect("\(failure)".contains("connections between client and server are reset: #1 client→server"))
  }

  @Test("what disturbed the network is told however long ago it was")
  func disturbances() async throws {
    let failure = try await failure { world in
      let (client, server) = (world.host("client"), world.host("server"))
      try await world.sleep(for: .seconds(1))
      world.partition(between: client, and: server)
      try await world.sleep(for: .seconds(1))
      world.heal(between: client, and: server)
      try world.setConditions(LinkConditions(latency: .milliseconds(40)), between: client, and: server)
      for _ in 0..<5000 { world.note("something else") }
      throw Oops()
    }
    let text = "\(failure)"
    #expect(text.contains("\n  1.000000000 s  client and server are cut off from each other\n"))
    #expect(text.contains("\n  2.000000000 s  client and server reach each other again\n"))
    #expect(text.contains("a latency of 40 ms, a jitter of 100 µs\n  …\n"))
    #expect(text.hasPrefix("the simulation with seed 9 failed after 2.0 s: "))
  }

  @Test("the trace says where the body has thrown, before what was closed for it")
  func thrown() async throws {
    let failure = try await failure { world in
      world.host("server").start {
        let listener = try Listener.bind(to: .any(port: 7), on: world.loop)
        defer { listener.close() }
        try await world.sleep(for: .seconds(60))
      }
      try await world.sleep(for: .seconds(1))
      throw Oops()
    }
    let place = try #require(failure.trace.firstIndex { $0.hasSuffix("the body has thrown: Oops()") })
    #expect(failure.trace[place...].contains { $0.contains("close(") })
    #expect(!failure.trace[..<place].contains { $0.contains("close(") })
  }

  @Test("where nothing has happened there is no heading for it")
  func nothing() async throws {
    let failure = try await failure { _ in throw Oops() }
    #expect(failure.trace.isEmpty)
    #expect(!"\(failure)".contains("happened"))
  }

  @Test("a connection that nobody closes is named, with whose end it was")
  func dropped() async throws {
    let failure = try await failure { world in
      let pair = try await SimulatedPair.connect(world)
      await pair.near.close()
      _ = try await pair.far.read()
    }
    #expect("\(failure.underlying)".contains("1 connection dropped without close() or abort()"))
    #expect("\(failure.underlying)".contains("#1 client→server, by server at "))
    #expect("\(failure)".contains("server: drop(#1 client→server)"))
  }

  @Test("who knocks where nobody is, is told that the real network cannot be reached")
  func outside() async throws {
    let refused = try await failure { _ in _ = try await Connection.connect(to: .loopback(port: 4711)) }
    #expect(
      "\(refused)".contains(
        "#1 localhost→localhost is refused: nobody in the simulation listens on 127.0.0.1:4711 of localhost, and "
          + "servers outside of it cannot be reached from inside"))
    let unknown = try await failure { _ in
      _ = try await Connection.connect(to: try SocketAddress(host: "192.0.2.1", port: 80))
    }
    #expect("\(unknown)".contains("#1 localhost→192.0.2.1:80 is not answered: no host of the simulation"))
  }

  @Test(
    "a name that no host can have ends the simulation", arguments: ["", "two words", "10.0.0.1", "::1", "42"])
  func names(name: String) async throws {
    let failure = try await failure { world in _ = world.host(name) }
    let error = try #require(failure.underlying as? SimulationError)
    #expect("\(error)".contains(name.debugDescription))
    #expect("\(error)".contains("call it \"server-1\""))
  }
}
