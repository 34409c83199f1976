import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("What takes too long", .timeLimit(.minutes(2)))
struct TimeoutTests {
  /// Sends more than the system takes, and closes if it is told to.
  private struct Flood: ConnectionHandler {
    var closes = false
    var reasons: [CloseReason] = []

    func connected(_ context: borrowing HandlerContext<RawFraming>) throws {
      try context.send([UInt8](repeating: 0, count: 4 << 20))
      if closes { context.close() }
    }

    func received(_ bytes: [UInt8], _ context: borrowing HandlerContext<RawFraming>) {}

    mutating func closed(_ reason: CloseReason) { reasons.append(reason) }
  }

  @Test(
    "the time-out for everything ends a close as well, and output that nobody takes",
    arguments: ["handler", "client", "nobody", "set"])
  func total(closedBy: String) async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { _ in try await world.sleep(for: .seconds(1000)) }
      let client = MultiClient<Flood>(framing: RawFraming())
      let total: Duration? = closedBy == "set" ? nil : .seconds(3)
      let id = try await client.connect(
        to: .address(address), timeouts: Timeouts(total: total), Flood(closes: closedBy == "handler"))
      client.finish()
      try await world.sleep(for: .seconds(1))
      if closedBy == "client" || closedBy == "set" { #expect(await client.close(id)) }
      try await world.sleep(for: .seconds(1))
      if closedBy == "set" { #expect(try await client.set(Timeouts(total: .seconds(3)), of: id)) }
      let outcomes = await client.outcomes.all()
      #expect(outcomes.map(\.result) == [.timedOut(.total)])
      #expect(outcomes[0].handler.reasons == [.timedOut])
      #expect(outcomes[0].duration.isAbout(.seconds(3)))
    }
  }

  @Test("a silent peer that never ends its stream costs no time beyond the time-out")
  func silentForEver() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { _ in try await world.sleep(for: .seconds(1000)) }
      for timeouts in [
        Timeouts(firstByte: .seconds(1)), Timeouts(input: .seconds(1)), Timeouts(total: .seconds(1)),
      ] {
        let client = MultiClient<Asker>(framing: .lines, atMost: 2)
        client.limits.timeouts = timeouts
        let start = world.elapsed
        let outcomes = await client.run(Array(repeating: address, count: 6)) { _ in Asker() }.all()
        #expect(outcomes.count == 6 && outcomes.allSatisfy { $0.handler.reasons == [.timedOut] })
        #expect((world.elapsed - start).isAbout(.seconds(3)))
      }
    }
  }

  @Test("what comes unasked after the reply to a client's send is no reply")
  func pushed() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { connection in
        for try await line in connection.inbound {
          for _ in 0..<3 {
            try await connection.send(line)
            try await world.sleep(for: .seconds(1))
          }
        }
      }
      let client = MultiClient<Asker>(framing: .lines)
      let id = try await client.connect(to: address, Asker(enough: 3))
      // Long after its first callback.
      try await world.sleep(for: .seconds(1))
      #expect(try await client.send("?", to: id))
      client.finish()
      #expect(await client.outcomes.all().map(\.handler.lines) == [["?", "?", "?"]])
      let latency = client.statisticsNow.replyLatency
      #expect(latency.count == 1 && (latency.max ?? .zero) < .seconds(1))
    }
  }
}
