import AsyncSockets

/// A connection of a pool, and what was made of it to be lent.
struct PooledConnection<Session: Sendable>: Sendable {
  let connection: Connection
  let session: Session

  /// Whether it can be lent. What a server says to a new connection is for whoever has it first.
  var isFit: Bool {
    switch connection.look() {
    case .atRest: true
    case .unsettled: connection.isNew
    case .ended: false
    }
  }

  /// Why it is not fit any more, if that is not the borrowers' doing.
  var loss: any Error { connection.failure ?? PoolError.EndedUnused(peer: connection.peerAddress) }

  /// What has become of it when a body has ended.
  func condition(after error: (any Error)?, _ reuse: PoolReuse) -> PoolState.Condition {
    if reuse == .ifAtRest { connection.beginLoan() }
    if error == nil || reuse == .ifAtRest, isFit { return .reusable }
    return connection.hasLostPeer ? .lost : .spent
  }
}
