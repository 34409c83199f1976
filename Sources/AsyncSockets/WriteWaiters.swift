/// Tasks that wait for output to drain, in the order in which they came.
///
/// Pure: it decides who goes on; the caller resumes them, outside its lock.
struct WriteWaiters {
  enum Goal: Equatable {
    /// To be let in: the buffer stood at its high mark, and those who came first go first.
    case turn
    /// To go on sending: the message is accepted, and the buffer shall fall to its low mark.
    case lowMark
    /// Everything up to this position shall be with the kernel.
    case written(UInt64)
  }

  struct Waiter {
    let id: UInt32
    let goal: Goal
    let continuation: WakeContinuation
  }

  private var waiters: [Waiter] = []
  private var waitingForTurn = 0
  /// Somebody was let in and has not appended yet.
  private var turnIsGranted = false

  var isEmpty: Bool { waiters.isEmpty }

  /// Whether a newcomer has to queue.
  var mustQueue: Bool { waitingForTurn > 0 || turnIsGranted }

  mutating func add(_ waiter: Waiter) {
    waiters.append(waiter)
    if waiter.goal == .turn { waitingForTurn += 1 }
  }

  mutating func remove(_ id: UInt32) -> WakeContinuation? {
    guard let index = waiters.firstIndex(where: { $0.id == id }) else { return nil }
    let waiter = waiters.remove(at: index)
    if waiter.goal == .turn { waitingForTurn -= 1 }
    return waiter.continuation
  }

  mutating func removeAll() -> [WakeContinuation] {
    defer { self = WriteWaiters() }
    return waiters.map { $0.continuation }
  }

  /// The one who was let in has appended, or given up.
  mutating func turnUsed() { turnIsGranted = false }

  /// Takes out those whose goal is reached now that `count` bytes are queued.
  ///
  /// One at a time is let in, and the next as long as there is room below the high mark.
  mutating func takeReady(count: Int, written: UInt64, marks: Watermarks) -> [WakeContinuation] {
    guard !waiters.isEmpty else { return [] }
    var ready: [WakeContinuation] = []
    waiters.removeAll { waiter in
      let isReady =
        switch waiter.goal {
        case .turn: !turnIsGranted && count <= marks.low
        case .lowMark: count <= marks.low
        case .written(let position): written >= position
        }
      guard isReady else { return false }
      if waiter.goal == .turn {
        turnIsGranted = true
        waitingForTurn -= 1
      }
      ready.append(waiter.continuation)
      return true
    }
    return ready
  }
}

/// How much output a connection holds before it makes its senders wait, in bytes.
public struct Watermarks: Hashable, Sendable {
  /// At this many queued bytes, a sender waits.
  public let high: Int
  /// At or below this many, senders go on.
  public let low: Int

  /// 64 KiB and 32 KiB.
  public static let standard = Watermarks(uncheckedHigh: 65_536, low: 32_768)

  /// - Throws: `SocketError.invalid` unless `0 < low <= high`.
  public init(high: Int, low: Int) throws(SocketError) {
    guard low > 0, high >= low else {
      throw .invalid("watermarks need 0 < low <= high, not low \(low) and high \(high)")
    }
    self.init(uncheckedHigh: high, low: low)
  }

  private init(uncheckedHigh high: Int, low: Int) {
    self.high = high
    self.low = low
  }
}
