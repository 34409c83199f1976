import AsyncSockets
import ClientArguments
import Synchronization

/// Many connections to the server, by one of the library's interfaces.
protocol Fleet: Sendable {
  /// Opens them, and has each echo a message.
  func open() async throws

  /// Has messages echoed on all of them, as long as the round lasts.
  func exchange(_ round: Round) async throws

  /// Waits for input on all of them.
  func wait() async throws
}

/// A task for each connection.
final class TaskFleet: Fleet {
  private let options: ClientOptions
  private let opening: Opening
  private let connections = Mutex<[Connection]>([])

  init(_ options: ClientOptions, _ environment: Environment) {
    self.options = options
    opening = Opening(options, environment)
  }

  func open() async throws {
    try await opening.connect { [self] connection in
      try await echo(on: connection)
      connections.withLock { $0.append(connection) }
    }
  }

  func exchange(_ round: Round) async throws {
    try await forEach { [self] connection in
      while round.takeMessage() {
        try await echo(on: connection)
        round.countReply()
      }
    }
  }

  func wait() async throws {
    try await forEach { connection in
      guard try await connection.read() == nil else { throw ClientError("more came back than was sent") }
    }
  }

  private func echo(on connection: Connection) async throws {
    try await connection.send(options.message)
    guard try await connection.read(exactly: options.size) == options.message else {
      throw ClientError("what came back differs from what was sent")
    }
  }

  private func forEach(_ body: @escaping @Sendable (Connection) async throws -> Void) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for connection in connections.withLock({ $0 }) {
        group.addTask { try await body(connection) }
      }
    }
  }
}

/// Connects, to few at a time, so that no listener's queue overflows.
struct Opening: Sendable {
  private let options: ClientOptions
  private let environment: Environment

  init(_ options: ClientOptions, _ environment: Environment) {
    self.options = options
    self.environment = environment
  }

  func connect(_ body: @escaping @Sendable (Connection) async throws -> Void) async throws {
    let connector = Connector(environment: environment)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<options.connections {
        if number >= 64 { try await group.next() }
        group.addTask { try await body(try await connector.connect(to: .loopback(port: options.port))) }
      }
      try await group.waitForAll()
    }
  }
}
