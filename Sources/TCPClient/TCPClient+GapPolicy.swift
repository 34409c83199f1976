extension TCPClient {
  /// What a session does with sends while it has no connection.
  public enum GapPolicy: Hashable, Sendable {
    /// They fail with `SessionError.disconnected`.
    case fail
    /// They wait for the next connection.
    case wait
    /// They return at once, and go out on the next connection before anything else. At most so many bytes wait, as
    /// encoded, with at least 1 for each frame; what does not fit fails with `SessionError.queueFull`. Requests wait.
    case queue(bytes: Int)

    func validate() throws(SocketError) {
      if case .queue(let bytes) = self, bytes < 1 {
        throw .invalid(
          "whileDisconnected: the queue must hold at least 1 byte, not \(bytes); .fail needs none")
      }
    }
  }
}
