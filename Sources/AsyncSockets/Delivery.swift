/// What became of one message to many, receiver by receiver: each is in one of the lists.
public struct Delivery<Receiver: Sendable>: Sendable {
  /// Those whose connections have accepted it.
  public internal(set) var delivered: [Receiver] = []
  /// Those who were too slow and lost a message: this one, or with `SlowConsumerPolicy.dropOldest` an earlier one, for
  /// which this one is kept. Also those who were waited for when the sender was cancelled.
  public internal(set) var dropped: [Receiver] = []
  /// Those who were too slow and were disconnected.
  public internal(set) var disconnected: [Receiver] = []
  /// Those whose connections had ended, or failed just now; their handlers learn it for themselves.
  public internal(set) var ended: [Receiver] = []
}

extension Delivery: CustomStringConvertible {
  /// The counts: `998 delivered, 1 dropped, 1 disconnected`.
  public var description: String {
    let others = [(dropped, "dropped"), (disconnected, "disconnected"), (ended, "ended")]
    let counts = others.filter { !$0.0.isEmpty }.map { ", \($0.0.count) \($0.1)" }
    return "\(delivered.count) delivered" + counts.joined()
  }
}
