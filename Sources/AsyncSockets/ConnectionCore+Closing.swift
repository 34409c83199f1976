import Synchronization

extension ConnectionCore {
  /// How long and how much a closing connection reads and discards, so that unread input does not turn the
  /// close into a reset that eats the reply.
  private static let lingerTime = Duration.seconds(1)
  private static let lingerBytes = 256 << 10
  /// The one wait that is none of a reader's; readers count from 1.
  private static let lingerWait: UInt32 = 0

  /// Flushes, ends our stream, waits a little for the peer to end its own, and closes. Cancellation cuts nothing short
  /// but that wait.
  ///
  /// - Parameters:
  ///   - flushLimit: how long the flush may take in all; `nil` for as long as it makes progress.
  ///   - reason: why, unless something ended the connection before.
  ///   - isCancellable: whether the wait for the peer ends when the task is cancelled.
  func close(flushLimit: Duration?, reason: CloseReason?, isCancellable: Bool) async {
    enum Turn { case ours, others, none }
    let (turn, waiters) = state.withLock { state -> (Turn, [WakeContinuation]) in
      switch state.phase {
      case .closed: return (.none, [])
      case .closing: return (.others, [])
      case .open:
        state.phase = .closing
        isOver.store(true, ordering: .relaxed)
        if let reason { state.noteReason(reason) }
        var waiters = state.writers.removeTurns()
        if let reader = state.takeReader() { waiters.append(reader) }
        return (.ours, waiters + endOutgoing(&state))
      }
    }
    Self.resume(waiters)
    switch turn {
    case .none: return
    case .others: await waitUntilClosed()
    case .ours: await endGracefully(flushLimit: flushLimit, isCancellable: isCancellable)
    }
  }

  private func endGracefully(flushLimit: Duration?, isCancellable: Bool) async {
    _ = await waitToWrite(
      .ended, deadline: flushLimit.map { core.now.advanced(by: $0) }, isCancellable: false)
    let hasEnded = state.withLock { state -> Bool in
      guard state.outgoing == .ended, state.failure == nil else { return false }
      // Not before: what is lost on the way out is a reason of its own.
      state.noteReason(state.isDraining ? .drained : state.peerHasEnded ? .closedByPeer : .closed)
      return true
    }
    if hasEnded { await discardUntilPeerEnds(isCancellable: isCancellable) }
    state.withLock { $0.noteReason(.limit(.writeStall)) }
    dispose(abortively: !hasEnded)
  }

  private func discardUntilPeerEnds(isCancellable: Bool) async {
    let deadline = core.now.advanced(by: Self.lingerTime)
    var left = Self.lingerBytes
    while left > 0, let count = discardOnce() {
      left -= count
      if count > 0 { continue }
      guard case .changed = await waitForMore(until: deadline, isCancellable: isCancellable) else { return }
    }
  }

  private func waitForMore(until deadline: EventLoop.Instant, isCancellable: Bool) async -> Wake {
    guard isCancellable else {
      return await WakeContinuation.suspend { addLinger($0, until: deadline, isCancelled: false) }
    }
    return await suspendWatched {
      addLinger($0, until: deadline, isCancelled: CurrentTask.isCancelled)
    } onCancel: {
      wakeReader(Self.lingerWait, .cancelled)
    }
  }

  private func addLinger(
    _ continuation: WakeContinuation, until deadline: EventLoop.Instant, isCancelled: Bool
  ) {
    let answer = state.withLock { state -> Wake? in
      if isCancelled { return .cancelled }
      if deadline <= core.now || state.phase != .closing { return .timedOut }
      if state.readiness.canRead { return .changed }
      state.reader = ConnectionState.Reader(
        id: Self.lingerWait, isOwner: false, deadline: deadline, continuation: continuation)
      return arm(deadline, &state) ? nil : .timedOut
    }
    if let answer { continuation.resume(answer) }
  }

  /// Bytes thrown away, 0 when none have arrived; `nil` at the end.
  private func discardOnce() -> Int? {
    if core.isCurrent { return unsafe discardOnce(into: core.scratch.bytes) }
    return unsafe withUnsafeTemporaryAllocation(byteCount: ScratchBuffer.size, alignment: 16) {
      unsafe discardOnce(into: $0)
    }
  }

  private func discardOnce(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    state.withLock { state -> Int? in
      guard state.phase == .closing, !state.peerHasEnded else { return nil }
      guard state.readiness.canRead else { return 0 }
      switch unsafe state.endpoint.read(into: buffer, kernel: core.kernel) {
      case .bytes(let count) where count > 0: return count
      case .wouldBlock(let direction):
        return state.readiness.readWouldBlock(awaiting: direction) ? 0 : nil
      case .bytes, .end, .truncated, .failed: return nil
      }
    }
  }

  private func waitUntilClosed() async {
    // A failure wakes everybody, whatever they wait for.
    while state.withLock({ $0.phase != .closed }) { _ = await waitToWrite(.closed, isCancellable: false) }
  }

  /// Resets the connection and drops its queued output.
  func abort(reason: CloseReason = .aborted) {
    state.withLock { $0.noteReason(reason) }
    dispose(abortively: true)
  }

  /// Ends the connection for a cause of its own: whoever waits, and whoever comes, is told `error`.
  func end(with error: SocketError, reason: CloseReason) {
    state.withLock { state in
      guard state.phase != .closed else { return }
      state.noteReason(reason)
      if state.failure == nil { state.failure = error }
    }
    dispose(abortively: true)
  }

  private func dispose(abortively: Bool) {
    let (descriptor, wasOpen, waiters) = state.withLock { state -> (Int32?, Bool, [WakeContinuation]) in
      guard state.phase != .closed else { return (nil, false, []) }
      state.phase = .closed
      isOver.store(true, ordering: .relaxed)
      state.output.discard()
      if state.timer.isSet { core.cancelDeadline(state.timer.id) }
      let waiters = state.takeWaiters()
      return (state.endpoint.close(abortively: abortively, kernel: core.kernel), true, waiters)
    }
    if let descriptor {
      core.perform(.deregister(self, descriptor: descriptor))
    } else if wasOpen {
      core.perform(.forget(self))
    }
    Self.resume(waiters)
  }

  /// The server drains: what has arrived is still read, then the input ends.
  func beginDrain() {
    let reader = state.withLock { state -> WakeContinuation? in
      guard state.phase == .open, !state.isDraining else { return nil }
      state.drainAllowance = state.endpoint.unreadBytes(kernel: core.kernel)
      return state.takeReader()
    }
    reader?.resume()
  }

  /// Cuts short what a closing connection still does for its peer's sake. Its output goes on going out.
  func stopLingering() {
    let reader = state.withLock { state in
      state.phase == .closing ? state.takeReader() : nil
    }
    reader?.resume(.timedOut)
  }

  /// The last handle was dropped without `close()` or `abort()`.
  func abandon() {
    guard !isOver.load(ordering: .relaxed) else { return }
    core.abandoned.add(1, ordering: .relaxed)
    abort()
  }
}
