import AsyncSockets
import Framing
import TCPServer
import TestHarness
import Testing

@Suite struct SimulatedNetworkTests {
  // MARK: Links

  @Test("a packet takes the latency of its link, and at most the jitter more")
  func latency() async throws {
    let conditions = LinkConditions(latency: .milliseconds(80), jitter: .milliseconds(5))
    try await withSimulatedPair(faults: .none, conditions: conditions) { world, pair in
      for _ in 0..<20 {
        let begin = world.elapsed
        try await pair.near.send([1])
        #expect(try await pair.far.read() == [1])
        let time = world.elapsed - begin
        #expect(time >= .milliseconds(80) && time <= .milliseconds(85), "\(time)")
      }
    }
  }

  @Test("a megabyte at 100 kB/s takes ten seconds and a bit for the headers")
  func bandwidth() async throws {
    let conditions = LinkConditions(latency: .zero, jitter: .zero, bandwidth: 100_000)
    try await withSimulatedPair(faults: .none, conditions: conditions) { world, pair in
      let begin = world.elapsed
      async let sent: Void = pair.near.send([UInt8](repeating: 7, count: 1_000_000))
      #expect(try await pair.far.read(exactly: 1_000_000)?.count == 1_000_000)
      try await sent
      let time = world.elapsed - begin
      #expect(time > .seconds(10) && time < .seconds(11), "\(time)")
    }
  }

  @Test("what is lost on the way is sent again, and arrives whole and in order")
  func loss() async throws {
    let payload = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try await withSimulatedPair(conditions: LinkConditions(loss: 0.2)) { world, pair in
      let begin = world.elapsed
      async let sent: Void = pair.near.send(payload)
      #expect(try await pair.far.read(exactly: payload.count) == payload)
      try await sent
      #expect(world.elapsed - begin > .milliseconds(200))
    }
  }

  @Test("conditions that cannot be are refused, with the reason")
  func impossibleConditions() async throws {
    try await withSimulation(seed: 1) { world in
      let wrong: [(LinkConditions, String)] = [
        (LinkConditions(latency: .seconds(-1)), "a latency must not be negative, but is -1.0 seconds"),
        (
          LinkConditions(latency: .seconds(Int64.max), jitter: .seconds(Int64.max)),
          "a latency must be at most 365 days, but is 9223372036854775807 seconds"
        ),
        (LinkConditions(bandwidth: 0), "a bandwidth must be at least 1 byte a second, but is 0"),
        (LinkConditions(loss: 1), "a loss must be at least 0 and less than 1, but is 1.0"),
      ]
      for (conditions, text) in wrong {
        #expect(throws: SimulationError.invalid(text)) { try world.setConditions(conditions) }
      }
    }
  }

