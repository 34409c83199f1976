@testable import AsyncSockets

/// Waiters as a connection uses them, beside what they should be.
///
/// All share one continuation, which is never resumed here: who was taken out is told by who is left.
struct WaitersModel {
  enum Event: CaseIterable {
    case waitForTurn, waitForLowMark, waitForBytes
    /// Output goes up to the high mark.
    case fill
    /// The kernel takes everything.
    case drain
    /// The kernel takes a little, and the low mark is not reached.
    case drainALittle
    /// The one who was let in appends a message, and passes the turn on.
    case useTurn
    case cancelFirst, cancelLast
  }

  private struct Expected {
    let id: UInt32
    let goal: WriteWaiters.Goal
  }

  private static let marks = Watermarks.standard
  private static let little = 1000

  private let marker: WakeContinuation
  private var waiters = WriteWaiters()
  private var expected: [Expected] = []
  private var turnIsHeld = false
  private var accepted = UInt64(0)
  private var queued = 0
  private var lastID: UInt32 = 0

  init(marker: WakeContinuation) { self.marker = marker }

  private var written: UInt64 { accepted - UInt64(queued) }

  /// What is wrong after the event.
  mutating func step(_ event: Event) -> String? {
    switch event {
    case .waitForTurn: wait(for: .turn)
    case .waitForLowMark: wait(for: .lowMark)
    case .waitForBytes: wait(for: .written(accepted))
    case .fill: append(max(0, Self.marks.high - queued))
    case .drain: queued = 0
    case .drainALittle: queued -= min(queued, Self.little)
    case .useTurn: useTurn()
    case .cancelFirst: if let violation = cancel(expected.first) { return violation }
    case .cancelLast: if let violation = cancel(expected.last) { return violation }
    }
    return takeReady() ?? checkAll() ?? checkThatAllGetOut()
  }

  private mutating func append(_ count: Int) {
    queued += count
    accepted += UInt64(count)
  }

  private mutating func wait(for goal: WriteWaiters.Goal) {
    lastID += 1
    waiters.add(WriteWaiters.Waiter(id: lastID, goal: goal, continuation: marker))
    expected.append(Expected(id: lastID, goal: goal))
  }

  private mutating func useTurn() {
    guard turnIsHeld else { return }
    append(Self.little)
    waiters.turnUsed()
    turnIsHeld = false
  }

  private mutating func cancel(_ waiter: Expected?) -> String? {
    guard let waiter else { return nil }
    expected.removeAll { $0.id == waiter.id }
    if waiters.remove(waiter.id) == nil { return "\(waiter) could not be cancelled" }
    return waiters.remove(waiter.id) == nil ? nil : "\(waiter) was cancelled twice"
  }

  private mutating func takeReady() -> String? {
    let count = waiters.takeReady(count: queued, written: written, hasEnded: false, marks: Self.marks).count
    let waiting = expected
    expected = []
    for waiter in waiting where !isDue(waiter) { expected.append(waiter) }
    let due = waiting.count - expected.count
    return count == due ? nil : "\(count) went on instead of \(due)"
  }

  private mutating func isDue(_ waiter: Expected) -> Bool {
    switch waiter.goal {
    case .turn:
      guard queued <= Self.marks.low, !turnIsHeld else { return false }
      turnIsHeld = true
      return true
    case .lowMark: return queued <= Self.marks.low
    case .written(let position): return written >= position
    case .ended, .closed, .draining, .departure: return false
    }
  }

  /// Those who still wait are the right ones.
  private func checkAll() -> String? {
    var copy = waiters
    for waiter in expected where copy.remove(waiter.id) == nil { return "\(waiter) is gone" }
    if !copy.isEmpty { return "somebody waits whose goal is reached" }
    if waiters.isEmpty != expected.isEmpty { return "isEmpty is \(waiters.isEmpty)" }
    let mustQueue = turnIsHeld || expected.contains { $0.goal == .turn }
    return waiters.mustQueue == mustQueue ? nil : "mustQueue is \(waiters.mustQueue)"
  }

  /// When the kernel takes everything, and each of those who are let in passes the turn on, nobody is left.
  private func checkThatAllGetOut() -> String? {
    var copy = self
    for _ in 0...expected.count {
      copy.queued = 0
      if let violation = copy.takeReady() { return violation }
      copy.useTurn()
    }
    if !copy.waiters.isEmpty { return "somebody is never let in" }
    return copy.waiters.mustQueue ? "the turn is never given back" : nil
  }
}
