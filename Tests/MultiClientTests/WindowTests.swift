import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("How many at once, and how fast", .timeLimit(.minutes(2)))
struct WindowTests {
  @Test("scenario I16: 1,024 in one go to one echo server all connect, and all get their reply")
  func inOneGo() async throws {
    try await withServer(echo) { server in
      let client = MultiClient<Asker>(framing: .lines, atMost: 1024)
      let outcomes = await client.run(Array(repeating: server.address, count: 1024)) { _ in
        Asker(question: "hello")
      }.all()
      #expect(outcomes.count == 1024)
      #expect(outcomes.allSatisfy { $0.result == .finished(.closed) && $0.handler.lines == ["hello"] })
      let statistics = await client.statistics
      #expect(statistics.connected == 1024 && statistics.open == 0 && statistics.connecting == 0)
      #expect(statistics.connectLatency.count == 1024 && statistics.replyLatency.count == 1024)
      #expect(statistics.framesReceived == 1024 && statistics.bytesRead == 6 * 1024)
    }
  }

  @Test(
    "scenario I16: never more than the window, refusals and time-outs included, and the next begins as one ends"
  )
  func window() async throws {
    try await withSimulation { world in
      let open = Counter()
      let address = try await world.serve("server") { connection in
        open.add()
        defer { open.add(-1) }
        try await silence(connection)
      }
      let refusing = world.host("nobody").address.withPort(7)
      let hole = world.blackHole("hole")
      let client = MultiClient<Asker>(framing: .lines, atMost: 10)
      client.limits.timeouts = Timeouts(connect: .seconds(2), input: .seconds(3))
      let targets = (0..<120).map { [address, refusing, hole][$0 % 3] }
      var outcomes = 0
      var most = 0
      for await outcome in client.run(targets, { _ in Asker() }) {
        outcomes += 1
        let statistics = client.statisticsNow
        most = max(most, statistics.open + statistics.connecting)
        switch outcome.target {
        case .address(address): #expect(outcome.result == .timedOut(.input))
        case .address(hole): #expect(outcome.result == .timedOut(.connect))
        default: #expect(outcome.handler.reasons == [.failed(Errno(rawValue: 111), call: "connect")])
        }
      }
      #expect(outcomes == 120)
      #expect(most <= 10)
      #expect(open.most <= 10 && open.most >= 5)
      // 40 silences of 3 s and 40 holes of 2 s, ten at a time, and little lost between.
      #expect(world.elapsed >= .seconds(20) && world.elapsed < .seconds(26))
    }
  }

  @Test("a constant ramp begins so many a second, a linear one more and more")
  func ramps() async throws {
    try await withSimulation { world in
      for (ramp, expected) in [
        (RampUp.constant(perSecond: 10), Duration.seconds(9.9)),
        (.linear(from: 0, to: 20, over: .seconds(10)), .seconds(9.95)),
      ] {
        let address = try await world.serve("server-\(expected.components.attoseconds % 7)", echo)
        let client = MultiClient<Asker>(framing: .lines, atMost: 1000)
        client.limits.rampUp = ramp
        let start = world.elapsed
        let count = await client.run(Array(repeating: address, count: 100)) { _ in Asker(question: "?") }
          .all().count
        #expect(count == 100)
        #expect((world.elapsed - start).isAbout(expected))
      }
    }
  }

