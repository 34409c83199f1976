import TCPServer
import TestHarness

typealias Lines = FramedConnection<LineFraming>

extension SimulatedHost {
  /// Serves lines on port 7 from now on.
  @discardableResult
  func serveLines(
    _ handler: @escaping @Sendable (Lines) async throws -> Void
  ) async throws -> TCPServer {
    let server = try await run { try await TCPServer.bind(on: .any(port: 7)) }
    start { try await server.run(framing: .lines, handler) }
    return server
  }

  /// Sends back what comes.
  @discardableResult
  func serveEcho() async throws -> TCPServer {
    try await serveLines { connection in
      for try await line in connection.inbound { try await connection.send(line) }
    }
  }
}

/// What a body throws that no client can know.
struct Oops: Error, Hashable {}
