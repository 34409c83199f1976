import ClientArguments
import MultiClient

/// A synchronous handler for each connection, and a task that waits for its end.
final class HandlerFleet: Fleet {
  private let options: ClientOptions
  private let opening: Opening
  private let askers = Askers()

  init(_ options: ClientOptions, _ environment: Environment) {
    self.options = options
    opening = Opening(options, environment)
  }

  func open() async throws {
    let round = Round(clients: options.connections, messages: 0)
    try await opening.connect { [options, askers] connection in
      Task(executorPreference: connection.loop.executor) {
        _ = try await connection.run(Asker(options.message, askers, opening: round), framing: .raw)
      }
    }
    await round.end()
  }

  func exchange(_ round: Round) async { await askers.exchange(round) }

  func wait() async {}
}

/// A `MultiClient`: a synchronous handler for each connection, and nothing else.
final class MultiFleet: Fleet {
  private let options: ClientOptions
  private let client: MultiClient<Asker>
  private let askers = Askers()

  init(_ options: ClientOptions, _ environment: Environment) throws {
    self.options = options
    var configuration = MultiClientConfiguration()
    configuration.limits.open = options.connections
    configuration.limits.connecting = 64
    client = try MultiClient(framing: RawFraming(), configuration: configuration, environment: environment)
  }

  func open() async throws {
    let round = Round(clients: options.connections, messages: 0)
    for _ in 0..<options.connections {
      try await client.connect(
        to: .loopback(port: options.port), Asker(options.message, askers, opening: round))
    }
    await round.end()
  }

  func exchange(_ round: Round) async { await askers.exchange(round) }

  func wait() async {}
}
