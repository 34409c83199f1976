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

  @Test("a client runs again when it is over, and two runs at once share the outcomes")
  func again() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines)
      for _ in 0..<3 {
        let outcomes = await client.run([address, address]) { _ in Asker(question: "?") }.all()
        #expect(outcomes.map(\.result) == [.finished(.closed), .finished(.closed)])
        #expect(await client.isOver)
      }
      async let first = client.run(Array(repeating: address, count: 10)) { _ in Asker(question: "?") }.all()
      async let second = client.run(Array(repeating: address, count: 10)) { _ in Asker(question: "?") }.all()
      let (a, b) = await (first, second)
      #expect(Set((a + b).map(\.id)).count == 20)
      client.closeAll()
      #expect(await client.run([] as [Target]) { _ in Asker() }.all().isEmpty)
    }
  }

  @Test("targets of an async sequence, and those that are added while it runs, have their outcomes")
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
        if count <= 5 { try await client.connect(to: address, Asker(question: "!")) }
      }
      #expect(count == 55)
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
      await loop.shutdown()
      let results = await outcomes.map(\.result)
      #expect(results.count { $0 == .finished(.aborted) } == 3)
      #expect(results.count { $0 == .failed(.loopStopped) } == 2)
    }
  }
}
