/// What became of one message to many, receiver by receiver: each is in one of the lists, which are made when they are
/// asked for.
public struct Delivery<Receiver: Sendable>: Sendable {
  /// With those whom the message was not meant for, and gaps where nobody is.
  let receivers: [Receiver?]
  /// One for each of them.
  var outcomes: [DeliveryOutcome]

  /// Those whose connections have accepted it.
  public var delivered: [Receiver] { receivers(.delivered) }

  /// Those who were too slow and lost a message: this one, or with `SlowConsumerPolicy.dropOldest` an earlier one, for
  /// which this one is kept. Also those who were waited for when the sender was cancelled.
  public var dropped: [Receiver] { receivers(.dropped) }

  /// Those who were too slow and were disconnected.
  public var disconnected: [Receiver] { receivers(.disconnected) }

  /// Those whose connections had ended, or failed just now; their handlers learn it for themselves.
  public var ended: [Receiver] { receivers(.ended) }

  private func receivers(_ outcome: DeliveryOutcome) -> [Receiver] {
    outcomes.indices.compactMap { outcomes[$0] == outcome ? receivers[$0] : nil }
  }
}

extension Delivery: CustomStringConvertible {
  /// The counts: `998 delivered, 1 dropped, 1 disconnected`.
  public var description: String {
    let others: [DeliveryOutcome] = [.dropped, .disconnected, .ended]
    let counts = others.map { ($0, outcomes.count(of: $0)) }.filter { $0.1 > 0 }
    return "\(outcomes.count(of: .delivered)) delivered" + counts.map { ", \($0.1) \($0.0)" }.joined()
  }
}

extension [DeliveryOutcome] {
  fileprivate func count(of outcome: DeliveryOutcome) -> Int { count { $0 == outcome } }
}
