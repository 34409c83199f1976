import AsyncSockets
import TestHarness
import Testing

@Suite("The clock of an event loop", .timeLimit(.minutes(4)))
struct ClockTests {
  /// A user's own code, which knows nothing of event loops.
  private static func threeTimes<C: Clock>(
    _ clock: C, _ pause: C.Duration, _ count: Count
  ) async throws -> C.Duration {
    let start = clock.now
    for _ in 0..<3 {
      count.increase()
      try await clock.sleep(for: pause)
    }
    return start.duration(to: clock.now)
  }

  @Test("is a Clock whose time is the loop's, virtual under test", arguments: [true, false])
  func virtual(isOnLoop: Bool) async throws {
    let time = ManualClock()
    try await withLoop(clock: time) { loop in
      let begun = Count()
      let body = { @Sendable in try await Self.threeTimes(loop.clock, .seconds(3600), begun) }
      async let taken = isOnLoop ? onLoop(loop, body) : body()
      for hour in 1...3 {
        try await eventually("it sleeps for hour \(hour)") {
          begun.value == hour && loop.census.deadlines == 1
        }
        time.advance(by: .seconds(3600) - .nanoseconds(1))
        await letSettle(loop)
        #expect(begun.value == hour && loop.census.deadlines == 1)
        time.advance(by: .nanoseconds(1))
      }
      #expect(try await taken == .seconds(3 * 3600))
      #expect(loop.clock.now == time.now)
    }
  }

  @Test("keeps whoever sleeps on it on the loop")
  func stays() async throws {
    try await withLoop { loop in
      let stayed = try await onLoop(loop) {
        try await loop.clock.sleep(until: loop.now.advanced(by: .milliseconds(1)), tolerance: .seconds(1))
        try await loop.clock.sleep(for: .milliseconds(1))
        return loop.isCurrent
      }
      #expect(stayed)
    }
  }

  @Test("is never early on the system's clock (P48)")
  func neverEarly() async throws {
    try await withLoop { loop in
      for microseconds in [1, 700, 1300] {
        let taken = try await ContinuousClock().measure {
          try await loop.clock.sleep(for: .microseconds(microseconds))
        }
        #expect(taken >= .microseconds(microseconds))
      }
      #expect(loop.clock.minimumResolution == .milliseconds(1))
    }
  }

  @Test("ends a sleep with its task")
  func cancellation() async throws {
    try await withLoop(clock: ManualClock()) { loop in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await loop.clock.sleep(for: .seconds(1)) }
        try await eventually("somebody sleeps") { loop.census.deadlines == 1 }
        group.cancelAll()
        await #expect(throws: CancellationError.self) { try await group.next() }
      }
    }
  }
}
