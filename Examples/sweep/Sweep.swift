import Glibc
import MultiClient

/// The first line of a server that speaks first.
struct Banner: ConnectionHandler {
  var line: String?

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {
    self.line = line
    context.close()
  }
}

/// Sweeps ports of this machine, a hundred at a time, and prints who listens there and greets.
@main
struct Sweep {
  static func main() async {
    guard let ports = ports(CommandLine.arguments.dropFirst()) else {
      print("usage: sweep [FIRST [LAST]]     ports of 127.0.0.1, by default 1 to 1024")
      exit(2)
    }
    let client = MultiClient<Banner>(framing: .lines, atMost: 100)
    client.limits.timeouts = Timeouts(connect: .seconds(5), total: .seconds(60))
    for await outcome in client.run(ports.map { .loopback(port: $0) }, { _ in Banner() }) {
      if let line = outcome.handler.line {
        print(outcome.target, line)
      } else if outcome.peerAddress != nil {
        print(outcome.target, "-", outcome.result)
      }
    }
    print(await client.statistics)
  }

  /// `nil` for what are no ports.
  static func ports(_ arguments: some Collection<String>) -> ClosedRange<UInt16>? {
    let numbers = arguments.compactMap { UInt16($0) }
    guard numbers.count == arguments.count, numbers.count <= 2 else { return nil }
    let first = numbers.first ?? 1
    let last = numbers.count == 2 ? numbers[1] : numbers.first ?? 1024
    return first >= 1 && first <= last ? first...last : nil
  }
}
