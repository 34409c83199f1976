import Framing

/// How a connection ended; each has exactly one, and the first cause wins.
public indirect enum CloseReason: Hashable, Sendable {
  // Indirect, since every connection has room for one.

  /// This side closed it, by `close()` or by leaving the scope.
  case closed
  /// This side aborted it.
  case aborted
  /// The peer ended its stream, and then this side closed.
  case closedByPeer
  /// The peer reset it.
  case reset
  /// The peer's stream ended without the goodbye of the transport's protocol.
  case truncated
  /// A limit ended it.
  case limit(SocketError.Limit)
  /// It ended because the server drained.
  case drained
  /// The task that served it was cancelled.
  case cancelled
  /// Its client was told to connect to somebody else.
  case retargeted
  /// The handler threw; the text describes the error.
  case handlerThrew(String)
  /// The peer's bytes were not what the codec expects; the text says where.
  case framing(String)
  /// Its handler's deadline passed, or its peer was silent for longer than a heartbeat allows.
  case timedOut
  /// A system call failed.
  case failed(Errno, call: String)
}

extension CloseReason {
  init(_ error: SocketError) {
    switch error {
    case .reset: self = .reset
    case .truncated: self = .truncated
    case .failed(let errno, let call, _): self = .failed(errno, call: call)
    case .limit(let limit): self = .limit(limit)
    case .closed: self = .closed
    case .loopStopped: self = .aborted
    default: self = .handlerThrew(error.description)
    }
  }
}

extension CloseReason {
  /// The reason of a connection whose handler threw.
  init(leavingScopeBy error: any Error) {
    switch error {
    case is CancellationError: self = .cancelled
    case let error as FramingError: self = .framing("\(error)")
    default: self = .handlerThrew("\(error)")
    }
  }
}

extension CloseReason: CustomStringConvertible {
  /// A few words: `reset by the peer`, `limit: idle`, `handler threw: …`.
  public var description: String {
    switch self {
    case .closed: "closed by this side"
    case .aborted: "aborted by this side"
    case .truncated: "ended without a goodbye"
    case .closedByPeer: "closed by the peer"
    case .reset: "reset by the peer"
    case .limit(let limit): "limit: \(limit.rawValue)"
    case .drained: "drained"
    case .cancelled: "cancelled"
    case .retargeted: "retargeted"
    case .handlerThrew(let error): "handler threw: \(error)"
    case .timedOut: "timed out"
    case .framing(let error): "framing: \(error)"
    case .failed(let errno, let call): "\(call): \(errno)"
    }
  }
}
