import MultiClient
import TCPServer
import TestHarness

extension SimulatedWorld {
  /// A host on which every connection to port 7 is served by `handler`.
  func serve(
    _ name: String, _ handler: @escaping @Sendable (FramedConnection<LineFraming>) async throws -> Void
  ) async throws -> SocketAddress {
    let host = host(name)
    let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
    host.start { try await server.run(framing: .lines, handler) }
    return host.address.withPort(7)
  }

  /// A host that nothing reaches, and of which nobody hears.
  func blackHole(_ name: String) -> SocketAddress {
    let hole = host(name)
    partition(between: host("localhost"), and: hole)
    return hole.address.withPort(7)
  }
}

/// Says nothing, until the peer has ended its stream.
@Sendable
func silence(_ connection: FramedConnection<LineFraming>) async throws {
  for try await _ in connection.inbound {}
}

extension Duration {
  /// Whether it is this long, but for what packets and turns take.
  func isAbout(_ other: Duration) -> Bool { self >= other && self < other + .milliseconds(100) }
}
