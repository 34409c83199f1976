import TCPServer
import TestHarness
import Testing

@testable import MultiClient

/// Counts how many of it there are.
private struct Counted: ConnectionHandler {
  private final class Token: Sendable {
    let counter: Counter

    init(_ counter: Counter) {
      self.counter = counter
      counter.add()
    }

    deinit { counter.add(-1) }
  }

  private let token: Token

  init(_ counter: Counter) { token = Token(counter) }

  func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {}
}

@Suite("Runs, and whose outcomes are whose", .timeLimit(.minutes(2)))
struct RunTests {
  @Test(
    "leaving the outcomes while as many wait as may leaves nothing behind, neither handlers nor the client")
  func leavingAFullBacklog() async throws {
    try await withSimulation { world in
      let refusing = world.host("nobody").address.withPort(7)
      let handlers = Counter()
      weak var core: ClientCore<Counted>?
      do {
        var configuration = MultiClientConfiguration()
        configuration.outcomeBacklog = 5
        let client = try MultiClient<Counted>(framing: .lines, configuration: configuration)
        core = client.core
        for await _ in client.run(repeatElement(refusing, count: 1000), { _ in Counted(handlers) }) {
          try await world.sleep(for: .seconds(1))
          #expect(client.statisticsNow.ended >= 5 && client.statisticsNow.ended < 1000)
          break
        }
      }
      try await eventually("all are gone") { handlers.value == 0 && core == nil }
    }
  }

  @Test("leaving the client while as many of those that were added wait as may leaves nothing behind")
  func leavingAFullClient() async throws {
    try await withSimulation { world in
      let refusing = world.host("nobody").address.withPort(7)
      let handlers = Counter()
      do {
        var configuration = MultiClientConfiguration()
        configuration.outcomeBacklog = 5
        let client = try MultiClient<Counted>(framing: .lines, configuration: configuration)
        for _ in 0..<1000 { try await client.connect(to: refusing, Counted(handlers)) }
        try await world.sleep(for: .seconds(1))
      }
      try await eventually("all are gone") { handlers.value == 0 }
    }
  }

  @Test("a consumer that is cancelled looks through the connections once, and not once for each outcome")
  func cancelledOnce() async throws {
    try await withSimulation { world in
      let client = MultiClient<Asker>(framing: .lines)
      let id = try await client.connect(to: try await world.serve("server", silence), Asker())
      try await eventually("it is open") { client.statisticsNow.open == 1 }
      let task = Task { await client.outcomes.all() }
      task.cancel()
      #expect(await client.looksAgain(at: id) == false)
      #expect(await task.value.map(\.id) == [id])
    }
  }

  @Test("and so twenty thousand outcomes come in seconds", .thoroughOnly)
  func cancelledConsumer() async throws {
    let client = MultiClient<Asker>(framing: .lines, atMost: 1)
    for _ in 0..<20_000 { try await client.connect(to: .loopback(port: 1), Asker()) }
    let task = Task { await client.outcomes.all().count }
    task.cancel()
    #expect(await task.value == 20_000)
  }

