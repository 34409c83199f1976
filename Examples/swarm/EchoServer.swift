import TCPServer

/// The server that is talked to when no other is named: everything comes back as it is.
enum EchoServer {
  private struct Echo: ConnectionHandler {
    func received(_ bytes: [UInt8], _ context: borrowing HandlerContext<RawFraming>) throws {
      try context.send(bytes)
    }
  }

  /// Runs `body` beside the server, on an event loop of its own, and stops it.
  static func with<Result: Sendable>(_ body: (SocketAddress) async throws -> Result) async throws -> Result {
    let environment = Environment(loops: try EventLoopGroup(count: 1))
    var configuration = TCPServer.Configuration()
    configuration.limits.connections = nil
    let server = try await TCPServer.bind(
      on: .loopback(), configuration: configuration, environment: environment)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await server.run(handledBy: Echo(), framing: .raw) }
      let result = try await body(server.address)
      server.beginDrain(deadline: .zero)
      try await tasks.waitForAll()
      return result
    }
  }
}
