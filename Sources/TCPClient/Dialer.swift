/// One attempt: looks up, connects and prepares, all within one deadline.
struct Dialer: Sendable {
  /// What `Configuration.preparing` threw.
  struct PreparationFailed: Error {
    let error: any Error
  }

  let configuration: TCPClient.Configuration
  let environment: Environment

  /// - Throws: as `Connector.connect`; `PreparationFailed`. Nothing stays open then.
  func dial(_ target: TCPClient.Target, on loop: EventLoop) async throws -> Connection {
    let deadline = configuration.connectTimeout.map { Deadline.at(loop.now.advanced(by: $0)) } ?? .never
    var connector = Connector(
      environment: Environment(
        loops: try EventLoopGroup([loop]), resolver: environment.resolver, random: environment.random))
    connector.deadline = deadline
    connector.options = configuration.connection
    connector.localAddress = configuration.localAddress
    connector.attemptDelay = configuration.attemptDelay
    let connection =
      switch (target, configuration.proxy) {
      case (.host(let host, let port), nil): try await connector.connect(to: host, port: port)
      case (.address(let address), nil): try await connector.connect(to: address)
      case (.host(let host, let port), let proxy?):
        try await connector.connect(to: host, port: port, through: proxy)
      case (.address(let address), let proxy?): try await connector.connect(to: address, through: proxy)
      }
    guard let preparing = configuration.preparing else { return connection }
    do {
      try await withDeadline(deadline, on: loop, operation: "prepare \(target)") {
        try await preparing(connection)
      }
      return connection
    } catch {
      await connection.close(after: error)
      throw PreparationFailed(error: error)
    }
  }
}

extension Dialer {
  /// The same for who makes no difference between connecting and preparing.
  func connect(to target: TCPClient.Target) async throws -> Connection {
    try configuration.validate()
    try target.validate()
    do {
      return try await dial(target, on: environment.loops.here())
    } catch let failure as PreparationFailed {
      throw failure.error
    }
  }
}
