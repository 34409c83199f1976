import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A latch", .timeLimit(.minutes(4)))
struct LatchTests {
  @Test("lets everybody through when it opens, and whoever comes later")
  func opens() async throws {
    try await withLoop { loop in
      let latch = Latch()
      let outcomes = await withTaskGroup(of: Latch.Outcome.self) { group in
        for _ in 0..<100 { group.addTask { await latch.wait(on: loop) } }
        latch.open()
        latch.open()
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes == Array(repeating: .opened, count: 100))
      #expect(latch.isOpen)
      #expect(await latch.wait(on: loop) == .opened)
      #expect(await latch.wait(until: EventLoop.Instant(nanoseconds: .min), on: loop) == .opened)
    }
  }

  @Test("gives up at the deadline of each, in order")
  func timesOut() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let latch = Latch()
      let ended = Recorder<Int>()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for seconds in [3, 1, 2] {
          group.addTask {
            let deadline = EventLoop.Instant(nanoseconds: Int64(seconds) * 1_000_000_000)
            #expect(await latch.wait(until: deadline, on: loop) == .timedOut)
            ended.append(seconds)
          }
        }
        try await eventually("three wait") { loop.census.deadlines == 3 }
        for count in 1...3 {
          clock.advance(by: .seconds(1))
          try await eventually("\(count) have given up") { ended.count == count }
        }
        try await group.waitForAll()
      }
      #expect(ended.all == [1, 2, 3])
      #expect(!latch.isOpen)
    }
  }

  @Test("lets a cancelled task go alone")
  func cancellation() async throws {
    try await withLoop { loop in
      let latch = Latch()
      async let other = latch.wait(on: loop)
      let cancelled = Task { await latch.wait(on: loop) }
      cancelled.cancel()
      #expect(await cancelled.value == .cancelled)
      latch.open()
      #expect(await other == .opened)
    }
  }

  @Test("keeps a cancelled task that asked for it")
  func uncancellable() async throws {
    try await withLoop { loop in
      let latch = Latch()
      let ended = Count()
      let task = Task {
        defer { ended.increase() }
        return await latch.wait(on: loop, isCancellable: false)
      }
      task.cancel()
      await letSettle(loop)
      #expect(ended.value == 0)
      latch.open()
      #expect(await task.value == .opened)
    }
  }
}
