import Framing

extension ConnectionCore {
  @usableFromInline
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
    let size = min(limit, ScratchBuffer.size)
    guard core.isCurrent else {
      return try unsafe receiveElsewhere(atMost: size, finishingFrame: finishingFrame, take)
    }
    let buffer = unsafe UnsafeMutableRawBufferPointer(rebasing: core.scratch.bytes[..<size])
    let step = try unsafe receive(into: buffer, finishingFrame: finishingFrame)
    if case .bytes(let count) = step { unsafe take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
    return step
  }

  /// Off the loop there is no scratch memory to use. Not inlined: it would end up in an async function's frame.
  @inline(never)
  private func receiveElsewhere(
    atMost size: Int, finishingFrame: Bool, _ take: (UnsafeRawBufferPointer) -> Void
  ) throws(SocketError) -> ReadStep {
    try unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) {
      buffer throws(SocketError) in
      let step = try unsafe receive(into: buffer, finishingFrame: finishingFrame)
      if case .bytes(let count) = step { unsafe take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
      return step
    }
  }

  func receive(
    into buffer: UnsafeMutableRawBufferPointer, finishingFrame: Bool
  ) throws(SocketError) -> ReadStep {
    if reading.contents.isDry {
      reading.contents.isDry = false
      return .wouldBlock
    }
    if reading.contents.budget.isSpent, mustYield() { return .yield }
    var hasFailed = true
    var mustFlush = false
    defer {
      if mustFlush { core.perform(.flush(self)) }
      if hasFailed { wakeAfterFailure() }
    }
    let step = try state.withLock { state throws(SocketError) -> ReadStep in
      if !reading.contents.news.isEmpty {
        state.readiness.note(reading.contents.news)
        reading.contents.news = []
        state.reader = nil
        mustFlush = state.claimsFlush()
      }
      guard state.phase == .open, !state.readHasFailed else { throw state.failure ?? .closed }
      if state.peerHasEnded { return .end }
      var room = unsafe buffer
      if let allowance = state.drainAllowance, !finishingFrame {
        state.drainIsNoticed = true
        if allowance == 0, state.readFailure == nil { return .drained }
        unsafe room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, max(1, allowance))])
      }
      // What the peer sent before it reset the connection is still there to be read.
      guard state.readiness.canRead || state.readFailure != nil else { return .wouldBlock }
      return try noteRead(
        unsafe state.endpoint.read(into: room, loop: core), of: room.count, &state)
    }
    hasFailed = false
    if case .bytes(let count) = step { reading.contents.budget.takeRead(count) }
    return step
  }

  private func noteRead(
    _ result: TransportResult, of size: Int, _ state: inout ConnectionState
  ) throws(SocketError) -> ReadStep {
    switch result {
    case .bytes(let count) where count > 0:
      // A socket that gives less than was asked for has no more: the next event will tell. Other transports say so.
      if count < size, state.readiness.shortReadMeansEmpty, state.endpoint.isSocket {
        let isDry = state.readiness.readWouldBlock(awaiting: .read)
        // Whoever drains has yet to be told of the end, which no event will follow.
        reading.contents.isDry = isDry && !state.isDraining
      } else if count > size {
        _ = state.failImpossible("read", count, of: size)
        break
      }
      if let allowance = state.drainAllowance { state.drainAllowance = max(0, allowance - count) }
      state.bytesRead &+= UInt64(count)
      state.idleness.bytesMoved(core.now)
      if state.readiness.isFinal { noteReadBehindEnd(state) }
      if state.awaitsInput { noteInput(&state) }
      return .bytes(count)
    case .bytes(let count) where count < 0:
      _ = state.failImpossible("read", count, of: size)
    case .bytes: return try noteRead(.wouldBlock(.read), of: size, &state)
    case .wouldBlock(let direction):
      guard state.readFailure == nil else { break }
      guard state.readiness.readWouldBlock(awaiting: direction) else { return .yield }
      // A transport may have counted more as arrived than it can hand out; but not while it has something to write first.
      if state.drainAllowance ?? 0 > 0, direction != .write { state.drainAllowance = 0 }
      return .wouldBlock
    case .end:
      // After a reset that a write saw first, the kernel answers like this: a lie.
      guard state.readFailure == nil else { break }
      state.peerHasEnded = true
      return .end
    case .truncated: _ = state.fail(.truncated(peer: peerAddress))
    case .failed(let errno): _ = state.fail(errno, call: "recv", peer: peerAddress)
    }
    state.readHasFailed = true
    throw state.failure ?? .closed
  }

  /// Receives into the connection's buffer; `false` when nothing more will come.
  @inlinable @inline(__always)
  func fill(
    deadline: EventLoop.Instant, operation: StaticString, finishingFrame: Bool = false
  ) async throws -> Bool {
    while true {
      switch try fillNow(finishingFrame: finishingFrame) {
      case .bytes: return true
      case .end, .drained: return false
      case .yield: try await yieldTurn(deadline: deadline, operation: operation)
      case .wouldBlock: try await waitReadable(deadline: deadline, operation: operation)
      }
    }
  }

  @inline(never) @usableFromInline
  func fillNow(finishingFrame: Bool) throws(SocketError) -> ReadStep {
    let step = try unsafe receive(atMost: ScratchBuffer.size, finishingFrame: finishingFrame) {
      unsafe reading.contents.buffer.append(copying: $0)
    }
    if case .end = step { reading.contents.hasEnded = true }
    return step
  }
}
