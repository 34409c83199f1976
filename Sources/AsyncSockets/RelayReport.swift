/// What a relay has done: for each of its connections, in the order in which they were given.
public struct RelayReport: Hashable, Sendable, CustomStringConvertible {
  /// The first connection.
  public let first: Side
  /// The second one.
  public let second: Side

  /// One of the two connections.
  public struct Side: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes came from it and were accepted by the other.
    public let bytes: UInt64
    /// How it ended.
    public let ending: Ending

    /// `4096 bytes, then its end`.
    public var description: String { "\(bytes.of("byte")), then \(ending)" }
  }

  /// `first: 4096 bytes, then its end; second: 12 bytes, then its end`.
  public var description: String { "first: \(first); second: \(second)" }

  /// How one of the connections ended.
  public enum Ending: Hashable, Sendable, CustomStringConvertible {
    /// It ended its stream, which was passed on whole.
    case ended
    /// It failed by itself, and the other was reset for it.
    case failed(SocketError)
    /// It was reset because the other had failed.
    case reset

    /// A few words.
    public var description: String {
      switch self {
      case .ended: "its end"
      case .failed(let error): "a failure (\(error))"
      case .reset: "a reset for the other's failure"
      }
    }
  }
}
