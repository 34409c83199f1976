import MultiClient
import Peers
import TCPServer
import TestHarness
import Testing

/// Keeps the first line of a server that speaks first.
private struct Banner: ConnectionHandler {
  var line: String?
  var reasons = 0

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {
    self.line = line
    context.close()
  }

  mutating func closed(_ reason: CloseReason) { reasons += 1 }
}

@Suite("A sweep over servers of every kind", .timeLimit(.minutes(10)))
struct SweepTests {
  private enum Kind: Int, CaseIterable { case banner, mute, resetter, trickler, refuser, hole }

  /// Six hosts: one that greets, one that accepts and never answers, one that resets at random, one that sends a byte a
  /// second, one that refuses, and one of which nobody hears.
  private func hosts(_ world: SimulatedWorld) async throws -> [Kind: SocketAddress] {
    [
      .banner: try await world.serve("banner") { try await $0.send("220 welcome") },
      .mute: try await world.serve("mute", silence),
      .resetter: try await world.serve("resetter") { connection in
        try await world.sleep(for: world.random(in: .zero ... .seconds(2)))
        connection.connection.abort()
      },
      .trickler: try await world.serve("trickler") { connection in
        while true {
          try await connection.connection.send("x")
          try await world.sleep(for: .seconds(1))
        }
      },
      .refuser: world.host("refuser").address.withPort(7),
      .hole: world.blackHole("hole"),
    ]
  }

  private func sweep(_ world: SimulatedWorld, count: Int) async throws {
    let hosts = try await hosts(world)
    let kinds = (0..<count).map { _ in Kind.allCases[world.random(in: 0...5)] }
    let client = MultiClient<Banner>(framing: .lines, atMost: 10)
    client.limits.timeouts = Timeouts(
      connect: .seconds(2), firstByte: .seconds(5), input: .seconds(10), total: .seconds(20))
    var seen: Set<ConnectionID> = []
    var counts: [Kind: Int] = [:]
    for await outcome in client.run(kinds.compactMap { hosts[$0] }, { _ in Banner() }) {
      #expect(seen.insert(outcome.id).inserted)
      #expect(outcome.handler.reasons == 1)
      guard let kind = hosts.first(where: { .address($0.value) == outcome.target })?.key else { continue }
      counts[kind, default: 0] += 1
      switch kind {
      case .banner:
        #expect(outcome.handler.line == "220 welcome")
        #expect([.finished(.closed), .finished(.closedByPeer)].contains(outcome.result))
      case .mute:
        #expect(outcome.result == .timedOut(.firstByte))
        #expect(outcome.duration.isAbout(.seconds(5)))
      case .resetter: #expect(outcome.result == .finished(.reset))
      case .trickler:
        #expect(outcome.result == .timedOut(.total))
        #expect(outcome.duration.isAbout(.seconds(20)) || outcome.duration.isAbout(.seconds(21)))
      case .refuser:
        #expect(
          outcome.result
            == .failed(.failed(Errno(rawValue: 111), call: "connect", address: hosts[.refuser])))
      case .hole:
        #expect(outcome.result == .timedOut(.connect))
        #expect(outcome.duration.isAbout(.seconds(2)))
      }
    }
    #expect(seen.count == count)
    for kind in Kind.allCases { #expect(counts[kind] ?? 0 == kinds.count { $0 == kind }) }
    let statistics = client.statisticsNow
    #expect(statistics.ended == count && statistics.begun == count)
    #expect(statistics.errors["connect: ECONNREFUSED"] ?? 0 == counts[.refuser] ?? 0)
    #expect(statistics.errors["timed out: connect"] ?? 0 == counts[.hole] ?? 0)
    #expect(statistics.errors["reset"] ?? 0 == counts[.resetter] ?? 0)
    #expect(statistics.waiting == 0 && statistics.connecting == 0 && statistics.open == 0)
  }

  @Test("each kind of server has the outcome that is due to it")
  func simulated() async throws {
    try await withSimulations(seeds: 0..<3) { try await sweep($0, count: 40) }
  }

  @Test("and so with a thousand seeds", .thoroughOnly)
  func thorough() async throws {
    try await withSimulations(seeds: 3..<1003) { try await sweep($0, count: 40) }
  }

  @Test("over real sockets: greeting, refusal, reset, silence")
  func real() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { _ in
      let server = try await TCPServer.bind(on: .loopback())
      let count = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await server.run(framing: .lines) { connection in
            count.add()
            switch count.value % 3 {
            case 0: try await connection.send("220 welcome")
            case 1: connection.connection.abort()
            default: try await silence(connection)
            }
          }
        }
        let refusing = try await onThread { try ReservedPort() }
        let client = MultiClient<Banner>(framing: .lines, atMost: 20)
        client.limits.timeouts.input = .seconds(1)
        let targets = (0..<20).map { $0 % 4 == 3 ? .loopback(port: refusing.number) : server.address }
        var results: [TargetResult: Int] = [:]
        for await outcome in client.run(targets, { _ in Banner() }) {
          results[outcome.result, default: 0] += 1
          #expect(outcome.handler.reasons == 1)
          // Only the silent are left.
          if results.values.reduce(0, +) == 15 { clock.advance(by: .seconds(1)) }
        }
        let refusal = SocketError.failed(
          Errno(rawValue: 111), call: "connect", address: .loopback(port: refusing.number))
        #expect(results[.failed(refusal)] == 5)
        #expect(results[.finished(.reset)] == 5)
        #expect(results[.timedOut(.input)] == 5)
        #expect((results[.finished(.closed)] ?? 0) + (results[.finished(.closedByPeer)] ?? 0) == 5)
        server.beginDrain(deadline: .zero)
        try await group.waitForAll()
      }
    }
  }
}
