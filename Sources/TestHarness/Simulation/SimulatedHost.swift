import AsyncSockets

/// A machine in a simulation, with addresses and ports of its own.
///
/// ```swift
/// let database = world.host("database")
/// try await database.run { try await TCPServer.serve(on: .any(port: 5432)) { … } }
/// ```
public struct SimulatedHost: Sendable {
  /// Its name, which resolves to its addresses on every host of the simulation.
  public let name: String
  /// Its IPv4 address, with port 0.
  public let address: SocketAddress
  /// Its IPv6 address, with port 0.
  public let address6: SocketAddress

  let number: Int
  let environment: Environment

  /// The host on which the current task works.
  @TaskLocal static var current: SimulatedHost?

  /// Does something on this host: the sockets that the body opens, and the tasks it starts, are the host's.
  public nonisolated(nonsending) func run<Result>(_ body: () async throws -> Result) async rethrows -> Result
  {
    try await Self.$current.withValue(self) {
      try await Environment.$current.withValue(environment) { try await body() }
    }
  }
}
