import Framing

// A connection that is used by one after the other must be found as a new one would be.

extension Connection {
  /// Whether the connection stands, in both directions, nobody reads from it, and nothing has arrived that nobody has
  /// read: fit to be used for something new. Waits for nothing; makes a system call only if there is news.
  package func isAtRest() -> Bool { core.isAtRest() }

  /// Whether the peer has ended, reset or broken the connection.
  package var hasLostPeer: Bool {
    core.state.withLock { $0.peerHasEnded || $0.failure != nil }
  }
}

extension ConnectionCore {
  fileprivate func isAtRest() -> Bool {
    guard (try? reading.claim(for: "probe")) != nil else { return false }
    defer { reading.release() }
    let isWhole = state.withLock { $0.phase == .open && $0.outgoing == .open && $0.failure == nil }
    guard isWhole, !reading.contents.hasEnded, reading.contents.buffer.isEmpty else { return false }
    // That the last read has taken all says nothing of what has come since.
    reading.contents.isDry = false
    reading.contents.budget.refill()
    guard case .wouldBlock? = try? fillNow(finishingFrame: false) else { return false }
    return true
  }
}
