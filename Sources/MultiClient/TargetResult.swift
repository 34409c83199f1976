public import AsyncSockets

/// What became of a target: each has exactly one.
public enum TargetResult: Hashable, Sendable {
  /// The connection stood, and ended.
  case finished(CloseReason)
  /// It could not be connected to: refused, unreachable, no address, or a target that cannot be.
  case failed(SocketError)
  /// A time-out came, of the attempt or of the connection.
  case timedOut(Timeouts.Kind)
  /// The client was closed or cancelled before it had connected, or cancelled while it was open.
  case cancelled
}

extension TargetResult: CustomStringConvertible {
  /// In words: `closed by the peer`, `connect 127.0.0.1:7: ECONNREFUSED (Connection refused)`, `timed out: input`.
  public var description: String {
    switch self {
    case .finished(let reason): reason.description
    case .failed(let error): error.description
    case .timedOut(let kind): "timed out: \(kind.rawValue)"
    case .cancelled: "cancelled"
    }
  }
}

extension TargetResult {
  /// What errors are counted by: a few words without addresses and numbers; `nil` for what is no error.
  var errorClass: String? {
    switch self {
    case .finished(.closed), .finished(.closedByPeer), .finished(.aborted), .finished(.drained): nil
    case .finished(.failed(let errno, let call)): "\(call): \(errno.name)"
    case .finished(.limit(let limit)): "limit: \(limit.rawValue)"
    case .finished(let reason): reason.kind.rawValue
    case .failed(.failed(let errno, let call, _)): "\(call): \(errno.name)"
    case .failed(.connectFailed(_, let failures)):
      failures.last.flatMap { TargetResult.failed($0.error).errorClass } ?? "connect"
    case .failed(.unresolved): "unresolved"
    case .failed(.invalid): "invalid"
    case .failed(.loopStopped): "loop stopped"
    case .failed: "failed"
    case .timedOut(let kind): "timed out: \(kind.rawValue)"
    case .cancelled: "cancelled"
    }
  }

  /// What the handler's last callback is told.
  var closeReason: CloseReason {
    switch self {
    case .finished(let reason): reason
    case .failed(.failed(let errno, let call, _)): .failed(errno, call: call)
    case .failed(.connectFailed(_, let failures)):
      failures.last.map { TargetResult.failed($0.error).closeReason } ?? .aborted
    case .failed(let error): .handlerThrew(error.description)
    case .timedOut: .timedOut
    case .cancelled: .cancelled
    }
  }
}
