import Framing

extension ConnectionCore {
  enum SendStep {
    case accepted
    /// Accepted, and the sender shall wait for the low mark.
    case acceptedAboveHighMark
    /// Not accepted: the sender has to wait its turn.
    case mustWait
  }

  /// From this size on, bytes go to the kernel directly when nothing is queued before them.
  private static let directWriteSize = 65_536

  /// Accepts the bytes whole, or not at all.
  @inline(__always)
  func trySend(_ bytes: [UInt8], holdsTurn: Bool) throws(SocketError) -> SendStep {
    try offer(count: bytes.count, holdsTurn: holdsTurn) { output, start in
      if start == 0 {
        output.append(bytes)
      } else {
        unsafe bytes.withUnsafeBytes {
          unsafe output.append(UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
      }
    } write: { endpoint in
      unsafe bytes.withUnsafeBytes { unsafe endpoint.write($0, kernel: core.kernel) }
    }
  }

  /// The same for bytes that `encode` appends; on the loop they pass through memory of the loop's.
  @inline(__always)
  func trySend(
    holdsTurn: Bool, _ encode: (inout [UInt8]) throws(FramingError) -> Void
  ) throws -> SendStep {
    guard core.isCurrent else {
      var bytes: [UInt8] = []
      try encode(&bytes)
      return try trySend(bytes, holdsTurn: holdsTurn)
    }
    var bytes: [UInt8] = []
    swap(&bytes, &core.local.value.encoded)
    defer {
      // Room for an unusually large frame is not kept.
      if bytes.capacity <= Self.directWriteSize {
        bytes.removeAll(keepingCapacity: true)
        swap(&bytes, &core.local.value.encoded)
      }
    }
    try encode(&bytes)
    return try offer(count: bytes.count, holdsTurn: holdsTurn) { output, start in
      unsafe bytes.withUnsafeBytes { unsafe output.append(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    } write: { endpoint in
      unsafe bytes.withUnsafeBytes { unsafe endpoint.write($0, kernel: core.kernel) }
    }
  }

  @inline(__always)
  private func offer(
    count: Int, holdsTurn: Bool, append: (inout OutputQueue, Int) -> Void,
    write: (borrowing Endpoint) -> TransportResult
  ) throws(SocketError) -> SendStep {
    let isOnLoop = core.isCurrent
    let marks = options.watermarks
    var mustFlush = false
    var ready: [WakeContinuation] = []
    defer {
      if mustFlush { core.perform(.flush(self)) }
      Self.resume(ready)
    }
    return try state.withLock { state throws(SocketError) in
      if holdsTurn { state.writers.turnUsed() }
      guard state.phase == .open, !state.writeHasEnded else { throw state.failure ?? .closed }
      if let failure = state.failure { throw failure }
      if !holdsTurn, state.output.count >= marks.high || state.writers.mustQueue { return .mustWait }
      guard count > 0 else { return .accepted }

      var start = 0
      let isDirect = state.output.isEmpty && state.readiness.canWrite && (!isOnLoop || count >= Self.directWriteSize)
      if isDirect {
        switch write(state.endpoint) {
        case .bytes(let written):
          start = written
          state.output.passThrough(written)
          state.lastActivity = core.now
          state.lastWrite = state.lastActivity
        case .wouldBlock(let direction): state.readiness.writeWouldBlock(awaiting: direction)
        case .end: throw state.fail(.brokenPipe, call: "send", peer: peerAddress)
        case .failed(let errno): throw state.fail(errno, call: "send", peer: peerAddress)
        }
      }
      if start < count { append(&state.output, start) }
      if !state.output.isEmpty, !state.isDirty, state.readiness.canWrite {
        state.isDirty = true
        mustFlush = true
      }
      if !state.readiness.canWrite { armStallWatch(&state) }
      if holdsTurn {
        ready = state.writers.takeReady(
          count: state.output.count, written: state.output.written, marks: marks)
      }
      return state.output.count >= marks.high ? .acceptedAboveHighMark : .accepted
    }
  }

  /// Called by the loop before it asks the kernel for events.
  func flushAtEndOfTurn() {
    let ready = state.withLock { state -> [WakeContinuation] in
      state.isDirty = false
      return writeQueued(&state)
    }
    Self.resume(ready)
  }

  /// Writes until nothing is left or the kernel takes no more; answers who may go on.
  private func writeQueued(_ state: inout ConnectionState) -> [WakeContinuation] {
    guard state.phase != .closed, state.failure == nil else { return [] }
    while !state.output.isEmpty, state.readiness.canWrite {
      let result = unsafe state.output.withUnsent { unsafe state.endpoint.write($0, kernel: core.kernel) }
      switch result {
      case .bytes(let count):
        state.output.consume(count)
        state.lastActivity = core.now
        state.lastWrite = state.lastActivity
      case .wouldBlock(let direction): state.readiness.writeWouldBlock(awaiting: direction)
      case .end, .failed:
        let errno = if case .failed(let errno) = result { errno } else { Errno.brokenPipe }
        _ = state.fail(errno, call: "send", peer: peerAddress)
        state.output.discard()
        return state.takeWaiters()
      }
    }
    if !state.output.isEmpty { armStallWatch(&state) }
    return state.writers.takeReady(
      count: state.output.count, written: state.output.written, marks: options.watermarks)
  }

  /// Suspends until the goal is reached or the connection can't reach it any more.
  ///
  /// - Returns: `.cancelled` or `.timedOut` only when the caller asked for those.
  func waitToWrite(
    _ goal: WriteWaiters.Goal, deadline: EventLoop.Instant? = nil, isCancellable: Bool = true
  ) async -> Wake {
    let id = state.withLock { $0.nextWaiterID() }
    let timer = deadline.flatMap { core.schedule(self, token: DeadlineToken.writer(id), due: $0) }
    defer { if let timer { core.cancelDeadline(timer) } }
    return await withTaskCancellationHandler {
      await WakeContinuation.suspend { continuation in
        let answer = state.withLock { state -> Wake? in
          if isCancellable, Task.isCancelled { return .cancelled }
          if state.phase == .closed || state.failure != nil { return .changed }
          if let deadline, deadline <= core.now { return .timedOut }
          let isReached =
            switch goal {
            case .turn: state.output.count <= options.watermarks.low && !state.writers.mustQueue
            case .lowMark: state.output.count <= options.watermarks.low
            case .written(let position): state.output.written >= position
            }
          if isReached, goal != .turn { return .changed }
          state.lastActivity = core.now
          state.writers.add(WriteWaiters.Waiter(id: id, goal: goal, continuation: continuation))
          return nil
        }
        if let answer { continuation.resume(answer) } else { letInFirst() }
      }
    } onCancel: {
      if isCancellable { wakeWriter(id, .cancelled) }
    }
  }

  /// The buffer may have drained just before the newcomer queued.
  private func letInFirst() {
    let ready = state.withLock { state in
      state.writers.takeReady(
        count: state.output.count, written: state.output.written, marks: options.watermarks)
    }
    Self.resume(ready)
  }

  func wakeWriter(_ id: UInt32, _ wake: Wake) {
    let writer = state.withLock { $0.writers.remove(id) }
    writer?.resume(wake)
  }

  static func resume(_ waiters: [WakeContinuation]) {
    for waiter in waiters { waiter.resume() }
  }

  /// Sends whole messages through `attempt`, waiting for its turn and afterwards for the low mark.
  @inline(__always)
  func send(_ attempt: (_ holdsTurn: Bool) throws -> SendStep) async throws {
    try Task.checkCancellation()
    var step = try attempt(false)
    while case .mustWait = step {
      if case .cancelled = await waitToWrite(.turn) { throw CancellationError() }
      step = try attempt(true)
    }
    if case .acceptedAboveHighMark = step {
      // Cancelled here, the message goes out all the same: it has been accepted.
      _ = await waitToWrite(.lowMark)
    }
  }

  /// Returns when the kernel has everything that was accepted before the call.
  func flush() async throws {
    try Task.checkCancellation()
    let position = try state.withLock { state throws(SocketError) -> UInt64? in
      if let failure = state.failure { throw failure }
      guard state.phase != .closed else { throw .closed }
      return state.output.isEmpty ? nil : state.output.accepted
    }
    guard let position else { return }
    if case .cancelled = await waitToWrite(.written(position)) { throw CancellationError() }
    try state.withLock { state throws(SocketError) in
      if state.output.written >= position, state.failure == nil { return }
      throw state.failure ?? .closed
    }
  }
}
