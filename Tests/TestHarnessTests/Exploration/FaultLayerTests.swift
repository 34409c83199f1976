import AsyncSockets
import TCPServer
import Testing

@testable import TestHarness

@Suite("The end of a fault leaves what the scenario has set") struct FaultLayerTests {
  private static func serve(on host: SimulatedHost) {
    host.start { try await TCPServer.serve(on: .any(port: 7), framing: .lines) { _ in } }
  }

  private static func connect(from client: SimulatedHost, to name: String) async throws {
    try await client.run {
      var connector = Connector()
      connector.deadline = .after(.seconds(5))
      try await connector.withConnection(to: name, port: 7) { _ in }
    }
  }

  @Test("the answer to a name is again what the scenario has said, also where it said so meanwhile")
  func name() async throws {
    try await explore(replaying: "v1,1,unresolved:service@10+10,unresolved:late@10+10") { world in
      let server = world.host("server")
      Self.serve(on: server)
      world.setResolution(of: "service", to: .addresses([server.address]))
      try await world.sleep(for: .seconds(11))
      world.setResolution(of: "late", to: .addresses([server.address]))
      for name in ["service", "late"] {
        await #expect(throws: SocketError.self) {
          try await Self.connect(from: world.host("client"), to: name)
        }
      }
      try await world.untilFaultsEnd()
      try await world.sleep(for: .seconds(1))
      for name in ["service", "late"] { try await Self.connect(from: world.host("client"), to: name) }
    }
  }

  @Test("who is cut off by the scenario stays so", arguments: ["cut:a:b@10+10", "block:a:b@10+10"], [0, 11])
  func cut(fault: String, time: Int) async throws {
    try await explore(replaying: "v1,1,\(fault)") { world in
      let (a, b) = (world.host("a"), world.host("b"))
      Self.serve(on: b)
      try await world.sleep(for: .seconds(time))
      world.partition(between: a, and: b)
      try await world.untilFaultsEnd()
      try await world.sleep(for: .seconds(1))
      await #expect(throws: SocketError.self) { try await Self.connect(from: a, to: "b") }
      world.heal(between: a, and: b)
      try await Self.connect(from: a, to: "b")
    }
  }

  @Test("a fault that cuts hosts off does so until it is over, also where the scenario heals")
  func healing() async throws {
    try await explore(replaying: "v1,1,cut:a:b@10+10") { world in
      let (a, b) = (world.host("a"), world.host("b"))
      Self.serve(on: b)
      try await world.sleep(for: .seconds(11))
      world.heal(between: a, and: b)
      await #expect(throws: SocketError.self) { try await Self.connect(from: a, to: "b") }
      try await world.untilFaultsEnd()
      try await world.sleep(for: .seconds(1))
      try await Self.connect(from: a, to: "b")
    }
  }

  @Test("whom the scenario has ended stays down", arguments: ["crash", "kill"], [0, 11])
  func crash(fault: String, time: Int) async throws {
    try await explore(replaying: "v1,1,\(fault):b@10+10") { world in
      let b = world.host("b")
      try await world.sleep(for: .seconds(time))
      b.crash()
      try await world.untilFaultsEnd()
      try await world.sleep(for: .seconds(1))
      #expect(!b.isRunning)
      b.restart()
      #expect(b.isRunning)
    }
  }

  @Test("a link is as the scenario has set it, also where it did so meanwhile", arguments: [0, 11])
  func conditions(time: Int) async throws {
    try await explore(replaying: "v1,1,slow:a:b=0.5/0//0@10+10") { world in
      let (a, b) = (world.host("a"), world.host("b"))
      Self.serve(on: b)
      try await world.sleep(for: .seconds(time))
      try world.setConditions(
        LinkConditions(latency: .seconds(2), jitter: .zero), between: a, and: b)
      try await world.untilFaultsEnd()
      try await world.sleep(for: .seconds(1))
      let begin = world.elapsed
      try await Self.connect(from: a, to: "b")
      #expect(world.elapsed - begin >= .seconds(4))
    }
  }

  @Test("what cannot be is refused before anything runs")
  func absurd() async throws {
    let years = Duration.seconds(Int64.max)
    let mixes = [
      FaultMix(.crash("s"), within: years), FaultMix(.crash("s"), upTo: .max),
      FaultMix(.crash("s", for: .zero...years)), FaultMix(.clock("s", by: .seconds(Int64.min)...years)),
    ]
    for mix in mixes {
      await #expect(throws: SimulationError.self) { try await explore(seeds: 0..<1, faults: mix) { _ in } }
    }
    await #expect(throws: SimulationError.self) {
      try await explore(seeds: 0..<1, concurrency: .max) { _ in }
    }
    #expect(throws: SimulationError.self) { try ReplayToken("v1,1,crash:server@31536000000+31536000000") }
    #expect(try ReplayToken.asked(by: "") == nil)
    let calls: [@Sendable (SimulatedWorld) -> Void] = [
      { world in world.setDescriptorLimit(-5, of: world.host("a")) },
      { world in world.setResolution(of: "a", to: .host, after: .seconds(-5)) },
    ]
    for absurd in calls {
      let failure = await #expect(throws: SimulationFailure.self) {
        try await withSimulation(seed: 1) { world in
          absurd(world)
          try await world.sleep(for: .seconds(1))
        }
      }
      #expect(failure?.underlying is SimulationError)
    }
  }

  @Test("spans below a millisecond, and between two of them, are kept to")
  func shortSpans() {
    var random = SeededRandom(seed: 1)
    for range in [
      Duration.nanoseconds(1) ... .microseconds(900), .microseconds(1500) ... .microseconds(3500),
    ] {
      var seen: Set<Duration> = []
      for _ in 0..<50 {
        let length = PossibleFault.crash("s", for: range).planned(at: .zero, using: &random).length
        #expect(range.contains(length))
        seen.insert(length)
      }
      #expect(seen.count > 1)
    }
  }
}
