import Framing

extension ConnectionCore {
  enum ReadStep {
    case bytes(Int)
    case end
    case wouldBlock
    /// This connection has had its share of the turn.
    case yield
    /// The server drains, and all that had arrived before is read.
    case drained
  }

  /// One system call: hands what has arrived, at most `limit` bytes, to `take`. For the holder of the claim.
  @inline(__always)
  func receive(
    atMost limit: Int, finishingFrame: Bool = false, _ take: (UnsafeRawBufferPointer) -> Void
  ) throws(SocketError) -> ReadStep {
    if core.isCurrent {
      if reading.contents.budget.isSpent { return .yield }
      let buffer = unsafe UnsafeMutableRawBufferPointer(
        rebasing: core.scratch.bytes[..<min(limit, ScratchBuffer.size)])
      let step = try unsafe receive(into: buffer, finishingFrame: finishingFrame)
      if case .bytes(let count) = step {
        reading.contents.budget.takeRead(count)
        unsafe take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
      return step
    }
    return try unsafe withUnsafeTemporaryAllocation(
      byteCount: min(limit, ScratchBuffer.size), alignment: 16
    ) { buffer throws(SocketError) in
      let step = try unsafe receive(into: buffer, finishingFrame: finishingFrame)
      if case .bytes(let count) = step { unsafe take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
      return step
    }
  }

  func receive(
    into buffer: UnsafeMutableRawBufferPointer, finishingFrame: Bool
  ) throws(SocketError) -> ReadStep {
    try state.withLock { state throws(SocketError) in
      guard state.phase == .open else { throw state.failure ?? .closed }
      if state.peerHasEnded { return .end }
      var room = unsafe buffer
      if state.isDraining, !finishingFrame {
        let allowance = state.drainAllowance ?? state.endpoint.unreadBytes(kernel: core.kernel)
        state.drainAllowance = allowance
        if allowance == 0, state.failure == nil { return .drained }
        unsafe room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, max(1, allowance))])
      }
      guard state.readiness.canRead else { return .wouldBlock }
      switch unsafe state.endpoint.read(into: room, kernel: core.kernel) {
      case .bytes(let count):
        // Less than was asked for means that there is no more: the next event will tell.
        if count < room.count { _ = state.readiness.readWouldBlock(awaiting: .read) }
        if let allowance = state.drainAllowance { state.drainAllowance = max(0, allowance - count) }
        state.bytesRead &+= UInt64(count)
        state.lastActivity = core.now
        return .bytes(count)
      case .end:
        // After a reset that a write saw first, the kernel answers like this: a lie.
        if let failure = state.failure, failure.endsReading { throw failure }
        state.peerHasEnded = true
        return .end
      case .wouldBlock(let direction):
        return state.readiness.readWouldBlock(awaiting: direction) ? .wouldBlock : .yield
      case .failed(let errno):
        throw state.fail(errno, call: "recv", peer: peerAddress)
      }
    }
  }

  /// Suspends until a read is worth trying.
  ///
  /// - Throws: `CancellationError`; `SocketError.timedOut` at the deadline.
  func waitReadable(deadline: EventLoop.Instant?, operation: StaticString) async throws {
    reading.contents.budget.refill()
    if reading.contents.buffer.isEmpty { reading.contents.buffer.releaseStorage() }
    let id = state.withLock { $0.nextWaiterID() }
    let timer = deadline.flatMap { core.schedule(self, token: DeadlineToken.reader(id), due: $0) }
    defer { if let timer { core.cancelDeadline(timer) } }
    let wake = await withTaskCancellationHandler {
      await WakeContinuation.suspend { continuation in
        let answer = state.withLock { state -> Wake? in
          if Task.isCancelled { return .cancelled }
          if let deadline, deadline <= core.now { return .timedOut }
          if state.phase != .open || state.readiness.canRead || state.failure != nil { return .changed }
          if state.isDraining, state.drainAllowance == nil { return .changed }
          state.lastActivity = core.now
          state.reader = ConnectionState.Reader(id: id, continuation: continuation)
          return nil
        }
        if let answer { continuation.resume(answer) }
      }
    } onCancel: {
      wakeReader(id, .cancelled)
    }
    switch wake {
    case .changed: return
    case .cancelled: throw CancellationError()
    case .timedOut: throw SocketError.timedOut(operation: "\(operation)")
    }
  }

  func wakeReader(_ id: UInt32, _ wake: Wake) {
    let reader = state.withLock { state in
      state.reader?.id == id ? state.takeReader() : nil
    }
    reader?.resume(wake)
  }

  /// Lets everybody else on the loop go first.
  func yieldTurn() async throws {
    reading.contents.budget.refill()
    await core.nextTurn()
    try Task.checkCancellation()
  }

  /// Receives into the connection's buffer; `false` when nothing more will come.
  func fill(
    deadline: EventLoop.Instant?, operation: StaticString, finishingFrame: Bool = false
  ) async throws -> Bool {
    while true {
      let step = try unsafe receive(atMost: ScratchBuffer.size, finishingFrame: finishingFrame) {
        unsafe reading.contents.buffer.append(copying: $0)
      }
      switch step {
      case .bytes: return true
      case .end:
        reading.contents.hasEnded = true
        return false
      case .drained: return false
      case .yield: try await yieldTurn()
      case .wouldBlock: try await waitReadable(deadline: deadline, operation: operation)
      }
    }
  }

  /// The part of every read that comes first: no call is made for a task that is cancelled or too late.
  @inline(__always)
  func checkReadMayBegin(_ deadline: EventLoop.Instant?, operation: StaticString) throws {
    try Task.checkCancellation()
    if let deadline, deadline <= core.now { throw SocketError.timedOut(operation: "\(operation)") }
  }
}

extension SocketError {
  /// A broken pipe says that the peer takes no more bytes, not that those which it sent are lost.
  fileprivate var endsReading: Bool {
    if case .failed(.brokenPipe, _, _) = self { false } else { true }
  }
}
