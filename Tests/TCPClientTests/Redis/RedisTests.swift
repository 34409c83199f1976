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

  /// A server of its own, which is killed when it is dropped.
  private func startServer(at address: SocketAddress) async throws -> ChildProcess {
    let arguments = ["--port", "\(address.port ?? 0)", "--save", "", "--loglevel", "warning"]
    let server = try ChildProcess("redis-server", ["--bind", address.host] + arguments)
    try await untilListening(address, "redis-server \(server.errorOutput)")
    return server
  }

  private func kill(_ server: ChildProcess) async throws {
    server.signal(SIGKILL)
    try await server.waitForExit()
  }

  @Test(
    "commands go out one after another, and each reply is printed behind its number",
    .enabled("redis-server is not installed") { await isInstalled("redis-server") })
  func conversation() async throws {
    let address = try ownAddress()
    let server = try await startServer(at: address)
    try await withChildProcess(builtExecutable("redis"), ["\(address)"]) { example in
      // Commands that wait for the first connection are in no order.
      try await example.send("PING\n")
      #expect(try await example.readLine() == "1 PONG")
      try await example.send(
        "SET a 1\nINCR a\nGET a\nGET b\nRPUSH l x y\nLRANGE l 0 -1\nHGET a x\nNONSENSE\n")
      example.closeInput()
      let output = String(decoding: try await example.readToEnd(), as: UTF8.self)
      let lines = output.split(separator: "\n").compactMap { Line(String($0)) }
        .sorted { $0.number < $1.number }
      #expect(lines.map(\.number) == Array(2...9))
      let outcomes = lines.map(\.outcome)
      try #require(outcomes.count == 8, "\(output)")
      #expect(outcomes.prefix(6) == ["OK", "2", "2", "nil", "2", "[x, y]"])
      #expect(
        outcomes[6].hasPrefix("error: WRONGTYPE") && outcomes[7].hasPrefix("error: ERR unknown command"))
      #expect(try await example.waitForExit() == .exited(0))
    }
    try await kill(server)
  }

  @Test(
    "a server that is killed under load and comes back: every command has one outcome, and no reply is another's",
    .enabled("redis-server is not installed") { await isInstalled("redis-server") })
  func restarts() async throws {
    let (rounds, load, answered) = (isThoroughRun ? 10 : 2, 1_500, 200)
    let address = try ownAddress()
    var outcomes: [Int: String] = [:]
    var server = try await startServer(at: address)
    try await withChildProcess(builtExecutable("redis"), ["\(address)"]) { example in
      for round in 0..<rounds {
        let first = round * load + 1
        let commands = (first..<first + load).map { $0 == first + answered ? "BLPOP x 0\n" : "ECHO e\($0)\n" }
        try await example.send(commands[..<answered].joined())
        for _ in 0..<answered { try await note(example.readLine(), in: &outcomes) }
        async let sending: Void = example.send(commands[answered...].joined())
        // It waits for ever, and all that are behind it in its connection with it.
        try await untilBlocked(at: address)
        try await kill(server)
        server = try await startServer(at: address)
        while outcomes.count < (round + 1) * load { try await note(example.readLine(), in: &outcomes) }
        try await sending
      }
      example.closeInput()
      #expect(try await example.readToEnd().isEmpty)
      #expect(try await example.waitForExit() == .exited(0))
    }
    try await kill(server)
    #expect(outcomes.keys.sorted() == Array(1...rounds * load))
    let lost = outcomes.filter { $0.value != "e\($0.key)" }
    #expect(lost.values.allSatisfy { $0 == "unknown: connection lost" })
    for round in 0..<rounds {
      #expect(lost[round * load + 1 + answered] != nil)
      let count = lost.keys.count { ($0 - 1) / load == round }
      #expect(count <= 1_024, "no more can be under way at once than a connection takes")
    }
  }

  private func untilBlocked(at address: SocketAddress) async throws {
    let peer = try await onThread { try BlockingPeer.connect(port: address.port ?? 0, host: address.host) }
    while try await !onThread({
      try peer.send("INFO clients\r\n")
      let length = Int(try peer.receiveLine().dropFirst().dropLast()) ?? 0
      return String(decoding: try peer.receive(exactly: length + 2), as: UTF8.self).contains(
        "blocked_clients:1")
    }) {}
    peer.close()
  }

  private func note(_ text: String, in outcomes: inout [Int: String]) throws {
    let line = try #require(Line(text), "\(text)")
    let previous = outcomes.updateValue(line.outcome, forKey: line.number)
    #expect(previous == nil, "\(line.number) has two outcomes")
  }
}
