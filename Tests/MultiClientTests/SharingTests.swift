import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("Runs, hosts and loops beside each other", .timeLimit(.minutes(2)))
struct SharingTests {
  @Test("a run ends with its last outcome though others hold every place, and so does one without targets")
  func endsBesideOthers() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let silent = try await world.serve("silent", silence)
      let client = MultiClient<Asker>(framing: .lines, atMost: 1)
      let short = client.run([address]) { _ in Asker(question: "?") }
      let long = client.run([silent]) { _ in Asker() }
      #expect(await short.all().count == 1)
      try await eventually("the other has the place") { client.statisticsNow.open == 1 }
      #expect(await client.run([] as [Target]) { _ in Asker() }.all().isEmpty)
      client.limits.open = 2
      client.limits.rampUp = .constant(perSecond: 0.000_1)
      let next = client.run([address]) { _ in Asker(question: "?") }
      let late = client.run([address]) { _ in Asker(question: "?") }
      #expect(await client.run([] as [Target]) { _ in Asker() }.all().isEmpty, "nor does a ramp keep it")
      client.abortAll()
      let rest = await (long.all() + next.all() + late.all()).count
      #expect(rest <= 3)
    }
  }

  @Test("and so do those of a group")
  func endsBesideOthersOfAGroup() async throws {
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(echo) { server in
        var configuration = MultiClientConfiguration()
        configuration.limits.open = 1
        let group = try MultiClientGroup<Asker>(framing: .lines, configuration: configuration)
        let short = group.run([server.address]) { _ in Asker(question: "?") }
        #expect(await short.all().count == 1)
        let long = group.run([server.address]) { _ in Asker() }
        try await eventually("it has the place") { server.connectionCount == 1 }
        #expect(await group.run([] as [Target]) { _ in Asker() }.all().isEmpty)
        group.abortAll()
        #expect(await long.all().count == 1)
      }
    }
  }

  /// Counts those that have been connected.
  private struct Guest: ConnectionHandler {
    let connected: Counter

    func connected(_ context: borrowing HandlerContext<LineFraming>) { connected.add() }

    func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {}
  }

  @Test("a loop that has begun one target of a host hears of the next end as well")
  func everyEndIsHeard() async throws {
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(silence) { server in
        var configuration = MultiClientConfiguration()
        configuration.limits.perHost = 2
        let group = try MultiClientGroup<Guest>(framing: .lines, configuration: configuration)
        let (first, second) = (group.clients[0], group.clients[1])
        let (residents, guests) = (Counter(), Counter())
        var ids: [ConnectionID] = []
        for _ in 0..<2 {
          ids.append(try await first.connect(to: server.address, Guest(connected: residents)))
        }
        try await eventually("the host is full") { residents.value == 2 }
        for _ in 0..<4 { try await second.connect(to: server.address, Guest(connected: guests)) }
        // Twice through its loop: it has looked, and waits.
        for _ in 0..<2 { _ = await second.statistics }
        for count in 1...2 {
          #expect(await first.abort(ids[count - 1]))
          try await eventually("the other loop has its turn") { guests.value == count }
        }
        #expect(await second.statistics.waiting == 2)
        group.abortAll()
        #expect(await second.outcomes.all().count == 4)
        #expect(await first.outcomes.all().count == 2)
      }
    }
  }

  @Test("those who have ended while they waited for their host keep nobody else waiting")
  func endedOnesLeave() async throws {
    try await withSimulation { world in
      let silent = try await world.serve("silent", silence)
      let other = try await world.serve("other", silence)
      let client = MultiClient<Asker>(framing: .lines)
      client.limits.perHost = 1
      var ids: [ConnectionID] = []
      for _ in 0...1024 { ids.append(try await client.connect(to: silent, Asker())) }
      try await eventually("the host is full") { client.statisticsNow.open == 1 }
      try await client.connect(to: other, Asker())
      for id in ids.dropFirst() { await client.close(id) }
      try await eventually("another host has its turn") { client.statisticsNow.open == 2 }
      client.abortAll()
    }
  }

  /// Ends its group with the fourth target, before any has reached its client.
  private struct Drawn: Sequence, IteratorProtocol, Sendable {
    let group: MultiClientGroup<Asker>
    let target: Target
    let drawn: Counter

    func next() -> Target? {
      drawn.add()
      if drawn.value == 4 { group.closeAll() }
      return target
    }
  }

  @Test("targets that a group has drawn for a loop when the run ends are cancelled, and have their outcomes")
  func drawnInVain() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let group = try MultiClientGroup<Asker>(framing: .lines)
      let drawn = Counter()
      let targets = Drawn(group: group, target: .address(address), drawn: drawn)
      let outcomes = await group.run(targets) { _ in Asker() }.all()
      #expect(drawn.value >= 4 && outcomes.count == drawn.value)
      #expect(outcomes.allSatisfy { $0.result == .cancelled && $0.handler.reasons.count == 1 })
    }
  }

  /// Ends its client with the third target.
  private struct Last: AsyncSequence, Sendable {
    typealias Element = Target

    let client: MultiClient<Asker>
    let target: Target
    let drawn: Counter

    func makeAsyncIterator() -> Iterator { Iterator(source: self) }

    struct Iterator: AsyncIteratorProtocol {
      let source: Last

      mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> Target? {
        source.drawn.add()
        if source.drawn.value == 3 { source.client.closeAll() }
        return source.target
      }
    }
  }

  @Test("so is the one that an async sequence gives while its run ends")
  func fedInVain() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let client = MultiClient<Asker>(framing: .lines)
      let drawn = Counter()
      let outcomes = await client.run(Last(client: client, target: .address(address), drawn: drawn)) { _ in
        Asker()
      }.all()
      #expect(drawn.value >= 3 && outcomes.count == drawn.value)
    }
  }
}
