/// Tasks that wait for output to drain, or for what becomes of the connection, in the order in which they came.
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
    /// Our stream shall have ended.
    case ended
    /// The connection shall be closed, by whoever does it.
    case closed
    /// The server shall drain.
    case draining
    /// The peer shall have gone, though nobody reads.
    case departure(PeerDeparture)

    /// Waits for what becomes of the connection, and not for the peer to take or send something.
    var isOnlooker: Bool {
      switch self {
      case .closed, .draining, .departure: true
      case .turn, .lowMark, .written, .ended: false
      }
    }

    /// By which sign; `nil` if this does not wait for the peer to go.
    var departure: PeerDeparture? { if case .departure(let departure) = self { departure } else { nil } }
  }

  struct Waiter {
    let id: UInt32
    let goal: Goal
    let continuation: WakeContinuation
    /// Waits in the task whose cancellation the connection watches by itself.
    var isOwner = false
  }

  private var waiters: [Waiter] = []
  // Small, since every connection has one.
  private var waitingForTurn: Int32 = 0
  /// Somebody was let in and has not given the turn back yet.
  private var turnIsGranted = false

  /// Whether nobody waits for the peer.
  var isEmpty: Bool { !waiters.contains { !$0.goal.isOnlooker } }

  /// Whether somebody waits for the peer to go.
  var watchesPeer: Bool { waiters.contains { $0.goal.departure != nil } }

  /// What they wait for, in the order in which they came.
  var goals: [Goal] { waiters.map(\.goal) }

  /// Whether a newcomer has to queue.
  var mustQueue: Bool { waitingForTurn > 0 || turnIsGranted }

  mutating func add(_ waiter: Waiter) {
    waiters.append(waiter)
    if waiter.goal == .turn { waitingForTurn += 1 }
  }

  func contains(_ id: UInt32) -> Bool { waiters.contains { $0.id == id } }

  mutating func remove(_ id: UInt32) -> WakeContinuation? {
    take { $0.id == id }.first
  }

  mutating func removeOwned() -> [WakeContinuation] { take(where: \.isOwner) }

  /// Nobody will be let in any more, nor see a drain or the peer go: the connection closes.
  mutating func removeTurns() -> [WakeContinuation] {
    if waiters.isEmpty { return [] }
    return take { $0.goal == .turn || $0.goal.isOnlooker && $0.goal != .closed }
  }

  /// But for those who wait for the end.
  mutating func removeAll() -> [WakeContinuation] {
    turnIsGranted = false
    return take { $0.goal != .closed }
  }

  mutating func removeOnlookers(where isTaken: (Waiter) -> Bool = { _ in true }) -> [WakeContinuation] {
    if waiters.isEmpty { return [] }
    return take { $0.goal.isOnlooker && isTaken($0) }
  }

  /// The one who was let in has appended, or given up.
  mutating func turnUsed() { turnIsGranted = false }

  /// Takes out those whose goal is reached now that `count` bytes are queued. One at a time is let in.
  mutating func takeReady(
    count: Int, written: UInt64, hasEnded: Bool, marks: Watermarks
  ) -> [WakeContinuation] {
    guard !isEmpty else { return [] }
    var granted = turnIsGranted
    defer { turnIsGranted = granted }
    return take { waiter in
      switch waiter.goal {
      case .turn:
        guard !granted, count <= marks.low else { return false }
        granted = true
        return true
      case .lowMark: return count <= marks.low
      case .written(let position): return written >= position
      case .ended: return hasEnded
      case .closed, .draining, .departure: return false
      }
    }
  }

  private mutating func take(where isTaken: (Waiter) -> Bool) -> [WakeContinuation] {
    var taken: [WakeContinuation] = []
    var left: [Waiter] = []
    for waiter in waiters {
      guard isTaken(waiter) else {
        left.append(waiter)
        continue
      }
      taken.append(waiter.continuation.taken)
      if waiter.goal == .turn { waitingForTurn -= 1 }
    }
    waiters = left
    return taken
  }
}
