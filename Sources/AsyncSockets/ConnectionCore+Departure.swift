// That the peer has gone is news even if nobody reads: for a handler that waits for something else, and would wait for
// nobody's sake. Those who want to know wait among the writers, so that a connection without them has no memory for it,
// and no cost until the loop hears of an end.

extension ConnectionCore {
  /// The loop has heard of an end.
  func noteDeparture() {
    let waiters = state.withLock { state -> [WakeContinuation] in
      guard state.writers.watchesPeer, state.phase == .open else { return [] }
      let (isReset, hasEnded) = (peerHasGone(by: .reset, &state), peerHasGone(by: .endOfStream, &state))
      if state.failure == nil {
        return state.writers.removeOnlookers { waiter in
          switch waiter.goal.departure {
          case .reset: isReset
          case .endOfStream: isReset || hasEnded
          case nil: false
          }
        }
      }
      state.output.discard()
      return state.takeWaiters()
    }
    Self.resume(waiters)
  }

  /// Something has been read, with the end of the stream behind it; with the lock held.
  @inline(never)
  func noteReadBehindEnd(_ state: borrowing ConnectionState) {
    // Once the reader has had its turn: it may ask for the rest, and be told of the end by that.
    if state.writers.watchesPeer { core.performLater(.ready(self, [])) }
  }

  /// Whether the peer has gone, as far as anybody knows. That is then the reason of the connection's end.
  func noteWhetherPeerHasGone(by departure: PeerDeparture) -> Bool {
    let hasGone = state.withLock { state in
      guard state.phase == .open, peerHasGone(by: departure, &state) else { return false }
      state.noteReason(.closedByPeer)
      return true
    }
    if hasGone { wakeAfterFailure() }
    return hasGone
  }

  /// Has the continuation wait for the departure; `false` if it is to look again.
  func addDepartureWaiter(
    _ continuation: WakeContinuation, _ id: UInt32, _ departure: PeerDeparture, unless isOver: () -> Bool
  ) -> Bool {
    state.withLock { state in
      if isOver() || state.phase != .open || peerHasGone(by: departure, &state) { return false }
      state.writers.add(
        WriteWaiters.Waiter(id: id, goal: .departure(departure), continuation: continuation))
      return true
    }
  }

  private func peerHasGone(by departure: PeerDeparture, _ state: inout ConnectionState) -> Bool {
    takeSocketError(&state)
    if state.failure != nil { return true }
    // The peer of a Unix socket hangs up by a close; that of TCP ends its stream, and may still read.
    let counts =
      switch departure {
      case .reset: state.readiness.isHungUp && state.outgoing != .ended
      case .endOfStream: state.readiness.isFinal
      }
    return counts && state.endpoint.unreadBytes(kernel: core.kernel) == 0
  }

  /// Asks for what a read or a write would be told. The kernel tells it once; what has arrived before can still be read.
  private func takeSocketError(_ state: inout ConnectionState) {
    guard state.failure == nil else { return }
    var error = 0
    if let upgraded = state.endpoint.customTransport {
      error = (upgraded as? UpgradedTransport)?.takeSocketError() ?? 0
    } else if state.readiness.isHungUp, let number = state.endpoint.descriptorNumber {
      error = core.kernel.pendingError(number)
    }
    guard error < 0 else { return }
    let errno = Errno(Int32(-error))
    // A reset that comes behind the end of the stream. What was sent before that can be read to the end.
    if errno == .brokenPipe { state.noteReason(.reset) }
    _ = state.fail(errno, call: errno == .brokenPipe ? "send" : "recv", peer: peerAddress)
  }
}
