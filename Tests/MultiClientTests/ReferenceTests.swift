import MultiClient
import TCPServer
import TestHarness
import Testing

/// Reads nothing until it is told to.
private struct Sleeper: ConnectionHandler {
  func connected(_ context: borrowing HandlerContext<LineFraming>) { context.isReading = false }

  func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {}
}

@Suite("What references ask for is noted", .timeLimit(.minutes(2)))
struct ReferenceTests {
  @Test(
    "after a pause in reading the input time-out begins anew, and that for the first byte",
    arguments: [Timeouts(input: .seconds(1)), Timeouts(firstByte: .seconds(1))])
  func pause(timeouts: Timeouts) async throws {
    try await withSimulation { world in
      let client = MultiClient<Sleeper>(framing: .lines)
      let address = try await world.serve("server", silence)
      let id = try await client.connect(to: address, timeouts: timeouts, Sleeper())
      client.finish()
      try await eventually("it is open") { client.statisticsNow.open == 1 }
      try await world.sleep(for: .milliseconds(850))
      await client.reference(to: id)?.perform { _, context in context.isReading = true }
      let outcomes = await client.outcomes.all()
      #expect(outcomes.map(\.result) == [.timedOut(timeouts.input == nil ? .firstByte : .input)])
      #expect(outcomes[0].duration.isAbout(.milliseconds(1850)))
    }
  }

  @Test("the latency of a reply to what a reference has sent counts from then")
  func latency() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { connection in
        for try await line in connection.inbound {
          try await world.sleep(for: .milliseconds(300))
          try await connection.send(line)
        }
      }
      let client = MultiClient<Asker>(framing: .lines)
      let id = try await client.connect(to: address, Asker(enough: 3))
      client.finish()
      try await eventually("it is open") { client.statisticsNow.open == 1 }
      for _ in 0..<3 {
        await client.reference(to: id)?.perform { _, context in try context.send("?") }
        try await world.sleep(for: .seconds(10))
      }
      #expect(await client.outcomes.all().map(\.handler.lines.count) == [3])
      let latency = client.statisticsNow.replyLatency
      #expect(latency.count == 3)
      #expect(
        latency.min?.isAbout(.milliseconds(300)) == true && latency.max?.isAbout(.milliseconds(300)) == true)
    }
  }
}
