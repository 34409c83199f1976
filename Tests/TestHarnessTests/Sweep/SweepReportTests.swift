import AsyncSockets
import TestHarness
import Testing

@Suite("The cancellation sweep", .timeLimit(.minutes(2)))
struct SweepReportTests {
  /// A handler as one writes it in a hurry: between the accept and the `defer` there is an await.
  @Sendable private static func leaky(_ world: SimulatedWorld) async throws {
    let host = world.host("server")
    let listener = try await host.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
    defer { listener.close() }
    world.host("client").start {
      guard let client = try? await Connection.connect(to: host.address.withPort(7)) else { return }
      _ = try? await client.read()
      client.abort()
    }
    let connection = try await listener.accept(on: world.loop)
    try await world.sleep(for: .milliseconds(1))
    defer { connection.abort() }
    try await connection.send("welcome")
    try await connection.flush()
  }

  private func failure() async throws -> CancellationSweepFailure {
    try #require(
      await #expect(throws: CancellationSweepFailure.self) {
        try await sweepCancellation(seed: 3, Self.leaky)
      })
  }

  @Test(
    "finds a handler that leaks its connection when it is cancelled between two awaits, which no run without it does"
  )
  func leak() async throws {
    try await withSimulations(seeds: 0..<20, Self.leaky)
    let failure = try await failure()
    #expect(failure.failure.underlying is ResourcesLeaked)
    #expect("\(failure)".contains("sweepCancellation(seed: 3, at: \(failure.point))"))
    #expect("\(failure)".contains("dropped without close() or abort()"))
  }

  @Test("runs the point that a failure names alone, and the point before it")
  func replay() async throws {
    let first = try await failure()
    let again = await #expect(throws: CancellationSweepFailure.self) {
      try await sweepCancellation(seed: 3, at: first.point, Self.leaky)
    }
    #expect(again.map { "\($0)" } == "\(first)")
    let before = try await sweepCancellation(seed: 3, at: first.point - 1, Self.leaky)
    #expect(before.tried == 1)
  }

  @Test("cancels before the first job, and both while something is awaited and when it has come")
  func moments() async throws {
    let seen = Lock<Set<String>>([])
    let sweep = try await sweepCancellation(seed: 1) { world in
      seen.withLock { _ = $0.insert(Task.isCancelled ? "cancelled before it began" : "begun") }
      let begin = world.elapsed
      do {
        try await world.sleep(for: .seconds(1))
        seen.withLock { _ = $0.insert(Task.isCancelled ? "cancelled when it had come" : "not cancelled") }
      } catch {
        if world.elapsed > begin { throw SomethingElse() }
        seen.withLock { _ = $0.insert("cancelled while it waited") }
        throw error
      }
    }
    #expect(
      seen.withLock { $0 } == [
        "begun", "cancelled before it began", "cancelled while it waited", "cancelled when it had come",
        "not cancelled",
      ])
    #expect(sweep.tried == sweep.points && sweep.cancelled > 0 && sweep.cancelled < sweep.tried)
  }

  private struct SomethingElse: Error {}

  @Test("an error that is not CancellationError is a failure")
  func otherError() async throws {
    let failure = await #expect(throws: CancellationSweepFailure.self) {
      try await sweepCancellation(seed: 1) { world in
        do { try await world.sleep(for: .seconds(1)) } catch { throw SomethingElse() }
      }
    }
    #expect(failure?.failure.underlying is SomethingElse)
  }

  @Test("a scenario that does not end when it is cancelled is a failure")
  func deaf() async throws {
    let failure = await #expect(throws: CancellationSweepFailure.self) {
      try await sweepCancellation(seed: 1) { world in
        do { try await world.sleep(for: .seconds(2)) } catch {
          _ = await Latch().wait(on: world.loop, isCancellable: false)
        }
      }
    }
    #expect(failure?.failure.underlying is SimulationStuck)
  }

  @Test(
    "a scenario that goes on when it is cancelled is a failure that names the point",
    arguments: ["sleeps", "yields", "spins"])
  func endless(offence: String) async throws {
    let isOver = Latch()
    defer { isOver.open() }
    var patience = SimulationPatience()
    patience.idleTurns = 20_000
    patience.turnsOfGrace = 20_000
    if offence == "spins" { patience.turn = .milliseconds(100) }
    let failure = await #expect(throws: CancellationSweepFailure.self) {
      try await SimulationPatience.$current.withValue(patience) {
        try await sweepCancellation(seed: 1) { world in
          do { try await world.sleep(for: .seconds(2)) } catch {
            switch offence {
            case "sleeps": await SimulationStuckTests.sleepDeaf(world, .milliseconds(1))
            case "yields": while true { await Task.yield() }
            default: while !isOver.isOpen { try? await world.sleep(for: .seconds(1)) }
            }
          }
        }
      }
    }
    let stuck = try #require(failure?.failure.underlying as? SimulationStuck)
    #expect(stuck.wasGivenUp)
    #expect(failure.map { "\($0)".hasPrefix("cancelled at point \($0.point) of ") } == true)
  }

  @Test(
    "runs that do not come the way of the first are a failure, whether they are longer or shorter",
    arguments: [(2, 30), (30, 2), (2, 3)])
  func divergence(first: Int, others: Int) async throws {
    let runs = Lock(0)
    let failure = await #expect(throws: CancellationSweepFailure.self) {
      try await sweepCancellation(seed: 1) { world in
        let run = runs.withLock { runs in
          runs += 1
          return runs
        }
        for _ in 0..<(run == 1 ? first : others) { try await world.sleep(for: .seconds(1)) }
      }
    }
    #expect(failure?.failure.underlying is SimulationDiverged)
    #expect(failure.map { "\($0)".contains("two runs with seed 1 differ") } == true)
  }

  @Test("a point that the scenario does not have is refused")
  func noSuchPoint() async throws {
    let error = await #expect(throws: SimulationError.self) {
      try await sweepCancellation(seed: 1, at: 1000) { world in try await world.sleep(for: .seconds(1)) }
    }
    #expect(error.map { "\($0)".contains("none that is number 1000") } == true)
  }

  @Test("a scenario that fails by itself is not swept")
  func failing() async throws {
    await #expect(throws: SimulationFailure.self) {
      try await sweepCancellation(seed: 1) { _ in throw SomethingElse() }
    }
  }

  @Test("says how many points there are, and how many it has tried")
  func report() async throws {
    @Sendable func scenario(_ world: SimulatedWorld) async throws {
      for _ in 0..<100 { try await world.sleep(for: .seconds(1)) }
    }
    let sweep = try await sweepCancellation(seed: 5, limit: 10, scenario)
    #expect(sweep.points > 100 && sweep.tried <= 10 && sweep.stride > 1)
    #expect(
      "\(sweep)"
        == "cancelled at \(sweep.tried) of \(sweep.points) points, at one in \(sweep.stride) (seed 5): "
        + "\(sweep.cancelled) times it threw CancellationError, \(sweep.tried - sweep.cancelled) times it returned"
    )
    await #expect(throws: SimulationError.invalid("a sweep tries at least 1 point, not 0")) {
      try await sweepCancellation(seed: 5, limit: 0, scenario)
    }
    await #expect(throws: SimulationError.invalid("the points of a sweep count from 1, not 0")) {
      try await sweepCancellation(seed: 5, at: 0, scenario)
    }
  }
}
