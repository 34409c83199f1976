import AsyncSockets
import TestHarness

/// Both ends of a connection between two hosts of a simulation.
struct SimulatedPair {
  let near: Connection
  let far: Connection

  /// Connects `client` to `server`; whoever gets it closes both ends.
  static func connect(
    _ world: SimulatedWorld, options: ConnectionOptions = ConnectionOptions(), port: UInt16 = 7
  ) async throws -> SimulatedPair {
    let server = world.host("server")
    let listener = try await server.run { try Listener.bind(to: .any(port: port), on: world.loop) }
    defer { listener.close() }
    async let far = listener.accept(on: world.loop)
    do {
      let near = try await world.host("client").run {
        var connector = Connector()
        connector.options = options
        return try await connector.connect(to: server.address.withPort(port))
      }
      do {
        return SimulatedPair(near: near, far: try await far)
      } catch {
        near.abort()
        throw error
      }
    } catch {
      listener.close()
      (try? await far)?.abort()
      throw error
    }
  }

  func close() async {
    async let one: Void = near.close()
    await far.close()
    await one
  }

  func abort() {
    near.abort()
    far.abort()
  }
}

/// Runs a simulation over one connection from `client` to `server`, and closes it.
func withSimulatedPair(
  seed: UInt64 = 1, faults: SystemCallFaults = SystemCallFaults(),
  conditions: LinkConditions = LinkConditions(), options: ConnectionOptions = ConnectionOptions(),
  _ body: @escaping @Sendable (SimulatedWorld, SimulatedPair) async throws -> Void
) async throws {
  try await withSimulation(seed: seed, faults: faults) { world in
    try world.setConditions(conditions)
    let pair = try await SimulatedPair.connect(world, options: options)
    do {
      try await body(world, pair)
    } catch {
      pair.abort()
      throw error
    }
    pair.abort()
  }
}
