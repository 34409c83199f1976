extension ConnectionDriver {
  /// How long a connection whose handler has failed may still flush.
  static let flushLimit = Duration.seconds(1)

  /// Closes: in good order, or after an error.
  func close(after error: (any Error)?, reason: CloseReason? = nil) {
    leaveBroadcasts()
    let reason = error.flatMap { core.hasEnded(by: $0) ? nil : CloseReason(leavingScopeBy: $0) } ?? reason
    let isLimited = error != nil || isHurried
    let deadline = isLimited ? core.core.now.advanced(by: Self.flushLimit) : .never
    switch core.beginClosing(reason: reason) {
    case .none: finish()
    case .others: waitForEnd()
    case .ours:
      due = deadline
      arm()
      flush(0, until: deadline)
    }
  }

  func flush(_ writer: UInt32, until deadline: EventLoop.Instant) {
    let isWaiting = core.state.withLock { state in
      state.outgoing != .ended && state.failure == nil && state.phase == .closing
    }
    if isWaiting, core.core.now < deadline {
      waiting = .flush(writer: waitToWrite(.ended, instead: writer), until: deadline)
      return
    }
    due = .never
    guard core.noteFlushed() else { return finish(inGoodOrder: false) }
    var lingering = core.beginLingering()
    linger(&lingering)
  }

  func linger(_ lingering: inout ConnectionCore.Lingering) {
    guard !isCancelled, core.discardArrived(&lingering), !isHurried else { return finish(inGoodOrder: true) }
    waiting = .peersEnd(lingering)
    core.addLinger(WakeContinuation(self), until: lingering.deadline, isCancelled: false)
  }

  func finish(inGoodOrder: Bool) {
    core.finishClosing(inGoodOrder: inGoodOrder)
    finish()
  }

  func finish() {
    waiting = .nothing
    if watched >= 0 { core.core.setDriver(nil, of: core, descriptor: watched) }
    leaveBroadcasts()
    if timer.isSet { core.core.cancelDeadline(timer.id) }
    timer = .none
    core.reading.release()
    // It cannot throw: nobody is left to be told.
    try? reactions.react(self, .over)
    reactions.ended(self)
    // Not before whoever called has returned.
    core.core.performLater(.drive(self, .changed))
    unsafe Unmanaged.passUnretained(self).release()
  }
}

extension ConnectionDriver {
  private func leaveBroadcasts() {
    let left = memberships
    memberships = []
    for membership in left { membership.leave() }
  }
}

// MARK: - Waiting for the end

extension ConnectionDriver {
  func waitForEnd() {
    waiting = .end
    if peerHasGone { return wake(.changed) }
    let sign = sign
    let isWaiting = core.state.withLock { state in
      // It does not wait for input, of which limits count.
      if state.phase == .open { state.reader = nil }
      guard state.phase != .closed else { return false }
      let id = ConnectionCore.DriverMark.onlooker
      if state.writers.contains(id) { return true }
      let goal = state.phase == .open ? sign.map(WriteWaiters.Goal.departure) : nil
      state.writers.add(
        WriteWaiters.Waiter(id: id, goal: goal ?? .closed, continuation: WakeContinuation(self)))
      return true
    }
    if !isWaiting { wake(.changed) }
  }

  /// An end of the stream that it has been told of is no departure.
  private var sign: PeerDeparture? { departure.map { inputHasEnded ? .reset : $0 } }

  var peerHasGone: Bool { sign.map { core.noteWhetherPeerHasGone(by: $0) } ?? false }
}
