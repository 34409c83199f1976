/// What a connection's deadline is about, in the 64 bits that the loop keeps for it.
enum DeadlineToken {
  static let idle: UInt64 = 1 << 32
  static let writeStall: UInt64 = 2 << 32
  private static let readerKind: UInt64 = 3 << 32
  private static let writerKind: UInt64 = 4 << 32

  static func reader(_ id: UInt32) -> UInt64 { readerKind | UInt64(id) }
  static func writer(_ id: UInt32) -> UInt64 { writerKind | UInt64(id) }

  static func isReader(_ token: UInt64) -> Bool { token >> 32 == 3 }
}

// A limit costs a time stamp per read or write, and one deadline that looks at the stamp when it comes.

extension ConnectionCore: DeadlineTarget {
  func deadlineReached(_ token: UInt64) {
    switch token {
    case DeadlineToken.idle: checkIdleness()
    case DeadlineToken.writeStall: checkStall()
    case _ where DeadlineToken.isReader(token): wakeReader(UInt32(truncatingIfNeeded: token), .timedOut)
    default: wakeWriter(UInt32(truncatingIfNeeded: token), .timedOut)
    }
  }

  func watchIdleness() {
    guard let limit = options.idleLimit else { return }
    _ = core.schedule(self, token: DeadlineToken.idle, due: core.now.advanced(by: limit))
  }

  private func checkIdleness() {
    guard let limit = options.idleLimit else { return }
    let now = core.now
    let next = state.withLock { state -> EventLoop.Instant? in
      guard state.phase == .open, state.failure == nil else { return nil }
      let isWaitingForPeer = state.reader != nil || !state.writers.isEmpty
      return isWaitingForPeer ? state.lastActivity.advanced(by: limit) : now.advanced(by: limit)
    }
    guard let next else { return }
    if next <= now {
      end(with: .limit(.idle), reason: .limit(.idle))
    } else {
      _ = core.schedule(self, token: DeadlineToken.idle, due: next)
    }
  }

  /// Called with the lock held, when output had to stay behind.
  func armStallWatch(_ state: inout ConnectionState) {
    guard let limit = options.writeStallLimit, !state.stallWatchIsArmed else { return }
    let now = core.now
    state.lastWrite = now
    state.stallWatchIsArmed =
      core.schedule(self, token: DeadlineToken.writeStall, due: now.advanced(by: limit)) != nil
  }

  private func checkStall() {
    guard let limit = options.writeStallLimit else { return }
    let now = core.now
    let next = state.withLock { state -> EventLoop.Instant? in
      state.stallWatchIsArmed = false
      guard state.phase != .closed, !state.output.isEmpty else { return nil }
      let due = state.lastWrite.advanced(by: limit)
      if due > now { state.stallWatchIsArmed = true }
      return due
    }
    guard let next else { return }
    if next <= now {
      end(with: .limit(.writeStall), reason: .limit(.writeStall))
    } else {
      _ = core.schedule(self, token: DeadlineToken.writeStall, due: next)
    }
  }
}
