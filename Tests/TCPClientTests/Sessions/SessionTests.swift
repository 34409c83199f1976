import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A session")
struct SessionTests {
  typealias Feed = TCPClient.Session<LineFraming, Never>

  /// Runs a session beside `body`, which ends it.
  private func running(_ feed: Feed, _ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await feed.run() }
      try await body()
      group.cancelAll()
      do { try await group.waitForAll() } catch is CancellationError {}
    }
  }

  @Test("sends and requests over whatever connection stands, each of which is opened first")
  func sending() async throws {
    let received = Shared<[String]>([])
    try await withSimulation(seed: 1) { world in
      try await world.host("server").serveLines { connection in
        for try await line in connection.inbound {
          received.change { $0.append(line) }
          if line == "leave" { return }
          if line.hasSuffix("?") { try await connection.send(line.uppercased()) }
        }
      }
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(1))))
      let feed = client.session(framing: .lines, whileDisconnected: .wait) { try await $0.send("login") }
      try await self.running(feed) {
        if try await feed.request("who?") != "WHO?" { throw Oops() }
        try await feed.send("leave")
        try await world.sleep(for: .milliseconds(100))
        if feed.isConnected { throw Oops() }
        if try await feed.request("where?") != "WHERE?" { throw Oops() }
      }
    }
    #expect(received.value == ["login", "who?", "leave", "login", "where?"])
  }

  @Test("whose policy is to fail sends nothing while there is no connection, and says why there is none")
  func failing() async throws {
    let messages = try await withSimulation(seed: 2) { world in
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(9))))
      _ = world.host("server")
      let feed = client.session(framing: .lines)
      let messages = Shared<[String]>([])
      func fail(_ work: () async throws -> Void) async {
        do { try await work() } catch { messages.change { $0.append("\(error)") } }
      }
      await fail { try await feed.send("too early") }
      try await self.running(feed) {
        try await world.sleep(for: .seconds(1))
        await fail { try await feed.send("hello") }
        await fail { _ = try await feed.request("hello?") }
      }
      await fail { try await feed.send("too late") }
      return messages.value
    }
    #expect(messages.count == 4)
    #expect(messages.first == "there is no connection, and nothing was sent; the client is idle")
    #expect(
      messages.dropFirst().prefix(2).allSatisfy {
        $0.hasPrefix(
          "there is no connection, and nothing was sent; the client is backing off: cannot connect to server")
      })
    #expect(messages.last == "the client has ended, and nothing was sent: cancelled")
  }

  @Test("whose policy is to wait gives up at the deadline or when it is cancelled, and nothing is sent")
  func waiting() async throws {
    let received = Shared<[String]>([])
    try await withSimulation(seed: 3) { world in
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(1))))
      let feed = client.session(framing: .lines, whileDisconnected: .wait)
      let host = world.host("server")
      try await self.running(feed) {
        await #expect(throws: SocketError.timedOut(operation: "send: waiting for a connection")) {
          try await feed.send("late", deadline: .after(.seconds(5)))
        }
        await #expect(throws: SocketError.timedOut(operation: "request: waiting for a connection")) {
          _ = try await feed.request("late?", deadline: .after(.seconds(5)))
        }
        if world.elapsed != .seconds(10) { throw Oops() }
        async let cancelled: Void = withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await feed.send("cancelled") }
          try await world.sleep(for: .seconds(1))
          group.cancelAll()
          try await group.waitForAll()
        }
        do {
          try await cancelled
          throw Oops()
        } catch is CancellationError {}
        async let sent: Void = feed.send("in time")
        try await world.sleep(for: .seconds(1))
        try await host.serveLines { connection in
          for try await line in connection.inbound { received.change { $0.append(line) } }
        }
        try await sent
        try await world.sleep(for: .seconds(1))
      }
    }
    #expect(received.value == ["in time"])
  }

  @Test(
    "whose policy is a queue sends what was queued first, right after the opening, in order and within its bound"
  )
  func queueing() async throws {
    let received = Shared<[String]>([])
    try await withSimulation(seed: 4) { world in
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(1))))
      let feed = client.session(framing: .lines, whileDisconnected: .queue(bytes: 20)) {
        try await $0.send("login")
      }
      let host = world.host("server")
      try await self.running(feed) {
        for number in 1...4 { try await feed.send("no \(number)") }
        await #expect(throws: TCPClient.SessionError.self) { try await feed.send("one too many") }
        if feed.queued != ["no 1", "no 2", "no 3", "no 4"] { throw Oops() }
        async let reply = feed.request("who?")
        try await host.serveLines { connection in
          for try await line in connection.inbound {
            received.change { $0.append(line) }
            if line.hasSuffix("?") { try await connection.send(line) }
          }
        }
        if try await reply != "who?" { throw Oops() }
        if !feed.queued.isEmpty { throw Oops() }
      }
    }
    #expect(received.value == ["login", "no 1", "no 2", "no 3", "no 4", "who?"])
  }

  @Test("a request whose connection ends before the reply is unknown, and is not made again")
  func unknown() async throws {
    let received = Shared<[String]>([])
    try await withSimulation(seed: 5) { world in
      try await world.host("server").serveLines { connection in
        for try await line in connection.inbound {
          received.change { $0.append(line) }
          if line == "reset?" { return connection.abort() }
          if line == "leave?" { return }
        }
      }
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(1))))
      let feed = client.session(framing: .lines, whileDisconnected: .wait)
      try await self.running(feed) {
        for question in ["reset?", "leave?"] {
          let error = await #expect(throws: TCPClient.SessionError.self) {
            _ = try await feed.request(question)
          }
          guard case .outcomeUnknown = error else { throw Oops() }
        }
      }
    }
    #expect(received.value == ["reset?", "leave?"])
  }

  @Test(
    "finds a server that is silent for too long, and connects again; one that answers heartbeats lives on")
  func heartbeat() async throws {
    let log = ClientLog()
    let beats = Shared(0)
    let connections = Shared(0)
    let died = Shared<Duration?>(nil)
    try await withSimulation(seed: 6) { world in
      try await world.host("server").serveLines { connection in
        connections.increase()
        for try await line in connection.inbound where line == "PING" {
          // The first connection is deaf after a while.
          if beats.increase() == 10 { try await world.sleep(for: .seconds(1000)) }
          try await connection.send("PONG")
        }
      }
      let configuration = log.configuration(.fixed(.seconds(1))) { configuration in
        let record = configuration.onEvent
        configuration.onEvent = { event in
          record?(event)
          if case .closed = event, died.value == nil { died.set(world.elapsed) }
        }
      }
      let client = TCPClient(to: "server", port: 7, configuration: configuration)
      let feed = client.session(
        framing: .lines, heartbeat: .request("PING", every: .seconds(10), silence: .seconds(25)))
      try await self.running(feed) { try await world.sleep(for: .seconds(600)) }
    }
    // The ninth reply came at 90 s.
    let seconds = (died.value ?? .zero) / .seconds(1)
    #expect(seconds > 110 && seconds < 126)
    #expect(log.reasons.first == .timedOut)
    #expect(log.connectedCount == 2)
    #expect(beats.value > 50)
    #expect(log.disorder == nil)
  }

  @Test("that cannot work is refused in words, before anything is opened")
  func validation() async throws {
    let log = ClientLog()
    let client = TCPClient(to: "server", port: 7, configuration: log.configuration())
    func problem(_ session: Feed) async -> String {
      do {
        try await session.run()
        return ""
      } catch {
        return "\(error)"
      }
    }
    let idle = client.session(framing: .lines, whileDisconnected: .queue(bytes: 0))
    #expect(await problem(idle).contains("at least 1 byte, not 0"))
    let busy = client.session(
      framing: .lines, heartbeat: .send("PING", every: .zero, silence: .seconds(1)))
    #expect(await problem(busy).contains("the interval must be positive"))
    let hasty = client.session(
      framing: .lines, heartbeat: .send("PING", every: .seconds(2), silence: .seconds(1)))
    #expect(await problem(hasty).contains("must be longer than the interval"))
    let byID = client.session(framing: .lines, id: { $0 }, replyID: { $0 }, atMost: 0)
    await #expect(throws: FramingError.self) { try await byID.run() }
    #expect(log.lines.allSatisfy { $0.hasPrefix("ended: failed") })
  }

  @Test("an opening that takes too long is given up, and another connection is opened")
  func slowOpening() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 8) { world in
      let connections = Shared(0)
      try await world.host("server").serveLines { connection in
        let isDeaf = connections.increase() == 1
        for try await line in connection.inbound where !isDeaf { try await connection.send(line) }
      }
      let configuration = log.configuration(.fixed(.seconds(1))) { $0.connectTimeout = .seconds(3) }
      let client = TCPClient(to: "server", port: 7, configuration: configuration)
      let feed = client.session(framing: .lines, whileDisconnected: .wait) {
        _ = try await $0.request("login")
      }
      try await self.running(feed) {
        if try await feed.request("who?") != "who?" { throw Oops() }
        if world.elapsed < .seconds(4) || world.elapsed > .seconds(6) { throw Oops() }
      }
    }
    #expect(log.lines.contains("body failed 1: opening of a session: the deadline passed"))
    #expect(log.disorder == nil)
  }
}
