import AsyncSockets
import Framing
import TestHarness
import TestSupport
import Testing

@testable import TCPClient

/// A hundred tasks that want one of three connections, some of which lose patience or throw.
@Suite("A crowded pool", .timeLimit(.minutes(20))) struct CrowdedPoolTests {
  private struct Log {
    var asked: [Int] = []
    var served: [Int] = []
    var inUse = 0
    var mostInUse = 0
    var results: [Int: Result<String, any Error>] = [:]
    var wasCancelled: Set<Int> = []
  }

  private static func crowd(_ world: SimulatedWorld, disturbed: Bool) async throws {
    try await world.host("server").serveEcho()
    let log = Shared(Log())
    try await world.host("client").run {
      let pool = try ConnectionPool(
        to: "server", port: 7, framing: .lines, configuration: PoolConfiguration(atMost: 3))
      try await pool.run {
        try await withThrowingTaskGroup { group in
          for number in 0..<100 { group.addTask { try await ask(world, pool, number, log) } }
          if disturbed { group.addTask { try await disturb(world) } }
          try await group.waitForAll()
        }
      }
      if pool.snapshot.counts != PoolSnapshot.Counts() { throw Unfair("\(pool.snapshot)") }
    }
    try check(log.value, disturbed: disturbed)
  }

  private static func ask(
    _ world: SimulatedWorld, _ pool: ConnectionPool<Lines>, _ number: Int, _ log: Shared<Log>
  ) async throws {
    try await world.sleep(for: world.random(in: .zero ... .seconds(1)))
    let patience = world.random(in: 0...3) == 0 ? world.random(in: .zero ... .seconds(2)) : nil
    let throwsUp = world.random(in: 0...9) == 0
    try await withThrowingTaskGroup { group in
      group.addTask {
        log.change { $0.asked.append(number) }
        let result = await outcome {
          try await pool.withConnection { connection in
            log.change {
              $0.served.append(number)
              $0.inUse += 1
              $0.mostInUse = max($0.mostInUse, $0.inUse)
            }
            defer { log.change { $0.inUse -= 1 } }
            try await world.sleep(for: world.random(in: .zero ... .milliseconds(100)))
            if throwsUp { throw Oops() }
            return try await connection.request("\(number)")
          }
        }
        log.change { $0.results[number] = result }
      }
      if let patience {
        group.addTask { try await world.sleep(for: patience) }
        try await group.next()
        log.change { _ = $0.wasCancelled.insert(number) }
        group.cancelAll()
      }
    }
  }

  private static func disturb(_ world: SimulatedWorld) async throws {
    let (client, server) = (world.host("client"), world.host("server"))
    for _ in 0..<6 {
      try await world.sleep(for: world.random(in: .zero ... .milliseconds(500)))
      if world.random(in: 0...1) == 0 {
        world.resetConnections(between: client, and: server)
      } else {
        world.partition(between: client, and: server)
        try await world.sleep(for: world.random(in: .zero ... .milliseconds(500)))
        world.heal(between: client, and: server)
      }
    }
  }

  private static func check(_ log: Log, disturbed: Bool) throws {
    if log.results.count != 100 { throw Unfair("\(log.results.count) results") }
    if log.mostInUse > 3 { throw Unfair("\(log.mostInUse) in use at once") }
    if Set(log.served).count != log.served.count { throw Unfair("served twice: \(log.served)") }
    for (number, result) in log.results {
      switch result {
      case .success(let reply):
        if reply != "\(number)" { throw Unfair("\(number) got the reply \(reply)") }
      case .failure(is Oops): continue
      case .failure(is CancellationError) where log.wasCancelled.contains(number): continue
      case .failure(is SocketError) where disturbed, .failure(is CorrelatorError) where disturbed,
        .failure(is PoolError) where disturbed:
        continue
      case .failure(let error): throw Unfair("\(number): \(error)")
      }
    }
    let served = Set(log.served)
    if !disturbed, log.served != log.asked.filter(served.contains) {
      throw Unfair("asked \(log.asked), served \(log.served)")
    }
  }

  private struct Unfair: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  @Test("first come, first served, at most three at once, and nobody is forgotten")
  func fair() async throws {
    try await withSimulations(seeds: 0..<2) { try await Self.crowd($0, disturbed: false) }
  }

  @Test("among resets and partitions everybody gets a connection or an error")
  func disturbed() async throws {
    try await withSimulations(seeds: 0..<2) { try await Self.crowd($0, disturbed: true) }
  }

  @Test("the same with a thousand seeds", .thoroughOnly, arguments: [false, true])
  func thoroughly(disturbed: Bool) async throws {
    for seed in 0..<1000 as Range<UInt64> {
      try await withSimulation(seed: seed) { try await Self.crowd($0, disturbed: disturbed) }
    }
  }
}
