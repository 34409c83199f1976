import AsyncSockets

extension ConnectionPool {
  /// Where requests and connections meet: the pool's state, what belongs to it, and who waits for news.
  struct Desk {
    enum Answer {
      case lent(PoolState.Member, Opened)
      case refused(PoolError)
    }

    var state: PoolState
    var opened: [PoolState.Member: Opened] = [:]
    var lastFailure: (any Error)?
    /// For those who have been answered and have not looked yet.
    var answers: [PoolState.Waiter: Answer] = [:]
    var latches: [PoolState.Waiter: Latch] = [:]

    // The one who runs the pool.
    var isRunning = false
    var hasRun = false
    var work: [PoolState.Action] = []
    var runner: Latch?
    /// When the runner wakes by itself.
    var runnerDue: EventLoop.Instant?
    /// Nobody waits for the attempts and checks any more, and they have been cancelled.
    var attemptsAreCancelled = false

    /// The server has ended a connection: for one that has not served anybody yet, that is a failed attempt.
    mutating func noteLoss(of member: PoolState.Member, _ opened: Opened) {
      if let entry = state.members[member], !entry.isProven { lastFailure = opened.loss }
    }

    /// Does what the state says.
    ///
    /// - Returns: whom to wake, outside of the lock.
    mutating func settle() -> [Latch] {
      var woken: [Latch] = []
      for action in state.takeActions() {
        switch action {
        case .lend(let member, let waiter):
          guard let opened = opened[member] else { continue }
          answers[waiter] = .lent(member, opened)
          if let latch = latches.removeValue(forKey: waiter) { woken.append(latch) }
        case .refuse(let waiter):
          answers[waiter] = .refused(refusal)
          if let latch = latches.removeValue(forKey: waiter) { woken.append(latch) }
        case .connect, .check, .close: work.append(action)
        }
      }
      if let runner, !work.isEmpty || state.isFinished || mustCancelAttempts || isDueEarlier {
        woken.append(runner)
        self.runner = nil
      }
      return woken
    }

    var mustCancelAttempts: Bool { state.isOnlyTrying && !attemptsAreCancelled }

    private var isDueEarlier: Bool {
      guard let due = state.dueTime else { return false }
      return runnerDue.map { due < $0 } ?? true
    }

    private var refusal: PoolError {
      state.phase == .open ? .unavailable(lastFailure ?? PoolError.EndedUnused(peer: nil)) : .closed
    }
  }

  /// Changes the desk, and wakes whom that concerns.
  func update<Result>(_ body: (inout Desk) -> Result) -> Result {
    var woken: [Latch] = []
    defer { for latch in woken { latch.open() } }
    return desk.withLock { desk in
      defer { woken = desk.settle() }
      return body(&desk)
    }
  }

  /// The loop whose clock counts: the caller's, if it is on one.
  var loop: EventLoop { loops.loops.first { $0.isCurrent } ?? loops.loops[0] }
}
