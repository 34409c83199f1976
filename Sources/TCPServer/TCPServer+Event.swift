import AsyncSockets

extension TCPServer {
  /// What a server tells of itself.
  public enum Event: Sendable {
    /// It accepts connections, on these addresses.
    case started([SocketAddress])
    /// A connection was accepted and admitted, and its handler is about to start.
    case accepted(peer: Peer)
    /// A connection was not served, and why.
    case refused(peer: Peer, RefusalCause)
    /// A limit was reached. One of the server is told once, until nobody waits any more who had to wait for it; one of a
    /// connection with its peer, before `closed`.
    case limit(Limit, peer: Peer?)
    /// A connection has ended.
    case closed(peer: Peer, reason: CloseReason, counters: Connection.Counters)
    /// A handler threw an error of its own: neither its connection's end nor the peer's bad bytes nor cancellation,
    /// which `closed` tells.
    case handlerFailed(peer: Peer, any Error)
    /// The system is short of descriptors or memory: accepting goes on in a moment. Told once, until it succeeds.
    case acceptPaused(SocketError)
    /// Accepting works again.
    case acceptResumed
    /// A listener can no longer accept. The server stops accepting; who is served lives on, and `run` throws this
    /// error after the last.
    case listenerFailed(SocketError)
    /// Limits that were set while it runs cannot work, and those before stay in force.
    case limitsRefused(SocketError)
    /// One of its loops had a turn of more than 100 ms, for which everybody on the loop had to wait; what it can tell of
    /// the cause: `EventLoop.LongTurn`. A loop that several servers share tells each of them.
    case longTurn(EventLoop.LongTurn)
    /// The server has been drained, or `run` cancelled, and nothing is left: the last event.
    case drained(DrainReport)
  }

  /// Who is at the other end of a connection.
  public struct Peer: Hashable, Sendable {
    /// Its address; `nil` when it had gone before it could be asked, or its Unix socket has none.
    public let address: SocketAddress?
    /// What the admission called it.
    public let tag: String?
  }

  /// A limit that was reached, of the server or of a connection.
  public enum Limit: String, Hashable, Sendable {
    /// As many connections as may be; who waits is served when one of them ends.
    case connections
    /// They come faster than they may.
    case acceptRate
    /// `ConnectionLimits.firstByte`
    case firstByte
    /// `ConnectionLimits.message`
    case message
    /// `ConnectionLimits.minimumRate`
    case minimumRate
    /// `ConnectionLimits.idle`
    case idle
    /// `ConnectionLimits.writeStall`
    case writeStall
    /// It was too slow for a `Broadcast` that disconnects such members.
    case slowConsumer
  }

  /// Why a connection was not served.
  public enum RefusalCause: Sendable {
    /// The admission said so.
    case admission(Refusal)
    /// The admission threw an error that is no refusal.
    case admissionFailed(any Error)
    /// The admission took longer than it may.
    case admissionTimedOut
    /// Its peer has as many connections as it may.
    case connectionsPerPeer
    /// The process is out of descriptors, and sheds the backlog.
    case outOfDescriptors
    /// The peer had reset it before it could be served.
    case gone
    /// The server was cancelled before it was served.
    case cancelled
  }

  /// Tells the event hook, if there is one.
  func tell(_ event: @autoclosure () -> Event) { configuration.onEvent?(event()) }
}

extension TCPServer.Peer {
  init(_ connection: Connection.Handle) { self.init(address: connection.peerAddress, tag: connection.tag) }
}

extension TCPServer.Limit {
  init(_ limit: SocketError.Limit) {
    switch limit {
    case .firstByte: self = .firstByte
    case .message: self = .message
    case .minimumRate: self = .minimumRate
    case .idle: self = .idle
    case .writeStall: self = .writeStall
    case .slowConsumer: self = .slowConsumer
    }
  }
}
