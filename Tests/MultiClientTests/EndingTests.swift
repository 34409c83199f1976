import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("How a client ends", .timeLimit(.minutes(2)))
struct EndingTests {
  @Test("leaving the outcomes ends everything, and leaves nothing")
  func leaving() async throws {
    try await withSimulation { world in
      let ends = Counter()
      let address = try await world.serve("server") { connection in
        ends.add()
        defer { ends.add(-1) }
        try await silence(connection)
      }
      let answering = try await world.serve("answering", echo)
      let handlers = Counter()
      for await outcome in MultiClient<Asker>(framing: .lines, atMost: 5).run(
        [answering] + Array(repeating: address, count: 100),
        { _ in
          handlers.add()
          return Asker(question: "?")
        })
      {
        #expect(outcome.handler.lines == ["?"])
        break
      }
      try await eventually("all are gone") { ends.value == 0 && world.loop.census.registrations <= 2 }
      #expect(handlers.value < 15)
      #expect(world.loop.census.deadlines <= 1)
    }
  }

  @Test("a cancelled task gets an outcome for all that were begun, and ends within a second")
  func cancellation() async throws {
    try await withSimulations(seeds: 0..<5) { world in
      let address = try await world.serve("server", silence)
      let hole = world.blackHole("hole")
      let client = MultiClient<Asker>(framing: .lines, atMost: 10)
      let outcomes = try await withThrowingTaskGroup(of: [MultiClient<Asker>.Outcome].self) { group in
        group.addTask {
          await client.run((0..<100).map { $0 % 2 == 0 ? address : hole }) { _ in Asker() }.all()
        }
        try await world.sleep(for: world.random(in: .zero ... .milliseconds(5)))
        group.cancelAll()
        return try await group.next() ?? []
      }
      #expect(outcomes.allSatisfy { $0.result == .cancelled && $0.handler.reasons == [.cancelled] })
      #expect(Set(outcomes.map(\.id)).count == outcomes.count)
      #expect(outcomes.count <= 11)
      #expect(world.elapsed < .seconds(2))
    }
  }

  @Test("a task that is cancelled before it begins has an end all the same")
  func cancelledBefore() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let count = try await withThrowingTaskGroup(of: Int.self) { group in
        group.cancelAll()
        group.addTask {
          await MultiClient<Asker>(framing: .lines).run([address, address]) { _ in Asker() }.all().count
        }
        return try await group.next() ?? -1
      }
      #expect((0...2).contains(count))
    }
  }

  @Test("dropping a client ends what it holds")
  func dropping() async throws {
    try await withSimulation { world in
      let open = Counter()
      let address = try await world.serve("server") { connection in
        open.add()
        defer { open.add(-1) }
        try await silence(connection)
      }
      do {
        let client = MultiClient<Asker>(framing: .lines)
        try await client.connect(to: address, Asker())
        try await eventually("it is connected") { open.value == 1 }
      }
      try await eventually("it has ended") { open.value == 0 }
    }
  }

  @Test("a client runs again when it is over")
  func again() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines)
      for _ in 0..<3 {
        let outcomes = await client.run([address, address]) { _ in Asker(question: "?") }.all()
        #expect(outcomes.map(\.result) == [.finished(.closed), .finished(.closed)])
        #expect(await client.isOver)
      }
      client.closeAll()
      #expect(await client.run([] as [Target]) { _ in Asker() }.all().isEmpty)
    }
  }

  @Test("targets of an async sequence have their outcomes")
  func asyncTargets() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines, atMost: 3)
      var count = 0
      for await outcome in client.run(
        Slow(count: 50, target: .address(address), world: world), { _ in Asker(question: "?") })
      {
        #expect(outcome.result == .finished(.closed))
        count += 1
      }
      #expect(count == 50)
      // An async sequence that never ends is no reason to stay.
      async let outcomes = client.run(Slow(count: .max, target: .address(address), world: world)) { _ in
        Asker(question: "?")
      }.all()
      try await world.sleep(for: .seconds(10))
      client.closeAll()
      #expect(await outcomes.count > 0)
    }
  }

  /// Targets that come as time goes by.
  private struct Slow: AsyncSequence, Sendable {
    typealias Element = Target

    let count: Int
    let target: Target
    let world: SimulatedWorld

    func makeAsyncIterator() -> Iterator { Iterator(left: count, source: self) }

    struct Iterator: AsyncIteratorProtocol {
      var left: Int
      let source: Slow

      mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> Target? {
        guard left > 0, (try? await source.world.sleep(for: .milliseconds(100))) != nil else { return nil }
        left -= 1
        return source.target
      }
    }
  }

  /// Ends another of its client when it has ended itself.
  private struct Meddler: ConnectionHandler {
    let client: MultiClient<Meddler>
    var victim = Log<ConnectionID>()

    func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {}

    func closed(_ reason: CloseReason) {
      guard let victim = victim.values.first else { return }
      _ = client.assumeIsolated { $0.close(victim) }
    }
  }

  @Test("a target that another's handler ends while all are ended has one outcome")
  func endedTwice() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let client = MultiClient<Meddler>(framing: .lines, atMost: 1)
      let victim = Log<ConnectionID>()
      try await client.connect(to: address, Meddler(client: client))
      try await client.connect(to: address, Meddler(client: client, victim: victim))
      // Looked through after the meddler, which has ended it by then.
      victim.add(try await client.connect(to: address, Meddler(client: client)))
      try await eventually("the first is open") { client.statisticsNow.open == 1 }
      client.abortAll()
      let outcomes = await client.outcomes.all()
      #expect(Set(outcomes.map(\.id)).count == 3 && outcomes.count == 3)
      #expect(client.statisticsNow.ended == 3 && client.statisticsNow.waiting == 0)
    }
  }

  @Test("a loop that stops is the end of every target")
  func loopStops() async throws {
    try await withServer(silence) { server in
      let loop = try EventLoop()
      let environment = Environment(loops: try EventLoopGroup([loop]))
      var configuration = MultiClientConfiguration()
      configuration.limits.open = 3
      let client = try MultiClient<Asker>(
        framing: .lines, configuration: configuration, environment: environment)
      async let outcomes = client.run(Array(repeating: server.address, count: 5)) { _ in Asker() }.all()
      try await eventually("three are open") { server.connectionCount == 3 }
      for _ in 0..<2 { try await client.connect(to: server.address, Asker()) }
      await loop.shutdown()
      // What has not been drawn is no target any more.
      #expect(await outcomes.map(\.result) == Array(repeating: .finished(.aborted), count: 3))
      let added = await client.outcomes.all()
      #expect(added.map(\.result) == Array(repeating: .failed(.loopStopped), count: 2))
      #expect(await client.run([server.address]) { _ in Asker() }.all().count <= 1)
    }
  }
}
