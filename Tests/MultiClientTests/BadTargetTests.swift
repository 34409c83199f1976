import MultiClient
import Peers
import TCPServer
import TestHarness
import Testing

/// Knows no name.
private struct Ignorance: Resolver {
  func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] {
    throw SocketError.unresolved(host: host, reason: "nobody knows it")
  }
}

@Suite("Bad targets", .timeLimit(.minutes(2)))
struct BadTargetTests {
  @Test("two thousand targets, most of them bad in one way or another, have one outcome each, in words")
  func mixed() async throws {
    try await withServer(echo) { server in
      let refusing = try await onThread { try ReservedPort() }
      let good = Target.address(server.address)
      let long = String(repeating: "x", count: 300)
      let bad: [(target: Target, words: String)] = [
        (.address(.loopback(port: refusing.number)), "ECONNREFUSED"),
        (.host("127.0.0.1", port: refusing.number), "ECONNREFUSED"),
        (.address(.loopback(port: 0)), "is 0, where nobody can listen"),
        (.host("example.org", port: 0), "is 0, where nobody can listen"),
        (.host("nowhere", port: 7), "nowhere"), (.host("", port: 7), ""), (.host(long, port: 7), ""),
        (.host("no such\0name", port: 7), ""), (.host("1:2", port: 7), "1:2"),
        (.host("256.1.1.1", port: 7), "256.1.1.1"),
        (.address(.unix(path: "/nowhere/socket")), "ENOENT"), (.address(.unix(path: long)), "107"),
        (.address(.unix(abstract: "nobody-\(refusing.number)")), "ECONNREFUSED"),
        (.address(try SocketAddress(host: "224.0.0.1", port: 7)), "224.0.0.1:7"),
      ]
      let loop = try EventLoop()
      let group = try EventLoopGroup([loop])
      let environment = Environment(loops: group, resolver: Ignorance())
      let client = try MultiClient<Asker>(
        framing: .lines, configuration: MultiClientConfiguration(), environment: environment)
      let kinds = bad.map(\.target) + [good]
      let targets = (0..<2000).map { kinds[$0 * 7 % kinds.count] }
      var counts: [Target: Int] = [:]
      for await outcome in client.run(targets, { _ in Asker(question: "?") }) {
        counts[outcome.target, default: 0] += 1
        if outcome.target == good {
          #expect(outcome.result == .finished(.closed) && outcome.handler.lines == ["?"])
          continue
        }
        let words = bad.first { $0.target == outcome.target }?.words ?? ""
        guard case .failed(let error) = outcome.result, words == "" || "\(error)".contains(words) else {
          Issue.record("\(outcome.target): \(outcome.result)")
          continue
        }
        #expect(outcome.handler.reasons.count == 1 && !outcome.handler.wasConnected)
      }
      #expect(counts == Dictionary(targets.map { ($0, 1) }, uniquingKeysWith: +))
      let statistics = await client.statistics
      #expect(statistics.ended == 2000 && statistics.connected == counts[good])
      await group.shutdown()
    }
  }
}
