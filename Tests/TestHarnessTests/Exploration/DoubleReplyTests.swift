import AsyncSockets
import Framing
import TCPServer
import TestHarness
import Testing

/// A request/reply system with a planted mistake that only a lost connection shows.
@Suite struct DoubleReplyTests {
  private struct DoubleReply: Error { let id: Int }

  /// Answers `id` to `id`, and says once more on a new connection what it said last on the one before, as a server would
  /// that does not know whether its client has heard it.
  private static func serve(on host: SimulatedHost, repeatsItself: Bool) {
    host.start {
      let last = Lock<String?>(nil)
      try await TCPServer.serve(on: .any(port: 7), framing: .lines) { connection in
        if repeatsItself, let line = last.withLock({ $0 }) { try await connection.send(line) }
        for try await line in connection.inbound {
          last.withLock { $0 = line }
          try await connection.send(line)
        }
      }
    }
  }

  /// Asks twenty questions, one after the other, and connects again for one that was not answered.
  private static func ask(_ world: SimulatedWorld) async throws {
    var answered = Set<Int>()
    while answered.count < 20 {
      do {
        try await Connector().withConnection(to: "server", port: 7) { connection in
          let lines = connection.framed(.lines)
          while answered.count < 20 {
            try await lines.send("\(answered.count)")
            guard let line = try await lines.next(deadline: .after(.seconds(5))), let id = Int(line)
            else { return }
            if !answered.insert(id).inserted { throw DoubleReply(id: id) }
            try await world.sleep(for: .seconds(1))
          }
        }
      } catch is SocketError {
        try await world.sleep(for: .seconds(1))
      }
    }
  }

  @Sendable private static func system(_ world: SimulatedWorld, repeatsItself: Bool) async throws {
    serve(on: world.host("server"), repeatsItself: repeatsItself)
    try await world.host("client").run { try await ask(world) }
  }

  private static let faults = FaultMix(
    .crash("server"), .kill("server"), .cut("client", "server"), .cut(from: "server", to: "client"),
    .reset("client", "server"), upTo: 4, within: .seconds(20))

  @Test(
    "a reply that comes twice after a lost connection is found, takes one fault, and comes again by its token"
  )
  func planted() async throws {
    let failure = try #require(
      await #expect(throws: ExplorationFailure.self) {
        try await explore(seeds: 0..<200, faults: Self.faults) { world in
          try await Self.system(world, repeatsItself: true)
        }
      })
    #expect(failure.failure.underlying is DoubleReply, "\(failure)")
    #expect(failure.token.faults.count == 1, "\(failure)")
    await #expect(throws: ExplorationFailure.self) {
      try await explore(replaying: "\(failure.token)") { world in
        try await Self.system(world, repeatsItself: true)
      }
    }
    try await explore(replaying: "\(failure.token)") { world in
      try await Self.system(world, repeatsItself: false)
    }
  }

  @Test("without the mistake no seed fails")
  func mended() async throws {
    try await explore(seeds: 0..<100, faults: Self.faults) { world in
      try await Self.system(world, repeatsItself: false)
    }
  }
}
