import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("A client on several loops", .timeLimit(.minutes(2)))
struct GroupTests {
  @Test("shares targets, window and outcomes among its loops, and adds up what they have done")
  func shares() async throws {
    try await withAuditedLoops(count: 3) { loops in
      try await withServer(echo) { server in
        var configuration = MultiClientConfiguration()
        configuration.limits.open = 10
        let group = try MultiClientGroup<Asker>(framing: .lines, configuration: configuration)
        let outcomes = await group.run(Array(repeating: server.address, count: 200)) { _ in
          Asker(question: "?")
        }.all()
        #expect(outcomes.count == 200)
        #expect(outcomes.allSatisfy { $0.result == .finished(.closed) && $0.handler.lines == ["?"] })
        #expect(Set(outcomes.map(\.id)).count == 200)
        let statistics = await group.statistics
        #expect(statistics.finished == 200 && statistics.replyLatency.count == 200)
        #expect(outcomes.allSatisfy { group.client(of: $0.id) != nil })
        group.limits.open = 6
        #expect(group.clients.map(\.limits.open) == [6, 6, 6])
        group.limits.open = 0
        #expect(group.limits.open == 6)
      }
    }
  }

  /// Counts how many of it are open, and asks.
  private struct Present: ConnectionHandler {
    let open: Counter

    func connected(_ context: borrowing HandlerContext<LineFraming>) throws {
      open.add()
      try context.send("?")
    }

    func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) { context.close() }

    mutating func closed(_ reason: CloseReason) { open.add(-1) }
  }

  @Test("a limit is that of the whole group, however small, and nobody waits for ever", arguments: 0..<4)
  func smallLimits(which: Int) async throws {
    try await withAuditedLoops(count: 3) { _ in
      try await withServer(echo) { server in
        var configuration = MultiClientConfiguration()
        configuration.limits.open = which == 0 ? 1 : 20
        configuration.limits.connecting = which == 1 ? 1 : nil
        configuration.limits.perHost = which == 2 ? 2 : nil
        let group = try MultiClientGroup<Present>(framing: .lines, configuration: configuration)
        #expect(group.clients.count == 3)
        let open = Counter()
        var ended = 0
        for await outcome in group.run(
          repeatElement(server.address, count: 100), { _ in Present(open: open) })
        {
          #expect(outcome.result == .finished(.closed))
          ended += 1
          // Targets have been dealt to all loops by now.
          if which == 3, ended == 30 { group.limits.open = 1 }
        }
        #expect(ended == 100)
        #expect(open.most <= [1, 20, 2, 20][which] && open.value == 0)
        #expect(await group.statistics.connected == 100)
      }
    }
  }

  @Test("a ramp is that of the whole group, the slowest too")
  func ramp() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(count: 3, clock: clock) { _ in
      try await withServer(silence) { server in
        var configuration = MultiClientConfiguration()
        configuration.limits.rampUp = .constant(perSecond: 0.001)
        configuration.limits.timeouts.connect = nil
        let group = try MultiClientGroup<Asker>(framing: .lines, configuration: configuration)
        async let outcomes = group.run(repeatElement(server.address, count: 20)) { _ in Asker() }.all()
        for count in 1...5 {
          try await eventually("one more is open") { server.connectionCount >= count }
          #expect(server.connectionCount == count)
          clock.advance(by: .milliseconds(1_000_001))
        }
        try await eventually("one more is open") { server.connectionCount == 6 }
        #expect(await group.statistics.begun == 6)
        group.closeAll()
        #expect(await outcomes.count >= 6)
      }
    }
  }

  @Test("gives no loop a target that it has no place for while another has")
  func dealing() async throws {
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(silence) { server in
        var configuration = MultiClientConfiguration()
        configuration.limits.open = 20
        let group = try MultiClientGroup<Asker>(framing: .lines, configuration: configuration)
        async let outcomes = group.run(Array(repeating: server.address, count: 20)) { _ in Asker() }.all()
        try await eventually("all are open") { server.connectionCount == 20 }
        group.closeAll()
        #expect(await outcomes.count == 20)
      }
    }
  }

  @Test("ends when it is left, and when it is closed")
  func ends() async throws {
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(silence) { server in
        let group = try MultiClientGroup<Asker>(framing: .lines)
        async let outcomes = group.run(Array(repeating: server.address, count: 20)) { _ in Asker() }.all()
        try await eventually("all are open") { server.connectionCount == 20 }
        group.closeAll()
        #expect(await outcomes.map(\.result) == Array(repeating: .finished(.closed), count: 20))

        let echoing = try await TCPServer.bind(on: .loopback())
        async let running: Void = echoing.run(framing: .lines, echo)
        for await _ in group.run(
          [.address(echoing.address)] + Array(repeating: Target.address(server.address), count: 20),
          { _ in Asker(question: "?") })
        {
          break
        }
        try await eventually("all are gone") { server.connectionCount == 0 }
        await echoing.drain()
        try await running
      }
    }
  }

  @Test("statistics come at each interval until the end, and those of the end are the last")
  func statistics() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { connection in
        for try await line in connection.inbound {
          try await world.sleep(for: .milliseconds(700))
          try await connection.send(line)
        }
      }
      let client = MultiClient<Asker>(framing: .lines, atMost: 1)
      async let outcomes = client.run(Array(repeating: address, count: 5)) { _ in Asker(question: "?") }.all()
      var ended: [Int] = []
      var last = ClientStatistics()
      for await statistics in client.statistics(every: .seconds(1)) {
        ended.append(statistics.ended)
        last = statistics
      }
      #expect(ended == [1, 2, 4, 5])
      #expect(last.framesReceived == 5 && last.bytesRead == 10 && last.bytesWritten == 10)
      #expect(last.replyLatency.count == 5)
      #expect((last.replyLatency.min ?? .zero).isAbout(.milliseconds(700)))
      #expect((last.connectLatency.min ?? .zero) > .microseconds(500))
      #expect("\(last)" == "0 waiting, 0 connecting, 0 open, 5 ended, 10 bytes in, 10 out, 5 frames")
      var sum = last
      sum.merge(last)
      #expect(sum.ended == 10 && sum.connectLatency.count == 10)
      #expect(await outcomes.count == 5)
    }
  }
}
