/// What a run has to know of those who use its connections.
struct Conversation {
  let isFramed: Bool
  /// Called when the body has ended.
  var disconnected: @Sendable () -> Void = {}
  /// Called when the run is over.
  var ended: @Sendable (TCPClient.Ending) -> Void = { _ in }
}

extension TCPClient {
  /// What a closure that makes a value of its connections wants next.
  public enum Next<Value> {
    /// The run is over, with this value.
    case finish(Value)
    /// Another connection, after a pause.
    case reconnect
  }

  /// The policy allows no further attempt, and the last closure had returned `.reconnect`.
  public struct GaveUp: Error, Hashable, Sendable, CustomStringConvertible {
    /// How many attempts were made in a row.
    public let attempts: Int

    /// One line.
    public var description: String {
      "no value after \(attempts.of("attempt")), and ReconnectPolicy allows no more"
    }
  }
}

extension TCPClient.Next: Sendable where Value: Sendable {}
