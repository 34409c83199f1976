public import AsyncSockets

/// Why a pool has lent no connection.
public enum PoolError: Error, Sendable {
  /// None became free in time; what the pool was doing then.
  case timedOut(PoolSnapshot)
  /// None could be made, and trying again would not help, or the policy allows no further attempt: the last error.
  case unavailable(any Error)
  /// The pool drains, or its `run` is over.
  case closed

  /// The server has ended a new connection before it was of use to anybody.
  public struct EndedUnused: Error, Hashable, Sendable {
    /// Who it was.
    public let peer: SocketAddress?
  }
}

extension PoolError: CustomStringConvertible {
  /// One line.
  public var description: String {
    switch self {
    case .timedOut(let snapshot): "no connection in time: \(snapshot)"
    case .unavailable(let error): "no connection: \(error)"
    case .closed: "the pool is closed"
    }
  }
}

extension PoolError.EndedUnused: CustomStringConvertible {
  /// One line.
  public var description: String {
    "\(peer.map(\.description) ?? "the server") accepted the connection and ended it before it was used"
  }
}
