import Framing
import Synchronization

extension ConnectionCore {
  @usableFromInline
  enum SendStep {
    case accepted
    /// Accepted, and the sender shall wait for the low mark.
    case acceptedAboveHighMark
    /// Accepted, and this connection has had its share of the turn.
    case acceptedAndSpent
    /// Not accepted: the sender has to wait its turn.
    case mustWait
  }

  /// From this size on, bytes go to the kernel directly when nothing is queued before them.
  private static let directWriteSize = 65_536
  private static let encodingMemorySize = 4096
  /// What a connection may write directly in one turn of the loop.
  private static let directWriteBudget: Int32 = 256 << 10

  /// Accepts the bytes whole, or not at all.
  @inline(never) @usableFromInline
  func trySend(_ bytes: [UInt8], holdsTurn: Bool) throws(SocketError) -> SendStep {
    try offer(bytes, holdsTurn: holdsTurn) { false }
  }

  /// The same for bytes that are frames of a handle's codec already, as long as that is in use.
  @inline(never)
  func trySend(
    _ bytes: [UInt8], of handle: any CodecHandle, holdsTurn: Bool
  ) throws(SocketError) -> SendStep {
    try offer(bytes, holdsTurn: holdsTurn) { handle.isSwitched }
  }

  @inline(__always)
  private func offer(
    _ bytes: [UInt8], holdsTurn: Bool, unless isSwitched: () -> Bool
  ) throws(SocketError) -> SendStep {
    try offer(count: bytes.count, holdsTurn: holdsTurn, unless: isSwitched) { output, start in
      if start == 0 {
        output.append(bytes)
      } else {
        unsafe bytes.withUnsafeBytes { unsafe output.append(UnsafeRawBufferPointer(rebasing: $0[start...])) }
      }
    } write: { state throws(SocketError) in
      try noteWritten(
        unsafe bytes.withUnsafeBytes { unsafe state.endpoint.write($0, loop: core) },
        of: bytes.count, &state)
    }
  }

  /// An array to encode a frame behind: on the loop, what others of this turn were encoded into.
  @inline(never) @usableFromInline
  func takeEncodingMemory() -> [UInt8] {
    // A copy of the reference: ThreadSanitizer would take the change of what is behind it for a change of itself.
    let core = core
    var bytes: [UInt8] = []
    if core.isCurrent { swap(&bytes, &core.local.value.encoded) }
    return bytes
  }

  @inline(never) @usableFromInline
  func giveBack(encodingMemory bytes: inout [UInt8]) {
    let core = core
    // Room for an unusually large frame is not kept.
    guard core.isCurrent, bytes.capacity <= Self.directWriteSize else { return }
    // Emptying an array costs as much as filling it with a line: not every time.
    if bytes.count > Self.encodingMemorySize { bytes.removeAll(keepingCapacity: true) }
    swap(&bytes, &core.local.value.encoded)
  }

  /// The same for bytes in memory that is used again.
  @inline(never) @usableFromInline
  func trySend(copying bytes: [UInt8], from first: Int, holdsTurn: Bool) throws(SocketError) -> SendStep {
    guard core.isCurrent else { return try trySend(bytes, holdsTurn: holdsTurn) }
    return try offer(count: bytes.count - first, holdsTurn: holdsTurn) { output, start in
      unsafe bytes.withUnsafeBytes {
        unsafe core.append(UnsafeRawBufferPointer(rebasing: $0[(first + start)...]), to: &output)
      }
    } write: { state throws(SocketError) in
      let result = unsafe bytes.withUnsafeBytes {
        unsafe state.endpoint.write(UnsafeRawBufferPointer(rebasing: $0[first...]), loop: core)
      }
      return try noteWritten(result, of: bytes.count - first, &state)
    }
  }

