import AsyncSockets
import Framing
import MultiClient
import TCPClient
import TCPServer
import TestHarness
import Testing

/// Clients, pools, multi-clients and drains, as they are, while hosts crash and links fail.
@Suite(.timeLimit(.minutes(10))) struct ModulesUnderFaultsTests {
  private struct Wrong: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  private static func serve(on host: SimulatedHost) {
    host.start {
      try await TCPServer.serve(on: .any(port: 7), framing: .lines) { connection in
        for try await line in connection.inbound { try await connection.send(line) }
      }
    }
  }

  private static let faults = FaultMix(
    .crash("server"), .kill("server"), .cut("client", "server"), .cut(from: "server", to: "client"),
    .cut(from: "client", to: "server"), .reset("client", "server"), .slow("client", "server"),
    .unresolved("server"), .descriptors("server", limit: 3), .descriptors("client", limit: 1),
    upTo: 6, within: .seconds(60))

  private static let fewSeeds: Range<UInt64> = 0..<6
  private static let manySeeds: Range<UInt64> = 0..<300

  // MARK: TCPClient

  @Sendable private static func reconnecting(_ world: SimulatedWorld) async throws {
    serve(on: world.host("server"))
    try await world.host("client").run {
      let asked = Lock(0)
      try await TCPClient(to: "server", port: 7).run(framing: .lines) { connection -> TCPClient.Next<Void> in
        while true {
          let number = asked.withLock { asked in
            asked += 1
            return asked
          }
          try await connection.send("\(number)")
          guard let reply = try await connection.next(deadline: .after(.seconds(10))) else {
            return .reconnect
          }
          if reply != "\(number)" { throw Wrong("\(reply) came for \(number)") }
          if world.elapsed > .seconds(90) { return .finish(()) }
          try await world.sleep(for: .seconds(1))
        }
      }
      try await world.untilFaultsEnd()
      if world.elapsed > .seconds(240) { throw Wrong("it took \(world.elapsed)") }
    }
  }

  @Test("a client that reconnects gets its answers, in order, whatever has happened before")
  func reconnects() async throws {
    try await explore(seeds: Self.fewSeeds, faults: Self.faults, Self.reconnecting)
  }

  @Test("and so over three hundred seeds", .thoroughOnly)
  func reconnectsOften() async throws {
    try await explore(seeds: Self.manySeeds, faults: Self.faults, Self.reconnecting)
  }

  @Test("addresses of hosts that are down lose the race against one that is up")
  func race() async throws {
    try await withSimulation(seed: 1) { world in
      let dead = [world.host("dead-1"), world.host("dead-2")]
      Self.serve(on: world.host("server"))
      for host in dead { host.crash() }
      try await world.sleep(for: .seconds(1))
      world.setResolution(
        of: "service", to: .addresses(dead.map(\.address) + [world.host("server").address]))
      try await world.host("client").run {
        let begin = world.elapsed
        try await TCPClient.withConnection(to: "service", port: 7, framing: .lines) { connection in
          try await connection.send("hello")
          let reply = try await connection.next()
          #expect(reply == "hello")
        }
        // Two addresses were given a head start of 250 ms each.
        let time = world.elapsed - begin
        #expect(time > .milliseconds(500) && time < .milliseconds(600), "\(time)")
      }
    }
  }

  // MARK: Pools

  @Sendable private static func pooled(_ world: SimulatedWorld) async throws {
    serve(on: world.host("server"))
    try await world.host("client").run {
      var configuration = PoolConfiguration(atMost: 3)
      configuration.waitTimeout = .seconds(5)
      let pool = try ConnectionPool(to: "server", port: 7, framing: .lines, configuration: configuration)
      try await pool.run {
        try await withThrowingTaskGroup { group in
          for borrower in 0..<6 {
            group.addTask {
              for number in 0..<5 {
                try? await ask(pool, "\(borrower) \(number)")
                try await world.sleep(for: world.random(in: .zero ... .seconds(10)))
              }
            }
          }
          try await group.waitForAll()
        }
        try await world.untilFaultsEnd()
        // A connection that died without a word may be found dead once, and a pause may be under way.
        for attempt in 0... {
          do {
            try await ask(pool, "in the end")
            break
          } catch let error as Wrong {
            throw error
          } catch  where attempt < 30 {}
        }
        let snapshot = pool.snapshot.counts
        if snapshot.lent > 0 { throw Wrong("\(pool.snapshot)") }
      }
    }
  }

  private static func ask(
    _ pool: ConnectionPool<FramedConnection<LineFraming>>, _ question: String
  ) async throws {
    try await pool.withConnection { connection in
      try await connection.send(question)
      guard let reply = try await connection.next(deadline: .after(.seconds(5))) else {
        throw SocketError.closed
      }
      if reply != question { throw Wrong("\(reply) came for \(question)") }
    }
  }

  @Test("nobody who borrows from a pool hears another's answer, and in the end everybody is answered")
  func pool() async throws {
    try await explore(seeds: Self.fewSeeds, faults: Self.faults, Self.pooled)
  }

  @Test("and so over three hundred seeds of pools", .thoroughOnly)
  func poolOften() async throws {
    try await explore(seeds: Self.manySeeds, faults: Self.faults, Self.pooled)
  }

  // MARK: MultiClient

  private struct Question: ConnectionHandler {
    var closings = 0
    func connected(_ context: borrowing HandlerContext<LineFraming>) throws { try context.send("hello") }
    func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) { context.close() }
    mutating func closed(_ reason: CloseReason) { closings += 1 }
  }

  @Sendable private static func crowd(_ world: SimulatedWorld) async throws {
    serve(on: world.host("server"))
    serve(on: world.host("other"))
    try await world.host("client").run {
      var configuration = MultiClientConfiguration()
      configuration.limits.open = 5
      configuration.limits.rampUp = .constant(perSecond: 1)
      configuration.limits.timeouts = Timeouts(connect: .seconds(3), total: .seconds(20))
      let client = try MultiClient<Question>(framing: .lines, configuration: configuration)
      let targets: [Target] = (0..<60).map { .host($0 % 2 == 0 ? "server" : "other", port: 7) }
      var seen: Set<ConnectionID> = []
      for await outcome in client.run(targets, { _ in Question() }) {
        if !seen.insert(outcome.id).inserted || outcome.handler.closings != 1 {
          throw Wrong("\(outcome.id) has ended \(outcome.handler.closings) times")
        }
      }
      if seen.count != targets.count { throw Wrong("\(seen.count) outcomes for \(targets.count) targets") }
    }
  }

  @Test("each target of a multi-client has one outcome, whatever crashes")
  func outcomes() async throws {
    try await explore(seeds: Self.fewSeeds, faults: Self.faults, Self.crowd)
  }

  @Test("and so over three hundred seeds of crowds", .thoroughOnly)
  func outcomesOften() async throws {
    try await explore(seeds: Self.manySeeds, faults: Self.faults, Self.crowd)
  }

  // MARK: Drain

  private final class Reports: Sendable {
    let all = Lock<[TCPServer.DrainReport]>([])
  }

  @Sendable private static func draining(_ world: SimulatedWorld) async throws {
    let host = world.host("server")
    let reports = Reports()
    host.start {
      let server = try await TCPServer.bind(on: .any(port: 7))
      try await withThrowingTaskGroup { group in
        group.addTask {
          try await server.run(framing: .lines) { connection in
            for try await line in connection.inbound {
              try await world.sleep(for: .milliseconds(50))
              try await connection.send(line)
            }
          }
        }
        group.addTask {
          try await world.sleep(for: world.random(in: .seconds(1) ... .seconds(40)))
          let report = await server.drain(deadline: .seconds(5))
          reports.all.withLock { $0.append(report) }
        }
        try await group.waitForAll()
      }
    }
    try await withThrowingTaskGroup { group in
      for number in 0..<4 {
        group.addTask {
          try? await world.host(number == 0 ? "client" : "client-\(number)").run {
            for _ in 0..<60 {
              if let connection = try? await Connector().connect(to: "server", port: 7) {
                let lines = connection.framed(.lines)
                for _ in 0..<world.random(in: 1...9) {
                  try? await lines.send("hello")
                  guard (try? await lines.next(deadline: .after(.seconds(2)))) != nil else { break }
                }
                await connection.close()
              }
              try await world.sleep(for: .seconds(1))
            }
          }
        }
      }
      try await group.waitForAll()
    }
    for report in reports.all.withLock({ $0 }) where report.duration > .seconds(7) {
      throw Wrong("a drain has taken \(report.duration): \(report)")
    }
  }

  @Test("a drain ends at its deadline, whatever has become of the clients")
  func drain() async throws {
    try await explore(seeds: Self.fewSeeds, faults: Self.faults, Self.draining)
  }

  @Test("and so over three hundred seeds of drains", .thoroughOnly)
  func drainOften() async throws {
    try await explore(seeds: Self.manySeeds, faults: Self.faults, Self.draining)
  }
}
