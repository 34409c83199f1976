import Glibc
import TCPServer

/// A key-value store on several machines. What it has acknowledged survives the loss of any one of them.
///
/// ```sh
/// keyvalue serve 7001 b:7002 c:7003               # on a; b and c alike, each with the others
/// keyvalue promote 1 a:7001 b:7002 c:7003         # a is the primary, b and c are its backups
/// keyvalue ask a:7001,b:7002,c:7003 PUT x 1
/// keyvalue promote 2 b:7002 c:7003                # when a is lost
/// ```
///
/// It is an example: its list of commands is in memory, and grows.
@main
struct KeyValue {
  static func main() async {
    do {
      guard try await run(Array(CommandLine.arguments.dropFirst())) else {
        fail(
          """
          usage: keyvalue serve PORT OTHER...
                 keyvalue promote EPOCH PRIMARY BACKUP...
                 keyvalue ask REPLICA,REPLICA,... GET|PUT|APPEND KEY [VALUE]
          """, status: 2)
      }
    } catch {
      fail("keyvalue: \(error)", status: 1)
    }
  }

  /// Does what is asked; `false` if that cannot be understood.
  static func run(_ arguments: [String]) async throws -> Bool {
    guard arguments.count >= 2 else { return false }
    let rest = Array(arguments.dropFirst(2))
    switch arguments[0] {
    case "serve":
      guard let port = UInt16(arguments[1]) else { return false }
      let replica = try Replica(others: rest)
      let signals = try ProcessSignals(.interrupt, .terminate)
      let server = try await TCPServer.bind(on: .any(port: port))
      print("listening on \(server.address)")
      fflush(nil)
      try await withThrowingDiscardingTaskGroup { group in
        group.addTask {
          for await _ in signals { server.beginDrain(deadline: .seconds(2)) }
        }
        try await replica.run(server)
        group.cancelAll()
      }
    case "promote":
      guard let epoch = Int(arguments[1]), let primary = rest.first else { return false }
      print(try await StoreClient.promote(primary, epoch: epoch, backups: Array(rest.dropFirst())))
    case "ask":
      guard rest.count >= 2 else { return false }
      var generator = SystemRandomNumberGenerator()
      let name = String(generator.next(), radix: 36)
      var client = try StoreClient(name, replicas: arguments[1].split(separator: ",").map(String.init))
      print(try await client.ask(rest.joined(separator: " ")))
    default: return false
    }
    return true
  }

  static func fail(_ message: String, status: Int32) -> Never {
    let line = Array((message + "\n").utf8)
    _ = unsafe write(STDERR_FILENO, line, line.count)
    exit(status)
  }
}
