import MultiClient
import TCPServer

/// Runs `body` beside a server of lines on a free port, which is drained when it returns.
func withServer<Result: Sendable>(
  _ handler: @escaping @Sendable (FramedConnection<LineFraming>) async throws -> Void,
  body: (TCPServer) async throws -> Result
) async throws -> Result {
  let server = try await TCPServer.bind(on: .loopback())
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.run(framing: .lines, handler) }
    do {
      let result = try await body(server)
      server.beginDrain(deadline: .zero)
      try await group.waitForAll()
      return result
    } catch {
      group.cancelAll()
      throw error
    }
  }
}

/// Every line comes back as it is.
@Sendable
func echo(_ connection: FramedConnection<LineFraming>) async throws {
  for try await line in connection.inbound { try await connection.send(line) }
}
