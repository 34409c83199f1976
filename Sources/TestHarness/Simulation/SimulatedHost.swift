import AsyncSockets

/// A machine in a simulation, with addresses and ports of its own.
///
/// ```swift
/// let database = world.host("database")
/// let server = try await database.run { try await TCPServer.bind(on: .any(port: 5432)) }
/// database.start { try await server.run { connection in … } }
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
  let services: SimulatedServices

  /// The host on which the current task works.
  @TaskLocal static var current: SimulatedHost?

  /// Starts something on this host that goes on in the background. It is cancelled and waited for when the body of the
  /// simulation has ended, for an hour of the simulation; an error of its own, but for `CancellationError`, ends the
  /// simulation.
  public func start(_ service: @escaping @Sendable () async throws -> Void) {
    services.add(.init(host: name) { try await run(service) })
  }

  /// Does something on this host: the sockets that the body opens, and the tasks it starts, are the host's.
  public nonisolated(nonsending) func run<Result>(_ body: () async throws -> Result) async rethrows -> Result
  {
    try await Self.$current.withValue(self) {
      try await Environment.$current.withValue(environment) { try await body() }
    }
  }

  /// Why a host cannot have this name; `nil` if it can.
  static func problem(withName name: String) -> String? {
    let problem: String
    if name.isEmpty {
      problem = "an empty name"
    } else if name.contains(where: { $0.isWhitespace || $0.isNewline }) {
      problem = "a name with a space in it"
    } else if name.contains(":") || name.allSatisfy({ $0.isNumber || $0 == "." }) {
      problem = "a name that reads as an address"
    } else {
      return nil
    }
    return
      "a host of a simulation cannot have \(problem), \(name.debugDescription), which no resolver would look up: "
      + "call it \"server-1\", for example"
  }
}
