import Framing
import Synchronization

// A connection that is used by one after the other must be found as a new one would be.

extension Connection {
  /// What there is to see of a connection that nobody uses.
  package enum Condition {
    /// It stands, in both directions, and whoever uses it finds nothing of those before.
    case atRest
    /// It stands, and somebody reads from it, or there may be something for somebody to read: bytes, frames that a
    /// decoder keeps, a reply that nobody waited for. Or it can't be used by others any more, or its limits are not
    /// those that others have found.
    case unsettled
    /// It has ended, in one direction at least.
    case ended
  }

  /// Notes from now on what its users leave behind.
  package func recordLoans() { core.changeSettings { $0.with(loans: LoanRecord()) } }

  /// Nobody has had it yet.
  package var isNew: Bool { core.loans.map { !$0.hasBegun.load(ordering: .relaxed) } ?? false }

  /// Reads and requests that were given up before count no longer.
  package func beginLoan() { core.loans?.begin(limits) }

  /// Looks at it. Waits for nothing; makes a system call only if there is news.
  package func look() -> Condition { core.look() }

  /// Whether the peer has ended, reset or broken the connection.
  package var hasLostPeer: Bool {
    core.state.withLock { $0.peerHasEnded || $0.failure != nil }
  }

  /// What broke the connection, if something did.
  package var failure: SocketError? { core.state.withLock { $0.failure } }
}

extension ConnectionCore {
  fileprivate func look() -> Connection.Condition {
    guard (try? reading.claim(for: "probe")) != nil else { return .unsettled }
    defer { reading.release() }
    let isWhole = state.withLock { $0.phase == .open && $0.outgoing == .open && $0.failure == nil }
    guard isWhole, !reading.contents.hasEnded else { return .ended }
    if reading.contents.buffer.isEmpty {
      // That the last read has taken all says nothing of what has come since.
      reading.contents.isDry = false
      reading.contents.budget.refill()
      switch try? fillNow(finishingFrame: false) {
      case .wouldBlock: return isSettled ? .atRest : .unsettled
      case .bytes, .drained: break
      case .end, .yield, nil: return .ended
      }
    }
    return state.withLock { $0.readiness.isFinal } ? .ended : .unsettled
  }

  private var isSettled: Bool {
    let settings = state.withLock { $0.settings }
    return settings.loans?.isSettled(settings.options.limits) ?? true
  }
}
