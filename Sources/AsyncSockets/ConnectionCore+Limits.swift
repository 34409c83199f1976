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
    state.withLock { state in
      guard state.phase == .open else { return }
      state.idleTimer = core.schedule(self, token: DeadlineToken.idle, due: core.now.advanced(by: limit))
    }
  }

  private func checkIdleness() {
    guard let limit = options.idleLimit else { return }
    let now = core.now
    let isReached = state.withLock { state -> Bool in
      state.idleTimer = nil
      guard state.phase == .open, state.failure == nil else { return false }
      let isWaitingForPeer = state.reader != nil || !state.writers.isEmpty
      let due = isWaitingForPeer ? state.idleness.due(limit) : now.advanced(by: limit)
      if due <= now { return true }
      state.idleTimer = core.schedule(self, token: DeadlineToken.idle, due: due)
      return false
    }
    if isReached { end(with: .limit(.idle), reason: .limit(.idle)) }
  }

  /// Called with the lock held, when output had to stay behind.
  func armStallWatch(_ state: inout ConnectionState) {
    guard let limit = options.writeStallLimit, state.stallTimer == nil else { return }
    state.stallTimer = core.schedule(
      self, token: DeadlineToken.writeStall, due: state.lastWrite.advanced(by: limit))
  }

  private func checkStall() {
    guard let limit = options.writeStallLimit else { return }
    let isReached = state.withLock { state -> Bool in
      state.stallTimer = nil
      guard state.phase != .closed, state.wantsToWrite else { return false }
      if state.lastWrite.advanced(by: limit) <= core.now { return true }
      armStallWatch(&state)
      return false
    }
    if isReached { end(with: .limit(.writeStall), reason: .limit(.writeStall)) }
  }
}
