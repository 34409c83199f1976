import Glibc
import TCPClient

/// Prints what a line server publishes: `subscriber [--pause SECONDS] HOST PORT TOPIC…`. When the server goes it connects
/// again, after at most that pause at first (2 s by default), and subscribes again; standard error tells of it. SIGINT or
/// SIGTERM ends it.
@main
struct Subscriber {
  let client: TCPClient
  let topics: [String]

  static func main() async {
    guard let subscriber = Subscriber(Array(CommandLine.arguments.dropFirst())) else {
      fail("usage: subscriber [--pause SECONDS] HOST PORT TOPIC...", status: 2)
    }
    do {
      let signals = try ProcessSignals(.interrupt, .terminate)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await subscriber.run() }
        group.addTask { for await _ in signals { return } }
        try await group.next()
        group.cancelAll()
      }
    } catch {
      fail("subscriber: \(error)", status: 1)
    }
  }

  func run() async throws {
    try await client.run(framing: .lines) { server in
      for topic in topics { try await server.send("SUBSCRIBE \(topic)") }
      for try await line in server.inbound {
        print(line)
        fflush(nil)
      }
    }
  }

  init?(_ arguments: [String]) {
    var arguments = arguments[...]
    var pause = 2.0
    if arguments.first == "--pause" {
      guard let seconds = Double(arguments.dropFirst().first ?? ""), seconds >= 0, seconds <= 30 else {
        return nil
      }
      pause = seconds
      arguments = arguments.dropFirst(2)
    }
    guard arguments.count >= 3, let host = arguments.popFirst(), let port = UInt16(arguments.popFirst() ?? "")
    else { return nil }
    var configuration = TCPClient.Configuration()
    configuration.reconnect.initialDelay = .seconds(pause)
    configuration.connection.socketOptions = [
      .keepAlive(idle: .seconds(60), interval: .seconds(10), count: 3)
    ]
    configuration.onEvent = { Self.log("\($0)") }
    client = TCPClient(to: host, port: port, configuration: configuration)
    topics = Array(arguments)
  }

  static func log(_ message: String) {
    let line = Array((message + "\n").utf8)
    _ = unsafe write(STDERR_FILENO, line, line.count)
  }

  static func fail(_ message: String, status: Int32) -> Never {
    log(message)
    exit(status)
  }
}