  @Test("caps on connecting and per host hold, and other hosts go before who waits for a full one")
  func caps() async throws {
    try await withSimulation { world in
      let hole = world.blackHole("hole")
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines, atMost: 100)
      client.limits.connecting = 5
      client.limits.perHost = 2
      client.limits.timeouts.connect = .seconds(1)
      let targets = Array(repeating: hole, count: 10) + Array(repeating: address, count: 20)
      var order: [Bool] = []
      var most = 0
      for await outcome in client.run(targets, { _ in Asker(question: "?") }) {
        order.append(outcome.result == .finished(.closed))
        most = max(most, client.statisticsNow.connecting)
      }
      #expect(order == Array(repeating: true, count: 20) + Array(repeating: false, count: 10))
      #expect(most <= 5)
      #expect(world.elapsed.isAbout(.seconds(5)))
    }
  }

  @Test("one that ends while it waits for its host does not use up the host's turn")
  func turnOfAHost() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let client = MultiClient<Asker>(framing: .lines)
      client.limits.perHost = 1
      var ids: [ConnectionID] = []
      for _ in 0..<3 { ids.append(try await client.connect(to: address, Asker())) }
      try await eventually("the first is open") { client.statisticsNow.open == 1 }
      #expect(await client.close(ids[1]))
      #expect(await client.close(ids[0]))
      try await eventually("the last is open") {
        client.statisticsNow.open == 1 && client.statisticsNow.ended == 2
      }
      #expect(await client.counters(of: ids[2]) != nil)
    }
  }

  @Test("limits that are changed count at once: a wider window, a faster ramp; what cannot work is told")
  func change() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let notices = Log<ClientNotice>()
      var configuration = MultiClientConfiguration()
      configuration.limits.open = 1
      configuration.onNotice = { notices.add($0) }
      let client = try MultiClient<Asker>(framing: .lines, configuration: configuration)
      async let outcomes = client.run(Array(repeating: address, count: 20)) { _ in Asker() }.all()
      try await world.sleep(for: .seconds(1))
      #expect(client.statisticsNow.open == 1)
      client.limits.open = 5
      try await world.sleep(for: .seconds(1))
      #expect(client.statisticsNow.open == 5)
      client.limits.open = 0
      #expect(client.limits.open == 5)
      client.limits.rampUp = .constant(perSecond: 1)
      client.limits.open = 100
      try await world.sleep(for: .milliseconds(5500))
      #expect(client.statisticsNow.open == 11)
      client.limits.rampUp = .immediately
      try await world.sleep(for: .seconds(1))
      #expect(client.statisticsNow.open == 20)
      client.closeAll()
      #expect(await outcomes.count == 20)
      #expect(notices.values.map { if case .limitsRefused = $0 { true } else { false } } == [true])
    }
  }

  @Test("outcomes that nobody takes keep new targets from beginning, and none is lost")
  func slowConsumer() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let begun = Counter()
      var configuration = MultiClientConfiguration()
      configuration.limits.open = 10
      configuration.outcomeBacklog = 20
      let client = try MultiClient<Asker>(framing: .lines, configuration: configuration)
      let outcomes = client.run(Array(repeating: address, count: 200)) { _ in
        begun.add()
        return Asker(question: "?")
      }
      try await world.sleep(for: .seconds(10))
      // Those that wait to be taken, those that were open then, and one that is drawn ahead.
      #expect((20...31).contains(begun.value))
      #expect(Set(await outcomes.all().map(\.id)).count == 200)
    }
  }

  @Test("a window that cannot work is told of every target")
  func invalidWindow() async throws {
    let outcomes = await MultiClient<Asker>(framing: .lines, atMost: 0).run([.loopback(port: 7)]) { _ in
      Asker()
    }
    .all()
    #expect(outcomes.count == 1)
    #expect("\(outcomes[0].result)".contains("limits.open must be from 1"))
    let most = await MultiClient<Asker>(framing: .lines, atMost: .max).run([.loopback(port: 7)]) { _ in
      Asker()
    }
    .all()
    #expect(most.count == 1 && "\(most[0].result)".contains("limits.open must be from 1"))
    var configuration = MultiClientConfiguration()
    configuration.sources = [.loopback(port: 7)]
    #expect(throws: SocketError.self) {
      try MultiClient<Asker>(framing: .lines, configuration: configuration)
    }
    configuration = MultiClientConfiguration()
    configuration.outcomeBacklog = 0
    #expect(throws: SocketError.self) {
      try MultiClient<Asker>(framing: .lines, configuration: configuration)
    }
  }
}