  @Test("shares of faults that would let no call succeed are refused")
  func impossibleFaults() async throws {
    let text = "the share of interrupted calls must be at least 0 and less than 1, but is 1.0"
    await #expect(throws: SimulationError.invalid(text)) {
      try await withSimulation(seed: 1, faults: SystemCallFaults(interrupted: 1)) { _ in }
    }
  }

  // MARK: Partitions

  @Test("a partition holds data back, and healing lets it through when TCP next repeats it")
  func partition()
    async throws
  {
    try await withSimulatedPair { world, pair in
      let (client, server) = (world.host("client"), world.host("server"))
      world.partition(between: client, and: server)
      try await pair.near.send("held")
      await #expect(throws: SocketError.self) { try await pair.far.read(deadline: .after(.seconds(10))) }
      world.heal(between: client, and: server)
      let healed = world.elapsed
      #expect(try await pair.far.read(exactly: 4) == Array("held".utf8))
      // Repeated after 0.2 s, 0.6 s, 1.4 s, … 12.6 s.
      #expect(world.elapsed - healed < .seconds(3))
    }
  }

  @Test("data that nobody acknowledges ends a connection after fifteen minutes")
  func unacknowledged() async throws {
    try await withSimulatedPair { world, pair in
      world.partition(between: world.host("client"), and: world.host("server"))
      let begin = world.elapsed
      try await pair.near.send("?")
      await #expect(
        throws: SocketError.failed(.init(rawValue: 110), call: "recv", address: pair.near.peerAddress)
      ) {
        try await pair.near.read()
      }
      let time = world.elapsed - begin
      #expect(time > .seconds(924) && time < .seconds(926), "\(time)")
    }
  }

  @Test("TCP_USER_TIMEOUT ends it sooner")
  func userTimeout() async throws {
    var options = ConnectionOptions()
    options.socketOptions = [.userTimeout(.seconds(20))]
    try await withSimulatedPair(options: options) { world, pair in
      world.partition(between: world.host("client"), and: world.host("server"))
      let begin = world.elapsed
      try await pair.near.send("?")
      await #expect(throws: SocketError.self) { try await pair.near.read() }
      let time = world.elapsed - begin
      #expect(time > .seconds(19) && time < .seconds(21), "\(time)")
    }
  }

  @Test("connecting across a partition ends at the connector's deadline, or when it heals")
  func connectingAcrossPartition() async throws {
    try await withSimulation(seed: 3) { world in
      let (client, server) = (world.host("client"), world.host("server"))
      let listener = try await server.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      defer { listener.close() }
      world.partition(between: client, and: server)
      try await client.run {
        let begin = world.elapsed
        await #expect(throws: SocketError.self) {
          _ = try await Connector().connect(to: server.address.withPort(7))
        }
        #expect(world.elapsed - begin == .seconds(10))
        var patient = Connector()
        patient.deadline = .never
        async let connection = patient.connect(to: server.address.withPort(7))
        try await world.sleep(for: .seconds(5))
        world.heal(between: client, and: server)
        let healed = world.elapsed
        try await connection.abort()
        #expect(world.elapsed - healed < .seconds(3))
      }
    }
  }

  @Test("an address that nobody has is given up after 127 s, a port where nobody listens at once")
  func nobodyThere()
    async throws
  {
    try await withSimulation(seed: 1) { world in
      try await world.host("client").run {
        var patient = Connector()
        patient.deadline = .never
        let begin = world.elapsed
        let nowhere = try SocketAddress("192.0.2.1:7")
        await #expect { _ = try await patient.connect(to: nowhere) } throws: { "\($0)".contains("ETIMEDOUT") }
        #expect(world.elapsed - begin == .seconds(127))
        let there = world.host("server").address.withPort(9)
        await #expect { _ = try await patient.connect(to: there) } throws: {
          "\($0)".contains("ECONNREFUSED")
        }
        #expect(world.elapsed - begin < .seconds(128))
      }
    }
  }

  // MARK: Ends

  @Test("a reset comes after the bytes before it, and stays a reset")
  func reset() async throws {
    try await withSimulatedPair { world, pair in
      try await pair.near.send("last")
      try await pair.near.flush()
      pair.near.abort()
      #expect(try await pair.far.read(exactly: 4) == Array("last".utf8))
      for _ in 0..<2 {
        await #expect { try await pair.far.read() } throws: { "\($0)".contains("ECONNRESET") }
      }
      await #expect { try await pair.far.send([1]) } throws: { "\($0)".contains("ECONNRESET") }
    }
  }

  @Test("a side that has ended its stream still reads")
  func halfClose() async throws {
    try await withSimulatedPair { world, pair in
      try await pair.near.send("question")
      try await pair.near.finishWriting()
      #expect(try await pair.far.read(exactly: 8) == Array("question".utf8))
      #expect(try await pair.far.read() == nil)
      try await pair.far.send("answer")
      #expect(try await pair.near.read(exactly: 6) == Array("answer".utf8))
      await pair.close()
    }
  }

  @Test("a host can reset every connection to another")
  func resetBetweenHosts() async throws {
    try await withSimulatedPair { world, pair in
      world.resetConnections(between: world.host("server"), and: world.host("client"))
      for end in [pair.near, pair.far] {
        await #expect { try await end.read() } throws: { "\($0)".contains("ECONNRESET") }
      }
    }
  }

  @Test("a reader that does not read holds the sender back")
  func backPressure() async throws {
    try await withSimulatedPair { world, pair in
      var sent = 0
      // As much as the output buffer and the largest kernel buffers can hold, and no more.
      let error = await #expect(throws: SocketError.self) {
        while true {
          try await withDeadline(.after(.seconds(1)), on: world.loop) {
            try await pair.near.send([UInt8](repeating: 0, count: 10_000))
          }
          sent += 10_000
        }
      }
      #expect(error?.description.contains("deadline") == true)
      #expect(sent > 0 && sent < 64 * 4096 + 65_536 + 20_000, "\(sent)")
    }
  }

  // MARK: Hosts

  @Test("ports and Unix sockets belong to their host")
  func namespaces() async throws {
    try await withSimulation(seed: 1) { world in
      let (one, other) = (world.host("one"), world.host("other"))
      let first = try await one.run { try Listener.bind(to: .any(port: 80), on: world.loop) }
      let second = try await other.run { try Listener.bind(to: .any(port: 80), on: world.loop) }
      let path = try await one.run { try Listener.bind(to: .unix(path: "/run/one"), on: world.loop) }
      let name = try await one.run { try Listener.bind(to: .unix(abstract: "one"), on: world.loop) }
      defer { for listener in [first, second, path, name] { listener.close() } }
      try await one.run {
        for address in [SocketAddress.any(port: 80), .unix(abstract: "one")] {
          #expect { try Listener.bind(to: address, on: world.loop) } throws: {
            "\($0)".contains("EADDRINUSE")
          }
        }
        for listener in [path, name] {
          async let accepted = listener.accept(on: world.loop)
          let connection = try await Connector().connect(to: listener.address)
          try await connection.send("hello")
          #expect(try await accepted.read(exactly: 5) == Array("hello".utf8))
          connection.abort()
          try await accepted.abort()
        }
      }
      await other.run {
        await #expect { _ = try await Connector().connect(to: path.address) } throws: {
          "\($0)".contains("ENOENT")
        }
        await #expect { _ = try await Connector().connect(to: name.address) } throws: {
          "\($0)".contains("ECONNREFUSED")
        }
        #expect { try Listener.bind(to: one.address.withPort(81), on: world.loop) } throws: {
          "\($0)".contains("EADDRNOTAVAIL")
        }
      }
    }
  }

  @Test("a name that no host has is unresolved")
  func unresolvedName() async throws {
    try await withSimulation(seed: 1) { world in
      await #expect { _ = try await Connector().connect(to: "nowhere", port: 1) } throws: {
        "\($0)".contains("the simulation has no host of this name")
      }
    }
  }

  @Test("a server at its host's descriptor limit waits until one is free")
  func descriptorLimit() async throws {
    try await withSimulation(seed: 5) { world in
      let host = world.host("server")
      world.setDescriptorLimit(3, of: host)
      let paused = Latch()
      var configuration = TCPServer.Configuration()
      configuration.onEvent = { if case .acceptPaused = $0 { paused.open() } }
      let server = try await host.run { [configuration] in
        try await TCPServer.bind(on: .any(port: 7), configuration: configuration)
      }
      host.start { try await server.run { connection in while try await connection.read() != nil {} } }
      try await world.host("client").run {
        var connections: [Connection] = []
        for _ in 0..<4 { connections.append(try await Connector().connect(to: "server", port: 7)) }
        _ = await paused.wait(on: world.loop)
        #expect(server.connectionCount == 2)
        await connections.removeFirst().close()
        try await eventually("the third is served") { server.connectionCount == 2 }
        for connection in connections { connection.abort() }
      }
    }
  }
}
