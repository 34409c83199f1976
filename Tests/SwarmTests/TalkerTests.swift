import MultiClient
import TCPServer
import TestHarness
import Testing

@testable import swarm

/// In a simulated network, whose time does not pass by itself.
@Suite("What a connection does", .timeLimit(.minutes(2)))
struct TalkerTests {
  private typealias Serve = @Sendable (FramedConnection<LineFraming>) async throws -> Void

  /// Runs talkers against a server in a simulation, until all are done.
  private func talk(
    _ options: Options, with serve: @escaping Serve, in world: SimulatedWorld, places: Int? = nil
  ) async throws -> (Tally.Counts, [MultiClient<Talker>.Outcome]) {
    let host = world.host("server")
    let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
    host.start { try await server.run(framing: .lines, serve) }
    var configuration = MultiClientConfiguration()
    configuration.limits.open = places ?? options.connections
    let client = try MultiClient<Talker>(
      framing: Exchange(script: options.script), configuration: configuration)
    let tally = Tally()
    tally.lacksPlaces = places != nil
    let run = Run(options, tally, began: client.loop.now) { client.closeAll() }
    var outcomes: [MultiClient<Talker>.Outcome] = []
    let targets = repeatElement(host.address.withPort(7), count: options.connections)
    for await outcome in client.run(targets, { _ in run.talker() }) { outcomes.append(outcome) }
    return (tally.now, outcomes)
  }

  private func options(_ arguments: String...) throws -> Options {
    guard case .run(let options) = try OptionParser.parse(arguments) else { throw UsageError("no run") }
    return options
  }

  private static let echo: Serve = { connection in
    for try await line in connection.inbound { try await connection.send(line) }
  }

