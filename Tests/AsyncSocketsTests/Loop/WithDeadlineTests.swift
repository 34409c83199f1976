import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("withDeadline", .timeLimit(.minutes(4)))
struct WithDeadlineTests {
  private struct Trouble: Error {}

  /// Runs `body` on a loop of its own, whose time moves by hand, or off it.
  private func withTime(
    isOnLoop: Bool, _ body: @escaping @Sendable (EventLoop, ManualClock) async throws -> Void
  ) async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      if isOnLoop {
        try await onLoop(loop) { try await body(loop, clock) }
      } else {
        try await body(loop, clock)
      }
    }
  }

  /// Moves the time as soon as so many deadlines are set.
  private func pass(_ duration: Duration, on loop: EventLoop, _ clock: ManualClock, deadlines: Int)
    async throws
  {
    try await eventually("\(deadlines) deadlines are set") { loop.census.deadlines == deadlines }
    clock.advance(by: duration)
  }

  @Test("gives what the body returns, and leaves no deadline", arguments: [true, false])
  func result(isOnLoop: Bool) async throws {
    try await withTime(isOnLoop: isOnLoop) { loop, _ in
      let value = try await withDeadline(.after(.seconds(1)), on: loop) {
        #expect(loop.census.deadlines == 1)
        #expect(loop.isCurrent == isOnLoop)
        return 42
      }
      #expect(value == 42)
      #expect(loop.isCurrent == isOnLoop)
      #expect(loop.census.deadlines == 0)
      await #expect(throws: Trouble.self) {
        try await withDeadline(.after(.seconds(1)), on: loop) { throw Trouble() }
      }
      #expect(loop.census.deadlines == 0)
    }
  }

  @Test(
    "cancels the body at the deadline, not before, and says which operation timed out",
    arguments: [true, false])
  func timesOut(isOnLoop: Bool) async throws {
    try await withTime(isOnLoop: isOnLoop) { loop, clock in
      let log = Recorder<String>()
      async let error = socketError {
        try await withDeadline(.after(.seconds(10)), on: loop, operation: "login") {
          do { try await loop.sleep(for: .seconds(100)) } catch {
            log.append("\(error is CancellationError) at \(loop.now.nanoseconds)")
            throw error
          }
        }
      }
      try await pass(.seconds(10) - .nanoseconds(1), on: loop, clock, deadlines: 2)
      await letSettle(loop)
      #expect(log.count == 0)
      clock.advance(by: .nanoseconds(1))
      #expect(await error == .timedOut(operation: "login"))
      #expect(log.all == ["true at 10000000000"])
      #expect(loop.census.deadlines == 0)
    }
  }

  @Test("times out whatever a body makes of its cancellation", arguments: [true, false])
  func stubborn(isOnLoop: Bool) async throws {
    try await withTime(isOnLoop: isOnLoop) { loop, clock in
      async let value = socketError {
        try await withDeadline(.after(.seconds(1)), on: loop) { try? await loop.sleep(for: .seconds(100)) }
      }
      try await pass(.seconds(1), on: loop, clock, deadlines: 2)
      #expect(await value == .timedOut(operation: "withDeadline"))
      async let failure = socketError {
        try await withDeadline(.after(.seconds(1)), on: loop) {
          do { try await loop.sleep(for: .seconds(100)) } catch { throw Trouble() }
        }
      }
      try await pass(.seconds(1), on: loop, clock, deadlines: 2)
      #expect(await failure == .timedOut(operation: "withDeadline"))
    }
  }

  @Test(
    "does not call the body for a deadline in the past (P46), nor in a cancelled task (P40)",
    arguments: [true, false])
  func neverBegun(isOnLoop: Bool) async throws {
    try await withTime(isOnLoop: isOnLoop) { loop, _ in
      let past: [Deadline] = [
        .after(.zero), .after(.seconds(-1)), .at(loop.now), .at(EventLoop.Instant(nanoseconds: .min)),
      ]
      for deadline in past {
        #expect(
          await socketError { try await withDeadline(deadline, on: loop) { _ = Issue.record("called") } }?
            .isTimedOut == true)
      }
      for deadline in [Deadline.never, .after(.seconds(1))] {
        await withThrowingTaskGroup(of: Void.self) { group in
          group.cancelAll()
          group.addTask { try await withDeadline(deadline, on: loop) { _ = Issue.record("called") } }
          await #expect(throws: CancellationError.self) { try await group.next() }
        }
      }
    }
  }

  @Test("takes any deadline to the end of time, and none at all (P46)")
  func extremes() async throws {
    try await withTime(isOnLoop: true) { loop, _ in
      for deadline in [
        Deadline.never, .after(.seconds(Int64.max)), .at(EventLoop.Instant(nanoseconds: .max)),
      ] {
        let isOnLoop = try await withDeadline(deadline, on: loop) { loop.isCurrent }
        #expect(isOnLoop)
      }
    }
  }

  @Test("ends the body with its caller, who is told of the cancellation", arguments: [true, false])
  func cancelledCaller(isOnLoop: Bool) async throws {
    try await withTime(isOnLoop: isOnLoop) { loop, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await withDeadline(.after(.seconds(1)), on: loop) { try await loop.sleep(for: .seconds(100)) }
        }
        try await eventually("it sleeps") { loop.census.deadlines == 2 }
        group.cancelAll()
        await #expect(throws: CancellationError.self) { try await group.next() }
      }
      #expect(loop.census.deadlines == 0)
    }
  }

  @Test(
    "of two nested ones the earlier counts; the inner one when time jumps over both",
    arguments: [true, false])
  func nested(isOnLoop: Bool) async throws {
    try await withTime(isOnLoop: isOnLoop) { loop, clock in
      for (outer, inner, jump, first) in [(10, 5, 5, "inner"), (5, 10, 5, "outer"), (10, 5, 20, "inner")] {
        async let error = socketError {
          try await withDeadline(.after(.seconds(outer)), on: loop, operation: "outer") {
            try await withDeadline(.after(.seconds(inner)), on: loop, operation: "inner") {
              try await loop.sleep(for: .seconds(100))
            }
          }
        }
        try await pass(.seconds(jump), on: loop, clock, deadlines: 3)
        #expect(await error == .timedOut(operation: first), "\(outer) \(inner) \(jump)")
        #expect(loop.census.deadlines == 0)
      }
    }
  }

  @Test("lets the body use what its caller has, sendable or not")
  func captures() async throws {
    final class Notes { var lines: [String] = [] }
    try await withLoop { loop in
      let notes = Notes()
      var count = 0
      let result = try await withDeadline(.after(.seconds(60)), on: loop) {
        count += 1
        notes.lines.append("in")
        return notes
      }
      #expect(result === notes)
      #expect(count == 1)
      #expect(notes.lines == ["in"])
    }
  }

  @Test("runs the body in the isolation of its caller")
  @MainActor
  func isolation() async throws {
    try await withLoop { loop in
      var count = 0
      try await withDeadline(.after(.seconds(60)), on: loop) {
        MainActor.assertIsolated()
        count += 1
        await loop.nextTurn()
        MainActor.assertIsolated()
      }
      MainActor.assertIsolated()
      #expect(count == 1)
    }
  }

  @Test("fails when its loop stops (P45)", arguments: [true, false])
  func stop(isOnLoop: Bool) async throws {
    let loop = try EventLoop(clock: ManualClock())
    let body = { @Sendable in
      try await withDeadline(.after(.seconds(1)), on: loop) { try await loop.sleep(for: .seconds(100)) }
    }
    let task = Task { try await isOnLoop ? onLoop(loop, body) : body() }
    try await eventually("it sleeps") { loop.census.deadlines == 2 }
    await loop.shutdown()
    await #expect(throws: SocketError.loopStopped) { try await task.value }
  }

  @Test("finds the loop that its caller runs on, or one of its environment")
  func itsLoop() async throws {
    try await withAuditedLoops(count: 3, clock: ManualClock()) { group in
      for loop in group.loops {
        try await onLoop(loop) {
          try await withDeadline(.after(.seconds(1))) { #expect(loop.census.deadlines == 1) }
        }
      }
      try await withDeadline(.after(.seconds(1))) {
        #expect(group.loops.map(\.census.deadlines).reduce(0, +) == 1)
      }
    }
  }

  @Test("a read inside that is cancelled by it consumes nothing (P41)", arguments: Route.allCases)
  func reading(_ route: Route) async throws {
    try await withLink(route) { link in
      async let error = socketError {
        try await withDeadline(.after(.seconds(5)), on: link.loop, operation: "greeting") {
          try await link.connection.read(exactly: 10)
        }
      }
      try await untilReading(link.connection)
      try link.peer.send("half")
      try await eventually("half is there") {
        hasReader(link.connection) && link.connection.counters.bytesRead == 4
      }
      link.clock.advance(by: .seconds(5))
      #expect(await error == .timedOut(operation: "greeting"))
      #expect(try await link.connection.read() == bytes("half"))
    }
  }

  @Test("a deadline and the body's end at once give one outcome, and leave nothing (P39)")
  func race() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      var outcomes = [0, 0]
      for _ in 0..<rounds(100, slow: 20_000) {
        let task = Task {
          try await withDeadline(.after(.milliseconds(1)), on: loop) {
            try await loop.sleep(for: .milliseconds(1))
          }
        }
        try await eventually("both are set") { loop.census.deadlines == 2 }
        clock.advance(by: .milliseconds(1))
        switch await task.result {
        case .success: outcomes[0] += 1
        case .failure(let error):
          #expect(error as? SocketError == .timedOut(operation: "withDeadline"))
          outcomes[1] += 1
        }
        #expect(loop.census.deadlines == 0)
      }
      #expect(outcomes[0] + outcomes[1] == rounds(100, slow: 20_000))
    }
  }
}
