import Glibc
import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("Deadlines of an event loop", .timeLimit(.minutes(4)))
struct DeadlineTests {
  private final class Probe: DeadlineTarget {
    let fired = Recorder<(token: UInt64, now: EventLoop.Instant)>()
    private let core: EventLoopCore

    init(_ loop: EventLoop) { core = loop.core }

    func deadlineReached(_ token: UInt64) { fired.append((token, core.now)) }
  }

  private static func at(_ milliseconds: Int) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: Int64(milliseconds) * 1_000_000)
  }

  @Test("come in their order, none before its time, whoever sets them (P48)", arguments: [true, false])
  func order(isSetOnLoop: Bool) async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let probe = Probe(loop)
      var numbers = SeededGenerator(seed: 48)
      let dues = (0..<300).map { _ in Int.random(in: 1...1000, using: &numbers) }
      let set = { @Sendable in
        for (token, due) in dues.enumerated() {
          _ = loop.core.schedule(probe, token: UInt64(token), due: Self.at(due))
        }
      }
      if isSetOnLoop { try await onLoop(loop) { set() } } else { set() }
      // Those of the same time in the order in which they were set.
      let expected = dues.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
      var now = 0
      while now < 1000 {
        let step = Int.random(in: 1...90, using: &numbers)
        now += step
        clock.advance(by: .milliseconds(step))
        let due = expected.prefix { $0.element <= now }.count
        try await eventually("\(due) have come at \(now) ms") { probe.fired.count >= due }
        #expect(probe.fired.count == due)
      }
      let fired = probe.fired.all
      #expect(fired.map(\.token) == expected.map { UInt64($0.offset) })
      #expect(fired.allSatisfy { $0.now >= Self.at(dues[Int($0.token)]) })
    }
  }

  @Test("do not come once they are taken out")
  func takenOut() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let probe = Probe(loop)
      let ids = (0..<100).map { loop.core.schedule(probe, token: $0, due: Self.at(5)) }
      for id in ids.enumerated().filter({ $0.offset % 2 == 0 }).compactMap(\.element) {
        loop.core.cancelDeadline(id)
        loop.core.cancelDeadline(id)
      }
      clock.advance(by: .milliseconds(5))
      try await eventually("the others have come") { probe.fired.count >= 50 }
      #expect(probe.fired.all.map(\.token) == (0..<100).filter { $0 % 2 == 1 })
    }
  }

  @Test("leave nothing when they are set and taken back 100,000 times (P48)", arguments: [true, false])
  func setAndTakenBack(isOnLoop: Bool) async throws {
    try await withLoop(clock: ManualClock()) { loop in
      let probe = Probe(loop)
      let set = { @Sendable in
        var numbers = SeededGenerator(seed: 48)
        var ids: [DeadlineID] = []
        for token in 0..<100_000 as Range<UInt64> {
          let due = Self.at(Int.random(in: 1...100, using: &numbers))
          if let id = loop.core.schedule(probe, token: token, due: due) { ids.append(id) }
          // A thousand of them live at any time.
          if ids.count == 1000 {
            loop.core.cancelDeadline(ids.remove(at: Int.random(in: 0..<1000, using: &numbers)))
          }
        }
        for id in ids { loop.core.cancelDeadline(id) }
      }
      if isOnLoop { try await onLoop(loop) { set() } } else { set() }
      #expect(loop.census.deadlines == 0)
      #expect(probe.fired.count == 0)
    }
  }

  @Test("come once each when the process goes on after a stop (P50)")
  func stopped() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let loop = try EventLoop()
        let probe = Probe(loop)
        let ticks = Recorder<EventLoop.Instant>()
        let start = MonotonicClock.shared.now
        let script = "kill -STOP \(getpid()); sleep 0.3; kill -CONT \(getpid())"
        let child = try ChildProcess("/bin/sh", ["-c", script])
        for token in 0..<100 as Range<UInt64> {
          _ = loop.core.schedule(
            probe, token: token, due: start.advanced(by: .milliseconds(20 + 2 * Int(token))))
        }
        // One that repeats: it does not make up for what it missed.
        while start.duration(to: MonotonicClock.shared.now) < .milliseconds(400) {
          try await loop.sleep(for: .milliseconds(10))
          ticks.append(MonotonicClock.shared.now)
        }
        try await eventually("all have come") { probe.fired.count >= 100 }
        try await loop.sleep(for: .milliseconds(10))
        #expect(probe.fired.all.map(\.token) == Array(0..<100))
        #expect(zip(ticks.all, ticks.all.dropFirst()).allSatisfy { $0.duration(to: $1) >= .milliseconds(10) })
        try await child.waitForExit()
        await loop.shutdown()
      }
    }
  }

  @Test("that are earlier than the one for which the loop sleeps wake it")
  func earlier() async throws {
    try await withLoop { loop in
      let probe = Probe(loop)
      let late = loop.core.schedule(probe, token: 1, due: loop.now.advanced(by: .seconds(3600)))
      await letSettle(loop)
      _ = loop.core.schedule(probe, token: 2, due: loop.now.advanced(by: .milliseconds(1)))
      try await eventually("the earlier one has come") { probe.fired.count == 1 }
      #expect(probe.fired.all.map(\.token) == [2])
      late.map(loop.core.cancelDeadline)
    }
  }

  @Test("are never early on the system's clock (P48)")
  func systemClock() async throws {
    try await withLoop { loop in
      for microseconds in stride(from: 1, to: 3000, by: 217) {
        let due = MonotonicClock.shared.now.advanced(by: .microseconds(microseconds))
        try await loop.sleep(until: due)
        #expect(MonotonicClock.shared.now >= due)
        let early = try await onLoop(loop) {
          let due = MonotonicClock.shared.now.advanced(by: .microseconds(microseconds))
          try await loop.sleep(until: due)
          return MonotonicClock.shared.now < due
        }
        #expect(!early)
      }
    }
  }

  @Test("can be set for the end of time and for its beginning (P46)")
  func extremes() async {
    await #expect(processExitsWith: .success) {
      #expect(MonotonicClock.shared.nanoseconds(until: EventLoop.Instant(nanoseconds: .min)) == 0)
    }
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let clock = YoungClock()
        let loop = try EventLoop(clock: clock)
        let sleeper = Task { try await loop.sleep(until: EventLoop.Instant(nanoseconds: .max)) }
        try await eventually("somebody sleeps") { loop.census.deadlines == 1 }
        await letSettle(loop)
        await loop.shutdown()
        await #expect(throws: SocketError.loopStopped) { try await sleeper.value }
      }
    }
  }

  @Test("see the time at which the turn began")
  func timeOfTurn() async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let (before, after) = try await onLoop(loop) {
        let before = loop.now
        clock.advance(by: .seconds(1))
        return (before, loop.now)
      }
      #expect(before == after)
      #expect(loop.now == Self.at(1000))
      #expect(try await onLoop(loop) { loop.now } == Self.at(1000))
    }
  }
}

/// A clock that has only just begun to count.
private final class YoungClock: LoopClock {
  private let start = MonotonicClock.shared.now

  var now: EventLoop.Instant { EventLoop.Instant(nanoseconds: 0) }
  func nanoseconds(until due: EventLoop.Instant) -> Int64? { due.nanoseconds }
  func attach(_ wake: @escaping @Sendable () -> Void) {}
}
