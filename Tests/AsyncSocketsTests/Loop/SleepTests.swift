import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A sleep on a loop's clock", .timeLimit(.minutes(4)))
struct SleepTests {
  @Test("ends when its time has come, and not before", arguments: [true, false])
  func duration(isOnLoop: Bool) async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let awake = Count()
      let sleep = { @Sendable in
        try await loop.sleep(for: .seconds(10))
        awake.increase()
      }
      async let sleeper: Void = isOnLoop ? onLoop(loop, sleep) : sleep()
      try await eventually("somebody sleeps") { loop.census.deadlines == 1 }
      clock.advance(by: .seconds(10) - .nanoseconds(1))
      await letSettle(loop)
      #expect(awake.value == 0)
      clock.advance(by: .nanoseconds(1))
      try await sleeper
      #expect(awake.value == 1)
    }
  }

  @Test("of no time, or until a time that has passed, returns at once")
  func noTime() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      try await loop.sleep(for: .zero)
      try await loop.sleep(for: .seconds(-1))
      try await loop.sleep(until: EventLoop.Instant(nanoseconds: 0))
      try await onLoop(loop) { try await loop.sleep(for: .zero) }
    }
  }

  @Test("ends with its task, and leaves no deadline behind", arguments: [true, false])
  func cancellation(isOnLoop: Bool) async throws {
    try await withLoop(clock: ManualClock()) { loop in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<10 {
          group.addTask {
            let sleep = { @Sendable in try await loop.sleep(for: .seconds(1)) }
            try await isOnLoop ? onLoop(loop, sleep) : sleep()
          }
        }
        try await eventually("all sleep") { loop.census.deadlines == 10 }
        group.cancelAll()
        while let result = await group.nextResult() {
          #expect(throws: CancellationError.self) { try result.get() }
        }
      }
      #expect(loop.census.deadlines == 0)
    }
  }

  @Test("does not begin in a task that is cancelled already (P40)")
  func cancelledBefore() async throws {
    try await withLoop(clock: ManualClock()) { loop in
      await withThrowingTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { try await loop.sleep(for: .seconds(1)) }
        await #expect(throws: CancellationError.self) { try await group.next() }
      }
    }
  }

  @Test("fails when its loop stops, and when it has stopped (P45)", arguments: [true, false])
  func stop(isOnLoop: Bool) async throws {
    let loop = try EventLoop(clock: ManualClock())
    let sleep = { @Sendable in try await loop.sleep(for: .seconds(1)) }
    let sleeper = Task { try await isOnLoop ? onLoop(loop, sleep) : sleep() }
    try await eventually("somebody sleeps") { loop.census.deadlines == 1 }
    await loop.shutdown()
    await #expect(throws: SocketError.loopStopped) { try await sleeper.value }
    await #expect(throws: SocketError.loopStopped) { try await isOnLoop ? onLoop(loop, sleep) : sleep() }
    try await loop.sleep(for: .zero)
    #expect(loop.census.deadlines == 0)
  }

  @Test("that is cancelled just as its time comes ends once, one way or the other (P39)")
  func race() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      var outcomes: [Bool] = []
      for _ in 0..<300 {
        let sleeper = Task { try await loop.sleep(for: .milliseconds(1)) }
        try await eventually("somebody sleeps") { loop.census.deadlines == 1 }
        async let advance: Void = clock.advance(by: .milliseconds(1))
        sleeper.cancel()
        await advance
        switch await sleeper.result {
        case .success: outcomes.append(true)
        case .failure(let error): outcomes.append(!(error is CancellationError))
        }
      }
      #expect(outcomes.count == 300)
    }
  }

  @Test(
    "of the standard library is the system's: it leaves no deadline when cancelled, and outlives the loop")
  func taskSleep() async throws {
    let loop = try EventLoop(clock: ManualClock())
    // Cancelled, as who loses a race against a time-out is.
    try await onLoop(loop) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await Task.sleep(for: .seconds(1000)) }
        group.addTask {}
        try await group.next()
        group.cancelAll()
      }
    }
    #expect(loop.census.deadlines == 0)
    // Real time, though the loop's stands still, and its thread is gone.
    async let sleeper: Void = onLoop(loop) { try await Task.sleep(for: .milliseconds(20)) }
    await loop.shutdown()
    try await sleeper
  }
}
