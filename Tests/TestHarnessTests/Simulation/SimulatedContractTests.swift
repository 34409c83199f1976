import AsyncSockets
import Glibc
import TestHarness
import Testing

@Suite(.timeLimit(.minutes(10))) struct SimulatedContractTests {
  private static let isSlow = unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1"

  @Test("verifyStream passes over the simulated network", arguments: 0..<(isSlow ? 100 : 3) as Range<UInt64>)
  func stream(seed: UInt64) async throws {
    try await withSimulation(seed: seed) { world in
      try await verifyStream(on: world.loop) { _ in
        let pair = try await SimulatedPair.connect(world)
        return (pair.near, pair.far)
      }
    }
  }

  @Test("verifyListener passes over the simulated network")
  func listener() async throws {
    try await withSimulation(seed: 1) { world in
      let (server, client) = (world.host("server"), world.host("client"))
      try await verifyListener(on: world.loop) { listener, _ in
        try await client.run { try await Connector().connect(to: listener.address) }
      } bind: { loop in
        try await server.run { try Listener.bind(to: server.address.withPort(7), on: loop) }
      }
    }
  }
}
