import AsyncSockets

extension TCPServer {
  /// What a server tells of itself.
  public enum Event: Sendable {
    /// A connection was accepted and its handler is about to start.
    case accepted(peer: SocketAddress?)
    /// A connection has ended.
    case closed(peer: SocketAddress?, reason: CloseReason)
    /// A handler threw an error of its own: neither its connection's end nor the peer's bad bytes nor cancellation,
    /// which `closed` tells.
    case handlerFailed(peer: SocketAddress?, any Error)
    /// The system is short of descriptors or memory: accepting goes on in a moment. Told once, until it succeeds.
    case acceptPaused(SocketError)
    /// Accepting works again.
    case acceptResumed
    /// A listener can no longer accept. The server stops accepting; who is served lives on, and `run` throws this
    /// error after the last.
    case listenerFailed(SocketError)
    /// One of its loops had a turn of more than 100 ms, for which everybody on the loop had to wait; what it can tell of
    /// the cause: `EventLoop.LongTurn`. A loop that several servers share tells each of them.
    case longTurn(EventLoop.LongTurn)
    /// The server has been drained, or `run` cancelled, and nothing is left: the last event.
    case drained(DrainReport)
  }
}

extension TCPServer.Event: CustomStringConvertible {
  /// For a log: one line, but for a drain that had to cut connections.
  public var description: String {
    switch self {
    case .accepted(let peer): "\(Self.name(peer)) accepted"
    case .closed(let peer, let reason): "\(Self.name(peer)) ended: \(reason)"
    case .handlerFailed(let peer, let error): "\(Self.name(peer)) handler failed: \(error)"
    case .acceptPaused(let error): "accepting paused: \(error)"
    case .acceptResumed: "accepting resumed"
    case .listenerFailed(let error): "listener failed: \(error)"
    case .longTurn(let turn): turn.description
    case .drained(let report): report.description
    }
  }

  private static func name(_ peer: SocketAddress?) -> String {
    peer.map(\.description) ?? "unknown peer"
  }
}
