extension TCPClient {
  /// What a session does with sends while it has no connection.
  public enum GapPolicy: Hashable, Sendable {
    /// They fail with `SessionError.disconnected`.
    case fail
    /// They wait for the next connection.
    case wait
    /// They return at once, and go out on the next connection before anything else. At most so many bytes wait, as
    /// encoded; what does not fit fails with `SessionError.queueFull`. Requests wait.
    case queue(bytes: Int)

    func validate() throws(SocketError) {
      if case .queue(let bytes) = self, bytes < 1 {
        throw .invalid(
          "whileDisconnected: the queue must hold at least 1 byte, not \(bytes); .fail needs none")
      }
    }
  }

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
