import AsyncSockets
import Framing
import Synchronization
import TCPServer
import TestHarness
import Testing

@Suite struct SimulationTests {
  /// An echo server, and some clients that each send lines and compare what comes back.
  static func echo(_ world: SimulatedWorld, clients: Int, lines: Int) async throws {
    let host = world.host("server")
    let server = try await host.run { try await TCPServer.bind(on: .any(port: 80)) }
    host.start {
      try await server.run(framing: .lines) { connection in
        for try await line in connection.inbound { try await connection.send(line) }
      }
    }
    try await withThrowingTaskGroup { group in
      for client in 0..<clients {
        group.addTask {
          try await world.host("client-\(client)").run {
            try await Connector().withConnection(to: "server", port: 80) { raw in
              let connection = raw.framed(.lines)
              var replies = connection.inbound.makeAsyncIterator()
              for number in 0..<lines {
                let padding = String(repeating: "x", count: world.random(in: 0...5000))
                let line = "\(client) says \(number)" + padding
                try await connection.send(line)
                #expect(try await replies.next() == line)
                try await world.sleep(for: world.random(in: .zero ... .seconds(60)))
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("the same seed leads to the same trace, another seed to another")
  func replay() async throws {
    @Sendable func fingerprint(_ seed: UInt64) async throws -> UInt64 {
      try await withSimulation(seed: seed) { world in
        try await Self.echo(world, clients: 5, lines: 10)
        return world.fingerprint
      }
    }
    let first = try await fingerprint(42)
    #expect(try await fingerprint(42) == first)
    #expect(try await fingerprint(43) != first)
  }

  @Test("hundreds of seeds run the same way twice")
  func manySeeds() async throws {
    try await withSimulations(seeds: 0..<100) { world in
      try await Self.echo(world, clients: 3, lines: 5)
    }
  }

  @Test("tasks and sleeps of the standard library stay in the simulation")
  func standardLibrary() async throws {
    #expect(simulationCoversRuntime)
    try await withSimulation(seed: 1) { world in
      let isOnLoop = await Task { world.loop.isCurrent }.value
      #expect(isOnLoop)
      let isStillOnLoop = await Task.detached {
        try? await Task.sleep(for: .seconds(600))
        return world.loop.isCurrent
      }.value
      #expect(isStillOnLoop)
      #expect(world.elapsed == .seconds(600))
      let counter = Counter()
      await withTaskGroup { group in
        for _ in 0..<10 { group.addTask { await counter.add() } }
      }
      #expect(await counter.value == 10)
      try await Task.sleep(until: .now + .seconds(60), clock: .suspending)
      #expect(world.elapsed == .seconds(660))
      let begin = ContinuousClock.now
      try await Task.sleep(for: .microseconds(1234))
      #expect(ContinuousClock.now - begin == .microseconds(1234))
    }
  }

  actor Counter {
    var value = 0
    func add() { value += 1 }
  }
}
