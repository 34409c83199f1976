import AsyncSockets
import Framing
import TestHarness
import TestSupport
import Testing

@testable import TCPClient

/// Pools on a simulated network, where an hour of idling takes no time.
@Suite("A connection pool", .timeLimit(.minutes(4))) struct PoolTests {
  typealias LinePool = ConnectionPool<Lines>

  private static func pool(
    _ configuration: PoolConfiguration = PoolConfiguration(),
    checking: (@Sendable (Lines) async throws -> Void)? = nil
  ) throws -> LinePool {
    try ConnectionPool(
      to: "server", port: 7, framing: .lines, configuration: configuration, checking: checking)
  }

  /// An echo server that counts its clients, and the body on another host, beside the pool.
  private func withPool(
    seed: UInt64 = 1, _ configuration: PoolConfiguration = PoolConfiguration(),
    checking: (@Sendable (Lines) async throws -> Void)? = nil,
    _ body: @escaping @Sendable (SimulatedWorld, LinePool, Shared<Int>) async throws -> Void
  ) async throws {
    try await withSimulation(seed: seed) { world in
      let accepted = Shared(0)
      try await world.host("server").serveLines { connection in
        accepted.increase()
        for try await line in connection.inbound {
          if line == "push" { try await connection.send("one") }
          if line == "leave" { return }
          try await connection.send(line)
        }
      }
      try await world.host("client").run {
        let pool = try Self.pool(configuration, checking: checking)
        try await pool.run { try await body(world, pool, accepted) }
        let counts = pool.snapshot.counts
        #expect(counts == PoolSnapshot.Counts(), "\(counts)")
      }
    }
  }

  @Test("a connection is used again, whoever asks")
  func reuse() async throws {
    try await withPool { _, pool, accepted in
      for number in 0..<5 {
        let reply = try await pool.withConnection { try await $0.request("\(number)") }
        #expect(reply == "\(number)")
      }
      #expect(accepted.value == 1)
      #expect("\(pool.snapshot)" == "1 of 8 connections: 1 idle; 0 wait")
    }
  }

  @Test("raw connections, and sessions of one's own, are lent as well")
  func sessions() async throws {
    try await withPool { _, _, _ in
      let raw = try ConnectionPool(to: "server", port: 7)
      try await raw.run {
        let reply = try await raw.withConnection { connection in
          try await connection.send("raw\n")
          return try await connection.read(exactly: 4)
        }
        #expect(reply == Array("raw\n".utf8))
      }
      struct Account: Sendable {
        let connection: Lines
        let greeting: String
      }
      let accounts = try ConnectionPool(to: .host("server", port: 7)) { connection in
        let connection = connection.framed(.lines)
        return Account(connection: connection, greeting: try await connection.request("LOGIN"))
      }
      try await accounts.run {
        let greeting = try await accounts.withConnection { $0.greeting }
        #expect(greeting == "LOGIN")
      }
    }
  }

  @Test(
    "a connection that is left in disorder is not lent again",
    arguments: ["throw", "abort", "close", "unread input", "half-closed", "ended"])
  func disorder(what: String) async throws {
    try await withPool { world, pool, accepted in
      let reply = try? await pool.withConnection { connection in
        let reply = try await connection.request("hello")
        switch what {
        case "throw": throw Oops()
        case "abort": connection.abort()
        case "close": await connection.close()
        case "unread input":
          _ = try await connection.request("push")
          try await world.sleep(for: .seconds(1))
        case "half-closed": try await connection.finishWriting()
        default:
          try await connection.send("leave")
          try await world.sleep(for: .seconds(1))
        }
        return reply
      }
      #expect(reply == (what == "throw" ? nil : "hello"))
      #expect(pool.snapshot.counts.idle == 0)
      let again = try await pool.withConnection { try await $0.request("again") }
      #expect(again == "again" && accepted.value == 2)
    }
  }

  @Test("an idle connection that the peer has ended is noticed, and nobody is lent it")
  func endedWhileIdle() async throws {
    try await withPool { world, pool, accepted in
      for wait in [Duration.milliseconds(10), .seconds(5)] {
        try await pool.withConnection { _ = try await $0.request("hello") }
        world.resetConnections(between: world.host("client"), and: world.host("server"))
        try await world.sleep(for: wait)
        if wait == .seconds(5) { #expect(pool.snapshot.counts == PoolSnapshot.Counts()) }
        let reply = try await pool.withConnection { try await $0.request("again") }
        #expect(reply == "again")
        try await pool.withConnection { $0.abort() }
      }
      #expect(accepted.value == 4)
    }
  }

  @Test("connections expire when they idle or get old, and as many as wanted are kept ready")
  func expiry() async throws {
    var configuration = PoolConfiguration(atMost: 4)
    configuration.idleTimeout = .seconds(30)
    configuration.minimumIdle = 1
    configuration.lifetime = .seconds(3600)
    try await withPool(configuration) { world, pool, accepted in
      try await world.sleep(for: .seconds(1))
      #expect(pool.snapshot.counts.idle == 1)
      try await withThrowingTaskGroup { group in
        for _ in 0..<4 {
          group.addTask { try await pool.withConnection { _ in try await world.sleep(for: .seconds(1)) } }
        }
        try await group.waitForAll()
      }
      #expect(pool.snapshot.counts.idle == 4)
      try await world.sleep(for: .seconds(29))
      #expect(pool.snapshot.counts.idle == 4)
      try await world.sleep(for: .seconds(3))
      #expect(pool.snapshot.counts.idle == 1)
      let before = accepted.value
      try await world.sleep(for: .seconds(3600))
      #expect(pool.snapshot.counts.idle == 1 && accepted.value == before + 1)
    }
  }

  @Test("one that has idled for long is checked before it is lent, and replaced if it does not pass")
  func checks() async throws {
    let checks = Shared<[String]>([])
    try await withPool(checking: { connection in
      let reply = try await connection.request("check")
      checks.change { $0.append(reply) }
      if checks.value.count == 2 { throw Oops() }
    }) { world, pool, accepted in
      try await pool.withConnection { _ = try await $0.request("hello") }
      try await world.sleep(for: .seconds(29))
      try await pool.withConnection { _ = try await $0.request("hello") }
      #expect(checks.value.isEmpty)
      for expected in [(1, 1), (2, 2), (3, 2)] {
        try await world.sleep(for: .seconds(31))
        let reply = try await pool.withConnection { try await $0.request("hello") }
        #expect(reply == "hello" && (checks.value.count, accepted.value) == expected)
      }
    }
  }

  @Test("a server that does not answer a check in time fails it")
  func checkTimeout() async throws {
    try await withPool(checking: { _ = try await $0.next() }) { world, pool, accepted in
      try await pool.withConnection { _ = try await $0.request("hello") }
      try await world.sleep(for: .seconds(31))
      let begin = world.elapsed
      let reply = try await pool.withConnection { try await $0.request("again") }
      #expect(reply == "again" && accepted.value == 2)
      #expect(world.elapsed - begin >= .seconds(5) && world.elapsed - begin < .seconds(6))
    }
  }

  @Test("who waits too long is told what the pool was doing")
  func waitTimeout() async throws {
    try await withPool(PoolConfiguration(atMost: 1)) { world, pool, _ in
      async let first: Void = pool.withConnection { _ in try await world.sleep(for: .seconds(60)) }
      try await world.sleep(for: .seconds(1))
      let begin = world.elapsed
      let error = await #expect(throws: PoolError.self) { try await pool.withConnection { _ in } }
      #expect(world.elapsed - begin == .seconds(10))
      #expect(error?.description == "no connection in time: 1 of 1 connections: 1 lent; 0 wait")
      await #expect(throws: PoolError.self) {
        try await pool.withConnection(deadline: .at(world.loop.now)) { _ in }
      }
      try await pool.withConnection(deadline: .never) { _ in }
      try await first
    }
  }

  @Test("a pool that nobody runs says so")
  func notRunning() async throws {
    try await withSimulation(seed: 1) { _ in
      let pool = try Self.pool()
      let error = await #expect(throws: PoolError.self) { try await pool.withConnection { _ in } }
      #expect("\(error.map { "\($0)" } ?? "")".contains("run() is not running"))
    }
  }

  @Test("who waits while the server is away is served when it comes back, or told what was wrong")
  func outage() async throws {
    try await withSimulation(seed: 1) { world in
      let server = world.host("server")
      try await world.host("client").run {
        let pool = try Self.pool()
        try await pool.run {
          let error = await #expect(throws: PoolError.self) { try await pool.withConnection { _ in } }
          #expect("\(error.map { "\($0)" } ?? "")".contains("ECONNREFUSED"))
          async let reply = pool.withConnection(deadline: .never) { try await $0.request("hello") }
          try await world.sleep(for: .seconds(300))
          try await server.serveEcho()
          #expect(try await reply == "hello")
          #expect(pool.snapshot.lastFailure == nil)
        }
      }
    }
  }

  @Test("an error that trying again would not help is told at once to all who wait")
  func finalError() async throws {
    try await withPool { world, _, accepted in
      let pool = try ConnectionPool(to: .host("server", port: 7)) { _ -> Lines in throw Oops() }
      try await pool.run {
        let begin = world.elapsed
        try await withThrowingTaskGroup { group in
          for _ in 0..<20 {
            group.addTask {
              await #expect(
                performing: { try await pool.withConnection { _ in } },
                throws: { error in
                  guard case PoolError.unavailable(is Oops) = error else { return false }
                  return true
                })
            }
          }
          try await group.waitForAll()
        }
        #expect(world.elapsed - begin < .seconds(2))
        #expect(pool.snapshot.counts.connecting == 0)
      }
    }
  }

  @Test("draining lets bodies end, and tells who waits and who comes")
  func drain() async throws {
    try await withPool(PoolConfiguration(atMost: 1)) { world, pool, _ in
      let isLent = Door()
      async let reply = pool.withConnection { connection in
        isLent.open()
        try await world.sleep(for: .seconds(5))
        return try await connection.request("last")
      }
      try await isLent.pass(on: world.loop)
      async let waiting = outcome { try await pool.withConnection { _ in } }
      try await world.sleep(for: .seconds(1))
      pool.beginDrain()
      let refusal = await waiting
      #expect(throws: PoolError.self) { try refusal.get() }
      await #expect(throws: PoolError.self) { try await pool.withConnection { _ in } }
      #expect(try await reply == "last")
    }
  }

  @Test("draining waits for no attempt to connect")
  func drainWhileConnecting() async throws {
    try await withSimulation(seed: 1) { world in
      world.partition(between: world.host("client"), and: world.host("server"))
      try await world.host("client").run {
        let pool = try Self.pool()
        try await pool.run {
          async let waiting = outcome { try await pool.withConnection { _ in } }
          try await world.sleep(for: .seconds(1))
          pool.beginDrain()
          let refusal = await waiting
          #expect(throws: PoolError.self) { try refusal.get() }
        }
      }
      #expect(world.elapsed < .seconds(2))
    }
  }

  @Test("cancelling run ends what is lent")
  func cancel() async throws {
    try await withPool { world, _, _ in
      let pool = try Self.pool()
      try await withThrowingTaskGroup { group in
        group.addTask { try await pool.run() }
        let isLent = Door()
        async let lent = outcome {
          try await pool.withConnection { connection in
            isLent.open()
            return try await connection.next()
          }
        }
        try await isLent.pass(on: world.loop)
        group.cancelAll()
        let ending = await lent
        #expect(throws: SocketError.closed) { try ending.get() }
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
        await #expect(throws: PoolError.self) { try await pool.withConnection { _ in } }
        await #expect(throws: SocketError.self, "it runs once") { try await pool.run() }
      }
    }
  }

  @Test("that runs already refuses to be run again, and goes on")
  func runsOnce() async throws {
    try await withPool { _, pool, accepted in
      var isEntered = false
      await #expect(throws: SocketError.invalid("a pool runs once; make another one")) {
        try await pool.run { isEntered = true }
      }
      #expect(!isEntered)
      let reply = try await pool.withConnection { try await $0.request("still there?") }
      #expect(reply == "still there?" && accepted.value == 1)
    }
  }

  @Test("values that cannot work are refused at once")
  func badConfiguration() {
    let changes: [(inout PoolConfiguration) -> Void] = [
      { $0.maximumConnections = 0 }, { $0.minimumIdle = -1 }, { $0.minimumIdle = 9 },
      { $0.waitTimeout = .zero },
      { $0.idleTimeout = .zero }, { $0.lifetime = .seconds(-1) }, { $0.checkAfter = .zero },
      { $0.checkTimeout = .seconds(1) }, { $0.client.reconnect.multiplier = 0 },
      { $0.client.attemptDelay = .zero }, { $0.client.localAddress = .unix(path: "/nowhere") },
      { $0.client.proxy = .socks5("") }, { $0.client.proxy = .http("proxy", port: 0) },
      { $0.client.proxy = .socks5(at: .loopback(port: 0)) },
    ]
    for change in changes {
      var configuration = PoolConfiguration()
      change(&configuration)
      #expect(throws: SocketError.self) { try Self.pool(configuration) }
    }
    var hasty = PoolConfiguration()
    hasty.checkTimeout = .zero
    #expect(throws: SocketError.self) { try Self.pool(hasty, checking: { _ in }) }
    var unchecked = PoolConfiguration()
    unchecked.checkAfter = .seconds(15)
    let problem = "checkAfter is set, and the pool has no check; give it one (checking:), or leave it nil"
    #expect(throws: SocketError.invalid(problem)) { try Self.pool(unchecked) }
    #expect(throws: Never.self) { try Self.pool(unchecked, checking: { _ in }) }
    #expect(throws: SocketError.self) { try ConnectionPool(to: "server", port: 0) }
    #expect(throws: SocketError.self) { try ConnectionPool(to: "", port: 7) }
  }

  @Test("cancelled at any moment, nothing is left (P38)")
  func cancellation() async throws {
    let sweep = try await sweepCancellation(seed: 1) { world in
      try await world.host("server").serveEcho()
      try await world.host("client").run {
        let pool = try Self.pool(PoolConfiguration(atMost: 1))
        try await pool.run {
          try await withThrowingTaskGroup { group in
            for number in 0..<3 {
              group.addTask {
                let reply = try await pool.withConnection { try await $0.request("\(number)") }
                #expect(reply == "\(number)")
              }
            }
            try await group.waitForAll()
          }
        }
      }
    }
    #expect(sweep.tried == sweep.points && sweep.cancelled > 0)
  }
}

/// What comes of `body`, for who asks later.
func outcome<Value>(_ body: () async throws -> Value) async -> Result<Value, any Error> {
  do { return .success(try await body()) } catch { return .failure(error) }
}
