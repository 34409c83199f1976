import AsyncSockets
import Framing
import TCPServer
import Testing

@testable import TestHarness

@Suite("A simulation tells the truth") struct SimulationTruthTests {
  private struct Oops: Error {}

  /// Sends six bytes, and says how they were told from others.
  private static func fingerprint(sending text: String) async throws -> UInt64 {
    try await withSimulation(seed: 3) { world in
      let listener = try await world.host("server").run {
        try Listener.bind(to: .any(port: 7), on: world.loop)
      }
      async let accepted = listener.accept(on: world.loop)
      let client = try await world.host("client").run { try await Connector().connect(to: "server", port: 7) }
      let server = try await accepted
      try await client.send(text)
      _ = try await server.read(exactly: text.utf8.count)
      for end in [client, server] { end.abort() }
      listener.close()
      return world.fingerprint
    }
  }

  @Test(
    "two runs that send different bytes are different, wherever the bytes differ",
    arguments: ["salt and pepper"])
  func bytes(text: String) async throws {
    let whole = try await Self.fingerprint(sending: text)
    #expect(try await Self.fingerprint(sending: text) == whole)
    for place in [0, 7, 8, 14] {
      var other = Array(text)
      other[place] = "?"
      #expect(try await Self.fingerprint(sending: String(other)) != whole)
    }
  }

  @Test("a run that differs from the other by what it sent alone is shown with the bytes")
  func divergingBytes() async throws {
    let runs = Lock(0)
    let diverged = await #expect(throws: SimulationDiverged.self) {
      try await withSimulations(seeds: 0..<1) { world in
        let run = runs.withLock { runs in
          runs += 1
          return runs
        }
        let listener = try await world.host("server").run {
          try Listener.bind(to: .any(port: 7), on: world.loop)
        }
        async let accepted = listener.accept(on: world.loop)
        let client = try await world.host("client").run {
          try await Connector().connect(to: "server", port: 7)
        }
        let server = try await accepted
        try await client.send("run \(run)")
        _ = try await server.read(exactly: 5)
        for end in [client, server] { end.abort() }
        listener.close()
      }
    }
    let difference = diverged?.difference ?? ""
    #expect(difference.contains("run 1") && difference.contains("run 2"), "\(difference)")
  }

  @Test("shrinking does not take a history that violates one check for one that violates another")
  func sameViolation() async throws {
    let mix = FaultMix(.crash("server"), upTo: 6)
    let seed = try #require((0..<100).first { mix.plan(seed: $0).count >= 5 })
    let failure = await #expect(throws: ExplorationFailure.self) {
      try await explore(seeds: [seed], faults: mix) { world in
        _ = world.host("server")
        let history = History<String, String>(in: world)
        history.began("1", "put")
        if world.faults.count >= 4 { try history.check(.oneOutcome) }
        for _ in 0..<2 { history.replied("1", "1") }
        try history.check(.answeredAtMostOnce)
      }
    }
    #expect((failure?.failure.underlying as? HistoryViolation)?.check == "oneOutcome")
    #expect(failure?.token.faults.count == 4)
  }

  @Test("a service that is started as the body ends, or after, keeps nothing", arguments: 0..<4)
  func lateServices(kind: Int) async throws {
    final class Memory: Sendable {}
    struct Seen: Sendable {
      weak var memory: Memory?
    }
    let seen = Lock(Seen())
    try await withSimulation(seed: 1) { world in
      let memory = Memory()
      seen.withLock { $0.memory = memory }
      let host = world.host("server")
      host.start { [memory] in
        defer { _ = memory }
        try await world.sleep(for: .seconds(100))
      }
      try await world.sleep(for: .seconds(1))
      switch kind {
      case 0: host.start { [memory] in _ = (memory, world) }
      case 1: host.restart()
      case 2:
        host.crash()
        Task {
          try await world.sleep(for: .seconds(1))
          host.restart()
        }
      default:
        Task {
          try await world.sleep(for: .seconds(1))
          world.host("late").start { [memory] in _ = (memory, world) }
        }
      }
    }
    try await eventually("the world is gone") { seen.withLock { $0.memory == nil } }
  }

  @Test("a body that has returned on a host that has crashed is not believed")
  func resultOfTheDead() async throws {
    try await withSimulation(seed: 1) { world in
      let host = world.host("server")
      await #expect(throws: HostCrashed(host: "server")) {
        try await host.run {
          try? await world.sleep(for: .seconds(0))
          host.crash()
          try? await world.sleep(for: .seconds(50))
          if world.elapsed < .zero { throw Oops() }
          return "acknowledged"
        }
      }
      await #expect(throws: HostCrashed(host: "server")) {
        try await host.run {
          if world.elapsed < .zero { throw Oops() }
          return "acknowledged"
        }
      }
    }
  }

  @Test("the report of a service that fails ends where it has thrown, and not with what that has led to")
  func failingService() async throws {
    let failure = await #expect(throws: SimulationFailure.self) {
      try await withSimulation(seed: 1) { world in
        world.host("broken").start {
          try await world.sleep(for: .seconds(5))
          world.note("the cause")
          throw Oops()
        }
        world.host("other").start {
          try? await world.sleep(for: .seconds(100))
          for number in 0..<30 { world.note("clearing up \(number)") }
        }
        try await world.sleep(for: .seconds(50))
      }
    }
    for text in ["\(failure as Any)", "\(failure?.timeline as Any)"] {
      #expect(text.contains("the cause"), "\(text)")
      #expect(text.contains("a service of broken has thrown: Oops()"), "\(text)")
      #expect(!text.contains("clearing up"), "\(text)")
    }
  }

  @Test("a connection is accepted when its client can hear of it, and not before")
  func oneWay() async throws {
    try await withSimulation(seed: 3) { world in
      let (server, client) = (world.host("server"), world.host("client"))
      let accepted = Lock(0)
      server.start {
        try await TCPServer.serve(on: .any(port: 7), framing: .lines) { _ in accepted.withLock { $0 += 1 } }
      }
      try await world.sleep(for: .seconds(1))
      world.partition(from: server, to: client)
      await #expect(throws: SocketError.self) {
        try await client.run {
          try await Connector().withConnection(to: server.address.withPort(7)) { _ in }
        }
      }
      #expect(accepted.withLock { $0 } == 0)
      async let connected: Void = client.run {
        try await Connector().withConnection(to: server.address.withPort(7)) { _ in }
      }
      try await world.sleep(for: .milliseconds(500))
      world.heal(from: server, to: client)
      try await connected
      try await world.sleep(for: .seconds(1))
      #expect(accepted.withLock { $0 } == 1)
    }
  }

  @Test("a clock that runs slow can be slept on for ever")
  func sleepingOnASlowClock() async throws {
    try await withSimulation(seed: 1) { world in
      let host = world.host("server")
      host.setClock(offset: .zero, drift: -0.5)
      let sleeper = Task {
        try await host.clock.sleep(until: EventLoop.Instant(nanoseconds: .max), tolerance: nil)
      }
      try await world.sleep(for: .seconds(1))
      sleeper.cancel()
      await #expect(throws: CancellationError.self) { try await sleeper.value }
    }
  }
}
