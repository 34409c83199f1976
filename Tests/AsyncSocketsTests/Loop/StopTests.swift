import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("The stop of an event loop", .timeLimit(.minutes(4)))
struct StopTests {
  @Test("comes after the jobs that were enqueued before")
  func runsWhatIsEnqueued() async throws {
    let loop = try EventLoop()
    let ran = Count()
    try await onThread {
      for _ in 0..<10_000 { Task(executorPreference: loop.executor) { ran.increase() } }
    }
    await loop.shutdown()
    #expect(ran.value == 10_000)
  }

  @Test("does not lose jobs that come later: each still runs, on the loop")
  func laterJobs() async throws {
    let loop = try EventLoop()
    await loop.shutdown()
    let (ran, strayed) = (Count(), Count())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3 {
        group.addTask {
          try await onThread {
            for _ in 0..<3334 {
              Task(executorPreference: loop.executor) {
                if !loop.isCurrent { strayed.increase() }
                await Task.yield()
                ran.increase()
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    try await eventually("all have run") { ran.value == 10_002 }
    #expect(strayed.value == 0)
    let resident = Resident(on: loop)
    #expect(await resident.call())
    await loop.shutdown()
  }

  @Test("does not lose jobs that come in the middle of it")
  func jobsDuringStop() async throws {
    for _ in 0..<30 {
      let loop = try EventLoop()
      let ran = Count()
      async let jobs: Void = onThread {
        for _ in 0..<300 { Task(executorPreference: loop.executor) { ran.increase() } }
      }
      await loop.shutdown()
      try await jobs
      try await eventually("all have run") { ran.value == 300 }
    }
  }

  @Test("can be asked for twice, one after the other or at once")
  func twice() async throws {
    let loop = try EventLoop()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<20 { group.addTask { await loop.shutdown() } }
    }
    await loop.shutdown()
  }

  @Test("can be asked for on the loop itself")
  func fromItself() async throws {
    let loop = try EventLoop()
    let isStillThere = try await onLoop(loop) {
      await loop.shutdown()
      return loop.isCurrent
    }
    #expect(isStillThere)
    await loop.shutdown()
  }

  @Test("can be asked for by a task that is cancelled")
  func cancelled() async throws {
    let loop = try EventLoop()
    let listener = try Listener.bind(to: .loopback(), on: loop)
    await withTaskGroup(of: Void.self) { group in
      group.cancelAll()
      group.addTask { await loop.shutdown() }
    }
    await #expect(throws: SocketError.loopStopped) { try await listener.accept(on: loop) }
  }

  @Test("brings deadlines at once, each one time")
  func deadlines() async throws {
    let clock = ManualClock()
    let loop = try EventLoop(clock: clock)
    let outcomes = try await withThrowingTaskGroup(of: Latch.Outcome.self) { group in
      for seconds in 1...100 {
        group.addTask {
          await Latch().wait(until: EventLoop.Instant(nanoseconds: Int64(seconds) * 1_000_000_000), on: loop)
        }
      }
      try await eventually("all wait") { loop.census.deadlines == 100 }
      await loop.shutdown()
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes == Array(repeating: .timedOut, count: 100))
    #expect(loop.census.deadlines == 0)
  }

  @Test("leaves nothing registered, and nothing can be registered afterwards")
  func registrations() async throws {
    let loop = try EventLoop()
    let listener = try Listener.bind(to: .loopback(), on: loop)
    let port = try #require(listener.address.port)
    let peer = try await onThread { try BlockingPeer.connect(port: port) }
    let connection = try await listener.accept(on: loop)
    try await eventually("both are watched") { loop.census.registrations == 2 }
    await loop.shutdown()
    #expect(loop.census.registrations == 0)
    #expect(connection.closeReason == .aborted)
    await #expect(throws: SocketError.loopStopped) { try await connection.read() }
    await #expect(throws: SocketError.loopStopped) { try await connection.send("x") }
    let ending = try await onThread { try peer.receiveToEnding().ending }
    #expect(ending == .reset)

    try await eventually("nothing is watched") { loop.census.registrations == 0 }
    connection.abort()
  }

  @Test(
    "is the end of it: nothing can be begun on it any more, and whoever tries is told so",
    arguments: [true, false])
  func nothingBegins(isOnLoop: Bool) async throws {
    let other = try EventLoop()
    let door = try Listener.bind(to: .loopback(), on: other)
    let peer = try await onThread { [address = door.address] in try Network.connect(to: address) }
    let loop = try EventLoop()
    let inTime = try Listener.bind(to: .loopback(), on: loop)
    await loop.shutdown()
    let attempts: [@Sendable () async throws -> Void] = [
      { _ = try Listener.bind(to: .loopback(), on: loop) as Listener },
      { _ = try Listener.bind(to: [.loopback(), .loopback6()], on: loop) as [Listener] },
      { _ = try await inTime.accept(on: loop) },
      { _ = try await inTime.accept(on: loop, deadline: .after(.seconds(1))) },
      { _ = try await inTime.accept(on: other) },
      { _ = try await door.accept(on: loop) },
      { _ = try Connection(over: ScriptedTransport(), on: loop) },
      { _ = try Connection.adopt(peer.descriptor, on: loop) },
      { _ = try Listener.adopt(peer.descriptor, on: loop) },
      { _ = try await (try connector(on: loop)).connect(to: door.address) },
      { _ = try await (try connector(on: loop)).connect(to: "localhost", port: 7) },
      { try await loop.sleep(for: .seconds(1)) },
      { try await withDeadline(.after(.seconds(1)), on: loop) { _ = Issue.record("the body was run") } },
    ]
    for (number, attempt) in attempts.enumerated() {
      let error = await socketError { try await isOnLoop ? onLoop(loop, attempt) : attempt() }
      #expect(error == .loopStopped, "attempt \(number)")
    }
    // What was refused is still its owner's: the connection waits, and the descriptor is open.
    let connection = try await door.accept(on: other)
    try peer.send("x")
    #expect(try await connection.read() == bytes("x"))
    connection.abort()
    peer.close()
    await other.shutdown()
  }
}
