/// Why a pool has lent no connection.
public enum PoolError: Error, Sendable {
  /// None became free in time; what the pool was doing then.
  case timedOut(PoolSnapshot)
  /// None could be made, and trying again would not help, or the policy allows no further attempt: the last error.
  case unavailable(any Error)
  /// The pool drains, or its `run` is over.
  case closed
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
