import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("A client as a sequence of events", .timeLimit(.minutes(2)))
struct EventTests {
  @Test("a connection of which an event has not been taken is not read, and the others go on (P33)")
  func backPressure() async throws {
    try await withSimulation { world in
      // Each sends as fast as it may.
      let sent = Counter()
      let flood = try await world.serve("flood") { connection in
        for number in 0..<2000 {
          try await connection.send("\(number) " + String(repeating: "x", count: 1000))
          sent.add()
        }
      }
      let address = try await world.serve("server", echo)
      let client = MultiClient(framing: .lines)
      let flooding = try await client.connect(to: flood)
      let talking = try await client.connect(to: address)
      client.finish()
      var events = client.events.makeAsyncIterator()
      // Nobody takes events for a while: what waits is bounded.
      try await world.sleep(for: .seconds(20))
      let stuck = sent.value
      #expect(stuck < 1500)
      var expected = 0
      while let event = await events.next() {
        switch event {
        case .connected(talking, _):
          #expect(try await client.send("hello", to: talking))
        case .received(talking, let line):
          #expect(line == "hello")
          await client.close(talking)
        case .received(flooding, let line):
          #expect(line.hasPrefix("\(expected) "))
          expected += 1
        default: continue
        }
      }
      #expect(expected == 2000)
    }
  }

  @Test("events of several tasks that iterate are each taken once, and both end")
  func shared() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient(framing: .lines, atMost: 4)
      for _ in 0..<50 { try await client.connect(to: address) }
      client.finish()
      @Sendable func take() async throws -> Int {
        var ended = 0
        for await event in client.events {
          switch event {
          case .connected(let id, _): try await client.send("?", to: id)
          case .received(let id, _): await client.close(id)
          case .ended: ended += 1
          case .writable, .notice: break
          }
        }
        return ended
      }
      async let (a, b) = (take(), take())
      let counts = try await [a, b]
      #expect(counts.reduce(0, +) == 50)
    }
  }

  @Test("who may send again is told so, and a full output refuses whole frames")
  func writable() async throws {
    try await withSimulation { world in
      let bytes = Counter()
      let address = try await world.serve("server") { connection in
        try await world.sleep(for: .seconds(5))
        while let chunk = try await connection.connection.read() { bytes.add(chunk.count) }
      }
      let client = MultiClient(framing: .lines)
      let id = try await client.connect(to: address)
      client.finish()
      var accepted = 0
      for await event in client.events {
        switch event {
        case .connected:
          do {
            while accepted < 1000 {
              try await client.send(String(repeating: "x", count: 9_999), to: id)
              accepted += 1
            }
          } catch SocketError.outputFull {}
        case .writable:
          #expect(world.elapsed >= .seconds(5))
          try await client.send("done", to: id)
          await client.close(id)
        case .ended(let outcome): #expect(outcome.result == .finished(.closed))
        default: Issue.record("\(event)")
        }
      }
      #expect(accepted < 1000)
      #expect(bytes.value == accepted * 10_000 + 5)
    }
  }

  @Test("a cancelled task still gets the ends of all")
  func cancelled() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let client = MultiClient(framing: .lines)
      for _ in 0..<5 { try await client.connect(to: address) }
      let ended = try await withThrowingTaskGroup(of: Int.self) { group in
        group.addTask {
          var ended = 0
          for await event in client.events {
            if case .ended(let outcome) = event, outcome.result == .cancelled { ended += 1 }
          }
          return ended
        }
        try await world.sleep(for: .seconds(1))
        group.cancelAll()
        return try await group.next() ?? 0
      }
      #expect(ended == 5)
    }
  }
}
