import MultiClient
import TCPServer
import TestHarness
import Testing

/// Does whatever its number says.
private struct Whim: ConnectionHandler {
  struct Trouble: Error {}

  let number: Int
  var closings = 0
  var afterEnd = 0

  mutating func connected(_ context: borrowing HandlerContext<LineFraming>) throws {
    afterEnd += closings
    switch number % 7 {
    case 0: context.close()
    case 1: context.abort()
    case 2: throw Trouble()
    case 3: context.setDeadline(.after(.milliseconds(number)))
    default: try context.send("line \(number)")
    }
  }

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    afterEnd += closings
    if number % 7 == 4 { throw Trouble() }
    context.close()
  }

  mutating func closed(_ reason: CloseReason) { closings += 1 }
}

@Suite("Everything at once", .timeLimit(.minutes(10)))
struct DisorderTests {
  @Test(
    "among partitions, resets, whims and orders from outside each target has one outcome, and nothing is left"
  )
  func disorder() async throws {
    try await withSimulations(seeds: 0..<4) { try await Self.disorder($0) }
  }

  @Test("and so with a thousand seeds", .thoroughOnly)
  func thorough() async throws {
    try await withSimulations(seeds: 4..<1004) { try await Self.disorder($0) }
  }

  private static func disorder(_ world: SimulatedWorld) async throws {
    var targets: [Target] = [.host("nowhere", port: 7), .address(world.host("refusing").address.withPort(7))]
    for name in ["one", "two", "three"] {
      _ = try await world.serve(name) { connection in
        for try await line in connection.inbound {
          try await world.sleep(for: world.random(in: .zero ... .milliseconds(20)))
          try await connection.send(line)
        }
      }
      targets.append(.host(name, port: 7))
      targets.append(.address(world.host(name).address.withPort(7)))
    }
    let count = world.random(in: 20...60)
    let window = world.random(in: 1...12)
    var configuration = MultiClientConfiguration()
    configuration.limits.open = window
    configuration.limits.connecting = world.random(in: 0...1) == 0 ? nil : 3
    configuration.limits.perHost = world.random(in: 0...1) == 0 ? nil : 4
    configuration.limits.rampUp = world.random(in: 0...1) == 0 ? .immediately : .constant(perSecond: 500)
    configuration.limits.timeouts = Timeouts(
      connect: .seconds(1), firstByte: .seconds(3), input: .seconds(2), total: .seconds(5))
    configuration.outcomeBacklog = world.random(in: 1...20)
    let client = try MultiClient<Whim>(framing: .lines, configuration: configuration)
    world.setDescriptorLimit(world.random(in: 4...30), of: world.host("localhost"))

    let chosen = (0..<count).map { _ in targets[world.random(in: 0...targets.count - 1)] }
    let numbers = Counter()
    let others = Counter()
    async let disturbing: Void = disturb(world, client) {
      // Another run, which is left with its first outcome, or when there is none any more.
      for await outcome in client.run(
        chosen.prefix(5),
        { _ in
          others.add()
          return Whim(number: others.value)
        })
      {
        #expect(outcome.handler.closings == 1)
        break
      }
    }
    var seen: [ConnectionID: TargetResult] = [:]
    var reported: [Target: Int] = [:]
    for await outcome in client.run(
      chosen,
      { _ in
        numbers.add()
        return Whim(number: numbers.value)
      })
    {
      #expect(seen.updateValue(outcome.result, forKey: outcome.id) == nil)
      reported[outcome.target, default: 0] += 1
      #expect(outcome.handler.closings == 1)
      #expect(outcome.handler.afterEnd == 0)
      let statistics = client.statisticsNow
      #expect(statistics.open + statistics.connecting <= window)
      if world.random(in: 0...9) == 0 { try await world.sleep(for: .milliseconds(100)) }
    }
    try await disturbing
    #expect(seen.count == numbers.value)
    #expect(seen.count <= count)
    try await eventually("those who were left are gone") {
      client.statisticsNow.ended >= seen.count + others.value
    }
    let statistics = client.statisticsNow
    #expect(statistics.ended == seen.count + others.value)
    #expect(statistics.open == 0 && statistics.connecting == 0 && statistics.waiting == 0)
    #expect(await client.isOver)
    if seen.count == count {
      #expect(reported == Dictionary(chosen.map { ($0, 1) }, uniquingKeysWith: +))
    } else {
      #expect(seen.values.contains(.cancelled) || seen.values.contains(.finished(.closed)))
    }
  }

  private static func disturb(
    _ world: SimulatedWorld, _ client: MultiClient<Whim>, runAnother: () async -> Void
  ) async throws {
    let home = world.host("localhost")
    let hosts = ["one", "two", "three"].map(world.host)
    for _ in 0..<10 {
      try await world.sleep(for: world.random(in: .zero ... .milliseconds(300)))
      let host = hosts[world.random(in: 0...2)]
      switch world.random(in: 0...8) {
      case 0: world.partition(between: home, and: host)
      case 1: world.heal(between: home, and: host)
      case 2: world.resetConnections(between: home, and: host)
      case 3: for id in await client.connections.prefix(2) { await client.close(id) }
      case 4: for id in await client.connections.prefix(2) { await client.abort(id) }
      case 5: try await client.broadcast("to all")
      case 6: await runAnother()
      case 7: client.limits.timeouts.input = .milliseconds(world.random(in: 100...3000))
      default: if world.random(in: 0...9) == 0 { client.closeAll() }
      }
    }
    for host in hosts { world.heal(between: home, and: host) }
  }
}
