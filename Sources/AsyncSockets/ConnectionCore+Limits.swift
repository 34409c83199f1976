/// What a connection's deadline is about, in the 64 bits that the loop keeps for it.
enum DeadlineToken {
  static let connection: UInt64 = 0
  static func writer(_ id: UInt32) -> UInt64 { 1 << 32 | UInt64(id) }
}

// The reader's deadline and the limits of a connection share one deadline of the loop. It is never put off: when it
// comes, it looks at what is due by then and is set for the next. So a message costs a comparison and a time stamp.

extension ConnectionCore: DeadlineTarget {
  func deadlineReached(_ token: UInt64) {
    if token == DeadlineToken.connection {
      lookAtDeadlines()
    } else {
      wakeWriter(UInt32(truncatingIfNeeded: token), .timedOut)
    }
  }

  /// Has the loop look at the deadlines no later than `due`; with the lock held. `false` when the loop has stopped.
  @inline(__always) @discardableResult
  func arm(_ due: EventLoop.Instant, _ state: inout ConnectionState) -> Bool {
    state.timer.due <= due || setTimer(due, &state)
  }

  @inline(never)
  private func setTimer(_ due: EventLoop.Instant, _ state: inout ConnectionState) -> Bool {
    if state.timer.isSet { core.cancelDeadline(state.timer.id) }
    let id = core.schedule(self, token: DeadlineToken.connection, due: due)
    state.timer = id.map { ConnectionState.Timer(id: $0, due: due) } ?? .none
    return id != nil
  }

  private func lookAtDeadlines() {
    let now = core.now
    let (reader, limit) = state.withLock { state -> (WakeContinuation?, SocketError.Limit?) in
      // Else it is one that was taken back just before it came, or the loop stops.
      guard state.timer.isSet, state.timer.due <= now else { return (nil, nil) }
      state.timer = .none
      let deadline = state.reader?.deadline ?? .never
      let (idle, stall) = (idleDue(&state), stallDue(state))
      // What was due first has happened first.
      if min(idle, stall) <= min(deadline, now) { return (nil, idle <= stall ? .idle : .writeStall) }
      let reader = deadline <= now ? state.takeReader() : nil
      arm(reader == nil ? min(deadline, idle, stall) : min(idleDue(&state), stall), &state)
      return (reader, nil)
    }
    reader?.resume(.timedOut)
    if let limit { end(with: .limit(limit), reason: .limit(limit)) }
  }

  /// Somebody begins to wait for the peer; with the lock held.
  @inline(__always)
  func beginWait(_ state: inout ConnectionState) {
    state.idleness.waitBegan(core.now)
    if !state.idlenessIsWatched { watchIdleness(&state) }
  }

  @inline(never)
  private func watchIdleness(_ state: inout ConnectionState) {
    state.idlenessIsWatched = true
    if let limit = options.idleLimit, state.phase == .open { arm(state.idleness.due(limit), &state) }
  }

  /// While nobody waits for the peer, nothing is due before somebody does.
  private func idleDue(_ state: inout ConnectionState) -> EventLoop.Instant {
    guard let limit = options.idleLimit, state.phase == .open, state.failure == nil else { return .never }
    state.idlenessIsWatched = state.reader != nil || !state.writers.isEmpty
    return state.idlenessIsWatched ? state.idleness.due(limit) : .never
  }

  private func stallDue(_ state: borrowing ConnectionState) -> EventLoop.Instant {
    guard let limit = options.writeStallLimit, state.phase != .closed, state.wantsToWrite else {
      return .never
    }
    return state.lastWrite.advanced(by: limit)
  }

  /// Called with the lock held, when output had to stay behind.
  func armStallWatch(_ state: inout ConnectionState) { arm(stallDue(state), &state) }
}
