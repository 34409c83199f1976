import AsyncSockets

extension TCPServer.Event: CustomStringConvertible {
  /// For a log: one line, but for a drain that had to cut connections.
  public var description: String {
    switch self {
    case .started(let addresses): "started on \(addresses.map(\.description).joined(separator: ", "))"
    case .accepted(let peer): "\(peer) accepted"
    case .refused(let peer, let cause): "\(peer) refused: \(cause)"
    case .limit(let limit, nil): "limit reached: \(limit.rawValue)"
    case .limit(let limit, let peer?): "\(peer) reached a limit: \(limit.rawValue)"
    case .closed(let peer, let reason, let counters):
      "\(peer) ended: \(reason); \(counters.bytesRead) bytes in, \(counters.bytesWritten) out"
    case .handlerFailed(let peer, let error): "\(peer) handler failed: \(error)"
    case .acceptPaused(let error): "accepting paused: \(error)"
    case .acceptResumed: "accepting resumed"
    case .listenerFailed(let error): "listener failed: \(error)"
    case .limitsRefused(let error): "limits not changed: \(error)"
    case .longTurn(let turn): turn.description
    case .drained(let report): report.description
    }
  }
}

extension TCPServer.Peer: CustomStringConvertible {
  /// Its address, and its tag in parentheses.
  public var description: String {
    let name = address.map(\.description) ?? "unknown peer"
    return tag.map { "\(name) (\($0))" } ?? name
  }
}

extension TCPServer.RefusalCause: CustomStringConvertible {
  /// A few words.
  public var description: String {
    switch self {
    case .admission(let refusal): refusal.description
    case .admissionFailed(let error): "its admission failed: \(error)"
    case .admissionTimedOut: "its admission took too long"
    case .connectionsPerPeer: "its peer has as many connections as it may"
    case .outOfDescriptors: "no descriptor is left"
    case .gone: "its peer has reset it"
    case .cancelled: "the server was cancelled"
    }
  }
}
