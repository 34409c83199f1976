extension ConnectionCore {
  /// Called by the loop before it asks the kernel for events.
  func flushAtEndOfTurn() {
    let ready = state.withLock { state -> [WakeContinuation] in
      state.isDirty = false
      return writeQueued(&state)
    }
    Self.resume(ready)
  }

  /// Writes what is queued, as far as possible.
  func flushNow() { Self.resume(state.withLock { writeQueued(&$0) }) }

  /// A call has failed in one direction: those who wait in either look again, and queued output is lost.
  @inline(never)
  func wakeAfterFailure() {
    let waiters = state.withLock { state -> [WakeContinuation] in
      guard state.failure != nil else { return [] }
      state.output.discard()
      return state.takeWaiters()
    }
    Self.resume(waiters)
  }

  static func resume(_ waiters: [WakeContinuation]) {
    for waiter in waiters { waiter.resume() }
  }

  /// Accepts nothing more; the end of our stream follows what is queued.
  func endOutgoing(_ state: inout ConnectionState) -> [WakeContinuation] {
    if state.outgoing == .open { state.outgoing = .ending }
    return writeQueued(&state)
  }

  /// Writes until nothing is left or the transport takes no more; answers who may go on.
  func writeQueued(_ state: inout ConnectionState) -> [WakeContinuation] {
    guard state.phase != .closed, state.failure == nil else { return [] }
    state.directBytes = 0
    do throws(SocketError) {
      while !state.output.isEmpty, state.readiness.canWrite {
        let result = unsafe state.output.withUnsent {
          unsafe state.endpoint.write($0, loop: core)
        }
        let count = try noteWritten(result, of: state.output.count, &state)
        core.consume(count, of: &state.output)
      }
      if state.output.isEmpty, state.outgoing == .ending, state.readiness.canWrite {
        switch state.endpoint.shutdownWrite(kernel: core.kernel) {
        case .bytes, .end, .truncated: state.outgoing = .ended
        case .wouldBlock(let direction): state.readiness.writeWouldBlock(awaiting: direction)
        case .failed(let errno): throw state.fail(errno, call: "shutdown", peer: peerAddress)
        }
      }
    } catch {
      state.output.discard()
      return state.takeWaiters()
    }
    if state.wantsToWrite { armStallWatch(&state) }
    return state.takeReadyWriters()
  }

  /// What follows from the answer to a write: how many bytes have left, or the failure.
  @inline(__always)
  func noteWritten(
    _ result: TransportResult, of size: Int, _ state: inout ConnectionState
  ) throws(SocketError) -> Int {
    switch result {
    case .bytes(0): state.readiness.writeWouldBlock(awaiting: .write)
    case .bytes(let count):
      guard UInt(bitPattern: count) <= UInt(bitPattern: size) else {
        throw state.failImpossible("write", count, of: size)
      }
      let now = core.now
      state.idleness.bytesMoved(now)
      state.lastWrite = now
      return count
    case .wouldBlock(let direction): state.readiness.writeWouldBlock(awaiting: direction)
    case .end, .truncated: throw state.fail(.brokenPipe, call: "send", peer: peerAddress)
    case .failed(let errno): throw state.fail(errno, call: "send", peer: peerAddress)
    }
    return 0
  }

  /// Suspends until the goal is reached or the connection can't reach it any more.
  ///
  /// - Returns: `.cancelled` or `.timedOut` only when the caller asked for those.
  func waitToWrite(
    _ goal: WriteWaiters.Goal, deadline: EventLoop.Instant? = nil, isCancellable: Bool = true
  ) async -> Wake {
    let id = state.withLock { $0.nextWriterID() }
    let timer = deadline.flatMap { core.schedule(self, token: DeadlineToken.writer(id), due: $0) }
    defer { if let timer { core.cancelDeadline(timer) } }
    if !isCancellable {
      return await WakeContinuation.suspend { addWriter($0, id, goal, deadline, isOwner: false) }
    }
    if isRunByOwner {
      return await WakeContinuation.suspend {
        addWriter($0, id, goal, deadline, isOwner: true, isCancellable: true)
      }
    }
    return await suspendWatched {
      addWriter($0, id, goal, deadline, isOwner: false, isCancellable: true)
    } onCancel: {
      wakeWriter(id, .cancelled)
    }
  }

  func addWriter(
    _ continuation: WakeContinuation, _ id: UInt32, _ goal: WriteWaiters.Goal,
    _ deadline: EventLoop.Instant?, isOwner: Bool, isCancellable: Bool = false
  ) {
    let answer = state.withLock { state -> Wake? in
      if isCancellable, CurrentTask.isCancelled { return .cancelled }
      if state.phase == .closed || state.failure != nil && goal != .closed { return .changed }
      if state.phase == .closing, goal == .turn { return .changed }
      if let deadline, deadline <= core.now { return .timedOut }
      beginWait(&state)
      state.writers.add(
        WriteWaiters.Waiter(id: id, goal: goal, continuation: continuation, isOwner: isOwner))
      return nil
    }
    if let answer { continuation.resume(answer) } else { wakeReadyWriters() }
  }

  /// The goal may have been reached just before the wait for it began.
  private func wakeReadyWriters() {
    Self.resume(state.withLock { $0.takeReadyWriters() })
  }

  func wakeWriter(_ id: UInt32, _ wake: Wake) {
    state.withLock { $0.writers.remove(id) }?.resume(wake)
  }
}
