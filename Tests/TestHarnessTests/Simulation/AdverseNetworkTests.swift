import AsyncSockets
import TestHarness
import Testing

/// What networks do beside being slow and being cut.
@Suite struct AdverseNetworkTests {
  /// Gives up when the kernel does.
  private static var patient: Connector {
    var connector = Connector()
    connector.deadline = .never
    return connector
  }

  // MARK: One-way partitions

  @Test("across a one-way partition data arrives, and its sender gives up all the same")
  func oneWay() async throws {
    try await withSimulatedPair { world, pair in
      let (client, server) = (world.host("client"), world.host("server"))
      world.partition(from: server, to: client)
      let begin = world.elapsed
      try await pair.near.send("hello")
      #expect(try await pair.far.read(exactly: 5) == Array("hello".utf8))
      #expect(world.elapsed - begin < .seconds(1))
      await #expect { try await pair.near.read() } throws: { "\($0)".contains("ETIMEDOUT") }
      let time = world.elapsed - begin
      #expect(time > .seconds(924) && time < .seconds(926), "\(time)")
    }
  }

  @Test("a one-way partition that heals in time has held back the answers, and no more")
  func healedOneWay() async throws {
    try await withSimulatedPair { world, pair in
      let (client, server) = (world.host("client"), world.host("server"))
      world.partition(from: server, to: client)
      try await pair.near.send("hello")
      #expect(try await pair.far.read(exactly: 5) == Array("hello".utf8))
      try await pair.far.send("and back")
      await #expect(throws: SocketError.self) { try await pair.near.read(deadline: .after(.seconds(60))) }
      world.heal(from: server, to: client)
      #expect(try await pair.near.read(exactly: 8) == Array("and back".utf8))
      try await world.sleep(for: .seconds(1000))
      try await pair.near.send("still there")
      #expect(try await pair.far.read(exactly: 11) == Array("still there".utf8))
    }
  }

