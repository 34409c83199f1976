/// What a relay has done: for each of its connections, in the order in which they were given.
public struct RelayReport: Hashable, Sendable {
  /// The first connection.
  public let first: Side
  /// The second one.
  public let second: Side

  /// One of the two connections.
  public struct Side: Hashable, Sendable {
    /// How many bytes came from it and were accepted by the other.
    public let bytes: UInt64
    /// How it ended.
    public let ending: Ending
  }

  /// How one of the connections ended.
  public enum Ending: Hashable, Sendable {
    /// It ended its stream, which was passed on whole.
    case ended
    /// It failed by itself, and the other was reset for it.
    case failed(SocketError)
    /// It was reset because the other had failed.
    case reset
  }
}
