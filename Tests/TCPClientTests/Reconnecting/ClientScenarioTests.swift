import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A client, in the scenarios of its predecessors")
struct ClientScenarioTests {
  private func problem(of work: () async throws -> Void) async -> String {
    do {
      try await work()
      return ""
    } catch SocketError.invalid(let problem) {
      return problem
    } catch {
      return "another error: \(error)"
    }
  }

  @Test(
    "scenario H1: a target, port or value that cannot work is refused in words, before anything is opened")
  func invalid() async throws {
    let log = ClientLog()
    func run(_ client: TCPClient) async -> String { await problem(of: { try await client.run { _ in } }) }
    func run(_ change: (inout TCPClient.Configuration) -> Void) async -> String {
      await run(TCPClient(to: "server", port: 7, configuration: log.configuration(.never, change)))
    }
    #expect(await run(TCPClient(to: [], configuration: log.configuration())).contains("at least 1 target"))
    #expect(await run(TCPClient(to: "", port: 7, configuration: log.configuration())).contains("is empty"))
    #expect(await run(TCPClient(to: "server", port: 0, configuration: log.configuration())).contains("is 0"))
    #expect(
      await run(TCPClient(to: .loopback(port: 0), configuration: log.configuration())).contains("is 0"))
    #expect(await run { $0.connectTimeout = .zero }.contains("connectTimeout must be positive"))
    #expect(await run { $0.health = .age(.zero) }.contains("the age must be positive"))
    #expect(await run { $0.reconnect.multiplier = 0 }.contains("reconnect.multiplier"))
    #expect(await run { $0.connection.limits.idle = .zero }.contains("limits.idle must be positive"))
    #expect(
      await problem { $0.connection.watermarks = try Watermarks(high: 1, low: 2) }.contains("0 < low <= high")
    )
    #expect(
      await problem(of: { try await TCPClient.withConnection(to: "server", port: 0) { _ in } }).contains(
        "is 0"))
    #expect(log.lines.allSatisfy { $0.hasPrefix("ended: failed") })
  }

  private func problem(_ change: (inout TCPClient.Configuration) throws -> Void) async -> String {
    await problem(of: {
      var configuration = TCPClient.Configuration()
      try change(&configuration)
    })
  }

  /// Takes five seconds to know nothing.
  private struct SlowResolver: Resolver {
    let loop: EventLoop

    func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] {
      try await loop.sleep(for: .seconds(5))
      throw SocketError.unresolved(host: host, reason: "nobody knows it")
    }
  }

  @Test("scenario H3: a name that nobody knows is one error, which says so, and the loop goes on meanwhile")
  func unresolvable() async throws {
    let log = ClientLog()
    let ticks = Shared(0)
    try await withSimulation(seed: 3) { world in
      world.host("ticker").start {
        while true {
          try await world.sleep(for: .milliseconds(10))
          ticks.increase()
        }
      }
      let environment = Environment(
        loops: try EventLoopGroup([world.loop]), resolver: SlowResolver(loop: world.loop))
      let client = TCPClient(
        to: "no-such-host.invalid", port: 7, configuration: log.configuration(.never),
        environment: environment)
      let error = await #expect(throws: SocketError.self) { try await client.run { _ in } }
      guard case .unresolved("no-such-host.invalid", _) = error else { throw Oops() }
      if world.elapsed != .seconds(5) { throw Oops() }
    }
    #expect((499...500).contains(ticks.value))
    #expect(log.lines == ["connecting 1", "failed 1: unreachable", "ended: gave up after 1"])
  }

  @Test(
    "scenario H4: a server that does not answer is given up at the time-out, and what comes later does not count"
  )
  func blackHole() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 4) { world in
      let server = world.host("server")
      try await server.serveEcho()
      world.partition(between: world.host("localhost"), and: server)
      let client = TCPClient(
        to: "server", port: 7, configuration: log.configuration(.never) { $0.connectTimeout = .seconds(1) })
      await #expect(throws: SocketError.self) { try await client.run { _ in throw Oops() } }
      if world.elapsed != .seconds(1) { throw Oops() }
      world.heal(between: world.host("localhost"), and: server)
      try await world.sleep(for: .seconds(60))
    }
    #expect(log.lines == ["connecting 1", "failed 1: unreachable", "ended: gave up after 1"])
  }

  @Test(
    "scenario H6: a client that is cancelled while it connects returns, with one outcome and nothing open")
  func cancelledWhileConnecting() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 6) { world in
      try await world.host("server").serveEcho()
      world.partition(between: world.host("localhost"), and: world.host("server"))
      let client = TCPClient(to: "server", port: 7, configuration: log.configuration())
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run { _ in throw Oops() } }
        try await world.sleep(for: .seconds(2))
        group.cancelAll()
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
      }
      if world.elapsed != .seconds(2) { throw Oops() }
    }
    #expect(log.lines == ["connecting 1", "failed 1: cancelled", "ended: cancelled"])
  }

  @Test(
    "scenario H7: 8,000,000 bytes that are sent before the body returns arrive, however slowly they are read")
  func flushThenClose() async throws {
    let log = ClientLog()
    let count = 8_000_000
    let received = Shared(0)
    try await withSimulation(seed: 7) { world in
      let host = world.host("server")
      let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      host.start {
        try await server.run { connection in
          while let chunk = try await connection.read() {
            received.change { $0 += chunk.count }
            try await world.sleep(for: .milliseconds(1))
          }
        }
      }
      let client = TCPClient(to: "server", port: 7, configuration: log.configuration(.never))
      try await client.run { try await $0.send([UInt8](repeating: 7, count: count)) }
    }
    #expect(received.value == count)
    #expect(log.lines.suffix(2) == ["closed 1: closed by this side", "ended: gave up after 1"])
  }

  @Test("scenario H9: nothing of a connection is seen on the next: no bytes, no codec, no error")
  func hygiene() async throws {
    let log = ClientLog()
    let received = Shared<[String]>([])
    let bodies = Shared<[String]>([])
    try await withSimulation(seed: 9) { world in
      try await world.host("server").serveLines { connection in
        if bodies.value.isEmpty {
          try await connection.connection.send("hi\r\npartial")
        } else {
          while let line = try await connection.next() { received.change { $0.append(line) } }
        }
      }
      let client = TCPClient(
        to: "server", port: 7, configuration: log.configuration(.fixed(.milliseconds(100), attempts: 2)))
      let framing = try LineFraming("\r\n", unfinishedLastLine: .fail)
      try await client.run(framing: framing) { connection in
        if bodies.value.isEmpty {
          for try await line in connection.inbound { bodies.change { $0.append(line) } }
        } else {
          try await connection.send("bye after reconnect")
        }
      }
    }
    #expect(bodies.value == ["hi"])
    #expect(received.value == ["bye after reconnect"])
    #expect(log.disorder == nil)
  }

  @Test("scenario H10: a client whose body fails with its connection reconnects")
  func reconnectFromError() async throws {
    let log = ClientLog()
    let replies = try await withSimulation(seed: 10) { world in
      let server = world.host("server")
      let count = Shared(0)
      try await server.serveLines { connection in
        if count.increase() < 3 { return connection.abort() }
        for try await line in connection.inbound { try await connection.send(line) }
      }
      let client = TCPClient(to: "server", port: 7, configuration: log.configuration(.fixed(.seconds(1))))
      return try await client.run(framing: .lines) { connection -> TCPClient.Next<String> in
        .finish(try await connection.request("still there?"))
      }
    }
    #expect(replies == "still there?")
    #expect(log.reasons == [.reset, .reset, .closed])
    #expect(log.disorder == nil)
  }

  @Test("scenario H12: three attempts 0.2 s apart, and the client is done")
  func fixedAttempts() async throws {
    let log = ClientLog()
    let times = Shared<[Duration]>([])
    try await withSimulation(seed: 12) { world in
      let local = world.host("localhost").address.withPort(7)
      let client = TCPClient(
        to: local,
        configuration: log.configuration(.fixed(.milliseconds(200), attempts: 3)) { configuration in
          let record = configuration.onEvent
          configuration.onEvent = { event in
            record?(event)
            if case .attemptFailed = event { times.change { $0.append(world.elapsed) } }
          }
        })
      let error = await #expect(throws: SocketError.self) { try await client.run { _ in } }
      guard case .failed(.connectionRefused, "connect", local) = error else { throw Oops() }
    }
    let expected: [Duration] = [.zero, .milliseconds(200), .milliseconds(400)]
    #expect(zip(times.value, expected).allSatisfy { $0 - $1 < .milliseconds(1) && $0 >= $1 })
    #expect(log.lines.last == "ended: gave up after 3")
    #expect(log.disorder == nil)
  }

  @Test(
    "scenario H13: when the preparation fails, the server sees the end, and the client reports the failure")
  func preparationFails() async throws {
    let log = ClientLog()
    let ended = Shared(0)
    try await withSimulation(seed: 13) { world in
      try await world.host("server").serveLines { connection in
        if try await connection.next() == nil { ended.increase() }
      }
      let configuration = log.configuration { $0.preparing = { _ in throw Oops() } }
      let client = TCPClient(to: "server", port: 7, configuration: configuration)
      await #expect(throws: Oops.self) { try await client.run { _ in } }
      await #expect(throws: Oops.self) {
        try await TCPClient.withConnection(to: "server", port: 7, configuration: configuration) { _ in }
      }
      try await world.sleep(for: .seconds(1))
    }
    #expect(ended.value == 2)
    #expect(log.lines == ["connecting 1", "failed 1: refused: Oops()", "ended: failed: Oops()"])
  }

  @Test("scenario H15: of a name with several addresses the one that answers is taken")
  func severalAddresses() async throws {
    let peer = try await withSimulation(seed: 15) { world in
      let host = world.host("server")
      let server = try await host.run { try await TCPServer.bind(on: host.address.withPort(7)) }
      host.start { try await server.run { _ in } }
      return try await TCPClient.withConnection(to: "server", port: 7) { $0.peerAddress == server.address }
    }
    #expect(peer)
  }

  @Test("scenario H16: the client tells that it is connected with watermarks of its own, too")
  func watermarks() async throws {
    let log = ClientLog()
    let marks = try Watermarks(high: 100, low: 10)
    try await withSimulation(seed: 16) { world in
      try await world.host("server").serveEcho()
      let client = TCPClient(
        to: "server", port: 7, configuration: log.configuration(.never) { $0.connection.watermarks = marks })
      try await client.run(framing: .lines) { connection in
        for number in 0..<20 { try await connection.send("line \(number)") }
        for number in 0..<20 where try await connection.next() != "line \(number)" { throw Oops() }
      }
    }
    #expect(log.lines.prefix(3) == ["connecting 1", "connected 1", "healthy 1"])
  }

  @Test("scenario H18: input, then the end, then the connection's one close, which is no error")
  func orderAtTheEnd() async throws {
    let log = ClientLog()
    let seen = Shared<[String]>([])
    try await withSimulation(seed: 18) { world in
      try await world.host("server").serveLines { connection in
        try await connection.send("one")
        try await connection.send("two")
      }
      let configuration = log.configuration(.never) { configuration in
        let record = configuration.onEvent
        configuration.onEvent = { event in
          record?(event)
          if case .closed(_, let reason, _) = event { seen.change { $0.append("\(reason)") } }
        }
      }
      try await TCPClient(to: "server", port: 7, configuration: configuration).run(framing: .lines) {
        for try await line in $0.inbound { seen.change { $0.append(line) } }
        seen.change { $0.append("end") }
      }
    }
    #expect(seen.value == ["one", "two", "end", "closed by the peer"])
    #expect(!log.lines.contains { $0.hasPrefix("body failed") })
  }
}
