import Glibc
import TCPServer

/// A TCP proxy: relays each connection to one other address. SIGINT or SIGTERM stops it: connections get five seconds
/// to end, or none after a second signal.
@main
struct Proxy {
  static func main() async {
    guard let (listenPort, host, port) = parse(Array(CommandLine.arguments.dropFirst())) else {
      fail("usage: proxy --listen PORT --to HOST:PORT", status: 2)
    }
    do {
      var configuration = TCPServer.Configuration()
      configuration.onEvent = { if case .handlerFailed = $0 { log("\($0)") } }
      let server = try await TCPServer.bind(on: .loopback(port: listenPort), configuration: configuration)
      let signals = try ProcessSignals(.interrupt, .terminate)
      print("listening on \(server.address)")
      fflush(nil)

      try await withThrowingDiscardingTaskGroup { group in
        group.addTask {
          var patience = Duration.seconds(5)
          for await _ in signals {
            server.beginDrain(deadline: patience)
            patience = .zero
          }
        }
        try await server.run { client in
          try await Connector().withConnection(to: host, port: port) { upstream in
            _ = try await relay(client, upstream)
          }
        }
        group.cancelAll()
      }
    } catch {
      fail("proxy: \(error)", status: 1)
    }
  }

  static func parse(_ arguments: [String]) -> (listenPort: UInt16, host: String, port: UInt16)? {
    guard arguments.count == 4, arguments[0] == "--listen", arguments[2] == "--to",
      let listenPort = UInt16(arguments[1]), let colon = arguments[3].lastIndex(of: ":"),
      let port = UInt16(arguments[3][colon...].dropFirst()), port > 0
    else { return nil }
    let host = arguments[3][..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
    return host.isEmpty ? nil : (listenPort, String(host), port)
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