  @Test("sends as many lines as it should, and stays open until all have done")
  func lines() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "5", "--messages", "3", "--ramp", "1")
      let (counts, outcomes) = try await talk(options, with: Self.echo, in: world)
      #expect(counts.sent == 15)
      #expect(counts.right == 15)
      #expect(counts.wrong == 0)
      #expect(counts.latency.count == 15)
      #expect(counts.opened == 5)
      #expect(counts.settled == 5)
      #expect(counts.errors.total == 0)
      #expect(outcomes.allSatisfy { $0.result == .finished(.closed) && $0.handler.phase == .done })
    }
  }

  @Test("where the system has fewer places, who has done makes room for the others")
  func fewPlaces() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "7", "--messages", "3")
      let (counts, _) = try await talk(options, with: Self.echo, in: world, places: 2)
      #expect(counts.right == 21)
      #expect(counts.settled == 7)
      #expect(counts.errors.total == 0)
    }
  }

  @Test("a reply that is not right is counted, with what was expected and what came, and it goes on")
  func wrongReply() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "2", "--messages", "3", "--size", "20")
      let (counts, _) = try await talk(
        options,
        with: { connection in
          for try await line in connection.inbound {
            try await connection.send(line.contains("0000002 0000002") ? "sorry" : line)
          }
        }, in: world)
      #expect(counts.right == 5)
      #expect(counts.wrong == 1)
      #expect(
        counts.errors.entries == [
          ErrorTable.Entry(
            kind: "wrong reply", count: 1,
            example: "connection 2, message 2: expected \"0000002 0000002 qrst\", got \"sorry\"")
        ])
    }
  }

  @Test("no reply within the time-out ends it, and it is blamed once")
  func noReply() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "2", "--timeout", "3s")
      let (counts, outcomes) = try await talk(
        options,
        with: { connection in
          for try await _ in connection.inbound {}
        }, in: world)
      #expect(counts.sent == 2)
      #expect(counts.errors.sorted.map(\.kind) == ["no reply in time"])
      #expect(counts.errors.total == 2)
      #expect(counts.errors.sorted.first?.example.hasSuffix(": no reply to message 1 within 3 s") == true)
      #expect(outcomes.allSatisfy { $0.handler.isBlamed })
    }
  }

  @Test("who says something unasked is cut off")
  func unasked() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "1", "--think", "10s", "--messages", "3")
      let (counts, _) = try await talk(
        options,
        with: { connection in
          for try await line in connection.inbound {

            try await connection.send(line)
            try await connection.send("and more")

          }
        }, in: world)
      #expect(counts.right == 1)
      #expect(counts.errors.sorted.map(\.kind) == ["unasked input"])
      #expect(
        counts.errors.sorted.first?.example
          == "connection 1 was sent \"and more\", for which it had not asked")
    }
  }

  @Test("what came with a reply is no reply to the next message, but unasked")
  func early() async throws {
    try await withSimulation { world in
      let (counts, _) = try await talk(
        try options("--connections", "1", "--messages", "3"),
        with: { connection in
          for try await line in connection.inbound { try await connection.send("\(line)\r\nand more") }
        }, in: world)
      #expect(counts.sent == 2 && counts.right == 1 && counts.wrong == 0)
      #expect(counts.errors.sorted.map(\.kind) == ["unasked input"])
    }
  }

  @Test("a greeting is waited for, and is no reply")
  func greeting() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "3", "--messages", "2", "--greeting")
      let (counts, _) = try await talk(
        options,
        with: { connection in
          try await world.sleep(for: .seconds(1))
          try await connection.send("Smile from the server!")
          for try await line in connection.inbound { try await connection.send(line) }
        }, in: world)
      #expect(counts.right == 6)
      #expect(counts.errors.total == 0)
      #expect(counts.latency.count == 6)
      #expect(counts.latency.max.map { $0 < .seconds(1) } == true)
    }
  }

  @Test("a peer that ends the conversation early is told as that")
  func endedEarly() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "1", "--messages", "3")
      let (counts, outcomes) = try await talk(
        options,
        with: { connection in
          for try await line in connection.inbound { return try await connection.send(line) }
        }, in: world)
      #expect(counts.right == 1)
      #expect(counts.settled == 1)
      let outcome = try #require(outcomes.first)
      #expect(outcome.handler.phase == .over)
      let flaw = Flaw(outcome.result, connection: 1, to: outcome.target)
      #expect(flaw?.kind == "ended early" || flaw?.kind == "reset")
    }
  }

  @Test("a duration ends it, and a rate is kept over all connections together")
  func rate() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "10", "--rate", "50", "--duration", "4s")
      let (counts, outcomes) = try await talk(options, with: Self.echo, in: world)
      #expect((190...200).contains(counts.right))
      #expect(counts.sent == counts.right)
      #expect(counts.errors.total == 0)
      #expect(outcomes.count == 10)
    }
  }

  @Test("a think time is kept between a reply and the next message")
  func think() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "3", "--think", "1s", "--duration", "9500ms")
      let (counts, _) = try await talk(options, with: Self.echo, in: world)
      #expect(counts.right == 30)
    }
  }

  @Test("with a rate, latency counts from when a message was due if the reply before it was late")
  func coordinatedOmission() async throws {
    try await withSimulation { world in
      let options = try options("--connections", "1", "--rate", "10", "--messages", "10")
      let (counts, _) = try await talk(
        options,
        with: { connection in
          for try await line in connection.inbound {
            if line.contains("0000001 0000001") { try await world.sleep(for: .seconds(1)) }
            try await connection.send(line)
          }
        }, in: world)
      #expect(counts.right == 10)
      let median = try #require(counts.latency.quantile(0.5))
      #expect(median > .milliseconds(400), "the server stood still for all ten")
    }
  }

  @Test("outcomes are classed in words")
  func classes() {
    let target = Target.host("h", port: 7)
    let refused = Errno(rawValue: 111)
    func kind(_ result: TargetResult) -> String? { Flaw(result, connection: 1, to: target)?.kind }
    #expect(kind(.cancelled) == nil)
    #expect(kind(.finished(.closed)) == "ended early")
    #expect(kind(.finished(.closedByPeer)) == "ended early")
    #expect(kind(.finished(.reset)) == "reset")
    #expect(kind(.finished(.framing("too long"))) == "reply too long")
    #expect(kind(.finished(.failed(refused, call: "read"))) == "ECONNREFUSED")
    #expect(kind(.timedOut(.connect)) == "connect timed out")
    #expect(kind(.failed(.failed(refused, call: "connect", address: nil))) == "refused")
    #expect(kind(.failed(.unresolved(host: "h", reason: "?"))) == "name not found")
    #expect(kind(.failed(.connectFailed(host: "h", []))) == "connect")
  }
}
