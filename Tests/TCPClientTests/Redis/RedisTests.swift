import AsyncSockets
import Glibc
import Peers
import TestHarness
import Testing

@Suite("The example redis, with a real server", .timeLimit(.minutes(10))) struct RedisTests {
  /// What the example prints: the number of the command, and what came of it.
  private struct Line {
    let number: Int
    let outcome: String

    init?(_ text: String) {
      let parts = text.split(separator: " ", maxSplits: 1).map { String($0) }
      guard parts.count == 2, let number = Int(parts[0]) else { return nil }
      self.number = number
      outcome = parts[1]
    }
  }

  private func withServer(
    at address: SocketAddress, _ body: (ChildProcess) async throws -> Void
  ) async throws {
    let arguments = [
      "--bind", address.host, "--port", "\(address.port ?? 0)", "--save", "", "--loglevel", "warning",
    ]
    try await withChildProcess("redis-server", arguments) { server in
      try await untilListening(address, "redis-server \(server.errorOutput)")
      try await body(server)
    }
  }

  @Test(
    "commands go out one after another, and each reply is printed behind its number",
    .enabled("redis-server is not installed") { await isInstalled("redis-server") })
  func conversation() async throws {
    let address = try ownAddress()
    try await withServer(at: address) { _ in
      try await withChildProcess(builtExecutable("redis"), ["\(address)"]) { example in
        try await example.send(
          "PING\nSET a 1\nINCR a\nGET a\nGET b\nRPUSH l x y\nLRANGE l 0 -1\nHGET a x\nNONSENSE\n")
        example.closeInput()
        let output = String(decoding: try await example.readToEnd(), as: UTF8.self)
        let lines = output.split(separator: "\n").compactMap { Line(String($0)) }
          .sorted { $0.number < $1.number }
        #expect(lines.map(\.number) == Array(1...9))
        let outcomes = lines.map(\.outcome)
        #expect(outcomes.prefix(7) == ["PONG", "OK", "2", "2", "nil", "2", "[x, y]"])
        #expect(
          outcomes[7].hasPrefix("error: WRONGTYPE") && outcomes[8].hasPrefix("error: ERR unknown command"))
        #expect(try await example.waitForExit() == .exited(0))
      }
    }
  }

  @Test(
    "a server that is killed under load and comes back: every command has one outcome, and no reply is another's",
    .enabled("redis-server is not installed") { await isInstalled("redis-server") })
  func restarts() async throws {
    let (rounds, load, answered) = (isThoroughRun ? 10 : 2, 1_500, 200)
    let address = try ownAddress()
    var outcomes: [Int: String] = [:]
    try await withChildProcess(builtExecutable("redis"), ["\(address)"]) { example in
      for round in 0..<rounds {
        let first = round * load + 1
        // One waits for ever, and all that are behind it in the connection with it.
        let commands = (first..<first + load).map { $0 == first + answered ? "BLPOP x 0\n" : "ECHO e\($0)\n" }
        async let sending: Void = example.send(commands.joined())
        try await withServer(at: address) { server in
          for _ in 0..<answered { try await note(example.readLine(), in: &outcomes) }
          server.signal(SIGKILL)
          try await server.waitForExit()
        }
        try await withServer(at: address) { _ in
          while outcomes.count < (round + 1) * load { try await note(example.readLine(), in: &outcomes) }
        }
        try await sending
      }
      example.closeInput()
      #expect(try await example.readToEnd().isEmpty)
      #expect(try await example.waitForExit() == .exited(0))
    }
    #expect(outcomes.keys.sorted() == Array(1...rounds * load))
    for (number, outcome) in outcomes where outcome != "e\(number)" {
      #expect(outcome == "unknown: connection lost")
      // A connection takes no more than 1,024 requests without a reply.
      let place = (number - 1) % load
      #expect((answered..<answered + 1_024).contains(place), "\(number)")
    }
    for round in 0..<rounds { #expect(outcomes[round * load + 1 + answered] == "unknown: connection lost") }
  }

  private func note(_ text: String, in outcomes: inout [Int: String]) throws {
    let line = try #require(Line(text), "\(text)")
    let previous = outcomes.updateValue(line.outcome, forKey: line.number)
    #expect(previous == nil, "\(line.number) has two outcomes")
  }
}
