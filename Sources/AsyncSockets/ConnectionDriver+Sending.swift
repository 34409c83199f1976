import Framing
import Synchronization

// What a callback sends lies in memory of the loop's until the callback has returned, and is then written from there,
// in the critical section in which the driver begins to wait: a message costs no lock and no copy of its own.

extension ConnectionDriver {
  /// From this size on, bytes are not worth a copy.
  private static let directSize = 16_384

  /// The memory that a frame is to be added to; `endSending` follows.
  @inline(never) @usableFromInline
  final func beginSending() throws(SocketError) -> [UInt8] {
    try checkMaySend()
    return core.core.takeSent(fromStart: !hasSent)
  }

  @inline(never) @usableFromInline
  final func endSending(_ bytes: inout [UInt8]) {
    let count = core.core.giveBack(sent: &bytes, of: self)
    hasSent = count > 0
    hasAnswered = true
    if count >= room { isThrottled = true }
  }

  @inline(never) @usableFromInline
  final func send(_ lent: RawSpan) throws(SocketError) {
    if lent.byteCount >= Self.directSize {
      return try unsafe lent.withUnsafeBytes { bytes throws(SocketError) in
        try sendDirectly(unsafe [UInt8](bytes))
      }
    }
    var bytes = try beginSending()
    unsafe lent.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    endSending(&bytes)
  }

  @inline(never) @usableFromInline
  final func send(_ bytes: [UInt8]) throws(SocketError) {
    if bytes.count >= Self.directSize { return try sendDirectly(bytes) }
    var sent = try beginSending()
    sent.append(contentsOf: bytes)
    endSending(&sent)
  }

  private func sendDirectly(_ bytes: [UInt8]) throws(SocketError) {
    try checkMaySend()
    if let error = commitSent(thenWaiting: false) { throw error }
    try accept(core.trySend(bytes, holdsTurn: !isThrottled))
  }

  /// What follows from a send past the loop's memory.
  final func accept(_ step: ConnectionCore.SendStep) throws(SocketError) {
    room = 0
    hasAnswered = true
    switch step {
    case .accepted, .acceptedAndSpent: break
    case .acceptedAboveHighMark: isThrottled = true
    case .mustWait: throw .outputFull(queued: core.state.withLock { $0.output.count })
    }
  }

  final func finishWriting() throws(SocketError) {
    if let error = commitSent(thenWaiting: false) { throw error }
    room = 0
    try core.beginFinishing()
  }

  /// If a send would not be accepted for lack of room, the low mark is waited for from now on: it may be others who have
  /// filled the output.
  final var canSend: Bool {
    let sentCount = sentCount
    let (isOpen, hasRoom) = core.state.withLock { state in
      ((try? state.checkTakesOutput()) != nil, sentCount < state.room)
    }
    if isOpen, !hasRoom { isThrottled = true }
    return isOpen && !isThrottled
  }

  package final var counters: Connection.Counters {
    let taken = core.state.withLock { $0.counters }
    return Connection.Counters(
      bytesRead: taken.bytesRead, bytesAccepted: taken.bytesAccepted + UInt64(sentCount),
      bytesWritten: taken.bytesWritten)
  }

  @inline(__always)
  private var sentCount: Int {
    hasSent ? core.core.sentCount : 0
  }

  /// Throws what a send would: the connection's own error, and `.outputFull` at the high mark.
  @inline(__always)
  final func checkMaySend() throws(SocketError) {
    let mustAsk = core.isOver.load(ordering: .relaxed) || core.reading.othersHaveSent.load(ordering: .relaxed)
    if mustAsk || sentCount >= room { try askForRoom() }
  }

  @inline(never)
  private func askForRoom() throws(SocketError) {
    let sentCount = sentCount
    core.reading.othersHaveSent.store(false, ordering: .relaxed)
    room = try core.state.withLock { state throws(SocketError) in
      try state.checkTakesOutput()
      if isThrottled { throw .outputFull(queued: state.output.count + sentCount) }
      // Others who fill its output, as a broadcast does, do not make an error of its next answer: it is accepted, and
      // then nothing more is read.
      return max(state.room, sentCount + 1)
    }
  }

  /// Writes what the callbacks have sent, and begins to wait for input if that is what comes next. `false` when it can't
  /// be written: the connection is being closed then.
  final func commit(thenWaiting: Bool) -> Bool {
    guard hasSent || thenWaiting else { return true }
    guard let error = commitSent(thenWaiting: thenWaiting) else { return true }
    if self.error == nil { self.error = error }
    close(after: error)
    return false
  }

  final func forgetSent() {
    hasSent = false
    core.core.forgetSender()
  }

  /// The error with which the connection can't take what was sent.
  fileprivate final func commitSent(thenWaiting: Bool) -> SocketError? {
    let isSending = hasSent
    if isSending { forgetSent() }
    var failure: SocketError?
    var isLeft = false
    let mustLook = core.state.withLock { state in
      if isSending {
        do throws(SocketError) { isLeft = try core.writeSent(&state) } catch { failure = error }
      }
      room = state.failure == nil && state.outgoing == .open ? state.room : 0
      return failure == nil && thenWaiting && !core.addReader(self, &state)
    }
    if isLeft { core.flushNow() }
    if failure != nil { core.wakeAfterFailure() }
    if mustLook { wake(.changed) }
    return failure
  }
}

extension ConnectionCore {
  @inline(never)
  func commitSent() {
    guard let sender = unsafe core.local.value.sender else { return }
    unsafe sender._withUnsafeGuaranteedRef { driver in
      // The error, if there is one, is that of the sends that follow too.
      if driver.core === self { _ = driver.commitSent(thenWaiting: false) }
    }
  }

  /// Writes what it can of what a handler has sent, and queues the rest, if there is any.
  @inline(__always)
  fileprivate func writeSent(_ state: inout ConnectionState) throws(SocketError) -> Bool {
    try state.checkTakesOutput()
    let first = core.local.value.sentStart
    var sent = core.takeSent(fromStart: false)
    defer { core.giveBack(sent: &sent) }
    return try unsafe sent.withUnsafeBufferPointer { sent throws(SocketError) in
      let bytes = unsafe UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: sent[first...]))
      var start = 0
      if state.output.isEmpty {
        state.lastWrite = core.now
        if state.readiness.canWrite {
          start = try noteWritten(unsafe state.endpoint.write(bytes, loop: core), of: bytes.count, &state)
          state.output.passThrough(start)
          if start == bytes.count { return false }
        }
      }
      unsafe core.append(UnsafeRawBufferPointer(rebasing: bytes[start...]), to: &state.output)
      return true
    }
  }

  /// `false` when a read is worth trying at once.
  @inline(__always)
  fileprivate func addReader(_ driver: ConnectionDriver, _ state: inout ConnectionState) -> Bool {
    if state.phase != .open || state.readiness.canRead || state.readFailure != nil { return false }
    if state.isDraining, !state.drainIsNoticed { return false }
    state.reader = ConnectionState.Reader(
      id: reading.contents.waits, isOwner: true, deadline: .never, continuation: WakeContinuation(driver))
    beginWait(&state)
    noteReading(&state)
    return true
  }
}
