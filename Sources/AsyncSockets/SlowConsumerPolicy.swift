/// What a broadcast does about those who take less than they are sent: whose output buffers stand at the high mark when
/// another message comes.
public struct SlowConsumerPolicy: Hashable, Sendable {
  enum Action: Hashable {
    case wait, dropNewest, disconnect
    case dropOldest(keeping: Int)
  }

  let action: Action

  /// Waits for them, after everybody else has got the message: the slowest sets the pace of whoever sends, and the write
  /// stall limit parts with those who take nothing at all.
  public static let wait = SlowConsumerPolicy(action: .wait)

  /// They do not get this message: for news of which the next will do.
  public static let dropNewest = SlowConsumerPolicy(action: .dropNewest)

  /// Ends their connections, with `CloseReason.limit(.slowConsumer)`: for those who must get everything, and can come
  /// again for it.
  public static let disconnect = SlowConsumerPolicy(action: .disconnect)

  /// Keeps the latest messages for each of them, and drops the oldest that it has kept.
  ///
  /// - Parameter count: how many messages beside those in the output buffer, at least 1. Their bytes are shared among
  ///   all for whom they are kept.
  /// - Throws: `SocketError.invalid` for a count below 1.
  public static func dropOldest(keeping count: Int) throws(SocketError) -> SlowConsumerPolicy {
    guard count > 0 else {
      throw .invalid("dropOldest needs room for at least 1 message, not \(count); dropNewest keeps none")
    }
    return SlowConsumerPolicy(action: .dropOldest(keeping: count))
  }

  /// Whether messages are kept for each receiver.
  package var keepsMessages: Bool { if case .dropOldest = action { true } else { false } }
}
