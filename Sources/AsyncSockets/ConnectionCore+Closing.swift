import Synchronization

extension ConnectionCore {
  /// How long and how much a closing connection reads and discards, so that unread input does not turn the
  /// close into a reset that eats the reply.
  private static let lingerTime = Duration.seconds(1)
  fileprivate static let lingerBytes = 256 << 10
  /// The one wait that is none of a reader's; readers count from 1.
  private static let lingerWait: UInt32 = 0

  /// Flushes, ends our stream, waits a little for the peer to end its own, and closes.
  ///
  /// - Parameters:
  ///   - flushLimit: how long the flush may take in all; `nil` for as long as it makes progress.
  ///   - cancelledFlushLimit: how long it may still take once the task is cancelled; `nil` for no change.
  ///   - reason: why, unless something ended the connection before.
  ///   - isCancellable: whether the wait for the peer ends when the task is cancelled.
  func close(
    flushLimit: Duration?, cancelledFlushLimit: Duration? = nil, reason: CloseReason?, isCancellable: Bool
  ) async {
    switch beginClosing(reason: reason) {
    case .none: return
    case .others: await waitUntilClosed()
    case .ours:
      await flushToEnd(flushLimit, whenCancelled: cancelledFlushLimit)
      let hasEnded = noteFlushed()
      if hasEnded { await discardUntilPeerEnds(isCancellable: isCancellable) }
      finishClosing(inGoodOrder: hasEnded)
    }
  }

  /// Whose it is to bring a close to its end.
  enum Closer { case ours, others, none }

  /// Refuses reads and sends from now on, and lets the end of our stream follow the output.
  func beginClosing(reason: CloseReason?) -> Closer {
    let (closer, waiters) = state.withLock { state -> (Closer, [WakeContinuation]) in
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
    return closer
  }

  private func flushToEnd(_ limit: Duration?, whenCancelled cancelledLimit: Duration?) async {
    let deadline = limit.map { core.now.advanced(by: $0) }
    let wake = await waitToWrite(.ended, deadline: deadline, isCancellable: cancelledLimit != nil)
    guard case .cancelled = wake, let cancelledLimit else { return }
    let earlier = core.now.advanced(by: cancelledLimit)
    let rest = await waitToWrite(
      .ended, deadline: deadline.map { min($0, earlier) } ?? earlier, isCancellable: false)
    if case .timedOut = rest { state.withLock { $0.noteReason(.cancelled) } }
  }

  /// Whether our stream has ended, and with it all that this side had to do.
  func noteFlushed() -> Bool {
    state.withLock { state in
      guard state.outgoing == .ended, state.failure == nil else { return false }
      // Not before: what is lost on the way out is a reason of its own.
      state.noteReason(state.isDraining ? .drained : state.peerHasEnded ? .closedByPeer : .closed)
      return true
    }
  }

  func finishClosing(inGoodOrder: Bool) {
    state.withLock { $0.noteReason(.limit(.writeStall)) }
    dispose(abortively: !inGoodOrder)
  }

  /// How long and for how many bytes more a closing connection listens to its peer.
  struct Lingering {
    let deadline: EventLoop.Instant
    var left = ConnectionCore.lingerBytes
  }

  func beginLingering() -> Lingering { Lingering(deadline: core.now.advanced(by: Self.lingerTime)) }

  private func discardUntilPeerEnds(isCancellable: Bool) async {
    var lingering = beginLingering()
    while discardArrived(&lingering) {
      guard case .changed = await waitForMore(until: lingering.deadline, isCancellable: isCancellable)
      else { return }
    }
  }

  /// Discards what has arrived; whether there is more to wait for.
  func discardArrived(_ lingering: inout Lingering) -> Bool {
    while lingering.left > 0, let count = discardOnce() {
      if count == 0 { return true }
      lingering.left -= count
    }
    return false
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

  func addLinger(
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
      switch unsafe state.endpoint.read(into: buffer, loop: core) {
      case .bytes(let count) where count > 0: return count
      case .wouldBlock(let direction):
        return state.readiness.readWouldBlock(awaiting: direction) ? 0 : nil
      case .bytes, .end, .truncated, .failed: return nil
      }
    }
  }

  private func waitUntilClosed() async {
    _ = await WakeContinuation.suspend { continuation in
      let mustWait = state.withLock { state -> Bool in
        guard state.phase != .closed else { return false }
        state.writers.add(
          WriteWaiters.Waiter(id: state.nextWriterID(), goal: .closed, continuation: continuation))
        return true
      }
      if !mustWait { continuation.resume() }
    }
  }

  /// Whether an error is this connection's own end, and not one that came from elsewhere through the handler.
  func hasEnded(by error: any Error) -> Bool {
    guard let error = error as? SocketError else { return false }
    if error == .closed { return isOver.load(ordering: .relaxed) }
    return error == state.withLock { $0.failure }
  }

  /// Why it ended, once it has.
  @usableFromInline var endReason: CloseReason { state.withLock { $0.closeReason } ?? .closed }

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
      let waiters = state.takeWaiters() + state.writers.removeOnlookers()
      return (state.endpoint.close(abortively: abortively, kernel: core.kernel), true, waiters)
    }
    if let descriptor {
      core.perform(.deregister(self, descriptor: descriptor))
    } else if wasOpen {
      core.perform(.forget(self))
    }
    Self.resume(waiters)
  }

  /// Cuts short what a closing connection still does for its peer's sake. Its output goes on going out.
  func stopLingering() {
    let reader = state.withLock { state in
      state.phase == .closing ? state.takeReader() : nil
    }
    reader?.resume(.timedOut)
  }

  /// The last handle was dropped without `close()` or `abort()`, and nobody drives the connection.
  func abandon() {
    if isOver.load(ordering: .relaxed) || DriverMark.isDriver(owner.load(ordering: .relaxed)) { return }
    core.shared.withLock { if $0.abandonedPeers.count < 8 { $0.abandonedPeers.append(peerAddress) } }
    core.abandoned.add(1, ordering: .relaxed)
    abort()
  }
}