  @Test("a run after one that was left has its own outcomes, all of them, and no other")
  func afterABreak() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let greeting = try await world.serve("greeting", echo)
      let client = MultiClient<Asker>(framing: .lines)
      for await outcome in client.run(
        [greeting] + repeatElement(address, count: 50), { _ in Asker(question: "first") })
      {
        #expect(outcome.handler.lines == ["first"])
        break
      }
      let outcomes = await client.run([greeting, greeting]) { _ in Asker(question: "second") }.all()
      #expect(outcomes.map(\.handler.lines) == [["second"], ["second"]])
      try await eventually("those of the first are gone") { client.statisticsNow.open == 0 }
      #expect(await client.isOver)
    }
  }

  @Test(
    "two runs at once, and what is added meanwhile, have their own outcomes, and share the window in turn")
  func atOnce() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines, atMost: 2)
      for _ in 0..<10 { try await client.connect(to: address, Asker(question: "added")) }
      client.finish()
      func run(_ question: String, _ count: Int) async -> [String] {
        await client.run(repeatElement(address, count: count)) { _ in Asker(question: question) }.all()
          .flatMap(\.handler.lines)
      }
      async let long = run("long", 500)
      async let short = run("short", 5)
      #expect(await short == Array(repeating: "short", count: 5))
      #expect(client.statisticsNow.ended < 100, "it had its turns beside the long one")
      #expect(await long == Array(repeating: "long", count: 500))
      let added = await client.outcomes.all().flatMap(\.handler.lines)
      #expect(added == Array(repeating: "added", count: 10))
    }
  }

  @Test("who leaves a run, or is cancelled in one, ends that run and no other")
  func leavingOne() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let client = MultiClient<Asker>(framing: .lines)
      let added = try await client.connect(to: address, Asker())
      do {
        let left = client.run([address]) { _ in Asker() }
        try await eventually("two are open") { client.statisticsNow.open == 2 }
        _ = left
      }
      let cancelled = Task { await client.run([address, address]) { _ in Asker() }.all() }
      let kept = Task { await client.run([address]) { _ in Asker() }.all() }
      try await eventually("the first is gone, the others are open") {
        client.statisticsNow.open == 4 && client.statisticsNow.ended == 1
      }
      cancelled.cancel()
      #expect(await cancelled.value.map(\.result) == [.cancelled, .cancelled])
      try await world.sleep(for: .seconds(60))
      #expect(client.statisticsNow.open == 2)
      client.closeAll()
      #expect(await kept.value.map(\.result) == [.finished(.closed)])
      #expect(await client.outcomes.all().map(\.id) == [added])
    }
  }

  @Test("a run goes on while somebody has its outcomes, even if nobody iterates any more")
  func keeping() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let outcomes = MultiClient<Asker>(framing: .lines, atMost: 1).run(repeatElement(address, count: 10)) {
        _ in
        Asker(question: "?")
      }
      for await _ in outcomes { break }
      #expect(await outcomes.all().count == 9)
    }
  }

  @Test("the outcomes of what is added wait for it, though a run has ended before")
  func outcomesAfterARun() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines)
      #expect(await client.run([address]) { _ in Asker(question: "?") }.all().count == 1)
      async let outcomes = client.outcomes.all()
      try await world.sleep(for: .seconds(1))
      #expect(await client.isOver)
      let id = try await client.connect(to: address, Asker(question: "?"))
      #expect(await !client.isOver)
      client.finish()
      #expect(await outcomes.map(\.id) == [id])
      #expect(await client.isOver)
    }
  }

  @Test("who takes an outcome adds more before the next, after finish() too, and has the outcomes of all")
  func crawling() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines)
      try await client.connect(to: address, Asker(question: "5"))
      client.finish()
      var seen: [String] = []
      for await outcome in client.outcomes {
        seen += outcome.handler.lines
        let depth = outcome.handler.lines.first.flatMap { Int($0) } ?? 0
        try await world.sleep(for: .milliseconds(world.random(in: 0...5)))
        if depth > 1 { try await client.connect(to: address, Asker(question: "\(depth - 1)")) }
      }
      #expect(seen == ["5", "4", "3", "2", "1"])
    }
  }

  @Test("a group's run that is dropped, or cancelled, before it begins draws nothing, or ends what it draws")
  func droppedGroup() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let group = try MultiClientGroup<Asker>(framing: .lines)
      _ = group.run(repeatElement(address, count: 20)) { _ in Asker() }
      let task = Task {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        return await group.run(repeatElement(address, count: 20)) { _ in Asker() }.all().count
      }
      #expect(await task.value <= 20)
      try await world.sleep(for: .seconds(3))
      let statistics = await group.statistics
      #expect(statistics.open == 0 && statistics.connecting == 0 && statistics.waiting == 0)
      for client in group.clients { #expect(await client.isOver) }
    }
  }
}

extension MultiClient {
  /// Ends what was added, and again: whether the second time a connection is looked at once more.
  fileprivate func looksAgain(at id: ConnectionID) -> Bool {
    core.end(core.added, .cancel)
    guard let member = core.member(id), case .cancelled? = member.verdict else { return true }
    member.verdict = nil
    for _ in 0..<10 { core.end(core.added, .cancel) }
    return member.verdict != nil
  }
}
