import Synchronization

extension ConnectionCore {
  /// How long and how much a closing connection reads and discards, so that unread input does not turn the
  /// close into a reset that eats the reply.
  private static let lingerTime = Duration.seconds(1)
  private static let lingerBytes = 256 << 10

  /// Ends our stream once the output is with the kernel. The peer's goes on.
  func finishWriting() async throws {
    try state.withLock { state throws(SocketError) in
      if let failure = state.failure { throw failure }
      guard state.phase == .open else { throw .closed }
      state.writeHasEnded = true
    }
    try await flush()
    try state.withLock { state throws(SocketError) in
      guard state.phase == .open else { throw state.failure ?? .closed }
      if case .failed(let errno) = state.endpoint.shutdownWrite(kernel: core.kernel) {
        throw state.fail(errno, call: "shutdown", peer: peerAddress)
      }
    }
  }

  /// Flushes, ends our stream, waits a little for the peer to end its own, and closes. Runs to its end whether
  /// the task is cancelled or not.
  ///
  /// - Parameters:
  ///   - flushLimit: how long the flush may take in all; `nil` for as long as it makes progress.
  ///   - reason: why, unless something ended the connection before.
  func close(flushLimit: Duration?, reason: CloseReason?) async {
    enum Turn { case ours, wait, done }
    let (turn, waiters) = state.withLock { state -> (Turn, [WakeContinuation]) in
      switch state.phase {
      case .closed: return (.done, [])
      case .closing: return (.wait, [])
      case .open:
        state.phase = .closing
        let natural: CloseReason =
          state.isDraining ? .drained : state.peerHasEnded ? .closedByPeer : .closed
        state.noteReason(reason ?? natural)
        if let reader = state.takeReader() { return (.ours, [reader]) }
        return (.ours, [])
      }
    }
    Self.resume(waiters)
    switch turn {
    case .done: return
    case .wait: await waitUntilClosed()
    case .ours:
      await flushAndLinger(flushLimit: flushLimit)
    }
  }

  private func flushAndLinger(flushLimit: Duration?) async {
    let position = state.withLock { $0.output.accepted }
    let flushEnd = flushLimit.map { core.now.advanced(by: $0) }
    _ = await waitToWrite(.written(position), deadline: flushEnd, isCancellable: false)
    let isFlushed = state.withLock { state -> Bool in
      guard state.phase != .closed, state.failure == nil, state.output.isEmpty else { return false }
      if case .failed = state.endpoint.shutdownWrite(kernel: core.kernel) { return false }
      return true
    }
    if isFlushed {
      await discardUntilPeerEnds()
      dispose(abortively: false)
    } else {
      dispose(abortively: true)
    }
  }

  private func discardUntilPeerEnds() async {
    let deadline = core.now.advanced(by: Self.lingerTime)
    var left = Self.lingerBytes
    while left > 0 {
      guard let count = discardOnce() else { return }
      if count > 0 {
        left -= count
        continue
      }
      let id = state.withLock { $0.nextWaiterID() }
      guard let timer = core.schedule(self, token: DeadlineToken.reader(id), due: deadline) else { return }
      let wake = await WakeContinuation.suspend { continuation in
        let mustWait = state.withLock { state -> Bool in
          guard state.phase == .closing, !state.readiness.canRead, deadline > core.now else { return false }
          state.reader = ConnectionState.Reader(id: id, continuation: continuation)
          return true
        }
        if !mustWait { continuation.resume(deadline > core.now ? .changed : .timedOut) }
      }
      core.cancelDeadline(timer)
      if case .timedOut = wake { return }
    }
  }

  /// Bytes thrown away, 0 when none have arrived; `nil` at the end.
  private func discardOnce() -> Int? {
    unsafe withUnsafeTemporaryAllocation(byteCount: ScratchBuffer.size, alignment: 16) { buffer in
      state.withLock { state -> Int? in
        guard state.phase == .closing, !state.peerHasEnded else { return nil }
        guard state.readiness.canRead else { return 0 }
        switch unsafe state.endpoint.read(into: buffer, kernel: core.kernel) {
        case .bytes(let count): return count
        case .wouldBlock(let direction):
          return state.readiness.readWouldBlock(awaiting: direction) ? 0 : nil
        case .end, .failed: return nil
        }
      }
    }
  }

  private func waitUntilClosed() async {
    _ = await WakeContinuation.suspend { continuation in
      let mustWait = state.withLock { state -> Bool in
        guard state.phase != .closed else { return false }
        state.closers.append(continuation)
        return true
      }
      if !mustWait { continuation.resume() }
    }
  }

  /// Resets the connection and drops its queued output.
  func abort(reason: CloseReason = .aborted) {
    state.withLock { $0.noteReason(reason) }
    dispose(abortively: true)
  }

  /// Ends the connection for a cause of its own: whoever waits, and whoever comes, is told `error`.
  func end(with error: SocketError, reason: CloseReason) {
    state.withLock { state in
      state.noteReason(reason)
      if state.failure == nil { state.failure = error }
    }
    dispose(abortively: true)
  }

  private func dispose(abortively: Bool) {
    let (descriptor, waiters) = state.withLock { state -> (Int32?, [WakeContinuation]) in
      guard state.phase != .closed else { return (nil, []) }
      state.phase = .closed
      state.output.discard()
      var waiters = state.takeWaiters()
      waiters.append(contentsOf: state.closers)
      state.closers = []
      let descriptor = state.endpoint.close(abortively: abortively, kernel: core.kernel)
      return (descriptor, waiters)
    }
    if let descriptor { core.perform(.deregister(self, descriptor: descriptor)) }
    Self.resume(waiters)
  }

  /// The server drains: what has arrived is still read, then the input ends.
  func beginDrain() {
    let reader = state.withLock { state -> WakeContinuation? in
      state.isDraining = true
      return state.takeReader()
    }
    reader?.resume()
  }

  /// Cuts short what a closing connection still does for its peer's sake.
  func stopLingering() {
    let (reader, mustAbort) = state.withLock { state -> (WakeContinuation?, Bool) in
      guard state.phase == .closing else { return (nil, false) }
      return (state.takeReader(), !state.output.isEmpty)
    }
    if mustAbort { abort() }
    reader?.resume(.timedOut)
  }

  /// The last handle was dropped without `close()` or `abort()`.
  func abandon() {
    let isOpen = state.withLock { $0.phase == .open }
    guard isOpen else { return }
    core.abandoned.add(1, ordering: .relaxed)
    abort()
  }
}
