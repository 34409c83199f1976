import AsyncSockets
import TestHarness
import Testing

/// Bodies and services that would never end: each is an error, and none keeps its caller.
@Suite("A simulation that would never end", .serialized, .timeLimit(.minutes(2)))
struct SimulationStuckTests {
  private func end(
    timeLimit: Duration = .seconds(86_400), turn: Duration = .seconds(10),
    computation: Duration = .seconds(60),
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Void
  ) async throws -> SimulationStuck {
    var patience = SimulationPatience()
    patience.idleTurns = 20_000
    patience.turnsOfGrace = 20_000
    patience.turn = turn
    patience.computation = computation
    let failure = await #expect(throws: SimulationFailure.self) {
      try await SimulationPatience.$current.withValue(patience) {
        try await withSimulation(seed: 9, timeLimit: timeLimit, body)
      }
    }
    return try #require(failure?.underlying as? SimulationStuck)
  }

  @Test("waits for what nobody will do, and does not listen: it is given up")
  func deafWaiting() async throws {
    let stuck = try await end { world in
      _ = await Latch().wait(on: world.loop, isCancellable: false)
    }
    #expect(stuck.reason == .deadlock)
    #expect(stuck.wasGivenUp)
    #expect("\(stuck)".contains("not ended: the body"))
    #expect("\(stuck)".contains("leaked"))
  }

  @Test("waits for what nobody will do, and listens: it is not given up")
  func waiting() async throws {
    let stuck = try await end { world in _ = await Latch().wait(on: world.loop) }
    #expect(stuck.reason == .deadlock)
    #expect(!stuck.wasGivenUp)
  }

  @Test("sleeps for ever: the limit of its time tells what was scheduled")
  func sleeping() async throws {
    let stuck = try await end(timeLimit: .seconds(600)) { world in
      while true { try await world.sleep(for: .seconds(7)) }
    }
    #expect(stuck.reason == .timeLimit(.seconds(600)))
    #expect(!stuck.wasGivenUp)
    #expect("\(stuck)".contains("10 min 0 s of its own time"))
    #expect("\(stuck)".contains("1 deadline (next in 2.0 s)"))
  }

  @Test("sleeps for ever, and does not listen: it is given up")
  func deafSleeping() async throws {
    let stuck = try await end(timeLimit: .seconds(600)) { world in
      await Self.sleepDeaf(world, .seconds(7))
    }
    #expect(stuck.reason == .timeLimit(.seconds(600)))
    #expect(stuck.wasGivenUp)
  }

  @Test("asks again and again: it runs in a circle")
  func yielding() async throws {
    let stuck = try await end { _ in while !Task.isCancelled { await Task.yield() } }
    #expect(stuck.reason == .livelock(turns: 20_000))
    #expect(!stuck.wasGivenUp)
    #expect("\(stuck)".contains("ran last: "))
  }

  @Test("asks again and again, and does not listen: it is given up")
  func deafYielding() async throws {
    let stuck = try await end { _ in while true { await Task.yield() } }
    #expect(stuck.reason == .livelock(turns: 20_000))
    #expect(stuck.wasGivenUp)
  }

  @Test("runs in a circle around a sleep that returns at once: its thread is given up")
  func spinning() async throws {
    let isOver = Latch()
    defer { isOver.open() }
    let stuck = try await end(timeLimit: .seconds(60), turn: .milliseconds(100)) { world in
      while !isOver.isOpen { try? await Task.sleep(for: .seconds(1)) }
    }
    guard case .keptThread = stuck.reason else {
      Issue.record("\(stuck)")
      return
    }
    #expect(stuck.wasGivenUp)
    #expect("\(stuck)".contains("with the thread"))
    #expect(stuck.cause == .timeLimit(.seconds(60)))
    #expect("\(stuck)".hasPrefix("it has gone on for 1 min 0 s of its own time"))
  }

  @Test("keeps its thread from the start: the thread is given up")
  func blocking() async throws {
    let isOver = Latch()
    defer { isOver.open() }
    let stuck = try await end(turn: .milliseconds(50), computation: .milliseconds(100)) { _ in
      while !isOver.isOpen {}
    }
    #expect(stuck.reason == .keptThread(.milliseconds(100)))
    #expect(stuck.cause == nil)
    #expect(stuck.wasGivenUp)
    #expect("\(stuck)".hasPrefix("a job has kept the simulation's thread for 100 ms of real time: it blocks"))
    #expect("\(stuck)".contains("not ended: the body"))
  }

  @Test("and is given up keeps no descriptors")
  func descriptors() async throws {
    let seen = Lock<SimulatedWorld?>(nil)
    let stuck = try await end { world in
      #expect(world.isOpen)
      seen.withLock { $0 = world }
      _ = await Latch().wait(on: world.loop, isCancellable: false)
    }
    #expect(stuck.wasGivenUp)
    #expect(seen.withLock { $0 }?.isOpen == false)
  }

  @Test(
    "has ended but for a service that does not listen: the service is given up, with the name of its host")
  func deafService() async throws {
    let stuck = try await end { world in
      world.host("pantry").start { await Self.sleepDeaf(world, .milliseconds(1)) }
      try await world.sleep(for: .seconds(1))
    }
    guard case .deafness = stuck.reason else {
      Issue.record("\(stuck)")
      return
    }
    #expect(stuck.wasGivenUp)
    #expect("\(stuck)".contains("not ended: 1 service of pantry"))
  }

  @Test("and whose caller is cancelled ends for the caller")
  func cancelledCaller() async throws {
    let begun = Latch()
    let task = Task {
      try await end { world in
        begun.open()
        await Self.sleepDeaf(world, .seconds(1))
      }
    }
    _ = await begun.wait(on: try EventLoopGroup.shared.next())
    task.cancel()
    let stuck = try await task.value
    #expect(stuck.wasGivenUp)
  }

  @Test("leaves a task behind that runs in a circle: it is a leak")
  func circleLeftBehind() async throws {
    var patience = SimulationPatience()
    patience.turnsOfGrace = 20_000
    let failure = await #expect(throws: SimulationFailure.self) {
      try await SimulationPatience.$current.withValue(patience) {
        try await withSimulation(seed: 9) { _ in
          Task { while true { await Task.yield() } }
        }
      }
    }
    #expect(failure?.underlying is ResourcesLeaked)
    #expect(failure.map { "\($0)".contains("a task that runs in a circle") } == true)
  }

  @Test("needs a limit of its time above zero")
  func noTime() async {
    await #expect(throws: SimulationError.self) { try await withSimulation(timeLimit: .zero) { _ in } }
  }

  @Test("has all the time that it is given")
  func longTime() async throws {
    try await withSimulation(timeLimit: .seconds(86_400 * 365)) { world in
      try await world.sleep(for: .seconds(86_400 * 300))
    }
  }

  @Test("begins nowhere in another one")
  func nested() async throws {
    try await withSimulation { _ in
      let error = await #expect(throws: SimulationError.self) { try await withSimulation { _ in } }
      #expect(error.map { "\($0)".contains("inside of another") } == true)
    }
  }

  /// Sleeps for ever, whoever cancels it.
  static func sleepDeaf(_ world: SimulatedWorld, _ duration: Duration) async {
    while true {
      _ = await Latch().wait(
        until: world.loop.now.advanced(by: duration), on: world.loop, isCancellable: false)
    }
  }
}