  @Test("who connects, and never hears the answer, gives up after 127 s")
  func connectingOneWay() async throws {
    try await withSimulation(seed: 1) { world in
      let (client, server) = (world.host("client"), world.host("server"))
      let listener = try await server.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      defer { listener.close() }
      world.partition(from: server, to: client)
      let patient = Self.patient
      let begin = world.elapsed
      let target = server.address.withPort(7)
      let error = await #expect(throws: SocketError.self) {
        try await client.run { _ = try await patient.connect(to: target) }
      }
      #expect("\(error as Any)".contains("ETIMEDOUT"))
      let time = world.elapsed - begin
      #expect(time > .seconds(126) && time < .seconds(128), "\(time)")
    }
  }

  // MARK: Resets

  @Test("a reset that is lost is not repeated: the other side notices when it sends")
  func lostReset() async throws {
    try await withSimulatedPair { world, pair in
      let (client, server) = (world.host("client"), world.host("server"))
      world.partition(between: client, and: server)
      pair.near.abort()
      world.heal(between: client, and: server)
      let error = await #expect(throws: SocketError.self) {
        try await pair.far.read(deadline: .after(.seconds(3600)))
      }
      #expect(error.map { "\($0)".contains("deadline") } == true)
      try await pair.far.send("are you there?")
      await #expect { try await pair.far.read() } throws: { "\($0)".contains("ECONNRESET") }
    }
  }

  @Test("a request to connect and an end of stream that are lost are sent again", arguments: 0..<5)
  func lostEnds(seed: UInt64) async throws {
    let conditions = LinkConditions(loss: 0.3)
    try await withSimulatedPair(seed: seed, conditions: conditions) { world, pair in
      try await pair.near.finishWriting()
      #expect(try await pair.far.read() == nil)
      try await pair.far.finishWriting()
      #expect(try await pair.near.read() == nil)
    }
  }

  // MARK: A full accept queue

  @Test("a full accept queue drops who connects, who tries again after 1 s, 3 s, 7 s …")
  func fullQueue() async throws {
    try await withSimulation(seed: 1) { world in
      let (client, server) = (world.host("client"), world.host("server"))
      let listener = try await server.run {
        try Listener.bind(to: .any(port: 7), on: world.loop, backlog: 1)
      }
      defer { listener.close() }
      let target = server.address.withPort(7)
      try await client.run {
        let patient = Self.patient
        // With a backlog of one, two are queued.
        var queued: [Connection] = []
        for _ in 0..<2 { queued.append(try await patient.connect(to: target)) }
        let begin = world.elapsed
        async let second = patient.connect(to: target)
        try await world.sleep(for: .seconds(5))
        let accepted = try await listener.accept(on: world.loop)
        let connection = try await second
        let time = world.elapsed - begin
        #expect(time > .seconds(7) && time < .seconds(8), "\(time)")
        let late = world.elapsed
        var error = ""
        do { try await patient.connect(to: target).abort() } catch let thrown { error = "\(thrown)" }
        #expect(error.contains("ETIMEDOUT"))
        let patience = world.elapsed - late
        #expect(patience > .seconds(126) && patience < .seconds(128), "\(patience)")
        for end in queued + [accepted, connection] { end.abort() }
      }
    }
  }

  // MARK: Names

  @Test("names are unknown, fail for a time, take long, and lead elsewhere")
  func names() async throws {
    try await withSimulation(seed: 1) { world in
      let (server, other) = (world.host("server"), world.host("other"))
      let listener = try await other.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      defer { listener.close() }
      await world.host("client").run {
        func problem() async -> String {
          do {
            try await Connector().connect(to: "server", port: 7).abort()
            return "none"
          } catch {
            return "\(error)"
          }
        }
        #expect(await problem().contains("ECONNREFUSED"))
        world.setResolution(of: "server", to: .temporaryFailure)
        #expect(await problem().contains("EAI_AGAIN"))
        world.setResolution(of: "server", to: .notFound)
        #expect(await problem().contains("EAI_NONAME"))
        world.setResolution(of: "server", to: .addresses([other.address]), after: .seconds(3))
        let begin = world.elapsed
        #expect(await problem() == "none")
        #expect(world.elapsed - begin > .seconds(3))
        world.setResolution(of: "server", to: .host, after: .seconds(60))
        #expect(await problem().contains("deadline"))
        _ = server
      }
    }
  }

  // MARK: Clocks

  @Test(
    "each host has a clock of its own, which may be wrong and run fast; what measures time does not see it")
  func clocks() async throws {
    try await withSimulation(seed: 1) { world in
      let (fast, behind) = (world.host("fast"), world.host("behind"))
      fast.setClock(offset: .seconds(5), drift: 0.25)
      behind.setClock(offset: .seconds(-60))
      #expect(fast.clock.now.nanoseconds == 5_000_000_000)
      try await world.sleep(for: .seconds(100))
      #expect(fast.clock.now.nanoseconds == 130_000_000_000)
      #expect(behind.clock.now.nanoseconds == 40_000_000_000)
      #expect(world.host("right").clock.now.nanoseconds == 100_000_000_000)
      behind.moveClock(by: .seconds(-30))
      #expect(behind.clock.now.nanoseconds == 10_000_000_000)

      let begin = world.elapsed
      try await fast.clock.sleep(for: .seconds(10))
      #expect(world.elapsed - begin == .seconds(8))
      try await fast.run { try await Task.sleep(for: .seconds(10)) }
      try await fast.run { try await world.loop.clock.sleep(for: .seconds(10)) }
      #expect(world.elapsed - begin == .seconds(28))
    }
    let failure = await #expect(throws: SimulationFailure.self) {
      try await withSimulation(seed: 1) { world in world.host("mad").setClock(offset: .zero, drift: -1) }
    }
    let text = failure.map { "\($0.underlying)" } ?? ""
    #expect(text.contains("a share of -1.0"))
  }
}