  /// Accepts a message whole, or not at all.
  ///
  /// - Parameters:
  ///   - count: its length.
  ///   - isUrgent: worth a call of its own, however short it is.
  ///   - isSwitched: whether it is in a codec that is no longer in use; asked under the lock.
  ///   - append: queues what follows its first so many bytes.
  ///   - write: writes what it can to the transport at once, and answers how much that was.
  @inline(__always)
  func offer(
    count: Int, holdsTurn: Bool, isUrgent: Bool = false, unless isSwitched: () -> Bool = { false },
    append: (inout OutputQueue, Int) -> Void, write: (inout ConnectionState) throws(SocketError) -> Int
  ) throws(SocketError) -> SendStep {
    let isOnLoop = core.isCurrent
    // What the handler of this connection has sent in the callback under way comes first.
    if isOnLoop, unsafe core.local.value.sender != nil { commitSent() }
    var mustFlush = false
    var hasFailed = true
    defer {
      if mustFlush { core.perform(.flush(self)) }
      if hasFailed { wakeAfterFailure() }
    }
    let step = try state.withLock { state throws(SocketError) -> SendStep in
      if isSwitched() { throw .switched }
      try state.checkTakesOutput()
      let high = state.settings.options.watermarks.high
      if !holdsTurn, state.output.count >= high || state.writers.mustQueue { return .mustWait }
      guard count > 0 else { return .accepted }

      var start = 0
      let isWorthACall = !isOnLoop || isUrgent || count >= Self.directWriteSize
      if isWorthACall, state.output.isEmpty, state.readiness.canWrite {
        start = try write(&state)
        state.output.passThrough(start)
        if isOnLoop { state.directBytes = Int32(clamping: Int(state.directBytes) + start) }
      }
      if start < count {
        if state.output.isEmpty { state.lastWrite = core.now }
        append(&state.output, start)
        if owner.load(ordering: .relaxed) == DriverMark.running {
          reading.othersHaveSent.store(true, ordering: .relaxed)
        }
        if !state.readiness.canWrite {
          armStallWatch(&state)
        } else if !state.isDirty {
          state.isDirty = true
          mustFlush = true
        }
      }
      if state.output.count >= high { return .acceptedAboveHighMark }
      guard state.directBytes >= Self.directWriteBudget else { return .accepted }
      state.directBytes = 0
      return .acceptedAndSpent
    }
    hasFailed = false
    return step
  }

  /// Sends whole messages through `attempt`, waiting for its turn and afterwards for the low mark.
  @inlinable @inline(__always)
  func send(_ attempt: (_ holdsTurn: Bool) throws -> SendStep) async throws {
    try beginSending()
    let step = try attempt(false)
    if case .accepted = step { return }
    try await finishSending(step, attempt)
  }

  @inline(never) @usableFromInline
  func beginSending() throws { try CurrentTask.checkCancellation() }

  @inline(never) @usableFromInline
  func finishSending(
    _ first: SendStep, until due: EventLoop.Instant? = nil, operation: String = "send",
    _ attempt: (_ holdsTurn: Bool) throws -> SendStep
  ) async throws {
    var step = first
    while case .mustWait = step {
      switch await waitToWrite(.turn, deadline: due) {
      case .changed: break
      case .cancelled: throw CancellationError()
      case .timedOut: throw SocketError.timedOut(operation: operation)
      }
      // Whatever comes of it, the next in line is let in afterwards.
      defer { passTurnOn() }
      step = try attempt(true)
    }
    switch step {
    case .accepted, .mustWait: break
    // Cancelled here, the message goes out all the same: it has been accepted.
    case .acceptedAboveHighMark: _ = await waitToWrite(.lowMark)
    case .acceptedAndSpent: await core.nextTurn()
    }
  }

  /// The same, for what gives up at a deadline rather than wait its turn any longer.
  func send(
    until due: EventLoop.Instant?, operation: String, _ attempt: (_ holdsTurn: Bool) throws -> SendStep
  ) async throws {
    try beginSending()
    try await finishSending(try attempt(false), until: due, operation: operation, attempt)
  }

  private func passTurnOn() {
    let ready = state.withLock { state in
      state.writers.turnUsed()
      return state.takeReadyWriters()
    }
    Self.resume(ready)
  }

  /// Returns when the kernel has everything that was accepted before the call.
  func flush() async throws {
    try CurrentTask.checkCancellation()
    let position = try state.withLock { state throws(SocketError) -> UInt64? in
      if let failure = state.failure { throw failure }
      guard state.phase != .closed else { throw .closed }
      return state.output.isEmpty ? nil : state.output.accepted
    }
    guard let position else { return }
    if case .cancelled = await waitToWrite(.written(position)) { throw CancellationError() }
    try state.withLock { state throws(SocketError) in
      if let failure = state.failure { throw failure }
      guard state.output.written >= position else { throw .closed }
    }
  }

  /// Ends our stream once the output is with the kernel, also when the wait for that is cancelled. The peer's
  /// stream goes on.
  func finishWriting() async throws {
    try CurrentTask.checkCancellation()
    try beginFinishing()
    if case .cancelled = await waitToWrite(.ended) { throw CancellationError() }
    try state.withLock { state throws(SocketError) in
      if let failure = state.failure { throw failure }
      guard state.outgoing == .ended else { throw .closed }
    }
  }

  /// The same without the wait.
  func beginFinishing() throws(SocketError) {
    let ready = try state.withLock { state throws(SocketError) in
      if let failure = state.failure { throw failure }
      guard state.phase == .open else { throw .closed }
      return endOutgoing(&state)
    }
    Self.resume(ready)
  }
}
