import TCPServer
import TestHarness
import TestSupport
import Testing

@testable import TCPClient

@Suite("Those who wait for a session")
struct SessionLossTests {
  private func client(_ policy: ReconnectPolicy = .fixed(.seconds(1))) -> TCPClient {
    TCPClient(to: "server", port: 7, configuration: ClientLog().configuration(policy))
  }

  @Test("for a reply that a silent server owes are told that nobody knows, and nothing is asked twice")
  func heartbeat() async throws {
    let received = Shared<[String]>([])
    try await withSimulation(seed: 11) { world in
      try await world.host("server").serveLines { connection in
        for try await line in connection.inbound where line != "PING" { received.change { $0.append(line) } }
      }
      let feed = self.client().session(
        framing: .lines, whileDisconnected: .wait,
        heartbeat: .send("PING", every: .seconds(1), silence: .seconds(3)))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await feed.run() }
        let error = await #expect(throws: TCPClient.SessionError.self) {
          _ = try await feed.request("PUT 7 apples", deadline: .after(.seconds(60)))
        }
        guard case .outcomeUnknown(after: SocketError.timedOut) = error else { throw Oops() }
        #expect(world.elapsed < .seconds(5))
        try await world.sleep(for: .seconds(10))
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
    }
    #expect(received.value == ["PUT 7 apples"])
  }

  @Test("which cannot work are told so, and so are those who watch its client")
  func invalid() async throws {
    try await withSimulation(seed: 12) { world in
      var policy = ReconnectPolicy()
      policy.initialDelay = .seconds(60)
      let impatient = TCPClient.Heartbeat<String>.send("PING", every: .zero, silence: .seconds(1))
      for (policy, heartbeat) in [(policy, nil), (.never, impatient)] {
        let client = self.client(policy)
        let feed = client.session(framing: .lines, whileDisconnected: .wait, heartbeat: heartbeat)
        async let sent = outcome { try await feed.send("hello", deadline: .after(.seconds(60))) }
        async let states = client.states.reduce(0) { count, _ in count + 1 }
        try await world.sleep(for: .seconds(1))
        await #expect(throws: SocketError.self) { try await feed.run() }
        let failure = await sent
        #expect(
          performing: { try failure.get() },
          throws: { error in
            if case TCPClient.SessionError.ended(.failed(SocketError.invalid)) = error { true } else { false }
          })
        #expect(await states == 2, "idle, ended")
        #expect(world.elapsed < .seconds(10))
      }
    }
  }

  @Test("whose client runs already, for others, are told so; a second run does not disturb the first")
  func twice() async throws {
    try await withSimulation(seed: 13) { world in
      try await world.host("server").serveEcho()
      let client = self.client()
      let (first, second) = (
        client.session(framing: .lines, whileDisconnected: .wait),
        client.session(framing: .lines, whileDisconnected: .wait)
      )
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await first.run() }
        if try await first.request("one") != "one" { throw Oops() }
        async let lost = outcome { try await second.send("lost", deadline: .after(.seconds(60))) }
        for session in [first, second] {
          await #expect(throws: SocketError.self) { try await session.run() }
        }
        let failure = await lost
        #expect(throws: TCPClient.SessionError.self) { try failure.get() }
        if try await first.request("two") != "two" { throw Oops() }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
      #expect(world.elapsed < .seconds(10))
    }
  }

  /// Frames of the server's own, and then the reply.
  private func serveNews(on world: SimulatedWorld) async throws {
    try await world.host("server").serveLines { connection in
      for try await line in connection.inbound {
        for number in 0..<50 { try await connection.send("- news \(number)") }
        try await connection.send(line)
      }
    }
  }

  @Sendable private static func id(of line: String) -> Int? {
    line.split(separator: " ").first.flatMap { Int($0) }
  }

  @Test("for replies get them among any number of frames that answer nothing, which are dropped and counted")
  func droppedNews() async throws {
    try await withSimulation(seed: 14) { world in
      try await self.serveNews(on: world)
      let feed = self.client().session(
        framing: .lines, id: Self.id, keepingUnsolicited: 1, whileDisconnected: .wait)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await feed.run() }
        for number in 1...3 { if try await feed.request("\(number) get") != "\(number) get" { throw Oops() } }
        try await eventually("all are counted") { feed.droppedCount == 150 }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
    }
  }

  @Test("for replies leave frames that answer nothing to its closure, which gets them all")
  func news() async throws {
    let news = Shared<[String]>([])
    try await withSimulation(seed: 15) { world in
      try await self.serveNews(on: world)
      let feed = self.client().session(framing: .lines, id: Self.id, whileDisconnected: .wait)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await feed.run { connection in
            for try await line in connection.inbound { news.change { $0.append(line) } }
          }
        }
        for number in 1...2 { if try await feed.request("\(number) get") != "\(number) get" { throw Oops() } }
        try await eventually("all are there") { news.value.count == 100 }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
    }
    #expect(news.value == (0..<2).flatMap { _ in (0..<50).map { "- news \($0)" } })
  }

  @Test("while its queue goes out are woken once, when all of it is out")
  func wakeUps() async throws {
    try await withSimulation(seed: 16) { world in
      let (mayRead, host) = (Door(), world.host("server"))
      let feed = self.client().session(framing: .lines, whileDisconnected: .queue(bytes: 1_000_000))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await feed.run() }
        let line = String(repeating: "x", count: 10_000)
        for _ in 0..<50 { try await feed.send(line) }
        try await host.serveLines { connection in
          for _ in 0..<10 { _ = try await connection.next() }
          try await mayRead.pass(on: world.loop)
          for try await _ in connection.inbound {}
        }
        try await eventually("some of it is out") { feed.queued.count < 50 }
        let (count, changed) = feed.askAndWatch { $0.queued.count }
        mayRead.open()
        while feed.queued.count == count { try await world.sleep(for: .microseconds(100)) }
        #expect(feed.queued.isEmpty || !changed.isOpen)
        try await eventually("it is out") { feed.isConnected && changed.isOpen }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
    }
  }
}
