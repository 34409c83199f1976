import MultiClient
import TestHarness
import Testing

/// The client on several loops, of which a simulation has one; and what it counts.
@Suite("A group of clients in a simulation", .timeLimit(.minutes(2))) struct SimulatedGroupTests {
  @Test("connects to everybody, adds up what was done, and prints it")
  func all() async throws {
    try await withSimulation(seed: 1) { world in
      let address = try await world.serve("server", echo)
      var configuration = MultiClientConfiguration()
      configuration.limits.open = 5
      let group = try MultiClientGroup<Asker>(framing: .lines, configuration: configuration)
      async let snapshots = group.statistics(every: .seconds(1)).reduce(into: []) { $0.append($1) }
      let outcomes = await group.run(Array(repeating: address, count: 50)) { _ in Asker(question: "?") }.all()
      #expect(outcomes.count == 50 && outcomes.allSatisfy { $0.handler.lines == ["?"] })
      #expect(outcomes.allSatisfy { group.client(of: $0.id) != nil })
      let statistics = await group.statistics
      #expect(statistics.finished == 50 && statistics.replyLatency.count == 50)
      #expect("\(statistics)".contains("50"))
      #expect(await snapshots.last?.finished == 50)

      let histogram = statistics.replyLatency
      let copy = try #require(LatencyHistogram(text: histogram.text))
      #expect(copy == histogram && copy.quantile(0.5) == histogram.quantile(0.5))
      var sum = copy
      sum.merge(histogram)
      #expect(
        sum.count == 100 && sum.min == histogram.min && sum.max == histogram.max && sum.mean == histogram.mean
      )
      #expect(sum.buckets.map(\.count).reduce(0, +) == 100)
      #expect(!"\(sum)".isEmpty && LatencyHistogram(text: "1 2 x") == nil && LatencyHistogram([1]) == nil)

      group.limits.open = 3
      group.limits.open = 0
      #expect(group.limits.open == 3)
    }
  }

  @Test(
    "takes its targets from a sequence that makes them as they are wanted, and ends when it is closed or left"
  )
  func feeding() async throws {
    try await withSimulation(seed: 2) { world in
      let address = try await world.serve("server", echo)
      let silent = try await world.serve("silent", silence)
      let client = MultiClient<Asker>(framing: .lines, atMost: 2)
      let slow = SlowTargets(world: world, target: .address(address), count: 5)
      let outcomes = await client.run(slow) { _ in Asker(question: "?") }.all()
      #expect(outcomes.count == 5)
      #expect(world.elapsed >= .seconds(5))

      for ending in ["close", "abort", "leave"] {
        let group = try MultiClientGroup<Asker>(framing: .lines)
        async let reasons = outcomesOf(
          group, Array(repeating: .address(silent), count: 10), leaves: ending == "leave")
        try await world.sleep(for: .seconds(1))
        if ending == "close" { group.closeAll() }
        if ending != "close" { group.abortAll() }
        #expect(await reasons >= (ending == "leave" ? 1 : 10))
      }
    }
  }

  private func outcomesOf(
    _ group: MultiClientGroup<Asker>, _ targets: [Target], leaves: Bool
  ) async -> Int {
    var count = 0
    for await _ in group.run(targets, { _ in Asker() }) {
      count += 1
      if leaves { break }
    }
    return count
  }
}

/// A target every second.
private struct SlowTargets: AsyncSequence, Sendable {
  typealias Element = Target

  let world: SimulatedWorld
  let target: Target
  let count: Int

  struct Iterator: AsyncIteratorProtocol {
    let targets: SlowTargets
    var number = 0

    mutating func next(isolation: isolated (any Actor)?) async throws(Never) -> Target? {
      if number == targets.count { return nil }
      number += 1
      try? await targets.world.sleep(for: .seconds(1))
      return targets.target
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(targets: self) }
}
