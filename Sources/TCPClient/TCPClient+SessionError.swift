extension TCPClient {
  /// Why a session could not do what it was asked.
  public enum SessionError: Error, Sendable {
    /// It has no connection, for this reason, and does not wait for one. Nothing was sent.
    case disconnected(State)
    /// It has no connection, and so many bytes wait for one already. Nothing was sent.
    case queueFull(bytes: Int)
    /// The connection ended, with this error, after a request was sent and before its reply came: the server may have
    /// acted on it or not.
    case outcomeUnknown(after: any Error)
    /// Its client has ended. Nothing was sent.
    case ended(Ending)

    var isPermanent: Bool {
      switch self {
      case .disconnected, .outcomeUnknown: false
      case .queueFull, .ended: true
      }
    }
  }
}

extension TCPClient.SessionError: CustomStringConvertible {
  /// One line.
  public var description: String {
    switch self {
    case .disconnected(let state): "there is no connection, and nothing was sent; the client is \(state)"
    case .queueFull(let bytes):
      "there is no connection, \(bytes.of("byte")) wait for one already, and nothing was sent"
    case .outcomeUnknown(let error):
      "the connection ended before the reply, and whether the server has acted on the request is unknown: \(error)"
    case .ended(let ending): "the client has ended, and nothing was sent: \(ending)"
    }
  }
}
