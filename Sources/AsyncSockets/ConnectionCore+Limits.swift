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
      state.passPeriod(now)
      let first = state.firstLimit
      // What was due first has happened first.
      if first.due <= min(deadline, now) { return (nil, first.limit) }
      let reader = deadline <= now ? state.takeReader() : nil
      // What counts for a reader alone may be overdue, and is looked at when one comes.
      state.waitIsWatched = state.waitsForInput
      arm(reader == nil ? min(deadline, first.due) : state.firstLimit.due, &state)
      return (reader, nil)
    }
    reader?.resume(.timedOut)
    if let limit { end(with: .limit(limit), reason: .limit(limit)) }
  }

  /// Somebody begins to wait for the peer; with the lock held.
  @inline(__always)
  func beginWait(_ state: inout ConnectionState) {
    state.idleness.waitBegan(core.now)
    if !state.waitIsWatched { watchLimits(&state) }
  }

  /// Called with the lock held, when the limits of waits may be due earlier than the loop knows.
  @inline(never)
  func watchLimits(_ state: inout ConnectionState) {
    state.waitIsWatched = true
    // Whose reader waits, and so changes nothing of this.
    if state.waitsForInput { noteMessage(&state) }
    arm(state.dueInWaits, &state)
  }

  /// The reader is about to wait, in the middle of a message or not; with the lock held.
  @inline(__always)
  func noteReading(_ state: inout ConnectionState) {
    if reading.contents.message != .none || state.message != nil { noteMessage(&state) }
  }

  @inline(never)
  private func noteMessage(_ state: inout ConnectionState) {
    switch reading.contents.message {
    case .none: state.message = nil
    case .begun where state.settings.options.limits.watchesMessages:
      reading.contents.message = .timed
      let pace = MessagePace(now: core.now, bytesRead: state.bytesRead)
      state.message = .underWay(pace)
      arm(pace.next(state.settings.options.limits).due, &state)
    case .begun, .timed: break
    }
  }

  /// Called with the lock held, when output had to stay behind.
  func armStallWatch(_ state: inout ConnectionState) { arm(state.stallDue, &state) }
}

extension ConnectionLimits {
  fileprivate var watchesMessages: Bool { message != nil || minimumRate != nil }
}

// MARK: - What is due when

extension ConnectionState {
  private var limits: ConnectionLimits { settings.options.limits }

  /// Somebody waits for input: then its limits count.
  fileprivate var waitsForInput: Bool { phase == .open && reader != nil }

  /// Somebody waits for the peer, one way or the other: then it may be idle.
  fileprivate var waitsForPeer: Bool { waitsForInput || phase == .open && !writers.isEmpty }

  fileprivate mutating func passPeriod(_ now: EventLoop.Instant) {
    let (bytesRead, limits) = (bytesRead, limits)
    message?.pace.pass(now, bytesRead: bytesRead, limits)
  }

  /// The limit that is reached first if nothing changes. While nobody waits for the peer, those of waits are due never.
  fileprivate var firstLimit: (due: EventLoop.Instant, limit: SocketError.Limit) {
    let limits = limits
    var first = (due: stallDue, limit: SocketError.Limit.writeStall)
    func consider(_ due: EventLoop.Instant, _ limit: SocketError.Limit) {
      if due < first.due { first = (due, limit) }
    }
    guard phase == .open, failure == nil else { return first }
    if let idle = limits.idle, waitsForPeer, idleness.due(idle) <= first.due {
      first = (idleness.due(idle), .idle)
    }
    guard waitsForInput else { return first }
    if bytesRead == 0, let limit = limits.firstByte { consider(birth.advanced(by: limit), .firstByte) }
    if let next = message?.pace.next(limits) { consider(next.due, next.limit) }
    return first
  }

  /// When the first of the limits is due that count for who waits.
  fileprivate var dueInWaits: EventLoop.Instant {
    let limits = limits
    guard phase == .open, failure == nil else { return .never }
    var first = limits.idle.map(idleness.due) ?? .never
    if bytesRead == 0, let limit = limits.firstByte { first = min(first, birth.advanced(by: limit)) }
    if let message { first = min(first, message.pace.next(limits).due) }
    return first
  }

  fileprivate var stallDue: EventLoop.Instant {
    guard let limit = limits.writeStall, phase != .closed, wantsToWrite else { return .never }
    return lastWrite.advanced(by: limit)
  }
}
