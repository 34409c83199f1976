import TCPClient
import TCPServer
import TestHarness
import Testing

/// What is cancelled wherever it waits: as one should write it, and as one does in a hurry. The hurried version leaves
/// something open, and does so only when it is cancelled at certain moments.
enum SweptScenario: String, CaseIterable, CustomTestStringConvertible {
  case echo = "connect, echo, close"
  case drain = "a drain"
  case connectRace = "a connect race"
  case framedRequest = "requests over frames"
  case pool = "a pool"
  case reconnect = "a client that connects again"

  var testDescription: String { rawValue }

  func run(in world: SimulatedWorld, hurried: Bool) async throws {
    switch self {
    case .drain: return try await Self.drain(world, hurried)
    case .connectRace: return try await Self.connectRace(world, hurried)
    default: break
    }
    try await world.host("server").serveEcho()
    try await world.host("client").run {
      switch self {
      case .echo: try await Self.echo(world, hurried)
      case .framedRequest: try await Self.framedRequest(hurried)
      case .pool: try await Self.pool(hurried)
      default: try await Self.reconnect(world, hurried)
      }
    }
  }

  // MARK: The scenarios

  private static func echo(_ world: SimulatedWorld, _ hurried: Bool) async throws {
    func talk(_ connection: Connection) async throws {
      let lines = connection.framed(.lines)
      for word in ["one", "two"] {
        try await lines.send(word)
        let answer = try await lines.next()
        #expect(answer == word)
      }
    }
    guard hurried else {
      return try await TCPClient.withConnection(to: "server", port: 7) { try await talk($0) }
    }
    let connection = try await TCPClient.connect(to: .host("server", port: 7))
    try await talk(connection)
    await connection.close()
  }

  private static func framedRequest(_ hurried: Bool) async throws {
    func ask(_ connection: Lines) async throws {
      let requests = try connection.requests()
      async let first = requests.request("first")
      async let second = requests.request("second")
      let answers = try await [first, second]
      #expect(answers.sorted() == ["first", "second"])
    }
    guard hurried else {
      return try await TCPClient.withConnection(to: "server", port: 7, framing: .lines) { try await ask($0) }
    }
    let connection = try await Connector().connect(to: "server", port: 7)
    do {
      try await ask(connection.framed(.lines))
    } catch is SocketError {
      // A cancellation is none.
      connection.abort()
    }
    connection.abort()
  }

  /// The server has an address that nobody listens on, which is tried first.
  private static func connectRace(_ world: SimulatedWorld, _ hurried: Bool) async throws {
    let host = world.host("server")
    try world.setConditions(
      LinkConditions(latency: .milliseconds(150)), between: host, and: world.host("client"))
    try await host.serveEcho()
    try await world.host("client").run {
      guard hurried else {
        return try await TCPClient.withConnection(to: "server", port: 7, framing: .lines) { connection in
          let answer = try await connection.request("hello")
          #expect(answer == "hello")
        }
      }
      var winner: Connection?
      await withTaskGroup(of: Connection?.self) { group in
        for address in [host.address6, host.address] {
          group.addTask { try? await Connection.connect(to: address.withPort(7)) }
        }
        for await connection in group {
          if winner == nil { winner = connection } else { connection?.abort() }
        }
      }
      // Whoever has won by then is forgotten.
      try Task.checkCancellation()
      await winner?.close()
    }
  }

  private static func drain(_ world: SimulatedWorld, _ hurried: Bool) async throws {
    let host = world.host("server")
    let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
    for number in 0..<2 {
      world.host("client-\(number)").start {
        guard let client = try? await Connection.connect(to: host.address.withPort(7)) else { return }
        try? await client.send("one\ntwo\n")
        while let bytes = try? await client.read(), !bytes.isEmpty {}
        await client.close()
      }
    }
    try await withThrowingTaskGroup { group in
      group.addTask {
        try await server.run(framing: .lines) { connection in
          // To whom it tells of each line.
          let log = hurried ? try await Self.openLog(on: world, host) : nil
          for try await line in connection.inbound {
            try await connection.send(line)
            try await world.sleep(for: .milliseconds(5))
          }
          log?.abort()
        }
      }
      try await world.sleep(for: .milliseconds(10))
      await server.drain(deadline: .seconds(1))
      try await group.waitForAll()
    }
    try Task.checkCancellation()
  }

  private static func openLog(on world: SimulatedWorld, _ host: SimulatedHost) async throws -> Connection {
    let listener = try Listener.bind(to: .unix(abstract: "log"), on: world.loop)
    defer { listener.close() }
    return try await Connection.connect(to: listener.address)
  }

  private static func pool(_ hurried: Bool) async throws {
    let pool = try ConnectionPool(
      to: .host("server", port: 7), configuration: PoolConfiguration(atMost: 1)
    ) { connection in
      // Each of them brings one of another kind, for what is urgent.
      let urgent = hurried ? try await Connector().connect(to: "server", port: 7) : nil
      let lines = connection.framed(.lines)
      _ = try await lines.request("login")
      urgent?.abort()
      return lines
    }
    try await pool.run {
      try await withThrowingTaskGroup { group in
        for number in 0..<3 {
          group.addTask {
            let reply = try await pool.withConnection { try await $0.request("\(number)") }
            #expect(reply == "\(number)")
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private static func reconnect(_ world: SimulatedWorld, _ hurried: Bool) async throws {
    var configuration = TCPClient.Configuration()
    configuration.reconnect = .fixed(.seconds(1))
    let client = TCPClient(to: "server", port: 7, configuration: configuration)
    var count = 0
    let _: Bool = try await client.run(framing: .lines) { connection in
      count += 1
      let second = hurried ? try await Connector().connect(to: "server", port: 7) : nil
      let answer = try await connection.request("hello")
      #expect(answer == "hello")
      second?.abort()
      return count == 2 ? .finish(true) : .reconnect
    }
  }
}
